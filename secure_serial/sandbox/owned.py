"""Which variables hold only lists and dictionaries that the function itself makes.

Items of those may be set: nobody outside of the call can have one, as they can an argument, a
default or a value of the closure.
"""

from __future__ import annotations

import ast

_MADE = (ast.List, ast.ListComp, ast.Dict, ast.DictComp)
_MAKERS = frozenset({"list", "dict", "sorted"})


def owned(function: ast.FunctionDef) -> frozenset[str]:
    r"""The names that are bound to lists and dictionaries made here, and to nothing else.

    >>> tree = ast.parse("def f(x, y):\n a, b = [x], y\n c = list(x)\n d = c").body[0]
    >>> sorted(owned(tree))
    ['a', 'c']

    """
    found = _Bindings()
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            found.other.add(node.arg)
        elif isinstance(node, ast.alias):
            found.other.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.FunctionDef):
            found.other.add(node.name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                found.bind(target, node.value)
        elif isinstance(node, ast.NamedExpr):
            found.bind(node.target, node.value)
        elif isinstance(node, (ast.For, ast.comprehension)):
            found.bind(node.target, None)
    if _MAKERS & (found.made | found.other):
        return frozenset()
    return frozenset(found.made - found.other)


class _Bindings:
    """Names by what they are bound to."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        self.other: set[str] = set()

    def bind(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            (self.made if _is_made(value) else self.other).add(target.id)
        elif isinstance(target, ast.Tuple):
            values: list[ast.expr | None] = [None] * len(target.elts)
            starred = any(isinstance(each, ast.Starred) for each in target.elts)
            if isinstance(value, ast.Tuple) and len(value.elts) == len(values) and not starred:
                values = [*value.elts]
            for each, given in zip(target.elts, values, strict=True):
                self.bind(each, given)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, None)


def _is_made(value: ast.expr | None) -> bool:
    """Whether an expression gives a new list or dictionary, if it gives one."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Mult, ast.Add)):
        return _is_made(value.left) or _is_made(value.right)
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in _MAKERS
    return isinstance(value, _MADE)
