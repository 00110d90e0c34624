"""Measures a class: which arguments its config may hold, and what it resolves by itself."""

from __future__ import annotations

import ast
import contextlib
import inspect
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tools.catalogue import identifiers, instances, overlay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.catalogue.symbols import Symbol

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def parameters(cls: type) -> dict[str, object]:
    """The arguments of the constructor and their defaults, over the bases while it has **kwargs."""
    found: dict[str, object] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base.__module__.startswith("keras.src.backend.jax"):
            continue
        signature = inspect.signature(vars(base)["__init__"])
        rest = list(signature.parameters.values())[1:]
        for parameter in rest:
            if parameter.kind not in _VARIADIC:
                found.setdefault(parameter.name, parameter.default)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in rest):
            break
    return found


def config_keys(cls: type) -> set[str]:
    """The literal keys that the source of `get_config` writes, over the bases.

    For classes that cannot be made here, so that no instance can be asked.
    """
    keys: set[str] = set()
    for base in cls.__mro__:
        method = vars(base).get("get_config")
        if method is None or not base.__module__.startswith("keras.src."):
            continue
        if "_auto_config" in inspect.getsource(method):
            continue  # Operation's: writes the constructor's arguments
        source = ast.parse(textwrap.dedent(inspect.getsource(method)))
        keys |= set(_literal_keys(source))
        if "super()" not in inspect.getsource(method):
            break
    return keys


def _literal_keys(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        candidates: list[ast.expr | None] = []
        if isinstance(node, ast.Dict):
            candidates = list(node.keys)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            candidates = [node.slice]
        for key in candidates:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value


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
    saved = [(module, module.get) for module in identifiers.modules().values()]

    def record(table: str, get: Any) -> Any:
        def recorded(identifier: object = None, **options: object) -> Any:
            if isinstance(identifier, str):
                log.append((table, identifier))
            return get(identifier, **options)

        return recorded

    try:
        for table, module in identifiers.modules().items():
            module.get = record(table, module.get)
        yield
    finally:
        for module, get in saved:
            module.get = get


def defaults(symbol: Symbol, words: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """What absent arguments resolve to, by argument; and what else the constructor resolves."""
    tables = identifiers.tables()
    told: dict[str, str] = {}
    for name, default in parameters(symbol.object).items():
        table = tables.get(words.get(name, "").rstrip("*"), {})
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
