"""What the guards know of arrays: whether a value is one, its shape, how much it would make."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.facades import kinds, ops
from secure_serial.sandbox.facades.measure import HALF, dims, emulated, labour, widest
from secure_serial.sandbox.values import (
    FOREIGN,
    NUMBERS,
    PLAIN,
    Builtin,
    Function,
    Stream,
    called,
    refused,
)

if TYPE_CHECKING:
    from secure_serial.sandbox.meter import Meter

    Shape = tuple[int, ...]

#: Types that turned out to be arrays: NumPy's, and tensors of a provider.
ARRAYS: set[type] = {np.ndarray}
_NONE = PLAIN | {Function, Stream, Builtin}
#: Whole numbers beyond this do not fit an array: NumPy 1 would make one of Python's objects.
LEAST, MOST = -(2**63), 2**64 - 1

#: Bytes of an item of the arrays that are the usual ones.
FLOATS = {np.dtype("float32"): 4, np.dtype("float64"): 8}
_item_of = FLOATS.get
#: Numbers beyond these would make an array of float32 one of float64 in NumPy 1.
_WHOLE_FIT, _FLOAT_FIT = 1 << 15, 1e38


def is_array(value: object) -> bool:
    """Whether a value is an array, a number of NumPy's, or a tensor."""
    kind = type(value)
    if kind in ARRAYS:
        return True
    if kind in _NONE or not kinds.is_array(value):
        return False
    kinds.array(value)
    ARRAYS.add(kind)
    return True


#: The shape of an array or a tensor. A dimension that is not known yet counts when it is.
shape = dims


def native(value: object) -> bool:
    """Whether an array is NumPy's."""
    return type(value) is np.ndarray or isinstance(value, np.generic)


def work(account: Meter, value: Any) -> None:
    """Take the steps of an operation on one array."""
    if not native(value):
        account.step(FOREIGN)


def count(extents: Shape) -> int:
    """The elements of a shape."""
    return prod(extents)


def item_bytes(value: Any) -> int:
    """Bytes of one element of what an operation on an array gives, at most.

    >>> item_bytes(np.float32(1)), item_bytes(np.int8(1))
    (4, 8)
    """
    if native(value):
        size: int = value.itemsize
        return size if size >= 8 or value.dtype.kind == "f" else 8  # noqa: PLR2004 - float64
    return 4 if value is None else 8


def broadcast(one: Shape, two: Shape) -> Shape:
    """The shape that two arrays have together; the operation itself finds out if they cannot.

    >>> broadcast((3, 1), (2,))
    (3, 2)
    """
    if len(one) < len(two):
        one, two = two, one
    made = list(one)
    for place in range(1, len(two) + 1):
        if made[-place] == 1:
            made[-place] = two[-place]
    return tuple(made)


def alike(array: np.ndarray[Any, Any], other: Any) -> int:
    """Bytes of an element, if array and other value together give an array like the first; or 0.

    The usual case, made short: floats, and beside them a number or an array of the same kind.

    >>> alike(np.ones(3, "f4"), 2.5), alike(np.ones(3, "f4"), np.ones((2, 3), "f4"))
    (4, 0)
    """
    item = _item_of(array.dtype)
    if item is None:
        return 0
    kind = type(other)
    if kind is float:
        return item if -_FLOAT_FIT < other < _FLOAT_FIT else 0
    if kind is int:
        return item if -_WHOLE_FIT < other < _WHOLE_FIT else 0
    same = kind is np.ndarray and other.dtype == array.dtype and other.shape == array.shape
    return item if same else 0


def beside(value: Any, array: Any) -> Any:
    """What stands beside an array in an operation: an array, a number, or numbers in sequences."""
    kind = type(value)
    if kind is int:
        if not LEAST <= value <= MOST:
            raise refused("a whole number that does not fit an array")
        return value
    if kind in NUMBERS or is_array(value):
        return value
    if kind is not list and kind is not tuple:
        raise refused(f"a value of type {called(value)} beside an array")
    made = kinds.tensor(value)
    if native(array) or type(made) is not np.ndarray:
        return made
    # As TensorFlow does it: the numbers take the type of the tensor.
    wanted = ops.active.get().dtype(array)
    return made.astype(wanted) if wanted in {"float16", "float32", "float64"} else made


def elementwise(account: Meter, one: Any, two: Any) -> tuple[Any, Any, int]:
    """Both sides of an operation of which one at least is an array, and how many elements it makes.

    Their size is granted when this returns.
    """
    if is_array(one):
        two = beside(two, one)
    else:
        one = beside(one, two)
    extents: list[Shape] = []
    for value in (one, two):
        if type(value) in NUMBERS:
            extents.append(())
        else:
            work(account, value)
            extents.append(shape(value))
    wanted = count(broadcast(*extents))
    account.array(wanted, widest((one, two)))
    if emulated(one) or emulated(two):
        labour(wanted, HALF)
    return one, two, wanted
