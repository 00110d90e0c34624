"""How much an operation makes: one rule for each `makes` of `canonical.json`.

A rule is told where the parameters stand, and gives a function of the checked values that takes
what they make from the meter. It runs before the work. Where the exact number is not worth its
price, a rule takes more, never less.
"""

from __future__ import annotations

from math import ceil, isfinite, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import measure
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.measure import count, dims, item_bytes, take
from secure_serial.sandbox.values import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.sandbox.facades.canonical import Row

    Rule = Callable[[list[Any]], None]

_REMAINDERS = frozenset({"mod", "fmod", "floor_divide"})
#: Kinds of numbers, as NumPy abbreviates them.
_BYTES, _DOUBLES, _FLOATS = map(frozenset, ("bB?", "dg", "efdg"))
#: Types that are converted in software.
_EMULATED = frozenset({"float16", "bfloat16"})
_DTYPE_BYTES = {"bool": 1, "complex64": 8, "complex128": 16, "bfloat16": 2}


def dtype_bytes(name: str | None) -> int:
    """The bytes of one item of a type; without a name those of the widest default."""
    if name is None:
        return 8
    digits = name.lstrip("abcdefghijklmnopqrstuvwxyz")
    return _DTYPE_BYTES.get(name) or int(digits) // 8


def _each(row: Row, used: list[Any], each: int) -> int:
    """Multiplications that one element costs, the worst values given.

    `fmod(1e308, 1e-308)` takes up to seven microseconds, of 32 bits a tenth of that; whole and
    complex numbers have no quick power; and a result of 16 bits that is too large takes 100 ns to
    say so, where NumPy makes one of whole numbers of 8 bits, too (glibc 2.36 and NumPy 2.4).
    """
    kinds = [value.dtype.char for value in used if type(value) is np.ndarray]
    if any(map(measure.emulated, used)) or (each and not _BYTES.isdisjoint(kinds)):
        return max(each, measure.HALF * row.times)
    if row.name in _REMAINDERS and not _DOUBLES.isdisjoint(kinds):
        return each * 8
    if row.name == "power":
        quick = _FLOATS.issuperset(kinds) and complex not in map(type, used)
        return each // 3 if quick else each
    return each * (measure.COMPLEX if any(map(measure.is_complex, used)) else 1)


def broadcast(row: Row) -> Rule:
    """Element by element: the shape that all broadcast to."""
    places = [i for i, p in enumerate(row.parameters) if p.kind.startswith("tensor")]
    if len(places) == 1 and row.parameters[places[0]].kind != "tensors":
        return _alone(row, places[0])
    times, each = row.times, row.work

    def rule(values: list[Any]) -> None:
        used = [values[place] for place in places if values[place] is not None]
        if type(used[0]) is list:
            used = used[0]
        shape: tuple[int, ...] = ()
        for value in used:
            if type(value) not in NUMBERS:
                extents = dims(value)
                shape = extents if shape in ((), extents) else measure.joined([shape, extents])
        take(prod(shape), measure.widest(used), times)
        labour = _each(row, used, each)
        if labour:
            measure.labour(prod(shape), labour)

    return rule


def _alone(row: Row, place: int) -> Rule:
    """`broadcast` of one array."""
    times, each = row.times, row.work
    typed = next((i for i, p in enumerate(row.parameters) if p.name == "dtype"), None)

    def rule(values: list[Any]) -> None:
        value = values[place]
        elements, item = count(value), item_bytes(value)
        if typed is not None:
            item += dtype_bytes(values[typed])
        take(elements, item, times)
        if each or measure.emulated(value):
            measure.labour(elements, _each(row, [value], each))

    return rule


