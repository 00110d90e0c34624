"""How a decision comes about, step by step: what each layer says, and by which rules.

It asks the same layers in the same order as the engine; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.plan.request import Origin
from secure_serial.policy.conditions import feigned, mismatch
from secure_serial.policy.engine import DENY_RULE
from secure_serial.policy.layer import Layer
from secure_serial.policy.model import WAIVABLE, CallerObjects, Effect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from secure_serial.plan.request import Request
    from secure_serial.policy.conditions import Context
    from secure_serial.policy.layer import Opinion
    from secure_serial.policy.model import Policy, Rule, Waiver

#: Rules on one name that are listed; a policy that has more has them by pattern.
_MOST = 20


class Outcome(StrEnum):
    """What one layer does with a request."""

    DENIES = "denies"  # by a deny rule: whatever the others say
    PASSES = "lets it pass"
    KEEPS = "keeps what is above"
    LEAVES = "leaves it to the layer below"
    WAIVES = "waives"
    REPORTS = "reports"
    REFUSES = "does not let it pass"


class RuleWord(NamedTuple):
    """A rule that names the symbol, and why it does not mean the request; empty where it does."""

    id: str
    effect: Effect
    place: str
    why_not: str
    note: str = ""  # what it is taken to mean, and a load will look at again


class WaiverWord(NamedTuple):
    """A waiver that names the symbol, and why it does not lift it; empty where it does."""

    id: str
    place: str
    who: str
    expires: date
    why_not: str


class Step(NamedTuple):
    """What one layer makes of a request."""

    layer: str
    outcome: Outcome
    code: str = ""
    reason: str = ""
    rules: tuple[RuleWord, ...] = ()
    waivers: tuple[WaiverWord, ...] = ()

    @property
    def ends(self) -> bool:
        """Whether nothing that comes after it counts."""
        return self.outcome in (Outcome.DENIES, Outcome.REFUSES)


class Trace(NamedTuple):
    """The steps to a decision, in their order. Deny rules of all layers come first."""

    steps: tuple[Step, ...]
    allowed: bool


class Tracer:
    """A policy made ready to say how its decisions come about.

    >>> from secure_serial.plan.fields import Field, Kind
    >>> from secure_serial.plan.request import Action, Origin, Request
    >>> from secure_serial.policy.conditions import Context
    >>> from secure_serial.policy.source import load_policy
    >>> dense = Request("", "", Field.ROOT, Action.CONSTRUCT, "keras.layers.Dense", Kind.LAYER,
    ...                 Origin.KERAS, "Dense")
    >>> [step.outcome.value for step in Tracer(load_policy("strict")).trace(dense, Context()).steps]
    ['lets it pass']
    """

    def __init__(self, policy: Policy, today: date | None = None) -> None:
        self._layers = [Layer(each, today, top=n == 0) for n, each in enumerate(policy.layers)]
        self._today = today

    def trace(self, request: Request, context: Context) -> Trace:
        """How the decision on one request comes about."""
        denied = tuple(_denials(self._layers, request, context))
        if denied:
            return Trace(denied, allowed=False)
        steps: list[Step] = []
        passed = False
        for number in range(len(self._layers)):
            step = self._step(number, request, context, passed=passed)
            steps.append(step)
            if step.ends:
                return Trace(tuple(steps), allowed=False)
            passed = step.outcome is not Outcome.LEAVES
        return Trace(tuple(steps), allowed=passed)

    def _step(self, number: int, request: Request, context: Context, *, passed: bool) -> Step:
        layer = self._layers[number]
        opinion = layer.opinion(layer.about(request.symbol), request, context)
        rules = tuple(_words(layer, request, context))
        step = Step(layer.policy.source, Outcome.REFUSES, opinion.code, opinion.reason, rules)
        if opinion.passes:
            return step._replace(outcome=Outcome.PASSES)
        if passed and layer.policy.inherits:
            return step._replace(outcome=Outcome.KEEPS)
        if layer.delegates(request.symbol):
            return step._replace(outcome=Outcome.LEAVES)
        waivers: list[WaiverWord] = []
        for waiver, why in self._waivers(number, request, context, opinion):
            waivers.append(WaiverWord(waiver.id, waiver.place, waiver.who, waiver.expires, why))
            if not why:
                reason = f"by {waiver.who} until {waiver.expires}: {waiver.reason}"
                return step._replace(outcome=Outcome.WAIVES, reason=reason, waivers=tuple(waivers))
        reports = layer.reports(request, opinion)
        outcome = Outcome.REPORTS if reports else Outcome.REFUSES
        return step._replace(outcome=outcome, waivers=tuple(waivers))

    def _waivers(
        self, number: int, request: Request, context: Context, opinion: Opinion
    ) -> Iterator[tuple[Waiver, str]]:
        """The waivers that name the symbol, and why each does not lift a layer's refusal."""
        policy = self._layers[number].policy
        for place, each in enumerate(self._layers[number:], start=number + 1):
            days = min(up.policy.waiver_terms.max_days for up in self._layers[:place])
            for waiver in each.about(request.symbol).waivers:
                if place > number + 1 and not policy.waiver_terms.below:
                    yield waiver, f"layers below may waive nothing that {policy.source} denies"
                else:
                    yield waiver, _unwaived(waiver, request, context, opinion, days, self._today)


