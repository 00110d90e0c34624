"""Displays and constants on the stack: what they are as parts of others, of calls and of tests."""

from __future__ import annotations

from typing import Any

from secure_serial.lambdas.code import FrozenSet
from secure_serial.lambdas.values import Build, Const, key_of

#: A display spread into another is as good as its parts, unless it drops or keys some.
_SPREADS = {
    "list": {"list", "tuple"},
    "tuple": {"list", "tuple"},
    "set": {"list", "tuple", "set"},
    "dict": {"dict"},
    # What a call's names and `**` become; a name given twice is an error there.
    "keywords": {"keywords"},
}


def truth_of(value: Any) -> bool | None:
    """Whether a constant is true, which a test of it need not ask."""
    if isinstance(value, Const) and isinstance(value.value, (int, float, str, tuple, type(None))):
        return bool(value.value)
    return None


def in_order(display: Build) -> tuple[tuple[object, ...], ...]:
    """The parts; a set's constants, which some versions keep in a frozenset, by their own order."""
    parts = display.parts
    if display.kind != "set" or not all(isinstance(part[1], Const) for part in parts):
        return parts
    if not is_plain(display):
        return parts
    known = {repr(key_of(part[1].value)): part for part in parts if isinstance(part[1], Const)}
    return tuple(part for _, part in sorted(known.items(), key=lambda pair: pair[0]))


def is_literal(value: Any) -> bool:
    """A constant that is no singleton, on whose identity no program may rely."""
    if not isinstance(value, Const):
        return False
    return not any(value.value is one for one in (None, True, False, ...))


def is_plain(display: Build) -> bool:
    """Whether no part of a display is a star or a pair."""
    return all(part[0] == "item" for part in display.parts)


def spread_of(value: Any, into: str) -> tuple[tuple[object, ...], ...]:
    """The parts that `*value` or `**value` adds to a display or a call."""
    if isinstance(value, Build) and value.kind in _SPREADS[into]:
        return value.parts
    if isinstance(value, Const) and into != "dict":
        if isinstance(value.value, FrozenSet) and into == "set":
            return tuple(("item", Const(item)) for item in value.value.items)
        if isinstance(value.value, tuple):
            return tuple(("item", Const(item)) for item in value.value)
    return (("star", value),)


def keywords_of(value: Any) -> tuple[tuple[object, ...], ...]:
    """The parts that `**value` adds to a call, where no name may come twice.

    A display is as good as its parts only if it holds each name once, by itself: in
    `f(**{"a": 1, **x})` the `a` of `x` takes the place of the other, and in `f(a=1, **x)` it is
    an error.
    """
    if isinstance(value, Build) and value.kind == "dict":
        names = [part[1].value for part in value.parts if isinstance(part[1], Const)]
        texts = all(isinstance(name, str) for name in names)
        if texts and len(names) == len(value.parts) == len(set(names)):
            return value.parts
    return spread_of(value, "keywords")


def searched(value: Any) -> Any:
    """What `in` and `for` look through: compilers make constants of `[1, 2]` and `{1, 2}`."""
    if not isinstance(value, Build) or not is_plain(value) or not value.parts:
        return value
    items = [part[1] for part in value.parts]
    if all(isinstance(item, Const) for item in items):
        values = tuple(item.value for item in items if isinstance(item, Const))
        if value.kind == "list":
            return Const(values)
        if value.kind == "set":
            return Const(FrozenSet(values))
    return Build("tuple", value.parts) if value.kind == "list" else value
