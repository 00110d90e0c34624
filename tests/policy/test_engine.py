"""What allows, what denies, and how a decision says by which rule."""

from __future__ import annotations

from datetime import date

import pytest
from plan.plans import BLOCK, LAYER, SWISH, caller_class, layer, node, plan
from policy.rules import allow, deny, first, policy, verdict

from secure_serial.limits import Limits
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.request import Action, Objection, Origin, Request
from secure_serial.policy import engine as engine_module
from secure_serial.policy.engine import Engine, Verdict, decide
from secure_serial.policy.model import Effect, Policy, Rule
from secure_serial.policy.source import load_policy

DENSE = "keras.layers.Dense"
FLATTEN = layer("Flatten", name="f")


def dense(**config):
    return layer("Dense", units=2, **config)


def stranger(symbol, origin=Origin.UNKNOWN, **changes):
    request = Request("", "", Field.ROOT, Action.CONSTRUCT, symbol, None, origin, symbol)
    return request._replace(**changes)


def test_nothing_is_allowed_that_no_rule_allows():
    decision = first(dense(), policy())
    assert (decision.effect, decision.code, decision.rules) == (
        Effect.DENY,
        "SS301",
        ("builtin:default",),
    )
    assert (decision.reason, decision.place) == (f"no rule allows {DENSE}", "")
    assert "is not known" in first(node("acme", "Thing"), policy()).reason


def test_an_allow_rule_allows_and_is_named_with_its_place():
    decision = first(dense(), policy(allow(DENSE, 'reason = "why"')))
    assert decision.allowed
    assert (decision.rules, decision.place, decision.reason, decision.code) == (
        ("a",),
        "p.toml:5",
        "why",
        "",
    )


def test_all_allow_rules_that_match_are_named():
    rules = policy(
        allow(DENSE, id="one"),
        allow("keras.layers.*", id="two"),
        allow("keras.**", 'kinds = ["loss"]', id="three"),
    )
    assert first(dense(), rules).rules == ("one", "two")


def test_a_deny_rule_beats_any_allow_rule():
    decision = first(dense(), policy(allow(DENSE), deny("keras.layers.*", 'reason = "no"')))
    assert (decision.code, decision.rules, decision.place, decision.reason) == (
        "SS302",
        ("d",),
        "p.toml:9",
        "no",
    )
    assert "rule d" in first(dense(), policy(deny(DENSE))).reason


def test_a_deny_rule_that_cannot_be_evaluated_denies_and_says_so():
    decision = first(
        dense(), policy(allow(DENSE), deny(DENSE, "arguments.units = { max_length = 3 }"))
    )
    assert decision.code == "SS302"
    assert "could not be evaluated: TypeError" in decision.reason


def test_an_allow_rule_that_cannot_be_evaluated_does_not_allow_and_is_the_nearest_miss():
    decision = first(dense(), policy(allow(DENSE, "arguments.units = { max_length = 3 }")))
    assert decision.code == "SS301"
    assert decision.near == "a (p.toml:5): its conditions could not be evaluated: TypeError"


@pytest.mark.parametrize(
    ("more", "why"),
    [('kinds = ["model", "loss"]', "it is for loss, model"),
     ('fields = ["layer"]', "it is for the fields layer, and this one holds root"),
     ("arguments.units = { max = 1 }", "its condition on the argument 'units' does not hold")],
)  # fmt: skip
def test_the_nearest_miss_says_why_it_missed(more, why):
    decision = first(
        dense(), policy(allow(DENSE, more, id="one"), allow("keras.layers.*", more, id="two"))
    )
    assert decision.near == f"one (p.toml:5): {why}"
    assert not decision.allowed


def test_the_nearest_miss_of_a_stranger_is_a_rule_for_kerass_own():
    decision = Engine(policy(allow("keras.**"))).decide(stranger("keras.layers.Evil"))
    assert "for Keras's own symbols" in decision.near


