"""Functions of numbers that TensorFlow has beside those of `keras.ops`. See `composites`."""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from typing import Any

import numpy as np

from secure_serial.sandbox.facades.errors import refused


def xlogy(xp: Any, x: Any, y: Any) -> Any:
    """Zero where x is, whatever the logarithm would be."""
    return _unless_zero(xp, x, lambda: x * xp.log(y))


def xlog1py(xp: Any, x: Any, y: Any) -> Any:
    return _unless_zero(xp, x, lambda: x * xp.log1p(y))


def xdivy(xp: Any, x: Any, y: Any) -> Any:
    return _unless_zero(xp, x, lambda: xp.divide(x, y))


def multiply_no_nan(xp: Any, x: Any, y: Any) -> Any:
    return _unless_zero(xp, y, lambda: xp.multiply(x, y))


def _unless_zero(xp: Any, x: Any, make: Any) -> Any:
    with np.errstate(all="ignore"):
        made = make()
    return xp.where(xp.equal(x, 0), xp.zeros_like(made, None), made)


def reciprocal_no_nan(xp: Any, x: Any) -> Any:
    zero = xp.equal(x, 0)
    return xp.where(zero, xp.zeros_like(x, None), 1 / xp.where(zero, xp.ones_like(x, None), x))


def polynomial(xp: Any, coeffs: Any, x: Any) -> Any:
    """Horner's: the first coefficient is that of the highest power."""
    if not coeffs:
        raise refused("a polynomial without coefficients")
    made = coeffs[0]
    for each in coeffs[1:]:
        made = each + xp.multiply(made, x)
    return made


def zero_fraction(xp: Any, x: Any) -> Any:
    return xp.mean(xp.cast(xp.equal(x, 0), "float32"), None, False)  # noqa: FBT003 - keepdims


def crelu(xp: Any, x: Any, axis: Any) -> Any:
    return xp.concatenate([xp.relu(x), xp.relu(-x)], axis)


def complex_of(xp: Any, real: Any, imag: Any) -> Any:
    """A complex number of two, exactly."""
    if not hasattr(xp, "view_as_complex"):
        made = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), _complex(real, imag))
        made.real, made.imag = real, imag
        return made
    return xp.view_as_complex(xp.stack([real, imag], -1))


def _complex(*parts: Any) -> str:
    kinds = {np.asarray(part).dtype.name for part in parts if not isinstance(part, float)}
    return "complex128" if "float64" in kinds else "complex64"


def ensure_shape(xp: Any, x: Any, shape: Any) -> Any:
    """The array, if it has that shape as far as it is known."""
    there = xp.shape(x)
    if len(there) != len(shape) or any(
        type(one) is int and type(other) is int and one != other
        for one, other in zip(there, shape, strict=True)
    ):
        raise refused("an array of another shape than ensure_shape says")
    return x


def to_categorical(xp: Any, x: Any, num_classes: Any, dtype: Any) -> Any:
    """A last axis of one is no axis."""
    shape = xp.shape(x)
    x = xp.squeeze(x, -1) if len(shape) > 1 and shape[-1] == 1 else x
    return xp.one_hot(x, num_classes, -1, dtype or "float32")


def normalize_by(xp: Any, x: Any, axis: Any, order: Any) -> Any:
    """Keras's `utils.normalize`: what has no length stays as it is."""
    norms = xp.norm(x, order, axis, True)  # noqa: FBT003 - keepdims
    return x / xp.where(xp.equal(norms, 0), xp.ones_like(norms, None), norms)


def dropout(xp: Any, x: Any, rate: Any, keep_prob: Any, seed: Any) -> Any:
    """TensorFlow's drops whether a model trains or not."""
    if (rate is None) == (keep_prob is None):
        raise refused("dropout takes a rate, or what it keeps")
    rate = 1 - keep_prob if rate is None else rate
    if not 0 <= rate < 1:
        raise refused("a rate that is not between 0 and 1")
    drawn = xp.random_uniform(xp.dynamic_shape(x), 0.0, 1.0, None, seed)
    return xp.where(drawn >= rate, x / (1 - rate), xp.zeros_like(x, None))


def random_bernoulli(xp: Any, shape: Any, p: Any, dtype: Any, seed: Any) -> Any:
    drawn = xp.random_uniform(shape, 0.0, 1.0, None, seed)
    return xp.cast(drawn <= p, dtype or "float32")


FUNCTIONS = {
    each.__name__: each
    for each in (
        xlogy, xlog1py, xdivy, multiply_no_nan, reciprocal_no_nan, polynomial, zero_fraction, crelu,
        complex_of, ensure_shape, to_categorical, normalize_by, dropout, random_bernoulli,
    )
}  # fmt: skip
