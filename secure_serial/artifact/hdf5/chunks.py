"""Where the chunks of a chunked dataset are: (address, stored bytes) of each, no data read.

It promises all chunks that the library could reach through the dataset's index. Extensible
arrays are refused where the layout is read: weights do not grow. Format: sections III.A.1,
III.A.2 and VII (chunk indexing) of the specification.
"""

from __future__ import annotations

import struct
from math import prod
from typing import TYPE_CHECKING

from secure_serial.artifact.hdf5.btree import CHUNK_TREE, RecordType, leaves_v1, records_v2
from secure_serial.artifact.hdf5.messages import Index, Layout
from secure_serial.artifact.hdf5.reader import CHECKSUM, UNDEFINED, little, require_version
from secure_serial.errors import LimitExceeded, MalformedArtifact, UnsupportedFormat

if TYPE_CHECKING:
    from secure_serial.artifact.hdf5.reader import Reader

Extent = tuple[int, int]

_ARRAY = struct.Struct("<4sBBBBQQ")  # signature, version, client, entry, page bits, all, block
_BLOCK_HEAD = 14  # signature, version, client, address of the header
_ADDRESS_SIZE = 8
_MASK_SIZE = 4


def chunk_bytes(layout: Layout) -> int:
    """The size of one chunk in memory."""
    return prod(layout.chunk) * layout.element


def chunk_extents(
    reader: Reader, layout: Layout, shape: tuple[int, ...], *, filtered: bool
) -> list[Extent]:
    """Every stored chunk of the dataset.

    Raises:
        MalformedArtifact: a broken index, or more chunks than the shape has room for.

    """
    if layout.address == UNDEFINED:
        return []
    room = prod(-(-extent // size) for extent, size in zip(shape, layout.chunk, strict=True))
    size = chunk_bytes(layout)
    if layout.index is Index.TREE_1:
        found = _tree_1(reader, layout)
    elif layout.index is Index.SINGLE:
        found = [(layout.address, layout.size if filtered else size)]
    elif layout.index is Index.IMPLICIT:
        found = [(layout.address, size * room)]  # one run of all chunks
    elif layout.index is Index.FIXED_ARRAY:
        found = _fixed_array(reader, layout, room, filtered=filtered)
    else:
        found = _tree_2(reader, layout, filtered=filtered)
    if len(found) > room:
        raise MalformedArtifact(f"{len(found)} chunks are stored, of {room} there can be")
    whole = size * room if layout.index is Index.IMPLICIT else size
    if not filtered and any(stored != whole for _, stored in found):
        raise MalformedArtifact("an unfiltered chunk is not of its declared size")
    return found


def _tree_1(reader: Reader, layout: Layout) -> list[Extent]:
    # key: stored size, filter mask, and an offset for each dimension and the element
    key_size = 8 + 8 * (len(layout.chunk) + 1)
    entries = leaves_v1(reader, layout.address, CHUNK_TREE, key_size)
    return [(address, little(key, 0, 4)) for key, address in entries]


def _tree_2(reader: Reader, layout: Layout, *, filtered: bool) -> list[Extent]:
    rank = len(layout.chunk)
    if not filtered:
        records = records_v2(reader, layout.address, RecordType.CHUNK, 8 + 8 * rank)
        return [(little(r, 0, _ADDRESS_SIZE), chunk_bytes(layout)) for r in records]
    width = _size_width(layout)
    size = _ADDRESS_SIZE + width + _MASK_SIZE + 8 * rank
    records = records_v2(reader, layout.address, RecordType.FILTERED_CHUNK, size)
    return [(little(r, 0, _ADDRESS_SIZE), little(r, _ADDRESS_SIZE, width)) for r in records]


def _size_width(layout: Layout) -> int:
    """Bytes of a filtered chunk's size: one more than the unfiltered size needs, 8 at most."""
    if layout.wide:
        return _ADDRESS_SIZE
    return min(_ADDRESS_SIZE, 1 + (chunk_bytes(layout).bit_length() + 7) // 8)


def _fixed_array(reader: Reader, layout: Layout, room: int, *, filtered: bool) -> list[Extent]:
    head = reader.read_checked(layout.address, _ARRAY.size + CHECKSUM, b"FAHD")
    reader.claim(layout.address)
    _, version, client, entry, page_bits, count, block = _ARRAY.unpack(head)
    require_version(version, (0,), "HDF5 fixed array")
    least = _ADDRESS_SIZE + (_MASK_SIZE if filtered else 0)
    if client != filtered or entry < least or (not filtered and entry != least) or count != room:
        raise MalformedArtifact("a chunk array does not fit its dataset")
    if block == UNDEFINED:
        return []
    if count > reader.limits.hdf5_objects:
        raise LimitExceeded(f"a dataset of {count} chunks")
    if count > 1 << min(page_bits, 64):
        raise UnsupportedFormat(f"a chunk array of {count} entries, stored in pages")
    reader.claim(block)
    data = reader.read_checked(block, _BLOCK_HEAD + count * entry + CHECKSUM, b"FADB")
    if data[4] != 0 or data[5] != client or little(data, 6, 8) != layout.address:
        raise MalformedArtifact("a chunk array's block belongs to another array")
    found = []
    for position in range(_BLOCK_HEAD, _BLOCK_HEAD + count * entry, entry):
        address = little(data, position, _ADDRESS_SIZE)
        if address != UNDEFINED:
            width = entry - least
            size = little(data, position + 8, width) if filtered else chunk_bytes(layout)
            found.append((address, size))
    reader.keep(len(found))
    return found
