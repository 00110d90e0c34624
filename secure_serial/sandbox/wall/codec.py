"""Plain values and arrays as JSON text and shared memory, both ways. Nothing else passes.

A reader believes nothing: what it reads may come from a process that someone else took over.
Each bound is checked before the work it bounds, and whatever is wrong is a `Garbled`.

A value is written as itself if it is None, a bool, an int, a finite float or a text, and else
as a list that begins with a letter: `["t", 1, 2]` is the tuple (1, 2).
"""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from secure_serial.sandbox.meter import EXCEEDED
from secure_serial.sandbox.wall.segment import ALIGNMENT, Segment

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

#: Types of items that pass, as NumPy writes them: numbers and truth values, no objects, texts,
#: dates or records.
DTYPES = frozenset(
    {
        "|b1", "|i1", "|u1", "<i2", "<i4", "<i8", "<u2", "<u4", "<u8",
        "<f2", "<f4", "<f8", "<c8", "<c16",
    }
)  # fmt: skip
#: NumPy 1's own bound; NumPy 2 has 64.
_DIMENSIONS = 32
#: Values inside each other; a result nests a handful deep.
_DEPTH = 40
#: Keys of all dicts and items of all sets of one message: numbers can be chosen to collide,
#: which makes each look-up a search. This many take a quarter of a second at worst.
_KEYS = 4096
#: Items of a tuple that is a key.
_KEY_PARTS = 8
_SCALARS = frozenset({type(None), bool, int, float, complex, str})
_KEYED = frozenset({dict, set, frozenset})

_to_text = json.JSONEncoder(
    check_circular=False, allow_nan=False, separators=(",", ":")
).encode  # ASCII alone


class Garbled(Exception):
    """What was read is not what this module writes."""


class NotPlain(Exception):
    """A value that does not pass: it says which."""

    code = "SS504"


class TooLarge(NotPlain):
    """Values that are more than passes at once."""

    code = EXCEEDED


