"""Losses of TensorFlow and Keras, as functions of their own. See `composites`."""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from typing import Any

import numpy as np

from secure_serial.sandbox.facades.composites.places import fits_all
from secure_serial.sandbox.facades.errors import refused

#: Keras's epsilon.
_LEAST = 1e-7


def sigmoid_crossentropy(xp: Any, labels: Any, logits: Any) -> Any:
    rest = xp.log1p(xp.exp(-xp.abs(logits)))
    return xp.maximum(logits, 0) - logits * labels + rest


def weighted_crossentropy(xp: Any, labels: Any, logits: Any, pos_weight: Any) -> Any:
    weight = (pos_weight - 1) * labels + 1
    rest = xp.log1p(xp.exp(-xp.abs(logits))) + xp.maximum(-logits, 0)
    return (1 - labels) * logits + weight * rest


def softmax_crossentropy(xp: Any, labels: Any, logits: Any, axis: Any) -> Any:
    return -xp.sum(labels * xp.log_softmax(logits, axis), axis, False)  # noqa: FBT003 - keepdims


def sparse_softmax_crossentropy(xp: Any, labels: Any, logits: Any) -> Any:
    """Of the class that each label names."""
    classes = xp.shape(logits)[-1]
    fits_all(xp.shape(labels), xp.shape(logits)[:-1], "labels")
    known = labels if isinstance(labels, np.ndarray) else np.zeros(1)
    if known.size and (known.min() < 0 or known.max() >= classes):
        raise refused(f"a label that is none of {classes} classes")
    picked = xp.expand_dims(xp.cast(labels, "int32"), -1)
    made = xp.take_along_axis(xp.log_softmax(logits, -1), picked, -1)
    return -xp.squeeze(made, -1)


def sparse_crossentropy(xp: Any, target: Any, output: Any, from_logits: Any, axis: Any) -> Any:
    """Keras 2's: probabilities are clipped, and add up to one again."""
    rank = len(xp.shape(output))
    if axis not in (-1, rank - 1):
        raise refused("classes along another axis than the last one")
    if not from_logits:
        output = xp.log(xp.clip(output, _LEAST, 1 - _LEAST))
    if len(xp.shape(target)) == rank:
        target = xp.squeeze(target, -1)
    return sparse_softmax_crossentropy(xp, target, output)


def in_top_k_of(xp: Any, targets: Any, predictions: Any, k: Any) -> Any:
    """Whether fewer than k classes are more likely; what is no number says no."""
    fits_all(xp.shape(targets), xp.shape(predictions)[:-1], "targets")
    picked = xp.take_along_axis(predictions, xp.expand_dims(xp.cast(targets, "int32"), -1), -1)
    more = xp.sum(xp.cast(predictions > picked, "int32"), -1, False)  # noqa: FBT003 - keepdims
    there = xp.all(xp.isfinite(predictions), -1, False)  # noqa: FBT003 - keepdims
    return xp.logical_and(more < k, there)


def l2_loss(xp: Any, x: Any) -> Any:
    return xp.sum(x * x, None, False) / 2  # noqa: FBT003 - keepdims


def _mean(xp: Any, x: Any) -> Any:
    return xp.mean(x, -1, False)  # noqa: FBT003 - keepdims


def mean_squared_error(xp: Any, y_true: Any, y_pred: Any) -> Any:
    return _mean(xp, xp.square(y_pred - y_true))


def mean_absolute_error(xp: Any, y_true: Any, y_pred: Any) -> Any:
    return _mean(xp, xp.abs(y_pred - y_true))


def mean_absolute_percentage_error(xp: Any, y_true: Any, y_pred: Any) -> Any:
    return 100.0 * _mean(xp, xp.abs((y_true - y_pred) / xp.maximum(xp.abs(y_true), _LEAST)))


def mean_squared_logarithmic_error(xp: Any, y_true: Any, y_pred: Any) -> Any:
    one, other = (xp.log(xp.maximum(each, _LEAST) + 1.0) for each in (y_pred, y_true))
    return _mean(xp, xp.square(one - other))


def cosine_similarity(xp: Any, y_true: Any, y_pred: Any, axis: Any) -> Any:
    """Less than zero for what is alike: it is a loss."""
    one, other = (
        each / xp.sqrt(xp.maximum(xp.sum(each * each, axis, True), 1e-12))  # noqa: FBT003
        for each in (y_true, y_pred)
    )
    return -xp.sum(one * other, axis, False)  # noqa: FBT003 - keepdims


def huber(xp: Any, y_true: Any, y_pred: Any, delta: Any) -> Any:
    apart = xp.abs(y_pred - y_true)
    made = xp.where(apart <= delta, 0.5 * apart * apart, delta * apart - 0.5 * delta * delta)
    return _mean(xp, made)


def log_cosh(xp: Any, y_true: Any, y_pred: Any) -> Any:
    apart = y_pred - y_true
    return _mean(xp, apart + xp.softplus(-2.0 * apart) - float(np.log(2.0)))


def kl_divergence(xp: Any, y_true: Any, y_pred: Any) -> Any:
    one, other = (xp.clip(each, _LEAST, 1.0) for each in (y_true, y_pred))
    return xp.sum(one * xp.log(one / other), -1, False)  # noqa: FBT003 - keepdims


def poisson(xp: Any, y_true: Any, y_pred: Any) -> Any:
    return _mean(xp, y_pred - y_true * xp.log(y_pred + _LEAST))


def mean_binary_crossentropy(xp: Any, y_true: Any, y_pred: Any, from_logits: Any) -> Any:
    return _mean(xp, xp.binary_crossentropy(y_true, y_pred, from_logits))


LOSSES = {
    name: value
    for name, value in list(globals().items())
    if getattr(value, "__module__", None) == __name__ and not name.startswith("_")
}
