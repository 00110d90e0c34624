"""What a refused load says of the rule or the waiver that came nearest; it says what `scan` says."""

from __future__ import annotations

from datetime import date

import pytest
from plan.plans import layer, plan
from policy.rules import allow, policy, verdict

from secure_serial.construct.denial import denial
from secure_serial.policy.engine import Engine, decide
from secure_serial.scanner.findings import Explainer

DENSE = layer("Dense", units=9)
SMALL = allow("keras.layers.Dense", "arguments.units = { max = 4 }")
NEAREST = "The nearest rule is a (p.toml:5): its condition on the argument 'units' does not hold."


def waiver(expires):
    return (
        f'[[waiver]]\nid = "w"\nwho = "J. Doe"\nreason = "r"\nexpires = {expires}\n'
        'symbols = ["keras.layers.Dense"]\n'
    )


def both(rules, today=None):
    """What a load says, and what a scan says."""
    found = decide(plan(DENSE), rules, today=today)
    ((finding,), _, _) = Explainer(Engine(rules, today)).explain(found, "m")
    return denial(found).help, finding.help


def test_the_nearest_rule_is_named_with_its_place_and_why_it_does_not_hold():
    assert both(policy(SMALL)) == (NEAREST, NEAREST)


@pytest.mark.parametrize(
    ("expires", "today", "why"),
    [
        ("2026-11-01", date(2026, 11, 22), "ended on 2026-11-01."),
        ("2028-01-01", date(2026, 11, 22),
         "does not count: it ends on 2028-01-01, and may run for 366 days."),
        ("2026-11-01", None, "does not count: it ends on 2026-11-01, and may run for 366 days."),
    ],
)  # fmt: skip
def test_a_waiver_that_is_not_in_force_is_no_rule_and_says_why(expires, today, why):
    said = f"The waiver w (p.toml:5) of J. Doe {why}"
    assert both(policy(waiver(expires)), today) == (said, said)


def test_where_nothing_is_near_the_lines_that_allow_it_are_shown():
    assert "put this into p.toml:\n[[allow]]" in denial(verdict(DENSE, policy())).help


def test_a_deny_rule_is_answered_with_nothing_that_is_near():
    rules = policy(SMALL, '[[deny]]\nid = "d"\nsymbols = ["keras.layers.Dense"]\n')
    assert denial(verdict(DENSE, rules)).help == ""
