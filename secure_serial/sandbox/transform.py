"""Restricted code as a tree: what may stand in it, and the hook that each part becomes.

RestrictedPython's transformer visits the tree; this subclass is stricter. Node types are on an
allowlist of its own, and whatever computes becomes a call of a hook: operators, comparisons,
subscripts, attributes, calls, loops, unpacking, formatting. What is left raw (names, displays of
tuples and lists, `and`, `or`, `not`, `is`, choices) makes nothing larger than the code itself.
"""

# ruff: noqa: N802, D102 - the methods' names are those of the node types; what each does is below

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, cast

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from secure_serial.sandbox.constructs import (
    ALLOWED,
    IDENTITY,
    OPERATORS,
    SIGNS,
    expect,
    hook,
    iterated,
    load,
    path,
    refuse,
    reuses,
    store,
)
from secure_serial.sandbox.names import HOOK, checked, forbidden
from secure_serial.sandbox.owned import owned
from secure_serial.sandbox.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Callable

#: The kinds of constants; a stored integer has at most 1,024 bits (`lambdas.bounds`).
_CONSTANTS = frozenset({type(None), bool, int, float, complex, str, type(...)})
_INTEGER_BITS = 1024
_CHARACTERS = 64 * 1024
#: Text of which attributes are read by name; RestrictedPython refuses it, too (CVE-2023-41039).
_FORMATTING = frozenset({"format", "format_map"})


