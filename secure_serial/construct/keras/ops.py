"""The operations of restricted functions on Keras's tensors: `keras.ops`, on whatever backend.

This is the provider that `sandbox.facades.ops` describes. Only what `canonical.json` names is ever
looked up, and only in `keras.ops`.
"""

# ruff: noqa: D103 - each is the function of keras.ops of its name, with its parameters turned

from __future__ import annotations

from functools import partial
from math import prod
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.construct.keras.draws import drawn
from secure_serial.errors import SandboxError
from secure_serial.lazy import lazy
from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import composites, kinds, measure
from secure_serial.sandbox.facades.canonical import rows
from secure_serial.sandbox.facades.charges import compiled
from secure_serial.sandbox.facades.charges.paddings import widths
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.extents import extents

if TYPE_CHECKING:
    from collections.abc import Callable


#: What composites need beside the operations that have a row.
_BESIDE = ("view_as_complex", "segment_sum", "segment_max", "scatter", "scatter_update")


#: What older versions of Keras have not.
_NEW = frozenset({"fft", "fft2", "ifft2", "irfft"})


class KerasOps:
    """Keras's own operations, for every tensor that is not NumPy's."""

    @lazy
    def _table(self) -> dict[str, Callable[..., Any]]:
        import keras

        namespace = self._namespace(keras)
        ours = composites.bound(namespace)
        # What Keras and the composites both have, is Keras's: it may be one kernel.
        return ours | {n: f for n, f in vars(namespace).items() if n in rows()}

    def _namespace(self, keras: Any) -> SimpleNamespace:
        """What composites build upon."""
        found = {name: getattr(keras.ops, name, None) for name in rows()}
        adapted = {
            name: partial(function, keras)
            for name, function in ADAPTED.items()
            if name not in _NEW or hasattr(keras.ops, name)
        }
        found = {name: function for name, function in found.items() if function is not None}
        found |= {name: getattr(keras.ops, name) for name in _BESIDE if hasattr(keras.ops, name)}
        return SimpleNamespace(**(found | adapted), cond=partial(cond, keras))

    def find(self, name: str) -> Callable[..., Any] | None:
        """The function for an operation of `canonical.json`; None: this Keras has none."""
        return self._table.get(name) if name in rows() else None

    def is_array(self, value: object) -> bool:
        """Whether this is a tensor of the backend, or a symbolic one of Keras."""
        import keras

        return bool(keras.ops.is_tensor(value)) or isinstance(value, keras.KerasTensor)

    def shape(self, value: Any) -> tuple[int | None, ...]:
        """The shape of a tensor; None where a dimension is not known yet."""
        # JAX puts a term in the place of a dimension that is not known while Keras infers shapes.
        return tuple(extent if isinstance(extent, int) else None for extent in value.shape)

    def dtype(self, value: Any) -> str:
        """The name of a tensor's type."""
        import keras

        return str(keras.backend.standardize_dtype(value.dtype))

    def item(self, value: Any, index: Any) -> Any:
        """`value[index]`."""
        import keras

        if keras.backend.backend() == "torch":
            value, index = _forwards(keras, value, index)
        return value[index]

    def is_dimension(self, value: object) -> bool:
        """Whether this is JAX's sign for an extent that is not known yet, or TensorFlow's.

        TensorFlow's is an item of the shape of a tensor in a graph, and nothing that is computed:
        it counts as one, and what it is made of may not be larger than the tensor.
        """
        kind = type(value)
        if kind.__name__ == "SymbolicTensor" and kind.__module__.startswith("tensorflow."):
            found: Any = value
            made = found.op
            one = len(found.shape) == 0 and made.type == "StridedSlice"
            return one and bool(made.inputs[0].op.type == "Shape")
        return kind.__name__ == "_DimExpr" and kind.__module__.startswith("jax.")

    @property
    def compiles(self) -> bool:
        """Whether each new form of an operation is compiled: JAX does so."""
        import keras

        return bool(keras.backend.backend() == "jax")

    def is_followed(self, value: object) -> bool:
        """Whether this is a tensor without values yet: a symbolic one, or one of JAX's traces."""
        import keras

        if isinstance(value, keras.KerasTensor) or not self.compiles:
            return isinstance(value, keras.KerasTensor)
        import jax

        return isinstance(value, jax.core.Tracer)

    def known(self, value: Any) -> Any:
        """The NumPy array of a tensor whose values are known by now, else None."""
        import keras

        if isinstance(value, keras.KerasTensor):
            return None
        try:
            return keras.ops.convert_to_numpy(value)
        except Exception:  # noqa: BLE001 - each backend has its own error for a traced tensor
            return None


