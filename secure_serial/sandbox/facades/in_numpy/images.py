"""Windows over images in NumPy: pooling, and convolutions."""

from __future__ import annotations

from functools import reduce
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.in_numpy.activations import as_float

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def table() -> dict[str, Callable[..., Any]]:
    """The functions by the names of `canonical.json`."""
    return {
        "max_pool": max_pool, "average_pool": average_pool, "conv": conv,
        "depthwise_conv": depthwise_conv,
    }  # fmt: skip


def max_pool(inputs: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any) -> Any:
    """The largest item of each window."""
    first = data_format == "channels_first"
    x = np.moveaxis(inputs, 1, -1) if first else inputs
    size, steps = _sides(x, pool_size, strides)
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    made = reduce(np.maximum, _looks(_padded(x, size, steps, padding, least), size, steps))
    return np.moveaxis(made, -1, 1) if first else made


def average_pool(inputs: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any) -> Any:
    """The mean of each window; what "same" adds does not count, as in Keras."""
    first = data_format == "channels_first"
    x = np.moveaxis(inputs, 1, -1) if first else inputs
    size, steps = _sides(x, pool_size, strides)
    total = reduce(np.add, _looks(_padded(x, size, steps, padding, 0), size, steps))
    there = _padded(np.ones((1, *x.shape[1:-1], 1), "float32"), size, steps, padding, 0)
    made = (total / reduce(np.add, _looks(there, size, steps))).astype(x.dtype)
    return np.moveaxis(made, -1, 1) if first else made


def conv(
    inputs: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any
) -> Any:
    """Each filter at each place; all channels are seen by all filters."""

    def part(look: Any, weights: Any) -> Any:
        # One product of matrices, whatever the image looks like.
        flat = look.reshape((-1, look.shape[-1])) @ weights
        return flat.reshape((*look.shape[:-1], weights.shape[-1]))

    return _filtered(inputs, kernel, (strides, dilation_rate), (padding, data_format), part)


def depthwise_conv(
    inputs: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any
) -> Any:
    """Each channel by filters of its own."""

    def part(look: Any, weights: Any) -> Any:
        return (look[..., None] * weights).reshape((*look.shape[:-1], weights.size))

    return _filtered(inputs, kernel, (strides, dilation_rate), (padding, data_format), part)


def _filtered(
    inputs: Any, kernel: Any, steps: Any, how: Any, part: Callable[[Any, Any], Any]
) -> Any:
    """The sum of what each place of a kernel makes of what it sees."""
    padding, data_format = how
    first = data_format == "channels_first"
    x = as_float(np.moveaxis(inputs, 1, -1) if first else inputs)
    if x.shape[-1] != kernel.shape[-2]:
        raise refused("a kernel for another number of channels")
    size, strides = _sides(x, kernel.shape[:-2], steps[0])
    _, rate = _sides(x, size, steps[1])
    window = tuple((n - 1) * step + 1 for n, step in zip(size, rate, strict=True))
    looks = _looks(_padded(x, window, strides, padding, 0), window, strides, rate)
    weights = kernel.reshape((-1, *kernel.shape[-2:]))
    made = reduce(np.add, (part(*each) for each in zip(looks, weights, strict=True)))
    return np.moveaxis(made, -1, 1) if first else made


def _sides(x: Any, size: Any, strides: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    rank = x.ndim - 2
    size = (size,) * rank if isinstance(size, int) else tuple(size)
    strides = size if strides is None else strides
    return size, (strides,) * rank if isinstance(strides, int) else tuple(strides)


def _padded(x: Any, size: Any, strides: Any, padding: Any, value: Any) -> Any:
    """As TensorFlow does "same": the odd one behind."""
    if padding != "same":
        return x
    missing = [
        max((-(-n // step) - 1) * step + window - n, 0)
        for n, window, step in zip(x.shape[1:-1], size, strides, strict=True)
    ]
    around = [(0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)]
    return np.pad(x, around, constant_values=value)


def _looks(x: Any, size: Any, strides: Any, rate: Any = None) -> Iterator[Any]:
    """For each place in a window, or each so many, what stands there in all windows: no copy."""
    counts = [(n - w) // s + 1 for n, w, s in zip(x.shape[1:-1], size, strides, strict=True)]
    if min(counts) < 1:
        raise refused("a window that is larger than the image")
    rate = rate or (1,) * len(size)
    for places in product(*(range(0, n, step) for n, step in zip(size, rate, strict=True))):
        parts = (
            slice(at, at + (many - 1) * step + 1, step)
            for at, many, step in zip(places, counts, strides, strict=True)
        )
        yield x[(slice(None), *parts)]
