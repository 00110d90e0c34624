"""A difference names what changes, with a request that shows it and the lines behind it."""

from __future__ import annotations

import dataclasses
import json
from random import Random
from types import SimpleNamespace

import pytest
from authoring import pairs
from authoring.pairs import TODAY
from hypothesis import given, settings
from hypothesis import strategies as st
from plan.plans import layer, node, sequential

from secure_serial.authoring.diff import compare
from secure_serial.authoring.diff_text import as_object, render
from secure_serial.cli.console import Console
from secure_serial.cli.exits import Exit
from secure_serial.cli.policy_explain import run_diff
from secure_serial.data import catalogue, policy_text
from secure_serial.errors import PolicyError, UntrustedPolicy
from secure_serial.plan.request import Origin
from secure_serial.policy.engine import Engine
from secure_serial.policy.signing import sign_policy
from secure_serial.policy.source import load_policy, parse_policy

EXTENDS = 'extends = ["keras-core"]'


def policy(text="", name="p.toml"):
    return parse_policy(f"schema = 1\n{text}", name)


def allow(more="", symbol="acme.Block", id="a"):
    key = "registered" if ">" in symbol else "symbols"
    return f'[[allow]]\nid = "{id}"\n{key} = ["{symbol}"]\n{more}\n'


def deny(more="", symbol="acme.Block", id="d"):
    return allow(more, symbol, id).replace("[[allow]]", "[[deny]]")


def diff(old, new, **options):
    old, new = (each if not isinstance(each, str) else policy(each) for each in (old, new))
    return compare(old, new, catalogue=catalogue(), today=TODAY, **options)


def shown(changes):
    return {(change.symbol, *change.witness.told) for change in changes}


@pytest.mark.parametrize("name", ["keras-core", "strict"])
def test_nothing_changes_from_a_policy_to_itself(name):
    same = diff(load_policy(name), load_policy(name))
    assert not same.changes
    assert not same.settings
    assert not same.widens


def test_every_symbol_that_a_pattern_of_keras_means_is_named():
    found = diff("", allow(symbol="keras.losses.*"))
    known = {
        s for s in catalogue().symbols() if s.startswith("keras.losses.") and s.count(".") == 2
    }
    assert len(known) > 20
    assert {c.symbol for c in found.allowed if c.after.request.origin is Origin.KERAS} == known
    assert {c.symbol for c in diff(allow(symbol="keras.losses.*"), "").denied} >= known


def test_what_stands_nowhere_is_named_with_what_it_can_do():
    (change,) = diff("", allow(symbol="keras.utils.get_file")).allowed
    assert "fetches" in change.after.request.effects
    assert "it can do more than compute: fetches" in render(
        diff("", allow(symbol="keras.utils.get_file"))
    )


SHA = "a" * 64
EDGES = [
    ("arguments.n = { max = 8 }", "arguments.n = { max = 9 }", "n = 9"),
    ("arguments.n = { min = 2 }", "arguments.n = { min = 1 }", "n = 1"),
    ("arguments.n = { max_length = 1 }", "arguments.n = { max_length = 2 }", 'n = "xx"'),
    ('arguments.n = { one_of = ["a"] }', 'arguments.n = { one_of = ["a", "b"] }', 'n = "b"'),
    ('arguments.n = { type = "integer" }', 'arguments.n = { type = "string" }', 'n = "text"'),
    ('arguments."n.m" = { max = 8 }', 'arguments."n.m" = { max = 9 }', "n.m = 9"),
    ('arguments."n.m" = { max = 8 }', "", "n.m = 9"),
    ("", "arguments.n = { path = true }", "with a path in 'n'"),
    ('arguments.n = { symbol = "acme.A" }', 'arguments.n = { symbol = "acme.*" }',
     "n = an object acme.Anything"),
    ("allocation = { max = 8 }", "allocation = { max = 9 }", "allocating 9 bytes"),
    ('from = "acme>=2"', 'from = "acme>=1"', "of acme 1"),
    ('formats = ["keras"]', 'formats = ["keras", "h5"]', "in a file of the format h5"),
    (f'sha256 = ["{"b" * 64}"]', f'sha256 = ["{SHA}"]', f"in the artefact {SHA}"),
    ('fields = ["layer"]', 'fields = ["layer", "loss"]', "in the field loss"),
    ('kinds = ["layer"]', 'kinds = ["layer", "loss"]', "of the kind loss"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), EDGES)
def test_the_edge_of_each_condition_is_tried(old, new, told):
    found = diff(allow(old), allow(new))
    assert any(told in change.witness.told for change in found.allowed), shown(found.allowed)
    back = diff(allow(new), allow(old))
    assert any(told in change.witness.told for change in back.denied)
    assert found.widens


