"""Operators whose one side is the result of another operator, which nothing else can see.

NumPy writes the result of `x / 2 - 1` into the memory of `x / 2`, because that has no name. The
guards take the place of its operators and give it one, so they do the same: without it, an array
of a megabyte takes half as long again, most of that to be given memory by the system.

What has no name is known from the tree, when the function is restricted (`transform`), never from
counts of references, which other Pythons keep differently. Here is asked only whether the result
has the same type and shape; NumPy asks the same (`temp_elide.c`).
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from secure_serial.sandbox.guards.arrays import alike
from secure_serial.sandbox.guards.operators import HOOKS as OPERATORS
from secure_serial.sandbox.meter import _meter, current

if TYPE_CHECKING:
    from collections.abc import Callable

    Operator = Callable[[Any, Any], Any]

_account = _meter.get


def _left(into: Operator, usual: Operator) -> Operator:
    """The guard where the left side is a result without a name."""

    def guarded(one: Any, two: Any, /) -> Any:
        if type(one) is ndarray and one.base is None:
            item = alike(one, two)
            if item:
                size = one.size
                (_account() or current()).like(size, size * item)
                return into(one, two)
        return usual(one, two)

    return guarded


def _right(into: Operator, usual: Operator) -> Operator:
    """The guard where the right side is, of an operator whose sides may change places."""

    def guarded(one: Any, two: Any, /) -> Any:
        if type(two) is ndarray and two.base is None:
            item = alike(two, one)
            if item:
                size = two.size
                (_account() or current()).like(size, size * item)
                return into(two, one)
        return usual(one, two)

    return guarded


HOOKS: dict[str, Callable[..., Any]] = {
    "add_left": _left(operator.iadd, OPERATORS["add"]),
    "sub_left": _left(operator.isub, OPERATORS["sub"]),
    "mul_left": _left(operator.imul, OPERATORS["mul"]),
    "truediv_left": _left(operator.itruediv, OPERATORS["truediv"]),
    "add_right": _right(operator.iadd, OPERATORS["add"]),
    "mul_right": _right(operator.imul, OPERATORS["mul"]),
}
