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
from secure_serial.sandbox.values import NUMBERS

#: What an item takes where no array says more: float32, as Keras computes.
ITEM_BYTES = 4
#: Multiplications of 0.1 ns that count as one step: some 6 microseconds, so that the steps of one
#: call (`Allowance.steps`) end within two seconds of the processor on a machine that is not idle.
WORK_PER_STEP = 1 << 16
#: What an element of 16 bits costs: NumPy computes with it in software.
HALF = 1700
#: How many times a real number's a complex one's functions and comparisons take.
COMPLEX = 8
#: The last number of a type that is not computed in software: float16 is 23, those of others 256.
_PROCESSOR = 22
#: What it costs to look at an item: `argmin` along the slower axis of two takes 7 ns, of 16 bits
#: 18, of a complex number 12.
_LOOK, _LOOK_TWICE = 100, 320
#: NumPy multiplies matrices of other types than floats without BLAS, at a thirtieth of the speed.
SLOW_PRODUCT = 32
#: By the type, what BLAS takes with all its threads, which wait busily for one another.
_PRODUCTS = {"f": 2, "d": 4, "F": 8, "D": 16}


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
    if type(value) in NUMBERS:
        return 16 if type(value) is complex else 8  # as NumPy has them
    wide = getattr(getattr(value, "dtype", None), "itemsize", ITEM_BYTES)
    return wide if type(wide) is int else ITEM_BYTES


def widest(values: Any) -> int:
    """The bytes of one item of what several become. Numbers beside arrays take on their type."""
    part, parts = 0, 1  # complex64 beside float64 becomes complex128
    for value in values:
        if type(value) in NUMBERS:
            parts = 2 if type(value) is complex else parts
        elif is_complex(value):
            part, parts = max(part, item_bytes(value) // 2), 2
        else:
            part = max(part, item_bytes(value))
    return (part or 8) * parts


def together(arrays: list[Any]) -> int:
    """The bytes of one item of what arrays become that are put into one.

    >>> together([np.ones(3, "u1")]), together([np.ones(3, "u1"), np.ones(3, "c16")])
    (1, 16)
    """
    types = {each.dtype for each in arrays if type(each) is np.ndarray}
    if not types or not all(type(each) is np.ndarray for each in arrays):
        return widest(arrays)
    try:
        return int(np.result_type(*types).itemsize)
    except TypeError:
        raise refused("arrays whose types do not go together in a sequence") from None


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


def slowness(value: Any) -> int:
    """How many times what it costs with floats of the processor an operation on an array takes."""
    return 8 if emulated(value) or is_complex(value) else 1


def visit(value: Any) -> int:
    """What one look at an item of an image costs, or one item that comes of two."""
    return HALF if emulated(value) else SLOW_PRODUCT


def take(elements: int, item: int = ITEM_BYTES, times: int = 1) -> None:
    """Take an array, and what computing it needs beside it, from the budget of the call."""
    meter.current().array(elements * times, item)


def labour(items: int, each: int) -> None:
    """Take what so many items cost, in multiplications each, from the steps of the call."""
    meter.current().step(1 + items * each // WORK_PER_STEP)


def emulated(value: Any) -> bool:
    """Whether NumPy computes with an array in software: of 16 bits, or of a type of ml_dtypes.

    >>> emulated(np.ones(3, "f2")), emulated(np.ones(3, "f4"))
    (True, False)
    """
    return type(value) is np.ndarray and value.dtype.num > _PROCESSOR


def is_complex(value: Any) -> bool:
    """Whether an array of NumPy's holds complex numbers."""
    return type(value) is np.ndarray and value.dtype.kind == "c"


def look(items: int, value: Any) -> None:
    """Take what it costs to have looked at so many items of an array, one after the other."""
    labour(items, _LOOK_TWICE if emulated(value) or is_complex(value) else _LOOK)


def work(products: int, *values: Any) -> None:
    """Take multiplications from the steps of the call."""
    arrays = [value for value in values if type(value) is np.ndarray]
    slow = max((_PRODUCTS.get(each.dtype.char, SLOW_PRODUCT) for each in arrays), default=1)
    if any(map(emulated, arrays)):
        slow *= 4
    labour(products, slow)
