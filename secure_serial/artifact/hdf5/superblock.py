"""The superblock: where the file's root is, and that the file is one whole, closed file.

It promises that what the HDF5 library would read is what the walk reads: the signature is at
offset 0 (no user block), no driver splits the file, no cache image replaces its metadata, and
the file neither ends early nor goes on behind its end. Format: sections II.A and II.C of the
HDF5 File Format Specification 3.0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secure_serial.artifact.hdf5.headers import MessageType, read_header
from secure_serial.artifact.hdf5.reader import CHECKSUM, UNDEFINED, require_version
from secure_serial.errors import MalformedArtifact, UnsafeArtifact, UnsupportedFormat

if TYPE_CHECKING:
    from secure_serial.artifact.hdf5.reader import Reader
    from secure_serial.artifact.source import ByteSource

SIGNATURE = b"\x89HDF\r\n\x1a\n"
# The library looks at 0, then at 512 and every doubling of it (section II.A).
_FIRST_USER_BLOCK = 512
_WORD = 8  # the size of addresses and lengths that every writer of Keras files uses

_SIZES = struct.Struct("<BB")
_OLD_ADDRESSES = struct.Struct("<4Q")  # base, free space, end of file, driver information
_NEW_ADDRESSES = struct.Struct("<4Q")  # base, extension, end of file, root header
SYMBOL = struct.Struct("<QQII16s")  # name offset, header, cache type, reserved, scratch
_PAIR = struct.Struct("<QQ")

# Consistency flags of version 3: open for writing, and open for single-writer access.
_OPEN_FLAGS = 0x01 | 0x04

CACHED_NOTHING = 0
CACHED_TABLE = 1
CACHED_SOFT_LINK = 2


@dataclass(frozen=True, slots=True)
class Root:
    """The root group's header, and the symbol table the superblock says it has."""

    address: int
    table: tuple[int, int] | None = None


def signature_offset(source: ByteSource) -> int | None:
    """Where the HDF5 library would find the superblock, or None.

    >>> import io
    >>> from secure_serial.artifact.source import ByteSource
    >>> signature_offset(ByteSource(io.BytesIO(bytes(512) + SIGNATURE)))
    512
    """
    offset = 0
    while offset + len(SIGNATURE) <= source.size:
        if source.read_at(offset, len(SIGNATURE)) == SIGNATURE:
            return offset
        offset = offset * 2 or _FIRST_USER_BLOCK
    return None


def read_superblock(reader: Reader, source: ByteSource) -> Root:
    """Check the superblock and return the root group.

    Raises:
        UnsupportedFormat: no HDF5 file, or one with addresses that are not 8 bytes wide.
        UnsafeArtifact: a user block, a split file, or a metadata cache image.
        MalformedArtifact: truncated, left open, followed by other bytes, or corrupt.

    """
    offset = signature_offset(source)
    if offset is None:
        raise UnsupportedFormat("not an HDF5 file: its signature is missing")
    if offset:
        raise UnsafeArtifact(
            f"{offset} bytes stand before the HDF5 data (a user block): such a file can be two "
            "formats at once, and Keras writes none",
            help="Strip the user block with h5jam/h5unjam, or save the model again.",
        )
    version = reader.read(len(SIGNATURE), 1)[0]
    require_version(version, (0, 1, 2, 3), "HDF5 superblock")
    return _old(reader, version) if version <= 1 else _new(reader, version)


def _require_word_sizes(data: bytes, position: int) -> None:
    if _SIZES.unpack_from(data, position) != (_WORD, _WORD):
        raise UnsupportedFormat("only HDF5 files with 8-byte addresses and lengths are read")


def _require_whole(reader: Reader, base: int, end: int) -> None:
    if base != 0:
        raise UnsafeArtifact(f"the HDF5 base address is {base}, not 0")
    if end != reader.size:
        state = "ends inside its data" if end > reader.size else "goes on behind its data"
        raise MalformedArtifact(
            f"the HDF5 file {state}: {reader.size} bytes, where the superblock says {end}"
        )


def _old(reader: Reader, version: int) -> Root:
    """Versions 0 and 1; version 1 has four bytes more before the addresses."""
    position = 24 if version == 0 else 28
    data = reader.read(0, position + _OLD_ADDRESSES.size + SYMBOL.size)
    _require_word_sizes(data, 13)
    require_version(data[9], (0,), "HDF5 free-space")
    require_version(data[10], (0,), "HDF5 root symbol table")
    require_version(data[12], (0,), "HDF5 shared header")
    base, free, end, driver = _OLD_ADDRESSES.unpack_from(data, position)
    if free != UNDEFINED:
        raise UnsupportedFormat("the HDF5 file keeps a free-space index in its superblock")
    if driver != UNDEFINED:
        raise UnsafeArtifact("the HDF5 file is one of several files (a driver-information block)")
    _require_whole(reader, base, end)
    _, header, cached, _, scratch = SYMBOL.unpack_from(data, position + _OLD_ADDRESSES.size)
    return Root(header, cached_table(cached, scratch))


def _new(reader: Reader, version: int) -> Root:
    """Versions 2 and 3, which end in a checksum."""
    data = reader.read_checked(0, 12 + _NEW_ADDRESSES.size + CHECKSUM, SIGNATURE)
    _require_word_sizes(data, 9)
    if version > 2 and data[11] & _OPEN_FLAGS:  # noqa: PLR2004 (the version that has flags)
        raise MalformedArtifact("the HDF5 file was not closed by its writer")
    base, extension, end, root = _NEW_ADDRESSES.unpack_from(data, 12)
    _require_whole(reader, base, end)
    if extension != UNDEFINED:
        _check_extension(reader, extension)
    return Root(root)


#: What the superblock's own header may hold: nothing that changes where metadata is read.
_HARMLESS_EXTENSION = frozenset(
    {
        MessageType.NIL,
        MessageType.BTREE_K,
        MessageType.FILE_SPACE,
        MessageType.ATTRIBUTE_INFO,
        MessageType.REFERENCE_COUNT,
    }
)


def _check_extension(reader: Reader, address: int) -> None:
    for kind in read_header(reader, address):
        if kind == MessageType.DRIVER_INFO:
            raise UnsafeArtifact("the HDF5 file is one of several files (a driver message)")
        if kind not in _HARMLESS_EXTENSION:
            raise UnsupportedFormat(
                f"the HDF5 superblock extension holds {MessageType(kind).name}, which "
                "replaces or shares metadata and which Keras does not write"
            )


def cached_table(cached: int, scratch: bytes) -> tuple[int, int] | None:
    """The symbol table that an entry says its group has; the library may use this copy."""
    if cached == CACHED_TABLE:
        tree, heap = _PAIR.unpack(scratch)
        return tree, heap
    if cached != CACHED_NOTHING:
        raise MalformedArtifact(f"a symbol table entry has the unknown cache type {cached}")
    return None
