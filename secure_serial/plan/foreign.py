"""What the catalogues of other packages than Keras say of their classes: read and checked. Pure.

Such a catalogue describes; it lets nothing in. So it may not speak of Keras's names, and an
argument of a class may have the word that a base of Keras's gives it, or one that takes less
than an argument of which nothing is known. It holds no place that anything is imported from.
"""

from __future__ import annotations

import sys
import unicodedata
from typing import TYPE_CHECKING, cast

from secure_serial.errors import InvalidPolicy
from secure_serial.plan.catalogue import Entry, FieldSpec, field_spec
from secure_serial.plan.fields import OBJECT_FIELDS, Field, Kind
from secure_serial.plan.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.plan.catalogue import Catalogue

SCHEMA = 1
#: Words that take less than an argument of an unknown class: text there names a known symbol,
#: or is refused; sizes are bounded.
NARROW = (OBJECT_FIELDS - {Field.ROOT, Field.GRAPH_NODE}) | {Field.SIZE, Field.ASSET, Field.BLOB}
_NAME_CHARS = 512
_EFFECTS = frozenset(
    {"reads-files", "writes-files", "fetches", "executes", "deserializes-code", "process-state"}
)
#: First names that no package of a team's has: Keras's by all spellings, and the library's.
_TAKEN = sys.stdlib_module_names | {"keras", "tf_keras", "tensorflow", "tf"}


def merged(
    trees: Iterable[Json], keras: Catalogue, before: Mapping[str, Entry]
) -> dict[str, Entry]:
    """The entries of several catalogues by symbol, with those that were known before.

    Args:
        trees: The parsed files, as `secure-serial policy catalogue` writes them.
        keras: What is known of Keras.
        before: Entries of other catalogues.

    Raises:
        InvalidPolicy: with all that is wrong with them.

    """
    reading = _Reading(keras)
    found = dict(before)
    for tree in trees:
        for name, entry in reading.all(tree).items():
            if name in found:
                reading.say(name, "stands in two catalogues")
            found[name] = entry
    if reading.problems:
        raise InvalidPolicy("the catalogue cannot be used", problems=reading.problems)
    return found


def aliases(trees: Iterable[Json]) -> dict[str, str]:
    """Symbol by public path, of catalogues that were read without a problem."""
    found: dict[str, str] = {}
    for tree in trees:
        symbols = cast("dict[str, dict[str, dict[str, list[str]]]]", tree)["symbols"]
        for name, raw in symbols.items():
            found |= dict.fromkeys(raw.get("aliases", ()), name)
    return found


def is_taken(name: str) -> bool:
    """Whether a dotted or registered name begins as only Keras's, or the library's, may.

    Letters that look the same by Unicode's own folding count as the same.

    >>> [is_taken(n) for n in ("keras.layers.Mine", "KERAS>Mine", "os.path", "keras_hub>Mine")]
    [True, True, True, False]
    """
    first = name.partition(">")[0].partition(".")[0].strip()
    return unicodedata.normalize("NFKC", first).casefold() in _TAKEN


class _Reading:
    """One catalogue being read: collects problems instead of stopping at the first."""

    def __init__(self, keras: Catalogue) -> None:
        self._keras = keras
        self.problems: list[str] = []

    def all(self, tree: Json) -> dict[str, Entry]:
        if not isinstance(tree, dict) or tree.get("schema") != SCHEMA:
            self.problems.append(f"schema: must be {SCHEMA}, the version that this release reads")
            return {}
        distribution, version = tree.get("distribution"), tree.get("version")
        if not isinstance(distribution, str) or not isinstance(version, str):
            self.problems.append("distribution, version: must be text")
            return {}
        owner = Owner(distribution, version) if distribution else None
        symbols = tree.get("symbols")
        if not isinstance(symbols, dict):
            self.problems.append("symbols: must be an object")
            return {}
        return {name: self._entry(name, raw, owner) for name, raw in symbols.items()}

    def _entry(self, name: str, raw: Json, owner: Owner | None) -> Entry:
        table = raw if isinstance(raw, dict) else {}
        if raw is not table:
            self.say(name, "must be an object")
        if not _is_symbol(name):
            self.say(name, "is neither a dotted name nor of the form package>name")
        for path in (name, *self._texts(name, table, "aliases")):
            if is_taken(path) or self._keras.is_keras_module(path):
                self.say(path, "is no name that a package other than Keras may have")
        kind = table.get("kind")
        if not isinstance(kind, str) or kind not in set(Kind):
            self.say(name, f"unknown kind {kind!r:.80}")
            kind = Kind.CLASS
        effects = self._texts(name, table, "effects")
        for effect in set(effects) - _EFFECTS:
            self.say(name, f"unknown effect {effect!r:.80}")
        bases = [self._keras.entry(base) for base in self._bases(name, table)]
        fields = self._fields(name, table, bases)
        return Entry(
            symbol=name,
            kind=Kind(kind),
            is_class=table.get("type", "class") == "class",
            legacy=False,
            at="",  # nothing is imported because a catalogue of somebody's says so
            fields=fields,
            defaults={},
            enums=_enums(fields, bases),
            effects=effects,
            owner=owner,
            foreign=True,
        )

    def _bases(self, name: str, table: dict[str, Json]) -> list[str]:
        bases = self._texts(name, table, "bases")
        for base in bases:
            if base not in self._keras:
                self.say(name, f"no class of Keras's is called {base!r:.80}")
        return [base for base in bases if base in self._keras]

    def _fields(
        self, name: str, table: dict[str, Json], bases: list[Entry]
    ) -> dict[str, FieldSpec]:
        words = table.get("fields", {})
        if not isinstance(words, dict):
            self.say(name, "fields: must be an object")
            return {}
        found = {}
        for argument, word in words.items():
            inherited = [b.fields[argument] for b in bases if argument in b.fields]
            try:
                spec = field_spec(cast("str", word))
            except (ValueError, AttributeError):
                self.say(name, f"the argument {argument!r:.80} has the unknown word {word!r:.80}")
                continue
            same = [i for i in inherited if (i.field, i.nest) == (spec.field, spec.nest)]
            if not same and spec.field not in NARROW:
                self.say(
                    name,
                    f"the argument {argument!r:.80} has the word {word!r:.80}, which takes more "
                    "than a stranger's argument may hold and is not its base's",
                )
            found[argument] = same[0] if same else spec
        return found

    def _texts(self, name: str, table: dict[str, Json], key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(cast("list[str]", value))
        self.say(name, f"{key}: must be a list of texts")
        return ()

    def say(self, name: str, problem: str) -> None:
        self.problems.append(f"{name!r:.200}: {problem}")


def _enums(fields: Mapping[str, FieldSpec], bases: list[Entry]) -> dict[str, frozenset[str]]:
    """The texts that a base's argument takes, where the argument means what it means there."""
    return {
        argument: words
        for base in reversed(bases)
        for argument, words in base.enums.items()
        if fields.get(argument) == base.fields.get(argument)
    }


def _is_symbol(name: str) -> bool:
    """Whether the planner could ever write this symbol (plan/names.py)."""
    if not name.isprintable() or len(name) > _NAME_CHARS:
        return False
    if ">" in name:
        package, _, registered = name.partition(">")
        return bool(package) and bool(registered)
    parts = name.split(".")
    return len(parts) > 1 and all(p.isascii() and p.isidentifier() for p in parts)
