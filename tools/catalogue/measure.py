"""Measures a class: which arguments its config may hold, and what it resolves by itself."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from secure_serial.authoring.catalogue.classes import config_keys, parameters
from secure_serial.authoring.catalogue.words import getters
from tools.catalogue import identifiers, instances, overlay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.catalogue.symbols import Symbol


def ancestry(symbol: Symbol, names: dict[type, str]) -> list[str]:
    """The names of a class and its bases, the class first."""
    return [
        names.get(base, f"{base.__module__}.{base.__qualname__}") for base in symbol.object.__mro__
    ]


def arguments(symbol: Symbol, names: dict[type, str]) -> set[str]:
    """Every argument that a config of this class may hold."""
    lineage = ancestry(symbol, names)
    found = set(parameters(symbol.object))
    for base in lineage:
        found |= set(overlay.fields()["more"].get(base, []))
    found -= overlay.absent(lineage)
    make = instances.maker(symbol.name, symbol.object)
    if make is not None:
        found |= set(make().get_config())
    else:
        nested = overlay.fields()["nested_keys"].get(symbol.name, [])
        found |= config_keys(symbol.object) - set(nested)
    return found - set(overlay.fields()["never"].get(symbol.name, []))


@contextmanager
def _recorded(log: list[tuple[str, str]]) -> Iterator[None]:
    """Within the block, note (table, identifier) for each string that an `X.get` resolves."""
    saved = [(module, module.get) for module in getters().values()]

    def record(table: str, get: Any) -> Any:
        def recorded(identifier: object = None, **options: object) -> Any:
            if isinstance(identifier, str):
                log.append((table, identifier))
            return get(identifier, **options)

        return recorded

    try:
        for table, module in getters().items():
            module.get = record(table, module.get)
        yield
    finally:
        for module, get in saved:
            module.get = get


def defaults(symbol: Symbol, words: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """What absent arguments resolve to, by argument; and what else the constructor resolves."""
    tables = identifiers.tables()
    told: dict[str, str] = {}
    for name, parameter in parameters(symbol.object).items():
        table = tables.get(words.get(name, "").rstrip("*"), {})
        default = parameter.default
        if isinstance(default, str) and default in table and name in words:
            told[name] = table[default]
    log: list[tuple[str, str]] = []
    make = instances.maker(symbol.name, symbol.object)
    if make is not None and symbol.name not in instances.MAKERS:
        with _recorded(log), contextlib.suppress(NotImplementedError):
            make()
    given = instances.ARGUMENTS.get(symbol.name, {}).values()
    measured = {
        tables[table][identifier]
        for table, identifier in log
        if identifier in tables[table] and table != "dtype_policy" and identifier not in given
    }
    return told, sorted(measured - set(told.values()))
