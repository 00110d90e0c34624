"""Plan x Policy -> Verdict: a pure function, and the only place where anything is allowed.

The evaluation has no options. For each request:

1. a deny rule of any layer that matches, or that fails while it is evaluated, denies;
2. the layers are asked from the top. One lets the request pass if an allow rule matches
   (one that fails does not), or if it is the caller's own and the policy says so; and if
   nothing is wrong with it whatever the policy says, but what such a rule permits;
3. one that does not lets it pass all the same if it says so of what those above it let
   pass, leaves it to the layer below if it delegates the name, and else denies, unless a
   waiver is in force;
4. what nobody let pass is denied.

`docs/policy.md` says it at length, and `tests/policy/specification.py` says it again in
plain Python that the engine is compared with.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.policy.conditions import Context, context_of
from secure_serial.policy.layer import DEFAULT_DENY, LAMBDA, About, Layer, Opinion
from secure_serial.policy.model import WAIVABLE, Effect

if TYPE_CHECKING:
    from datetime import date

    from secure_serial.plan.request import Objection, Plan, Request
    from secure_serial.policy.model import Policy, Rule, Waiver

__all__ = [
    "DEFAULT_DENY", "DENY_RULE", "LAMBDA", "Decision", "Engine", "Lifted", "Verdict", "decide",
]  # fmt: skip
DENY_RULE = "SS302"
#: Kinds of requests whose decision is remembered; far more than any real model makes.
_REMEMBERED = 20_000
_NOTHING = Context()
#: Python 3.11 takes long to look up a member of an enumeration, and this is asked often.
_ALLOW = Effect.ALLOW
_WAIVABLE = frozenset(WAIVABLE)


class Lifted(StrEnum):
    """Why something passes that the rules do not let pass."""

    NO = ""
    WAIVED = "waiver"
    REPORTED = "report"  # the policy is being introduced, and reports what it would deny


class Decision(NamedTuple):
    """What became of one request, and which rules made it so."""

    request: Request
    effect: Effect
    rules: tuple[str, ...]  # ids of the determining rules; "builtin:…" for our own
    code: str  # of the rule catalogue; empty where allowed by rules
    reason: str
    place: str = ""  # file:line of the first determining rule
    near: str = ""  # an allow rule that names the symbol and yet does not match, and why
    layer: str = ""  # the file that decided
    lifted: Lifted = Lifted.NO
    looked_at: tuple[str, ...] = ()  # the arguments that rules on the symbol have conditions on

    @property
    def allowed(self) -> bool:
        """Whether the request may be carried out."""
        return self.effect is Effect.ALLOW


class Verdict(NamedTuple):
    """All decisions on a plan. `objections` are those to the plan as a whole."""

    plan: Plan
    policy: Policy
    decisions: tuple[Decision, ...]
    objections: tuple[Objection, ...]
    today: date | None = None
    file_sha256: str | None = None

    @property
    def context(self) -> Context:
        """What the requests have in common."""
        return context_of(self.plan, self.file_sha256)

    @property
    def allowed(self) -> bool:
        """Whether everything may be built. One denial denies the load."""
        return not self.objections and all(decision.allowed for decision in self.decisions)

    @property
    def denied(self) -> tuple[Decision, ...]:
        """The denials, in document order."""
        return tuple(decision for decision in self.decisions if not decision.allowed)

    @property
    def waived(self) -> tuple[Decision, ...]:
        """What passes by a waiver."""
        return tuple(d for d in self.decisions if d.lifted is Lifted.WAIVED)

    @property
    def reported(self) -> tuple[Decision, ...]:
        """What would be denied if the policy were enforced already."""
        return tuple(d for d in self.decisions if d.lifted is Lifted.REPORTED)

    @property
    def symbols(self) -> frozenset[str]:
        """Every symbol that was allowed: what the gate may resolve."""
        return frozenset(d.request.symbol for d in self.decisions if d.allowed)


def decide(
    plan: Plan, policy: Policy, *, today: date | None = None, file_sha256: str | None = None
) -> Verdict:
    """The verdict on a plan. Same plan, policy and day, same verdict."""
    return Engine(policy, today).judge(plan, file_sha256)


class Engine:
    """A policy made ready to decide.

    Args:
        policy: What holds, with the layers below it.
        today: The day of the decision, for waivers and the time of an introduction; None
            where nobody knows it: what ends on a day has then ended.

    """

    def __init__(self, policy: Policy, today: date | None = None) -> None:
        self.policy = policy
        self.today = today
        self._layers = tuple(
            Layer(each, today, top=number == 0) for number, each in enumerate(policy.layers)
        )
        self._waives = any(each.waivers for each in policy.layers)
        self._known: dict[object, tuple[object, ...]] = {}

    def judge(self, plan: Plan, file_sha256: str | None = None) -> Verdict:
        """The verdict on a plan: every request decided, none skipped."""
        context = context_of(plan, file_sha256)
        decisions = tuple([self.decide(request, context) for request in plan.requests])
        return Verdict(plan, self.policy, decisions, plan.objections, self.today, file_sha256)

    def decide(self, request: Request, context: Context = _NOTHING) -> Decision:
        """The decision on one request."""
        key = (
            request.symbol, request.kind, request.field, request.action, request.origin,
            request.effects, request.digest,
        )  # fmt: skip
        if not request.objections:
            known = self._known.get(key)
            if known is not None:
                return Decision._make((request, *known))
        abouts = [layer.about(request.symbol) for layer in self._layers]
        decision = self._decide(request, context, abouts)
        for about in abouts:
            if not about.by_names_alone:
                looked_at = {name for each in abouts for name in each.arguments()}
                return decision._replace(looked_at=tuple(sorted(looked_at)))
        if not request.objections:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = decision[1:]
        return decision

    def always_allows(self, request: Request) -> bool:
        """Whether every request with these names is allowed, and by no exception.

        So it is where nothing else is asked of the symbol: no argument, owner, digest or format.
        """
        if not all(layer.about(request.symbol).by_names_alone for layer in self._layers):
            return False
        decision = self.decide(request)
        return decision.allowed and decision.lifted is Lifted.NO

    def _decide(self, request: Request, context: Context, abouts: list[About]) -> Decision:
        denials: list[tuple[Layer, Rule, str]] = []
        for layer, about in zip(self._layers, abouts, strict=True):
            if about.denies:
                found = layer.denials(about, request, context)
                denials += [(layer, rule, why) for rule, why in found]
        if denials:
            return _denied_by(denials, request)
        passed = False
        so_far: Decision | None = None  # what let it pass, and what was lifted on the way
        left = ""  # why the last layer that delegated the name did not let it pass itself
        for number, layer in enumerate(self._layers):
            opinion = layer.opinion(abouts[number], request, context)
            if opinion.passes:
                now = _allowed(request, opinion, layer)
                passed, so_far = True, now if so_far is None else _with(so_far, now)
            elif passed and layer.policy.inherits and not layer.forbids(request):
                continue
            elif layer.delegates(request.symbol):
                passed, left = False, opinion.reason
            else:
                final = self._unless_lifted(number, request, context, opinion)
                if not final.allowed:
                    return final
                passed, so_far = True, final if so_far is None else _with(so_far, final)
        if passed and so_far is not None:
            return so_far
        reason = f"{left}; it is left to the layer below, and there is none that allows it"
        return Decision(
            request, Effect.DENY, ("builtin:default",), DEFAULT_DENY, reason,
            layer=self._layers[-1].policy.source,
        )  # fmt: skip

    def _unless_lifted(
        self, number: int, request: Request, context: Context, opinion: Opinion
    ) -> Decision:
        """A layer's refusal, unless a waiver or the time of an introduction lifts it."""
        layer = self._layers[number]
        near = opinion.near
        if self._waives and opinion.faults <= _WAIVABLE:
            below = self._layers[number + 1 :] if layer.policy.waiver_terms.below else ()
            for place, each in enumerate((layer, *below), start=number + 1):
                days = min(up.policy.waiver_terms.max_days for up in self._layers[:place])
                for waiver in each.waivers(request, context, opinion.faults):
                    if each.in_force(waiver, days):
                        return _waived(request, opinion, waiver)
                    near = (
                        f"{waiver.id} ({waiver.place}): a waiver that ends on {waiver.expires}, "
                        f"and may run for {days} days"
                    )
        if layer.reports(request, opinion):
            return Decision(
                request, Effect.ALLOW, ("builtin:report-mode",), opinion.code, opinion.reason,
                near=near, layer=layer.policy.source, lifted=Lifted.REPORTED,
            )  # fmt: skip
        return Decision(
            request, Effect.DENY, opinion.rules, opinion.code, opinion.reason, opinion.place,
            near, layer.policy.source,
        )  # fmt: skip


