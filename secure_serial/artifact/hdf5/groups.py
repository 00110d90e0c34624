"""Groups: the hard links of an old-style or new-style group, each exactly once.

It promises that links kept in several indexes agree in all of them: the library may use any.
Format: sections III.B, III.C, IV.A.2.c, IV.A.2.g and IV.A.2.r.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from secure_serial.artifact.hdf5.btree import GROUP_TREE, RecordType, leaves_v1, records_v2
from secure_serial.artifact.hdf5.fractal import FractalHeap
from secure_serial.artifact.hdf5.headers import Messages, MessageType
from secure_serial.artifact.hdf5.heap import LocalHeap
from secure_serial.artifact.hdf5.messages import (
    Dense,
    Link,
    read_dense,
    read_link,
    refuse_link,
    show,
)
from secure_serial.artifact.hdf5.reader import UNDEFINED, require_signature, require_version
from secure_serial.artifact.hdf5.superblock import CACHED_SOFT_LINK, SYMBOL, cached_table
from secure_serial.errors import MalformedArtifact

if TYPE_CHECKING:
    from secure_serial.artifact.hdf5.reader import Reader

_PAIR = struct.Struct("<QQ")
_NODE = struct.Struct("<4sBxH")  # signature, version, symbols
_NODE_VERSION = 1
_SOFT = 1
_KEY_SIZE = 8  # a group tree's key: the offset of a name in the local heap

_ID_LENGTH = 7
_BY_NAME_SIZE = 4 + _ID_LENGTH  # behind a hash of the name
_BY_ORDER_SIZE = 8 + _ID_LENGTH  # behind the creation order
_ORDER_WIDTH = 8

GROUP_KINDS = frozenset({MessageType.SYMBOL_TABLE, MessageType.LINK_INFO, MessageType.LINK})


def read_links(reader: Reader, messages: Messages, expected: tuple[int, int] | None) -> list[Link]:
    """The links of the group that has these messages.

    `expected` is the symbol table that the group's parent has a copy of, if it has one.
    """
    tables = messages.get(MessageType.SYMBOL_TABLE, [])
    infos = messages.get(MessageType.LINK_INFO, [])
    compact = messages.get(MessageType.LINK, [])
    if len(tables) + len(infos) != 1 or (tables and compact):
        raise MalformedArtifact("a group with more than one list of links, or none")
    if tables:
        table = _PAIR.unpack_from(tables[0])
        if expected is not None and expected != table:
            raise MalformedArtifact("a group's parent has another symbol table for it")
        return _old_links(reader, *table)
    # The library turns an old-style group into a new-style one and leaves the parent's copy as
    # it was; it does not use it then.
    dense = read_dense(infos[0], _ORDER_WIDTH)
    if dense is None:
        return [read_link(body) for body in compact]
    if compact:
        raise MalformedArtifact("a group keeps links both in and out of its header")
    return _dense_links(reader, dense)


def _old_links(reader: Reader, tree: int, heap_address: int) -> list[Link]:
    heap = LocalHeap(reader, heap_address)
    links: list[Link] = []
    last = b""
    for _, address in leaves_v1(reader, tree, GROUP_TREE, _KEY_SIZE):
        reader.claim(address)
        head = reader.read(address, _NODE.size)
        require_signature(head, b"SNOD")
        _, version, count = _NODE.unpack(head)
        require_version(version, (_NODE_VERSION,), "HDF5 symbol table node")
        entries = reader.read(address + _NODE.size, count * SYMBOL.size)
        reader.keep(count)
        for name_at, header, cached, _, scratch in SYMBOL.iter_unpack(entries):
            name = heap.text(name_at)
            if cached == CACHED_SOFT_LINK:
                refuse_link(name, _SOFT, heap.text(int.from_bytes(scratch[:4], "little")))
            if name <= last:  # the library looks names up by bisection
                raise MalformedArtifact(f"the name {show(name)} is not in its place, or twice")
            last = name
            links.append(Link(name, header, cached_table(cached, scratch)))
    return links


def _dense_links(reader: Reader, dense: Dense) -> list[Link]:
    records = records_v2(reader, dense.by_name, RecordType.LINK_BY_NAME, _BY_NAME_SIZE)
    ids = [record[-_ID_LENGTH:] for record in records]
    if dense.by_order != UNDEFINED:
        ordered = records_v2(reader, dense.by_order, RecordType.LINK_BY_ORDER, _BY_ORDER_SIZE)
        if sorted(record[-_ID_LENGTH:] for record in ordered) != sorted(ids):
            raise MalformedArtifact("the two indexes of a group's links differ")
    heap = FractalHeap(reader, dense.heap)
    return [read_link(heap.get(heap_id)) for heap_id in ids]
