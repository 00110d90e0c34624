"""Values at the edges of a condition: the last that satisfies it, and the first that does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.plan.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from secure_serial.artifact.document import Json
    from secure_serial.policy.model import Constraint, Rule

#: One value of each type of JSON.
_SAMPLES: tuple[Json, ...] = (None, True, 1, 0.5, "text", [], {})
#: A longer text is not made: what it would show, the comparison of the bounds shows.
_LONGEST = 4096
_MOST_VALUES = 40
_SHOWN = 40


class Edge(NamedTuple):
    """A value for an argument, in words, and the symbols that are nested in it."""

    told: str
    value: Json
    inside: dict[str, str]


def argument_edges(constraint: Constraint) -> Iterator[Edge]:
    """Values at the edges of the conditions on an argument.

    >>> from secure_serial.policy.model import Constraint
    >>> [edge.told for edge in argument_edges(Constraint("units", maximum=9))][:2]
    ['units = 9', 'units = 10']
    """
    for value in _values(constraint):
        yield _edge(constraint.argument, value)
    for pattern in (*constraint.symbols, "stranger.module.Class") if constraint.symbols else ():
        symbol = pattern.replace("**", "*").replace("*", "Anything")
        value = {"class_name": symbol.rpartition(".")[2], "config": {}}
        edge = _edge(constraint.argument, value, {constraint.argument: symbol})
        yield edge._replace(told=f"{constraint.argument} = an object {symbol}")


def argument_samples(constraint: Constraint) -> Iterator[Edge]:
    """A value of each type, and one whose inner part is missing."""
    name, _, inner = constraint.argument.partition(".")
    if inner:
        yield _edge(name, {})
    for value in _SAMPLES:
        yield _edge(constraint.argument, value)


def _edge(argument: str, value: Json, inside: dict[str, str] | None = None) -> Edge:
    told = f"{argument} = {_shown(value)}"
    for key in reversed(argument.split(".")[1:]):
        value = {key: value}
    return Edge(told, value, inside or {})


def _values(constraint: Constraint) -> Iterable[Json]:
    found: list[Json] = []
    for bound, over in ((constraint.minimum, -1), (constraint.maximum, 1)):
        if bound is not None:
            found += [bound, bound + over]
            if isinstance(bound, float):
                found.append(bound + over / 1000)
    if constraint.max_length is not None and constraint.max_length < _LONGEST:
        length = constraint.max_length
        found += ["x" * length, "x" * (length + 1), [0] * length, [0] * (length + 1)]
    if constraint.one_of is not None:
        found += [*constraint.one_of[:_MOST_VALUES], "another value"]
    return found


def _shown(value: Json) -> str:
    if isinstance(value, str | list) and len(value) > _SHOWN:
        kind = "text" if isinstance(value, str) else "list"
        return f"a {kind} of length {len(value)}"
    try:
        return json.dumps(value, ensure_ascii=True)
    except (TypeError, ValueError):  # a date of TOML, or a number of thousands of digits
        return f"a value of the type {type(value).__name__}"


def owner_edges(rules: Iterable[Rule], *, keras: bool) -> list[Owner]:
    """Distributions and versions at the edges of what rules demand, and sources they vouch for."""
    found: dict[Owner, None] = {}
    for rule in rules:
        if rule.owner is not None:
            for version in ("0", *sorted(each.version for each in rule.owner.versions), "9999"):
                edge = Owner(rule.owner.distribution, version.removesuffix(".*"))
                found[edge] = None
        if rule.evidence is not None and not keras:
            found[Owner("stranger", "1", rule.evidence.source_sha256)] = None
    return list(found)
