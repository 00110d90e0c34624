"""Attributes and methods of arrays, and of shapes: the same operations, value first."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import about_types, kinds, measure, ops, rows
from secure_serial.sandbox.facades.errors import kind_of, refused
from secure_serial.sandbox.facades.offered import Offered

if TYPE_CHECKING:
    from collections.abc import Callable

#: A method, as the data files write functions. The first parameter is the array itself. NumPy's
#: and TensorFlow's; `reshape`, `transpose` and their like take their sizes one by one, too.
_METHODS = {
    **{name: f"{name}(x axis keepdims)" for name in (
        "sum", "mean", "max", "min", "any", "all", "prod", "argmax", "argmin")},
    "std": "std_of(x axis keepdims ~ddof)",
    "var": "var_of(x axis keepdims ~ddof)",
    "astype": "cast(x dtype)",
    "clip": "clip(x x_min:min|a_min=null x_max:max|a_max=null)",
    "round": "round(x decimals)",
    "cumsum": "cumsum(x axis dtype)",
    "cumprod": "cumprod(x axis dtype)",
    "reshape": "reshape(x newshape:shape)",
    "transpose": "transpose(x axes)",
    "flatten": "reshape(x !newshape=[-1])",
    "ravel": "ravel(x)",
    "squeeze": "squeeze(x axis)",
    "swapaxes": "swapaxes(x axis1 axis2)",
    "repeat": "repeat(x repeats axis)",
    "copy": "copy(x)",
    "take": "take(x indices axis)",
    "dot": "dot(x1:x x2:b)",
    "diagonal": "diagonal(x offset axis1 axis2)",
    "trace": "trace(x offset axis1 axis2)",
    "conj": "conj(x)",
    "nonzero": "nonzero(x)",
    "argsort": "argsort(x axis)",
}  # fmt: skip
#: These take several numbers where others take one sequence.
_SPREAD = frozenset({"reshape", "transpose"})
_ATTRIBUTES = "T dtype ndim shape size"


class Method:
    """A method of one array, as restricted code holds it. It has nothing but its call."""

    __slots__ = ("_function", "_spread", "_value")

    def __init__(self, value: Any, function: Callable[..., Any], *, spread: bool) -> None:
        self._value = value
        self._function = function
        self._spread = spread

    def __repr__(self) -> str:
        return "<method of an array>"

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the operation with the array first."""
        if self._spread and args and type(args[0]) not in (tuple, list):
            args = (args,)
        return self._function(self._value, *args, **named)


@cache
def _function(name: str, *, wide: bool) -> Offered:
    # NumPy's arrays keep NumPy's types (a mean of whole numbers has 64 bits).
    return Offered(f"{'np.array' if wide else 'tensor'}.{name}", rows.parse(_METHODS[name]))


def _tolist(value: Any) -> Any:
    if type(value) is not np.ndarray and not isinstance(value, np.generic):
        raise refused("tolist of a tensor whose values are not known")
    meter.current().container(value.size)
    return value.tolist()


def _item(value: Any) -> Any:
    if measure.count(value) != 1 or not isinstance(value, np.ndarray | np.generic):
        raise refused("item of something else than one known number")
    return value.item()


def _as_list(value: Any) -> list[Any]:
    meter.current().container(len(value))
    return list(value)


_OTHERS: dict[str, Callable[[Any], Any]] = {
    "tolist": _tolist, "item": _item, "get_shape": lambda value: attribute(value, "shape"),
}  # fmt: skip


def method(value: Any, name: str) -> Method:
    """A method of an array; of a shape, TensorFlow's `as_list`.

    >>> method((None, 3), "as_list")
    <method of an array>
    """
    if type(value) is tuple and name == "as_list":
        return Method(value, _as_list, spread=False)
    kinds.array(value)
    if name in _OTHERS:
        return Method(value, _OTHERS[name], spread=False)
    if name in _METHODS:
        function = _function(name, wide=isinstance(value, np.ndarray | np.generic))
        return Method(value, function, spread=name in _SPREAD)
    raise refused(
        f"arrays have no {name[:60]} for restricted code",
        help=f"they have {_ATTRIBUTES}, {', '.join(sorted({*_METHODS, *_OTHERS}))}",
    )


def has_method(name: str) -> bool:
    """Whether arrays have a method of this name."""
    return name in _METHODS or name in _OTHERS


def attribute(value: Any, name: str) -> Any:
    """An attribute of an array; of a shape, TensorFlow's `ndims` and `rank`; of a size, `value`.

    >>> import numpy as np
    >>> attribute(np.zeros((2, 3)), "shape"), attribute(np.float32(1), "dtype")
    ((2, 3), 'float32')
    """
    kind = type(value)
    if kind is str:
        return about_types.attribute(value, name)
    if kind in _PARTS_OF_SHAPES:
        return _of_shape(value, name)
    if not kinds.is_array(value):
        raise refused(f"{name[:60]} of a value of type {kind_of(value)}")
    if name == "shape":
        return _shape(value)
    if name == "ndim":
        return len(_shape(value))
    if name == "dtype":
        native = isinstance(value, np.ndarray | np.generic)
        # As `tf.float32` is: one is the other.
        return sys.intern(str(value.dtype.name) if native else ops.active.get().dtype(value))
    if name == "size":
        return measure.count(value)
    if name == "T":
        return _function("transpose", wide=isinstance(value, np.ndarray | np.generic))(value)
    if name in ("real", "imag") and isinstance(value, np.ndarray | np.generic):
        return getattr(kinds.array(value), name)
    raise refused(
        f"arrays have no {name[:60]} for restricted code", help=f"they have {_ATTRIBUTES}"
    )


#: What TensorFlow's `top_k` gives, by name.
_BEST = ("values", "indices")
_PARTS_OF_SHAPES = frozenset({tuple, int, type(None)})


def _of_shape(value: Any, name: str) -> Any:
    """An attribute of a shape, of a size, or of what `top_k` gives."""
    kind = type(value)
    if kind is tuple and name in _BEST:
        return _best(value, name)
    if kind is tuple and name in ("ndims", "rank"):
        return len(value)
    if kind is not tuple and name == "value":
        return value
    raise refused(f"{name[:60]} of a value of type {kind_of(value)}")


def _best(value: tuple[Any, ...], name: str) -> Any:
    """One of the two arrays that `top_k` gives; here they are a pair without names."""
    if len(value) == len(_BEST) and all(map(kinds.is_array, value)):
        shapes = {_shape(each) for each in value}
        if len(shapes) == 1 and "int" in attribute(value[1], "dtype"):
            return value[_BEST.index(name)]
    raise refused(f"{name} of a tuple that is not what top_k gives")


def has_attribute(name: str) -> bool:
    """Whether arrays, shapes or sizes have an attribute of this name."""
    return name in (*_ATTRIBUTES.split(), "real", "imag", "ndims", "rank", "value")


def _shape(value: Any) -> tuple[int | None, ...]:
    if isinstance(value, np.ndarray | np.generic):
        return value.shape
    return ops.active.get().shape(value)
