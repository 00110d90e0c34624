"""The messages that say what an object is: its shape, where its data is, its links.

It promises to know the forbidden layouts by name: a virtual dataset and external files are
`UnsafeArtifact`, whatever else is wrong with them. Format: section IV.A.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple, NoReturn

from secure_serial.artifact.hdf5.reader import UNDEFINED, little, require_version, take
from secure_serial.errors import MalformedArtifact, UnsafeArtifact, UnsupportedFormat

#: The weights of a model are of a few types and shapes. A message has at most 64 KiB.
REMEMBERED = 64
_ADDRESS = struct.Struct("<Q")
_PAIR = struct.Struct("<QQ")

# numpy and the library allow no more dimensions.
_MAX_RANK = 32

# --- dataspace ---

_NULL_SPACE = 2
_MAXIMA = 0x01
_PERMUTED = 0x02


@lru_cache(maxsize=REMEMBERED)
def read_shape(body: bytes) -> tuple[int, ...] | None:
    """The extents of a dataspace: () for one element, None for none at all (h5py's Empty)."""
    version, rank, flags, kind = body[0], *take(body, 1, 3)
    require_version(version, (1, 2), "HDF5 dataspace")
    if rank > _MAX_RANK:
        raise MalformedArtifact(f"a dataspace of {rank} dimensions")
    if flags & _PERMUTED:
        raise UnsupportedFormat("a dataspace with permuted dimensions")
    start = 8 if version == 1 else 4
    shape = struct.unpack_from(f"<{rank}Q", body, start)
    if flags & _MAXIMA:
        maxima = struct.unpack_from(f"<{rank}Q", body, start + 8 * rank)
        if any(extent > most for extent, most in zip(shape, maxima, strict=True)):
            raise MalformedArtifact("a dataspace larger than its own maximum")
    if version == 1:
        return shape
    if kind > _NULL_SPACE or (kind == 1) != (rank > 0):
        raise MalformedArtifact(f"a dataspace of kind {kind} with {rank} dimensions")
    return None if kind == _NULL_SPACE else shape


# --- layout ---


class Storage(IntEnum):
    """Layout classes."""

    COMPACT = 0
    CONTIGUOUS = 1
    CHUNKED = 2
    VIRTUAL = 3


class Index(IntEnum):
    """How the chunks of a chunked dataset are found."""

    TREE_1 = 0  # a version 1 B-tree: the only one before layout version 4
    SINGLE = 1
    IMPLICIT = 2
    FIXED_ARRAY = 3
    EXTENSIBLE_ARRAY = 4
    TREE_2 = 5


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a dataset's bytes are. `address` is `UNDEFINED` where nothing is stored yet."""

    storage: Storage
    address: int = UNDEFINED
    size: int = 0  # stored bytes: compact, contiguous, and a single filtered chunk
    chunk: tuple[int, ...] = ()  # chunk extents in elements, without the element size
    element: int = 0  # the element size that chunked layouts repeat
    index: Index = Index.TREE_1
    wide: bool = False  # layout version 5: 8 bytes for the size of a filtered chunk


_WIDE_VERSION = 5
_SINGLE_FILTERED = 0x02
# Bytes of parameters between the index type and the address.
_INDEX_PARAMETERS = {Index.IMPLICIT: 0, Index.FIXED_ARRAY: 1, Index.TREE_2: 6}


def read_layout(body: bytes) -> Layout:
    """The layout that a message's body encodes.

    Raises:
        UnsafeArtifact: a virtual dataset, which takes its data from other files.
        UnsupportedFormat: layouts older than 2004, and extensible arrays.

    """
    version, storage = body[0], body[1]
    # Version 5 (2024) is version 4 with 64-bit sizes of filtered chunks.
    require_version(version, (3, 4, 5), "HDF5 data layout")
    if storage == Storage.VIRTUAL:
        raise UnsafeArtifact("a virtual dataset: its data comes from other files")
    if storage == Storage.COMPACT:
        size = little(body, 2, 2)
        take(body, 4, size)
        return Layout(Storage.COMPACT, 0, size)
    if storage == Storage.CONTIGUOUS:
        address, size = _PAIR.unpack_from(body, 2)
        return Layout(Storage.CONTIGUOUS, address, size)
    if storage != Storage.CHUNKED:
        raise UnsupportedFormat(f"HDF5 data layout class {storage}")
    return _chunked_3(body) if version == 3 else _chunked_4(body)  # noqa: PLR2004


def _chunked_3(body: bytes) -> Layout:
    """Extents in 4 bytes each, the last of them the element size."""
    rank = body[2]
    address = little(body, 3, 8)
    extents = struct.unpack_from(f"<{rank}I", body, 11)
    return _chunked(address, extents, Index.TREE_1)


def _chunked_4(body: bytes) -> Layout:
    flags, rank, width = struct.unpack_from("<BBB", body, 2)
    extents = tuple(little(body, 5 + i * width, width) for i in range(rank))
    position = 5 + rank * width
    number = little(body, position, 1)
    position += 1
    if number == Index.SINGLE:
        size = 0
        if flags & _SINGLE_FILTERED:
            size = little(body, position, 8)
            position += 12  # the size and a filter mask
        return _chunked(little(body, position, 8), extents, Index.SINGLE, size=size)
    if number == Index.EXTENSIBLE_ARRAY:
        raise UnsupportedFormat("a chunked dataset indexed by an extensible array")
    if number not in _INDEX_PARAMETERS:
        raise UnsupportedFormat(f"chunk index type {number}")
    index = Index(number)
    address = little(body, position + _INDEX_PARAMETERS[index], 8)
    return _chunked(address, extents, index, wide=body[0] == _WIDE_VERSION)


def _chunked(
    address: int, extents: tuple[int, ...], index: Index, *, size: int = 0, wide: bool = False
) -> Layout:
    if len(extents) < 2 or len(extents) > _MAX_RANK + 1 or 0 in extents:  # noqa: PLR2004
        raise MalformedArtifact(f"chunks of extents {extents}")
    return Layout(Storage.CHUNKED, address, size, extents[:-1], extents[-1], index, wide)


# --- filters ---

#: The filters that a stock h5py can undo: deflate, shuffle, fletcher32 (the library's own,
#: always there) and lzf (h5py's own, 32000). Not szip and the two packing filters (nbit,
#: scaleoffset): they decode hostile bytes in rarely used C code and no Keras tool offers them.
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
_COMPRESSING = frozenset({1, 32000})
_RESERVED_FILTERS = 256  # ids below it have no stored name in version 2


def read_filters(body: bytes) -> bool:
    """Check the filter pipeline; whether it compresses.

    Raises:
        UnsupportedFormat: a filter that is not in `FILTERS`; it would be loaded as a plug-in.

    """
    version, count = body[0], body[1]
    require_version(version, (1, 2), "HDF5 filter pipeline")
    position = 8 if version == 1 else 2
    compresses = False
    for _ in range(count):
        number = little(body, position, 2)
        named = version == 1 or number >= _RESERVED_FILTERS
        name_length = little(body, position + 2, 2) if named else 0
        position += 4 if named else 2
        values = little(body, position + 2, 2)
        position += 4 + name_length + 4 * values
        if version == 1 and values % 2:
            position += 4
        if number not in FILTERS:
            raise UnsupportedFormat(
                f"HDF5 filter {number}: only {', '.join(FILTERS.values())} are read"
            )
        compresses = compresses or number in _COMPRESSING
    if position > len(body):
        raise MalformedArtifact("a filter pipeline ends inside a filter")
    return compresses


# --- links ---

_HARD, _SOFT, _EXTERNAL = 0, 1, 64
_ORDER_STORED, _TYPE_STORED, _CHARSET_STORED = 0x04, 0x08, 0x10


class Link(NamedTuple):
    """A hard link; `table` is the symbol table that the parent says its group has."""

    name: bytes
    address: int
    table: tuple[int, int] | None = None


def read_link(body: bytes) -> Link:
    """The hard link that a message encodes.

    Raises:
        UnsafeArtifact: any other link, named with its target.

    """
    version, flags = body[0], little(body, 1, 1)
    require_version(version, (1,), "HDF5 link message")
    position, kind = 2, _HARD
    if flags & _TYPE_STORED:
        kind = little(body, position, 1)
        position += 1
    position += (8 if flags & _ORDER_STORED else 0) + (1 if flags & _CHARSET_STORED else 0)
    width = 1 << (flags & 0x03)
    length = little(body, position, width)
    position += width
    name = take(body, position, length)
    position += length
    if kind != _HARD:
        refuse_link(name, kind, body[position + 2 :])
    return Link(name, little(body, position, 8))


def refuse_link(name: bytes, kind: int, target: bytes) -> NoReturn:
    """Raise for a link that is not hard."""
    what = {_SOFT: "a soft", _EXTERNAL: "an external"}.get(kind, f"a user-defined ({kind})")
    raise UnsafeArtifact(
        f"{show(name)} is {what} link to {show(target.strip(bytes(1)))}: "
        "only hard links are followed",
        help="Save the weights again: Keras writes no such links.",
    )


_SHOWN = 80


def show(text: bytes) -> str:
    """Hostile bytes, short and printable, for a message."""
    return ascii(text[:_SHOWN].decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Dense:
    """Where an object keeps links or attributes that left its header."""

    heap: int
    by_name: int
    by_order: int = UNDEFINED


_ORDER_TRACKED, _ORDER_INDEXED = 0x01, 0x02


def read_dense(body: bytes, index_width: int) -> Dense | None:
    """A link info (8) or attribute info (2) message; None where nothing left the header."""
    version, flags = body[0], little(body, 1, 1)
    require_version(version, (0,), "HDF5 link or attribute info")
    position = 2 + (index_width if flags & _ORDER_TRACKED else 0)
    heap, by_name = _PAIR.unpack_from(body, position)
    by_order = UNDEFINED
    if flags & _ORDER_INDEXED:
        by_order = _ADDRESS.unpack_from(body, position + _PAIR.size)[0]
    return None if heap == UNDEFINED else Dense(heap, by_name, by_order)
