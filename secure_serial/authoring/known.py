"""What catalogues know of the names in a policy: which symbols a pattern means, and the nearest."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from secure_serial.plan.fields import Field
from secure_serial.plan.foreign import aliases
from secure_serial.policy.conditions import KERAS, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from secure_serial.artifact.document import Json
    from secure_serial.plan.catalogue import Catalogue, Entry

#: Looking for the nearest name takes some milliseconds; after so many the author has the idea.
_ENOUGH_GUESSES = 50
#: Symbols of earlier Keras, which the catalogue knows one by one and does not list.
_EARLIER = "keras.legacy."


def head(name: str) -> str:
    """What a dotted or a registered name begins with.

    >>> head("acme.layers.*"), head("acme.vision>Block")
    ('acme', 'acme')
    """
    return name.partition(">")[0].partition(".")[0]


class Known:
    """A catalogue, asked by patterns.

    Args:
        catalogue: What is known of Keras's names.
        trees: Catalogues of other packages, as `secure-serial policy catalogue` writes them.

    Raises:
        InvalidPolicy: with all that is wrong with those.

    """

    def __init__(self, catalogue: Catalogue, trees: Sequence[Json] = ()) -> None:
        self.catalogue = catalogue.with_extra(*trees) if trees else catalogue
        self._parameters = dict(_parameters(trees))
        self._aliases = aliases(trees)
        self._guesses = 0
        self._meant: dict[str, tuple[str, ...] | None] = {}

    @cached_property
    def _by_head(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for symbol in (*self.catalogue.symbols(), *self.catalogue.foreign_symbols()):
            found.setdefault(head(symbol), []).append(symbol)
        return found

    def meant(self, pattern: str) -> tuple[str, ...] | None:
        """The symbols that a pattern means; None where no catalogue has this package."""
        if pattern not in self._meant:
            self._meant[pattern] = self._find(pattern)
        return self._meant[pattern]

    def all_meant(self, patterns: Iterable[str]) -> list[str] | None:
        """The symbols that several patterns mean; None where one of these may mean others."""
        found: dict[str, None] = {}
        for pattern in patterns:
            symbols = self.meant(pattern)
            if symbols is None:
                return None
            found.update(dict.fromkeys(symbols))
        return list(found)

    def entry(self, symbol: str) -> Entry | None:
        """What is known of a symbol."""
        if symbol in self.catalogue:
            return self.catalogue.entry(symbol)
        return self.catalogue.foreign(symbol)

    def arguments(self, entry: Entry) -> frozenset[str]:
        """The arguments that a class is known to take."""
        return frozenset(entry.fields) | self._parameters.get(entry.symbol, frozenset())

    def takes(self, entry: Entry, argument: str) -> bool | None:
        """Whether a class takes an argument; None where its catalogue does not tell."""
        if not entry.foreign:
            return self.catalogue.spec(entry, argument).field is not Field.UNKNOWN
        if argument in self.arguments(entry):
            return True
        return False if entry.symbol in self._parameters else None

    def other_name(self, pattern: str) -> str:
        """The canonical name of what a pattern names by another; empty where it does not."""
        if "*" in pattern:
            paths = (path for path in self._aliases if named((pattern,), path))
            return self._aliases.get(next(paths, ""), "")
        found = self.catalogue.foreign_alias(pattern) or self.catalogue.canonical(pattern)
        return found if found is not None and found != pattern else ""

    def nearest(self, name: str) -> str:
        """A known name that is written much alike; empty where there is none."""
        import difflib

        self._guesses += 1
        if self._guesses > _ENOUGH_GUESSES:
            return ""
        known = self._by_head.get(head(name)) or self._by_head["keras"]
        if "*" in name:
            known = sorted({symbol.rpartition(".")[0] + ".*" for symbol in known})
        return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.7)), "")

    def _find(self, pattern: str) -> tuple[str, ...] | None:
        first = head(pattern)
        if first not in KERAS and first not in self._by_head:
            return None
        if ">" in pattern and first in KERAS:
            return ()  # Keras's own are never known by a registered name
        if "*" not in pattern:
            known = pattern in self.catalogue or pattern in self.catalogue.foreign_symbols()
            return (pattern,) if known else ()
        if pattern.startswith(_EARLIER):
            return None
        return tuple([s for s in self._by_head.get(first, ()) if named((pattern,), s)])


def _parameters(trees: Iterable[Json]) -> Iterator[tuple[str, frozenset[str]]]:
    """The arguments of each class by its symbol, of catalogues that tell them."""
    for tree in trees:
        symbols = tree.get("symbols") if isinstance(tree, dict) else None
        for symbol, raw in (symbols if isinstance(symbols, dict) else {}).items():
            names = raw.get("parameters") if isinstance(raw, dict) else None
            if isinstance(names, list) and all(isinstance(name, str) for name in names):
                yield symbol, frozenset(str(name) for name in names)
