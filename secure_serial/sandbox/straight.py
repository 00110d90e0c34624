"""Functions that are one expression of arrays, without guards where a call like it went well.

`lambda x: K.mean(K.square(x), axis=-1)` consists of its parameters, numbers, operators, indices and
functions of facades whose other values stand in the code. What the guards of these decide, and what
they take from the account, depends on types and shapes alone. So once a call has gone by the guards
and has given an array, a call with arrays of the same types and shapes would go the same way, and
take as much of an account that is as full: nothing is left to ask. Then the same functions of
NumPy's are called as they are. Whatever does not fit goes the way of the guards, which says why.

Arrays are float32, Keras's own: results of other types are looked at once more (`offered`).
"""

from __future__ import annotations

import ast
import operator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from numpy import dtype, ndarray

from secure_serial.lambdas.tree import copied
from secure_serial.sandbox.arithmetic import (
    BARE,
    OPERATORS_OF_ARRAYS,
    body_of,
    is_easy_power,
    is_number,
    names_of,
)
from secure_serial.sandbox.constructs import OPERATORS, hook, load, path, reuses
from secure_serial.sandbox.facades.offered import ARRAY, offered_at
from secure_serial.sandbox.guards.arrays import alike
from secure_serial.sandbox.meter import Meter, _meter
from secure_serial.sandbox.names import HOOK
from secure_serial.sandbox.restrict import compiled, definition, is_new

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.lambdas.understood import Understood
    from secure_serial.sandbox.allowance import Allowance

    Operator = Callable[[Any, Any], Any]

_FLOAT32 = dtype("float32")
#: Sorts of arguments that a function remembers. A model has one or two.
_SORTS = 16


class _Other(Exception):
    """Something that the guards are to look at each time."""


class Straight:
    """A function that may be called without guards, after a call by the guards was."""

    __slots__ = ("_allowance", "_known", "_raw", "_sorts", "_tried")

    def __init__(self, known: Understood, allowance: Allowance) -> None:
        self._known = known
        self._allowance = allowance
        self._raw: FunctionType | None = None
        self._tried = False
        #: The shapes of the arguments of calls that went well.
        self._sorts: set[tuple[Any, ...]] = set()

    def __call__(self, args: tuple[Any, ...]) -> Any:
        """The result, or None where the guards are to say what comes of it."""
        if self._raw is None or _sort(args) not in self._sorts:
            return None
        try:
            made = self._raw(*args)
        except Exception:  # noqa: BLE001 - the guards do it again, and say what it was
            return None
        return made if type(made) is ndarray else None

    def learn(self, args: tuple[Any, ...]) -> None:
        """A call with these arguments went by the guards, and gave an array."""
        sort = _sort(args)
        if sort is None:
            return
        if not self._tried:
            self._tried = True
            self._raw = _built(self._known, self._allowance)
        if self._raw is not None:
            if len(self._sorts) >= _SORTS:
                self._sorts.clear()
            self._sorts.add(sort)


def found(known: Understood, allowance: Allowance) -> Straight | None:
    """The function without guards, if it may turn out to be one expression of its parameters."""
    names = names_of(known)
    return Straight(known, allowance) if names and names[0] and body_of(known.tree) else None


