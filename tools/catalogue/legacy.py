"""Writes policies/catalogue/legacy.json from the sources of old Keras releases and an overlay.

    python -m tools.catalogue.legacy FOLDER

FOLDER holds the sdists and wheels that docs/catalogue.md lists. They are parsed, never run.
An argument that neither legacy.toml nor fields.toml gives a word stops the generator.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

from secure_serial.authoring.catalogue.lines import text
from tools.catalogue import generate, legacy_sources, overlay

TARGET = generate.TARGET.with_name("legacy.json")
#: Where a class lives that Keras 3 has not, by kind.
_AREAS = {
    "activation": "activations",
    "constraint": "constraints",
    "dtype_policy": "dtype_policies",
    "initializer": "initializers",
    "layer": "layers",
    "loss": "losses",
    "metric": "metrics",
    "model": "models",
    "optimizer": "optimizers",
    "preprocessor": "preprocessing",
    "regularizer": "regularizers",
    "schedule": "schedules",
}


@cache
def _current() -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(generate.TARGET.read_text(encoding="utf-8"))
    return tree


@cache
def _names_now() -> dict[tuple[str, str], str]:
    """(kind, last part of a name or alias) to canonical name, for classes of Keras 3."""
    found: dict[tuple[str, str], str] = {}
    symbols = _current()["symbols"]
    for name in sorted(symbols, key=lambda name: (name.startswith("keras._legacy"), name)):
        entry = symbols[name]
        if entry["type"] == "class":
            for path in [name, *entry["aliases"]]:
                found.setdefault((entry["kind"], path.rpartition(".")[2]), name)
    return found


def _canonical(kind: str, name: str) -> str:
    told = overlay.legacy()["renamed"].get(kind, {}).get(name)
    told = told or _names_now().get((kind, name))
    told = told or _current()["identifiers"].get(kind, {}).get(name)
    return told or f"keras.legacy.{_AREAS[kind]}.{name}"


class Merged:
    """What all releases together defined."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.arguments: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.paths: dict[str, tuple[str, str]] = {}
        self.functions: dict[str, set[str]] = defaultdict(set)
        self.aliases: dict[tuple[str, str], set[str]] = defaultdict(set)

    def add(self, release: legacy_sources.Release) -> None:
        """Add one release."""
        omitted = set(overlay.legacy()["omitted"])
        for name, classes in release.classes.items():
            for cls in classes if name not in omitted and not name.startswith("_") else []:
                kind = release.kind(cls)
                if kind is not None:
                    self.arguments[kind, name] |= release.arguments(cls)
                    self.paths |= dict.fromkeys([cls.path, *cls.exports], (kind, name))
        for kind, names in release.functions.items():
            unwanted = set(overlay.legacy()["not_identifiers"])
            self.functions[kind] |= {n for n in names - unwanted if not n.startswith("_")}
        for (kind, second), firsts in release.aliases.items():
            self.aliases[kind, second] |= firsts

    def name_aliases(self) -> None:
        """Give each second name of a class or function what the first has."""
        for (module_kind, second), firsts in sorted(self.aliases.items()):
            for first in sorted(firsts):
                for kind in _AREAS:
                    if (kind, first) in self.arguments:
                        self.arguments[kind, second] |= self.arguments[kind, first]
                if first in self.functions.get(module_kind, ()):
                    self.functions[module_kind].add(second)


def _fields(kind: str, name: str, arguments: set[str], missing: set[str]) -> dict[str, str]:
    """Words for the arguments that Keras 3's entry, or any old layer, has not."""
    now = _current()["symbols"].get(_canonical(kind, name), {}).get("fields", {})
    shared = overlay.legacy()["layer"] if kind in {"layer", "model"} else {}
    never = set(overlay.legacy()["never"].get(name, [])) | set(overlay.legacy()["never"]["*"])
    found = {}
    for argument in sorted(arguments - set(now) - set(shared) - never):
        word = overlay.legacy()["class"].get(name, {}).get(argument)
        word = (
            word or overlay.legacy_words().get(argument) or overlay.words("argument").get(argument)
        )
        if word is None:
            missing.add(f"{kind} {name}: {argument}")
        else:
            found[argument] = word
    return found


def _kinds(merged: Merged, missing: set[str]) -> dict[str, dict[str, object]]:
    kinds: dict[str, dict[str, object]] = defaultdict(dict)
    for (kind, name), arguments in sorted(merged.arguments.items()):
        entry: dict[str, object] = {"canonical": _canonical(kind, name)}
        more = set(overlay.legacy()["more"].get(name, []))
        more |= set(overlay.legacy()["more_of_kind"].get(kind, []))
        fields = _fields(kind, name, arguments | more, missing)
        if fields:
            entry["fields"] = fields
        for section in ("effects", "enums", "or"):
            told = overlay.legacy()[section].get(name)
            if told and kind == "layer":
                entry[section] = told
        kinds[kind][name] = entry
    return kinds


def _identifiers(merged: Merged) -> dict[str, dict[str, str]]:
    """String identifiers: functions and second names of classes, but no layers and models."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for kind, names in merged.functions.items():
        found[kind] |= {name: _canonical(kind, name) for name in names}
    for kind, name in merged.arguments:
        if kind not in {"layer", "model", "preprocessor", "schedule"}:
            found[kind][name] = _canonical(kind, name)
            if kind == "optimizer":
                found[kind][name.lower()] = _canonical(kind, name)
    for kind, names in overlay.legacy()["renamed"].items():
        if kind in found:
            found[kind] |= names
    return {kind: dict(sorted(found[kind].items())) for kind in sorted(found)}


def _paths(merged: Merged) -> dict[str, str]:
    """Old paths, but for those that lead to the same class of Keras 3 by its own catalogue."""
    now = {
        path: name
        for name, entry in _current()["symbols"].items()
        for path in [name, *entry["aliases"]]
    }
    then = {path: _canonical(*found) for path, found in sorted(merged.paths.items())}
    return {path: name for path, name in then.items() if now.get(path) != name}


def catalogue(folder: Path) -> dict[str, object]:
    """The whole legacy catalogue.

    Raises:
        overlay.Unreviewed: with every argument that has no word.

    """
    archives = sorted([*folder.glob("*.whl"), *folder.glob("*.tar.gz")], key=lambda p: p.name)
    merged = Merged()
    for archive in archives:
        merged.add(legacy_sources.read(archive))
    merged.name_aliases()
    missing: set[str] = set()
    kinds = _kinds(merged, missing)
    if missing:
        raise overlay.Unreviewed("\n".join(["not in legacy.toml:", *sorted(missing)]))
    return {
        "schema": 1,
        "sources": [
            archive.name.partition("-py")[0].removesuffix(".tar.gz") for archive in archives
        ],
        "fields": overlay.legacy()["layer"],
        "training": overlay.legacy()["training"],
        "prefixes": overlay.legacy()["prefixes"],
        "identifiers": _identifiers(merged),
        "kinds": {kind: kinds[kind] for kind in sorted(kinds)},
        "paths": _paths(merged),
    }


def main() -> int:
    """Write the file."""
    if len(sys.argv) != 2:  # noqa: PLR2004 (the script and its one argument)
        print(__doc__)
        return 2
    written = text(catalogue(Path(sys.argv[1])))
    TARGET.write_text(written, encoding="utf-8")
    print(f"{TARGET.name}: {len(written)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
