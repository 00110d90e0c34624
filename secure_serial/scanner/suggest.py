"""The policy lines that would allow a denied request, tried out before they are offered.

A user pastes what is printed here, and names in it come from the file. So lines are offered
only where a policy with them in it, and no other change, allows exactly that request.

Of a stack of layers, each that does not let a request pass needs the lines: they are put into
the file that denied, and where the next one denies, into that, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.data import policy_names
from secure_serial.errors import PolicyError
from secure_serial.plan.request import Origin
from secure_serial.policy.conditions import named
from secure_serial.policy.engine import DENY_RULE, Engine
from secure_serial.policy.explain import UNKNOWN, Offer, offer_for, table, tables
from secure_serial.policy.layer import SHELL
from secure_serial.policy.model import Constraint, Effect
from secure_serial.policy.reader import parse
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from secure_serial.plan.request import Objection
    from secure_serial.policy.conditions import Context
    from secure_serial.policy.engine import Decision
    from secure_serial.policy.model import Policy, Rule

#: More than this many different symbols are no oversight in a policy; each costs a trial.
_MOST = 200


class Suggestion(NamedTuple):
    """What would allow a request, and the layers (by their number) that need it."""

    offer: Offer
    layers: tuple[int, ...]


class Suggestions:
    """Lines for one policy and the layers below it; remembers what it tried."""

    def __init__(self, policy: Policy, today: date | None = None) -> None:
        self._layers = policy.layers
        self._today = today
        self._known: dict[tuple[object, ...], Suggestion | None] = {}

    def suggest(self, decision: Decision, context: Context) -> Suggestion | None:
        """What would allow it, or None where nothing would."""
        request = decision.request
        flaws = tuple((o.code, o.argument) for o in request.objections)
        key = (
            request.symbol, request.digest, request.field, request.origin, decision.code,
            decision.layer, flaws,
        )  # fmt: skip
        if key not in self._known:
            if len(self._known) >= _MOST:
                return None
            self._known[key] = self._tried(decision, context)
        return self._known[key]

    def lines(self, suggestions: Iterable[Suggestion]) -> str:
        """A text to paste that holds all of them, each symbol once for each file."""
        merged: dict[int, dict[Offer, dict[str, None]]] = {}
        for offer, layers in suggestions:
            for number in layers:
                offers = merged.setdefault(number, {})
                offers.setdefault(offer._replace(paths=()), {}).update(dict.fromkeys(offer.paths))
        blocks = []
        for number, offers in sorted(merged.items()):
            layer = self._layers[number]
            used = {rule.id for rule in layer.rules} | {waiver.id for waiver in layer.waivers}
            blocks.append(self._head(layer))
            several = (offer._replace(paths=tuple(paths)) for offer, paths in offers.items())
            blocks.append(tables(several, used))
        return "\n\n".join(blocks)

    def files(self, suggestion: Suggestion) -> list[str]:
        """The files that the lines belong into; a shipped policy is extended by another one."""
        return [self._layers[number].source for number in suggestion.layers]

    def _head(self, layer: Policy) -> str:
        if layer.source not in policy_names():
            return f"# in {printable(layer.source)}:"
        head = f'schema = 1\nextends = ["{layer.source}"]'
        several = len(self._layers) > 1
        return (
            f"# in a policy of your own, in place of {layer.source}:\n{head}" if several else head
        )

    def _demands(self, symbol: str) -> bool:
        """Whether a rule lets it in on conditions, which one without them would undo."""
        return any(
            rule.effect is Effect.ALLOW
            and named((*rule.symbols, *rule.registered), symbol)
            and not rule._replace(arguments=_demanding(rule.arguments)).on_names_alone
            for layer in self._layers
            for rule in layer.rules
        )

    def _tried(self, decision: Decision, context: Context) -> Suggestion | None:
        offer = offer_for(decision)
        rule = rule_of(offer) if offer is not None else None
        if offer is None or rule is None or (offer.paths and self._demands(offer.symbol)):
            return None
        layers = list(self._layers)
        sources = [layer.source for layer in layers]
        added: list[int] = []
        while not decision.allowed:
            numbers = [n for n, s in enumerate(sources) if s == decision.layer and n not in added]
            if not numbers:
                return None
            number = numbers[0]
            added.append(number)
            layers[number] = replace(layers[number], rules=(*layers[number].rules, rule))
            stack = replace(layers[0], below=tuple(layers[1:]))
            decision = Engine(stack, self._today).decide(decision.request, context)
        return Suggestion(offer, tuple(sorted(added)))


def _demanding(arguments: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
    return tuple(c for c in arguments if c._replace(path=False) != Constraint(c.argument))


def rule_of(offer: Offer) -> Rule | None:
    """The rule that the lines of an offer mean; None where they mean anything else.

    >>> rule_of(Offer("acme>Block")).registered
    ('acme>Block',)
    """
    text = table(offer)
    if printable(text.replace("\n", ""), None) != text.replace("\n", ""):
        return None
    try:
        rules = parse(f"schema = 1\n{text}", "suggestion", lambda _: "schema = 1").rules
    except PolicyError:
        return None
    names = [(*rule.symbols, *rule.registered, *rule.lambdas) for rule in rules]
    exact = names == [(offer.symbol,)]
    return rules[0] if exact and not any(c in offer.symbol for c in "*\"'\\") else None


def why_not(decision: Decision, objection: Objection | None) -> str:
    """Why no line of a policy is offered for a request."""
    request = decision.request
    if decision.code == DENY_RULE:
        place = f" at {decision.place}" if decision.place else ""
        return f"the deny rule {', '.join(decision.rules)}{place} beats any allow rule"
    if decision.near:
        return f"a rule names it and demands more, {decision.near}"
    if objection is not None:
        return "this is refused whatever the policy allows"
    if request.symbol == SHELL:
        passes = "it passes with the function that it holds (deserializes-code)"
        return f"{passes}, where a policy lets that"
    if request.effects:
        effects = ", ".join(request.effects)
        return f"it can do more than compute ({effects}): write that line by hand"
    if request.origin is Origin.UNKNOWN:
        return UNKNOWN
    return "no rule can name it exactly"
