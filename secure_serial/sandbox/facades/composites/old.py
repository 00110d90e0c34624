"""What TensorFlow and Keras 2 compute where `keras.ops` and NumPy compute something else.

See `composites`: of these, too, each takes `xp` and the parameters of its row.
"""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.extents import Extents, extents, whole
from secure_serial.sandbox.facades.measure import axis_in


def _whole_type(xp: Any, x: Any) -> bool:
    return bool(xp.dtype(x).startswith(("int", "uint")))


def _tensor(xp: Any, x: Any) -> Any:
    return x if hasattr(x, "dtype") else xp.convert_to_tensor(x, None)


# Of whole numbers, what stands for an operation in the facades of TensorFlow and of old Keras: the
# result has their type, and wraps round in it.


def sum_of_whole(xp: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    return xp.cast(xp.sum(x, axis, keepdims), xp.dtype(x))


def prod_of_whole(xp: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    return xp.cast(xp.prod(x, axis, keepdims), xp.dtype(x))


def cumsum_of_whole(xp: Any, x: Any, axis: Any, dtype: Any) -> Any:
    return xp.cast(xp.cumsum(x, axis, None), dtype or xp.dtype(x))


def cumprod_of_whole(xp: Any, x: Any, axis: Any, dtype: Any) -> Any:
    return xp.cast(xp.cumprod(x, axis, None), dtype or xp.dtype(x))


def trace_of_whole(xp: Any, x: Any, offset: Any, axis1: Any, axis2: Any) -> Any:
    return xp.cast(xp.trace(x, offset, axis1, axis2), xp.dtype(x))


def norm_of_whole(xp: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    total = sum_of_whole(xp, x * x, axis, keepdims)
    return xp.cast(xp.sqrt(xp.cast(total, "float32")), xp.dtype(x))


def mean_of_whole(xp: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    """Rounded towards zero, and without a sum that wraps round."""
    shape = xp.shape(x)
    every = range(len(shape)) if axis is None else (axis,) if type(axis) is int else axis
    gone = [shape[axis_in(each, len(shape))] for each in every]
    if any(type(extent) is not int for extent in gone):
        raise refused("a mean of whole numbers over an axis whose length is not known")
    many = prod(gone)
    if not 0 < many < _MANY:
        raise refused(f"a mean of {many} whole numbers")
    wide = x if xp.dtype(x) in _WIDE else xp.cast(x, "int32")
    quotient, rest = (xp.sum(each, axis, keepdims) for each in _divided(xp, wide, many))
    # What is left of each lies below both; a backend may add it up in 32 bits.
    least = min(many, np.iinfo(xp.dtype(x)).max)
    if not xp.dtype(rest).endswith("64") and many * least >= _MANY:
        raise refused(f"a mean of {many} whole numbers on a backend that adds in 32 bits")
    more, rest = _divided(xp, rest, many)
    made = quotient + more
    # Both have the sign of what they are of: a quotient and what is left may differ in theirs.
    back = xp.cast((made > 0) & (rest < 0), xp.dtype(rest))
    forth = xp.cast((made < 0) & (rest > 0), xp.dtype(rest))
    return xp.cast(made - back + forth, xp.dtype(x))


_WIDE = frozenset({"int64", "uint64", "uint32"})
_MANY = 2**31


def _divided(xp: Any, x: Any, by: int) -> tuple[Any, Any]:
    """Quotients towards zero, and what is left."""
    down = xp.floor_divide(x, by)
    uneven = (x < 0) & (xp.mod(x, by) != 0)
    quotient = down + xp.cast(uneven, xp.dtype(x))
    return quotient, x - quotient * by


def moments_of_whole(xp: Any, x: Any, axes: Any, keepdims: Any) -> Any:
    apart = x - mean_of_whole(xp, x, axes, True)  # noqa: FBT003 - keepdims
    return mean_of_whole(xp, x, axes, keepdims), mean_of_whole(xp, apart * apart, axes, keepdims)


def norm_of_tensor(xp: Any, x: Any, ord: Any, axis: Any, keepdims: Any) -> Any:
    """TensorFlow's: without an axis, that of all items in a row."""
    x = _tensor(xp, x)
    axis = axis[0] if type(axis) is tuple and len(axis) == 1 else axis
    matrix = type(axis) is tuple
    if type(ord) is str and not (ord == "fro" and matrix):
        raise refused(f"a norm of the order {ord} of vectors")
    if type(ord) is not str and ord is not None:
        if not ord > 0:
            raise refused("a norm whose order is not positive")
        if matrix and ord not in (1, 2, np.inf):
            raise refused("a norm of matrices of another order than 1, 2, fro and infinity")
    if axis is not None:
        made = xp.norm(x, ord, axis, keepdims)
    else:
        made = xp.norm(xp.reshape(x, (-1,)), ord, 0, False)  # noqa: FBT003 - keepdims
        made = xp.reshape(made, (1,) * len(xp.shape(x))) if keepdims else made
    return xp.cast(made, xp.dtype(x)) if ord in (1, np.inf) and _whole_type(xp, x) else made


def clip_between(xp: Any, x: Any, low: Any, high: Any) -> Any:
    """TensorFlow's and K's: where the bounds are the wrong way round, the lower one holds."""
    x = _tensor(xp, x)
    made = x if high is None else xp.minimum(x, high)
    return made if low is None else xp.maximum(made, low)


def cast_2(xp: Any, x: Any, dtype: Any) -> Any:
    """TensorFlow's on a processor: what does not fit a small type wraps round."""
    x = _tensor(xp, x)
    if dtype in _WRAPPED and xp.dtype(x).startswith(("float", "bfloat")):
        x = xp.cast(x, _WRAPPED[dtype])
    return xp.cast(x, dtype)


_WRAPPED = dict.fromkeys(("uint8", "uint16", "int8", "int16"), "int32") | dict.fromkeys(
    ("uint32", "uint64"), "int64"
)


def sqrt_from_zero(xp: Any, x: Any) -> Any:
    """K's: of what is negative it is zero."""
    return xp.sqrt(xp.maximum(x, 0))


def binary_crossentropy_2(xp: Any, target: Any, output: Any, from_logits: Any) -> Any:
    """Keras 2's: logits are not clipped, and the logarithm is of a little more."""
    if from_logits:
        beside = xp.softplus(-xp.abs(output))
        return xp.maximum(output, 0) - output * target + beside
    output = xp.minimum(xp.maximum(output, 1e-7), 1 - 1e-7)
    made = target * xp.log(output + 1e-7)
    return -(made + (1 - target) * xp.log(1 - output + 1e-7))


def where_of(xp: Any, condition: Any, x1: Any, x2: Any) -> Any:
    """TensorFlow's: of a condition alone, a row of indices for each place where it holds."""
    if x1 is None and x2 is None:
        return xp.stack(list(xp.where(condition, None, None)), -1)
    return xp.where(condition, x1, x2)


def argmax_of(xp: Any, x: Any, axis: Any) -> Any:
    return xp.argmax(x, axis, False)  # noqa: FBT003 - keepdims


def argmin_of(xp: Any, x: Any, axis: Any) -> Any:
    return xp.argmin(x, axis, False)  # noqa: FBT003 - keepdims


def fill_of(xp: Any, shape: Any, value: Any) -> Any:
    """TensorFlow's: in the type of the value."""
    return xp.full(shape, value, _TYPES.get(type(value)) or str(xp.dtype(value)))


#: What TensorFlow makes of a number of Python's.
_TYPES = {int: "int32", float: "float32", bool: "bool", complex: "complex128"}


def arange_of(xp: Any, start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    """K's: the usual type stands for that of the bounds."""
    made = xp.arange(start, stop, step, None)
    return made if dtype == "int32" else xp.cast(made, dtype)


def join(xp: Any, xs: Any, axis: Any) -> Any:
    """TensorFlow's concat: of shapes, too, of which an extent is not known yet."""
    if not _unknown(xs):
        return xp.concatenate(xs, axis)
    if axis not in (0, -1):
        raise refused("shapes joined along another axis than their own")
    return extents(each for part in xs for each in whole(part))


def stack_up(xp: Any, xs: Any, axis: Any) -> Any:
    """TensorFlow's stack: of extents, too, that are not known yet."""
    if not _unknown(xs):
        return xp.stack(xs, axis)
    made = [each for part in xs for each in whole(part)]
    if len(made) != len(xs) or axis not in (0, -1):
        raise refused("a stack of shapes of which an extent is not known")
    return extents(made)


def _unknown(xs: Any) -> bool:
    return any(type(x) is Extents for x in xs)


def take_apart(xp: Any, x: Any, num: Any, axis: Any) -> Any:
    """TensorFlow's unstack: of a shape its extents."""
    return list(x) if type(x) is Extents else xp.unstack(x, num, axis)


OLD = {
    name: value
    for name, value in list(globals().items())
    if getattr(value, "__module__", None) == __name__ and not name.startswith("_")
}
