"""The exact policy lines that would allow what was denied. Pure; says no where no line can."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from secure_serial.plan.request import Action, Origin

#: No class of a model lives in the standard library, nor an unknown one in Keras.
_NEVER = sys.stdlib_module_names | {"keras", "tf_keras", "tensorflow", "numpy"}

if TYPE_CHECKING:
    from secure_serial.plan.request import Request
    from secure_serial.policy.engine import Decision
    from secure_serial.policy.model import Policy


def lines_to_allow(decision: Decision, policy: Policy) -> str:
    """TOML that allows this request if it is added to a policy; empty where nothing can.

    A path in a named argument can be permitted; code, a wrong kind of object, names that
    disagree and what the limits stop cannot. What reads files, fetches or executes is
    never suggested: whoever means it writes the line by hand.
    """
    request = decision.request
    permits = [o.argument for o in request.objections if o.code == "SS320" and o.argument]
    hopeless = len(permits) != len(request.objections) or request.action is Action.LAMBDA
    if decision.allowed or decision.code == "SS302" or hopeless or not _may_be_named(request):
        return ""
    key = "registered" if ">" in request.symbol else "symbols"
    lines = [
        "schema = 1",
        f'extends = ["{policy.name}"]',
        "",
        "[[allow]]",
        f'id = "{_identifier(request.symbol)}"',
        f'{key} = ["{request.symbol}"]',
    ]
    lines += [f'arguments."{name}" = {{ path = true }}' for name in dict.fromkeys(permits)]
    return "\n".join(lines)


def _may_be_named(request: Request) -> bool:
    symbol = request.symbol
    if request.effects or "'" in symbol or '"' in symbol or "\\" in symbol:
        return False
    head = symbol.partition(".")[0]
    if request.origin in (Origin.KERAS, Origin.LEGACY, Origin.CALLER):
        return True
    return ">" in symbol or ("." in symbol and head not in _NEVER)


def _identifier(symbol: str) -> str:
    return "allow-" + re.sub(r"[^a-z0-9]+", "-", symbol.lower()).strip("-")
