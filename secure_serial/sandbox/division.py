"""How the arguments of a function are divided, if it may be called on one part after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from numpy import ndarray

from secure_serial.sandbox.pointwise import is_pointwise, of_one_shape
from secure_serial.sandbox.rowwise import Rowwise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secure_serial.lambdas.understood import Understood


class Divided(NamedTuple):
    """Arguments of which each array is a sequence of rows, and all have as many."""

    args: list[Any]
    #: Of how many rows each part but the last is a multiple.
    step: int
    #: The shape of the result, if it is known; else as many rows stand in its first axis.
    shape: tuple[int, ...] | None

    @property
    def arrays(self) -> list[ndarray[Any, Any]]:
        """The arrays among them, of which there is one at least."""
        return [each for each in self.args if type(each) is ndarray]


class Division:
    """What parts the calls of a function have.

    >>> from secure_serial.lambdas.understood import from_source
    >>> import numpy as np
    >>> Division(from_source("lambda x: x + 1")).of([np.ones((2, 3))]).shape
    (2, 3)
    >>> Division(from_source("lambda x: K.sum(x)")).of([np.ones((2, 3))]) is None
    True
    """

    __slots__ = ("_rowwise",)

    def __init__(self, understood: Understood) -> None:
        self._rowwise = None if is_pointwise(understood) else Rowwise(understood)

    def of(self, args: Sequence[Any]) -> Divided | None:
        """How these arguments are divided; None: they are for one call."""
        if self._rowwise is not None:
            step = self._rowwise.step(args)
            return Divided([*args], step, None) if step else None
        first = of_one_shape(args)
        if first is None:
            return None
        flat = [each.reshape(-1) if type(each) is ndarray else each for each in args]
        return Divided(flat, 1, first.shape)
