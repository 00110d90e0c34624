"""Which rules name a symbol: a look-up whose cost hangs on the symbol, not on how many rules.

Names stand in a table, and so do `package.*` and registered patterns; other patterns with a
`*` in a trie of segments. What it finds is what `patterns` says of each pattern alone; a
property test compares the two.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class _Node:
    """One segment of dotted patterns: what ends here, what takes all below, and the next."""

    __slots__ = ("any", "below", "ends", "rest")

    def __init__(self) -> None:
        self.ends: list[int] = []
        self.rest: list[int] = []
        self.below: dict[str, _Node] = {}
        self.any: _Node | None = None  # below `*`

    def next(self, segment: str) -> _Node:
        """The node of a pattern's next segment, made where there is none."""
        if segment != "*":
            return self.below.setdefault(segment, _Node())
        self.any = self.any or _Node()
        return self.any


class Index(Generic[T]):
    """Things by the patterns that name them, in the order they were added."""

    def __init__(self) -> None:
        self._things: list[T] = []
        self._everywhere: list[int] = []
        self._texts: dict[str, list[int]] = {}  # names as they are, and registered patterns
        self._parents: dict[str, list[int]] = {}  # `keras.layers` for `keras.layers.*`
        self._root: _Node | None = None  # of all other patterns with wildcards

    def add(self, thing: T, symbols: tuple[str, ...], registered: tuple[str, ...] = ()) -> None:
        """Add a thing by its patterns; one without any is named by every symbol."""
        number = len(self._things)
        self._things.append(thing)
        if not symbols and not registered:
            self._everywhere.append(number)
        for pattern in symbols:
            self._add_dotted(number, pattern)
        for pattern in registered:
            self._texts.setdefault(pattern, []).append(number)

    def _add_dotted(self, number: int, pattern: str) -> None:
        if "*" not in pattern:
            self._texts.setdefault(pattern, []).append(number)
            return
        parent, dot, last = pattern.rpartition(".")
        if dot and last == "*" and "*" not in parent:
            self._parents.setdefault(parent, []).append(number)
            return
        node = self._root = self._root or _Node()
        for segment in parent.split(".") if dot else ():
            node = node.next(segment)
        (node.rest if last == "**" else node.next(last).ends).append(number)

    def find(self, symbol: str) -> list[T]:
        """Everything that names this symbol."""
        if not self._things:
            return []
        numbers = self._texts.get(symbol, [])
        if self._parents:
            parent, dot, _ = symbol.rpartition(".")
            if dot and parent in self._parents:
                numbers = numbers + self._parents[parent]
        if self._everywhere:
            numbers = numbers + self._everywhere
        if ">" in symbol:
            package, _, name = symbol.partition(">")
            for pattern in (f"{package}>*", f"*>{name}", "*>*"):
                numbers = numbers + self._texts.get(pattern, [])
        if self._root is not None:
            numbers = numbers + _ending_at(self._root, symbol)
        if len(numbers) > 1:
            numbers = sorted(set(numbers))
        return list(map(self._things.__getitem__, numbers))


def _ending_at(root: _Node, symbol: str) -> list[int]:
    """What the patterns below a node say of a symbol."""
    numbers: list[int] = []
    nodes = [root]
    for segment in symbol.split("."):
        found = []
        for node in nodes:
            numbers += node.rest
            below = node.below.get(segment)
            if below is not None:
                found.append(below)
            if node.any is not None:
                found.append(node.any)
        nodes = found
    for node in nodes:
        numbers += node.ends
    return numbers
