"""The exact policy lines that would allow what was denied. Pure; says no where no line can."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from secure_serial.plan.request import Action, Origin
from secure_serial.policy.patterns import problem_with

#: No class of a model lives in the standard library, nor an unknown one in Keras.
_NEVER = sys.stdlib_module_names | {"keras", "tf_keras", "tensorflow", "tf", "numpy"}
#: What a person pastes comes from the file: names that need quoting in TOML are not offered.
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

if TYPE_CHECKING:
    from secure_serial.plan.request import Request
    from secure_serial.policy.engine import Decision
    from secure_serial.policy.model import Policy


def lines_to_allow(decision: Decision, policy: Policy) -> str:
    """A policy that extends this one and allows this request; empty where none can.

    A path in a named argument can be permitted; code, a wrong kind of object, names that
    disagree and what the limits stop cannot. What reads files, fetches or executes is
    never suggested: whoever means it writes the line by hand.
    """
    block = rule_to_allow(decision)
    head = f'schema = 1\nextends = ["{policy.name}"]\n\n'
    return head + block if block else ""


def rule_to_allow(decision: Decision) -> str:
    """The `[[allow]]` table alone, to be added to a policy that there is already."""
    request = decision.request
    permits = [o.argument for o in request.objections if o.code == "SS320" and o.argument]
    hopeless = len(permits) != len(request.objections) or request.action is Action.LAMBDA
    if decision.allowed or decision.code == "SS302" or hopeless or not _may_be_named(request):
        return ""
    if not all(map(_ARGUMENT.fullmatch, permits)):
        return ""
    key = "registered" if ">" in request.symbol else "symbols"
    lines = [
        "[[allow]]",
        f'id = "{_identifier(request.symbol)}"',
        f'{key} = ["{request.symbol}"]',
    ]
    lines += [f'arguments."{name}" = {{ path = true }}' for name in dict.fromkeys(permits)]
    return "\n".join(lines)


def _may_be_named(request: Request) -> bool:
    symbol = request.symbol
    if request.effects or not symbol.isprintable() or any(c in symbol for c in "'\"\\*"):
        return False
    if problem_with(symbol, registered=">" in symbol):
        return False
    head = symbol.partition(".")[0]
    if request.origin in (Origin.KERAS, Origin.LEGACY, Origin.CALLER):
        return True
    return ">" in symbol or ("." in symbol and head not in _NEVER)


def _identifier(symbol: str) -> str:
    return "allow-" + re.sub(r"[^a-z0-9]+", "-", symbol.lower()).strip("-")
