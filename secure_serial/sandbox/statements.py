"""The statements of restricted code: what stores, imports, and raises."""

# ruff: noqa: N802, D102 - the methods' names are those of the node types; what each does is below

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, cast

from RestrictedPython.transformer import RestrictingNodeTransformer

from secure_serial.sandbox.constructs import OPERATORS, assigned, expect, hook, load, store
from secure_serial.sandbox.names import ERRORS, checked, forbidden

if TYPE_CHECKING:
    from collections.abc import Callable


#: Operators by which a list, a set or a dictionary changes itself.
_CHANGING = frozenset({"add", "mul", "sub", "or", "xor", "and"})


def _inplace(sign: ast.operator) -> str:
    """The hook of an assignment with an operator."""
    name = OPERATORS[type(sign)]
    return f"inplace_{name}" if name in _CHANGING else name


class Statements(RestrictingNodeTransformer):
    """The part of the transformer that visits statements."""

    #: Says whether a module, or something in it, stands for something here; raises if not.
    module: Callable[[str, str | None], object]
    #: Names that are set somewhere in the function, and so are not always global.
    own: set[str]
    #: Names of lists and dictionaries that the function makes itself.
    owned: frozenset[str]
    #: Errors that it raises by name.
    raised: set[str]
    fresh: Callable[[], str]
    _target: Callable[[ast.expr], tuple[ast.expr, Any]]

    def visit_Assign(self, node: ast.Assign) -> Any:
        value = self.visit(node.value)
        if len(node.targets) == 1 and type(node.targets[0]) is ast.Subscript:
            return ast.Expr(hook("put", value, *self._place(node.targets[0])))
        targets = [self._target(each) for each in node.targets]
        if len(targets) == 1:
            return assigned(*targets[0], value)
        name = self.fresh()
        first: list[ast.stmt] = [ast.Assign([store(name)], value)]
        return first + [assigned(*each, load(name)) for each in targets]

    def _place(self, target: ast.Subscript) -> tuple[ast.expr, ast.expr]:
        """The owner and the index of an item that may be set."""
        owner = target.value
        if type(owner) is not ast.Name or owner.id not in self.owned:
            raise forbidden("a write to an item of what the function did not make itself")
        return self.visit(owner), self.visit(target.slice)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        said = [] if node.msg is None else [self.visit(node.msg)]
        made = ast.Expr(hook("fail", ast.Constant("AssertionError"), *said))
        return ast.If(ast.UnaryOp(ast.Not(), self.visit(node.test)), [made], [])

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        error: Any = node.exc
        said: list[ast.expr] = []
        if type(error) is ast.Call and not error.keywords and len(error.args) <= 1:
            error, said = error.func, error.args
        if node.cause is not None or type(error) is not ast.Name or error.id not in ERRORS:
            raise forbidden("a raise of anything but an error of Python with one text")
        if any(type(each) is ast.Starred for each in said):
            raise forbidden("a star in a raise")
        self.raised.add(error.id)
        values = [self.visit(each) for each in said]
        return ast.Expr(hook("fail", ast.Constant(error.id), *values))

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        if type(node.target) is ast.Subscript:
            return self._augmented(node, node.target)
        target, spec = self._target(node.target)
        if spec is not None:
            raise forbidden("an assignment with an operator to more than one variable")
        expect(node.op, ast.operator)
        now = load(cast("ast.Name", target).id)
        made = hook(_inplace(node.op), now, self.visit(node.value))
        return ast.Assign([target], made)

    def _augmented(self, node: ast.AugAssign, target: ast.Subscript) -> list[ast.stmt]:
        """`x[i] += v`: the place is worked out once, and before the value."""
        expect(node.op, ast.operator)
        names = [self.fresh(), self.fresh()]
        first = [
            ast.Assign([store(each)], part)
            for each, part in zip(names, self._place(target), strict=True)
        ]
        now = hook("item", *map(load, names))
        made = hook(_inplace(node.op), now, self.visit(node.value))
        return [*first, ast.Expr(hook("put", made, *map(load, names)))]

    def visit_Import(self, node: ast.Import) -> Any:
        made: list[ast.stmt] = []
        for alias in node.names:
            self._imported(alias)
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            self.module(alias.name, None)
            value = hook("module", ast.Constant(name), ast.Constant(None))
            self.own.add(alias.asname or name)
            made.append(ast.Assign([store(checked(alias.asname or name))], value))
        return made

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        if node.level or node.module is None:
            raise forbidden("a relative import")
        made: list[ast.stmt] = []
        for alias in node.names:
            self._imported(alias)
            self.module(node.module, alias.name)
            value = hook("module", ast.Constant(node.module), ast.Constant(alias.name))
            self.own.add(alias.asname or alias.name)
            made.append(ast.Assign([store(checked(alias.asname or alias.name))], value))
        return made

    def _imported(self, alias: ast.alias) -> None:
        for part in alias.name.split("."):
            checked(part, "the module")
