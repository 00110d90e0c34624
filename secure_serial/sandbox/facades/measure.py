"""How large an array is, whoever made it.

Dimensions that are not known yet count as one. So do empty ones: what has no items may be summed,
padded or multiplied into what has many.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import ops
from secure_serial.sandbox.facades.errors import refused

#: What an item takes where no array says more: float32, as Keras computes.
ITEM_BYTES = 4
#: Multiplications that count as one step: some 30 microseconds of one core at float32, so that
#: the steps of one call (`Allowance.steps`) end within seconds.
WORK_PER_STEP = 1 << 17
#: What an element of 16 bits costs: NumPy computes with it in software.
HALF = 1700
#: How many times a real number's a complex one's functions and comparisons take.
COMPLEX = 6
#: What it costs to look at an item (a nanosecond for 8 bytes, some eight for 16 bits).
_LOOK, _LOOK_AT_HALF = 8, 160
#: NumPy multiplies matrices of other types than floats without BLAS, at a thirtieth of the speed.
SLOW_PRODUCT = 32


_NUMBERS = frozenset({bool, int, float, complex})


def dims(value: Any) -> tuple[int, ...]:
    """The shape of an array, a tensor or a number."""
    if type(value) is np.ndarray or isinstance(value, np.generic):
        shape: tuple[int, ...] = value.shape
        return shape if 0 not in shape else tuple(extent or 1 for extent in shape)
    if value is None or type(value) in ops.NATIVE:
        return ()
    return tuple(int(extent or 1) for extent in ops.active.get().shape(value))


def count(value: Any) -> int:
    """How many items an array has."""
    return (value.size if type(value) is np.ndarray else 0) or prod(dims(value))


def item_bytes(value: Any) -> int:
    """The bytes of one item, and of what is computed of it: whole numbers may become float64."""
    if type(value) is np.ndarray:
        return value.itemsize if value.dtype.kind in "fc" else 8
    wide = getattr(getattr(value, "dtype", None), "itemsize", ITEM_BYTES)
    return wide if type(wide) is int else ITEM_BYTES


def widest(values: Any) -> int:
    """The bytes of one item of what several become. Numbers beside arrays take on their type."""
    arrays = [item_bytes(value) for value in values if type(value) not in _NUMBERS]
    numbers = [16 if type(value) is complex else 8 for value in values if type(value) in _NUMBERS]
    if not arrays or 16 in numbers:  # noqa: PLR2004 - bytes
        return max((*arrays, *numbers), default=ITEM_BYTES)
    return max(arrays)


def joined(shapes: Any) -> tuple[int, ...]:
    """The shape that several broadcast to; where they do not, the larger extent."""
    rank = max(map(len, shapes), default=0)
    made = [1] * rank
    for shape in shapes:
        offset = rank - len(shape)
        for index, extent in enumerate(shape):
            if made[offset + index] == 1 or extent > made[offset + index] > 1:
                made[offset + index] = extent
    return tuple(made)


def product(extents: Any) -> int:
    """The items of a shape that is asked for; a dimension that is not known counts as one."""
    return prod(extent for extent in extents if type(extent) is int)


def axis_in(axis: int, rank: int) -> int:
    """The index of an axis that may be negative."""
    if not -rank <= axis < rank:
        raise refused(f"axis {axis} of an array of {rank} dimensions")
    return axis % rank


def take(elements: int, item: int = ITEM_BYTES, times: int = 1) -> None:
    """Take an array, and what computing it needs beside it, from the budget of the call."""
    meter.current().array(elements * times, item)


def labour(items: int, each: int) -> None:
    """Take what so many items cost, in multiplications each, from the steps of the call."""
    meter.current().step(1 + items * each // WORK_PER_STEP)


def look(items: int, value: Any) -> None:
    """Take what it costs to have looked at so many items of an array, one after the other."""
    half = type(value) is np.ndarray and value.dtype.char == "e"
    labour(items, _LOOK_AT_HALF if half else _LOOK + 2 * item_bytes(value))


def work(products: int, *values: Any) -> None:
    """Take multiplications from the steps of the call."""
    slow = any(type(v) is np.ndarray and v.dtype.char not in "fdFD" for v in values)
    meter.current().step(1 + products * (SLOW_PRODUCT if slow else 1) // WORK_PER_STEP)
