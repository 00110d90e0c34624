"""Pooling and convolutions as TensorFlow and old Keras call them. See `composites`."""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from typing import Any

from secure_serial.sandbox.facades.charges.windows import sides
from secure_serial.sandbox.facades.errors import refused


def pool(  # noqa: PLR0917 - as the row has them
    xp: Any, x: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any, pool_mode: Any
) -> Any:
    function = xp.max_pool if pool_mode == "max" else xp.average_pool
    rank = len(xp.shape(x)) - 2
    size, steps = (sides(each, rank, data_format) for each in (pool_size, strides))
    return function(x, size, steps, padding, data_format)


def conv_of(  # noqa: PLR0917 - as the row has them
    xp: Any, x: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any
) -> Any:
    if padding == "causal":
        if len(xp.shape(x)) != 3 or data_format == "channels_first":  # noqa: PLR2004 - a series
            raise refused("a causal convolution of something else than series")
        (rate,) = sides(dilation_rate, 1, data_format)
        before = rate * (xp.shape(kernel)[0] - 1)
        x, padding = xp.pad(x, ((0, 0), (before, 0), (0, 0)), "constant", None), "valid"
    return _filtered(xp, xp.conv, x, kernel, (strides, dilation_rate), (padding, data_format))


def depthwise_conv_of(  # noqa: PLR0917 - as the row has them
    xp: Any, x: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any
) -> Any:
    function = xp.depthwise_conv
    return _filtered(xp, function, x, kernel, (strides, dilation_rate), (padding, data_format))


def separable_conv_of(  # noqa: PLR0917 - as the row has them
    xp: Any, x: Any, depthwise: Any, pointwise: Any, strides: Any, padding: Any, data_format: Any,
    dilation_rate: Any,
) -> Any:  # fmt: skip
    made = depthwise_conv_of(xp, x, depthwise, strides, padding, data_format, dilation_rate)
    return conv_of(xp, made, pointwise, 1, "valid", data_format, 1)


def _filtered(xp: Any, function: Any, x: Any, kernel: Any, steps: Any, how: Any) -> Any:
    padding, data_format = how
    rank = len(xp.shape(x)) - 2
    strides, rate = (sides(each, rank, data_format) for each in steps)
    return function(x, kernel, strides, padding, data_format, rate)


WINDOWS = {each.__name__: each for each in (pool, conv_of, depthwise_conv_of, separable_conv_of)}
