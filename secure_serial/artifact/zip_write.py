"""A copy of an archive with one member written anew; the others are copied bit for bit.

The copy is what `zip_layout` reads: members without gaps, sizes in front of them, nothing after
the end record. Its times are those of the format's beginning, so that the same archive comes out
of the same one.
"""

from __future__ import annotations

import zlib
from struct import Struct
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_serial.artifact.zip_layout import Member
    from secure_serial.artifact.zip_read import ZipReader

# APPNOTE.TXT 6.3.10, by section.
_LOCAL = Struct("<4s5H3L2H")  # 4.3.7
_CENTRAL = Struct("<4s2B5H3L5H2L")  # 4.3.12
_END64 = Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCATOR64 = Struct("<4sLQL")  # 4.3.15
_END = Struct("<4s4H2LH")  # 4.3.16
_SIZES64 = Struct("<2H2Q")
_OFFSET64 = Struct("<2H3Q")
_VERSION, _UTF8, _STORED = 45, 0x0800, 0
_FIRST_DAY = (1 << 5) | 1  # 1 January 1980
_REGULAR, _FOLDER = 0o100644 << 16, 0o040755 << 16 | 0x10
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF


def copy_with(archive: ZipReader, name: str, text: bytes, out: BinaryIO) -> None:
    """Write all of an archive, with `text` for the content of the member `name`.

    >>> import io, zipfile
    >>> from secure_serial.artifact.zip_read import ZipReader
    >>> from secure_serial.limits import Limits
    >>> file, out = io.BytesIO(), io.BytesIO()
    >>> with zipfile.ZipFile(file, "w") as made:
    ...     made.writestr("a", "1"); made.writestr("b", "2")
    >>> copy_with(ZipReader(file, Limits()), "a", b"3", out)
    >>> [zipfile.ZipFile(out).read(each) for each in "ab"]
    [b'3', b'2']

    """
    records = []
    at = 0
    for member in archive.members:
        if member.name == name:
            entry = _Entry(name, _STORED, len(text), len(text), zlib.crc32(text), at)
            chunks: Iterable[bytes] = [text]
        else:
            entry = _Entry.of(member, at)
            chunks = archive.raw(member)
        at += out.write(entry.local())
        at += sum(map(out.write, chunks))
        records.append(entry.central())
    _finish(out, records, at)


class _Entry:
    """One member of the copy, that begins at `offset`."""

    def __init__(
        self, name: str, method: int, size: int, stored: int, crc: int, offset: int
    ) -> None:
        self.name = name.encode()
        self.method, self.size, self.stored = method, size, stored
        self.crc, self.offset = crc, offset
        self.wide = max(size, stored, offset) >= _MAX32

    @classmethod
    def of(cls, member: Member, offset: int) -> _Entry:
        return cls(member.name, member.method, member.size, member.stored, member.crc, offset)

    def local(self) -> bytes:
        extra = _SIZES64.pack(1, 16, self.size, self.stored) if self.wide else b""
        return (
            _LOCAL.pack(
                b"PK\x03\x04", _VERSION, _UTF8, self.method, 0, _FIRST_DAY, self.crc,
                self._narrow(self.stored), self._narrow(self.size), len(self.name), len(extra),
            )
            + self.name
            + extra
        )  # fmt: skip

    def central(self) -> bytes:
        extra = b""
        if self.wide:
            extra = _OFFSET64.pack(1, 24, self.size, self.stored, self.offset)
        kind = _FOLDER if self.name.endswith(b"/") else _REGULAR
        return (
            _CENTRAL.pack(
                b"PK\x01\x02", _VERSION, 3, _VERSION, _UTF8, self.method, 0, _FIRST_DAY, self.crc,
                self._narrow(self.stored), self._narrow(self.size), len(self.name), len(extra),
                0, 0, 0, kind, self._narrow(self.offset),
            )
            + self.name
            + extra
        )  # fmt: skip

    def _narrow(self, value: int) -> int:
        return _MAX32 if self.wide else value


def _finish(out: BinaryIO, records: list[bytes], start: int) -> None:
    """The central directory, which begins at `start`, and the end records."""
    size = sum(map(out.write, records))
    count = len(records)
    if count >= _MAX16 or start + size >= _MAX32:
        out.write(
            _END64.pack(
                b"PK\x06\x06", _END64.size - 12, _VERSION, _VERSION, 0, 0, count, count, size, start
            )
        )
        out.write(_LOCATOR64.pack(b"PK\x06\x07", 0, start + size, 1))
        out.write(_END.pack(b"PK\x05\x06", 0, 0, _MAX16, _MAX16, _MAX32, _MAX32, 0))
        return
    out.write(_END.pack(b"PK\x05\x06", 0, 0, count, count, size, start, 0))
