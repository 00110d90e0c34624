"""The lines that would allow a request: they do, and only it, or there are none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan.plans import BLOCK, caller_class, layer, node
from policy.rules import allow, deny, first, policy, verdict

from secure_serial.policy.engine import Engine
from secure_serial.policy.explain import offer_for, table
from secure_serial.policy.source import load_policy, parse_policy

STRICT = load_policy("strict")
CORE = load_policy("keras-core")
OWN = node(None, "Block", {"n": 1}, "acme>Block")


def rule_to_allow(decision):
    offer = offer_for(decision)
    return table(offer) if offer is not None else ""


def lines_to_allow(decision, rules):
    block = rule_to_allow(decision)
    return block and f'schema = 1\nextends = ["{rules.name}"]\n\n{block}'


def lines(tree, rules=STRICT, *callers):
    return lines_to_allow(first(tree, rules, *callers), rules)


def allowed_with(text, tree, *callers):
    return first(tree, parse_policy(text), *callers)


@pytest.mark.parametrize(
    ("tree", "callers"),
    [(OWN, (BLOCK,)), (node("acme.blocks", "Block"), ()), (node("acme", "B", {}, "acme>Block"), ()),
     ({"class_name": "Block", "config": {}}, (caller_class("Block", module="acme.x"),)),
     (node(None, "Block", {"file": "a/b"}, "acme>Block"), (BLOCK,)),
     (node(None, "Block", {"file": ["a/b", "c/d"]}, "acme>Block"), (BLOCK,))],
)  # fmt: skip
def test_the_lines_are_a_policy_that_allows_the_request(tree, callers):
    text = lines(tree, STRICT, *callers)
    decision = allowed_with(text, tree, *callers)
    assert decision.allowed
    assert decision.rules[0].startswith("allow-")


def test_the_lines_allow_nothing_else():
    text = lines(OWN, STRICT, BLOCK)
    other = node(None, "Other", {}, "acme>Other")
    assert not allowed_with(text, other, caller_class("acme>Other")).allowed
    assert text.count("[[allow]]") == 1
    assert text.count("path = true") == 0


def test_a_rule_alone_can_be_added_to_a_policy():
    text = rule_to_allow(first(OWN, policy(), BLOCK))
    assert first(OWN, policy(text), BLOCK).allowed
    assert text.startswith("[[allow]]")


def test_what_is_allowed_needs_no_lines():
    assert lines(layer("Dense", units=1)) == ""


def test_a_deny_rule_cannot_be_answered_with_lines():
    assert lines(OWN, policy(deny("acme>*")), BLOCK) == ""


@pytest.mark.parametrize(
    "tree",
    [layer("Lambda"), layer("TFSMLayer", filepath="/x"), layer("TorchModuleWrapper"),
     node("keras.utils", "function", "get_file"), node("os", "system"), node("subprocess", "Popen"),
     node("builtins", "eval"), node("builtins", "function", "eval"), node("keras.layers", "Evil"),
     node("tf.layers", "Evil"), node("tensorflow.x", "Evil"), node("numpy", "Evil"),
     {"class_name": "__lambda__", "config": {}}, {"class_name": "Nobody", "config": {}},
     node("keras.layers", "Dense", {"units": 1}, "acme>Dense"), layer("Dense", units=1, name="../a"),
     layer("StringLookup", vocabulary="/x", name="../a"), node("acme", "a'b"), node("acme", 'a"b'),
     node("acme", "a\\b"), node("acme.*", "Block"), node("acme", "B", {}, "acme>*"), node("acme", "B", {}, "*>B"),
     node("acme", "B", {}, "a>b>c"), node("acme..x", "B"), node("acme", "B", {}, ">B")],
)  # fmt: skip
def test_no_lines_are_offered_for_what_no_line_should_allow(tree):
    assert lines(tree, STRICT) == ""


@pytest.mark.parametrize("package", ["keras", "tf_keras", "Keras", "os", "k\u0435ras"])
def test_no_lines_are_offered_for_a_name_that_poses_as_anothers(package):
    assert lines(node(None, "X", {}, f"{package}>X"), STRICT) == ""
    assert lines(node(None, "X", {}, f"acme_{package}>X"), STRICT).count(f'"acme_{package}>X"') == (
        package.isascii()
    )


def test_a_function_of_the_programs_that_is_a_lambda_has_no_name_to_write():
    own = caller_class("f", module="acme")._replace(qualname="<lambda>")
    assert lines(node("builtins", "function", "f"), STRICT, own) == ""


NASTY = (
    'x" = { path = true }\n[[allow]]\nid = "evil"\nsymbols = ["keras.utils.get_file"]\narguments."y'
)


@pytest.mark.parametrize("key", [NASTY, "a b", "a.b", "é", "", 'a"', "a\n", "3"])
def test_an_argument_whose_name_needs_quoting_is_not_offered(key):
    assert lines(node(None, "Block", {key: "/x"}, "acme>Block"), STRICT, BLOCK) == ""


@settings(max_examples=300, deadline=None)
@given(st.text(), st.text(), st.text(), st.text())
def test_no_name_in_a_file_makes_the_lines_mean_more(module, name, registered, key):
    tree = node(module, name, {key: "/x"}, registered)
    for decision in verdict(tree, STRICT).decisions:
        text = lines_to_allow(decision, STRICT)
        if text:
            added = parse_policy(text).rules[: -len(STRICT.rules)]
            assert len(added) == 1
            assert (*added[0].symbols, *added[0].registered) == (decision.request.symbol,)
            assert Engine(parse_policy(text)).decide(decision.request).allowed


def test_what_is_extended_is_the_policy_that_denied():
    assert 'extends = ["strict"]' in lines(OWN, STRICT, BLOCK)
    assert 'extends = ["keras-core"]' in lines(node("acme", "Thing"), CORE)


def test_a_permitted_path_is_the_nearest_step_and_keeps_other_rules():
    text = lines(
        node(None, "Block", {"file": "a/b"}, "acme>Block"), policy(allow("acme>Block")), BLOCK
    )
    assert 'arguments."file" = { path = true }' in text
