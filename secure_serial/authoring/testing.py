"""`policy test`: whether a policy does what its `[[test]]` tables say, and what they leave out.

Each file's tests are judged by the stack down to that file: what a layer promises must hold
with those above it, and cannot know those below.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from secure_serial.authoring import policy_file
from secure_serial.authoring.cases import PolicyTest, read_tests
from secure_serial.authoring.subjects import Maker, Subject
from secure_serial.data import catalogue
from secure_serial.errors import InvalidPolicy, Where
from secure_serial.policy.conditions import context_of
from secure_serial.policy.engine import Decision, Engine
from secure_serial.policy.index import Index
from secure_serial.policy.model import ABOVE, Mode, Policy, Rule, Waiver
from secure_serial.policy.source import parse_policy
from secure_serial.scanner.judge import shows_intent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from secure_serial.authoring.policy_file import PolicyFile
    from secure_serial.plan.request import Objection

Named = TypeVar("Named", Rule, Waiver)

#: The code of a policy that has ended.
ENDED = "SS201"


class Outcome(NamedTuple):
    """What became of one subject of a test."""

    subject: Subject
    allowed: bool = False
    decisions: tuple[Decision, ...] = ()
    codes: frozenset[str] = frozenset()  # of what denies or, if nothing does, of what was lifted
    why: str = ""
    broken: str = ""

    @property
    def problem(self) -> str:
        """How it differs from what the test expects; empty where it does not."""
        test = self.subject.test
        if self.broken:
            return self.broken
        if self.allowed is not (test.expect == "allow"):
            done = "allowed" if self.allowed else "denied"
            return f"expected {test.expect}, and it is {done}: {self.why}"
        if test.code and test.code not in self.codes:
            found = ", ".join(sorted(self.codes)) or "none"
            return f"expected the code {test.code}, and it is {found}: {self.why}"
        decided = self.rules
        for rule in test.rules:
            if rule not in decided:
                found = ", ".join(sorted(decided)) or "none"
                return f"expected the rule {rule} to decide, and it is {found}"
        return ""

    @property
    def rules(self) -> frozenset[str]:
        """The rules that made it so."""
        return frozenset(
            rule for d in self.decisions if d.allowed is self.allowed for rule in d.rules
        )


class Layers:
    """A stack of policies, as tests judge by it: in force, though it may only report so far."""

    def __init__(self, layers: Sequence[Policy]) -> None:
        enforced = [dataclasses.replace(p, mode=Mode.ENFORCE, report_until=None) for p in layers]
        self.policies = tuple(enforced)
        self.stack = enforced[0].over(*enforced[1:])
        self._engines: dict[date, Engine] = {}

    def engine(self, today: date) -> Engine:
        """What judges on a day."""
        engine = self._engines.get(today)
        if engine is None:
            engine = self._engines[today] = Engine(self.stack, today)
        return engine

    def ended(self, today: date) -> str:
        """Why nothing loads on a day, for a layer has ended; empty where none has."""
        for layer in self.policies:
            if layer.expires is not None and layer.expires < today:
                return f"the policy {layer.source} ended on {layer.expires}"
        return ""

    @cached_property
    def rules(self) -> tuple[Index[Rule], ...]:
        """The rules of each layer by what they name."""
        return tuple(_indexed(layer.rules) for layer in self.policies)

    @cached_property
    def waivers(self) -> tuple[Index[Waiver], ...]:
        """The waivers of each layer by what they name."""
        return tuple(_indexed(layer.waivers) for layer in self.policies)


class Suite:
    """The tests of one file, and what they are judged by."""

    def __init__(self, file: PolicyFile, tests: Sequence[PolicyTest], layers: Layers) -> None:
        self.file = file
        self.tests = tests
        self.layers = layers

    def subjects(
        self, layers: Layers | None = None, order: Iterable[str] | None = None
    ) -> Iterator[Subject]:
        """What the tests ask about, read within the limits of these layers; `order` names them."""
        stack = (layers or self.layers).stack
        maker = Maker(self.file.folder, catalogue(), stack.limits, digests=stack.digests_matter)
        tests = {test.id: test for test in self.tests}
        for test in order if order is not None else tests:
            yield from maker.subjects(tests[test])


class Run(NamedTuple):
    """What came of all tests. `outcomes` are those of each suite, in the order of the files."""

    suites: tuple[Suite, ...]
    outcomes: tuple[tuple[Outcome, ...], ...]
    today: date

    @property
    def failed(self) -> list[Outcome]:
        """What differs from what is expected."""
        return [each for outcomes in self.outcomes for each in outcomes if each.problem]


def run_tests(given: Iterable[str], today: date) -> Run:
    """Run the tests of policies, the first on top of a stack.

    Args:
        given: Shipped names or paths.
        today: The day of every test that names none.

    Raises:
        InvalidPolicy: a policy or a test cannot be used; nothing was run.

    >>> from datetime import date
    >>> len(run_tests(["strict"], date(2027, 1, 1)).suites)
    1

    """
    files = [policy_file.read(each) for each in given]
    layers = [parse_policy(file.text, file.source) for file in files]
    if layers and layers[0].inherits:
        text = f"nothing is above the first layer for {ABOVE!r}: give the files above it first"
        raise InvalidPolicy(text, where=Where(files[0].source))
    suites = tuple(
        Suite(file, read_tests(file), Layers(layers[: number + 1]))
        for number, file in enumerate(files)
    )
    outcomes = tuple(
        tuple(outcome(subject, suite.layers, today) for subject in suite.subjects())
        for suite in suites
    )
    return Run(suites, outcomes, today)


def outcome(subject: Subject, layers: Layers, today: date) -> Outcome:
    """What these layers say to a subject."""
    day = subject.test.today or today
    return settled(subject, layers, day, layers.engine(day).decide)


def settled(
    subject: Subject, layers: Layers, day: date, decide: Callable[..., Decision]
) -> Outcome:
    """What becomes of a subject, where `decide` says what becomes of each of its requests."""
    if subject.broken:
        return Outcome(subject, broken=f"the test cannot be run: {subject.broken}")
    ended = layers.ended(day)
    if ended:
        return Outcome(subject, codes=frozenset({ENDED}), why=ended)
    error = subject.refused
    if error is not None:
        # A file that merely cannot be read would pass for denied, whatever the policy says.
        if not shows_intent(error) and subject.test.code != error.code:
            return Outcome(subject, broken=f"the test cannot be run: {_first_line(error)}")
        return Outcome(subject, codes=frozenset({str(error.code)}), why=_first_line(error))
    if subject.plan is None:
        raise AssertionError("it has a plan, or the reason why not")
    context = context_of(subject.plan, subject.file_sha256)
    decisions = tuple([decide(request, context) for request in subject.plan.requests])
    return summed_up(subject, decisions, subject.plan.objections)


def summed_up(
    subject: Subject, decisions: tuple[Decision, ...], objections: Sequence[Objection]
) -> Outcome:
    """The outcome, from the decision on each request and what is wrong with the whole."""
    denied = [decision for decision in decisions if not decision.allowed]
    if not denied and not objections:
        lifted = frozenset(d.code for d in decisions if d.code)
        rules = dict.fromkeys(rule for d in decisions for rule in d.rules)
        why = f"by {', '.join(rules)}" if rules else "nothing in it asks for anything"
        return Outcome(subject, allowed=True, decisions=decisions, codes=lifted, why=why)
    codes = frozenset([*(d.code for d in denied), *(o.code for o in objections)])
    why = _reason(denied[0]) if denied else f"{objections[0].code} {objections[0].detail}"
    return Outcome(subject, decisions=decisions, codes=codes, why=why)


def _reason(decision: Decision) -> str:
    """Why something is denied, with the rule that says so and the one that nearly allows it."""
    text = f"{decision.code} {decision.request.symbol}: {decision.reason}"
    if decision.place:
        text += f" ({', '.join(decision.rules)}, {decision.place})"
    return f"{text}; nearest is {decision.near}" if decision.near else text


def _indexed(things: Iterable[Named]) -> Index[Named]:
    index: Index[Named] = Index()
    for thing in things:
        index.add(thing, thing.symbols, thing.registered)
    return index


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