def _sort(args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """What the guards see of arguments; None: of more than arrays of float32."""
    for each in args:
        if type(each) is not ndarray or each.dtype is not _FLOAT32 or not each.ndim:
            return None
    return tuple([each.shape for each in args])


def _built(known: Understood, allowance: Allowance) -> FunctionType | None:
    # What stands in the code is checked here once more; a call has paid for it.
    opened = _meter.set(Meter(allowance))
    try:
        return _Expression(known).function()
    except Exception:  # noqa: BLE001 - the guards have said, or will say, what it is
        return None
    finally:
        _meter.reset(opened)


class _Expression:
    """Makes a tree without guards of the tree of a function."""

    def __init__(self, known: Understood) -> None:
        self._known = known
        names = names_of(known)
        if names is None:
            raise _Other
        self._arrays, self._numbers = names
        #: All that the code can name. No name of Python's own is in reach.
        self._within: dict[str, Any] = {**BARE, **_INTO, **known.closure}

    def function(self) -> FunctionType:
        """The function; its parameters are arrays, and numbers that have defaults."""
        tree = copied(self._known.tree)
        body = self._array(body_of(tree))
        made = definition(ast.Lambda(tree.args, body))
        code = compiled(ast.Module([made], []))
        return FunctionType(code, self._within, "straight", self._known.defaults)

    def _array(self, node: ast.expr | None) -> ast.expr:
        """An expression that is an array."""
        if isinstance(node, ast.Name) and node.id in self._arrays:
            return node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return ast.UnaryOp(node.op, self._array(node.operand))
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.Subscript):
            return ast.Subscript(self._array(node.value), self._kept(_index(node.slice)), node.ctx)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise _Other

    def _binary(self, node: ast.BinOp) -> ast.expr:
        if is_easy_power(node):
            return ast.BinOp(self._array(node.left), node.op, node.right)
        sides = (node.left, node.right)
        numbers = [is_number(side, self._numbers) for side in sides]
        if not isinstance(node.op, OPERATORS_OF_ARRAYS) or all(numbers):
            raise _Other
        side = reuses(node, self._is_new)
        left, right = (
            side if number else self._array(side)
            for side, number in zip(sides, numbers, strict=True)
        )
        if not side:
            return ast.BinOp(left, node.op, right)
        return hook(f"{OPERATORS[type(node.op)]}{side}", left, right)

    def _is_new(self, found: list[str]) -> bool:
        return not self._is_own(found[0]) and is_new(found)

    def _is_own(self, name: str) -> bool:
        return name in self._arrays or name in self._numbers

    def _call(self, node: ast.Call) -> ast.expr:
        found = path(node.func)
        function = None if found is None or self._is_own(found[0]) else offered_at(found)
        if function is None:
            raise _Other
        arrays: list[ast.expr] = []

        def value(each: ast.expr) -> Any:
            try:
                return _constant(each)
            except ValueError:
                arrays.append(self._array(each))
                return ARRAY

        args = [value(each) for each in node.args]
        named = {each.arg: value(each.value) for each in node.keywords}
        operate = None if None in named else function.fixed(args, named)  # type: ignore[arg-type]
        if operate is None:
            raise _Other
        return ast.Call(self._kept(operate), arrays, [])

    def _kept(self, value: Any) -> ast.expr:
        """A value under a name that no code can have."""
        name = f"{HOOK}{len(self._within)}"
        self._within[name] = value
        return load(name)


def _constant(node: ast.expr) -> Any:
    """A value that stands in the code.

    Raises:
        ValueError: there is more.

    """
    return ast.literal_eval(node)


def _index(node: ast.expr) -> Any:
    """An index of which NumPy makes a view: whole numbers and slices."""
    if isinstance(node, ast.Tuple):
        return tuple(map(_index, node.elts))
    if isinstance(node, ast.Slice):
        parts = (node.lower, node.upper, node.step)
        return slice(*(None if each is None else _whole(each) for each in parts))
    value = _constant(node)
    return value if value is None or value is ... else _whole(node)


def _whole(node: ast.expr) -> int | None:
    value = _constant(node)
    if value is not None and type(value) is not int:
        raise _Other
    return value


def _left(into: Operator, usual: Operator) -> Operator:
    """As `guards.temporary`: an operator of which the left side is a result without a name."""

    def operate(one: Any, two: Any) -> Any:
        fits = type(one) is ndarray and one.base is None and alike(one, two)
        return into(one, two) if fits else usual(one, two)

    return operate


def _right(into: Operator, usual: Operator) -> Operator:
    """The same where the right side is, and both may change places."""

    def operate(one: Any, two: Any) -> Any:
        fits = type(two) is ndarray and two.base is None and alike(two, one)
        return into(two, one) if fits else usual(one, two)

    return operate


_INTO: dict[str, Operator] = {
    f"{HOOK}{name}{side}": made(getattr(operator, f"i{name}"), getattr(operator, name))
    for name in ("add", "sub", "mul", "truediv")
    for side, made in (("_left", _left), ("_right", _right))
}
