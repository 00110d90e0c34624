"""A catalogue as text, so that a difference between two can be read. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Tables of tables, whose rows are those of the inner ones.
_NESTED = frozenset({"identifiers", "kinds"})


def text(tree: Mapping[str, object]) -> str:
    r"""JSON with one line per symbol or identifier, sorted.

    >>> text({"schema": 1, "symbols": {"b": {"kind": "loss"}, "a": {}}})
    '{\n"schema":1,\n"symbols":{\n"a":{},\n"b":{"kind":"loss"}\n}\n}\n'
    """
    parts = []
    for key, value in tree.items():
        depth = 2 if key in _NESTED else 1
        shown = _lines(value, depth) if isinstance(value, dict) else json.dumps(value)
        parts.append(f"{json.dumps(key)}:{shown}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(table: Mapping[str, object], depth: int) -> str:
    rows = []
    for key, value in sorted(table.items()):
        if depth > 1 and isinstance(value, dict):
            shown = _lines(value, depth - 1)
        else:
            shown = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
        rows.append(f"{json.dumps(key)}:{shown}")
    return "{\n" + ",\n".join(rows) + "\n}"
