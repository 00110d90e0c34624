"""How much padding makes."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades.charges.sizes import not_negative
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.measure import count, dims, item_bytes, labour, look, take

if TYPE_CHECKING:
    from secure_serial.sandbox.facades.canonical import Row
    from secure_serial.sandbox.facades.charges.sizes import Rule


#: Modes that copy the array at its own edge, again and again until the width is reached. A round
#: takes 10 microseconds in NumPy, and 40 ms where a backend compiles for each shape; what people
#: write takes one.
_IN_ROUNDS = frozenset({"reflect", "symmetric", "wrap"})
_ROUND = 1 << 25
#: A width before, and one after.
_PAIR = 2


def widths(pads: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """The widths before and after each axis, of the forms that NumPy and TensorFlow take.

    >>> widths(1, 2), widths(((1, 2),), 2)
    (((1, 1), (1, 1)), ((1, 2), (1, 2)))
    """
    if type(pads) is int:
        pads = ((pads, pads),)
    elif pads and all(type(each) is int for each in pads):
        pads = (tuple(pads) * (1 + (len(pads) == 1)),)
    made = [(each, each) if type(each) is int else tuple(each) for each in pads]
    if len(made) == 1:
        made *= rank
    if len(made) != rank or any(len(each) != _PAIR for each in made):
        raise refused(f"widths of padding that do not fit an array of {rank} dimensions")
    for before, after in made:
        not_negative(min(before, after))
    return tuple(made)


def pad(_row: Row) -> Rule:
    """Each extent with its widths."""

    def rule(values: list[Any]) -> None:
        shape = dims(values[0])
        both = widths(values[1], len(shape))
        total = prod(n + before + after for n, (before, after) in zip(shape, both, strict=True))
        take(total, item_bytes(values[0]), 1 if values[2] == "constant" else 2)
        if values[2] != "constant":
            look(total, values[0])
        if values[2] in _IN_ROUNDS:
            rounds = (max(each) // max(n - 1, 1) for n, each in zip(shape, both, strict=True))
            labour(sum(rounds), _ROUND)

    return rule


def pad_time(_row: Row) -> Rule:
    """The second extent with its widths."""

    def rule(values: list[Any]) -> None:
        shape, both = dims(values[0]), values[1]
        before, after = (both, both) if type(both) is int else both
        not_negative(min(before, after))
        extent = shape[1] if len(shape) > 1 else 1
        take(count(values[0]) // max(extent, 1) * (extent + before + after), item_bytes(values[0]))

    return rule


def pad_space(_row: Row) -> Rule:
    """At most: each extent with the largest widths."""

    def rule(values: list[Any]) -> None:
        shape = dims(values[0])
        pads: Any = values[1]
        flat: list[int] = []
        item: Any
        for item in (pads,) if type(pads) is int else pads:
            flat += (item,) if type(item) is int else item
        for each in flat:
            not_negative(each)
        total = prod(n + 2 * max(flat, default=0) for n in shape[1:])
        take((shape[0] if shape else 1) * total, item_bytes(values[0]))

    return rule
