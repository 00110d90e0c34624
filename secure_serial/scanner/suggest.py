"""The policy lines that would allow a denied request, tried out before they are offered.

A user pastes what is printed here, and names in it come from the file. So lines are offered
only where a policy with them in it, and no other change, allows exactly that request.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from secure_serial.errors import PolicyError
from secure_serial.plan.request import Origin
from secure_serial.policy.engine import DENY_RULE, Engine
from secure_serial.policy.explain import lines_to_allow
from secure_serial.policy.reader import parse
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_serial.plan.request import Objection
    from secure_serial.policy.engine import Decision
    from secure_serial.policy.model import Policy, Rule

#: More than this many different symbols are no oversight in a policy; each costs a trial.
_MOST = 200


class Suggestions:
    """Lines for one policy; remembers what it tried."""

    def __init__(self, policy: Policy, *, shipped: bool) -> None:
        """`shipped`: whether the policy is one that another can extend by its name."""
        self._policy = policy
        self._shipped = shipped
        self._rules: dict[tuple[object, ...], Rule | None] = {}

    def rule(self, decision: Decision) -> Rule | None:
        """The allow rule that would do, or None where none would."""
        request = decision.request
        flaws = tuple((o.code, o.argument) for o in request.objections)
        key = (request.symbol, request.field, decision.code, flaws)
        if key not in self._rules:
            if len(self._rules) >= _MOST:
                return None
            self._rules[key] = self._tried(decision)
        return self._rules[key]

    def lines(self, rules: Iterable[Rule]) -> str:
        """A text to paste that holds all these rules, each symbol once."""
        merged: dict[str, dict[str, None]] = {}
        for rule in rules:
            symbol = (*rule.symbols, *rule.registered)[0]
            arguments = merged.setdefault(symbol, {})
            arguments.update(dict.fromkeys(c.argument for c in rule.arguments if c.path))
        if not merged:
            return ""
        used = {rule.id for rule in self._policy.rules}
        blocks = [_block(symbol, tuple(names), used) for symbol, names in merged.items()]
        return "\n\n".join([self._head(), *blocks])

    def _head(self) -> str:
        if self._shipped:
            return f'schema = 1\nextends = ["{self._policy.source}"]'
        return f"# in {printable(self._policy.source)}:"

    def _tried(self, decision: Decision) -> Rule | None:
        text = lines_to_allow(decision, self._policy)
        if not text or printable(text.replace("\n", ""), None) != text.replace("\n", ""):
            return None
        try:
            # Only the rule matters here, so what it extends may as well be empty.
            rules = parse(text, "suggestion", lambda _: "schema = 1").rules
        except PolicyError:
            return None
        if len(rules) != 1 or (*rules[0].symbols, *rules[0].registered) != (
            decision.request.symbol,
        ):
            return None
        if any(c in decision.request.symbol for c in "*\"'\\"):
            return None
        policy = dataclasses.replace(self._policy, rules=(*self._policy.rules, *rules))
        return rules[0] if Engine(policy).decide(decision.request).allowed else None


def why_not(decision: Decision, objection: Objection | None) -> str:
    """Why no line of a policy is offered for a request."""
    request = decision.request
    if decision.code == DENY_RULE:
        place = f" at {decision.place}" if decision.place else ""
        return f"the deny rule {', '.join(decision.rules)}{place} beats any allow rule"
    if objection is not None:
        return "this is refused whatever the policy allows"
    if request.effects:
        effects = ", ".join(request.effects)
        return f"it can do more than compute ({effects}): write that line by hand"
    if request.origin is Origin.UNKNOWN:
        return (
            "its name tells nobody whose it is: if it is the program's own, register it there "
            "or pass it as a custom object"
        )
    return "no rule can name it exactly"


def _block(symbol: str, arguments: tuple[str, ...], used: set[str]) -> str:
    key = "registered" if ">" in symbol else "symbols"
    lines = ["[[allow]]", f'id = "{_new_id(symbol, used)}"', f'{key} = ["{symbol}"]']
    lines += [f'arguments."{name}" = {{ path = true }}' for name in arguments]
    return "\n".join(lines)


def _new_id(symbol: str, used: set[str]) -> str:
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in symbol.lower()).split()
    base = new = "-".join(["allow", *words])
    number = 2
    while new in used:
        new = f"{base}-{number}"
        number += 1
    used.add(new)
    return new
