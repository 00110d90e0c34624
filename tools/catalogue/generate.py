"""Writes policies/catalogue/keras-3.15.json from the installed Keras and the overlay.

    python -m tools.catalogue.generate [--check]

Where an older Keras is installed, it writes what differs from that file: `keras-3.6.diff.json`.
`--check` writes nothing and fails where the file differs from what would be written.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.authoring.catalogue.lines import text
from tools.catalogue import hardcoded, identifiers, measure, overlay, symbols, versions

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


def _implied() -> dict[str, list[str]]:
    """What classes resolve by name whatever their config says: of Keras's source, and as told."""
    found = hardcoded.implied()
    for owner, names in overlay.fields()["implied"].items():
        found[owner] = sorted({*found.get(owner, ()), *names})
    return found


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
        "implied": _implied(),
        "identifiers": identifiers.tables(),
        "symbols": entries,
    }


def file_for(tree: dict[str, object]) -> tuple[Path, dict[str, object]]:
    """The file of a catalogue, and what stands in it: of an older Keras, what is different."""
    newest = json.loads(TARGET.read_bytes())
    version = ".".join(str(tree["version"]).split(".")[:2])
    if str(newest["version"]).startswith(f"{version}."):
        return TARGET, tree
    return TARGET.with_name(f"keras-{version}.diff.json"), versions.difference(newest, tree)


def check() -> int:
    """0 if the file of the installed Keras holds what would be written; 1 if not."""
    target, tree = file_for(catalogue())
    same = target.is_file() and target.read_text(encoding="utf-8") == text(tree)
    print(f"{target.name} is {'up to date' if same else 'out of date'}")
    return 0 if same else 1


def main() -> int:
    """Write the file, or check it."""
    os.environ.setdefault("KERAS_BACKEND", "jax")  # any will do: nothing in the file depends on it
    if "--check" in sys.argv[1:]:
        return check()
    target, tree = file_for(catalogue())
    written = text(tree)
    target.write_text(written, encoding="utf-8")
    print(f"{target.name}: {len(written)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
