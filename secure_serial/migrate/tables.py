"""The tables that migrations are data in, read into types. Pure; `data.migrations` reads the file.

Each row says for some classes which arguments of earlier versions are called what today, and
which mean nothing any more, with the source that says so. Rows name classes by symbol;
`#kind` means every class of a kind and `*` every layer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Json

SCHEMA: Final = 1
#: In `drop`: whatever the value is, no result depends on it.
ANY: Final = "any"


@dataclass(frozen=True, slots=True)
class Row:
    """One migration of arguments."""

    id: str
    why: str
    source: str
    classes: tuple[str, ...]
    becomes: str = ""  # another class, which does the same
    rename: Mapping[str, str] = field(default_factory=dict)
    gather: Mapping[str, list[list[str]]] = field(default_factory=dict)
    drop: Mapping[str, Json] = field(default_factory=dict)
    add: Mapping[str, Json] = field(default_factory=dict)  # where it is missing
    refuse: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a function of TensorFlow's is among Keras's operations."""

    symbol: str
    tensors: tuple[str, ...]  # the names of the arguments that are tensors or numbers
    settings: Mapping[str, str] = field(default_factory=dict)  # TensorFlow's name -> Keras's
    fixed: Mapping[str, Json] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()  # what may be false, as any may be null


class Tables:
    """Everything that `migrations.json` says.

    >>> Tables({"schema": 1, "arguments": [], "impossible": {}}).rows_of("x", "layer")
    []
    """

    def __init__(self, tree: Mapping[str, Json]) -> None:
        if tree["schema"] != SCHEMA:
            raise ValueError(f"the tables of migrations have schema {tree['schema']!r}")
        self.sources = cast("dict[str, str]", tree.get("sources", {}))
        self.values = cast("dict[str, dict[str, Json]]", tree.get("values", {}))
        self.impossible = cast("dict[str, str]", tree["impossible"])
        self.rows = [_row(raw) for raw in cast("list[dict[str, Json]]", tree["arguments"])]
        self.functions = _operations(tree.get("functions", {}))
        self.nodes = _operations(tree.get("nodes", {}))
        self._by_class: dict[str, list[Row]] = {}
        for row in self.rows:
            for name in row.classes:
                self._by_class.setdefault(name, []).append(row)

    def rows_of(self, symbol: str, kind: str) -> list[Row]:
        """The rows for a class, its own first."""
        rows = [*self._by_class.get(symbol, ()), *self._by_class.get(f"#{kind}", ())]
        if kind in ("layer", "model"):
            rows += self._by_class.get("*", ())
        return rows


def _row(raw: dict[str, Json]) -> Row:
    classes = tuple(cast("list[str]", raw["classes"]))
    return Row(**{**raw, "classes": classes})  # type: ignore[arg-type]


def _operations(raw: Json) -> dict[str, Operation]:
    table = cast("dict[str, dict[str, Json]]", raw)
    return {
        name: Operation(
            cast("str", each["symbol"]),
            tuple(cast("list[str]", each["tensors"])),
            cast("dict[str, str]", each.get("settings", {})),
            cast("dict[str, Json]", each.get("fixed", {})),
            tuple(cast("list[str]", each.get("ignored", []))),
        )
        for name, each in table.items()
    }
