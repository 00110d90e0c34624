"""The fractal heap, where new-style groups and objects keep many links and attributes.

It promises that an object is taken from inside one block, from a block that is where the
heap's own arithmetic puts it and whose checksum is right. Filtered heaps are refused: nobody
writes them. Format: section III.G.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from secure_serial.artifact.hdf5.btree import RecordType, records_v2
from secure_serial.artifact.hdf5.reader import (
    CHECKSUM,
    UNDEFINED,
    little,
    require_signature,
    require_version,
    take,
)
from secure_serial.errors import MalformedArtifact, UnsupportedFormat

if TYPE_CHECKING:
    from secure_serial.artifact.hdf5.reader import Reader

# signature, version, id length, filter length, flags, largest managed object, next huge id,
# huge tree, free space, its manager, managed space, allocated, iterator, managed objects, huge
# bytes, huge objects, tiny bytes, tiny objects, table width, first block, largest direct block,
# log2 of the heap's size, first rows, root block, rows of the root
_HEADER = struct.Struct("<4sBHHBIQQQQQQQQQQQQHQQHHQH")
_ADDRESS = struct.Struct("<Q")
_HUGE = struct.Struct("<QQQ")  # address, length, id

_CHECKED_BLOCKS = 0x02
_MANAGED, _HUGE_KIND, _TINY = 0, 1, 2
_SHORT_TINY = 18  # ids up to this long hold tiny objects with a 4-bit length
_DIRECT_HUGE = 17  # ids at least this long hold the address and length of a huge object
_MAX_LOG_SIZE = 64


class FractalHeap:
    """One heap; `get` returns the object that an id stands for."""

    def __init__(self, reader: Reader, address: int) -> None:
        head = reader.read_checked(address, _HEADER.size + CHECKSUM, b"FRHP")
        reader.claim(address)
        fields = _HEADER.unpack(head)
        require_version(fields[1], (0,), "HDF5 fractal heap")
        self._id_length, filters, flags, largest = fields[2:6]
        if filters:
            raise UnsupportedFormat("a filtered HDF5 fractal heap")
        self._reader = reader
        self._address = address
        self._checked = bool(flags & _CHECKED_BLOCKS)
        self._huge_tree = fields[7]
        self._width, self._first, self._largest_block, log_size = fields[18:22]
        self._root, self._root_rows = fields[23:25]
        if not (
            _power_of_two(self._width)
            and _power_of_two(self._first)
            and _power_of_two(self._largest_block)
            and self._first <= self._largest_block
            and 0 < log_size <= _MAX_LOG_SIZE
        ):
            raise MalformedArtifact("a fractal heap with impossible block sizes")
        self._offset_width = (log_size + 7) // 8
        block_bits = self._largest_block.bit_length() - 1
        self._length_width = min((block_bits + 7) // 8, (largest.bit_length() + 7) // 8)
        self._direct_rows = (self._largest_block // self._first).bit_length() + 1
        self._direct: dict[tuple[int, int], bytes] = {}
        self._indirect: dict[tuple[int, int], bytes] = {}
        self._huge: dict[int, tuple[int, int]] | None = None

    def get(self, heap_id: bytes) -> bytes:
        """The bytes of the object `heap_id`.

        Raises:
            MalformedArtifact: there is no such object.
            UnsupportedFormat: an id of a kind that is not read.

        """
        kind = heap_id[0] >> 4
        if kind == _MANAGED:
            offset = little(heap_id, 1, self._offset_width)
            length = little(heap_id, 1 + self._offset_width, self._length_width)
            return self._managed(offset, length)
        if kind == _HUGE_KIND and self._id_length < _DIRECT_HUGE:
            return self._huge_object(little(heap_id, 1, min(self._id_length - 1, 8)))
        if kind == _TINY and self._id_length <= _SHORT_TINY:
            return take(heap_id, 1, (heap_id[0] & 0x0F) + 1)
        raise UnsupportedFormat(f"a fractal heap id of kind {kind}")

    def _huge_object(self, key: int) -> bytes:
        if self._huge is None:
            self._huge = {}
            if self._huge_tree != UNDEFINED:
                tree = records_v2(self._reader, self._huge_tree, RecordType.HUGE_OBJECT, _HUGE.size)
                for record in tree:
                    address, length, found = _HUGE.unpack(record)
                    self._huge[found] = (address, length)
        if key not in self._huge:
            raise MalformedArtifact("a fractal heap has no such huge object")
        return self._reader.read(*self._huge[key])

    def _managed(self, offset: int, length: int) -> bytes:
        """Descend from the root block to the direct block that holds `offset`."""
        address, base, rows, size = self._root, 0, self._root_rows, self._first
        while rows:
            entries = self._indirect_block(address, base, rows)
            row, column, start, size = self._locate(offset - base, rows)
            address = _ADDRESS.unpack_from(entries, (row * self._width + column) * 8)[0]
            base += start
            rows = 0
            if row >= self._direct_rows:
                rows = (size // (self._first * self._width)).bit_length()
                if not rows:
                    raise MalformedArtifact("a fractal heap with impossible block sizes")
        block = self._direct_block(address, base, size)
        return take(block, offset - base, length)

    def _locate(self, offset: int, rows: int) -> tuple[int, int, int, int]:
        """(row, column, start, size) of the block that holds `offset` in a doubling table."""
        start, size = 0, self._first
        for row in range(rows):
            if row > 1:
                size *= 2
            column = (offset - start) // size
            if 0 <= column < self._width:
                return row, column, start + column * size, size
            start += size * self._width
        raise MalformedArtifact("an object stands outside its fractal heap")

    def _indirect_block(self, address: int, base: int, rows: int) -> bytes:
        if (address, base) not in self._indirect:
            self._reader.claim(address)
            head = 13 + self._offset_width
            # The table's width is a power of two below 2**16 and rows a 16-bit number.
            size = head + 8 * rows * self._width + CHECKSUM
            data = self._reader.read_checked(address, size, b"FHIB")
            self._check_head(data, base)
            self._indirect[address, base] = data[head:]
        return self._indirect[address, base]

    def _direct_block(self, address: int, base: int, size: int) -> bytes:
        if (address, base) not in self._direct:
            self._reader.claim(address)
            data = self._reader.read(address, size)
            require_signature(data, b"FHDB")
            self._check_head(data, base)
            if self._checked:
                self._check_direct(data)
            self._direct[address, base] = data
        return self._direct[address, base]

    def _check_direct(self, data: bytes) -> None:
        """The checksum stands in the block's head and covers the block with it zeroed."""
        place = 13 + self._offset_width
        stored = little(data, place, CHECKSUM)
        blank = data[:place] + bytes(CHECKSUM) + data[place + CHECKSUM :]
        if self._reader.checksum(blank) != stored:
            raise MalformedArtifact("the checksum of a fractal heap block is wrong")

    def _check_head(self, data: bytes, base: int) -> None:
        """A block names its version, its heap and its place in the heap."""
        place = little(data, 13, self._offset_width)
        if data[4] != 0 or little(data, 5, 8) != self._address or place != base:
            raise MalformedArtifact("a fractal heap block belongs to another place")


def _power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0
