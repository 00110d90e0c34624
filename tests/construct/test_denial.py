"""What a refused load says of the rule or the waiver that came nearest; it says what `scan` says."""

from __future__ import annotations

from datetime import date

import pytest
from plan.plans import layer, node, plan
from policy.rules import allow, deny, policy, verdict

from secure_serial.authoring.explain import explain
from secure_serial.authoring.explain_text import as_object, render
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


def test_a_waiver_on_something_else_is_not_near():
    other = waiver("2026-11-01").replace("Dense", "LSTM")
    said, _ = both(policy(SMALL, other), date(2026, 11, 22))
    assert said == NEAREST


def test_where_nothing_is_near_the_lines_that_allow_it_are_shown():
    assert "put this into p.toml:\n[[allow]]" in denial(verdict(DENSE, policy())).help


def test_a_deny_rule_is_answered_with_nothing_that_is_near():
    rules = policy(SMALL, '[[deny]]\nid = "d"\nsymbols = ["keras.layers.Dense"]\n')
    assert denial(verdict(DENSE, rules)).help == ""


BLOCK = node("acme.layers", "Block", {}, "acme>Block")


@pytest.mark.parametrize("path", ["acme.layers.Block", "acme.layers.*"])
def test_a_rule_on_the_dotted_path_of_a_registered_class_is_told_by_all(path):
    rules = policy(allow(path))
    said = (
        "The rule a (p.toml:5) names 'acme.layers.Block', and rules know what is registered by "
        'that name alone: registered = ["acme>Block"].'
    )
    found = decide(plan(BLOCK), rules)
    ((finding,), _, _) = Explainer(Engine(rules)).explain(found, "m")
    assert finding.help == said
    assert denial(found).help.startswith(f"{said}\nto allow it, put this into p.toml:\n[[allow]]")
    assert said in render(explain(found))
    assert as_object(explain(found))["explained"][0]["misnamed"] == said


def test_a_rule_on_another_path_is_not_near():
    for rules in (policy(allow("acme.layers.Other")), policy(deny("acme.layers.Block"))):
        assert "names" not in denial(verdict(BLOCK, rules)).help
    unregistered = node("acme.layers", "Other")
    assert "names" not in denial(verdict(unregistered, policy(allow("acme.Block")))).help


def test_a_rule_on_the_same_name_in_other_capitals_is_told():
    found = denial(verdict(BLOCK, policy(allow("acme>block")))).help
    assert found.startswith("The rule a (p.toml:5) names acme>block: mind the capitals.\n")
    assert "capitals" not in denial(verdict(BLOCK, policy(deny("acme>block")))).help


def test_a_name_that_nobody_knows_is_said_to_be_the_programs_to_give():
    found = decide(
        plan(layer("Lambda", function="yolo_head")), policy(allow("keras.layers.Lambda"))
    )
    names = [each for each in found.denied if each.request.symbol == "yolo_head"]
    assert names
    assert "pass it as a custom object" in denial(found).help
