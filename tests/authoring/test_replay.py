"""A decision is made again from its record, or it is said what the record does not hold."""

from __future__ import annotations

import json
from datetime import date

import pytest
from plan.plans import BLOCK, layer, node, plan
from policy.rules import allow, deny, policy

from secure_serial.artifact.document import Format
from secure_serial.audit.log import encode
from secure_serial.audit.record import decision_record
from secure_serial.authoring.replay import replay
from secure_serial.errors import MalformedArtifact
from secure_serial.plan.owner import Owner
from secure_serial.policy.engine import decide
from secure_serial.policy.source import load_policy, parse_policy

TODAY = date(2026, 11, 22)
DENSE = "keras.layers.Dense"
OPEN = policy(allow("keras.**"), allow("acme>*", id="b"))


def record(tree, rules, *callers, file_sha256=None, today=TODAY):
    verdict = decide(plan(tree, *callers), rules, today=today, file_sha256=file_sha256)
    made = decision_record(verdict, load="1", time="2026-11-22T12:00:00.000Z", action="load")
    return json.loads(encode(made))


def changes(found):
    return [(d.request.symbol, d.was.effect, d.now.effect if d.now else None) for d in found]


def test_under_the_same_policy_nothing_differs():
    tree = [layer("Dense", units=3), node("os", "system"), {"class_name": "__lambda__"}]
    for name in ("keras-core", "strict"):
        rules = load_policy(name)
        assert replay(record(tree, rules), rules) == ()


def test_under_another_policy_it_is_said_what_becomes_of_each():
    tree = [layer("Dense", units=3), node("keras.losses", "Hinge")]
    (difference,) = replay(record(tree, OPEN), policy(allow("keras.**"), deny(DENSE)))
    assert changes([difference]) == [(DENSE, "allow", "deny")]
    assert (difference.request.pointer, difference.now.code) == ("/0", "SS302")
    assert difference.now.rules == {"d"}
    assert difference.why == "denied by rule d"
    assert changes(replay(record(tree, policy()), OPEN)) == [
        (DENSE, "deny", "allow"),
        ("keras.losses.Hinge", "deny", "allow"),
    ]


def test_another_rule_that_does_the_same_is_a_difference():
    (difference,) = replay(record(layer("Dense"), OPEN), policy(allow(DENSE, id="other")))
    assert (difference.was.rules, difference.now.rules) == ({"a"}, {"other"})


@pytest.mark.parametrize(
    "rule",
    [
        "arguments.units = { max = 3 }",
        'arguments.activation = { symbol = ["keras.activations.relu"] }',
        f'sha256 = ["{"0" * 64}"]',
        f'sha256 = ["{"9" * 64}"]',
        'formats = ["dict"]',
        'from = "keras>=3.15"',
        "allocation = { min = 12, max = 12 }",
        'kinds = ["layer"]',
        'fields = ["root"]',
    ],
)
def test_all_that_a_rule_looks_at_is_recorded(rule):
    rules = policy(allow(DENSE, rule), allow("keras.activations.*", id="b"))
    found = record(layer("Dense", units=3, activation="relu"), rules, file_sha256="9" * 64)
    assert found["effect"] == "allow"
    assert replay(found, rules) == ()
    assert replay(found, policy())  # it would differ if what is recorded were not looked at


def test_objections_and_what_lifted_them_are_recorded():
    symbol = "keras.layers.StringLookup"
    rules = policy(allow(symbol, "arguments.vocabulary = { path = true }"))
    found = record(layer("StringLookup", vocabulary="/words"), rules)
    assert found["effect"] == "allow"
    assert replay(found, rules) == ()
    (difference,) = replay(found, policy(allow(symbol)))
    assert difference.now.code == "SS320"


def test_the_day_of_the_decision_counts_and_not_today():
    waiver = f'[[waiver]]\nid = "w"\nwho = "a"\nreason = "r"\nexpires = 2020-01-02\nsymbols = ["{DENSE}"]'
    rules = policy(waiver)
    found = record(layer("Dense"), rules, today=date(2020, 1, 2))
    assert found["effect"] == "allow"
    assert replay(found, rules) == ()
    assert changes(replay({**found, "today": "2020-01-03"}, rules)) == [(DENSE, "allow", "deny")]
    assert changes(replay({**found, "today": None}, rules)) == [(DENSE, "allow", "deny")]