def test_edges_of_two_conditions_are_tried_together():
    old = allow("arguments.n = { max = 3 }", id="a") + allow("arguments.m = { max = 3 }", id="b")
    new = allow("arguments.n = { max = 4 }\narguments.m = { max = 4 }")
    assert ("acme.Block", "n = 4", "m = 4") in shown(diff(old, new).allowed)


def test_a_lambda_is_tried_by_its_digest():
    table = f'[[allow]]\nid = "l"\nlambdas = ["{SHA}"]'
    change, layer = sorted(diff("", table).allowed, key=lambda each: each.symbol)
    assert change.symbol == "__lambda__"
    assert layer.symbol == "keras.layers.Lambda"  # it passes with what it holds
    assert SHA in change.witness.told[0]


def test_a_stranger_that_nobody_named_stands_for_the_programs_own():
    found = diff('caller_objects = "listed"', 'caller_objects = "allow"')
    assert {change.after.request.origin for change in found.allowed} == {Origin.CALLER}
    assert "any registered name that no policy has (the program's own)" in render(found)


def test_a_package_of_ones_own_is_tried_by_its_catalogue():
    known = catalogue().with_extra({
        "schema": 1, "distribution": "acme", "version": "1",
        "symbols": {"acme>Deep": {"kind": "layer"}, "other>Flat": {"kind": "layer"}},
    })  # fmt: skip
    found = compare(policy(), policy(allow(symbol="acme>*")), catalogue=known, today=TODAY)
    assert "acme>Deep" in {change.symbol for change in found.allowed}
    assert "other>Flat" not in {change.symbol for change in found.changes}


def test_the_lines_behind_a_change_are_named():
    old, new = (
        allow(symbol="keras.losses.Huber"),
        allow(symbol="keras.losses.Huber") + deny(symbol="keras.losses.*"),
    )
    (change,) = [
        c
        for c in diff(policy(old, "o.toml"), policy(new, "n.toml")).denied
        if c.symbol == "keras.losses.Huber"
    ]
    assert (change.before.place, change.after.place) == ("o.toml:2", "n.toml:6")
    text = render(diff(policy(old, "o.toml"), policy(new, "n.toml")))
    assert "now denied by d (n.toml:6)" in text
    assert "before allowed by a (o.toml:2)" in text
    assert text.endswith("no widening: whatever the new policy allows, the old one allows")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**40))
def test_a_witness_shows_what_it_says_and_what_it_lets_in_is_widening(seed):
    random = Random(seed)
    old = pairs.policy(random)
    new = pairs.changed(random, old)
    found = compare(old, new, catalogue=catalogue(), today=TODAY)
    for change in found.changes:
        request, context, _ = change.witness
        assert not (
            change.after.allowed and not (found.doubts or any(s.lets_in for s in found.settings))
        )
        for each, decision in ((old, change.before), (new, change.after)):
            assert Engine(each, TODAY).decide(request, context) == decision
    back = compare(new, old, catalogue=catalogue(), today=TODAY)
    assert {c.symbol for c in back.denied} == {c.symbol for c in found.allowed}
    json.dumps(as_object(found))
    assert "\x1b" not in render(found)


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    block = node("acme", "Block", {"name": "b"})
    (folder / "ours.json").write_text(json.dumps(sequential(block)))
    (folder / "plain.json").write_text(json.dumps(sequential(layer("Dense", name="d", units=1))))
    (folder / "bad.keras").write_bytes(b"PK\x03\x04")
    return folder


def test_models_are_judged_by_both(models):
    found = diff(policy(EXTENDS), policy(f"{EXTENDS}\n{allow()}"), models=[models])
    assert found.judged == 3
    (model,) = found.models
    assert (model.before, model.after) == ("denied", "allowed")
    assert [decision.request.symbol for decision in model.allowed] == ["acme.Block"]
    assert "2 judged as before" in render(found)
    back = diff(policy(f"{EXTENDS}\n{allow()}"), policy(EXTENDS), models=[models])
    assert not back.models[0].lets_in
    assert not back.widens


def test_a_model_that_only_one_policy_can_read_has_changed(models):
    narrow = f"{EXTENDS}\nlimits.config_bytes = 100"
    found = diff(policy(narrow), policy(EXTENDS), models=[models])
    plain = next(model for model in found.models if model.name.endswith("plain.json"))
    assert plain.lets_in
    assert (plain.before == "allowed", plain.after) == (False, "allowed")


