"""Functions whose result has in each place what they make of the items in that place alone.

Such a function may be called on parts of its arrays, and the results put together: to the last bit
that is its result on all of them. It is known from the tree: parameters, numbers, operators, and
functions of a facade that compute item by item. `of_one_shape` says what the arguments have to be.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from secure_serial.sandbox.arithmetic import body_of
from secure_serial.sandbox.constructs import path
from secure_serial.sandbox.facades.canonical import ITEMWISE
from secure_serial.sandbox.restrict import operation_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secure_serial.lambdas.understood import Understood

#: Types of numbers that may stand beside arrays.
NUMBERS = frozenset({int, float})
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def is_pointwise(understood: Understood) -> bool:
    """Whether a function computes item by item, if its arguments are arrays of one shape.

    >>> from secure_serial.lambdas.understood import from_source
    >>> texts = ("lambda x: K.exp(x) / 2", "lambda x: K.sum(x)")
    >>> [is_pointwise(from_source(text)) for text in texts]
    [True, False]
    """
    body, names = body_of(understood.tree), names_beside_numbers(understood)
    return body is not None and names is not None and _is_itemwise(body, {*names})


def names_beside_numbers(understood: Understood) -> list[str] | None:
    """The parameters, in their order, and the closure; None: a value that comes along is no number.

    A sequence beside an array would be an array of another shape.
    """
    given = understood.tree.args
    values = (understood.closure, understood.kwdefaults)
    beside = [*understood.defaults, *(value for each in values for value in each.values())]
    if given.vararg or given.kwarg or not all(type(value) in NUMBERS for value in beside):
        return None
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return [*names, *understood.closure]


def _is_itemwise(node: ast.expr, own: set[str]) -> bool:
    parts: list[ast.expr] = []
    if isinstance(node, ast.Name):
        return node.id in own
    if isinstance(node, ast.Constant):
        return type(node.value) in NUMBERS
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
        parts = [node.left, node.right]
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        parts = [node.operand]
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        parts = [node.left, *node.comparators] if isinstance(node.ops[0], _COMPARISONS) else []
    elif isinstance(node, ast.Call) and not node.keywords:
        found = path(node.func)
        if found is not None and found[0] not in own and operation_of(found) in ITEMWISE:
            parts = node.args
    return bool(parts) and all(_is_itemwise(part, own) for part in parts)


def of_one_shape(args: Sequence[Any]) -> ndarray[Any, Any] | None:
    """The first array of arguments that are arrays of one shape in one piece, or numbers."""
    arrays = [each for each in args if type(each) is ndarray]
    if len(arrays) + sum(type(each) in NUMBERS for each in args) < len(args):
        return None
    if not arrays or not all(each.flags.c_contiguous for each in arrays):
        return None
    first: ndarray[Any, Any] = arrays[0]
    return first if all(each.shape == first.shape for each in arrays) else None
