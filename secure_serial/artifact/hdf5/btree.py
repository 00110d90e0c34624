"""B-trees, versions 1 and 2: their leaves in order, level by level, without recursion.

It promises that each node is read once and stands on the level its parent says, and that the
neighbours that nodes name are the ones they have: the library may walk either way. Format:
sections III.A.1 and III.A.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from secure_serial.artifact.hdf5.reader import (
    CHECKSUM,
    UNDEFINED,
    little,
    require_signature,
    require_version,
)
from secure_serial.errors import MalformedArtifact

if TYPE_CHECKING:
    from secure_serial.artifact.hdf5.reader import Reader

_NODE_1 = struct.Struct("<4sBBHQQ")  # signature, type, level, entries, left, right
_ADDRESS = struct.Struct("<Q")

GROUP_TREE = 0
CHUNK_TREE = 1


def leaves_v1(reader: Reader, root: int, kind: int, key_size: int) -> list[tuple[bytes, int]]:
    """(key, child address) of every leaf entry, in order.

    Raises:
        MalformedArtifact: a node twice, on the wrong level, or with wrong neighbours.

    """
    level: int | None = None
    addresses = [root]
    while True:
        entries: list[tuple[bytes, int]] = []
        for index, address in enumerate(addresses):
            left = addresses[index - 1] if index else UNDEFINED
            right = addresses[index + 1] if index + 1 < len(addresses) else UNDEFINED
            found = _node_v1(reader, address, (kind, left, right), key_size, entries)
            if level is not None and found != level:
                raise MalformedArtifact("a B-tree node stands on the wrong level")
            level = found
        if not level:
            return entries
        level -= 1
        addresses = [child for _, child in entries]


def _node_v1(
    reader: Reader,
    address: int,
    expected: tuple[int, int, int],
    key_size: int,
    entries: list[tuple[bytes, int]],
) -> int:
    """Append the node's entries; return its level."""
    reader.claim(address)
    head = reader.read(address, _NODE_1.size)
    require_signature(head, b"TREE")
    _, kind, level, count, left, right = _NODE_1.unpack(head)
    if (kind, left, right) != expected:
        raise MalformedArtifact("a B-tree node is of the wrong type or has wrong neighbours")
    reader.keep(count)
    width = key_size + _ADDRESS.size
    body = reader.read(address + _NODE_1.size, count * width)
    for position in range(0, count * width, width):
        key = body[position : position + key_size]
        entries.append((key, _ADDRESS.unpack_from(body, position + key_size)[0]))
    return int(level)


class RecordType(IntEnum):
    """What the records of a version 2 tree are; the numbers of section III.A.2."""

    HUGE_OBJECT = 1
    LINK_BY_NAME = 5
    LINK_BY_ORDER = 6
    ATTRIBUTE_BY_NAME = 8
    ATTRIBUTE_BY_ORDER = 9
    CHUNK = 10
    FILTERED_CHUNK = 11


# signature, version, type, node size, record size, depth, split, merge, root, its records, all
_HEADER_2 = struct.Struct("<4sBBIHHBBQHQ")
_NODE_FRAME = 10  # signature, version, type and checksum
_NODE_HEAD = 6  # the frame without the checksum
# A tree as deep as this holds more records than any file: every level multiplies by two or more.
_MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class _Shape:
    """What all nodes of one version 2 tree share."""

    kind: int
    node_size: int
    record_size: int
    count_width: int  # bytes of the number of records in a child
    total_widths: tuple[int, ...]  # bytes of the number of records below, by the child's level


def records_v2(reader: Reader, address: int, kind: RecordType, record_size: int) -> list[bytes]:
    """Every record of the tree, those of inner nodes included, in no promised order."""
    head = reader.read_checked(address, _HEADER_2.size + CHECKSUM, b"BTHD")
    reader.claim(address)
    _, version, found, node_size, size, depth, _, _, root, count, total = _HEADER_2.unpack(head)
    require_version(version, (0,), "HDF5 B-tree")
    if (found, size) != (kind, record_size):
        raise MalformedArtifact(f"a B-tree of type {found} where one of type {kind} should be")
    records: list[bytes] = []
    if total:
        shape = _shape(kind, node_size, record_size, depth)
        nodes = [(root, count)]
        for level in range(depth, -1, -1):
            below: list[tuple[int, int]] = []
            for place, held in nodes:
                below.extend(_node_v2(reader, (place, held, level), shape, records))
            nodes = below
    if len(records) != total:
        raise MalformedArtifact(f"a B-tree has {len(records)} records and declares {total}")
    return records


def _shape(kind: int, node_size: int, record_size: int, depth: int) -> _Shape:
    """The widths that follow from how many records a node of each level can hold."""
    most = [(node_size - _NODE_FRAME) // record_size]
    if most[0] < 1 or depth > _MAX_DEPTH:
        raise MalformedArtifact("a B-tree whose nodes hold no record, or which is too deep")
    count_width = _width(most[0])
    cumulative, widths = most[0], [0]
    for _ in range(depth):
        pointer = _ADDRESS.size + count_width + widths[-1]
        here = (node_size - _NODE_FRAME - pointer) // (record_size + pointer)
        if here < 1:
            raise MalformedArtifact("a B-tree whose inner nodes hold no record")
        cumulative = (here + 1) * cumulative + here
        widths.append(_width(cumulative))
    return _Shape(kind, node_size, record_size, count_width, tuple(widths))


def _width(number: int) -> int:
    return (number.bit_length() + 7) // 8


def _node_v2(
    reader: Reader, node: tuple[int, int, int], shape: _Shape, records: list[bytes]
) -> list[tuple[int, int]]:
    """Append the records of the node (address, records, level); return (child, its records)."""
    address, count, level = node
    reader.claim(address)
    reader.keep(count)
    total_width = shape.total_widths[level - 1] if level else 0
    pointer = _ADDRESS.size + shape.count_width + total_width
    size = _NODE_HEAD + count * shape.record_size + (pointer * (count + 1) if level else 0)
    if size + CHECKSUM > shape.node_size:
        raise MalformedArtifact("a B-tree node has more records than room")
    data = reader.read_checked(address, size + CHECKSUM, b"BTIN" if level else b"BTLF")
    if (data[4], data[5]) != (0, shape.kind):
        raise MalformedArtifact("a B-tree node is of the wrong version or type")
    position = _NODE_HEAD
    for _ in range(count):
        records.append(data[position : position + shape.record_size])
        position += shape.record_size
    children = []
    for _ in range(count + 1 if level else 0):
        child = _ADDRESS.unpack_from(data, position)[0]
        held = little(data, position + _ADDRESS.size, shape.count_width)
        children.append((child, held))
        position += pointer
    return children
