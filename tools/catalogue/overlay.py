"""The reviewed overlay: which word each argument gets, and what each symbol may cause.

`fields.toml` and `effects.toml` are written by hand. What they do not mention makes the
generator fail, so that a new version of Keras cannot add an unreviewed argument or symbol.
"""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


class Unreviewed(LookupError):
    """Arguments or symbols that the overlay does not mention."""


@cache
def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / name).read_text(encoding="utf-8"))


def fields() -> dict[str, Any]:
    """The words of arguments (fields.toml)."""
    return _load("fields.toml")


def effects() -> dict[str, Any]:
    """Effects, kinds and omissions (effects.toml)."""
    return _load("effects.toml")


@cache
def words(section: str) -> dict[str, str]:
    """A section of fields.toml that lists names by word, turned into word by name."""
    found: dict[str, str] = {}
    for word, names in fields()[section].items():
        for name in names:
            if name in found:
                raise Unreviewed(f"{section}: {name} is both {found[name]} and {word}")
            found[name] = word
    return found


def word(ancestry: list[str], name: str, *, operation: bool) -> str | None:
    """The word of argument `name` of a class, whose names and its bases' are `ancestry`."""
    for cls in ancestry:
        told = fields()["class"].get(cls, {}).get(name)
        if told is not None:
            return str(told)
    if operation and name in words("operation_argument"):
        return words("operation_argument")[name]
    return words("argument").get(name)


def absent(ancestry: list[str]) -> set[str]:
    """Arguments of bases that a class gives itself, so that its config cannot."""
    table = fields()["absent"]
    return {name for cls in ancestry[1:] for name in table.get(cls, [])}


def effects_of(name: str) -> list[str]:
    """The effects of a symbol: those of the first rule whose pattern fits its name.

    Raises:
        Unreviewed: no rule fits.

    """
    for rule in effects()["rule"]:
        if any(fnmatchcase(name, pattern) for pattern in rule["match"]):
            return list(rule["effects"])
    raise Unreviewed(f"no rule of effects.toml fits {name}")


def legacy() -> dict[str, Any]:
    """What old releases mean (legacy.toml)."""
    return _load("legacy.toml")


@cache
def legacy_words() -> dict[str, str]:
    """Word by argument name, for old releases."""
    return {name: word for word, names in legacy()["argument"].items() for name in names}
