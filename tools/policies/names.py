"""Writes tests/policies/names: what the shipped policies must say to each name of Keras.

    python -m tools.policies.names [--check]

What is expected comes from the catalogue and from what a person reviewed (reviewed.toml), and
not from the policies: a name that is added to one, or taken out, fails a test. `--check`
writes nothing and fails where a file differs from what would be written.
"""

from __future__ import annotations

import json
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "tests" / "policies" / "names"
REVIEWED = Path(__file__).with_name("reviewed.toml")
#: Kinds of names that stand in no config.
PUBLIC = ("class", "function")
#: Where a thing of a kind may stand; elsewhere the kind is the name of the field.
FIELDS = {
    "class": "root", "function": "root", "model": "layer", "operation": "graph_node",
    "preprocessor": "root", "quantizer": "quantization", "seed": "root",
}  # fmt: skip
COLUMNS = 100
HEAD = """\
# {title}
# Written by tools/policies/names.py from the catalogue and reviewed.toml; not by hand.

schema = 1
name = "{name}"
extends = ["@above"]
"""


class Name(NamedTuple):
    """A canonical name of the catalogue."""

    symbol: str
    kind: str
    effects: bool


def names() -> list[Name]:
    """Every canonical name of today's Keras and of earlier ones, once."""
    folder = ROOT / "policies" / "catalogue"
    current, legacy = (
        json.loads((folder / file).read_text(encoding="utf-8"))
        for file in ("keras-3.15.json", "legacy.json")
    )
    found = {
        symbol: Name(symbol, entry["kind"], bool(entry.get("effects")))
        for symbol, entry in current["symbols"].items()
    }
    for kind, table in legacy["kinds"].items():
        for entry in table.values():
            symbol = entry["canonical"]
            found.setdefault(symbol, Name(symbol, kind, bool(entry.get("effects"))))
    for kind, identifiers in legacy["identifiers"].items():
        for symbol in identifiers.values():
            found.setdefault(symbol, Name(symbol, kind, effects=False))
    # A stub of Keras 3 that an old path leads past cannot be named.
    past = {path for path, symbol in legacy["paths"].items() if path != symbol}
    return [found[symbol] for symbol in sorted(found.keys() - past)]


def reviewed() -> dict[str, Any]:
    """What a person decided.

    Raises:
        SystemExit: it is about a name that is none, or silent on one that has effects.

    """
    tables = tomllib.loads(REVIEWED.read_text(encoding="utf-8"))
    sections = ("left_out", "only_legacy_keras2", "by_arguments")
    listed = [symbol for section in sections for symbol in tables[section]]
    known = {name.symbol: name for name in names()}
    wrong = [symbol for symbol in listed if symbol not in known or listed.count(symbol) > 1]
    wrong += [
        name.symbol
        for name in known.values()
        if name.effects and name.kind not in PUBLIC and name.symbol not in listed
    ]
    if wrong:
        raise SystemExit("\n".join([f"{REVIEWED.name}:", *wrong]))
    return tables


def files() -> dict[str, str]:
    """Each file's text, by its name."""
    tables = reviewed()
    inner = tables["inference_only"]
    let_in: list[Name] = []
    left_out: list[Name] = []
    for name in names():
        if name.symbol in tables["left_out"] or name.kind in PUBLIC:
            left_out.append(name)
        elif name.symbol not in {**tables["only_legacy_keras2"], **tables["by_arguments"]}:
            let_in.append(name)
    of_training = [
        name
        for name in let_in
        if name.kind in inner["kinds"]
        or any(name.symbol.startswith(f"{package}.") for package in inner["below"])
    ]
    rest = [name for name in let_in if name not in of_training]
    dense = next(name for name in let_in if name.symbol == "keras.layers.Dense")
    return {
        "let-in.toml": _file("What keras-core lets in.", _tests(let_in, "allow")),
        # With something that is let in, or a layer that denies everything would pass the tests.
        "left-out.toml": _file(
            "What no shipped policy lets in.",
            [*_tests(left_out, "deny"), *_tests([dense], "allow")],
        ),
        "inference-only.toml": _file(
            "What inference-only lets in of it, and what it denies.",
            [*_tests(rest, "allow"), *_tests(of_training, "deny", code="SS302")],
        ),
    }


def _file(title: str, tests: Iterable[str]) -> str:
    name = title.removesuffix(".")
    return "\n".join([HEAD.format(title=title, name=name), *tests])


def _tests(several: Iterable[Name], expect: str, code: str = "") -> Iterator[str]:
    """A test for each kind, with all names of it."""
    by_kind: dict[str, list[str]] = {}
    for name in several:
        by_kind.setdefault(name.kind, []).append(name.symbol)
    for kind, symbols in sorted(by_kind.items()):
        names = ", ".join(f'"{symbol}"' for symbol in symbols)
        lines = [
            "[[test]]", f'id = "{expect}-{kind}"', _filled(names),
            f'field = "{FIELDS.get(kind, kind)}"', f'expect = "{expect}"',
        ]  # fmt: skip
        yield "\n".join([*lines, *([f'code = "{code}"'] if code else [])]) + "\n"


def _filled(names: str) -> str:
    """A list of names, in the form that `policy fmt` gives it."""
    if len(names) <= COLUMNS - len("symbol = []"):
        return f"symbol = [{names}]"
    width = COLUMNS - len("  ")
    lines = textwrap.wrap(f"{names},", width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(["symbol = [", *(f"  {line}" for line in lines), "]"])


def main() -> int:
    """Write the files, or check them."""
    written = files()
    if "--check" in sys.argv[1:]:
        wrong = [n for n, text in written.items() if (TARGET / n).read_text("utf-8") != text]
        print(f"out of date: {', '.join(wrong)}" if wrong else "the tests of names are up to date")
        return 1 if wrong else 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (TARGET / name).write_text(text, encoding="utf-8")
        print(f"{name}: {len(text)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