@pytest.mark.parametrize(
    "more", ['kinds = ["layer"]', 'fields = ["root"]', "arguments.units = { max = 2 }"]
)
def test_a_rule_whose_every_condition_holds_matches(more):
    assert first(dense(), policy(allow(DENSE, more))).allowed
    assert first(dense(), policy(allow(DENSE), deny(DENSE, more))).code == "SS302"


@pytest.mark.parametrize(
    "more", ['kinds = ["loss"]', 'fields = ["layer"]', "arguments.units = { min = 3 }"]
)
def test_a_deny_rule_with_a_condition_that_does_not_hold_denies_nothing(more):
    assert first(dense(), policy(allow(DENSE), deny(DENSE, more))).allowed


def test_a_deny_rule_may_name_no_symbol_but_a_kind_or_a_field():
    rule = '[[deny]]\nid = "d"\nkinds = ["layer"]\n'
    assert first(dense(), policy(allow(DENSE), rule)).code == "SS302"
    assert first(node("keras.losses", "Hinge"), policy(allow("keras.losses.Hinge"), rule)).allowed


def test_a_kind_means_the_programs_classes_too():
    own = node(None, "Layer", {}, "acme>Layer")
    rule = '[[deny]]\nid = "d"\nkinds = ["layer"]\n'
    assert first(own, policy(rule, caller_objects="allow"), LAYER).code == "SS302"
    assert first(own, policy(allow("acme>Layer", 'kinds = ["layer"]')), LAYER).allowed
    optimizer = caller_class("acme>Layer", "keras.optimizers.Adam", kinds=(Kind.OPTIMIZER,))
    assert first(own, policy(rule, caller_objects="allow"), optimizer).allowed


# The program's own objects.


OWN = node(None, "Block", {}, "acme>Block")


def test_the_programs_objects_are_allowed_where_the_policy_vouches_for_them():
    decision = first(OWN, policy(caller_objects="allow"), BLOCK)
    assert (decision.allowed, decision.rules) == (True, ("builtin:caller-objects",))
    assert not first(OWN, policy(), BLOCK).allowed
    assert not first(OWN, policy(caller_objects="allow")).allowed


@pytest.mark.parametrize("pattern", ["acme>Block", "acme>*", "*>Block"])
def test_a_listed_object_is_allowed_by_its_registered_name(pattern):
    assert first(OWN, policy(allow(pattern)), BLOCK).rules == ("a",)
    assert not first(OWN, policy(allow("other>*")), BLOCK).allowed


def test_a_deny_rule_holds_for_the_programs_objects_too():
    assert first(OWN, policy(deny("acme>*"), caller_objects="allow"), BLOCK).code == "SS302"


def test_an_object_passed_by_its_bare_name_is_listed_by_its_path():
    own = caller_class("Block", module="acme.blocks")
    assert first({"class_name": "Block", "config": {}}, policy(allow("acme.**")), own).allowed
    assert first(
        node("builtins", "function", "acme>swish"), policy(allow("acme>swish")), SWISH
    ).allowed


# Strangers.


@pytest.mark.parametrize(
    "symbol", ["keras.layers.Dense", "tf_keras.layers.Dense", "tensorflow.x", "tf.x", "keras.Evil"]
)
def test_a_strangers_text_that_spells_a_symbol_of_keras_is_never_allowed(symbol):
    rules = policy(
        allow("keras.**", id="1"),
        allow("tf_keras.**", id="2"),
        allow("tensorflow.**", id="3"),
        allow("tf.**", id="4"),
        allow(symbol, id="5"),
    )
    assert not Engine(rules).decide(stranger(symbol)).allowed


def test_a_stranger_must_be_named():
    kinds = '[[deny]]\nid = "d"\nkinds = ["loss"]\n'
    assert not Engine(policy(kinds)).decide(stranger("acme.Thing")).allowed
    assert Engine(policy(allow("acme.Thing"))).decide(stranger("acme.Thing")).allowed
    assert Engine(policy(allow("acme>*"))).decide(stranger("acme>Thing")).allowed
    assert not Engine(policy(allow("other.*"))).decide(stranger("acme.Thing")).allowed


