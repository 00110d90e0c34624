"""Plain values: what a stored function may have as its defaults and in its closure.

A file gives them as JSON, in which a tuple stands as `{"class_name": "__tuple__", "items": […]}`
or, as Keras writes it, as a list. Objects are no plain values: what a function would do with one
cannot be read from its source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

from secure_serial.lambdas.bounds import Bounds
from secure_serial.lambdas.errors import BadStream, TooMuch
from secure_serial.lambdas.values import key_of

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json

# None, bool, int, float, str, and tuples, lists and dicts with text for keys, of the same.
Plain: TypeAlias = object

_SCALARS = (str, bool, int, float, type(None))
#: Values inside each other. The deepest default of real files is a list of lists.
_DEEPEST = 20


def plain(value: Json, what: str, bounds: Bounds | None = None) -> Plain:
    """The plain value that a file holds, as a value of its own.

    Raises:
        BadStream: It is none; `what` says what of the function it is.
        TooMuch: It is larger than `bounds` allow.

    >>> plain([1, {"class_name": "__tuple__", "items": [2.0, "three"]}], "a default")
    [1, (2.0, 'three')]

    """
    return _Reader(what, bounds or Bounds()).value(value, 0)


class _Reader:
    """One value with all that it holds. Recursive, and bounded in depth."""

    def __init__(self, what: str, bounds: Bounds) -> None:
        self.what = what
        self.bounds = bounds
        self.count = 0

    def value(self, value: Json, depth: int) -> Plain:
        self.count += 1
        if self.count > self.bounds.objects:
            raise TooMuch(f"{self.what} of more than {self.bounds.objects} values")
        if depth > _DEEPEST:
            raise TooMuch(f"{self.what} nested more than {_DEEPEST} deep")
        if type(value) in _SCALARS:
            return self.scalar(value)
        if type(value) in {list, tuple}:
            items = [self.value(item, depth + 1) for item in cast("list[Json]", value)]
            return items if type(value) is list else tuple(items)
        if type(value) is not dict:
            raise self.bad(f"a value of type {type(value).__name__}")
        return self.mapping(cast("dict[object, Json]", value), depth)

    def scalar(self, value: Json) -> Plain:
        if isinstance(value, str) and len(value) > self.bounds.string_bytes:
            raise TooMuch(f"{self.what} with a text of {len(value)} characters")
        if isinstance(value, int) and value.bit_length() > self.bounds.integer_bits:
            raise TooMuch(f"{self.what} with an integer of {value.bit_length()} bits")
        return value

    def mapping(self, value: dict[object, Json], depth: int) -> Plain:
        if value.get("class_name") == "__tuple__" and value.keys() == {"class_name", "items"}:
            items = value["items"]
            if type(items) not in {list, tuple}:
                raise self.bad("a tuple without items")
            return tuple(self.value(item, depth + 1) for item in cast("list[Json]", items))
        if "class_name" in value:
            raise self.bad(f"an object ({str(value['class_name'])[:40]!a})")
        made: dict[str, Plain] = {}
        for key, item in value.items():
            if type(key) is not str:
                raise self.bad("a key that is no text")
            self.scalar(key)
            made[key] = self.value(item, depth + 1)
        return made

    def bad(self, found: str) -> BadStream:
        return BadStream(
            f"{self.what} of a stored function is {found}; only plain values can be taken over"
        )


def written(value: Plain) -> Json:
    """The JSON of a plain value, of which `plain` makes the same value again.

    >>> written((1, [2]))
    {'class_name': '__tuple__', 'items': [1, [2]]}

    """
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "items": [written(item) for item in value]}
    if isinstance(value, list):
        return [written(item) for item in value]
    if isinstance(value, dict):
        return {key: written(item) for key, item in value.items()}
    return value


def alike(one: Plain, two: Plain) -> bool:
    """Whether two values are the same, a list in place of a tuple apart: Keras's JSON has no tuple.

    >>> alike([1, (2,)], (1, [2])), alike(1, 1.0), alike(float("nan"), float("nan"))
    (True, False, True)

    """
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(alike, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(alike(one[key], two[key]) for key in one)
    return isinstance(one, _SCALARS) and isinstance(two, _SCALARS) and key_of(one) == key_of(two)
