"""Datatypes: numbers, text, booleans and the raw small floats that Keras stores; no others.

It promises that data of an accepted type holds no address: no reference, no sequence in a heap
(but text in attributes), and no type tag that makes h5py rebuild a Python object. Format:
section IV.A.2.d.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from secure_serial.artifact.hdf5.messages import REMEMBERED
from secure_serial.artifact.hdf5.reader import little, require_version, take
from secure_serial.errors import MalformedArtifact, UnsafeArtifact, UnsupportedFormat


class Kind(Enum):
    """What the elements are."""

    INTEGER = auto()
    FLOAT = auto()
    COMPLEX = auto()
    BOOL = auto()
    TEXT = auto()  # of fixed length
    HEAP_TEXT = auto()  # of variable length, in the global heap
    RAW = auto()  # bfloat16 and float8: h5py has no type for them


@dataclass(frozen=True, slots=True)
class Datatype:
    """An accepted type. `padding` is text's: one of the `PADDING_` numbers."""

    kind: Kind
    size: int
    padding: int = 0


PADDING_TERMINATED = 0
PADDING_NULL = 1
PADDING_SPACE = 2

_HEAD = struct.Struct("<B3sI")  # class and version, bit field, size
_RANGE = struct.Struct("<HH")  # bit offset, precision
_FLOAT = struct.Struct("<HH4BI")

# Version 4 changes references only and version 5 adds native complex numbers; the accepted
# classes are encoded alike in all of them.
_VERSIONS = (1, 2, 3, 4, 5)
_PACKED = 3  # from this version on, names are not padded to 8 bytes
_FIELD_DIMENSIONS = 28  # bytes of a version 1 field between its offset and its type

_INTEGER_SIZES = frozenset({1, 2, 4, 8})
_COMPLEX_SIZES = frozenset({8, 16})
# IEEE 754 half, single and double: bit offset, precision, place and size of the exponent, place
# and size of the mantissa, bias. Of another layout h5py makes a wider type than is declared.
_IEEE = {
    2: (0, 16, 10, 5, 0, 10, 15),
    4: (0, 32, 23, 8, 0, 23, 127),
    8: (0, 64, 52, 11, 0, 52, 1023),
}
_BIG_ENDIAN = 0x01
_IMPLIED_BIT = 0x20  # the mantissa's highest bit is implied, all padding is zero
# ml_dtypes types that Keras saves as they are: bfloat16 (2), float8 and int4 (1).
_RAW_SIZES = frozenset({1, 2})

_CLASSES = (
    "integer",
    "float",
    "time",
    "string",
    "bit field",
    "opaque",
    "compound",
    "reference",
    "enumeration",
    "variable-length sequence",
    "array",
    "complex",
)
_INTEGER, _FLOATING, _TEXT, _OPAQUE, _COMPOUND, _ENUM, _VARIABLE = 0, 1, 3, 5, 6, 8, 9


@lru_cache(maxsize=REMEMBERED)
def read_datatype(body: bytes) -> Datatype:
    """The datatype that a message's body encodes.

    >>> read_datatype(bytes.fromhex("11200f0002000000000010000a05000a0f000000"))
    Datatype(kind=<Kind.FLOAT: 2>, size=2, padding=0)

    Raises:
        UnsafeArtifact: any type that is neither a number nor text.
        MalformedArtifact: the encoding is broken.

    """
    head, bits, size = _HEAD.unpack_from(body)
    require_version(head >> 4, _VERSIONS, "HDF5 datatype")
    number, version, rest = head & 0x0F, head >> 4, body[_HEAD.size :]
    if number == _INTEGER:
        return _integer(rest, size)
    if number == _FLOATING:
        return _float(rest, size, bits)
    if number == _TEXT:
        return _text(bits, size)
    if number == _ENUM:
        return _boolean(rest, size, bits, version)
    if number == _VARIABLE:
        return _heap_text(rest, size, bits)
    if number == _COMPOUND:
        return _complex(rest, size, bits, version)
    if number == _OPAQUE:
        return _raw(rest, size, bits)
    name = _CLASSES[number] if number < len(_CLASSES) else f"number {number}"
    raise UnsafeArtifact(f"HDF5 datatype class {name}: weights are numbers, attributes also text")


def _integer(rest: bytes, size: int) -> Datatype:
    if size not in _INTEGER_SIZES or _RANGE.unpack_from(rest) != (0, 8 * size):
        raise UnsupportedFormat("integers other than those of 8, 16, 32 and 64 bits")
    return Datatype(Kind.INTEGER, size)