def test_what_an_earlier_keras_had_is_allowed_by_its_own_name():
    request = stranger("keras.legacy.layers.Highway", Origin.LEGACY, kind=Kind.LAYER)
    assert Engine(policy(allow("keras.legacy.layers.*"))).decide(request).allowed


# Objections.


def lookup(**more):
    return layer("StringLookup", vocabulary="/words.txt", **more)


LOOKUP = "keras.layers.StringLookup"
PERMIT = "arguments.vocabulary = { path = true }"


def test_an_objection_denies_what_a_rule_allows():
    decision = first(lookup(), policy(allow(LOOKUP)))
    assert (decision.code, decision.rules, decision.allowed) == ("SS320", ("builtin:SS320",), False)


def test_a_path_is_permitted_in_the_named_argument_only():
    assert first(lookup(), policy(allow(LOOKUP, PERMIT))).allowed
    assert first(lookup(name="a/b"), policy(allow(LOOKUP, PERMIT))).code == "SS325"
    assert first(lookup(mystery="/x"), policy(allow(LOOKUP, PERMIT))).code == "SS320"
    assert (
        first(lookup(), policy(allow(LOOKUP, "arguments.vocabulary = { path = false }"))).code
        == "SS320"
    )
    assert (
        first(lookup(), policy(allow(LOOKUP, "arguments.name = { path = true }"))).code == "SS320"
    )


def test_only_a_rule_that_matches_permits():
    rules = policy(
        allow(LOOKUP, id="one"), allow(LOOKUP, PERMIT + '\nfields = ["layer"]', id="two")
    )
    assert first(lookup(), rules).code == "SS320"


def test_no_rule_permits_code_or_a_wrong_kind():
    blob = layer("StringLookup", vocabulary=["a"], encoding="a1" * 40)
    assert (
        first(blob, policy(allow(LOOKUP, "arguments.encoding = { path = true }"))).code == "SS321"
    )


def test_many_permitted_paths_hide_nothing_that_is_not_permitted():
    rules = policy(allow("acme>Block", "arguments.files = { path = true }"))
    files = ["/x"] * 30
    assert first(node(None, "Block", {"files": files}, "acme>Block"), rules, BLOCK).allowed
    other = node(None, "Block", {"files": files, "z": "/y"}, "acme>Block")
    assert first(other, rules, BLOCK).code == "SS320"
    assert (
        first(node(None, "Block", {"files": [*files, "a1" * 40]}, "acme>Block"), rules, BLOCK).code
        == "SS321"
    )


def test_a_deny_rule_is_named_before_an_objection():
    assert first(lookup(), policy(deny(LOOKUP))).code == "SS302"


def test_code_is_denied_with_and_without_an_objection():
    bare = stranger("__lambda__", action=Action.LAMBDA)
    assert Engine(policy()).decide(bare).code == "SS303"
    decision = Engine(policy()).decide(bare)
    assert (decision.rules, decision.near) == (("builtin:lambda",), "")
    assert verdict({"class_name": "__lambda__"}, policy()).decisions[0].code == "SS303"


def test_a_value_encoding_is_allowed_by_no_rule_and_denied_by_one():
    ellipsis = {"class_name": "__ellipsis__", "config": {}}
    decision = first(ellipsis, policy())
    assert (decision.rules, decision.reason) == (("builtin:value-encoding",), "")
    assert first(ellipsis, policy('[[deny]]\nid = "d"\nsymbols = ["__ellipsis__"]')).code == "SS302"


# The verdict.


def test_one_denial_denies_the_load():
    good, bad = dense(name="a"), node("os", "system")
    result = verdict([good, bad], policy(allow(DENSE)))
    assert not result.allowed
    assert [d.request.symbol for d in result.denied] == ["os.system"]
    assert result.symbols == {DENSE}
    assert verdict([good], policy(allow(DENSE))).allowed


def test_an_objection_to_the_whole_denies_the_load():
    found = plan([dense(name="a"), dense(name="b")], limits=Limits(layers=1))
    result = decide(found, policy(allow(DENSE)))
    assert not result.denied
    assert not result.allowed