def test_a_record_without_a_day_was_made_when_it_was_written():
    rules = parse_policy('schema = 1\nmode = "report"\nreport_until = 2026-11-22', "p.toml")
    found = record(layer("Dense"), rules)
    del found["today"]
    assert replay(found, rules) == ()
    assert replay({**found, "time": "2026-11-23T00:00:00.000Z"}, rules)


def test_an_argument_that_nobody_recorded_cannot_be_told():
    found = record(layer("Dense", units=3), OPEN)
    (difference,) = replay(found, policy(allow(DENSE, "arguments.units = { max = 9 }")))
    assert difference.now is None
    assert difference.why == "the record does not hold the argument 'units' in full"


def test_an_argument_that_the_file_left_out_is_known_to_the_policy_that_looked_for_it():
    rules = policy(allow(DENSE, "arguments.units = { max = 9 }"))
    found = record(layer("Dense"), rules)
    assert replay(found, rules) == ()
    other = policy(allow(DENSE, "arguments.units = { max = 8 }"))
    found["decisions"][0].pop("looked_at", None)
    assert replay(found, other)[0].now is None
    found["decisions"][0]["looked_at"] = ["units"]
    assert replay(found, other) == ()


def test_an_argument_that_was_too_long_to_record_cannot_be_told():
    symbol = "keras.layers.StringLookup"
    rules = policy(allow(symbol, "arguments.vocabulary = { max_length = 5000 }"))
    found = record(layer("StringLookup", vocabulary=["word"] * 4000), rules)
    assert found["effect"] == "allow"
    assert [difference.now for difference in replay(found, rules)] == [None]
    short = record(layer("StringLookup", vocabulary={"sha256": "x", "b": 1}), rules)
    assert replay(short, rules) == ()
    assert replay(record(layer("StringLookup", vocabulary={"sha256": "x"}), rules), rules) == ()


def test_an_owner_is_recorded():
    own = BLOCK._replace(owner=Owner("acme", "1.5", "s"))
    rules = policy(allow("acme>*", 'from = "acme>=1"'))
    found = record(node(None, "Block", {}, "acme>Block"), rules, own)
    assert found["effect"] == "allow"
    assert replay(found, rules) == ()
    found["decisions"][0]["owner"][1] = "0.9"
    assert changes(replay(found, rules)) == [("acme>Block", "allow", "deny")]
    found["decisions"][0]["owner"] = ["too", "many", "of", "them"]
    with pytest.raises(MalformedArtifact):
        replay(found, rules)


def test_a_name_that_a_program_resolved_is_of_no_file():
    found = record(layer("Dense"), OPEN)
    found["event"] = "resolution"
    del found["subject"]
    assert replay(found, OPEN) == ()
    (difference,) = replay(found, policy(allow(DENSE), deny(DENSE, 'formats = ["h5"]')))
    assert "the format is not known" in difference.why


@pytest.mark.parametrize(
    "change",
    [
        {"event": "outcome"},
        {"event": []},
        {"decisions": None},
        {"decisions": [{}]},
        {"decisions": [None]},
        {"today": "soon"},
        {"today": 7},
        {"subject": {}},
        {"subject": []},
        {"layers": [1]},
        {"time": None, "today": "x"},
    ],
)
def test_what_is_no_record_is_refused(change):
    good = record(layer("Dense"), OPEN)
    assert replay(good, OPEN) == ()
    with pytest.raises(MalformedArtifact, match="no record of decisions"):
        replay({**good, **change}, OPEN)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "nothing"), ("field", []), ("origin", None), ("action", "x"), ("rules", 1), ("rules", [[]]),
        ("objections", [{}]), ("allocation", float("inf")), ("effects", 3),
        ("arguments", 1),
    ],
)  # fmt: skip
def test_what_is_no_decision_is_refused(key, value):
    rules = policy(allow(DENSE, "arguments.units = { max = 9 }"))
    found = record(layer("Dense"), rules)
    found["decisions"][0][key] = value
    with pytest.raises(MalformedArtifact, match="no record of decisions"):
        replay(found, rules)


@pytest.mark.parametrize("record", [{}, [], None, "text", {"event": "decision"}])
def test_any_other_value_is_refused(record):
    with pytest.raises(MalformedArtifact):
        replay(record, OPEN)


def test_the_formats_of_records_are_those_of_documents():
    for format_ in Format:
        found = record(layer("Dense"), OPEN)
        found["subject"]["format"] = format_.value
        assert replay(found, OPEN) == ()
