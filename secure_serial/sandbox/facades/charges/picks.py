"""How much an operation makes that picks items out of arrays: by condition, by index, by order."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades import measure
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.measure import count, dims, item_bytes, take

if TYPE_CHECKING:
    from secure_serial.sandbox.facades.canonical import Row
    from secure_serial.sandbox.facades.charges.sizes import Rule

#: A sorted item takes some 70 nanoseconds among ten million others, and twice that by its index.
_SORTED = 2000


def where(row: Row) -> Rule:
    """As broadcast; with the condition alone, the places where it holds."""
    times = row.times

    def rule(values: list[Any]) -> None:
        condition, *branches = values
        if (branches[0] is None) != (branches[1] is None):
            raise refused("where takes a condition alone, or with both values")
        if branches[0] is None:
            take(count(condition) * max(len(dims(condition)), 1), 8, times)
            return
        take(prod(measure.joined([dims(v) for v in values])), measure.widest(branches))

    return rule


def nonzero(_row: Row) -> Rule:
    """For each item at most one index an axis."""

    def rule(values: list[Any]) -> None:
        take(count(values[0]) * max(len(dims(values[0])), 1), 8)

    return rule


def sort(row: Row) -> Rule:
    """A copy, and the time to sort it."""
    places = [i for i, p in enumerate(row.parameters) if p.kind.startswith("tensor")]
    times = row.times

    def rule(values: list[Any]) -> None:
        several = [values[place] for place in places]
        total = sum(map(count, several))
        item = max(8, measure.widest(several))
        measure.labour(total * times, _SORTED * max(map(measure.slowness, several)))
        take(total, item, 2 * times)

    return rule


def take_rule(row: Row) -> Rule:
    """An index takes what lies beside its axis."""
    at = row.position("axis")

    def rule(values: list[Any]) -> None:
        extents, axis = dims(values[0]), values[at]
        whole = prod(extents)
        gone = whole if axis is None else extents[measure.axis_in(axis, len(extents))]
        take(whole // gone * count(values[1]), item_bytes(values[0]))

    return rule


def gather_nd(_row: Row) -> Rule:
    """An index of k numbers takes what lies beside k axes."""

    def rule(values: list[Any]) -> None:
        extents, indices = dims(values[0]), dims(values[1])
        if (indices or (1,))[-1] > len(extents):
            raise refused("an index of more numbers than the array has dimensions")
        inner = prod(extents[indices[-1] if indices else 0 :])
        take(count(values[1]), 8, 2)
        take(prod(indices[:-1]) * inner, item_bytes(values[0]))

    return rule


#: What computing a quantile takes beside the result, in arrays of its size, and a quantile's time.
_BETWEEN, _QUANTILE = 11, 2500


def quantile(_row: Row) -> Rule:
    """A sorted copy, and a slice for each quantile."""

    def rule(values: list[Any]) -> None:
        total = count(values[0])
        made = count(values[1]) * (1 if values[2] is None else total)
        measure.labour(total, _SORTED * measure.slowness(values[0]))
        measure.labour(made, _QUANTILE)
        take(total, max(8, item_bytes(values[0])), 2)
        take(made, max(8, item_bytes(values[0])), _BETWEEN)

    return rule


#: A step of a search among many: a look into memory that nobody looked at before.
_SEARCHED = 700


def search(row: Row) -> Rule:
    """For each value so many looks as the ordered ones have binary digits."""
    ordered, wanted = (1, 0) if row.name == "digitize" else (0, 1)

    def rule(values: list[Any]) -> None:
        among, total = count(values[ordered]), count(values[wanted])
        slow = max(map(measure.slowness, (values[ordered], values[wanted])))
        measure.labour(total, _SEARCHED * among.bit_length() * slow)
        measure.look(among, values[ordered])
        # Both become of one type first.
        take(total, 16, 2)
        take(among, 16)

    return rule


def choose(_row: Row) -> Rule:
    """As broadcast, of the branches that are arrays."""

    def rule(values: list[Any]) -> None:
        arrays = [v for v in values if not callable(v)]
        take(prod(measure.joined([dims(v) for v in arrays])), measure.widest(arrays))

    return rule
