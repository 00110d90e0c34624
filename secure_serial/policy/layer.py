"""One layer's word on a request: what it denies outright, and whether it lets it pass. Pure."""

from __future__ import annotations

from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.plan.request import Action, Objection, Origin, Request
from secure_serial.policy.conditions import (
    Context,
    UnknownFactError,
    by_names,
    feigned,
    mismatch,
    named,
    poses,
)
from secure_serial.policy.index import Index
from secure_serial.policy.model import CallerObjects, Effect, Lambdas, Mode, Policy, Rule, Waiver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

DEFAULT_DENY = "SS301"
LAMBDA = "SS303"
#: The objection that an allow rule may lift for a named argument.
_PATH = "SS320"
#: Members of an enumeration take long to look up in Python 3.11, and this is asked often.
_ALLOW = Effect.ALLOW
#: The layer that does nothing but call its function, on which there is a decision of its own.
SHELL = "keras.layers.Lambda"
_LAMBDA, _DECODE, _CALLER = Action.LAMBDA, Action.DECODE, Origin.CALLER
#: More symbols than any real models name; a hostile one must not fill the memory.
_REMEMBERED = 20_000


class Opinion(NamedTuple):
    """Whether a layer lets a request pass, by what, or for want of what."""

    passes: bool
    rules: tuple[str, ...]
    code: str = ""
    reason: str = ""
    place: str = ""
    near: str = ""  # an allow rule that names the symbol and yet does not match, and why
    faults: frozenset[str] = frozenset()  # every code that a waiver would have to lift


class About(NamedTuple):
    """What a layer says of one symbol."""

    denies: Sequence[Rule] = ()
    allows: Sequence[Rule] = ()
    waivers: Sequence[Waiver] = ()
    conditions: bool = False  # whether a rule has any beside names
    by_names_alone: bool = True  # whether all hangs on what the engine remembers by

    def arguments(self) -> set[str]:
        """The arguments that its rules have conditions on."""
        rules = (*self.denies, *self.allows)
        return {each.argument.partition(".")[0] for rule in rules for each in rule.arguments}


_NOTHING = About()
_ID = attrgetter("id")


