"""The arguments of one class, brought to today's by the tables and checked to be complete.

What is left must be an argument of today's class, or have been unset: an argument that has
no counterpart is refused, never dropped, unless a row of the tables says why it may be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.migrate.context import quoted
from secure_serial.migrate.tables import ANY
from secure_serial.plan.fields import Kind

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.migrate.context import Context
    from secure_serial.migrate.tables import Row
    from secure_serial.plan.path import Path

#: Layers without weights take no `trainable`, and some metrics no `name`, in Keras 3.
_IDLE = frozenset({"trainable", "name"})


def apply_rows(
    symbol: str, config: dict[str, Any], path: Path, context: Context
) -> tuple[str, dict[str, Any]]:
    """The symbol and the arguments after every row of the tables that speaks of the class."""
    known = symbol in context.catalogue
    kind = str(context.catalogue.entry(symbol).kind.value) if known else ""
    for row in context.tables.rows_of(symbol, kind):
        config = _apply(row, symbol, config, path, context)
        if row.becomes:
            return apply_rows(row.becomes, config, path, context)
    for name, table in context.tables.values.items():
        value = config.get(name)
        if isinstance(value, str) and value in table:
            config[name] = table[value]
    return symbol, config


def _apply(
    row: Row, symbol: str, config: dict[str, Any], path: Path, context: Context
) -> dict[str, Any]:
    for name, why in row.refuse.items():
        if config.get(name) is not None:
            context.refuse((path, name), f"{symbol}: {why}")
    new: dict[str, Any] = {}
    for name, value in config.items():
        called = row.rename.get(name, name)
        if _is_neutral(value, row.drop.get(name)):
            continue
        if called != name and called in config and config[called] != value:
            context.refuse((path, name), f"{symbol} has both {name} and {called}")
        new[called] = value
    for name, choices in row.gather.items():
        for parts in choices:
            if all(part in new for part in parts):
                new[name] = [new.pop(part) for part in parts]
    for name, value in row.add.items():
        new.setdefault(name, value)
    return new


def _is_neutral(value: Json, neutral: Json) -> bool:
    """Whether a value is one that a row lets go. `0` is not `False`: types count."""
    if not isinstance(neutral, list):
        return neutral == ANY
    return any(type(value) is type(item) and value == item for item in neutral)


def check_complete(symbol: str, config: dict[str, Any], path: Path, context: Context) -> None:
    """Leave out what was unset; refuse an argument that today's class has not.

    Raises:
        CannotMigrate: naming it.

    """
    today = context.catalogue.arguments(symbol)
    kind = context.catalogue.entry(symbol).kind
    for name in [name for name in config if name not in today]:
        value = config[name]
        if value is None or (name in _IDLE and kind is not Kind.MODEL):
            del config[name]
        else:
            text = f"{symbol} has no argument {quoted(name)} in Keras 3 (it is {quoted(value)})"
            context.refuse((path, name), text)
