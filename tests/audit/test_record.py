"""What the records say, key by key."""

from __future__ import annotations

from datetime import date

import pytest
from plan.plans import layer, node, plan
from policy.rules import allow, policy

from secure_serial.audit.log import encode
from secure_serial.audit.record import decision_record, outcome_record
from secure_serial.limits import Limits
from secure_serial.policy.engine import decide


def record(tree, rules, **options):
    verdict = decide(plan(tree, **options), rules, today=date(2026, 1, 2), file_sha256="f")
    return decision_record(verdict, load="7", time="t", action="load")


def test_a_decision_record_says_what_was_decided_on_by_what_and_how():
    rules = policy(allow("keras.layers.Dense"))
    dense = layer("Dense", units=1)
    found = record(dense, rules)
    assert found == {
        "schema": 1, "event": "decision", "load": "7", "time": "t", "action": "load",
        "subject": {"name": "<test>", "format": "dict", "judged_sha256": "0" * 64, "file_sha256": "f", "size": 0},
        "policy": {"name": "p", "version": 1, "sha256": rules.sha256},
        "layers": [{"source": "p.toml", "version": 1, "sha256": rules.sha256}],
        "today": "2026-01-02", "keras": "3.15.1", "effect": "allow",
        "decisions": [{
            "member": "", "pointer": "", "field": "root", "action": "construct", "symbol": "keras.layers.Dense",
            "kind": "layer", "origin": "keras", "effect": "allow", "rules": ["a"], "layer": "p.toml",
        }],
        "objections": [],
    }  # fmt: skip


def test_a_decision_is_recorded_with_all_that_it_rests_on():
    rules = policy(
        allow(
            "keras.layers.Dense",
            "arguments.units = { max = 9 }\narguments.name = { type = 'string' }",
        )
    )
    (decision,) = record(layer("Dense", units=1, use_bias=True), rules)["decisions"]
    assert decision["arguments"] == {"units": 1}
    (decision,) = record(layer("Dense", units=[1] * 5000), rules)["decisions"]
    assert list(decision["arguments"]["units"]) == ["sha256"]


def test_a_denial_names_the_rule_that_nearly_allowed_it():
    rules = policy(allow("keras.layers.Dense", "arguments.units = { max = 9 }"))
    (decision,) = record(layer("Dense", units=10), rules)["decisions"]
    assert decision["near"].startswith("a (p.toml:5): its condition on the argument 'units'")
    (decision,) = record(layer("Dense", units=9), rules)["decisions"]
    assert "near" not in decision
    (decision,) = record(layer("Dropout", rate=0.5), rules)["decisions"]
    assert "near" not in decision


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2, "a": 3}, (1, 2), ...])
def test_an_argument_that_json_has_not_does_not_break_the_record(value):
    rules = policy(allow("keras.layers.Dense", "arguments.units = { one_of = [1] }"))
    found = record(layer("Dense", units=value), rules)
    assert encode(found)
    assert "units" in found["decisions"][0]["arguments"]


def test_what_a_waiver_lifted_is_recorded_with_who_answers_for_it():
    waiver = '[[waiver]]\nid = "w"\nwho = "ann"\nreason = "old"\nexpires = 2026-02-01\nsymbols = ["acme.Old"]'
    (decision,) = record(node("acme", "Old"), policy(waiver))["decisions"]
    assert (decision["effect"], decision["lifted"], decision["rules"]) == ("allow", "waiver", ["w"])
    assert "ann" in decision["reason"]


def test_a_denial_says_why_and_what_was_written():
    found = record([node("os", "system")], policy())
    assert found["effect"] == "deny"
    (decision,) = found["decisions"]
    assert decision["code"] == "SS301"
    assert decision["written"] == "os.system"
    assert "os.system" in decision["reason"]
    assert decision["pointer"] == "/0"


def test_objections_to_the_whole_are_recorded():
    found = record([layer("Dense"), layer("Dense")], policy(), limits=Limits(layers=1))
    assert [o["code"] for o in found["objections"]] == ["SS331"]
    assert found["effect"] == "deny"


def test_a_record_of_nasty_names_is_one_line():
    tree = {"\n{}": node("a\nb", "c\x00", {}, '"\u202e')}
    assert encode(record(tree, policy())).count(b"\n") == 1


def test_an_outcome_record_says_what_became_of_a_load():
    assert outcome_record(load="7", time="t", outcome="built") == {
        "schema": 1, "event": "outcome", "load": "7", "time": "t", "outcome": "built", "error": "", "refused": [],
    }  # fmt: skip
    refused = {"symbol": "x", "written": "y", "code": "SS340"}
    failed = outcome_record(load="7", time="t", outcome="failed", error="E: m", refused=(refused,))
    assert (failed["error"], failed["refused"]) == ("E: m", [refused])