def test_stacks_are_compared_layer_by_layer():
    top, lower = (
        policy(EXTENDS, "top.toml"),
        policy('extends = ["@above"]\n' + deny(symbol="keras.layers.Dense"), "low.toml"),
    )
    gone = dataclasses.replace(lower, rules=())
    found = compare(top.over(lower), top.over(gone), catalogue=catalogue(), today=TODAY)
    assert [change.symbol for change in found.allowed] == ["keras.layers.Dense"]
    assert found.widens
    assert not compare(top.over(gone), top.over(lower), catalogue=catalogue(), today=TODAY).widens


def namespace(old, new, **given):
    given = {"models": None, "no_widening": False, "catalogue": None, "format": "text"} | given
    return SimpleNamespace(old=str(old), new=str(new), **given)


@pytest.fixture
def files(tmp_path):
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(f"schema = 1\n{EXTENDS}")
    new.write_text(f"schema = 1\n{EXTENDS}\n{allow()}")
    return old, new


def test_the_command_refuses_a_widening_only_on_demand(files, capsys):
    old, new = files
    assert run_diff(namespace(old, new), Console()) is Exit.CLEAN
    assert run_diff(namespace(old, new, no_widening=True), Console()) is Exit.FINDINGS
    assert run_diff(namespace(new, old, no_widening=True), Console()) is Exit.CLEAN
    assert run_diff(namespace("strict", "keras-core", no_widening=True), Console()) is Exit.FINDINGS
    assert run_diff(namespace("keras-core", "strict", no_widening=True), Console()) is Exit.CLEAN
    capsys.readouterr()
    assert (
        run_diff(namespace(old, new, format="json", no_widening=True), Console()) is Exit.FINDINGS
    )
    data = json.loads(capsys.readouterr().out)
    assert data["widens"] is True
    assert data["changes"][0]["after"]["place"].endswith("new.toml:3")
    run_diff(namespace(old, new), Console(quiet=1))
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_policies_that_have_ended_or_are_layers_can_be_compared(tmp_path, capsys):
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text("schema = 1\nexpires = 2020-01-01")
    new.write_text('schema = 1\nexpires = 2020-01-02\nextends = ["@above"]')
    assert run_diff(namespace(old, new, no_widening=True), Console()) is Exit.FINDINGS
    assert "expires" in capsys.readouterr().out


def test_a_policy_or_a_catalogue_that_cannot_be_used_is_one_error(files, tmp_path):
    old, new = files
    bad = tmp_path / "bad"
    bad.write_text("{")
    for wrong in (
        namespace(old, tmp_path / "none"),
        namespace(bad, new),
        namespace(old, new, catalogue=[bad]),
    ):
        with pytest.raises(PolicyError):
            run_diff(wrong, Console())


def test_a_name_in_a_policy_cannot_write_a_line_of_its_own():
    table = '[[allow]]\nid = "a\\n\\u001b[2J"\nregistered = ["acme>\\u202eB\\n"]\nreason = "x\\ny"'
    text = render(diff("", table))
    assert all(line.isprintable() for line in text.split("\n"))


def test_shipped_policies_read_as_text_are_the_same(tmp_path):
    path = tmp_path / "core.toml"
    path.write_text(policy_text("keras-core"))
    assert run_diff(namespace(path, "keras-core", no_widening=True), Console()) is Exit.CLEAN


def test_a_signed_bundle_is_compared_by_what_it_says_and_is_said_to_be_unchecked(files, capsys):
    pytest.importorskip("cryptography")
    from policy.signing.parts import real_key

    _, new = files
    head = 'schema = 1\nname = "acme"\nversion = 1\nextends = ["strict"]\n'
    signed = new.with_name("new.dsse.json")
    signed.write_bytes(sign_policy(head + allow(), "new.toml", policy_text, real_key(1)))
    assert run_diff(namespace("strict", signed, no_widening=True), Console()) is Exit.FINDINGS
    out, err = capsys.readouterr()
    assert "acme.Block" in out
    assert "new.dsse.json: compared by what it says; its signatures are not checked" in err
    assert run_diff(namespace(signed, "strict", no_widening=True), Console()) is Exit.CLEAN
    signed.write_text('{"payload": ""}')
    with pytest.raises(UntrustedPolicy):
        run_diff(namespace(signed, "strict"), Console())


def test_what_the_old_rule_demands_is_said_in_words_and_names_are_counted_once():
    demand = 'arguments.n = { type = ["null", "integer"], one_of = [1, "a"], max = 4 }'
    text = render(diff(allow(demand), allow()))
    assert "'n': type integer or null, one of 1, \"a\", max 4" in text
    assert "widens: 1 name that becomes allowed" in text
