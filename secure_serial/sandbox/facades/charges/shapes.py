"""How much operations on shapes make, and on whole numbers in the facades of TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import measure
from secure_serial.sandbox.facades.charges import sizes
from secure_serial.sandbox.facades.extents import Extents

if TYPE_CHECKING:
    from secure_serial.sandbox.facades.canonical import Row
    from secure_serial.sandbox.facades.charges.sizes import Rule


def extents(_row: Row) -> Rule:
    """One number for each dimension."""

    def rule(values: list[Any]) -> None:
        measure.take(len(measure.dims(values[0])), 8)

    return rule


def join(row: Row) -> Rule:
    """All that several arrays hold, or shapes."""
    usual = sizes.gather_all(row)

    def rule(values: list[Any]) -> None:
        shapes = [each for each in values[0] if type(each) is Extents]
        meter.current().container(sum(map(len, shapes)))
        usual([[each for each in values[0] if type(each) is not Extents]])

    return rule


def take_apart(row: Row) -> Rule:
    """One part for each index of an axis, or for each extent of a shape."""
    usual = sizes.unstack(row)

    def rule(values: list[Any]) -> None:
        if type(values[0]) is Extents:
            meter.current().container(len(values[0]))
        else:
            usual(values)

    return rule


def reduce_whole(row: Row) -> Rule:
    """As `reduce`; each item is divided, some times."""
    usual, each = sizes.reduce(row), row.work

    def rule(values: list[Any]) -> None:
        usual(values)
        measure.labour(measure.count(values[0]), each)

    return rule
