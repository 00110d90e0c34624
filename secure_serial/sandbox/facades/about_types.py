"""What the numeric types have: TensorFlow's and NumPy's attributes of them, and NumPy's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.facades.dtypes import DTYPES, dtype
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.facade import Facade
from secure_serial.sandbox.values import Builtin

if TYPE_CHECKING:
    from collections.abc import Callable

#: The largest number of bfloat16, which NumPy does not know: 8 bits of it are for the fraction.
_BFLOAT16 = float((2 - 2**-7) * 2.0**127)
_SIZES = {"bool": 1, "bfloat16": 2, "complex64": 8, "complex128": 16}


def _is_float(name: str) -> bool:
    return "float" in name


def _is_whole(name: str) -> bool:
    return "int" in name


def _most(name: str) -> Any:
    if name == "bfloat16":
        return _BFLOAT16
    return float(np.finfo(name).max) if _is_float(name) else int(np.iinfo(name).max)


def _least(name: str) -> Any:
    return -_most(name) if _is_float(name) else int(np.iinfo(name).min)


def _bytes(name: str) -> int:
    return _SIZES.get(name) or int(name.lstrip("abcdefghijklmnopqrstuvwxyz")) // 8


#: Attributes of a type. A type is its name here: so are those that are types.
ATTRIBUTES: dict[str, Callable[[str], Any]] = {
    "name": str,
    "base_dtype": str,
    "as_numpy_dtype": str,
    "max": _most,
    "min": _least,
    "size": _bytes,
    "itemsize": _bytes,
    "is_floating": _is_float,
    "is_integer": _is_whole,
    "is_complex": lambda name: name.startswith("complex"),
    "is_bool": lambda name: name == "bool",
    "is_unsigned": lambda name: name.startswith("uint"),
}


def attribute(name: str, wanted: str) -> Any:
    """An attribute of a type by its name.

    >>> attribute("float32", "max"), attribute("uint8", "max"), attribute("int8", "is_floating")
    (3.4028234663852886e+38, 255, False)
    """
    if name not in DTYPES:
        raise refused(f"{wanted[:60]} of a text that is no type's name")
    if wanted in ("max", "min") and not (_is_float(name) or _is_whole(name)):
        raise refused(f"{wanted} of {name}")
    return ATTRIBUTES[wanted](name)


#: What `np.finfo` and `np.iinfo` tell. All are scalars of NumPy's, or numbers.
_LIMITS = {
    "finfo": ("eps", "epsneg", "max", "min", "tiny", "smallest_normal", "resolution", "bits"),
    "iinfo": ("max", "min", "bits"),
}
#: Python's own types are of 64 bits to NumPy.
_PYTHON: dict[tuple[type, ...], str] = {(float,): "float64", (int,): "int64"}
_WIDE = {"float": "float64", "int": "int64"}


class Limits:
    """`np.finfo` or `np.iinfo`, as restricted code holds it."""

    __slots__ = ("_known", "_label", "_read")

    def __init__(self, label: str, name: str) -> None:
        self._label = label
        self._read: Callable[[str], Any] = {"finfo": np.finfo, "iinfo": np.iinfo}[name]
        self._known = _LIMITS[name]

    def __repr__(self) -> str:
        return f"<function {self._label}>"

    def __call__(self, of: Any, /) -> Facade:
        """A table of the limits of a type, or of an array's."""
        name = _named(of)
        try:
            limits = self._read(name)
        except ValueError:
            raise refused(f"{self._label} of {name}") from None
        members = {each: {"value": getattr(limits, each)} for each in self._known}
        return Facade(f"{self._label}({name})", {**members, "dtype": {"value": name}})


def _named(of: Any) -> str:
    if type(of) is np.ndarray or isinstance(of, np.generic):
        return str(of.dtype.name)
    if type(of) is Builtin and of.types[:1] in _PYTHON:
        return _PYTHON[of.types[:1]]
    return _WIDE[of] if type(of) is str and of in _WIDE else dtype(of)