def _float(rest: bytes, size: int, bits: bytes) -> Datatype:
    if (bits[0] & ~_BIG_ENDIAN, bits[1]) != (_IMPLIED_BIT, 8 * size - 1) or _FLOAT.unpack_from(
        rest
    ) != _IEEE.get(size):
        raise UnsupportedFormat("floating-point numbers other than half, single and double")
    return Datatype(Kind.FLOAT, size)


def _text(bits: bytes, size: int) -> Datatype:
    padding = bits[0] & 0x0F
    if size == 0 or padding > PADDING_SPACE or bits[0] >> 4 > 1:
        raise MalformedArtifact("a string type of no length, or of an unknown padding or charset")
    return Datatype(Kind.TEXT, size, padding)


def _heap_text(rest: bytes, size: int, bits: bytes) -> Datatype:
    if bits[0] & 0x0F != 1:
        raise UnsafeArtifact("HDF5 datatype class variable-length sequence: only text may be one")
    base, _, base_size = _HEAD.unpack_from(rest)
    # length (4), heap address (8), index in the heap (4)
    if size != 16 or base & 0x0F not in (_INTEGER, _TEXT) or base_size != 1:  # noqa: PLR2004
        raise MalformedArtifact("variable-length text that is not made of single bytes")
    return Datatype(Kind.HEAP_TEXT, size)


def _boolean(rest: bytes, size: int, bits: bytes, version: int) -> Datatype:
    """h5py's bool and no other: an enumeration FALSE = 0, TRUE = 1 of one byte."""
    base = read_base(rest)
    names = _name(b"FALSE", version) + _name(b"TRUE", version)
    start = _HEAD.size + _RANGE.size
    expected = names + b"\0\1"
    if (
        base.kind is not Kind.INTEGER
        or (size, base.size) != (1, 1)
        or int.from_bytes(bits[:2], "little") != 2  # noqa: PLR2004 (members)
        or not rest[start:].startswith(expected)
    ):
        raise UnsafeArtifact("an HDF5 enumeration that is not h5py's bool")
    return Datatype(Kind.BOOL, 1)


def _complex(rest: bytes, size: int, bits: bytes, version: int) -> Datatype:
    """h5py's complex and no other: a compound of two equal floats, `r` and `i`."""
    refusal = UnsafeArtifact("an HDF5 compound type that is not h5py's complex number")
    if size not in _COMPLEX_SIZES or int.from_bytes(bits[:2], "little") != 2:  # noqa: PLR2004
        raise refusal
    half, position, parts = size // 2, 0, []
    for label, offset in ((b"r", 0), (b"i", half)):
        name = _name(label, version)
        width = 4 if version < _PACKED else 1  # the offset's: the fewest bytes that hold `size`
        if not rest[position:].startswith(name):
            raise refusal
        if little(rest, position + len(name), width) != offset:
            raise refusal
        position += len(name) + width + (_FIELD_DIMENSIONS if version == 1 else 0)
        part = rest[position : position + _HEAD.size + _FLOAT.size]
        if version == 1 and rest[position - _FIELD_DIMENSIONS]:  # the field's own rank
            raise refusal
        if read_base(part) != Datatype(Kind.FLOAT, half):
            raise refusal
        parts.append(part)
        position += len(part)
    if parts[0] != parts[1]:
        raise refusal
    return Datatype(Kind.COMPLEX, size)


def _raw(rest: bytes, size: int, bits: bytes) -> Datatype:
    """Untagged bytes of a small float's size. h5py turns a tag into a numpy dtype."""
    if size not in _RAW_SIZES or any(take(rest, 0, bits[0])):
        raise UnsafeArtifact(
            f"HDF5 datatype class opaque ({size} bytes): only untagged bfloat16 and float8 may be"
        )
    return Datatype(Kind.RAW, size)


def read_base(body: bytes) -> Datatype:
    """The number type that another type is made of; nothing nests deeper than that."""
    if body and body[0] & 0x0F not in (_INTEGER, _FLOATING):
        raise UnsafeArtifact("an HDF5 datatype made of types that are not numbers")
    return read_datatype(body)


def _name(text: bytes, version: int) -> bytes:
    text += b"\0"
    return text if version >= _PACKED else text.ljust(-(-len(text) // 8) * 8, b"\0")
