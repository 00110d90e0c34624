"""How much the operations make that put items in places by numbers."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.facades import measure
from secure_serial.sandbox.facades.charges.products import multiplied
from secure_serial.sandbox.facades.charges.sizes import not_negative
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.measure import count, dims, item_bytes, take

if TYPE_CHECKING:
    from secure_serial.sandbox.facades.canonical import Row
    from secure_serial.sandbox.facades.charges.sizes import Rule

#: An item that is added where a number says: `np.add.at` looks it up, one by one.
_PUT = 500


#: A product of a matrix and a vector reads each item for one product; and what beginning one takes.
#: BLAS begins its threads for complex numbers, which wait for one another: 90 ns were measured.
_READ, _BEGUN = 20, 100


def _put(items: int, value: Any) -> None:
    take(items, max(8, item_bytes(value)), 3)
    measure.labour(items, _PUT * (8 if measure.emulated(value) or measure.is_complex(value) else 1))


def segments_of(ids: Any, many: int | None) -> int:
    """How many segments there are: as many as the largest number says, if nothing else does."""
    if many is not None:
        return many
    if type(ids) is not np.ndarray or ids.dtype.kind not in "iu":
        raise refused("segments whose number is not known")
    return int(ids.max(initial=-1)) + 1


def segments(row: Row) -> Rule:
    """One item for each segment; each item of the data is added to one."""
    counted = "num_segments" in [parameter.name for parameter in row.parameters]

    def rule(values: list[Any]) -> None:
        data, ids = values[:2]
        shape = dims(data)
        if counted:
            many = values[2]
        else:
            many = max(ids, default=0) + 1 if type(ids) is tuple else ids + 1
            take(max(many, 1), 8, 3)
        many = segments_of(ids, many)
        not_negative(many)
        take(many * prod(shape[1:]), max(8, item_bytes(data)), 2)
        _put(count(data), data)
        if counted:
            _put(count(ids), ids)

    return rule


def scatter(row: Row) -> Rule:
    """The whole, of the shape that is asked for or is there, and a look at each update."""
    places = {parameter.name: i for i, parameter in enumerate(row.parameters)}

    def rule(values: list[Any]) -> None:
        updates, indices = values[places["updates"]], values[places["indices"]]
        item = item_bytes(updates)
        if "shape" in places:
            for extent in values[places["shape"]]:
                not_negative(extent)
            total = measure.product(values[places["shape"]])
        else:
            inputs = values[places["inputs"]]
            total, item = count(inputs), max(item, item_bytes(inputs))
            measure.labour(total, measure.visit(inputs) if measure.emulated(inputs) else 0)
        take(total, item, 3)
        _put(count(updates), updates)
        _put(count(indices), indices)

    return rule


def classes(row: Row) -> Rule:
    """A number for each class on the way, from which the one of a label is picked."""
    times, work = row.times, row.work

    def rule(values: list[Any]) -> None:
        total = count(values[0]) + count(values[1])
        take(total, max(8, measure.widest(values[:2])), times)
        slow = any(map(measure.emulated, values[:2]))
        measure.labour(total, measure.HALF * times if slow else work)

    return rule


def polynomial(_row: Row) -> Rule:
    """As broadcast, for each coefficient."""

    def rule(values: list[Any]) -> None:
        parts = [*values[0], values[1]]
        total = prod(measure.joined([dims(each) for each in parts]))
        take(total * len(parts), measure.widest(parts), 2)
        slow = any(measure.emulated(each) or measure.is_complex(each) for each in parts)
        measure.labour(total * len(parts), measure.HALF * 2 if slow else 20)

    return rule


def matvec(_row: Row) -> Rule:
    """A row by a vector for each row."""

    def rule(values: list[Any]) -> None:
        left, right = dims(values[0]), dims(values[1])
        if len(left) < 2 or not right:  # noqa: PLR2004 - a matrix
            raise refused("a product of something else than matrices and vectors")
        batch = prod(measure.joined([left[:-2], right[:-1]]))
        rows, inner = (left[-1], left[-2]) if values[2] else (left[-2], left[-1])
        multiplied(values[0], values[1], batch * rows, inner)
        # A product of its own for each vector: BLAS begins anew, and a matrix is read once for it.
        slow = 50 if any(map(measure.is_complex, values[:2])) else 1
        measure.labour(batch * rows, inner * _READ * slow + _BEGUN)

    return rule
