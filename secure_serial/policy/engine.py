"""Plan x Policy -> Verdict: a pure function, and the only place where anything is allowed.

The evaluation has no options. For each request, in this order of precedence and not of
the rules, whose order never matters:

1. what is wrong whatever the policy says (the plan's objections) denies, unless an allow
   rule permits exactly that argument;
2. a deny rule that matches, or that fails while it is evaluated, denies;
3. an allow rule that matches allows; one that fails does not;
4. an object of the caller's own is allowed where the policy says so;
5. nothing matched: denied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.plan.request import Action, Objection, Origin, Plan, Request
from secure_serial.policy.constraints import holds
from secure_serial.policy.model import CallerObjects, Effect
from secure_serial.policy.patterns import registered_matches, symbol_matches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_serial.policy.model import Policy, Rule

DEFAULT_DENY = "SS301"
DENY_RULE = "SS302"
LAMBDA = "SS303"
#: The packages that symbols of the catalogue begin with, by all their spellings.
_KERAS = frozenset({"keras", "tf_keras", "tensorflow", "tf"})
#: The objection that an allow rule may lift for a named argument.
_PATH = "SS320"


class Decision(NamedTuple):
    """What became of one request, and which rules made it so."""

    request: Request
    effect: Effect
    rules: tuple[str, ...]  # ids of the determining rules; "builtin:…" for our own
    code: str  # of the rule catalogue; empty where allowed
    reason: str
    place: str = ""  # file:line of the first determining rule
    near: str = ""  # an allow rule that names the symbol and yet does not match, and why

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

    @property
    def allowed(self) -> bool:
        """Whether everything may be built. One denial denies the load."""
        return not self.objections and all(decision.allowed for decision in self.decisions)

    @property
    def denied(self) -> tuple[Decision, ...]:
        """The denials, in document order."""
        return tuple(decision for decision in self.decisions if not decision.allowed)

    @property
    def symbols(self) -> frozenset[str]:
        """Every symbol that was allowed: what the gate may resolve."""
        return frozenset(d.request.symbol for d in self.decisions if d.allowed)


def decide(plan: Plan, policy: Policy) -> Verdict:
    """The verdict on a plan. Same plan and policy, same verdict."""
    return Engine(policy).judge(plan)


class Engine:
    """A policy with its rules indexed by symbol. Holds no other state than that index."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._exact: dict[str, list[Rule]] = {}
        self._wide: list[Rule] = []
        for rule in policy.rules:
            names = (*rule.symbols, *rule.registered)
            if not names or any("*" in name for name in names):
                self._wide.append(rule)
            else:
                for name in names:
                    self._exact.setdefault(name, []).append(rule)
        self._candidates: dict[str, tuple[Rule, ...]] = {}

    def judge(self, plan: Plan) -> Verdict:
        """The verdict on a plan: every request decided, none skipped."""
        decisions = tuple(map(self.decide, plan.requests))
        return Verdict(plan, self.policy, decisions, plan.objections)

    def decide(self, request: Request) -> Decision:
        """The decision on one request."""
        candidates = self._for_symbol(request.symbol)
        allows: list[Rule] = []
        near = ""
        for rule in candidates:
            matched, why = _evaluate(rule, request)
            if rule.effect is Effect.DENY and matched is not False:
                return self._denied_by(rule, request, why)
            if rule.effect is Effect.ALLOW and matched:
                allows.append(rule)
            elif rule.effect is Effect.ALLOW and not near:
                near = f"{rule.id} ({rule.place}): {why}"
        objections = _standing(request.objections, allows)
        if objections:
            first = objections[0]
            return Decision(
                request, Effect.DENY, (f"builtin:{first.code}",), first.code, first.detail
            )
        return self._without_objection(request, allows, near)

    def _without_objection(self, request: Request, allows: list[Rule], near: str) -> Decision:
        if request.action is Action.LAMBDA:
            return Decision(request, Effect.DENY, ("builtin:lambda",), LAMBDA, "code in the file")
        if request.action is Action.DECODE:
            return Decision(request, Effect.ALLOW, ("builtin:value-encoding",), "", "")
        if allows:
            ids = tuple(rule.id for rule in allows)
            return Decision(request, Effect.ALLOW, ids, "", allows[0].reason, allows[0].place)
        own = request.origin is Origin.CALLER
        if own and self.policy.caller_objects is CallerObjects.ALLOW:
            return Decision(
                request, Effect.ALLOW, ("builtin:caller-objects",), "", "the program's own object"
            )
        reason = _default_reason(request)
        return Decision(request, Effect.DENY, ("builtin:default",), DEFAULT_DENY, reason, near=near)

    def _denied_by(self, rule: Rule, request: Request, why: str) -> Decision:
        reason = rule.reason or f"denied by rule {rule.id}"
        if why:
            reason = f"{reason} ({why})"
        return Decision(request, Effect.DENY, (rule.id,), DENY_RULE, reason, rule.place)

    def _for_symbol(self, symbol: str) -> tuple[Rule, ...]:
        found = self._candidates.get(symbol)
        if found is None:
            wide = [rule for rule in self._wide if _names_match(rule, symbol)]
            found = (*self._exact.get(symbol, ()), *wide)
            self._candidates[symbol] = found
        return found


def _names_match(rule: Rule, symbol: str) -> bool:
    if not rule.symbols and not rule.registered:
        return True
    return any(symbol_matches(pattern, symbol) for pattern in rule.symbols) or any(
        registered_matches(pattern, symbol) for pattern in rule.registered
    )


def _evaluate(rule: Rule, request: Request) -> tuple[bool | None, str]:
    """Whether a rule whose names fit matches; None where evaluating it failed."""
    if rule.effect is Effect.ALLOW and not _may_allow(rule, request):
        return False, "it is for Keras's own symbols, and this is not one that is known"
    if rule.kinds and request.kind not in rule.kinds:
        return False, f"it is for {_list(rule.kinds)}"
    if rule.fields and request.field not in rule.fields:
        return (
            False,
            f"it is for the fields {_list(rule.fields)}, and this one holds {request.field}",
        )
    try:
        for constraint in rule.arguments:
            if not holds(constraint, request.arguments or {}):
                return False, f"its condition on the argument {constraint.argument!r} does not hold"
    except Exception as error:  # noqa: BLE001 - whatever fails in a deny is a deny
        return None, f"its conditions could not be evaluated: {type(error).__name__}"
    return True, ""


def _may_allow(rule: Rule, request: Request) -> bool:
    """Whether an allow rule may let in something that is not Keras's, as the catalogue has it.

    It must name it. And a text in a file that merely reads like a name of Keras's, or a
    name there that the catalogue does not know, is never let in by a pattern.
    """
    if request.origin in (Origin.KERAS, Origin.LEGACY):
        return True
    if not (rule.symbols or rule.registered):
        return False
    return request.origin is Origin.CALLER or request.symbol.partition(".")[0] not in _KERAS


def _standing(objections: tuple[Objection, ...], allows: list[Rule]) -> list[Objection]:
    """The objections that no matching allow rule lifts."""
    lifted = {c.argument for rule in allows for c in rule.arguments if c.path}
    return [o for o in objections if o.code != _PATH or o.argument not in lifted]


def _default_reason(request: Request) -> str:
    if request.origin is Origin.UNKNOWN:
        return f"{request.symbol!r} is not known, and no rule allows it"
    return f"no rule allows {request.symbol}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
