"""Operations of numbers, shapes and matrices: see `composites`."""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from secure_serial.sandbox.facades import kinds
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.measure import axis_in, dims


def identity_of(xp: Any, x: Any) -> Any:
    return xp.array(x, None) if type(x) in (int, float, bool) else x


def rank(xp: Any, x: Any) -> Any:
    return len(np.shape(x)) if type(x) in (int, float, bool) else len(xp.shape(x))


def int_of(xp: Any, x: Any) -> Any:
    return xp.cast(x, "int32")


def float_of(xp: Any, x: Any) -> Any:
    return xp.cast(x, "float32")


def l2_normalize(xp: Any, x: Any, axis: Any, epsilon: Any) -> Any:
    if getattr(x, "dtype", None) is not None and xp.dtype(x).startswith("complex"):
        raise refused("complex numbers brought to a length of one")
    total = xp.sum(xp.square(x), axis, True)  # noqa: FBT003 - keepdims
    return x / xp.sqrt(xp.maximum(total, epsilon))


def norm_of(xp: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    return xp.sqrt(xp.sum(x * x, axis, keepdims))


def clip_by_norm(xp: Any, x: Any, clip_norm: Any, axes: Any) -> Any:
    norm = xp.sqrt(xp.sum(x * x, axes, True))  # noqa: FBT003 - keepdims
    return x * clip_norm / xp.maximum(norm, clip_norm)


def batch_dot(xp: Any, x: Any, y: Any, axes: Any) -> Any:
    """Keras 1's and 2's, after its documentation: one axis of each is summed, the first paired."""
    left, right = len(xp.shape(x)), len(xp.shape(y))
    if axes is None:
        axes = (left - 1, right - 1 if right == 2 else right - 2)  # noqa: PLR2004 - vectors
    one, other = (axes, axes) if type(axes) is int else axes
    one, other = axis_in(one, left), axis_in(other, right)
    if 0 in (one, other):
        raise refused("batch_dot over the axis of samples")
    rows, columns = list(xp.shape(x)[1:]), list(xp.shape(y)[1:])
    summed = rows.pop(one - 1)
    if columns.pop(other - 1) != summed:
        raise refused("batch_dot over axes of different lengths")
    if any(type(extent) is not int for extent in (*rows, *columns, summed)):
        raise refused("batch_dot of a size that is not known")
    flat = xp.reshape(xp.moveaxis(x, one, -1), (-1, prod(rows), summed))
    turned = xp.reshape(xp.moveaxis(y, other, 1), (-1, summed, prod(columns)))
    # Of two batches of vectors: a column.
    return xp.reshape(xp.matmul(flat, turned), (-1, *(rows + columns or [1])))


def batch_flatten(xp: Any, x: Any) -> Any:
    return xp.reshape(x, (-1, prod(xp.shape(x)[1:])))


def k_repeat(xp: Any, x: Any, n: Any) -> Any:
    return xp.repeat(xp.expand_dims(x, 1), n, 1)


def bounded_relu(xp: Any, x: Any, negative_slope: Any, max_value: Any, threshold: Any) -> Any:
    made = xp.maximum(x, 0) if threshold == 0 else xp.where(x > threshold, x, x * 0)
    if max_value is not None:
        made = xp.maximum(xp.minimum(made, max_value), 0)
    if negative_slope == 0:
        return made
    return made + negative_slope * xp.minimum(x - threshold, 0)


def hard_sigmoid_2(xp: Any, x: Any) -> Any:
    """Keras 1's and 2's; Keras 3 has another slope."""
    return xp.clip(0.2 * x + 0.5, 0.0, 1.0)


def mish(xp: Any, x: Any) -> Any:
    return x * xp.tanh(xp.softplus(x))


def erfc(xp: Any, x: Any) -> Any:
    return 1 - xp.erf(x)


def squared_difference(xp: Any, x1: Any, x2: Any) -> Any:
    return xp.square(xp.subtract(x1, x2))


def old_divide(xp: Any, x1: Any, x2: Any) -> Any:
    """TensorFlow 1's: of whole numbers a whole number."""
    both = _is_whole(xp, x1) and _is_whole(xp, x2)
    return xp.floor_divide(x1, x2) if both else xp.divide(x1, x2)


def _is_whole(xp: Any, x: Any) -> bool:
    if type(x) in (bool, int, float, complex):
        return type(x) is int
    return bool(xp.dtype(x).startswith(("int", "uint")))


def reverse(xp: Any, x: Any, axes: Any) -> Any:
    return xp.flip(x, axes)


def add_bias(xp: Any, x: Any, bias: Any, data_format: Any) -> Any:
    if data_format == "channels_first" and len(xp.shape(bias)) == 1:
        bias = xp.reshape(bias, (1, -1, *([1] * (len(xp.shape(x)) - 2))))
    return x + bias


def batch_normalize(  # noqa: PLR0917 - as the row has them
    xp: Any, x: Any, mean: Any, variance: Any, offset: Any, scale: Any, epsilon: Any
) -> Any:
    if kinds.is_whole(x):
        raise refused("whole numbers to be normalized, which TensorFlow rounds at each step")
    made = (x - mean) / xp.sqrt(variance + epsilon)
    made = made if scale is None else made * scale
    return made if offset is None else made + offset


def choose(xp: Any, condition: Any, then: Any, otherwise: Any) -> Any:
    """TensorFlow's cond and Keras's switch: one condition for all, or one for each."""
    rank = len(dims(condition))
    if rank == 0 and callable(then) and callable(otherwise):
        if type(condition) is bool or isinstance(condition, np.ndarray | np.generic):
            return kinds.tensor(then() if condition else otherwise())
        return xp.cond(condition, then, otherwise)
    one, other = _made(then), _made(otherwise)
    missing = len(dims(one)) - rank
    if rank and missing > 0:
        condition = xp.reshape(condition, (*xp.shape(condition), *([1] * missing)))
    return xp.where(condition, one, other)


def _made(branch: Any) -> Any:
    return kinds.tensor(branch()) if callable(branch) else branch


def add_all(xp: Any, xs: Any) -> Any:
    made = xs[0]
    for x in xs[1:]:
        made = xp.add(made, x)
    return made


def multiply_matrices(xp: Any, x1: Any, x2: Any, transpose_a: Any, transpose_b: Any) -> Any:
    x1 = xp.swapaxes(x1, -1, -2) if transpose_a else x1
    x2 = xp.swapaxes(x2, -1, -2) if transpose_b else x2
    return xp.matmul(x1, x2)


def split_by(xp: Any, x: Any, sections: Any, axis: Any) -> Any:
    """TensorFlow's split: a tuple says how large the parts are, not where to cut."""
    if type(sections) is int:
        return list(xp.split(x, sections, axis))
    whole = xp.shape(x)[axis_in(axis, len(xp.shape(x)))]
    parts = list(sections)
    if parts.count(-1) == 1 and whole is not None:
        parts[parts.index(-1)] = whole - sum(parts) - 1
    if min(parts, default=0) < 0 or (whole is not None and sum(parts) != whole):
        raise refused("sizes of parts that do not add up to the axis")
    return list(xp.split(x, np.cumsum(parts[:-1]).tolist(), axis))


def gather(xp: Any, x: Any, indices: Any, axis: Any, batch_dims: Any) -> Any:
    if batch_dims == 0:
        return xp.take(x, indices, axis)
    if batch_dims != 1 or axis not in (0, 1):
        raise refused("a gather of more than one axis of samples")
    shape, wanted = xp.shape(x), xp.shape(indices)
    flat = xp.reshape(indices, (wanted[0], -1, *([1] * (len(shape) - 2))))
    made = xp.take_along_axis(x, xp.broadcast_to(flat, (*xp.shape(flat)[:2], *shape[2:])), 1)
    return xp.reshape(made, (*wanted, *shape[2:]))


def gather_nd(xp: Any, x: Any, indices: Any) -> Any:
    """By one flat index each."""
    shape, wanted = xp.shape(x), xp.shape(indices)
    depth = wanted[-1]
    steps = [prod(shape[i + 1 : depth]) for i in range(depth)]
    flat = xp.sum(xp.multiply(indices, np.asarray(steps, "int32")), -1, False)  # noqa: FBT003
    return xp.take(xp.reshape(x, (-1, *shape[depth:])), flat, 0)


def one_hot_of(  # noqa: PLR0917 - as the row has them
    xp: Any, indices: Any, depth: Any, on_value: Any, off_value: Any, axis: Any, dtype: Any
) -> Any:
    given = on_value if on_value is not None else off_value
    dtype = dtype or _TYPES.get(type(given)) or getattr(given, "dtype", None) or "float32"
    made = xp.one_hot(indices, depth, axis, str(dtype))
    if (on_value is None and off_value is None) or dtype == "bool":
        return _told_apart(xp, made, on_value, off_value)
    off = 0 if off_value is None else off_value
    return made * ((1 if on_value is None else on_value) - off) + off


#: What TensorFlow makes of a number of Python's.
_TYPES = {int: "int32", float: "float32", bool: "bool"}


def _told_apart(xp: Any, made: Any, on_value: Any, off_value: Any) -> Any:
    """Truth values: their difference is none."""
    on, off = on_value is None or bool(on_value), bool(off_value)
    if on == off:
        return xp.full_like(made, on, None)
    return made if on else xp.logical_not(made)


def window(xp: Any, x: Any, begin: Any, size: Any) -> Any:
    """TensorFlow's slice: -1 is all that is left."""
    if len(begin) != len(size) or len(begin) != len(xp.shape(x)):
        raise refused("a slice of another number of axes than the array's")
    places = zip(begin, size, strict=True)
    return x[tuple(slice(b, None if s == -1 else b + s) for b, s in places)]


def matrix_transpose(xp: Any, x: Any) -> Any:
    return xp.swapaxes(x, -1, -2)


def band_part(xp: Any, x: Any, lower: Any, upper: Any) -> Any:
    made = x if upper < 0 else xp.tril(x, upper)
    return made if lower < 0 else xp.triu(made, -lower)


def matrix_diag(xp: Any, x: Any) -> Any:
    x = x if hasattr(x, "dtype") else xp.convert_to_tensor(x, None)
    here = np.eye(xp.shape(x)[-1], dtype="bool")
    # Not by a product: what is infinite would not be zero beside itself.
    return xp.where(here, xp.expand_dims(x, -1), xp.zeros_like(xp.expand_dims(x, -1), None))


def sequence_mask(xp: Any, lengths: Any, maxlen: Any, dtype: Any) -> Any:
    made = xp.less(np.arange(maxlen), xp.expand_dims(lengths, -1))
    return xp.cast(made, dtype)


def temporal_padding(xp: Any, x: Any, padding: Any) -> Any:
    padding = (padding, padding) if type(padding) is int else tuple(padding)
    return xp.pad(x, ((0, 0), padding, (0, 0)), "constant", None)


def spatial_padding(xp: Any, x: Any, padding: Any, data_format: Any) -> Any:
    if type(padding) is int:
        padding = ((padding, padding), (padding, padding))
    around = [(each, each) if type(each) is int else tuple(each) for each in padding]
    if data_format == "channels_first":
        return xp.pad(x, ((0, 0), (0, 0), *around), "constant", None)
    return xp.pad(x, ((0, 0), *around, (0, 0)), "constant", None)


def lrn(xp: Any, x: Any, depth_radius: Any, bias: Any, alpha: Any, beta: Any) -> Any:
    """Local response normalization over the last axis, as TensorFlow documents it."""
    depth = xp.shape(x)[-1]
    around = [(0, 0)] * (len(xp.shape(x)) - 1)
    squares = xp.pad(x * x, (*around, (depth_radius, depth_radius)), "constant", None)
    total = squares[..., :depth]
    for shift in range(1, 2 * depth_radius + 1):
        total = total + squares[..., shift : shift + depth]
    return x / xp.power(bias + alpha * total, beta)


BASIC = {
    name: value
    for name, value in list(globals().items())
    if getattr(value, "__module__", None) == __name__ and not name.startswith("_")
}