class Restricting(Statements):
    """Turns a tree of allowed nodes into one whose every operation is guarded, in place."""

    def __init__(
        self,
        module: Callable[[str, str | None], object],
        new: Callable[[list[str]], bool],
        closed: frozenset[str],
    ) -> None:
        super().__init__()
        #: Says whether the function of a path always makes something new.
        self.new = new
        self.module = module
        #: The variables of the closure, whose values outlive a call.
        self.closed = closed
        self.inside = False
        self.owned = frozenset()
        self.raised = set()
        self.made = 0
        self.own = set()
        #: Each `name.a.b` as its parts.
        self.paths: list[list[str]] = []
        #: In what a comprehension loops over, where no variable may be set.
        self.looped = False

    # What RestrictedPython would collect or warn of is an error at once.

    def error(self, node: ast.AST, info: str) -> None:
        raise forbidden(f"{type(node).__name__} in a restricted function: {info}")

    def visit(self, node: ast.AST) -> Any:
        if type(node) not in ALLOWED:
            refuse(node)
        if isinstance(node, SIGNS):
            return node
        return super().visit(node)

    def fresh(self) -> str:
        """A variable of ours, which no code can name."""
        self.made += 1
        return f"{HOOK}{self.made}"

    # Names and constants.

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if type(value) not in _CONSTANTS:
            raise forbidden(f"a constant of type {type(value).__name__}")
        if isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
            raise forbidden(f"a whole number of {value.bit_length()} bits")
        if isinstance(value, str) and len(value) > _CHARACTERS:
            raise forbidden(f"a text of {len(value)} characters")
        return ast.Constant(value)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if type(node.ctx) is ast.Store:
            self.own.add(node.id)
        return ast.Name(checked(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        if node.annotation is not None:
            raise forbidden("an annotation")
        self.own.add(node.arg)
        return ast.arg(checked(node.arg, "the parameter"))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        if type(node.target) is not ast.Name:
            raise forbidden("an assignment in an expression to something else than a variable")
        return self.node_contents_visit(node)

    # Functions.

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        if node.decorator_list or node.returns is not None or getattr(node, "type_params", None):
            raise forbidden("a decorator or an annotation")
        if self.inside:
            return self._inner(node)
        self.inside, self.owned = True, owned(node) - self.closed
        return self.node_contents_visit(node)

    def _inner(self, node: ast.FunctionDef) -> Any:
        """A function inside, which is one value as a lambda is."""
        name, node.name = checked(node.name, "the function name"), self.fresh()
        self.own.add(name)
        made = self._under_def(node)
        return [made, ast.Assign([store(name)], hook("function", load(node.name)))]

    def _under_def(self, node: ast.FunctionDef) -> ast.stmt:
        before, self.looped = self.looped, False
        try:
            return cast("ast.stmt", self.node_contents_visit(node))
        finally:
            self.looped = before

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        arguments = cast("ast.arguments", self.visit(node.args))
        return hook("function", ast.Lambda(arguments, self._under(node.body, looped=False)))

    def visit_Return(self, node: ast.Return) -> ast.AST:
        return self.node_contents_visit(node)

    # Operators.

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        expect(node.op, ast.operator)
        name = OPERATORS[type(node.op)] + reuses(node, self.new)
        return hook(name, self.visit(node.left), self.visit(node.right))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        operand = self.visit(node.operand)
        expect(node.op, ast.unaryop)
        if type(node.op) is ast.Not:
            return ast.UnaryOp(node.op, operand)
        if type(node.op) is ast.USub and type(operand) is ast.Constant:
            value = operand.value
            if isinstance(value, (int, float, complex)) and type(value) is not bool:
                return ast.Constant(-value)  # a number, as source says it
        return hook(OPERATORS[type(node.op)], operand)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        operands = [self.visit(each) for each in (node.left, *node.comparators)]
        for sign in node.ops:
            expect(sign, ast.cmpop)
        return self._chain(operands[0], node.ops, operands[1:])

    def _chain(self, left: ast.expr, ops: list[ast.cmpop], rest: list[ast.expr]) -> ast.expr:
        """`a < b < c` as `a < (t := b) and t < c`, so that b is asked for once.

        Where no variable may be set: `[a < t and t < c for a, t in ((a, b),)][0]`.
        """
        if len(ops) == 1:
            return self._compare(left, ops[0], rest[0])
        name = self.fresh()
        then = self._chain(load(name), ops[1:], rest[1:])
        if not self.looped:
            first = self._compare(left, ops[0], ast.NamedExpr(ast.Name(name, ast.Store()), rest[0]))
            return ast.BoolOp(ast.And(), [first, then])
        before = self.fresh()
        first = self._compare(load(before), ops[0], load(name))
        target = ast.Tuple([store(before), store(name)], ast.Store())
        pairs = ast.Tuple([ast.Tuple([left, rest[0]], ast.Load())], ast.Load())
        clause = ast.comprehension(target, pairs, [], 0)
        made = ast.ListComp(ast.BoolOp(ast.And(), [first, then]), [clause])
        return ast.Subscript(made, ast.Constant(0), ast.Load())

    def _compare(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> ast.expr:
        if isinstance(sign, IDENTITY):
            return ast.Compare(left, [sign], [right])
        return hook(OPERATORS[type(sign)], left, right)

    # Parts of values.

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return hook("attribute", *self._owner(node))

    def _owner(self, node: ast.Attribute) -> tuple[ast.expr, ast.expr]:
        if type(node.ctx) is not ast.Load:
            raise forbidden("a write to an attribute")
        name = checked(node.attr, "the attribute")
        if name == "_" or name in INSPECT_ATTRIBUTES or name in _FORMATTING:
            raise forbidden(f"the attribute {name}")
        found = path(node)
        if found is not None:
            self.paths.append(found)
        return self.visit(node.value), ast.Constant(name)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if type(node.ctx) is not ast.Load:
            raise forbidden("a write to an item")
        return hook("item", self.visit(node.value), self.visit(node.slice))

    def visit_Slice(self, node: ast.Slice) -> ast.AST:
        parts = (node.lower, node.upper, node.step)
        return hook("slice", *(ast.Constant(None) if p is None else self.visit(p) for p in parts))

    # Calls and displays.

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if type(node.func) is ast.Attribute:
            name, first = "method", self._owner(node.func)
        else:
            name, first = "call", (self.visit(node.func),)  # type: ignore[assignment]
        args = [self.visit(each) for each in node.args]
        return hook(name, *first, *args, keywords=[self.visit(each) for each in node.keywords])

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        value = self.visit(node.value)
        if node.arg is None:
            return ast.keyword(None, hook("mapping", value))
        return ast.keyword(checked(node.arg, "the keyword"), value)

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        value = self.visit(node.value)
        if type(node.ctx) is ast.Load:
            value = hook("star", value)
        return ast.Starred(value, node.ctx)

    def visit_Set(self, node: ast.Set) -> ast.AST:
        return hook("set", ast.List([self.visit(each) for each in node.elts], ast.Load()))

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        parts: list[ast.expr] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                parts.append(hook("mapping", self.visit(value)))
            else:
                parts.append(ast.Tuple([self.visit(key), self.visit(value)], ast.Load()))
        return hook("dict", ast.List(parts, ast.Load()))

    # Texts.

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return hook("joined", *(self.visit(each) for each in node.values))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        spec = ast.Constant("") if node.format_spec is None else self.visit(node.format_spec)
        return hook("format", self.visit(node.value), ast.Constant(node.conversion), spec)

    # Loops.

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return ast.ListComp(self._element(node.elt), self._clauses(node.generators))

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        items = ast.ListComp(self._element(node.elt), self._clauses(node.generators))
        return hook("set", items)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        made = ast.GeneratorExp(self._element(node.elt), self._clauses(node.generators))
        return hook("generator", made)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        key, value = self._element(node.key), self._element(node.value)
        pair = ast.Tuple([key, value], ast.Load())
        return hook("dict", ast.ListComp(pair, self._clauses(node.generators)))

    def _element(self, node: ast.expr | None) -> ast.expr:
        if node is None or type(node) is ast.Starred:  # Python 3.15
            raise forbidden("unpacking in a comprehension")
        return self._under(node, looped=False)

    def _clauses(self, clauses: list[ast.comprehension]) -> list[ast.comprehension]:
        return [cast("ast.comprehension", self.visit(each)) for each in clauses]

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        if node.is_async:
            raise forbidden("an async comprehension")
        target, spec = self._target(node.target)
        source = iterated(self._under(node.iter, looped=True), spec)
        tests = [self._under(each, looped=False) for each in node.ifs]
        return ast.comprehension(target, source, tests, 0)

    def _under(self, node: ast.expr, *, looped: bool) -> ast.expr:
        before, self.looped = self.looped, looped
        try:
            return cast("ast.expr", self.visit(node))
        finally:
            self.looped = before

    def visit_For(self, node: ast.For) -> ast.AST:
        target, spec = self._target(node.target)
        source = iterated(self.visit(node.iter), spec)
        body = self._statements(node.body)
        return ast.For(target, source, body, self._statements(node.orelse), None)

    def _statements(self, nodes: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for node in nodes:
            visited = self.visit(node)
            made += visited if isinstance(visited, list) else [visited]
        return made

    def _target(self, target: ast.expr) -> tuple[ast.expr, Any]:
        """A target of an assignment, and how it unpacks; None: it does not.

        `a, (b, *c)` unpacks by `(2, None, ((1, (1, 0, ())),))`: two items, none of them starred,
        the second of which unpacks into one item and, after none, a list of the others.
        """
        if type(target) is ast.Name:
            self.own.add(target.id)
            return store(checked(target.id)), None
        if type(target) not in (ast.Tuple, ast.List):
            raise forbidden("a write to an item or an attribute")
        targets: list[ast.expr] = []
        star: int | None = None
        inner: list[Any] = []
        for place, each in enumerate(cast("ast.Tuple", target).elts):
            if type(each) is ast.Starred:
                if star is not None or type(each.value) is not ast.Name:
                    raise forbidden("unpacking with more than one star")
                star = place
                targets.append(ast.Starred(self._target(each.value)[0], ast.Store()))
                continue
            made, spec = self._target(each)
            targets.append(made)
            if spec is not None:
                inner.append((place, spec))
        plain = len(targets) if star is None else star
        after = None if star is None else len(targets) - star - 1
        return ast.Tuple(targets, ast.Store()), (plain, after, tuple(inner))
