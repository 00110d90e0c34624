"""Windows over images in NumPy: pooling. Convolutions are Keras's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from collections.abc import Callable


def table() -> dict[str, Callable[..., Any]]:
    """The functions by the names of `canonical.json`."""
    return {"max_pool": max_pool, "average_pool": average_pool}


def max_pool(inputs: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any) -> Any:
    """The largest item of each window."""
    return _pool(inputs, pool_size, strides, padding, data_format, np.nanmax)


def average_pool(inputs: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any) -> Any:
    """The mean of each window; what "same" adds does not count, as in Keras."""
    return _pool(inputs, pool_size, strides, padding, data_format, np.nanmean)


def _pool(x: Any, size: Any, strides: Any, padding: Any, data_format: Any, reduce: Any) -> Any:
    first = data_format == "channels_first"
    if first:
        x = np.moveaxis(x, 1, -1)
    rank = x.ndim - 2
    size = (size,) * rank if isinstance(size, int) else tuple(size)
    strides = size if strides is None else strides
    strides = (strides,) * rank if isinstance(strides, int) else tuple(strides)
    dtype = x.dtype
    if padding == "same":
        x = _same(x.astype(dtype if dtype.kind == "f" else "f4"), size, strides)
    axes = tuple(range(1, rank + 1))
    windows = sliding_window_view(x, size, axis=axes)
    windows = windows[(slice(None), *(slice(None, None, step) for step in strides))]
    made = reduce(windows, axis=tuple(range(-rank, 0))).astype(dtype)
    return np.moveaxis(made, -1, 1) if first else made


def _same(x: Any, size: Any, strides: Any) -> Any:
    """Pad with what no reduction counts, as TensorFlow does: the odd one behind."""
    missing = [
        max((-(-n // step) - 1) * step + window - n, 0)
        for n, window, step in zip(x.shape[1:-1], size, strides, strict=True)
    ]
    around = [(0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)]
    return np.pad(x, around, constant_values=np.nan)
