"""A tree's normal form, its digest, and its text."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from secure_serial.lambdas.errors import CannotLift, TooMuch

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a text may say beside what the tree means.
_DROPPED = frozenset({"ctx", "type_comment", "type_params", "kind", "annotation", "returns"})
#: What there is too much of where CPython's own stack ends first.
STACK = "nesting, for what is left of the stack"
DEEP = "(too deep for what is left of the stack)"
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)


class _Normal(ast.NodeTransformer):
    """One way to write what can be written in several."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        node.test, swapped = _positive(node.test)
        if swapped:
            node.body, node.orelse = node.orelse, node.body
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if node.orelse:
            node.test, swapped = _positive(node.test)
            if swapped:
                node.body, node.orelse = node.orelse, node.body
        return _one_assignment(node) or node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        values: list[ast.expr] = []
        for value in node.values:
            same = isinstance(value, ast.BoolOp) and type(value.op) is type(node.op)
            values += value.values if same and isinstance(value, ast.BoolOp) else [value]
        node.values = values
        return node


def _one_assignment(node: ast.If) -> ast.Assign | None:
    """`if c: y = a` and `else: y = b` as `y = a if c else b`, which compilers make of it."""
    legs = [leg[0] for leg in (node.body, node.orelse) if len(leg) == 1]
    match legs:
        case [
            ast.Assign([ast.Name(one)], then),
            ast.Assign([ast.Name(two)], other),
        ] if one == two:
            target = ast.Name(one, ast.Store())
            return ast.Assign([target], ast.IfExp(node.test, then, other))
    return None


def _positive(test: ast.expr) -> tuple[ast.expr, bool]:
    """A test without `not` before it, or in it; and whether it now says the opposite."""
    swapped = False
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, swapped = test.operand, not swapped
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        positive = {ast.IsNot: ast.Is, ast.NotIn: ast.In}.get(type(test.ops[0]))
        if positive is not None:
            return ast.Compare(test.left, [positive()], test.comparators), not swapped
    return test, swapped


def children(node: ast.AST) -> Iterator[ast.AST]:
    """What `ast.iter_child_nodes` gives, and in less time: these are asked for everywhere.

    By the names of the fields alone: Python's parser shares one node for each operator, and who
    hangs a parent on that, as bandit does, would have all trees of the process go in circles.
    """
    held = node.__dict__
    for name in node._fields:
        value = held.get(name)
        if isinstance(value, ast.AST):
            yield value
        elif isinstance(value, list):
            yield from (each for each in value if isinstance(each, ast.AST))


def walked(tree: ast.AST) -> list[ast.AST]:
    """All nodes of a tree, in no order that anyone may rely on."""
    found = [tree]
    for node in found:
        found += children(node)
    return found


def placed(tree: ast.Module) -> ast.Module:
    """The tree with the places that the compiler wants: all on line 1."""
    for node in walked(tree):
        if node._attributes:  # noqa: SLF001 - public, as `_fields` is
            node.lineno = node.end_lineno = 1  # type: ignore[attr-defined]
            node.col_offset = node.end_col_offset = 0  # type: ignore[attr-defined]
    return tree


def copied(node: Any) -> Any:
    """A tree of its own, without places in a text, and much sooner than `deepcopy` has one."""
    if isinstance(node, list):
        return [copied(item) for item in node]
    if not isinstance(node, ast.AST):
        return node
    fields = [name for name in node._fields if hasattr(node, name)]
    return type(node)(**{name: copied(getattr(node, name)) for name in fields})


def normal(tree: ast.expr | ast.FunctionDef) -> ast.expr | ast.FunctionDef:
    """The normal form: the tree itself, if it holds nothing that can be written in several ways."""
    if not any(isinstance(node, (ast.IfExp, ast.If, ast.BoolOp)) for node in walked(tree)):
        return tree
    made: ast.expr | ast.FunctionDef = _Normal().visit(copied(tree))
    return made


def digest(tree: ast.expr | ast.FunctionDef) -> str:
    """SHA-256 of the normal form: the same for every Python that saved the function.

    >>> texts = ("lambda x: x+1", "lambda x:(x + 1)")
    >>> one, two = (digest(ast.parse(text, mode="eval").body) for text in texts)
    >>> one == two
    True
    """
    text = "1\n" + "\n".join(_lines(normal(tree)))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@cache
