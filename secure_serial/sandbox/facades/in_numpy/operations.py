"""The operations in NumPy. Each takes all parameters of its row of `canonical.json`, in order.

Arguments have been checked by `kinds` and sized by `sizes` when they come here.
"""

# ruff: noqa: D103 - they are what `keras.ops` documents under the same names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import kinds, measure
from secure_serial.sandbox.facades.charges.paddings import widths
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.extents import extents
from secure_serial.sandbox.facades.in_numpy.activations import ACTIVATIONS, as_float

if TYPE_CHECKING:
    from collections.abc import Callable

# Called as they stand: NumPy's own name, and the parameters of the row in its order.
_SAME = """
abs arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil cos cosh deg2rad exp exp2 expm1 floor
isfinite isinf isnan log log10 log1p log2 logical_not negative rad2deg reciprocal sign sin sinc
sinh sqrt square tan tanh trunc bitwise_not angle conj real imag signbit isposinf isneginf add
subtract multiply divide true_divide floor_divide mod power maximum minimum equal not_equal
greater greater_equal less less_equal logical_and logical_or logical_xor arctan2 hypot logaddexp
fmod heaviside fmax fmin gcd lcm bitwise_and bitwise_or bitwise_xor left_shift right_shift
isclose allclose clip round reshape transpose swapaxes moveaxis expand_dims squeeze ravel copy
fliplr flipud flip roll rot90 shape ndim concatenate stack hstack vstack dstack append
array_split repeat tile diag diagflat diagonal tril triu trace diff searchsorted digitize take
isin zeros ones full zeros_like ones_like full_like eye identity tri dot inner vdot outer kron
cross tensordot det cumsum cumprod nonzero size hsplit vsplit broadcast_to sum mean max min any
all prod
""".split()  # noqa: SIM905 - a name a line would hide the rest
#: Of these, reductions, which have other parameters between in NumPy.
_REDUCTIONS = """
sum mean max min any all prod amax amin ptp std var median
""".split()  # noqa: SIM905 - a name a line would hide the rest


#: How many deviations from the mean a truncated normal number may be.
_FAR = 2


def table() -> dict[str, Callable[..., Any]]:
    """The functions by the names of `canonical.json`."""
    made = {name: getattr(np, name) for name in _SAME if hasattr(np, name)}
    made |= {name: _reduction(getattr(np, name)) for name in _REDUCTIONS}
    made |= {name.removesuffix("_"): function for name, function in (ACTIVATIONS | _OWN).items()}
    return made


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduction(x: Any, axis: Any, keepdims: bool) -> Any:  # noqa: FBT001 - as the row has it
        return function(x, axis=axis, keepdims=keepdims)

    return reduction


def dynamic_shape(x: Any) -> Any:
    return np.shape(x)


def shape_tensor(x: Any) -> Any:
    return extents(np.shape(x))


def reshape(x: Any, newshape: Any) -> Any:
    # What is known has no dimension that is not.
    return np.reshape(x, tuple(-1 if extent is None else extent for extent in newshape))


def matmul(x1: Any, x2: Any) -> Any:
    return np.matmul(x1, x2)


def divide_no_nan(x1: Any, x2: Any) -> Any:
    wanted = np.result_type(x1, x2)
    wanted = wanted if wanted.kind in "fc" else np.dtype("float32")
    x1, x2 = np.asarray(x1, wanted), np.asarray(x2, wanted)
    zero = np.equal(x2, 0)
    return np.where(zero, np.zeros((), wanted), x1 / np.where(zero, np.ones((), wanted), x2))


def where(condition: Any, x1: Any, x2: Any) -> Any:
    return np.nonzero(condition) if x1 is None else np.where(condition, x1, x2)


