"""The operations of restricted functions on Keras's tensors: `keras.ops`, on whatever backend.

This is the provider that `sandbox.facades.ops` describes. Only what `canonical.json` names is ever
looked up, and only in `keras.ops`.
"""

from __future__ import annotations

from functools import cached_property, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.facades import composites
from secure_serial.sandbox.facades.canonical import rows

if TYPE_CHECKING:
    from collections.abc import Callable


class KerasOps:
    """Keras's own operations, for every tensor that is not NumPy's."""

    @cached_property
    def _table(self) -> dict[str, Callable[..., Any]]:
        import keras

        ours = composites.bound(self._namespace(keras))
        # What Keras and the composites both have, is Keras's: it may be one kernel.
        return ours | vars(self._namespace(keras)) | _adapted(keras)

    def _namespace(self, keras: Any) -> SimpleNamespace:
        """What composites build upon."""
        found = {name: getattr(keras.ops, name, None) for name in rows()}
        found = {name: function for name, function in found.items() if function is not None}
        return SimpleNamespace(**(found | _adapted(keras)), cond=keras.ops.cond)

    def find(self, name: str) -> Callable[..., Any] | None:
        """The function for an operation of `canonical.json`; None: this Keras has none."""
        return self._table.get(name) if name in rows() else None

    def is_array(self, value: object) -> bool:
        """Whether this is a tensor of the backend, or a symbolic one of Keras."""
        import keras

        return bool(keras.ops.is_tensor(value)) or isinstance(value, keras.KerasTensor)

    def shape(self, value: Any) -> tuple[int | None, ...]:
        """The shape of a tensor; None where a dimension is not known yet."""
        return tuple(None if extent is None else int(extent) for extent in value.shape)

    def dtype(self, value: Any) -> str:
        """The name of a tensor's type."""
        import keras

        return str(keras.backend.standardize_dtype(value.dtype))

    def known(self, value: Any) -> Any:
        """The NumPy array of a tensor whose values are known by now, else None."""
        import keras

        if isinstance(value, keras.KerasTensor):
            return None
        try:
            return keras.ops.convert_to_numpy(value)
        except Exception:  # noqa: BLE001 - each backend has its own error for a traced tensor
            return None


def _adapted(keras: Any) -> dict[str, Callable[..., Any]]:
    """Functions of Keras whose parameters are other than those of the row."""
    ops = keras.ops

    def einsum(subscripts: str, operands: Any) -> Any:
        return ops.einsum(subscripts, *operands)

    def meshgrid(xs: Any, indexing: str) -> Any:
        return ops.meshgrid(*xs, indexing=indexing)

    def pad(x: Any, pad_width: Any, mode: str, constant_values: Any) -> Any:
        from secure_serial.sandbox.facades.paddings import widths

        both = widths(pad_width, len(x.shape))
        constant = 0 if constant_values is None and mode == "constant" else constant_values
        return ops.pad(x, both, mode, constant)

    def repeat(x: Any, repeats: Any, axis: Any) -> Any:
        return ops.repeat(x, repeats if type(repeats) is int else np.asarray(repeats), axis)

    def pool(function: Any, x: Any, size: Any, strides: Any, padding: str, fmt: Any) -> Any:
        size = (size,) * (len(x.shape) - 2) if type(size) is int else size
        return function(x, size, size if strides is None else strides, padding, fmt)

    def resize(images: Any, size: Any, interpolation: str, antialias: bool, fmt: Any) -> Any:
        wanted = (size, size) if type(size) is int else size
        return ops.image.resize(images, wanted, interpolation, antialias, data_format=fmt)

    def linspace(start: Any, stop: Any, num: int, endpoint: bool) -> Any:
        return ops.linspace(start, stop, num, endpoint)

    def logspace(start: Any, stop: Any, num: int, endpoint: bool, base: Any) -> Any:
        return ops.logspace(start, stop, num, endpoint, base)

    def eye(N: int, M: int | None, k: int, dtype: Any) -> Any:  # noqa: N803 - Keras's own names
        return ops.eye(N, M, k, dtype or "float32")

    def cumulative(function: Any, x: Any, axis: Any, dtype: Any) -> Any:
        return function(x, axis=axis, dtype=dtype)

    def random_normal(shape: Any, mean: Any, stddev: Any, dtype: Any, seed: Any) -> Any:
        return keras.random.normal(shape, mean, stddev, dtype, seed)

    def random_uniform(shape: Any, minval: Any, maxval: Any, dtype: Any, seed: Any) -> Any:
        return keras.random.uniform(shape, minval, maxval, dtype, seed)

    def clip(x: Any, x_min: Any, x_max: Any) -> Any:
        made = x if x_min is None else ops.maximum(x, x_min)
        return made if x_max is None else ops.minimum(made, x_max)

    def where(condition: Any, x1: Any, x2: Any) -> Any:
        return ops.nonzero(condition) if x1 is None else ops.where(condition, x1, x2)

    def dtype(x: Any) -> str:
        return str(keras.backend.standardize_dtype(x.dtype))

    return {
        "einsum": einsum, "meshgrid": meshgrid, "pad": pad, "resize": resize,
        "linspace": linspace, "logspace": logspace, "eye": eye, "where": where, "clip": clip,
        "cumsum": partial(cumulative, ops.cumsum), "cumprod": partial(cumulative, ops.cumprod),
        "random_normal": random_normal, "random_uniform": random_uniform, "dtype": dtype,
        "average_pool": partial(pool, ops.average_pool), "max_pool": partial(pool, ops.max_pool),
        "repeat": repeat,
    }  # fmt: skip
