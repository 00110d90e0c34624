"""Which rules name a symbol: a look-up whose cost hangs on the symbol, not on how many rules.

Dotted patterns with a `*` stand in a trie of segments, everything else in a table. What it
finds is what `patterns` says of each pattern alone; a property test compares the two.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")

#: More symbols than any real models name; a hostile one must not fill the memory.
_REMEMBERED = 20_000


class _Node:
    """One segment of dotted patterns: what ends here, what takes all below, and the next."""

    __slots__ = ("below", "ends", "rest")

    def __init__(self) -> None:
        self.ends: list[int] = []
        self.rest: list[int] = []
        self.below: dict[str, _Node] = {}


class Index(Generic[T]):
    """Things by the patterns that name them, in the order they were added."""

    def __init__(self) -> None:
        self._things: list[T] = []
        self._everywhere: list[int] = []
        self._texts: dict[str, list[int]] = {}  # names as they are, and registered patterns
        self._root = _Node()
        self._found: dict[str, tuple[T, ...]] = {}

    def add(self, thing: T, symbols: tuple[str, ...], registered: tuple[str, ...] = ()) -> None:
        """Add a thing by its patterns; one without any is named by every symbol."""
        number = len(self._things)
        self._things.append(thing)
        if not symbols and not registered:
            self._everywhere.append(number)
        for pattern in symbols:
            if "*" in pattern:
                self._add_dotted(number, pattern)
            else:
                self._texts.setdefault(pattern, []).append(number)
        for pattern in registered:
            self._texts.setdefault(pattern, []).append(number)

    def _add_dotted(self, number: int, pattern: str) -> None:
        node = self._root
        *segments, last = pattern.split(".")
        for segment in segments:
            node = node.below.setdefault(segment, _Node())
        if last == "**":
            node.rest.append(number)
        else:
            node.below.setdefault(last, _Node()).ends.append(number)

    def find(self, symbol: str) -> tuple[T, ...]:
        """Everything that names this symbol."""
        found = self._found.get(symbol)
        if found is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            found = tuple([self._things[number] for number in sorted(self._numbers(symbol))])
            self._found[symbol] = found
        return found

    def _numbers(self, symbol: str) -> set[int]:
        numbers = {*self._everywhere, *self._texts.get(symbol, ())}
        package, arrow, name = symbol.partition(">")
        if arrow:
            for pattern in (f"{package}>*", f"*>{name}", "*>*"):
                numbers.update(self._texts.get(pattern, ()))
        nodes = [self._root]
        for segment in symbol.split("."):
            for node in nodes:
                numbers.update(node.rest)
            nodes = [
                node.below[key] for node in nodes for key in {segment, "*"} if key in node.below
            ]
            if not nodes:
                return numbers
        for node in nodes:
            numbers.update(node.ends)
        return numbers
