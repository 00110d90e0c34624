"""Writes zip archives byte by byte, so that every field can lie (APPNOTE 6.3.10)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


@dataclass
class Entry:
    """One member. What is None is told truly; `local_*` is what the local header says."""

    name: str
    data: bytes
    local_name: str | None = None
    method: int = 0
    local_method: int | None = None
    flags: int = 0
    crc: int | None = None
    local_crc: int | None = None
    size: int | None = None
    local_size: int | None = None
    compressed: int | None = None
    local_compressed: int | None = None
    offset: int | None = None
    attributes: int = 0
    create_system: int = 0
    disk: int = 0
    extra: bytes = b""


def _or(value: int | None, truth: int) -> int:
    return truth if value is None else value


def unicode_path(name: str, other: str) -> bytes:
    """An extra field that gives the member another name (0x7075)."""
    body = struct.pack("<BL", 1, zlib.crc32(name.encode())) + other.encode()
    return struct.pack("<HH", 0x7075, len(body)) + body


def zip64(size: int) -> bytes:
    """An extra field with sizes of 64 bits (0x0001), which nothing here asks for."""
    return struct.pack("<HHQQ", 1, 16, size, size)


def _local(entry: Entry) -> bytes:
    name = (entry.name if entry.local_name is None else entry.local_name).encode()
    truth = len(entry.data)
    fields = (
        20,
        entry.flags,
        _or(entry.local_method, entry.method),
        0,
        0x21,  # 1 January 1980
        _or(entry.local_crc, zlib.crc32(entry.data)),
        _or(entry.local_compressed, truth),
        _or(entry.local_size, truth),
        len(name),
        0,
    )
    return LOCAL + struct.pack("<5H3L2H", *fields) + name + entry.data


def _central(entry: Entry, offset: int) -> bytes:
    name = entry.name.encode()
    truth = len(entry.data)
    fields = (
        entry.create_system << 8 | 20,
        20,
        entry.flags,
        entry.method,
        0,
        0x21,
        _or(entry.crc, zlib.crc32(entry.data)),
        _or(entry.compressed, truth),
        _or(entry.size, truth),
        len(name),
        len(entry.extra),
        0,
        entry.disk,
        0,
        entry.attributes,
        _or(entry.offset, offset),
    )
    return CENTRAL + struct.pack("<6H3L5H2L", *fields) + name + entry.extra


def pack(  # noqa: PLR0913 (each is one lie)
    entries: Iterable[Entry],
    *,
    prefix: bytes = b"",
    suffix: bytes = b"",
    comment: bytes = b"",
    gap: bytes = b"",
    shift: bool = True,
    count: int | None = None,
    directory_size: int | None = None,
    directory_offset: int | None = None,
) -> bytes:
    """The bytes of an archive. `shift` counts the prefix into the offsets, as it should."""
    entries = list(entries)
    body, directory = bytearray(prefix), bytearray()
    for entry in entries:
        directory += _central(entry, len(body) if shift else len(body) - len(prefix))
        body += _local(entry) + gap
    start = len(body) if shift else len(body) - len(prefix)
    total = _or(count, len(entries))
    tail = struct.pack(
        "<4H2LH",
        0,
        0,
        total,
        total,
        _or(directory_size, len(directory)),
        _or(directory_offset, start),
        len(comment),
    )
    return bytes(body + directory) + END + tail + comment + suffix


def write(path: Path, entries: Iterable[Entry], **options: object) -> Path:
    """Writes what `pack` gives."""
    path.write_bytes(pack(entries, **options))  # type: ignore[arg-type]
    return path