def _denials(layers: list[Layer], request: Request, context: Context) -> Iterator[Step]:
    for layer in layers:
        several = layer.denials(layer.about(request.symbol), request, context)
        if several:
            rule, why = several[0]
            reason = rule.reason or f"denied by rule {rule.id}"
            words = tuple(RuleWord(each.id, each.effect, each.place, "") for each, _ in several)
            text = f"{reason} ({why})" if why else reason
            yield Step(layer.policy.source, Outcome.DENIES, DENY_RULE, text, words)


def _words(layer: Layer, request: Request, context: Context) -> Iterator[RuleWord]:
    """The rules of a layer that name the symbol, and why each does not mean the request."""
    about = layer.about(request.symbol)
    for rule in (*about.allows, *about.denies)[:_MOST]:
        why_not = _why_not(layer, rule, request, context)
        note = "" if why_not else _unchecked(layer, rule, request)
        yield RuleWord(rule.id, rule.effect, rule.place, why_not, note)


def _unchecked(layer: Layer, rule: Rule, request: Request) -> str:
    """What a rule is believed where there is but a file, and is held to in a load."""
    required = layer.policy.require_evidence and rule.effect is Effect.ALLOW
    if required and rule.evidence is not None and request.origin is Origin.UNKNOWN:
        return "its evidence is not checked here; a load compares it with the source"
    return ""


def _why_not(layer: Layer, rule: Rule, request: Request, context: Context) -> str:
    try:
        why = mismatch(rule, request, context)
    except Exception as error:  # noqa: BLE001 - the engine takes whatever it is as a no
        return f"its conditions could not be evaluated: {error}"
    if why or rule.effect is Effect.DENY or not layer.policy.require_evidence:
        return why
    alone = replace(layer.policy, rules=(rule,), caller_objects=CallerObjects.LISTED)
    only = Layer(alone, None, top=False)
    without = request._replace(objections=())
    opinion = only.opinion(only.about(request.symbol), without, context)
    return "" if opinion.passes else opinion.near.removeprefix(f"{rule.id} ({rule.place}): ")


def _unwaived(
    waiver: Waiver,
    request: Request,
    context: Context,
    opinion: Opinion,
    days: int,
    today: date | None,
) -> str:
    """Why a waiver does not lift a refusal; empty where it does."""
    if feigned(request):
        return "no waiver makes a name Keras's"
    if opinion.faults - set(WAIVABLE):
        return f"{', '.join(sorted(opinion.faults - set(WAIVABLE)))} cannot be waived"
    if today is None:
        return "nobody knows which day it is"
    if waiver.expires < today:
        return f"it ended on {waiver.expires}"
    if (waiver.expires - today).days > days:
        return f"it ends on {waiver.expires}, more than the {days} days ahead that are allowed"
    if waiver.sha256 and not waiver.sha256 & context.digests:
        return "it is for other artefacts, by their digests"
    if not opinion.faults <= waiver.codes:
        return f"it does not lift {', '.join(sorted(opinion.faults - waiver.codes))}"
    return ""
