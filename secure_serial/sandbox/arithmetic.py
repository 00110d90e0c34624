"""Functions that are arithmetic of arrays alone, which need no guard round each operator.

`lambda x: x / 127.5 - 1` consists of its parameters, numbers and operators. If its arguments are
arrays of floats, of one type and one shape, then so is what each operator gives, for its sides are
always two such arrays, or one and a number that does not change its type. Each guard would find
what the one before has found, and take the same from the account. So the arguments are looked at
once, and the whole is taken at once; what does not fit goes the way of the guards, which says why.
"""

from __future__ import annotations

import ast
import operator
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.lambdas.tree import copied, walked
from secure_serial.sandbox.constructs import OPERATORS, hook, reuses
from secure_serial.sandbox.guards.arrays import FLOATS, alike
from secure_serial.sandbox.guards.operators import EASY
from secure_serial.sandbox.names import HOOK
from secure_serial.sandbox.restrict import compiled, definition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from secure_serial.lambdas.understood import Understood
    from secure_serial.sandbox.allowance import Allowance

#: Operators whose result is an array like the arrays beside them.
OPERATORS_OF_ARRAYS = (ast.Add, ast.Sub, ast.Mult, ast.Div)
_IN_PLACE: dict[str, Any] = {
    f"{HOOK}i{OPERATORS[each]}": getattr(operator, f"i{OPERATORS[each]}")
    for each in OPERATORS_OF_ARRAYS
}
#: What code without guards has beside its own names: none of Python's, and whose it is, since a
#: program may ignore what NumPy warns of by the module that it comes from.
BARE: dict[str, Any] = {"__builtins__": {}, "__name__": __name__}
#: Of all arrays of floats that the guards know, one of the type that the fewest numbers fit.
_NARROW = np.ones(1, "float32")
#: NumPy has one object for each of its own types: the usual one is told at a look.
_FLOAT32 = np.dtype("float32")


class _InPlace(ast.NodeTransformer):
    """Has operators write into the results of others, as `guards.temporary` does."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        side = reuses(node, lambda _: False)
        self.generic_visit(node)
        if not side:
            return node
        sides = (node.left, node.right) if side == "_left" else (node.right, node.left)
        return hook(f"i{OPERATORS[type(node.op)]}", *sides)


class Arithmetic:
    """A function that is nothing else: calls it, or leaves that to the guards."""

    __slots__ = ("_arrays", "_known", "_most", "_raw", "_usual")

    def __init__(
        self, known: Understood, arrays: int, operators: int, allowance: Allowance
    ) -> None:
        self._known = known
        #: Compiled when it is first called: in a model that is traced it never is.
        self._raw: FunctionType | None = None
        self._arrays = arrays
        #: By type, items of an argument for which what one call may use up is enough.
        self._most = {
            dtype: min(allowance.elements, allowance.array_bytes // item) // operators
            for dtype, item in FLOATS.items()
            if operators <= allowance.steps
        }
        self._usual = self._most.get(_FLOAT32, 0)

    def __call__(self, args: tuple[Any, ...]) -> Any:
        """The result, or None where the guards are to say what comes of it."""
        raw = self.for_all(args)
        if raw is None:
            return None
        try:
            return raw(*args)
        except Exception:  # noqa: BLE001 - the guards do it again, and say what it was
            return None

    def for_all(self, args: Sequence[Any], size: int = 0) -> Callable[..., Any] | None:
        """The code itself, if a call may use up what it takes for these arguments.

        They may stand for larger ones of that `size`.
        """
        # Each line here is a hundredth of what a call on a megabyte takes.
        if len(args) != self._arrays:
            return None
        first = args[0]
        if type(first) is not np.ndarray:
            return None
        dtype = first.dtype
        most = self._usual if dtype is _FLOAT32 else self._most.get(dtype, 0)
        # An operation on an array without dimensions gives no array, one on an empty one counts.
        if not 0 < first.size <= most or size > most or not first.ndim:
            return None
        if self._arrays > 1:
            for other in args[1:]:
                if type(other) is not np.ndarray or other.dtype != dtype:
                    return None
                if other.shape != first.shape:
                    return None
        return self._raw or self._made()

    def _made(self) -> FunctionType:
        tree = _InPlace().visit(definition(copied(self._known.tree)))
        code = compiled(ast.Module([tree], []))
        # No name of Python's own is in reach, and none is in the code.
        within = {**BARE, **_IN_PLACE, **self._known.closure}
        self._raw = FunctionType(code, within, "arithmetic", self._known.defaults)
        return self._raw


def found(known: Understood, allowance: Allowance) -> Arithmetic | None:
    """The function without guards, if it is arithmetic of its parameters."""
    body, names = body_of(known.tree), names_of(known)
    if body is None or names is None or isinstance(body, ast.Name) or not _is_array(body, *names):
        return None
    operators = [node for node in walked(body) if isinstance(node, (ast.BinOp, ast.UnaryOp))]
    return Arithmetic(known, len(names[0]), len(operators), allowance)


def names_of(known: Understood) -> tuple[frozenset[str], frozenset[str]] | None:
    """The parameters, and what else has a name: numbers that fit arrays of floats."""
    given = known.tree.args
    if given.posonlyargs or given.vararg or given.kwonlyargs or given.kwarg:
        return None
    names = [each.arg for each in given.args]
    arrays = names[: len(names) - len(known.defaults)]
    numbers = {**known.closure, **dict(zip(names[len(arrays) :], known.defaults, strict=True))}
    return (frozenset(arrays), frozenset(numbers)) if all(map(_fits, numbers.values())) else None


def body_of(tree: ast.Lambda | ast.FunctionDef) -> ast.expr | None:
    """The expression that a function is, if it is no more than one."""
    if isinstance(tree, ast.Lambda):
        return tree.body
    last = tree.body[0]
    return last.value if len(tree.body) == 1 and isinstance(last, ast.Return) else None


def _is_array(node: ast.expr, arrays: frozenset[str], numbers: frozenset[str]) -> bool:
    """Whether a node is arithmetic, and gives an array like the arguments."""
    if isinstance(node, ast.Name):
        return node.id in arrays
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and _is_array(node.operand, arrays, numbers)
    if not isinstance(node, ast.BinOp):
        return False
    sides = [_is_array(side, arrays, numbers) for side in (node.left, node.right)]
    if is_easy_power(node):
        return sides[0]
    if not isinstance(node.op, OPERATORS_OF_ARRAYS):
        return False
    pairs = zip(sides, (node.left, node.right), strict=True)
    return any(sides) and all(array or is_number(side, numbers) for array, side in pairs)


def is_number(node: ast.expr, numbers: frozenset[str]) -> bool:
    """Whether a node is a number that leaves the type of an array beside it as it is."""
    if isinstance(node, ast.Name):
        return node.id in numbers
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and _fits(node.value)


def _fits(value: Any) -> bool:
    """Whether a number beside an array leaves its type as it is, as the guards ask it."""
    return type(value) in {float, int} and alike(_NARROW, value) > 0


def is_easy_power(node: ast.BinOp) -> bool:
    """Whether a node is a power that costs no more than a product."""
    if not isinstance(node.op, ast.Pow) or not isinstance(node.right, ast.Constant):
        return False
    return type(node.right.value) in {float, int} and node.right.value in EASY