class Writer:
    """Writes one message; arrays go into the given part of the memory."""

    def __init__(self, segment: Segment, first: int, last: int) -> None:
        self._segment, self._next, self._last = segment, first, last
        self._keys = 0

    @property
    def end(self) -> int:
        """Where the last array ends."""
        return self._next

    def message(self, *parts: Any) -> bytes:
        """A list of values that JSON has itself, encoded before where need be."""
        try:
            return _to_text(parts).encode("ascii")
        except ValueError as error:  # more digits than Python writes
            raise TooLarge("a whole number of too many digits") from error

    def value(self, value: Any, depth: int = 0) -> Any:
        """What stands for a value in a message."""
        kind = type(value)
        if value is None or kind is bool or kind is int:
            return value
        if kind is str:
            return value if value.isascii() else _written(value)
        if kind is float:
            return value if math.isfinite(value) else ["f", repr(value)]
        if depth > _DEPTH:
            raise TooLarge(f"values more than {_DEPTH} deep inside each other")
        if kind in _KEYED:
            self._look(value)
        parts = _parts(value)
        if parts is None:
            return self._array(value)
        return [parts[0], *(self.value(each, depth + 1) for each in parts[1:])]

    def _look(self, keys: Any) -> None:
        """Refuse here what the other side would take for no value of ours."""
        self._keys += len(keys)
        if self._keys > _KEYS:
            raise TooLarge(f"more than {_KEYS:,} keys")
        for key in keys:
            if not _is_key(key):
                raise NotPlain(f"a key of type {type(key).__name__}, or a long one")

    def _array(self, value: Any) -> list[Any]:
        numpy = sys.modules.get("numpy")
        if numpy is None or not hasattr(value, "__array__"):
            raise NotPlain(f"a value of type {type(value).__name__}")
        if isinstance(value, numpy.ndarray) and type(value) is not numpy.ndarray:
            raise NotPlain(f"a value of type {type(value).__name__}")  # its rules would be lost
        letter = "n" if isinstance(value, numpy.generic) else "a"
        array = numpy.asarray(value)
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        described, target = self.room(array.shape, array.dtype)
        numpy.copyto(target, array)
        return [letter, *described[1:]]

    def room(
        self, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> tuple[list[Any], np.ndarray[Any, Any]]:
        """What stands for an array in a message, and the array itself, which is to be filled."""
        import numpy as np

        name = dtype.str
        if name not in DTYPES:
            raise NotPlain(f"an array of {dtype}")
        size = math.prod(shape) * dtype.itemsize
        first, self._next = self._next, _aligned(self._next + size)
        if first + size > self._last:
            raise TooLarge(f"arrays of more bytes than one call may use: {size:,}")
        target = np.ndarray(shape, dtype, self._segment.memory, first)
        return ["a", name, list(shape), first], target


class Reader:
    """Reads one message.

    Args:
        segment: Where its arrays are,
        first: between here
        last: and here.
        copy: Whether arrays are copied out. If not, they are views that cannot be written to.

    """

    def __init__(self, segment: Segment, first: int, last: int, *, copy: bool) -> None:
        self._segment, self._first, self._last, self._copy = segment, first, last, copy
        self._keys = 0
        self._bytes = 0
        #: Where the last array ends, of those that were read.
        self.end = first

    def message(self, text: bytes) -> list[Any]:
        """The list that a message is; its values are still encoded."""
        try:
            whole = text.decode("ascii")
            parts, end = _from_text(whole)
        except (ValueError, RecursionError) as error:
            raise Garbled("no JSON") from error
        if type(parts) is not list or not parts or end != len(whole):
            raise Garbled("no list")
        return parts

    def value(self, given: Any) -> Any:
        """The value that was written."""
        try:
            return self._value(given, 0)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Garbled("no value of ours") from error

    def _value(self, given: Any, depth: int) -> Any:
        if type(given) is str:
            return given if given.isascii() else str(given.encode("utf-8"), "utf-8")
        if type(given) is not list:
            return given
        if not given or depth > _DEPTH:
            raise Garbled("an empty list, or too deep")
        letter, rest = given[0], given[1:]
        if letter in {"a", "n"} and type(letter) is str:
            return self._array(letter, *rest)
        if letter == "f":
            return _SPECIAL[rest[0]] if len(rest) == 1 and rest[0] in _SPECIAL else _no_value()
        read = _READERS.get(letter) if type(letter) is str else None
        if read is None:
            raise Garbled("an unknown letter")
        values = [self._value(each, depth + 1) for each in rest]
        if letter not in {"l", "t"}:
            self._look(letter, values)
        return read(values)

    def _look(self, letter: str, values: list[Any]) -> None:
        """Whether what is to be looked up can be at a bounded price."""
        keys = values[::2] if letter == "d" else values if letter in {"s", "z"} else []
        self._keys += len(keys)
        if self._keys > _KEYS or not all(map(_is_key, keys)):
            raise Garbled("too many keys, or such as are none")

    def _array(self, letter: str, name: Any, shape: Any, first: Any) -> Any:
        import numpy as np

        if type(name) is not str or name not in DTYPES or type(first) is not int:
            raise Garbled("no such type of items")
        if type(shape) is not list or len(shape) > _DIMENSIONS:
            raise Garbled("no shape")
        if any(type(each) is not int or each < 0 for each in shape):
            raise Garbled("no shape")
        dtype = np.dtype(name)
        size = math.prod(shape) * dtype.itemsize
        # Each array is copied: a thousand names of one place are a thousand arrays.
        self._bytes += size
        outside = first < self._first or first + size > self._last
        if outside or self._bytes > self._last - self._first:
            raise Garbled("an array out of the memory")
        self.end = max(self.end, first + size)
        array = self._view(tuple(shape), dtype, first)
        if letter == "n":
            return array[()] if not shape else _no_value()
        return array

    def _view(self, shape: tuple[int, ...], dtype: np.dtype[Any], first: int) -> Any:
        import numpy as np

        view: np.ndarray[Any, Any] = np.ndarray(shape, dtype, self._segment.memory, first)
        if self._copy:
            return taken(view)
        view.flags.writeable = False
        return view


def taken(view: np.ndarray[Any, Any], into: np.ndarray[Any, Any] | None = None) -> Any:
    """A copy of what is in the memory, that nobody else can write to."""
    import numpy as np

    if view.dtype.kind == "b":  # a byte that is neither 0 nor 1 is no truth value
        return np.not_equal(view.view(np.uint8), 0, out=into)
    if into is None:
        return view.copy()
    np.copyto(into, view)
    return into


def _no_value(*_: object) -> NoReturn:
    raise Garbled("no value of ours")


def _parts(value: Any) -> list[Any] | None:
    """The letter of a value that is made of others, and these."""
    kind = type(value)
    letter = _LETTERS.get(kind)
    if letter is not None:
        return [letter, *value]
    if kind is dict:
        return ["d", *(part for item in value.items() for part in item)]
    if kind is slice:
        return ["c", value.start, value.stop, value.step]
    if kind is complex:
        return ["j", value.real, value.imag]
    return ["e"] if value is Ellipsis else None


def _written(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotPlain("a text that UTF-8 has not") from None
    return text


def _is_key(value: Any) -> bool:
    if type(value) is tuple:
        return len(value) <= _KEY_PARTS and all(type(part) in _SCALARS for part in value)
    return type(value) in _SCALARS


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def _dict(parts: list[Any]) -> dict[Any, Any]:
    return dict(zip(parts[::2], parts[1::2], strict=True))


_from_text = json.JSONDecoder(object_pairs_hook=_no_value, parse_constant=_no_value).raw_decode
_LETTERS: dict[type, str] = {list: "l", tuple: "t", set: "s", frozenset: "z"}
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_READERS: dict[str, Callable[[list[Any]], Any]] = {
    "l": list,
    "t": tuple,
    "s": set,
    "z": frozenset,
    "d": _dict,
    "c": lambda parts: slice(*parts) if len(parts) == 3 else _no_value(),  # noqa: PLR2004
    "j": lambda parts: complex(*map(float, parts)) if len(parts) == 2 else _no_value(),  # noqa: PLR2004
    "e": lambda parts: ... if not parts else _no_value(),
}
