"""Activations and losses in NumPy: see `operations`."""

# ruff: noqa: D103 - they are what `keras.ops` documents under the same names

from __future__ import annotations

import math
from typing import Any

import numpy as np


def as_float(x: Any) -> Any:
    """Floats stay, all else becomes float32, as in Keras."""
    made = np.asarray(x)
    return made if made.dtype.kind in "fc" or made.dtype.name == "bfloat16" else made.astype("f4")


def rsqrt(x: Any) -> Any:
    return 1 / np.sqrt(x)


def sigmoid(x: Any) -> Any:
    # Of half the argument: no exponential that overflows.
    return 0.5 * (np.tanh(0.5 * as_float(x)) + 1)


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def relu6(x: Any) -> Any:
    return np.clip(x, 0, 6)


def softplus(x: Any) -> Any:
    return np.logaddexp(as_float(x), np.asarray(0, as_float(x).dtype))


def softsign(x: Any) -> Any:
    return as_float(x) / (1 + np.abs(x))


def silu(x: Any) -> Any:
    return x * sigmoid(x)


def log_sigmoid(x: Any) -> Any:
    return -softplus(-as_float(x))


def elu(x: Any, alpha: Any) -> Any:
    x = as_float(x)
    return np.where(x > 0, x, (alpha * np.expm1(np.minimum(x, 0))).astype(x.dtype))


def selu(x: Any) -> Any:
    return np.asarray(1.0507009873554805, as_float(x).dtype) * elu(x, 1.6732632423543772)


def celu(x: Any, alpha: Any) -> Any:
    x = as_float(x)
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) / alpha)


def hard_sigmoid(x: Any) -> Any:
    return np.clip(as_float(x) / 6 + 0.5, 0, 1)


def hard_silu(x: Any) -> Any:
    return x * hard_sigmoid(x)


def hard_tanh(x: Any) -> Any:
    return np.clip(x, -1, 1)


def tanh_shrink(x: Any) -> Any:
    return x - np.tanh(x)


def sparse_sigmoid(x: Any) -> Any:
    return np.clip(0.5 * (as_float(x) + 1), 0, 1)


def sparse_plus(x: Any) -> Any:
    x = as_float(x)
    return np.where(x <= -1, np.zeros_like(x), np.where(x < 1, 0.25 * (x + 1) ** 2, x))


def soft_shrink(x: Any, threshold: Any) -> Any:
    x = as_float(x)
    return np.where(x > threshold, x - threshold, np.where(x < -threshold, x + threshold, 0 * x))


def hard_shrink(x: Any, threshold: Any) -> Any:
    x = as_float(x)
    return np.where(np.abs(x) > threshold, x, np.zeros_like(x))


def threshold(x: Any, threshold: Any, default_value: Any) -> Any:
    x = np.asarray(x)
    return np.where(x > threshold, x, np.asarray(default_value, x.dtype))


def squareplus(x: Any, b: Any) -> Any:
    x = as_float(x)
    return (x + np.sqrt(x * x + b)) / 2


def leaky_relu(x: Any, negative_slope: Any) -> Any:
    x = as_float(x)
    return np.maximum(x, 0) + negative_slope * np.minimum(x, 0)


def gelu(x: Any, approximate: Any) -> Any:
    x = as_float(x)
    if approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def glu(x: Any, axis: Any) -> Any:
    one, other = np.split(x, 2, axis)
    return one * sigmoid(other)


def erf(x: Any) -> Any:
    # NumPy has none. `sizes.slow` has counted a step for every eight items.
    x = as_float(x)
    made = np.fromiter(map(math.erf, x.ravel().tolist()), dtype=np.float64, count=x.size)
    return made.reshape(x.shape).astype(x.dtype)


def softmax(x: Any, axis: Any) -> Any:
    x = as_float(x)
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: Any) -> Any:
    x = as_float(x)
    return x - logsumexp(x, axis, keepdims=True)


def logsumexp(x: Any, axis: Any, keepdims: Any) -> Any:
    x = as_float(x)
    top = np.max(x, axis=axis, keepdims=True)
    made = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return made if keepdims else np.squeeze(made, axis)


def binary_crossentropy(target: Any, output: Any, from_logits: Any) -> Any:
    output = np.clip(sigmoid(output) if from_logits else as_float(output), 1e-7, 1 - 1e-7)
    return -(target * np.log(output) + (1 - np.asarray(target)) * np.log(1 - output))


def categorical_crossentropy(target: Any, output: Any, from_logits: Any, axis: Any) -> Any:
    if from_logits:
        return -np.sum(target * log_softmax(output, axis), axis=axis)
    output = as_float(output)
    output = output / np.sum(output, axis=axis, keepdims=True)
    return -np.sum(target * np.log(np.clip(output, 1e-7, 1 - 1e-7)), axis=axis)


ACTIVATIONS = {
    name: value
    for name, value in list(globals().items())
    if getattr(value, "__module__", None) == __name__ and name != "as_float"
}
