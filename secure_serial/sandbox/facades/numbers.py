"""The functions of `math`, on single numbers, bounded before the work."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.errors import SandboxError
from secure_serial.sandbox import meter
from secure_serial.sandbox.facades.errors import failed, kind_of, refused

if TYPE_CHECKING:
    from collections.abc import Callable

#: What `math` computes at once, whatever the number, once the number's own bits are bounded.
_DIRECT = """
acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh degrees dist erf erfc exp
exp2 expm1 fabs floor fmod frexp fsum gamma gcd hypot isclose isfinite isinf isnan isqrt ldexp
lgamma log log10 log1p log2 modf pow prod radians remainder sin sinh sqrt tan tanh trunc lcm
""".split()  # noqa: SIM905 - a name a line would hide the rest


def _factorial(n: Any) -> Any:
    meter.current().integer(int(n * math.log2(n + 2)))
    return math.factorial(n)


def _comb(n: Any, k: Any) -> Any:
    meter.current().integer(min(k, max(n - k, 0)) * n.bit_length())
    return math.comb(n, k)


def _perm(n: Any, k: Any = None) -> Any:
    meter.current().integer((n if k is None else k) * n.bit_length())
    return math.perm(n, k)


def _lcm(*values: Any) -> Any:
    meter.current().integer(sum(value.bit_length() for value in values))
    return math.lcm(*values)


def _prod(values: Any, start: Any = 1) -> Any:
    bits = sum(v.bit_length() for v in (*values, start) if type(v) is int)
    meter.current().integer(bits)
    return math.prod(values, start=start)


_BOUNDED: dict[str, Callable[..., Any]] = {
    "factorial": _factorial,
    "comb": _comb,
    "perm": _perm,
    "lcm": _lcm,
    "prod": _prod,
}


class Number:
    """A function of `math`, as restricted code holds it."""

    __slots__ = ("_function", "_label")

    def __init__(self, label: str, name: str) -> None:
        if name not in _DIRECT and name not in _BOUNDED:
            raise KeyError(name)
        self._label = label
        self._function: Callable[..., Any] = _BOUNDED.get(name) or getattr(math, name)

    def __repr__(self) -> str:
        return f"<function {self._label}>"

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Compute, of numbers alone."""
        checked = [_number(value) for value in args]
        tolerances = {name: _number(value) for name, value in named.items()}
        try:
            return self._function(*checked, **tolerances)
        except SandboxError:
            raise
        except Exception as error:
            raise failed(self._label, error) from error


def _number(value: Any, *, inside: bool = False) -> Any:
    """A number, or a sequence of numbers."""
    kind = type(value)
    if kind is float or kind is bool:
        return value
    if kind is int:
        meter.current().integer(value.bit_length())
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "iufb":
        return value.item()
    if kind is np.ndarray and value.ndim == 0 and value.dtype.kind in "iufb":
        return value.item()
    if (kind is tuple or kind is list) and not inside:
        meter.current().container(len(value))
        return tuple(_number(item, inside=True) for item in value)
    raise refused(f"a value of type {kind_of(value)} where a number stands")


#: What Keras is set to where nobody changed it; `tensorflow`, since what was written for another
#: backend took it for granted, and every facade computes as TensorFlow does.
_SETTINGS = {
    "epsilon": 1e-7,
    "floatx": "float32",
    "image_data_format": "channels_last",
    "image_dim_ordering": "tf",
    "backend": "tensorflow",
}


class Setting:
    """A function without parameters that tells a setting of Keras."""

    __slots__ = ("_label", "_value")

    def __init__(self, label: str, name: str) -> None:
        self._label = label
        self._value = _SETTINGS[name]

    def __repr__(self) -> str:
        return f"<function {self._label}>"

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The setting."""
        if args or named:
            raise refused(f"{self._label} takes no values")
        return self._value