def _forwards(keras: Any, value: Any, index: Any) -> tuple[Any, Any]:
    """PyTorch takes no step backwards: the items are put into their order before."""
    parts = list(index) if type(index) is tuple else [index]
    axis = 0
    for place, part in enumerate(parts):
        if part is ...:
            after = [each for each in parts[place + 1 :] if each is not None]
            axis = len(value.shape) - len(after)
        elif part is not None:
            if type(part) is slice and type(part.step) is int and part.step < 0:
                order = range(value.shape[axis])[part]
                value = keras.ops.take(value, np.asarray(order, "int64"), axis)
                parts[place] = slice(None)
            axis += 1
    return value, tuple(parts) if type(index) is tuple else parts[0]


# Functions of Keras whose parameters are other than those of the row.


def shape(_keras: Any, x: Any) -> Any:
    return KerasOps().shape(x)


def dynamic_shape(keras: Any, x: Any) -> Any:
    return tuple(keras.ops.shape(x))


def shape_tensor(keras: Any, x: Any) -> Any:
    return extents(keras.ops.shape(x))


def reshape(keras: Any, x: Any, newshape: Any) -> Any:
    """A dimension that is not known is the one of the tensor that is not known."""
    unknown = [extent for extent in newshape if extent is None]
    if unknown:
        rest = [n for n in newshape if type(n) is int and n != -1]
        inferred = len(newshape) - len(rest) - len(unknown)
        left, over = divmod(prod(measure.dims(x)), prod(rest))
        # -1 is what remains of the known ones, if the tensor has one that is not known, too.
        untold = inferred > 0 and (over > 0 or KerasOps().shape(x).count(None) != 1)
        if len(unknown) > 1 or inferred > 1 or untold:
            raise refused("a shape whose dimensions cannot be told apart")
        newshape = tuple(-1 if n is None else left if n == -1 else n for n in newshape)
    return keras.ops.reshape(x, newshape)


def einsum(keras: Any, subscripts: str, operands: Any) -> Any:
    return keras.ops.einsum(subscripts, *operands)


def meshgrid(keras: Any, xs: Any, indexing: str) -> Any:
    return keras.ops.meshgrid(*xs, indexing=indexing)


def split(keras: Any, x: Any, indices_or_sections: Any, axis: int) -> Any:
    provider = KerasOps()
    if not provider.compiles or provider.is_followed(x) or type(indices_or_sections) is not int:
        return keras.ops.split(x, indices_or_sections, axis)
    # JAX would compile each part; items of one length it compiles once.
    before = (slice(None),) * measure.axis_in(axis, len(x.shape))
    extent = x.shape[len(before)]
    each, over = divmod(extent, indices_or_sections)
    if over:
        raise refused(f"an axis of {extent} in {indices_or_sections} equal parts")
    places = (part * each for part in range(indices_or_sections))
    return [x[(*before, slice(at, at + each))] for at in places]


def unstack(keras: Any, x: Any, num: Any, axis: int) -> Any:
    provider = KerasOps()
    if not provider.compiles or provider.is_followed(x):
        return keras.ops.unstack(x, num, axis)
    before = (slice(None),) * measure.axis_in(axis, len(x.shape))
    extent = x.shape[len(before)]
    if num not in (None, extent):
        raise refused(f"{num} parts of an axis of {extent}")
    return [x[(*before, place)] for place in range(extent)]


def pad(keras: Any, x: Any, pad_width: Any, mode: str, constant_values: Any) -> Any:
    both = widths(pad_width, len(x.shape))
    constant = 0 if constant_values is None and mode == "constant" else constant_values
    return keras.ops.pad(x, both, mode, constant)


def repeat(keras: Any, x: Any, repeats: Any, axis: Any) -> Any:
    return keras.ops.repeat(x, repeats if type(repeats) is int else np.asarray(repeats), axis)


def _sides(x: Any, size: Any) -> tuple[int, ...]:
    return (size,) * (len(x.shape) - 2) if type(size) is int else tuple(size)


def max_pool(keras: Any, x: Any, size: Any, strides: Any, padding: str, fmt: Any) -> Any:
    size = _sides(x, size)
    return keras.ops.max_pool(x, size, size if strides is None else strides, padding, fmt)


def average_pool(keras: Any, x: Any, size: Any, strides: Any, padding: str, fmt: Any) -> Any:
    size = _sides(x, size)
    return keras.ops.average_pool(x, size, size if strides is None else strides, padding, fmt)


