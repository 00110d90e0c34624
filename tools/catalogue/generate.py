"""Writes policies/catalogue/keras-3.15.json from the installed Keras and the overlay.

    python -m tools.catalogue.generate [--check]

`--check` writes nothing and fails where the file differs from what would be written.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.authoring.catalogue.lines import text
from tools.catalogue import identifiers, measure, overlay, symbols

if TYPE_CHECKING:
    from tools.catalogue.symbols import Symbol

TARGET = Path(__file__).resolve().parents[2] / "policies" / "catalogue" / "keras-3.15.json"


def _words(symbol: Symbol, names: dict[type, str], missing: set[str]) -> dict[str, str]:
    lineage = measure.ancestry(symbol, names)
    found = {}
    for name in sorted(measure.arguments(symbol, names)):
        word = overlay.word(lineage, name, operation=symbol.kind == "operation")
        if word is None:
            missing.add(f"{symbol.name}: {name}")
        else:
            found[name] = word
    return found


def _extras(symbol: Symbol, names: dict[type, str], fields: dict[str, str]) -> dict[str, object]:
    """What the overlay says beyond words: other plain values, enums, single symbols."""
    lineage = measure.ancestry(symbol, names)
    found: dict[str, object] = {}
    for section in ("or", "enums", "accepts", "build"):
        table = overlay.fields()[section]
        merged: dict[str, object] = {}
        for base in reversed(lineage):
            merged |= {key: v for key, v in table.get(base, {}).items() if key in fields}
        if section == "build":
            merged = dict(table.get(symbol.name, {}))
        if merged:
            found[section] = dict(sorted(merged.items()))
    return found


def _entry(symbol: Symbol, names: dict[type, str], missing: set[str]) -> dict[str, object]:
    entry: dict[str, object] = {
        "kind": symbol.kind,
        "at": symbol.at,
        "type": "class" if symbol.is_class else "function",
        "aliases": list(symbol.aliases),
    }
    effects = overlay.effects_of(symbol.name)
    if effects:
        entry["effects"] = effects
    if symbol.is_class and symbol.kind != "class":
        fields = _words(symbol, names, missing)
        entry["fields"] = fields
        told, more = measure.defaults(symbol, fields)
        if told:
            entry["defaults"] = dict(sorted(told.items()))
        if more:
            entry["resolves"] = more
        entry |= _extras(symbol, names, fields)
    return entry


def catalogue() -> dict[str, object]:
    """The whole catalogue.

    Raises:
        overlay.Unreviewed: with every argument and symbol that the overlay does not mention.

    """
    import keras

    collected = symbols.collect()
    names = {symbol.object: symbol.name for symbol in collected if symbol.is_class}
    missing: set[str] = set()
    entries = {symbol.name: _entry(symbol, names, missing) for symbol in collected}
    if missing:
        raise overlay.Unreviewed("\n".join(["not in fields.toml:", *sorted(missing)]))
    return {
        "schema": 1,
        "distribution": "keras",
        "version": keras.__version__,
        "compile": overlay.fields()["compile"],
        "build": overlay.fields()["build"]["*"],
        "implied": overlay.fields()["implied"],
        "identifiers": identifiers.tables(),
        "symbols": entries,
    }


def main() -> int:
    """Write the file, or check it."""
    os.environ.setdefault("KERAS_BACKEND", "jax")  # any will do: nothing in the file depends on it
    written = text(catalogue())
    if "--check" in sys.argv[1:]:
        same = TARGET.read_text(encoding="utf-8") == written
        print("the catalogue is up to date" if same else "the catalogue is out of date")
        return 0 if same else 1
    TARGET.write_text(written, encoding="utf-8")
    print(f"{TARGET.name}: {len(written)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
