"""The two simple heaps: a group's local heap of names, and the global heap of text.

It promises that a name or text is taken whole, from inside its heap and from an object that is
exactly as long as its user says. Format: sections III.D and III.E.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from secure_serial.artifact.hdf5.reader import require_signature, require_version
from secure_serial.errors import MalformedArtifact

if TYPE_CHECKING:
    from secure_serial.artifact.hdf5.reader import Reader

_LOCAL = struct.Struct("<4sB3xQQQ")  # signature, version, size, free list, address
_COLLECTION = struct.Struct("<4sB3xQ")  # signature, version, size with this header
_OBJECT = struct.Struct("<HH4xQ")  # index, references, size

#: A reference to text in the global heap: length, collection, index.
HEAP_ID = struct.Struct("<IQI")


class LocalHeap:
    """The names of one old-style group."""

    __slots__ = ("_data",)

    def __init__(self, reader: Reader, address: int) -> None:
        reader.claim(address)
        head = reader.read(address, _LOCAL.size)
        require_signature(head, b"HEAP")
        _, version, size, _, place = _LOCAL.unpack(head)
        require_version(version, (0,), "HDF5 local heap")
        self._data = reader.read(place, size)

    def text(self, offset: int) -> bytes:
        """The NUL-terminated text at `offset`."""
        end = self._data.find(b"\0", offset)
        if end < 0:
            raise MalformedArtifact("a name does not end inside its heap")
        return self._data[offset:end]


class GlobalHeap:
    """All global heap collections of a file: where each object is, found once."""

    __slots__ = ("_collections", "_reader")

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._collections: dict[int, dict[int, tuple[int, int]]] = {}

    def locate(self, length: int, collection: int, index: int) -> int:
        """Where the text of `length` bytes stands that the three fields refer to.

        Raises:
            MalformedArtifact: there is no such object, or it has another length.

        """
        objects = self._collections.get(collection)
        if objects is None:
            objects = self._collections[collection] = self._index(collection)
        address, size = objects.get(index, (0, -1))
        if size != length:
            raise MalformedArtifact(
                f"text of {length} bytes refers to object {index} of a global heap, which "
                + ("does not exist" if size < 0 else f"has {size}")
            )
        return address

    def _index(self, address: int) -> dict[int, tuple[int, int]]:
        """Object index -> (address, size), read from the object headers alone."""
        reader = self._reader
        head = reader.read(address, _COLLECTION.size)
        require_signature(head, b"GCOL")
        _, version, size = _COLLECTION.unpack(head)
        require_version(version, (1,), "HDF5 global heap")
        if address + size > reader.size:
            raise MalformedArtifact("a global heap reaches beyond the file")
        objects: dict[int, tuple[int, int]] = {}
        position, end = address + _COLLECTION.size, address + size
        while position + _OBJECT.size <= end:
            reader.keep()
            index, _, length = _OBJECT.unpack(reader.read(position, _OBJECT.size))
            if index == 0:
                # The free space is the last object, and its size counts its own header. With
                # less than that, library 2.0 goes round in circles: seen with a size of 0.
                if position + length != end:
                    raise MalformedArtifact("the free space of a global heap is not all of it")
                break
            position += _OBJECT.size
            if position + length > end or index in objects:
                raise MalformedArtifact("an object of a global heap is too long, or there twice")
            objects[index] = (position, length)
            position += -(-length // 8) * 8
        return objects
