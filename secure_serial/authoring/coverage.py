"""Which rules and waivers decide something in some test, and which in none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.authoring.policy_file import own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.authoring.policy_file import Own
    from secure_serial.authoring.testing import Run, Suite


class Unused(NamedTuple):
    """A rule or a waiver that decides in no test, and where it stands."""

    what: str
    source: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}: {self.what}"


class Shipped(NamedTuple):
    """How many rules of a shipped policy, which came by `extends`, decide in some test."""

    name: str
    used: int
    rules: int


class Coverage(NamedTuple):
    """What the tests of all files exercise."""

    rules: int  # of the files themselves, with waivers
    unused: tuple[Unused, ...]
    shipped: tuple[Shipped, ...]


def coverage(run: Run) -> Coverage:
    """What the tests of a run exercise: a rule does if it decides on one request.

    >>> from datetime import date
    >>> from secure_serial.authoring.testing import run_tests
    >>> [each.name for each in coverage(run_tests(["strict"], date(2027, 1, 1))).shipped]
    ['keras-core']

    """
    used = {one for suite, number in _numbered(run) for one in _decided(run, suite, number)}
    total = 0
    unused: list[Unused] = []
    by_source: dict[str, dict[str, bool]] = {}
    for suite, number in _numbered(run):
        policy = suite.layers.policies[number]
        mine = own(policy, suite.file)
        total += len(mine)
        unused += [_unused(each, suite) for each in mine if id(each.what) not in used]
        for rule in policy.rules:
            if rule.source != suite.file.source:
                rules = by_source.setdefault(rule.source, {})
                rules[rule.id] = rules.get(rule.id, False) or id(rule) in used
    shipped = [Shipped(name, sum(ids.values()), len(ids)) for name, ids in by_source.items()]
    return Coverage(total, tuple(unused), tuple(shipped))


def _numbered(run: Run) -> list[tuple[Suite, int]]:
    return [(suite, number) for number, suite in enumerate(run.suites)]


def _decided(run: Run, suite: Suite, number: int) -> Iterator[int]:
    """The identities of what decides in the tests of one file, in whatever layer it stands."""
    layers = suite.layers
    for outcome in run.outcomes[number]:
        for decision in outcome.decisions:
            for rules, waivers in zip(layers.rules, layers.waivers, strict=True):
                symbol = decision.request.symbol
                yield from (id(one) for one in rules.find(symbol) if one.id in decision.rules)
                yield from (id(one) for one in waivers.find(symbol) if one.id in decision.rules)


def _unused(each: Own, suite: Suite) -> Unused:
    key = each.path[0]
    name = f"{key} {each.what.id}" if key == "waiver" else f"{key} rule {each.what.id}"
    return Unused(name, suite.file.source, *suite.file.place(each.path))