def reduce(row: Row) -> Rule:
    """One item for each place beside the axes; and a look at all, of which some make copies."""
    at = next(i for i, p in enumerate(row.parameters) if p.name in ("axis", "axes"))
    copies = row.times - 1

    def rule(values: list[Any]) -> None:
        value, axis = values[0], values[at]
        total = count(value)
        measure.look(total * row.times, value)
        if copies:
            take(total * copies, item_bytes(value))
        if axis is None:
            meter.current().array(1, 8)
            return
        shape = dims(value)
        rank = len(shape)
        gone = 1
        for each in (axis,) if type(axis) is int else axis:
            gone *= shape[measure.axis_in(each, rank)]
        take(total // gone, max(8, item_bytes(value)), 3)  # the result, and what led to it

    return rule


def view(_row: Row) -> Rule:
    """The same items in another shape: copied at worst."""

    def rule(values: list[Any]) -> None:
        take(count(values[0]), item_bytes(values[0]))

    return rule


def nothing(_row: Row) -> Rule:
    """No array of its own."""

    def rule(_values: list[Any]) -> None:
        meter.current().step()

    return rule


def cast(row: Row) -> Rule:
    """The same shape in another type."""
    at = row.position("dtype")

    def rule(values: list[Any]) -> None:
        elements = count(values[0])
        take(elements, dtype_bytes(values[at]) if values[at] else item_bytes(values[0]))
        if values[at] in _EMULATED or measure.emulated(values[0]):
            measure.labour(elements, measure.HALF)

    return rule


def gather_all(_row: Row) -> Rule:
    """All that several arrays hold."""

    def rule(values: list[Any]) -> None:
        parts = values[0] if isinstance(values[0], list) else values[:2]
        take(sum(map(count, parts)), measure.widest(parts))

    return rule


def split(row: Row) -> Rule:
    """The same items in parts, each of them an object."""

    def rule(values: list[Any]) -> None:
        cuts = values[1]
        meter.current().container(cuts if type(cuts) is int else len(cuts) + 1)
        take(count(values[0]), item_bytes(values[0]))

    del row
    return rule


def unstack(row: Row) -> Rule:
    """One part for each index of an axis."""
    at = row.position("axis")

    def rule(values: list[Any]) -> None:
        shape = dims(values[0])
        meter.current().container(shape[measure.axis_in(values[at], len(shape))])
        take(prod(shape), item_bytes(values[0]))

    return rule


def repeat(_row: Row) -> Rule:
    """Each item so many times."""

    def rule(values: list[Any]) -> None:
        value, repeats, axis = values
        shape = dims(value)
        if type(repeats) is not tuple:
            not_negative(repeats)
            take(prod(shape) * measure.product((repeats or 1,)), item_bytes(value))
            return
        for times in repeats:
            not_negative(times)
        extent = prod(shape) if axis is None else shape[measure.axis_in(axis, len(shape))]
        total = sum(n for n in repeats if type(n) is int) * (extent if len(repeats) == 1 else 1)
        take(prod(shape) // extent * max(total, extent), item_bytes(value))

    return rule


def not_negative(value: int) -> None:
    """Refuse a size below zero."""
    if type(value) is int and value < 0:
        raise refused(f"a size of {value}")


def tile(_row: Row) -> Rule:
    """The whole so many times along each axis."""

    def rule(values: list[Any]) -> None:
        value, repeats = values
        repeats = repeats if type(repeats) is tuple else (repeats,)
        for times in repeats:
            not_negative(times)
        # Axis by axis: none beside a zero makes what the others are made of any smaller.
        take(count(value) * measure.product(n or 1 for n in repeats), item_bytes(value), 2)

    return rule


def shape(row: Row) -> Rule:
    """The product of the shape that is asked for."""
    at = row.position("shape")
    dtype = next((i for i, p in enumerate(row.parameters) if p.name == "dtype"), None)

    def rule(values: list[Any]) -> None:
        for extent in values[at]:
            not_negative(extent)
        name = values[dtype] if dtype is not None else None
        item = 16 if name is None and complex in map(type, values) else dtype_bytes(name)
        total = measure.product(values[at])
        if row.work:  # of float64, and then converted
            measure.labour(total, measure.HALF if name in _EMULATED else row.work)
            take(total, 8)
        take(total, item)

    return rule


def arange(row: Row) -> Rule:
    """The steps from start to stop."""
    times = row.times

    def rule(values: list[Any]) -> None:
        start, stop, step = (None if v is None else _finite(v) for v in values[:3])
        if stop is None:
            start, stop = 0, start
        step = 1 if step is None else step
        if step == 0 or start is None or stop is None:
            raise refused("a range without steps")
        exact = all(type(v) is int for v in (start, stop, step))
        total = max(-((start - stop) // step) if exact else ceil((stop - start) / step), 0)
        take(total, max(8, dtype_bytes(values[3])), times)
        if values[3] in _EMULATED:
            measure.labour(total, measure.HALF)

    return rule


def _finite(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if type(value) is not int and not (type(value) in (float, bool) and isfinite(value)):
        raise refused("a bound of a range that is no finite number")
    return int(value) if type(value) is bool else value


def linspace(row: Row) -> Rule:
    """So many numbers, for each pair of bounds; or so many powers."""
    powers = 1 if row.name == "linspace" else 2

    def rule(values: list[Any]) -> None:
        not_negative(values[2])
        bounds = measure.joined([dims(values[0]), dims(values[1])])
        total = prod(bounds) * values[2]
        if powers == 1 and values[4] is not None:  # made of float64, and then converted
            take(total, dtype_bytes(values[4]))
            measure.labour(total, measure.HALF if values[4] in _EMULATED else 100)
        beside = values[-1] if powers > 1 else 0
        take(total, max(8, measure.widest((values[0], values[1], beside))), powers)
        measure.labour(total, 600 * powers)

    return rule


def eye(row: Row) -> Rule:
    """Rows by columns."""
    has_columns = any(p.name == "M" for p in row.parameters)
    dtype = row.position("dtype")

    def rule(values: list[Any]) -> None:
        columns = values[1] if has_columns and values[1] is not None else values[0]
        not_negative(min(values[0], columns))
        take(values[0] * columns, dtype_bytes(values[dtype]))

    return rule


def one_hot(row: Row) -> Rule:
    """One row for each index."""
    dtype = row.position("dtype")

    def rule(values: list[Any]) -> None:
        not_negative(values[1])
        item = 16 if complex in map(type, values) else max(8, dtype_bytes(values[dtype]))
        take(count(values[0]) * values[1], item, 3)

    return rule


def diag(_row: Row) -> Rule:
    """A square of what one vector holds."""

    def rule(values: list[Any]) -> None:
        side = count(values[0]) + abs(values[1])
        square = len(dims(values[0])) != 2 or _row.name == "diagflat"  # noqa: PLR2004 - a matrix
        take(side * side if square else side, item_bytes(values[0]))

    return rule


def matrix_diag(_row: Row) -> Rule:
    """A square for each last axis."""

    def rule(values: list[Any]) -> None:
        extents = dims(values[0])
        total = prod(extents) * (extents[-1] if extents else 1)
        take(total, item_bytes(values[0]), 2)
        measure.look(total, values[0])

    return rule


def looped(row: Row) -> Rule:
    """The items, which are looked at one by one; what a function makes of them it pays itself."""
    at = next(i for i, p in enumerate(row.parameters) if p.kind == "elements")

    def rule(values: list[Any]) -> None:
        take(count(values[at]), item_bytes(values[at]))

    return rule