def test_a_verdict_says_what_its_requests_have_in_common():
    found = plan([dense()])
    file, judged = "1" * 64, found.document.judged_sha256
    known = decide(found, policy(), file_sha256=file).context
    assert (known.format, known.digests) == (found.document.format, {file, judged})
    bare = Verdict(found, policy(), (), ())
    assert (bare.context.digests, bare.today) == ({judged}, None)
    assert Engine(policy()).judge(found).context.digests == {judged}


def test_a_plan_without_requests_is_allowed():
    assert verdict([1, "a"], policy()).allowed


@pytest.mark.parametrize("shipped", ["keras-core", "strict"])
def test_the_shipped_policies_allow_ordinary_layers_and_no_gadget(shipped):
    rules = load_policy(shipped)
    assert first(dense(), rules).allowed
    for gadget in (
        layer("Lambda"),
        layer("TFSMLayer"),
        node("keras.utils", "function", "get_file"),
        node("os", "system"),
    ):
        assert not verdict(gadget, rules).allowed
    assert verdict(OWN, rules, BLOCK).allowed is (shipped == "keras-core")


def test_an_allow_rule_made_in_code_that_names_nothing_lets_in_kerass_own_only():
    rule = Rule("any", Effect.ALLOW, "code", 0, fields=frozenset({Field.ROOT}))
    engine = Engine(Policy("p", "p", "", rules=(rule,)))
    assert engine.decide(stranger(DENSE, Origin.KERAS)).allowed
    assert not engine.decide(stranger("acme.Block", Origin.CALLER)).allowed
    assert not engine.decide(stranger("acme.Block")).allowed


def test_a_programs_class_in_a_package_that_is_called_like_keras_may_be_named():
    request = stranger("keras.acme.Block", Origin.CALLER)
    assert Engine(policy(allow("keras.acme.Block"))).decide(request).allowed
    assert not Engine(policy(allow("keras.acme.Other"))).decide(request).allowed


def test_what_is_remembered_is_bounded_and_changes_no_decision(monkeypatch):
    from secure_serial.policy import layer as layer_module

    monkeypatch.setattr(engine_module, "_REMEMBERED", 2)
    monkeypatch.setattr(layer_module, "_REMEMBERED", 2)
    engine = Engine(policy(allow("acme.*")))
    asked = [stranger(f"acme.A{n}") for n in range(5)] + [stranger("other.B")]
    for _ in range(2):
        assert [engine.decide(request).allowed for request in asked] == [True] * 5 + [False]
    assert len(engine._known) <= 2
    assert all(len(layer._about) <= 2 for layer in engine._layers)


BLOCK_ALONE = stranger("acme>Block", Origin.CALLER)
REPORTED = 'mode = "report"\nreport_until = 2026-11-22'


@pytest.mark.parametrize(
    ("rules", "always"),
    [
        (policy(allow("acme>Block")), True),
        (policy(caller_objects="allow"), True),
        (policy(), False),
        (policy(deny("acme>Block"), caller_objects="allow"), False),
        (policy(deny("acme>Other", "arguments.x = { max = 1 }"), caller_objects="allow"), True),
        (policy(deny("acme>Block", f'sha256 = ["{"0" * 64}"]'), caller_objects="allow"), False),
        (policy(allow("acme>Block", "arguments.x = { max = 1 }")), False),
        (policy(allow("acme>Block", "arguments.x = { max = 1 }"), caller_objects="allow"), False),
        (policy(settings=REPORTED), False),
    ],
)
def test_what_is_always_allowed_hangs_on_names_alone_and_on_no_exception(rules, always):
    engine = Engine(rules, date(2026, 11, 22))
    assert engine.always_allows(BLOCK_ALONE) == always
    assert engine.always_allows(BLOCK_ALONE) == always  # remembered
    assert not engine.always_allows(
        BLOCK_ALONE._replace(objections=(Objection("SS320", "a path", ""),))
    )
    assert engine.decide(BLOCK_ALONE).allowed or not always
