"""What an older Keras has otherwise than the newest one, as a JSON Merge Patch (RFC 7396).

A symbol keeps the name that the newest version gives it, so that a policy speaks of the same
thing whichever is installed. One that the older version has not got stays, without its place:
the planner goes on knowing what it is, and a load says that this Keras has not got it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    Tree = Mapping[str, object]


def difference(newest: Tree, older: Tree) -> dict[str, object]:
    """The patch that makes an older version's catalogue of the newest one's."""
    symbols = cast("Mapping[str, Tree]", newest["symbols"])
    told = _renamed(older, _new_names(symbols, cast("Mapping[str, Tree]", older["symbols"])))
    patch = _patch(newest, cast("Tree", told))
    lost = sorted(symbols.keys() - cast("Tree", cast("Tree", told)["symbols"]).keys())
    cast("dict[str, object]", patch["symbols"]).update({name: {"at": None} for name in lost})
    return patch


def _new_names(newest: Mapping[str, Tree], older: Mapping[str, Tree]) -> dict[str, str]:
    """What the newest version calls the symbols of the older one that it knows by another name."""
    aliases = {
        alias: symbol
        for symbol, entry in newest.items()
        for alias in cast("list[str]", entry["aliases"])
    }
    return {
        name: aliases[name]
        for name in older.keys() - newest.keys()
        if name in aliases and aliases[name] not in older
    }


def _renamed(value: object, names: Mapping[str, str]) -> object:
    """A catalogue with symbols under their new names, and the old ones among the aliases."""
    if isinstance(value, dict):
        made = {names.get(key, key): _renamed(item, names) for key, item in value.items()}
        for old, new in names.items():
            if old in value and isinstance(value[old], dict) and "aliases" in value[old]:
                made[new]["aliases"] = sorted({*value[old]["aliases"], old} - {new})
        return made
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _patch(before: Tree, after: Tree) -> dict[str, object]:
    patch: dict[str, object] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            inner = _patch(old, value)
            if inner:
                patch[key] = inner
        elif key not in before or old != value:
            patch[key] = value
    return patch
