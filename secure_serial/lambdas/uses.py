"""The names that a function takes from outside of it, for whoever reads it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secure_serial.lambdas.understood import Understood


def uses(understood: Understood) -> list[str]:
    """Global names with the attributes behind them, other attributes, and imports.

    >>> from secure_serial.lambdas.understood import from_source
    >>> uses(from_source("lambda x: tf.nn.relu(x.T) + K.sum(x)"))
    ['.T', 'K.sum', 'tf.nn.relu']

    """
    tree = understood.tree
    nodes = list(ast.walk(tree))
    bound = {node.arg for node in nodes if isinstance(node, ast.arg)} | {*understood.closure}
    names = [node for node in nodes if isinstance(node, ast.Name)]
    bound |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    bound |= {each.name for each in nodes if isinstance(each, ast.FunctionDef) and each is not tree}
    found = {node.id for node in names if node.id not in bound}
    found |= {ast.unparse(node) for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))}
    inner: set[int] = set()
    for node in nodes:  # the outermost attribute of a chain comes first
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            found.add(_chain(node, bound, inner))
    return sorted(
        name for name in found if not any(other.startswith(f"{name}.") for other in found)
    )


def _chain(node: ast.Attribute, bound: set[str], inner: set[int]) -> str:
    parts: list[str] = []
    value: ast.expr = node
    while isinstance(value, ast.Attribute):
        inner.add(id(value))
        parts.append(value.attr)
        value = value.value
    known = isinstance(value, ast.Name) and value.id not in bound
    head = value.id if known and isinstance(value, ast.Name) else ""
    return ".".join([head, *reversed(parts)])
