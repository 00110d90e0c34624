"""Object headers, versions 1 and 2, with their continuation blocks: a list of messages.

It promises that every message is of a known type and complete in its block, that blocks are
read once, and that checksums are right where the format has them. Format: section IV.A.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from secure_serial.artifact.hdf5.reader import CHECKSUM, require_version
from secure_serial.errors import (
    LimitExceeded,
    MalformedArtifact,
    UnsafeArtifact,
    UnsupportedFormat,
)

if TYPE_CHECKING:
    from secure_serial.artifact.hdf5.reader import Reader


class MessageType(IntEnum):
    """The numbers of section IV.A.2 of the specification."""

    NIL = 0x00
    DATASPACE = 0x01
    LINK_INFO = 0x02
    DATATYPE = 0x03
    OLD_FILL = 0x04
    FILL = 0x05
    LINK = 0x06
    EXTERNAL_FILES = 0x07
    LAYOUT = 0x08
    GROUP_INFO = 0x0A
    FILTERS = 0x0B
    ATTRIBUTE = 0x0C
    COMMENT = 0x0D
    OLD_TIME = 0x0E
    SHARED_TABLE = 0x0F
    CONTINUATION = 0x10
    SYMBOL_TABLE = 0x11
    TIME = 0x12
    BTREE_K = 0x13
    DRIVER_INFO = 0x14
    ATTRIBUTE_INFO = 0x15
    REFERENCE_COUNT = 0x16
    FILE_SPACE = 0x17
    CACHE_IMAGE = 0x18


_KNOWN = frozenset(int(kind) for kind in MessageType)
_NIL = int(MessageType.NIL)
_CONTINUATION = int(MessageType.CONTINUATION)

_PREFIX_1 = struct.Struct("<BBHII4x")  # version, reserved, messages, references, size
_MESSAGE_1 = struct.Struct("<HHB3x")
_MESSAGE_2 = struct.Struct("<BHB")
_PAIR = struct.Struct("<QQ")

_SIGNATURE = b"OHDR"
_CONTINUED = b"OCHK"
# Version 1 counts its messages in 16 bits; attributes beyond a few leave the header in version 2.
_MAX_MESSAGES = 0xFFFF
_SHARED = 0x02  # message flag: the body is a reference to a message elsewhere

# Flags of a version 2 header.
_SIZE_BITS = 0x03
_ORDERED = 0x04
_PHASE_CHANGE = 0x10
_TIMES = 0x20
_RESERVED = 0xC0


#: The bodies of an object's messages, by type and in the order they stand in.
Messages: TypeAlias = dict[int, list[bytes]]


def read_header(reader: Reader, address: int) -> Messages:
    """All messages of the object header at `address`, without NIL and continuations.

    Raises:
        UnsafeArtifact: the object has a second name (a second hard link, or a cycle).
        UnsupportedFormat: a message of an unknown type, or one shared with other objects.
        MalformedArtifact: the header is broken.

    """
    prefix = reader.read(address, _PREFIX_1.size)
    if prefix[:4] == _SIGNATURE:
        return _read_new(reader, address)
    return _read_old(reader, address, prefix)


def claim_object(reader: Reader, address: int) -> None:
    """Enter an object for the first time: a tree of objects has one way to each."""
    try:
        reader.claim(address)
    except MalformedArtifact:
        raise UnsafeArtifact(
            "a hard link leads to an object that has another name already, or to its own parent",
            help="Save the weights again: Keras writes each object once.",
        ) from None


def _read_old(reader: Reader, address: int, prefix: bytes) -> Messages:
    version, _, declared, _, size = _PREFIX_1.unpack(prefix)
    require_version(version, (1,), "HDF5 object header")
    messages: Messages = {}
    blocks = [(address + _PREFIX_1.size, size)]
    seen = 0
    while blocks:
        start, length = blocks.pop()
        reader.claim(start)
        found = _split_old(reader, reader.read(start, length), messages, blocks)
        seen += found
        if seen > declared:
            raise MalformedArtifact(f"an object header has more than its {declared} messages")
    if seen != declared:
        raise MalformedArtifact(f"an object header has {seen} messages and declares {declared}")
    return messages


def _split_old(
    reader: Reader, block: bytes, messages: Messages, blocks: list[tuple[int, int]]
) -> int:
    """Append the messages of one block; return how many it had, NIL ones included."""
    position, found, end = 0, 0, len(block)
    while position < end:
        kind, size, flags = _MESSAGE_1.unpack_from(block, position)
        position += _MESSAGE_1.size
        if position + size > end:
            raise MalformedArtifact("a header message is longer than its block")
        _keep(kind, flags, block[position : position + size], messages, blocks)
        position += size
        found += 1
    reader.step(found)
    return found


def _read_new(reader: Reader, address: int) -> Messages:
    head = reader.read(address, 6)
    require_version(head[4], (2,), "HDF5 object header")
    flags = head[5]
    if flags & _RESERVED:
        raise MalformedArtifact("an object header has unknown flags")
    width = 1 << (flags & _SIZE_BITS)
    start = 6 + (16 if flags & _TIMES else 0) + (4 if flags & _PHASE_CHANGE else 0)
    size = int.from_bytes(reader.read(address + start, width), "little")
    start += width
    data = reader.read_checked(address, start + size + CHECKSUM, _SIGNATURE)
    messages: Messages = {}
    blocks: list[tuple[int, int]] = []
    extra = 2 if flags & _ORDERED else 0
    _split_new(reader, data[start:], extra, messages, blocks)
    while blocks:
        place, length = blocks.pop()
        if length < len(_CONTINUED) + CHECKSUM:
            raise MalformedArtifact("a header continuation is shorter than its frame")
        reader.claim(place)
        data = reader.read_checked(place, length, _CONTINUED)
        _split_new(reader, data[len(_CONTINUED) :], extra, messages, blocks)
    return messages


def _split_new(
    reader: Reader,
    block: bytes,
    extra: int,
    messages: Messages,
    blocks: list[tuple[int, int]],
) -> None:
    """As `_split_old`; a rest that is too short for a message is a gap, and zero."""
    position, end = 0, len(block)
    head = _MESSAGE_2.size + extra
    while position + head <= end:
        reader.step()
        kind, size, flags = _MESSAGE_2.unpack_from(block, position)
        position += head
        if position + size > end:
            raise MalformedArtifact("a header message is longer than its block")
        _keep(kind, flags, block[position : position + size], messages, blocks)
        position += size
    if any(block[position:]):
        raise MalformedArtifact("the gap behind the header messages is not empty")


def _keep(
    kind: int, flags: int, body: bytes, messages: Messages, blocks: list[tuple[int, int]]
) -> None:
    if kind == _NIL:
        return
    if kind not in _KNOWN:
        raise UnsupportedFormat(f"an HDF5 header message of the unknown type {kind:#x}")
    if flags & _SHARED:
        raise UnsupportedFormat(
            f"a shared HDF5 message ({MessageType(kind).name}): committed datatypes and shared "
            "message tables are not read"
        )
    if kind == _CONTINUATION:
        address, length = _PAIR.unpack_from(body)
        blocks.append((address, length))
        return
    bodies = messages.setdefault(kind, [])
    if len(bodies) >= _MAX_MESSAGES:
        raise LimitExceeded(f"more than {_MAX_MESSAGES} messages of a kind in an object header")
    bodies.append(body)
