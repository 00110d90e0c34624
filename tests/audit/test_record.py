"""What the records say, key by key."""

from __future__ import annotations

from plan.plans import layer, node, plan
from policy.rules import allow, policy

from secure_serial.audit.log import encode
from secure_serial.audit.record import decision_record, outcome_record
from secure_serial.limits import Limits
from secure_serial.policy.engine import decide


def record(tree, rules, **options):
    verdict = decide(plan(tree, **options), rules)
    return decision_record(verdict, load="7", time="t", file_sha256="f", action="load")


def test_a_decision_record_says_what_was_decided_on_by_what_and_how():
    rules = policy(allow("keras.layers.Dense"))
    dense = layer("Dense", units=1)
    found = record(dense, rules)
    assert found == {
        "schema": 1, "event": "decision", "load": "7", "time": "t", "action": "load",
        "subject": {"name": "<test>", "format": "dict", "judged_sha256": "0" * 64, "file_sha256": "f", "size": 0},
        "policy": {"name": "p", "version": 1, "sha256": rules.sha256},
        "effect": "allow",
        "decisions": [{
            "member": "", "pointer": "", "field": "root", "action": "construct", "symbol": "keras.layers.Dense",
            "origin": "keras", "effect": "allow", "rules": ["a"],
        }],
        "objections": [],
    }  # fmt: skip


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