def _with(before: Decision, now: Decision) -> Decision:
    """A decision of the layers above with one more: all rules count, and what was lifted."""
    rules = (*before.rules, *(rule for rule in now.rules if rule not in before.rules))
    shown = now if before.lifted is Lifted.NO and now.lifted is not Lifted.NO else before
    return shown._replace(rules=rules)


def _allowed(request: Request, opinion: Opinion, layer: Layer) -> Decision:
    return Decision(
        request, _ALLOW, opinion.rules, "", opinion.reason, opinion.place, "", layer.policy.source
    )


def _waived(request: Request, opinion: Opinion, waiver: Waiver) -> Decision:
    reason = f"waived by {waiver.who} until {waiver.expires}: {waiver.reason}"
    return Decision(
        request, Effect.ALLOW, (waiver.id,), opinion.code, reason, waiver.place,
        layer=waiver.source, lifted=Lifted.WAIVED,
    )  # fmt: skip


def _denied_by(denials: list[tuple[Layer, Rule, str]], request: Request) -> Decision:
    """Every deny rule that means the request; the first of the topmost layer says why."""
    layer, rule, why = denials[0]
    reason = rule.reason or f"denied by rule {rule.id}"
    if why:
        reason = f"{reason} ({why})"
    rules = tuple(dict.fromkeys(each.id for _, each, _ in denials))
    return Decision(
        request, Effect.DENY, rules, DENY_RULE, reason, rule.place, layer=layer.policy.source
    )
