"""Attributes: every one is checked, the ones asked for are returned as text.

It promises that each attribute of each object holds numbers or text, all of it inside the
file, and that the returned bytes are what h5py would return. Format: sections IV.A.2.m and
IV.A.2.v.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from secure_serial.artifact.hdf5.btree import RecordType, records_v2
from secure_serial.artifact.hdf5.datatypes import (
    PADDING_SPACE,
    PADDING_TERMINATED,
    Datatype,
    Kind,
    read_datatype,
)
from secure_serial.artifact.hdf5.fractal import FractalHeap
from secure_serial.artifact.hdf5.headers import Messages, MessageType
from secure_serial.artifact.hdf5.heap import HEAP_ID
from secure_serial.artifact.hdf5.messages import read_dense, read_shape, show
from secure_serial.artifact.hdf5.names import safe_name
from secure_serial.artifact.hdf5.reader import UNDEFINED, require_version, take
from secure_serial.errors import LimitExceeded, MalformedArtifact, UnsupportedFormat

if TYPE_CHECKING:
    from secure_serial.artifact.hdf5.heap import GlobalHeap
    from secure_serial.artifact.hdf5.reader import Reader

_HEAD = struct.Struct("<BBHHH")  # version, flags, sizes of name, datatype, dataspace
_SHARED_PARTS = 0x03
_PADDED_VERSION = 1
_CHARSET_VERSION = 3

# Records of the trees of dense attributes: the heap id comes first, then the message's flags.
_ID_LENGTH = 8
_BY_NAME_SIZE = 17
_BY_ORDER_SIZE = 13
_ORDER_WIDTH = 2  # bytes of the largest creation index in an attribute info message


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; `data` is what its message stores, heap references unresolved."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...] | None
    data: bytes


def read_attributes(reader: Reader, texts: GlobalHeap, messages: Messages) -> dict[str, Attribute]:
    """All attributes of one object, those outside its header included."""
    bodies = list(messages.get(MessageType.ATTRIBUTE, ()))
    for info in messages.get(MessageType.ATTRIBUTE_INFO, ()):
        dense = _dense_bodies(reader, info)
        if dense and bodies:
            raise MalformedArtifact("an object keeps attributes both in and out of its header")
        bodies.extend(dense)
    found: dict[str, Attribute] = {}
    reader.count_objects(len(bodies))
    for body in bodies:
        attribute = _read_attribute(body)
        if attribute.name in found:
            raise MalformedArtifact(f"attribute {attribute.name!r} is there twice")
        _check_texts(texts, attribute)
        found[attribute.name] = attribute
    return found


def _dense_bodies(reader: Reader, body: bytes) -> list[bytes]:
    dense = read_dense(body, _ORDER_WIDTH)
    if dense is None:
        return []
    records = records_v2(reader, dense.by_name, RecordType.ATTRIBUTE_BY_NAME, _BY_NAME_SIZE)
    ids = _heap_ids(records)
    if dense.by_order != UNDEFINED:
        kind = RecordType.ATTRIBUTE_BY_ORDER
        ordered = _heap_ids(records_v2(reader, dense.by_order, kind, _BY_ORDER_SIZE))
        if sorted(ordered) != sorted(ids):
            raise MalformedArtifact("the two indexes of an object's attributes differ")
    heap = FractalHeap(reader, dense.heap)
    return [heap.get(heap_id) for heap_id in ids]


def _heap_ids(records: list[bytes]) -> list[bytes]:
    if any(record[_ID_LENGTH] for record in records):
        raise UnsupportedFormat("an attribute that is shared with other objects")
    return [record[:_ID_LENGTH] for record in records]


def _read_attribute(body: bytes) -> Attribute:
    version, flags, *sizes = _HEAD.unpack_from(body)
    require_version(version, (1, 2, 3), "HDF5 attribute message")
    if version > _PADDED_VERSION and flags & _SHARED_PARTS:
        raise UnsupportedFormat("an attribute of a committed datatype")
    position = _HEAD.size + (1 if version >= _CHARSET_VERSION else 0)
    parts = []
    for size in sizes:
        parts.append(take(body, position, size))
        position += -(-size // 8) * 8 if version == _PADDED_VERSION else size
    raw_name, raw_type, raw_space = parts
    if raw_name[-1:] != b"\0":
        raise MalformedArtifact(f"the attribute name {show(raw_name)} does not end")
    name = safe_name(raw_name.split(b"\0", 1)[0], separators=True)
    datatype = read_datatype(raw_type)
    shape = read_shape(raw_space)
    stored = len(body) - position
    needed = 0 if shape is None else prod(shape) * datatype.size
    if needed > stored:
        raise MalformedArtifact(
            f"attribute {name!r} declares {needed} bytes and {stored} are stored"
        )
    return Attribute(name, datatype, shape, take(body, position, needed))


def _check_texts(texts: GlobalHeap, attribute: Attribute) -> None:
    """Every text in the global heap must exist: the library follows these references."""
    if attribute.datatype.kind is Kind.HEAP_TEXT:
        for length, address, index in HEAP_ID.iter_unpack(attribute.data):
            if length:
                texts.locate(length, address, index)


def attribute_text(reader: Reader, texts: GlobalHeap, attribute: Attribute) -> bytes:
    """The one text that the attribute holds, as h5py returns it.

    Raises:
        UnsupportedFormat: it holds no text, or not one.
        LimitExceeded: the text is longer than `Limits.config_bytes`.
        MalformedArtifact: a NUL stands inside, where readers differ on where the text ends.

    """
    datatype = attribute.datatype
    is_text = datatype.kind in (Kind.TEXT, Kind.HEAP_TEXT)
    if attribute.shape is None or prod(attribute.shape) != 1 or not is_text:
        raise UnsupportedFormat(f"attribute {attribute.name!r} is not one text")
    fixed = datatype.kind is Kind.TEXT
    text = attribute.data if fixed else _heap_text(reader, texts, attribute)
    if len(text) > reader.limits.config_bytes:
        raise LimitExceeded(f"attribute {attribute.name!r} is longer than config_bytes")
    if fixed and datatype.padding == PADDING_SPACE:
        text = text.rstrip(b" ")
    elif fixed and datatype.padding == PADDING_TERMINATED:
        text = text.split(b"\0", 1)[0]
    text = text.rstrip(b"\0")
    if b"\0" in text:
        raise MalformedArtifact(f"attribute {attribute.name!r} has a NUL inside its text")
    return text


def _heap_text(reader: Reader, texts: GlobalHeap, attribute: Attribute) -> bytes:
    length, address, index = HEAP_ID.unpack(attribute.data)
    if length == 0:
        return b""
    if length > reader.limits.config_bytes:
        raise LimitExceeded(
            f"attribute {attribute.name!r} has {length} bytes, more than config_bytes allows"
        )
    return reader.read(texts.locate(length, address, index), length)
