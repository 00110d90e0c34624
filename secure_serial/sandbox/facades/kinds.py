"""What may stand in a parameter, by kind: each value is checked by its exact type.

A check gives back the value to compute with, or raises `SandboxError`. Sequences are copied into
tuples, so that nobody can change them between the check and the work.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import ops
from secure_serial.sandbox.facades.charges import compiled
from secure_serial.sandbox.facades.choices import choice_of, equation, layout, method
from secure_serial.sandbox.facades.dtypes import DTYPES, NUMERIC, WIDE, dtype, narrowed
from secure_serial.sandbox.facades.errors import kind_of, refused
from secure_serial.sandbox.facades.extents import Extents
from secure_serial.sandbox.facades.measure import count, dims, together
from secure_serial.sandbox.values import Builtin, Function

if TYPE_CHECKING:
    from collections.abc import Callable

_FLOAT32 = np.dtype("float32")
#: The dimensions that an array may have; NumPy's own bound is 64, TensorFlow's some 8.
RANK = 32
#: Whole numbers beyond this do not fit an array and would make one of objects.
_TWO = 2
_LEAST, _MOST = -(2**63), 2**64 - 1


def array(value: Any) -> Any:
    """An array whose items are numbers, NumPy's or the provider's."""
    kind = type(value)
    if kind is np.ndarray or issubclass(kind, np.generic):
        if value.dtype.kind not in NUMERIC and value.dtype.name not in DTYPES:
            raise refused(f"an array of type {value.dtype.name[:40]}, which does not hold numbers")
        return value
    if ops.active.get().is_array(value):
        return value
    raise refused(f"a value of type {kind_of(value)} where an array stands")


def is_array(value: object) -> bool:
    """Whether this is an array or tensor: NumPy's, or one of the active provider."""
    return type(value) is np.ndarray or isinstance(value, np.generic) or (
        type(value) not in _PLAIN and ops.active.get().is_array(value)
    )  # fmt: skip


def is_whole(value: Any) -> bool:
    """Whether an array or a tensor holds whole numbers, which truth values are not."""
    if type(value) is np.ndarray or isinstance(value, np.generic):
        return value.dtype.kind in "iu"
    return is_array(value) and ops.active.get().dtype(value).startswith(("int", "uint"))


_PLAIN = frozenset({bool, int, float, complex, str, tuple, list, dict, set, type(None)})


def tensor(value: Any) -> Any:
    """An array, a number, or nested sequences of them."""
    kind = type(value)
    if kind is np.ndarray and (value.dtype is _FLOAT32 or value.dtype.kind in NUMERIC):
        return value
    if kind is float or kind is bool:
        return value
    if kind is int:
        return _fitting(value)
    if kind is list or kind is tuple:
        return _from_items(value)
    if kind is complex:
        return value
    return array(value)


def _fitting(value: int) -> int:
    if _LEAST <= value <= _MOST:
        return value
    raise refused("a whole number that does not fit an array")


