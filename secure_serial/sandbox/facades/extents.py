"""Shapes as TensorFlow's and old Keras's `shape` gives them: whole numbers to compute with.

Where all extents are known they are an array of int32, so that `+` adds and `*` multiplies. Where
one is not known yet, no array can hold it: `Extents` stands for it, which can be taken apart and
joined again, and nothing else. A tuple would join and repeat, and so give another value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from secure_serial.sandbox.facades.errors import kind_of, refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST: Final = 2**31


class Extents:
    """A shape of which an extent is not known yet. It has items, a length, and nothing else.

    >>> Extents((None, 4, 3)).part(slice(1, None)), Extents((None, 4)).part(1)
    (array([4, 3], dtype=int32), np.int32(4))
    """

    __slots__ = ("extents",)

    def __init__(self, extents: tuple[Any, ...]) -> None:
        self.extents = extents

    def __repr__(self) -> str:
        return "<a shape of which an extent is not known>"

    def __len__(self) -> int:
        return len(self.extents)

    def __iter__(self) -> Iterator[Any]:
        return map(_number, self.extents)

    def part(self, index: Any) -> Any:
        """An extent, or several."""
        found = self.extents[index]
        return extents(found) if type(found) is tuple else _number(found)


def _number(extent: Any) -> Any:
    return np.int32(extent) if type(extent) is int else extent


def extents(values: Iterable[Any]) -> Any:
    """A shape to compute with: an array if all of it is known.

    >>> extents((2, 3)) * 2
    array([4, 6], dtype=int32)
    """
    made = tuple(values)
    if not all(type(each) is int for each in made):
        return Extents(made)
    # TensorFlow's own wraps round beyond 32 bits.
    return np.array(made, "int64" if max(made, default=0) >= _MOST else "int32")


def whole(value: Any) -> list[Any]:
    """The extents that one part of a shape holds, whichever way it is given."""
    if type(value) is Extents:
        return list(value.extents)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "iu" and value.ndim < 2:  # noqa: PLR2004 - one extent, or several in a row
        return [int(each) for each in np.atleast_1d(value)]
    if type(value) is int or not hasattr(value, "dtype"):
        return [value]
    raise refused(f"a value of type {kind_of(value)} beside an extent that is not known")