def _fields(kind: str) -> tuple[str, ...]:
    return tuple(name for name in getattr(ast, kind)._fields if name not in _DROPPED)


def _lines(tree: ast.AST) -> Iterator[str]:
    """A text of our own: `ast.dump` differs between versions of Python."""
    todo: list[object] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.AST):
            fields = _fields(type(node).__name__)
            yield f"{type(node).__name__} {len(fields)}"
            todo += [getattr(node, name, None) for name in reversed(fields)]
        elif isinstance(node, list):
            yield f"[{len(node)}"
            todo += reversed(node)
        else:
            yield f"{type(node).__name__} {node!r}"


class _Joined(ast.NodeTransformer):
    """F-strings as calls."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        self.generic_visit(node)
        join = ast.Attribute(ast.Constant(""), "join", ast.Load())
        return ast.Call(join, [ast.List(node.values, ast.Load())], [])

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        self.generic_visit(node)
        name = {ord("r"): "repr", ord("s"): "str", ord("a"): "ascii"}.get(node.conversion)
        value = node.value if name is None else _call(name, node.value)
        return _call("format", value, *([] if node.format_spec is None else [node.format_spec]))


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def source(tree: ast.expr | ast.FunctionDef) -> str:
    """The tree as text for a person. Nothing ever compiles it.

    An f-string that this Python has no way to write is shown as calls of `format`.
    """
    try:
        try:
            return exact(tree)
        except CannotLift:
            return exact(_Joined().visit(copied(tree)))
    except TooMuch:
        return DEEP


def exact(tree: ast.expr | ast.FunctionDef) -> str:
    """The tree as text of which the parser makes the same tree.

    Raises:
        CannotLift: This Python has no way to write it: before 3.12, a backslash in an f-string's
            expression.
        TooMuch: Whoever calls has used up the stack.

    """
    try:
        return ast.unparse(ast.fix_missing_locations(copied(tree)))
    except ValueError:
        raise CannotLift("an f-string that this version of Python cannot write") from None
    except RecursionError:
        raise TooMuch(STACK) from None


def check_scopes(tree: ast.expr | ast.FunctionDef) -> None:
    """Refuse what the proof cannot tell apart: two variables of one name, one of them shared.

    A comprehension's variable that a function inside it shares must be the only one so called.
    """
    nodes = walked(tree)
    if not any(isinstance(node, _COMPREHENSIONS) for node in nodes):
        return
    bound: dict[str, int] = {}
    for node in nodes:
        for name in _binds(node):
            bound[name] = bound.get(name, 0) + 1
    for node in nodes:
        if isinstance(node, _COMPREHENSIONS):
            own = {name for each in node.generators for name in _stored(each.target)}
            for inner in ast.walk(node):
                if isinstance(inner, (ast.Lambda, ast.GeneratorExp)):
                    used = {each.id for each in ast.walk(inner) if isinstance(each, ast.Name)}
                    if any(bound[name] > 1 for name in own & used):
                        raise CannotLift("a comprehension's variable that a nested function shares")


def check_slices(tree: ast.expr | ast.FunctionDef) -> None:
    """Refuse slices where no text may have one: `x[(1:, 2:) if c else 3:]` compiles as a tree."""
    nodes = walked(tree)
    slices = {id(node) for node in nodes if isinstance(node, ast.Slice)}
    for node in nodes if slices else ():
        if isinstance(node, ast.Subscript):
            index = node.slice
            slices -= {id(each) for each in (index, *getattr(index, "elts", ()))}
    if slices:
        raise CannotLift("a slice that is no index")


def chooses_method(tree: ast.Lambda | ast.FunctionDef) -> bool:
    """Whether a method of one of its values is chosen, and then called: `(x.a if c else x.b)(1)`.

    Restricted code has no methods but to call them, and ends that are alike may be taken for one.
    """
    nodes = walked(tree)
    choices = [n.func for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.IfExp)]
    own = {each.arg for each in nodes if isinstance(each, ast.arg)} if choices else set()
    methods = [m for c in choices for m in (c.body, c.orelse) if isinstance(m, ast.Attribute)]
    return any(isinstance(m.value, ast.Name) and m.value.id in own for m in methods)


def _stored(node: ast.AST) -> list[str]:
    return [
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]


def _binds(node: ast.AST) -> list[str]:
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.alias):
        return [node.asname or node.name.partition(".")[0]]
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    return [node.id] if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else []
