"""Makes the nodes of the tree: counts them, bounds their nesting, checks every name."""

# ruff: noqa: D102 - small methods that are read with their class

from __future__ import annotations

import ast
import keyword
from typing import TYPE_CHECKING, Any, TypeVar

from secure_serial.lambdas.code import Code, FrozenSet, Slice
from secure_serial.lambdas.errors import CannotLift, TooMuch
from secure_serial.lambdas.tree import children
from secure_serial.lambdas.values import key_of

if TYPE_CHECKING:
    from secure_serial.lambdas.bounds import Bounds

_Node = TypeVar("_Node", bound=ast.AST)
_LONGEST = 100  # characters of a name


def identifier(name: str) -> str:
    """The name, if it may stand in a tree: plain ASCII, no keyword, no dunder.

    >>> identifier("x")
    'x'
    """
    if not name.isascii() or not name.isidentifier() or len(name) > _LONGEST:
        raise CannotLift(f"the name {name[:_LONGEST]!a}")
    if keyword.iskeyword(name) or (name.startswith("__") and name.endswith("__")):
        raise CannotLift(f"the name {name}")
    return name


#: Values that are written out where they stand.
_DISPLAYS = (ast.Tuple, ast.List, ast.ListComp, ast.Dict, ast.DictComp, ast.Set, ast.SetComp)
_LITERALS = (*_DISPLAYS, ast.GeneratorExp, ast.JoinedStr, ast.Constant)
#: What may be asked for an item, if it is written out; by a number, or a part of it by a slice.
_INDEXED = (ast.Tuple, ast.List, ast.ListComp, ast.JoinedStr)


def _check_literals(node: ast.Call | ast.Subscript) -> None:
    """Refuse what can only fail: of it the compiler warns, and then a file's text reaches people.

    `'a'(x)`, `{1}[x]` and `[1]['a']`; where warnings are errors, it would not compile either.
    """
    if isinstance(node, ast.Call):
        if isinstance(node.func, _LITERALS):
            raise CannotLift("a call of a literal")
        return
    value, index = node.value, node.slice
    if isinstance(value, (ast.Dict, ast.DictComp)) or not isinstance(
        value, (*_LITERALS, ast.Lambda)
    ):
        return
    text = isinstance(value, ast.Constant) and isinstance(value.value, (str, bytes))
    number = isinstance(index, ast.Constant) and isinstance(index.value, int)
    if not (text or isinstance(value, _INDEXED)) or (isinstance(index, _LITERALS) and not number):
        raise CannotLift("an item of a literal that has none such")


class Maker:
    """Every node passes here. A node that two others share counts twice, as it prints twice."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.made = 0
        self.sizes: dict[int, tuple[int, int]] = {}
        # An id is one node's only while that node lives.
        self.kept: list[ast.AST] = []
        #: Names that the code uses, so that a new one is another.
        self.taken: set[str] = set()

    def __call__(self, node: _Node) -> _Node:
        weight, depth = 1, 1
        for child in children(node):
            own = self.sizes.get(id(child), (1, 1))
            weight += own[0]
            depth = max(depth, own[1] + 1)
        self.made += 1
        if isinstance(node, (ast.Call, ast.Subscript)):
            _check_literals(node)
        if weight > self.bounds.nodes or self.made > self.bounds.nodes:
            raise TooMuch(f"an expression of more than {self.bounds.nodes} parts")
        if depth > self.bounds.tree_depth:
            raise TooMuch(f"an expression nested more than {self.bounds.tree_depth} deep")
        self.sizes[id(node)] = (weight, depth)
        self.kept.append(node)
        return node

    def fresh(self) -> str:
        """A name for a variable that the bytecode does not have."""
        number = 1
        while f"value{number}" in self.taken:
            number += 1
        self.taken.add(f"value{number}")
        return f"value{number}"

    def name(self, name: str) -> ast.Name:
        return self(ast.Name(identifier(name), ast.Load()))

    def constant(self, value: Any) -> ast.expr:
        """A constant as source would write it: `-1` is an operator and a number."""
        if isinstance(value, tuple):
            return self(ast.Tuple([self.constant(item) for item in value], ast.Load()))
        if isinstance(value, FrozenSet) and value.items:
            items = sorted(value.items, key=lambda item: repr(key_of(item)))
            return self(ast.Set([self.constant(item) for item in items]))
        if isinstance(value, Slice):
            return self.slice(
                *(self.constant(part) for part in (value.start, value.stop, value.step))
            )
        if isinstance(value, complex) and repr(value.real) != "0.0":
            sign = ast.Sub() if repr(value.imag).startswith("-") else ast.Add()
            imaginary = complex(0.0, abs(value.imag))
            return self(ast.BinOp(self.constant(value.real), sign, self.constant(imaginary)))
        if isinstance(value, (int, float, complex)) and repr(value).startswith(("-", "(-")):
            return self(ast.UnaryOp(ast.USub(), self.constant(-value)))
        if isinstance(value, float | complex) and value != value:  # noqa: PLR0124 - a NaN
            raise CannotLift("a constant that is not a number")
        if isinstance(value, (Code, FrozenSet)):
            raise CannotLift("a constant that no source can write")
        return self(ast.Constant(value))

    def slice(self, start: ast.expr, stop: ast.expr, step: ast.expr) -> ast.expr:
        given = [None if _is_none(part) else part for part in (start, stop, step)]
        return self(ast.Slice(*given))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
