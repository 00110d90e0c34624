"""The nodes that restricted code may consist of, and those that it is made into."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

from secure_serial.sandbox.names import HOOK, forbidden

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OPERATORS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv",
    ast.Mod: "mod", ast.Pow: "pow", ast.LShift: "lshift", ast.RShift: "rshift",
    ast.BitOr: "or", ast.BitXor: "xor", ast.BitAnd: "and", ast.MatMult: "matmul",
    ast.UAdd: "pos", ast.USub: "neg", ast.Invert: "invert",
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
    ast.In: "in", ast.NotIn: "not_in",
}  # fmt: skip
#: Operators that may write into the result of another one, and those whose sides may change places.
_REUSING = frozenset({ast.Add, ast.Sub, ast.Mult, ast.Div})
_COMMUTING = frozenset({ast.Add, ast.Mult})
#: Operators that always make something new. Whether a product of matrices does is its library's.
_MAKING = _REUSING | {ast.Pow}
IDENTITY = (ast.Is, ast.IsNot)
SIGNS = (ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.expr_context)

#: All that may stand in a tree. Anything else, and any node type that a later Python adds, is
#: refused until somebody has read what it does.
ALLOWED: Final = frozenset({
    ast.FunctionDef, ast.Lambda, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AugAssign,
    ast.Assert, ast.Raise,
    ast.Expr, ast.If, ast.For, ast.Break, ast.Continue, ast.Pass, ast.Import, ast.ImportFrom,
    ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Starred, ast.JoinedStr,
    ast.FormattedValue, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.NamedExpr,
    ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice, ast.ListComp, ast.SetComp,
    ast.DictComp, ast.GeneratorExp, ast.comprehension,
    ast.And, ast.Or, ast.Not, ast.Is, ast.IsNot, ast.Load, ast.Store, *OPERATORS,
})  # fmt: skip

_WORDS: Final[dict[str, str]] = {
    "While": "a while loop", "Try": "try", "TryStar": "try", "With": "with",
    "Delete": "del", "Global": "global", "Nonlocal": "nonlocal",
    "ClassDef": "a class", "AsyncFunctionDef": "an async function", "Await": "await",
    "AsyncFor": "an async loop", "AsyncWith": "async with", "Yield": "yield",
    "YieldFrom": "yield from", "Match": "match", "AnnAssign": "an annotation", "Del": "del",
    "TemplateStr": "a template string", "TypeAlias": "a type", "Module": "a module",
}  # fmt: skip


def hook(name: str, *args: ast.expr, keywords: Sequence[ast.keyword] = ()) -> ast.Call:
    """A call of a hook."""
    return ast.Call(ast.Name(HOOK + name, ast.Load()), list(args), list(keywords))


def refuse(node: ast.AST) -> None:
    """Raise the error for a node that may not stand in restricted code."""
    name = type(node).__name__
    raise forbidden(f"{_WORDS.get(name, name)} in a restricted function")


def expect(sign: ast.AST, kind: type[ast.AST]) -> None:
    """A hand-made tree may have an operator where another kind of them stands."""
    if type(sign) not in ALLOWED or not isinstance(sign, kind):
        refuse(sign)


def reuses(node: ast.BinOp, new: Callable[[list[str]], bool]) -> str:
    """Which side of an operator is the result of another, as the end of a hook's name.

    Such a result has no name and stands in nothing, so no part of the code can see it again. So
    has that of a function whose path is `new`.
    """
    if type(node.op) in _REUSING and _made(node.left, new):
        return "_left"
    return "_right" if type(node.op) in _COMMUTING and _made(node.right, new) else ""


def _made(node: ast.expr, new: Callable[[list[str]], bool]) -> bool:
    if type(node) is ast.Call:
        found = path(node.func)
        return found is not None and new(found)
    return type(node) is ast.BinOp and type(node.op) in _MAKING


def path(node: ast.expr) -> list[str] | None:
    """`name.a.b` as its parts; None: it does not begin with a name."""
    parts: list[str] = []
    while type(node) is ast.Attribute:
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if type(node) is ast.Name else None


def load(name: str) -> ast.expr:
    """A variable that is read."""
    return ast.Name(name, ast.Load())


def store(name: str) -> ast.expr:
    """A variable that is set."""
    return ast.Name(name, ast.Store())


def iterated(source: ast.expr, spec: Any) -> ast.expr:
    """What a loop runs over, unpacked if its target is."""
    if spec is None:
        return hook("iterate", source)
    return hook("iterate_unpacked", source, ast.Constant(spec))


def assigned(target: ast.expr, spec: Any, value: ast.expr) -> ast.stmt:
    """An assignment, unpacked if its target is."""
    if spec is not None:
        value = hook("unpack", value, ast.Constant(spec))
    return ast.Assign([target], value)