def resize(
    keras: Any, images: Any, size: Any, interpolation: str, antialias: bool, fmt: Any
) -> Any:
    wanted = (size, size) if type(size) is int else size
    # The rule has counted on what a fresh Keras takes for granted.
    layout = fmt or "channels_last"
    return keras.ops.image.resize(images, wanted, interpolation, antialias, data_format=layout)


def linspace(keras: Any, start: Any, stop: Any, num: int, endpoint: bool, dtype: Any) -> Any:
    return keras.ops.linspace(start, stop, num, endpoint, dtype=dtype)


def top_k(keras: Any, x: Any, k: int, sorted: bool) -> Any:
    # JAX gives a list, on which nobody could tell values from indices.
    return tuple(keras.ops.top_k(x, k, sorted))


def fft(keras: Any, x: Any) -> Any:
    return keras.ops.fft(tuple(x))


def fft2(keras: Any, x: Any) -> Any:
    return keras.ops.fft2(tuple(x))


def ifft2(keras: Any, x: Any) -> Any:
    return keras.ops.ifft2(tuple(x))


def irfft(keras: Any, x: Any, fft_length: Any) -> Any:
    return keras.ops.irfft(tuple(x), fft_length)


def logspace(keras: Any, start: Any, stop: Any, num: int, endpoint: bool, base: Any) -> Any:
    return keras.ops.logspace(start, stop, num, endpoint, base)


def arange(keras: Any, start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    # Keras before 3.12 asks for the type of each, of a step that is not given, too.
    return keras.ops.arange(start, stop, 1 if step is None else step, dtype)


def cholesky(keras: Any, x: Any, upper: bool) -> Any:
    return keras.ops.cholesky(x, True) if upper else keras.ops.cholesky(x)  # noqa: FBT003


def eye(keras: Any, N: int, M: int | None, k: int, dtype: Any) -> Any:  # noqa: N803 - Keras's own names
    return keras.ops.eye(N, M, k, dtype or "float32")


def cumsum(keras: Any, x: Any, axis: Any, dtype: Any) -> Any:
    return keras.ops.cumsum(x, axis=axis, dtype=dtype)


def cumprod(keras: Any, x: Any, axis: Any, dtype: Any) -> Any:
    return keras.ops.cumprod(x, axis=axis, dtype=dtype)


def random_normal(keras: Any, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: Any) -> Any:
    return keras.random.normal(shape, mean, stddev, dtype, drawn(keras, seed))


def truncated_normal(keras: Any, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: Any) -> Any:
    return keras.random.truncated_normal(shape, mean, stddev, dtype, drawn(keras, seed))


def random_uniform(keras: Any, shape: Any, minval: Any, maxval: Any, dtype: Any, seed: Any) -> Any:
    return keras.random.uniform(shape, minval, maxval, dtype, drawn(keras, seed))


def clip(keras: Any, x: Any, x_min: Any, x_max: Any) -> Any:
    made = x if x_min is None else keras.ops.maximum(x, x_min)
    return made if x_max is None else keras.ops.minimum(made, x_max)


def where(keras: Any, condition: Any, x1: Any, x2: Any) -> Any:
    return keras.ops.nonzero(condition) if x1 is None else keras.ops.where(condition, x1, x2)


def dtype(keras: Any, x: Any) -> str:
    return str(keras.backend.standardize_dtype(x.dtype))


def cond(keras: Any, condition: Any, then: Any, otherwise: Any) -> Any:
    with compiled.body([condition]):
        try:
            return keras.ops.cond(condition, then, otherwise)
        except SandboxError as error:
            # Keras words errors of functions anew, and forgets what they were.
            own = error.__context__
            raise (own if isinstance(own, SandboxError) else error) from None


def map_(keras: Any, f: Any, xs: Any) -> Any:
    # A backend may follow the function once and then run it for every item.
    account = meter.current()
    again = max(measure.dims(xs)[0] - 1, 0)

    def counted(x: Any) -> Any:
        nonlocal again
        elements, steps = account.elements, account.steps - account.compiled
        made = kinds.tensor(f(x))
        account.array((account.elements - elements) * again)
        account.step((account.steps - account.compiled - steps) * again)
        again = 0
        return made

    with compiled.body([xs]):
        return keras.ops.map(counted, xs)


ADAPTED: dict[str, Callable[..., Any]] = {
    each.__name__.removesuffix("_"): each
    for each in (
        shape, dynamic_shape, shape_tensor, reshape, einsum, meshgrid, split, unstack, pad,
        repeat, max_pool, average_pool, resize, linspace, logspace, arange, cholesky, eye,
        cumsum, cumprod, random_normal, truncated_normal, random_uniform, clip, where, dtype,
        map_, top_k, fft, fft2, ifft2, irfft,
    )
}  # fmt: skip