def _from_items(items: Any) -> Any:
    """An array of nested sequences; or of tensors, stacked by their provider."""
    arrays: list[Any] = []
    checked, foreign = _nested(items, 0, arrays)
    meter.current().array(sum(map(count, arrays)), together(arrays))
    if foreign is None:
        try:
            return np.asarray(checked)
        except ValueError:
            raise refused("sequences of different lengths where an array stands") from None
    stack = foreign.find("stack")
    if stack is None:  # pragma: no cover - every provider stacks
        raise refused("tensors in a sequence where an array stands")
    compiled.charge("stack", checked, (), 1 + len(checked) // compiled.OPERANDS)
    return stack(checked, 0)


def _nested(items: Any, depth: int, arrays: list[Any]) -> tuple[Any, ops.Ops | None]:
    """The items, checked; those that are arrays are listed, too."""
    if depth >= RANK:
        raise refused("sequences nested too deep where an array stands")
    account = meter.current()
    account.container(len(items))
    made = []
    foreign: ops.Ops | None = None
    for item in items:
        kind = type(item)
        if kind is list or kind is tuple:
            value, inner = _nested(item, depth + 1, arrays)
            foreign = foreign or inner
        else:
            value = tensor(item)
            if kind is np.ndarray:
                arrays.append(value)
            elif not ops.is_native(value):
                arrays.append(value)
                foreign = ops.active.get()
        made.append(value)
    return made, foreign


def narrow_tensor(value: Any) -> Any:
    """As `tensor`; Python's numbers become float32 and int32, as in TensorFlow and Keras."""
    if type(value) is np.ndarray and value.dtype is _FLOAT32:
        return value
    made = tensor(value)
    if type(value) in (list, tuple) and type(made) is np.ndarray:
        return narrowed(made) if not _holds_wide(value) else made
    return made


def _holds_wide(items: Any) -> bool:
    """Whether an array in a sequence has 64 bits of its own, which must stay."""
    for item in items:
        if type(item) in (list, tuple):
            if _holds_wide(item):
                return True
        elif hasattr(item, "dtype") and item.dtype.itemsize >= WIDE:
            return True
    return False


def tensors(value: Any) -> Any:
    """A sequence of arrays; an array is the sequence of what it holds."""
    kind = type(value)
    if kind is np.ndarray and value.ndim:
        meter.current().container(len(value))
        return list(array(value))
    if kind is not list and kind is not tuple:
        raise refused(f"a value of type {kind_of(value)} where a list of arrays stands")
    meter.current().container(len(value))
    return [tensor(item) for item in value]


def narrow_tensors(value: Any) -> Any:
    """As `tensors`; lists among them become arrays of 32 bits."""
    made = tensors(value)
    if type(value) is np.ndarray:
        return made
    return [narrow_tensor(each) if type(each) in (list, tuple) else m
            for each, m in zip(value, made, strict=True)]  # fmt: skip


def integer(value: Any) -> int:
    """A whole number: Python's, NumPy's, or an array of one that is known."""
    kind = type(value)
    if kind is int:
        return _fitting(value)
    if kind is bool:
        return int(value)
    if kind is not float and is_array(value):
        known = value if kind is np.ndarray else _known(value)
        if known is not None and known.ndim == 0 and known.dtype.kind in "iub":
            return int(known)
        if known is None and ops.active.get().is_dimension(value):
            return value  # type: ignore[no-any-return]  # as below
    elif ops.active.get().is_dimension(value):
        return value  # type: ignore[no-any-return]  # counts as one, as what is not known does
    raise refused(f"a value of type {kind_of(value)} where a whole number stands")


def _known(value: Any) -> Any:
    """The values of a tensor, if there are few and they are there by now."""
    if isinstance(value, np.generic):
        return value
    return ops.active.get().known(value) if sum(dims(value)) <= RANK else None


def number(value: Any) -> Any:
    """One number."""
    kind = type(value)
    if kind is float or kind is bool:
        return value
    if kind is int:
        return _fitting(value)
    if is_array(value):
        known = value if kind is np.ndarray else _known(value)
        if known is not None and known.ndim == 0 and known.dtype.kind in NUMERIC:
            return value
    raise refused(f"a value of type {kind_of(value)} where a number stands")


def size(value: Any) -> int:
    """A whole number that is not negative."""
    made = integer(value)
    if made < 0:
        raise refused(f"a size of {made}")
    return made


def radius(value: Any) -> int:
    """A small size: the work grows with it."""
    return _at_most(size(value), 64)


def degree(value: Any) -> int:
    """How often something is done again."""
    return _at_most(size(value), 16)


def digits(value: Any) -> int:
    """How many digits to round to: NumPy multiplies so many tens, one by one."""
    made = integer(value)
    _at_most(abs(made), 400)
    return made


def _at_most(value: int, most: int) -> int:
    if value > most:
        raise refused(f"{value} where at most {most} may stand")
    return value


def flag(value: Any) -> bool:
    """True or False."""
    if type(value) is bool:
        return value
    if type(value) is int and value in (0, 1):
        return bool(value)
    if isinstance(value, np.bool_):
        return bool(value)
    raise refused(f"a value of type {kind_of(value)} where True or False stands")


def _items(value: Any) -> Any:
    """The items of a short sequence of whole numbers: a tuple, list, range, or known array."""
    kind = type(value)
    if kind is Extents:
        return value.extents
    if kind is np.ndarray and value.ndim == 1:
        meter.current().container(value.size)
        return value.tolist() if value.dtype.kind in "iub" else None
    if kind is tuple or kind is list or kind is range:
        meter.current().container(len(value))
        return value
    if kind not in _PLAIN and is_array(value):
        known = _known(value)
        return None if known is None or not getattr(known, "ndim", 0) else _items(np.asarray(known))
    return None


def axis(value: Any) -> Any:
    """No axis, one, or several."""
    if value is None or type(value) is int:
        return value
    items = _items(value)
    return integer(value) if items is None else tuple(map(integer, items))


def sizes(value: Any) -> Any:
    """One whole number, or several."""
    items = _items(value)
    return integer(value) if items is None else tuple(map(integer, items))


def sections(value: Any) -> Any:
    """How many parts, or where to cut."""
    made = sizes(value)
    if type(made) is int and made < 1:
        raise refused(f"{made} parts")
    return made


def shape(value: Any) -> tuple[int, ...]:
    """A shape: whole numbers, of which one may be -1 in `reshape`."""
    made = sizes(value)
    made = (made,) if type(made) is int else made
    if len(made) > RANK:
        raise refused(f"a shape of {len(made)} dimensions")
    if any(type(extent) is int and extent < -1 for extent in made):
        raise refused("a shape with a negative size")
    return tuple(made)


def new_shape(value: Any) -> tuple[int | None, ...]:
    """A shape to bring items into that are there: None for one that is not known yet."""
    value = value.extents if type(value) is Extents else value
    if type(value) in (tuple, list) and None in [each for each in value if each is None]:
        made = shape([1 if each is None else each for each in value])
        return tuple(None if v is None else m for v, m in zip(value, made, strict=True))
    return shape(value)


def pair(value: Any) -> Any:
    """One whole number or two."""
    made = sizes(value)
    if type(made) is tuple and len(made) != _TWO:
        raise refused(f"{len(made)} numbers where two stand")
    return made


def pairs(value: Any) -> Any:
    """A width, or widths before and after for each axis."""
    if type(value) in (tuple, list):
        meter.current().container(len(value))
        return tuple(sizes(item) for item in value)
    if type(value) is np.ndarray and value.ndim == _TWO:
        meter.current().container(value.size)
        return tuple(map(tuple, array(value).tolist()))
    return sizes(value)


def axes(value: Any) -> Any:
    """For tensordot: a number of axes, or two sequences of axes."""
    if type(value) in (tuple, list):
        if len(value) != _TWO:
            raise refused(f"{len(value)} items where the axes of two arrays stand")
        return tuple(sizes(item) for item in value)
    return size(value)


def order(value: Any) -> Any:
    """The order of a norm."""
    if value is None or (type(value) is str and value in ("fro", "euclidean", "nuc")):
        return None if value == "euclidean" else value
    return number(value)


def function(value: Any) -> Any:
    """A function of the restricted code itself, or one that a facade offers."""
    if type(value) in FUNCTIONS:
        return value
    raise refused(f"a value of type {kind_of(value)} where a function stands")


def elements(value: Any) -> Any:
    """An array to go through item by item. Of several, TensorFlow takes an item of each."""
    if type(value) in _PLAIN:
        raise refused(f"a value of type {kind_of(value)} where one array stands")
    return array(value)


def branch(value: Any) -> Any:
    """An array, or a function that makes one."""
    return value if type(value) in FUNCTIONS else tensor(value)


#: What may be called: restricted functions, builtins, and (see `offered`) those of facades.
FUNCTIONS: set[type] = {Function, Builtin}
CHECKS: dict[str, Callable[[Any], Any]] = {
    each.__name__: each
    for each in (
        tensor, tensors, number, size, radius, degree, digits, flag, axis, sizes, sections, shape,
        new_shape, pair, pairs, axes, dtype, order, equation, function, elements, branch,
        layout, method,
    )
} | {"int": integer}  # fmt: skip


_NARROW = {"tensor": narrow_tensor, "tensors": narrow_tensors}


@cache
def check(kind: str, *, narrow: bool = False) -> Callable[[Any], Any]:
    """The check for a kind of `canonical.json`: a name, choices in brackets, `?` for None.

    >>> check("[same|valid]")("same"), check("int?")(None)
    ('same', None)
    """
    optional = kind.endswith("?")
    kind = kind.removesuffix("?")
    if kind.startswith("["):
        inner = choice_of(frozenset(kind[1:-1].split("|")))
    elif narrow and kind in _NARROW:
        inner = _NARROW[kind]
    else:
        inner = CHECKS[kind]
    return _or_none(inner) if optional else inner


def _or_none(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def optional(value: Any) -> Any:
        return None if value is None else inner(value)

    return optional
