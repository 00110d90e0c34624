"""Bounds on arguments of own classes: whether anything shows that the class takes them.

An argument that is not given satisfies every condition, so a bound under a misspelled name
lets everything in, and nothing says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.authoring.known import head
from secure_serial.policy.conditions import KERAS, named
from secure_serial.policy.model import Constraint, Effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.authoring.check_models import Met
    from secure_serial.authoring.checked import Checked
    from secure_serial.authoring.finding import Finding
    from secure_serial.authoring.known import Known


def check_arguments(checked: Checked, known: Known, met: Met | None) -> Iterator[Finding]:
    """Conditions of allow rules on arguments that no model gives, or nobody knows of.

    Args:
        checked: The policy.
        known: Catalogues; what these say that a class does not take is another finding.
        met: What was met in the models that the policy is for, if any were given.

    """
    for rule, path in checked.rules:
        patterns = [p for p in (*rule.symbols, *rule.registered) if _is_own(p)]
        if rule.effect is Effect.DENY or not patterns:
            continue
        given = met.given if met is not None else {}
        models = [given[symbol] for symbol in given if named(patterns, symbol)]
        for constraint in rule.arguments:
            if constraint == Constraint(constraint.argument, path=True):
                continue  # it bounds nothing
            name = constraint.argument.partition(".")[0]
            if any(name in arguments for arguments in models):
                continue
            here = (*path, "arguments", constraint.argument)
            if models:
                text = f"{rule.id}: no model gives {name!r:.80} to what it names"
                yield checked.say(here, "argument-not-given", text)
            elif _untold(name, patterns, known):
                text = f"{rule.id}: nothing says that what it names takes {name!r:.80}"
                yield checked.say(here, "unverified-argument", text)


def _untold(name: str, patterns: list[str], known: Known) -> bool:
    """Whether no catalogue tells if what is named takes an argument."""
    meant = known.all_meant(patterns)
    entries = [known.entry(symbol) for symbol in meant or ()]
    told = [known.takes(entry, name) for entry in entries if entry is not None]
    return not any(takes is not None for takes in told) and meant != []


def _is_own(pattern: str) -> bool:
    return head(pattern) not in KERAS
