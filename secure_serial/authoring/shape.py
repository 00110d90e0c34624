"""What the schema says of a place in a policy: in which order its keys stand. Pure."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from secure_serial.authoring.schema import schema

if TYPE_CHECKING:
    from secure_serial.authoring.schema import Schema

#: Lists that mean the same in any order.
_SETS = frozenset(
    {"symbols", "registered", "kinds", "fields", "formats", "codes", "delegate", "symbol"}
)


class Shape:
    """The place of a path of keys, or one that the schema does not know.

    >>> shape("allow", "evidence").order[:2]
    ('tool', 'source_sha256')
    >>> shape("allow", "symbols").is_set, shape("extends").is_set
    (True, False)
    """

    def __init__(self, node: Schema | None, key: str = "") -> None:
        self._node = node
        inner = {} if node is None else cast("Schema", node.get("properties", {}))
        self.order = tuple(inner)
        self.is_set = node is not None and key in _SETS

    def inside(self, key: str) -> Shape:
        """The place of a key in the table that stands here."""
        if self._node is None:
            return self
        known = cast("Schema", self._node.get("properties", {}))
        found = known.get(key, self._node.get("additionalProperties"))
        return Shape(_resolved(found) if isinstance(found, dict) else None, key)

    def rank(self, key: str) -> int:
        """Where a key stands among the others; one that is not known, behind them."""
        return self.order.index(key) if key in self.order else len(self.order)


def shape(*keys: str) -> Shape:
    """What is known of a place, from the top of a policy."""
    found = _top()
    for key in keys:
        found = found.inside(key)
    return found


@cache
def _top() -> Shape:
    return Shape(schema())


def _resolved(node: Schema) -> Schema:
    """What a reference refers to; of an array of tables, one of these."""
    items = node.get("items")
    if isinstance(items, dict) and "$ref" in items:
        node = items
    name = str(node.get("$ref", "")).rpartition("/")[2]
    return _definitions()[name] if name else node


@cache
def _definitions() -> dict[str, Schema]:
    return cast("dict[str, Schema]", schema()["$defs"])
