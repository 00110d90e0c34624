"""Sets of symbols, as patterns name them: whether one holds another, and what two share. Pure.

A proof that a policy does not widen must speak of every symbol, and there is no end of them.
A pattern names a set; what two patterns share is a pattern again, or two that must both fit.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.policy.patterns import registered_matches, symbol_matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from secure_serial.policy.model import Rule, Waiver


class Region(NamedTuple):
    """Every symbol that fits a dotted pattern and a registered one; None asks for nothing."""

    dotted: str | None = None
    registered: str | None = None

    @property
    def symbol(self) -> str:
        """The one symbol that it holds; empty where it may hold several.

        >>> Region("keras.layers.Dense").symbol, Region("keras.*").symbol
        ('keras.layers.Dense', '')
        """
        for pattern in (self.dotted, self.registered):
            if pattern is not None and "*" not in pattern:
                return pattern
        return ""

    def __str__(self) -> str:
        if self.symbol:
            return self.symbol
        return " and ".join(p for p in self if p is not None) or "every symbol"


EVERYTHING = Region()


def regions(symbols: Iterable[str], registered: Iterable[str]) -> tuple[Region, ...]:
    """The sets that a rule's patterns name; everything where it has none."""
    found = (*(Region(dotted=p) for p in symbols), *(Region(registered=p) for p in registered))
    return found or (EVERYTHING,)


def regions_of(rule: Rule | Waiver) -> tuple[Region, ...]:
    """The sets of symbols that a rule, or a waiver, speaks of."""
    return regions(rule.symbols, rule.registered)


def regions_named(patterns: Iterable[str]) -> tuple[Region, ...]:
    """The sets that a list of patterns of both kinds names; none where it is empty."""
    return tuple(Region(registered=p) if ">" in p else Region(dotted=p) for p in patterns)


def holds(region: Region, symbol: str) -> bool:
    """Whether a symbol is in a region.

    >>> holds(Region("acme.**", "*>Block"), "acme.vision>Block")
    True
    """
    dotted, registered = region
    return (dotted is None or symbol_matches(dotted, symbol)) and (
        registered is None or registered_matches(registered, symbol)
    )


def covers(outer: Region, inner: Region) -> bool:
    """Whether all of one region is surely in another.

    >>> covers(Region("acme.**"), Region("acme.*.Block"))
    True
    >>> covers(Region("acme.*.Block"), Region("acme.**"))
    False
    """
    if inner.symbol:
        return holds(outer, inner.symbol)
    return meet(outer, inner) == inner


def covered(inner: Region, outers: Iterable[Region]) -> bool:
    """Whether one of several regions surely holds all of another."""
    return any(covers(outer, inner) for outer in outers)


def meet(one: Region, other: Region) -> Region | None:
    """What two regions share; None where that is surely nothing.

    >>> meet(Region("acme.*.Block"), Region("acme.vision.**"))
    Region(dotted='acme.vision.Block', registered=None)
    >>> meet(Region("acme.*"), Region("other.*")) is None
    True
    """
    for exact, wide in ((one, other), (other, one)):
        if exact.symbol:
            return exact if holds(wide, exact.symbol) and holds(exact, exact.symbol) else None
    dotted = _both(one.dotted, other.dotted, _dotted)
    registered = _both(one.registered, other.registered, _registered)
    if dotted == "" or registered == "" or _apart(dotted, registered):
        return None
    found = Region(dotted, registered)
    return found if not found.symbol or holds(found, found.symbol) else None


def meets(one: Region, others: Iterable[Region]) -> Iterator[Region]:
    """What a region shares with each of several."""
    for other in others:
        shared = meet(one, other)
        if shared is not None:
            yield shared


def _both(one: str | None, other: str | None, both: _Meet) -> str | None:
    if one is None or other is None:
        return other if one is None else one
    return both(one, other)


def _dotted(one: str, other: str) -> str:
    """The pattern of what fits two dotted ones; empty where nothing does."""
    first, second = one.split("."), other.split(".")
    open_first, open_second = _opened(first), _opened(second)
    # "a.**" takes at least one segment below "a".
    least = max(len(first) + open_first, len(second) + open_second)
    most = min(
        float("inf") if open_first else len(first), float("inf") if open_second else len(second)
    )
    if least > most:
        return ""
    segments = []
    for a, b in zip_longest(first, second, fillvalue="*"):
        if a != b and "*" not in (a, b):
            return ""
        segments.append(b if a == "*" else a)
    return ".".join([*segments, "**"] if open_first and open_second else segments)


def _apart(dotted: str | None, registered: str | None) -> bool:
    """Whether no name `package>name` can fit both: they do not begin alike."""
    if dotted is None or registered is None:
        return False
    first = dotted.partition(".")[0]
    package = registered.partition(">")[0]
    if package == "*" or ">" in first:
        return False
    begins, dot, _ = package.partition(".")
    return not dot or begins != first


def _opened(segments: list[str]) -> bool:
    """Whether a pattern takes all below; its `**` is taken away."""
    if segments[-1] != "**":
        return False
    segments.pop()
    return True


def _registered(one: str, other: str) -> str:
    """The pattern of what fits two registered ones; empty where nothing does."""
    sides = []
    for a, b in zip(one.split(">", 1), other.split(">", 1), strict=True):
        if a != b and "*" not in (a, b):
            return ""
        sides.append(b if a == "*" else a)
    return ">".join(sides)


if TYPE_CHECKING:
    from collections.abc import Callable

    _Meet = Callable[[str, str], str]
