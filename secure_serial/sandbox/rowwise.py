"""Functions whose result has in each row what they make of that row of their arrays alone.

A row is what stands at one index of the first axis. `lambda x: K.mean(K.square(x), axis=-1)` is
such a function, if `x` has two dimensions or more. It may be called on some rows, and the results
put together, as what computes item by item may be (`pointwise`).

How many dimensions each part of an expression has says which axis is which, and so do parts of a
different number meet: NumPy puts their last axes side by side, and not their first. Only floats
are computed so: what is converted on its way goes through a buffer, and where that begins another
part of a sum is a matter of all rows. The results are those of one call to the last bit, but for
the sign of what is no number.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from numpy import dtype, ndarray

from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.arithmetic import body_of, is_easy_power
from secure_serial.sandbox.constructs import path
from secure_serial.sandbox.facades.canonical import EXACT, ITEMWISE, ROWWISE
from secure_serial.sandbox.facades.measure import axis_in
from secure_serial.sandbox.facades.offered import ARRAY, offered_at
from secure_serial.sandbox.meter import Meter, _meter
from secure_serial.sandbox.pointwise import NUMBERS, names_beside_numbers, of_one_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secure_serial.lambdas.understood import Understood
    from secure_serial.sandbox.facades.canonical import Row

_FLOATS = frozenset({dtype("float32"), dtype("float64")})
#: Operators that are exact but for the last rounding: see `EXACT`.
_EXACT_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div)
#: Dimensions that rows and what stands in them need.
_MATRIX = 2
#: Rows of which blocks are made up where that matters: more items than are computed at a time.
_STEP = 64


class _Other(Exception):
    """Something that is a matter of all rows, or may be."""


class Rowwise:
    """Whether a function computes row by row.

    >>> from secure_serial.lambdas.understood import from_source
    >>> import numpy as np
    >>> mean = Rowwise(from_source("lambda x: K.mean(x, axis=1)"))
    >>> mean.step([np.ones((3, 2))]), mean.step([np.ones(3)])
    (1, 0)
    """

    __slots__ = ("_body", "_names", "_steps")

    def __init__(self, understood: Understood) -> None:
        names = names_beside_numbers(understood)
        self._names = names or []
        self._body = None if names is None else body_of(understood.tree)
        #: What was found, by the dimensions of the arguments.
        self._steps: dict[tuple[int, ...], int] = {}

    def step(self, args: Sequence[Any]) -> int:
        """Of how many rows blocks of these arguments have to be a multiple; 0: there are none."""
        first = of_one_shape(args)
        if self._body is None or first is None or first.ndim < _MATRIX:
            return 0
        if any(type(each) is ndarray and each.dtype not in _FLOATS for each in args):
            return 0
        ranks = tuple(each.ndim if type(each) is ndarray else 0 for each in args)
        found = self._steps.get(ranks)
        if found is None:
            try:
                found = self._steps[ranks] = _step(self._body, self._names, ranks)
            except (RecursionError, MemoryError):
                return 0  # for what is left of the stack at this call
        return found


def _step(body: ast.expr, names: Sequence[str], ranks: Sequence[int]) -> int:
    # What stands in the code is checked here once more.
    opened = _meter.set(Meter(Allowance()))
    try:
        found = _Ranks({**dict.fromkeys(names, 0), **dict(zip(names, ranks, strict=False))})
        return (1 if found.exact else _STEP) if found.of(body) else 0
    except (RecursionError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - what is wrong is said when it is computed at once
        return 0
    finally:
        _meter.reset(opened)


class _Ranks:
    """How many dimensions parts of an expression have, each of them the rows first; 0: numbers."""

    def __init__(self, own: dict[str, int]) -> None:
        self._own = own
        self.exact = True

    def of(self, node: ast.expr) -> int:
        """The dimensions of a part.

        Raises:
            _Other: it is not known to be computed row by row.

        """
        if isinstance(node, ast.Name) and node.id in self._own:
            return self._own[node.id]
        if isinstance(node, ast.Constant) and type(node.value) in NUMBERS:
            return 0
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
            return self.of(node.operand)
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
            if not (isinstance(node.op, _EXACT_OPERATORS) or is_easy_power(node)):
                self.exact = False
            return self._joined([node.left, node.right])
        if isinstance(node, ast.Call):
            return self._call(node)
        raise _Other

    def _joined(self, nodes: Sequence[ast.expr]) -> int:
        ranks = {self.of(node) for node in nodes} - {0}
        if len(ranks) > 1:
            raise _Other
        return max(ranks, default=0)

    def _call(self, node: ast.Call) -> int:
        found = path(node.func)
        function = None if found is None or found[0] in self._own else offered_at(found)
        if function is None:
            raise _Other
        name = function.operation.name
        if name not in EXACT:
            self.exact = False
        if name in ITEMWISE and not node.keywords:
            return self._joined(node.args)
        if name not in ROWWISE or not node.args:
            raise _Other
        rank = self.of(node.args[0])
        laid = function.laid(
            [ARRAY, *map(ast.literal_eval, node.args[1:])],
            {str(each.arg): ast.literal_eval(each.value) for each in node.keywords},
        )
        if not rank or laid is None or laid[1] != [0]:
            raise _Other
        return rank - _dropped(function.operation, laid[0], rank)


def _dropped(operation: Row, values: Sequence[Any], rank: int) -> int:
    """How many axes of so many an operation takes away; never that of the rows."""
    given = dict(zip((each.name for each in operation.parameters), values, strict=True))
    axis = given["axes" if "axes" in given else "axis"]
    if axis is None:
        raise _Other
    axes = {axis_in(each, rank) for each in ((axis,) if type(axis) is int else axis)}
    if 0 in axes:
        raise _Other
    # What has no such parameter gives as many axes as it takes.
    return 0 if given.get("keepdims", True) else len(axes)
