"""Reads a marshalled code object without `marshal`: bytes in, inert values out.

Iterative, bounded, strict. It knows only the types that a code object needs, takes the whole
stream or refuses, and never builds a live code object. The format is that of CPython's
Python/marshal.c, which no standard describes; the four layouts of a code object are below.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from secure_serial.lambdas.bounds import Bounds
from secure_serial.lambdas.code import Code, FrozenSet, Slice
from secure_serial.lambdas.errors import BadStream, TooMuch
from secure_serial.lambdas.layouts import LAYOUTS, make_code

_FLAG_REF = 0x80
#: A place in the table of references whose value is not complete yet.
_PENDING = object()
_NOTHING = object()
_SINGLES: dict[int, object] = {
    ord("N"): None,
    ord("T"): True,
    ord("F"): False,
    ord("."): Ellipsis,
}
_SHORT = 15  # bits of a digit of a long integer


@dataclass(slots=True)
class _Open:
    """A container whose parts are still to come."""

    kind: str
    count: int
    items: list[object] = field(default_factory=list)
    slot: int = -1
    weight: int = 1
    started: int = 0


class _Reader:
    """One pass over the bytes in one layout."""

    def __init__(self, data: bytes, layout: str, bounds: Bounds) -> None:
        self.data = data
        self.at = 0
        self.layout = layout
        self.old = layout == "2.7"
        self.fields = LAYOUTS[layout]
        self.bounds = bounds
        self.refs: list[object] = []
        self.weights: list[int] = []
        self.interned: list[bytes] = []
        self.stack: list[_Open] = []
        #: How many slashes stand where they mean nothing: in paths and line tables.
        self.slashes = 0

    def take(self, size: int) -> bytes:
        if size < 0 or size > len(self.data) - self.at:
            raise BadStream("the stream ends inside a value")
        self.at += size
        return self.data[self.at - size : self.at]

    def int32(self) -> int:
        return int(struct.unpack("<i", self.take(4))[0])

    def size(self) -> int:
        count = self.int32()
        if count < 0:
            raise BadStream("a size is negative")
        if count > self.bounds.string_bytes:
            raise TooMuch(f"one value of {count} parts")
        return count

    def run(self) -> Code:
        """The code object that the stream is."""
        while True:
            value, weight = self.value()
            if value is _NOTHING:
                if self.stack[-1].count == 0:
                    value, weight = self.close()
                else:
                    continue
            while self.stack:
                self.add(value, weight)
                top = self.stack[-1]
                if len(top.items) < top.count:
                    break
                value, weight = self.close()
            else:
                return self.finish(value)

    def finish(self, value: object) -> Code:
        if self.at != len(self.data):
            raise BadStream(f"{len(self.data) - self.at} bytes follow the code")
        if not isinstance(value, Code):
            raise BadStream("the stream holds no code object")
        return value

    def add(self, value: object, weight: int) -> None:
        top = self.stack[-1]
        top.items.append(value)
        top.weight += weight
        if top.weight > self.bounds.objects:
            raise TooMuch(f"more than {self.bounds.objects} values")
        if top.kind == "code":
            name = self.fields[len(top.items) - 1]
            if name in {"filename", "linetable", "exceptiontable"}:
                self.slashes += self.data.count(b"/", top.started, self.at)
            self.numbers(top)

    def numbers(self, top: _Open) -> None:
        """Read the plain integers that come next in a code object."""
        while len(top.items) < top.count and self.fields[len(top.items)].islower() is False:
            top.items.append(self.int32())
        top.started = self.at

    def close(self) -> tuple[object, int]:
        top = self.stack.pop()
        value: object
        if top.kind == "code":
            value = make_code(self.layout, dict(zip(self.fields, top.items, strict=True)))
        elif top.kind == "set":
            value = FrozenSet(tuple(top.items))
        elif top.kind == "slice":
            value = Slice(*top.items)
        else:
            value = tuple(top.items)
        if top.slot >= 0:
            self.refs[top.slot] = value
            self.weights[top.slot] = top.weight
        return value, top.weight

    def begin(self, kind: str, count: int, slot: int) -> tuple[object, int]:
        if len(self.stack) >= self.bounds.depth:
            raise TooMuch(f"values more than {self.bounds.depth} deep")
        if count > len(self.data) - self.at and kind != "code":
            raise BadStream("a container holds more than the stream has bytes")
        top = _Open(kind, count, slot=slot)
        self.stack.append(top)
        if kind == "code":
            self.numbers(top)
        return _NOTHING, 0

    def reserve(self, flagged: bool) -> int:  # noqa: FBT001 - one bit of the byte just read
        if not flagged:
            return -1
        self.refs.append(_PENDING)
        self.weights.append(1)
        return len(self.refs) - 1

    def value(self) -> tuple[object, int]:
        byte = self.take(1)[0]
        flagged = bool(byte & _FLAG_REF)
        if flagged and self.old:
            raise BadStream("a reference mark, which Python 2 does not write")
        tag = byte & ~_FLAG_REF
        if tag in _SINGLES:
            return _SINGLES[tag], 1
        letter = chr(tag)
        if letter in "rR":
            return self.referred(letter)
        slot = self.reserve(flagged)
        if letter == "(":
            return self.begin("tuple", self.size(), slot)
        if letter == ")" and not self.old:
            return self.begin("tuple", self.take(1)[0], slot)
        if letter == ">":
            return self.begin("set", self.size(), slot)
        if letter == ":" and self.layout == "3.11":
            return self.begin("slice", 3, slot)
        if letter == "c":
            return self.begin("code", len(self.fields), slot)
        value = self.scalar(letter)
        if slot >= 0:
            self.refs[slot] = value
        return value, 1

    def referred(self, letter: str) -> tuple[object, int]:
        index = self.int32()
        if (letter == "R") is not self.old:
            raise BadStream("a reference of another Python's kind")
        table: list[object] | list[bytes] = self.interned if self.old else self.refs
        if not 0 <= index < len(table) or table[index] is _PENDING:
            raise BadStream("a reference to what is not there")
        return table[index], 1 if self.old else self.weights[index]

    def scalar(self, letter: str) -> object:
        if letter == "i":
            return self.int32()
        if letter == "I" and self.old:
            return int(struct.unpack("<q", self.take(8))[0])
        if letter == "l":
            return self.long()
        if letter == "g":
            return float(struct.unpack("<d", self.take(8))[0])
        if letter == "y":
            return complex(*struct.unpack("<dd", self.take(16)))
        return self.text(letter)

    def long(self) -> int:
        count = self.int32()
        digits = abs(count)
        if digits * _SHORT > self.bounds.integer_bits:
            raise TooMuch(f"an integer of {digits * _SHORT} bits")
        total = 0
        for place in range(digits):
            digit = int(struct.unpack("<H", self.take(2))[0])
            if digit >> _SHORT or (place == digits - 1 and digit == 0):
                raise BadStream("an integer is not in its normal form")
            total |= digit << (place * _SHORT)
        return -total if count < 0 else total

    def text(self, letter: str) -> object:
        if letter == "s":
            return self.take(self.size())
        if letter == "t" and self.old:
            self.interned.append(self.take(self.size()))
            return self.interned[-1]
        if letter in "ut":
            raw, encoding = self.take(self.size()), "utf-8"
        elif letter in "aA" and not self.old:
            raw, encoding = self.take(self.size()), "ascii"
        elif letter in "zZ" and not self.old:
            raw, encoding = self.take(self.take(1)[0]), "ascii"
        else:
            raise BadStream(f"a value of the unknown type {letter!r}")
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            raise BadStream("a text is not in its encoding") from None


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream read in one layout."""

    code: Code
    #: Slashes where they mean something: one of them may have been a backslash, see `damaged`.
    slashes: int


def read(data: bytes, bounds: Bounds | None = None) -> list[Stream]:
    """Every reading of a stream that takes all of it: one, as a rule.

    Raises `BadStream` or `TooMuch` if there is none.

    >>> import marshal
    >>> [stream.code.name for stream in read(marshal.dumps((lambda x: x + 1).__code__))]
    ['<lambda>']
    """
    bounds = bounds or Bounds()
    if len(data) > bounds.stream_bytes:
        raise TooMuch(f"{len(data)} bytes")
    found: list[Stream] = []
    faults: list[BadStream | TooMuch] = []
    for layout in LAYOUTS:
        reader = _Reader(data, layout, bounds)
        try:
            code = reader.run()
        except (BadStream, TooMuch) as error:
            faults.append(error)
        else:
            found.append(Stream(code, data.count(b"/") - reader.slashes))
    if not found:
        # The fault of the layout that got furthest would be a guess; a bound is none.
        bound = next((fault for fault in faults if isinstance(fault, TooMuch)), None)
        raise bound or faults[-1]
    return found