def nan_to_num(x: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def argmax(x: Any, axis: Any, keepdims: Any) -> Any:
    return np.argmax(x, axis=axis, keepdims=keepdims)


def argmin(x: Any, axis: Any, keepdims: Any) -> Any:
    return np.argmin(x, axis=axis, keepdims=keepdims)


def count_nonzero(x: Any, axis: Any) -> Any:
    return np.count_nonzero(x, axis=axis)


def average(x: Any, axis: Any, weights: Any) -> Any:
    return np.average(x, axis=axis, weights=weights)


def norm(x: Any, ord: Any, axis: Any, keepdims: Any) -> Any:
    return np.linalg.norm(as_float(x), ord=ord, axis=axis, keepdims=keepdims)


def quantile(x: Any, q: Any, axis: Any, method: Any, keepdims: Any) -> Any:
    x = as_float(x)
    made = np.quantile(x, q, axis=axis, method=method, keepdims=keepdims)
    return made.astype(x.dtype)


def percentile(x: Any, q: Any, axis: Any, method: Any, keepdims: Any) -> Any:
    return quantile(x, np.asarray(q) / 100, axis, method, keepdims)


def moments(x: Any, axes: Any, keepdims: Any) -> Any:
    return np.mean(x, axis=axes, keepdims=keepdims), np.var(x, axis=axes, keepdims=keepdims)


def normalize(x: Any, axis: Any, order: Any, epsilon: Any) -> Any:
    x = as_float(x)
    norms = np.linalg.norm(x, ord=order, axis=axis, keepdims=True)
    return x / np.maximum(norms, 1e-7 if epsilon is None else epsilon)


def split(x: Any, indices_or_sections: Any, axis: Any) -> Any:
    return np.split(x, indices_or_sections, axis)


def unstack(x: Any, num: Any, axis: Any) -> Any:
    made = list(np.moveaxis(x, axis, 0))
    if num is not None and num != len(made):
        raise refused(f"{num} parts of an axis of {len(made)}")
    return made


def pad(x: Any, pad_width: Any, mode: Any, constant_values: Any) -> Any:
    both = widths(pad_width, np.ndim(x))
    if mode != "constant":
        return np.pad(x, both, mode)
    return np.pad(x, both, constant_values=0 if constant_values is None else constant_values)


def sort(x: Any, axis: Any) -> Any:
    return np.sort(x, axis)


def argsort(x: Any, axis: Any) -> Any:
    return np.argsort(x, axis, kind="stable")


def top_k(x: Any, k: Any, sorted: Any) -> Any:  # noqa: ARG001 - sorted is a kind of unsorted
    order = np.argsort(-np.asarray(x), axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(np.asarray(x), order, -1), order.astype("int32")


def take_along_axis(x: Any, indices: Any, axis: Any) -> Any:
    return np.take_along_axis(x, np.asarray(indices), axis)


def one_hot(x: Any, num_classes: Any, axis: Any, dtype: Any) -> Any:
    made = np.expand_dims(x, -1) == np.arange(num_classes)
    return np.moveaxis(made, -1, axis).astype(dtype or "float32")


def slice_(inputs: Any, start_indices: Any, shape: Any) -> Any:
    places = zip(start_indices, shape, strict=True)
    return inputs[tuple(slice(start, start + extent) for start, extent in places)]


def cast(x: Any, dtype: Any) -> Any:
    return np.asarray(x).astype(dtype)


def convert_to_tensor(x: Any, dtype: Any) -> Any:
    return np.asarray(x, dtype=dtype)


def array(x: Any, dtype: Any) -> Any:
    return np.array(x, dtype=dtype)


def zeros(shape: Any, dtype: Any) -> Any:
    return np.zeros(shape, dtype or "float32")


def ones(shape: Any, dtype: Any) -> Any:
    return np.ones(shape, dtype or "float32")


def eye(N: Any, M: Any, k: Any, dtype: Any) -> Any:  # noqa: N803 - NumPy's own names
    return np.eye(N, M, k, dtype=dtype or "float32")


def arange(start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    start, stop = (0, start) if stop is None else (start, stop)
    return np.arange(start, stop, 1 if step is None else step, dtype=dtype)


def linspace(start: Any, stop: Any, num: Any, endpoint: Any, dtype: Any) -> Any:
    return np.linspace(start, stop, num, endpoint=endpoint, dtype=dtype)


def logspace(start: Any, stop: Any, num: Any, endpoint: Any, base: Any) -> Any:
    return np.logspace(start, stop, num, endpoint=endpoint, base=base)


def meshgrid(xs: Any, indexing: Any) -> Any:
    return list(np.meshgrid(*xs, indexing=indexing))


def cross(x1: Any, x2: Any, axisa: Any, axisb: Any, axisc: Any, axis: Any) -> Any:
    return np.cross(x1, x2, axisa, axisb, axisc, axis)


def einsum(subscripts: Any, operands: Any) -> Any:
    return np.einsum(subscripts, *operands)


def cholesky(x: Any, upper: Any) -> Any:
    return np.linalg.cholesky(as_float(x), upper=upper)


def det(x: Any) -> Any:
    return np.linalg.det(as_float(x))


def inv(x: Any) -> Any:
    return np.linalg.inv(as_float(x))


def solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(as_float(a), as_float(b))


def qr(x: Any, mode: Any) -> Any:
    return tuple(np.linalg.qr(as_float(x), mode))


def svd(x: Any, full_matrices: Any, compute_uv: Any) -> Any:
    made = np.linalg.svd(as_float(x), full_matrices, compute_uv)
    return tuple(made) if compute_uv else made


def eigh(x: Any) -> Any:
    return tuple(np.linalg.eigh(as_float(x)))


def slogdet(x: Any) -> Any:
    return tuple(np.linalg.slogdet(as_float(x)))


def logdet(x: Any) -> Any:
    return np.linalg.slogdet(as_float(x))[1]


def dtype(x: Any) -> str:
    return str(np.asarray(x).dtype.name)


def stop_gradient(variable: Any) -> Any:
    return variable


def map_(f: Any, xs: Any) -> Any:
    meter.current().container(len(xs))
    made = [kinds.tensor(f(x)) for x in xs]
    measure.take(sum(measure.count(each) for each in made), measure.widest(made))
    return np.stack(made)


def random_normal(shape: Any, mean: Any, stddev: Any, dtype: Any, seed: Any) -> Any:
    made = np.random.default_rng(seed).normal(mean, stddev, shape)
    return made.astype(dtype or "float32")


def truncated_normal(shape: Any, mean: Any, stddev: Any, dtype: Any, seed: Any) -> Any:
    generator = np.random.default_rng(seed)
    made = generator.normal(size=shape)
    far = np.abs(made) > _FAR
    while np.any(far):  # a twentieth of them each time
        made[far] = generator.normal(size=np.count_nonzero(far))
        far = np.abs(made) > _FAR
    return (made * stddev + mean).astype(dtype or "float32")


def random_uniform(shape: Any, minval: Any, maxval: Any, dtype: Any, seed: Any) -> Any:
    made = np.random.default_rng(seed).uniform(minval, maxval, shape)
    return made.astype(dtype or "float32")


_OWN = {
    name: value
    for name, value in list(globals().items())
    if getattr(value, "__module__", None) == __name__ and not name.startswith("_")
    and name != "table"
}  # fmt: skip
