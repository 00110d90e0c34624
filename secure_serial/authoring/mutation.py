"""Whether the tests of policies notice when something in these is changed.

A decision on a request hangs on the rules that name its symbol, and on nothing else that a
change of one rule could touch. So a mutant is judged on the requests that it names, by
those few rules alone, until the first test that fails.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple, cast

from secure_serial.authoring.mutants import Mutant, mutants
from secure_serial.authoring.testing import (
    Layers,
    Named,
    Outcome,
    Run,
    Suite,
    settled,
    summed_up,
)
from secure_serial.data import policy_text
from secure_serial.policy.conditions import context_of, named
from secure_serial.policy.engine import Engine
from secure_serial.policy.model import ABOVE, Policy
from secure_serial.policy.source import parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from secure_serial.authoring.policy_file import PolicyFile
    from secure_serial.authoring.subjects import Subject


class Survivor(NamedTuple):
    """A change that no test noticed, and where in a file."""

    source: str
    line: int
    column: int
    what: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}: {self.what}"


class Mutation(NamedTuple):
    """What came of all mutants."""

    made: int
    survivors: tuple[Survivor, ...]


def mutate(run: Run) -> Mutation:
    """Change the policies of a run in every way, and ask its tests.

    Every test must pass as things are, or nothing could be told from one that fails.

    >>> from datetime import date
    >>> from secure_serial.authoring.testing import run_tests
    >>> mutate(run_tests(["strict"], date(2027, 1, 1))).made > 0
    True

    """
    suites = [_Judged(suite, outcomes, run.today) for suite, outcomes in zip(*run[:2], strict=True)]
    made = 0
    survivors: list[Survivor] = []
    for number, suite in enumerate(run.suites):
        policy = suite.layers.policies[number]
        bases = _bases(policy)
        for mutant in mutants(policy, suite.file, bases, below=number + 1 < len(suites)):
            made += 1
            if not any(each.notices(mutant, number) for each in suites[number:]):
                survivors.append(_survivor(mutant, suite.file))
    return Mutation(made, tuple(survivors))


def _bases(policy: Policy) -> Mapping[str, Policy]:
    names = [name for name in policy.extends if name != ABOVE]
    return {name: parse_policy(policy_text(name), name) for name in names}


def _survivor(mutant: Mutant, file: PolicyFile) -> Survivor:
    return Survivor(file.source, *file.place(mutant.path), mutant.what)


class _Judged:
    """The outcomes of one suite, by the symbols that they hang on."""

    def __init__(self, suite: Suite, outcomes: tuple[Outcome, ...], today: date) -> None:
        self._suite = suite
        self._outcomes = outcomes
        self._today = today
        #: Which outcomes have a request of a symbol.
        self._by_symbol: dict[str, list[int]] = {}
        #: By layer: the symbols that each rule or waiver names.
        self._by_one: dict[int, dict[int, list[str]]] = {}
        for number, outcome in enumerate(outcomes):
            for symbol in {decision.request.symbol for decision in outcome.decisions}:
                self._by_symbol.setdefault(symbol, []).append(number)

    def notices(self, mutant: Mutant, layer: int) -> bool:
        """Whether a test fails with a mutant of one of the layers."""
        if mutant.policy is not None:
            return self._notices_setting(mutant.policy, layer, rereads=mutant.rereads)
        symbols = self._named(mutant, layer)
        engines: dict[tuple[str, date], Engine] = {}
        numbers = {number for symbol in symbols for number in self._by_symbol[symbol]}
        return any(
            self._again(number, symbols, mutant, layer, engines).problem
            for number in sorted(numbers)
        )

    def _named(self, mutant: Mutant, layer: int) -> set[str]:
        """The symbols on which a mutant of a rule or a waiver is asked otherwise."""
        if mutant.pattern:
            if "*" not in mutant.pattern:
                return {mutant.pattern} & self._by_symbol.keys()
            return {s for s in self._by_symbol if named((mutant.pattern,), s)}
        if mutant.was is None:
            raise AssertionError("a mutant changes a setting, a rule or a waiver")
        return set(self._named_by(layer).get(id(mutant.was), ()))

    def _named_by(self, layer: int) -> dict[int, list[str]]:
        """The symbols that each rule and waiver of a layer names."""
        found = self._by_one.get(layer)
        if found is None:
            found = self._by_one[layer] = {}
            layers = self._suite.layers
            for symbol in self._by_symbol:
                for one in (*layers.rules[layer].find(symbol), *layers.waivers[layer].find(symbol)):
                    found.setdefault(id(one), []).append(symbol)
        return found

    def _again(
        self,
        number: int,
        symbols: set[str],
        mutant: Mutant,
        layer: int,
        engines: dict[tuple[str, date], Engine],
    ) -> Outcome:
        """An outcome, with what a mutant decides of the requests of these symbols."""
        before = self._outcomes[number]
        subject = before.subject
        if subject.plan is None:
            raise AssertionError("what has decisions has a plan")
        day = subject.test.today or self._today
        context = context_of(subject.plan, subject.file_sha256)
        decisions = []
        for decision in before.decisions:
            symbol = decision.request.symbol
            if symbol in symbols:
                engine = engines.get((symbol, day))
                if engine is None:
                    stack = self._stack(symbol, mutant, layer)
                    engine = engines[symbol, day] = Engine(stack, day)
                decision = engine.decide(decision.request, context)  # noqa: PLW2901
            decisions.append(decision)
        return summed_up(subject, tuple(decisions), subject.plan.objections)

    def _stack(self, symbol: str, mutant: Mutant, layer: int) -> Policy:
        """The layers with no other rules than those that name a symbol, one of them changed."""
        layers = self._suite.layers
        stack = []
        for number, policy in enumerate(layers.policies):
            rules = tuple(layers.rules[number].find(symbol))
            waivers = tuple(layers.waivers[number].find(symbol))
            if number == layer:
                rules, waivers = _exchanged(rules, mutant), _exchanged(waivers, mutant)
            rules, waivers = _narrowed(rules, symbol), _narrowed(waivers, symbol)
            stack.append(dataclasses.replace(policy, rules=rules, waivers=waivers))
        return stack[0].over(*stack[1:])

    def _notices_setting(self, changed: Policy, layer: int, *, rereads: bool) -> bool:
        policies = list(self._suite.layers.policies)
        policies[layer] = changed
        layers = Layers(policies)
        # What is denied first: without a limit, it is that which may change.
        outcomes = sorted(self._outcomes, key=lambda outcome: outcome.allowed)
        subjects: Iterable[Subject] = [outcome.subject for outcome in outcomes]
        if rereads:
            tests = dict.fromkeys(subject.test.id for subject in subjects)
            subjects = self._suite.subjects(layers, tests)
        for subject in subjects:
            day = subject.test.today or self._today
            if settled(subject, layers, day, layers.engine(day).decide).problem:
                return True
        return False


def _exchanged(ones: Iterable[Named], mutant: Mutant) -> tuple[Named, ...]:
    """The same, with what a mutant makes of one of them."""
    now = cast("Named | None", mutant.now)
    changed = [now if one is mutant.was else one for one in ones]
    return tuple([one for one in changed if one is not None])


def _narrowed(ones: Iterable[Named], symbol: str) -> tuple[Named, ...]:
    """Those that name a symbol, by no other patterns than the ones that do: quick to index."""
    found: list[Named] = []
    for one in ones:
        symbols = tuple([p for p in one.symbols if p == symbol or named((p,), symbol)])
        registered = tuple([p for p in one.registered if named((p,), symbol)])
        if symbols or registered or not (one.symbols or one.registered):
            found.append(one._replace(symbols=symbols, registered=registered))
    return tuple(found)