class Layer:
    """One policy of a stack, its rules indexed by symbol. No other state than look-ups.

    Args:
        policy: What it says.
        today: The day on which it is asked; None where nobody knows: what ends on a day
            has then ended.
        top: Whether it is the first of its stack.

    """

    def __init__(self, policy: Policy, today: date | None, *, top: bool) -> None:
        self.policy = policy
        self._today = today
        self._rules: Index[tuple[Rule, bool]] = Index()
        self._waivers: Index[Waiver] = Index()
        for rule in policy.rules:
            self._rules.add((rule, rule.on_names_alone), rule.symbols, rule.registered)
        for waiver in policy.waivers:
            self._waivers.add(waiver, waiver.symbols, waiver.registered)
        until = policy.report_until
        self._reports = (
            top
            and policy.mode is Mode.REPORT
            and until is not None
            and today is not None
            and today <= until
        )
        self._about: dict[str, About] = {}
        self._approves = any(r.lambdas for r in policy.rules if r.effect is _ALLOW)

    def about(self, symbol: str) -> About:
        """Everything that it says of a symbol, looked up once."""
        known = self._about.get(symbol)
        if known is None:
            if len(self._about) >= _REMEMBERED:
                self._about.clear()
            known = self._about[symbol] = self._look_up(symbol)
        return known

    def _look_up(self, symbol: str) -> About:
        rules = self._rules.find(symbol)
        waivers = self._waivers.find(symbol) if self.policy.waivers else ()
        if not rules and not waivers:
            return _NOTHING
        allows: list[Rule] = []
        denies: list[Rule] = []
        conditions = False
        for rule, on_names_alone in rules:
            (allows if rule.effect is _ALLOW else denies).append(rule)
            conditions = conditions or not on_names_alone
        hangs_on_more = conditions or (waivers and any(waiver.sha256 for waiver in waivers))
        return About(denies, allows, waivers, conditions, not hangs_on_more)

    def denials(
        self, about: About, request: Request, context: Context
    ) -> Sequence[tuple[Rule, str]]:
        """The deny rules that mean a request, and what failed while each was evaluated."""
        found: list[tuple[Rule, str]] = []
        for rule in about.denies:
            try:
                if not mismatch(rule, request, context):
                    found.append((rule, ""))
            except Exception as error:  # noqa: BLE001 - what fails in a deny is a deny
                found.append((rule, _failed(error)))
        return found

    def opinion(self, about: About, request: Request, context: Context) -> Opinion:
        """Whether it lets a request pass that no deny rule means."""
        allows, near = self._allowing(about, request, context)
        standing = _standing(request.objections, allows) if request.objections else ()
        grounds = self._grounds(request, allows)
        if grounds is not None and not standing:
            return grounds
        missing = LAMBDA if request.action is _LAMBDA else DEFAULT_DENY
        faults = {o.code for o in standing} | (set() if grounds else {missing})
        runs = self.policy.lambdas is Lambdas.SANDBOX
        if grounds is None and missing == LAMBDA and not (runs and standing):
            said = [objection.detail for objection in standing if objection.code == LAMBDA]
            return _refusal(LAMBDA, [*said, "code in the file"][0], "builtin:lambda", faults)
        if standing:
            first = standing[0]
            return _refusal(first.code, first.detail, f"builtin:{first.code}", faults)
        return _refusal(DEFAULT_DENY, _default_reason(request), "builtin:default", faults, near)

    def _grounds(self, request: Request, allows: list[Rule]) -> Opinion | None:
        """What lets a request pass if nothing is wrong with it; None where nothing does."""
        if request.action is _DECODE:
            return Opinion(passes=True, rules=("builtin:value-encoding",))
        if allows:
            first = allows[0]
            rules = (first.id,) if len(allows) == 1 else tuple(map(_ID, allows))
            return Opinion(True, rules, "", first.reason, first.place)  # noqa: FBT003 - a field
        if self._runs(request):
            return Opinion(passes=True, rules=("builtin:sandbox",), reason="it runs restricted")
        own = request.origin is _CALLER and request.action is not _LAMBDA
        if own and self.policy.caller_objects is CallerObjects.ALLOW:
            reason = "the program's own object"
            return Opinion(passes=True, rules=("builtin:caller-objects",), reason=reason)
        return None

    def _runs(self, request: Request) -> bool:
        """Whether it is a function in the file that was read, or Keras's shell round one."""
        if request.action is _LAMBDA:
            return self.policy.lambdas is Lambdas.SANDBOX and request.digest != ""
        shell = request.symbol == SHELL and request.origin is Origin.KERAS
        return shell and (self.policy.lambdas is Lambdas.SANDBOX or self._approves)

    def forbids(self, request: Request) -> bool:
        """Whether the file's own word denies what the layers above it let pass."""
        said = self.policy.said
        if request.action is _LAMBDA:
            return "lambda" in said and self.policy.lambdas is Lambdas.DENY
        listed = self.policy.caller_objects is CallerObjects.LISTED
        return request.origin is _CALLER and listed and "caller_objects" in said

    def delegates(self, symbol: str) -> bool:
        """Whether the layer below may allow this symbol by itself."""
        return named(self.policy.delegate, symbol)

    def reports(self, request: Request, opinion: Opinion) -> bool:
        """Whether what no rule allows is let pass, for the time of an introduction.

        Only what computes: nothing that reads files, fetches or executes, no code, nothing of
        Python's own modules, and no name that merely looks like one of Keras's.
        """
        lacks_a_rule = opinion.faults == {DEFAULT_DENY}
        return self._reports and lacks_a_rule and not request.effects and not poses(request)

    def waivers(
        self, request: Request, context: Context, faults: frozenset[str]
    ) -> Iterator[Waiver]:
        """The waivers that would lift all these faults, in force or not.

        No name is made Keras's by one.
        """
        for waiver in () if feigned(request) else self.about(request.symbol).waivers:
            if waiver.sha256 and not waiver.sha256 & context.digests:
                continue
            if faults <= waiver.codes:
                yield waiver

    def in_force(self, waiver: Waiver, max_days: int) -> bool:
        """Whether a waiver has not ended, and does not reach too far ahead."""
        today = self._today
        return today is not None and timedelta() <= waiver.expires - today <= timedelta(max_days)

    def _allowing(self, about: About, request: Request, context: Context) -> tuple[list[Rule], str]:
        allows: list[Rule] = []
        near = ""
        for rule in about.allows:
            try:
                if about.conditions:
                    why = mismatch(rule, request, context)
                else:
                    why = by_names(rule, request)
                if not why and self.policy.require_evidence:
                    why = _unvetted(rule, request)
            except Exception as error:  # noqa: BLE001 - what fails in an allow allows nothing
                why = _failed(error)
            if not why:
                allows.append(rule)
            elif not near:
                near = f"{rule.id} ({rule.place}): {why}"
        return allows, near


def _unvetted(rule: Rule, request: Request) -> str:
    """Why a rule does not count where evidence is required; empty where it does."""
    if request.origin in (Origin.KERAS, Origin.LEGACY):
        return ""
    if rule.evidence is None:
        return "the policy requires evidence, and it has none"
    source = request.owner.source_sha256 if request.owner is not None else ""
    if request.origin is _CALLER and source != rule.evidence.source_sha256:
        return "its evidence is of another source than what is installed"
    return ""


def _refusal(code: str, reason: str, rule: str, faults: set[str], near: str = "") -> Opinion:
    return Opinion(
        passes=False, rules=(rule,), code=code, reason=reason, near=near, faults=frozenset(faults)
    )


def _standing(objections: tuple[Objection, ...], allows: list[Rule]) -> list[Objection]:
    """The objections that no matching allow rule lifts."""
    paths = {c.argument for rule in allows for c in rule.arguments if c.path}
    return [
        objection
        for objection in objections
        if not (objection.code == _PATH and objection.argument in paths)
    ]


def _failed(error: Exception) -> str:
    known = str(error) if isinstance(error, UnknownFactError) else type(error).__name__
    return f"its conditions could not be evaluated: {known}"


def _default_reason(request: Request) -> str:
    if request.origin is Origin.UNKNOWN:
        return f"{request.symbol!r} is not known, and no rule allows it"
    return f"no rule allows {request.symbol}"
