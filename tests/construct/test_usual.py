"""Values of the usual kind are judged in one pass, and come to what the long way comes to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from construct.parts import part
from construct.usual import (
    CORE,
    POLICIES,
    TREES,
    USUAL,
    Word,
    at_length,
    came_to,
    came_to_at_length,
    judged,
    nodes,
)
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("usual_classes")


@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=40, deadline=None)  # of each policy; 20,000 in all were tried once
@given(tree=st.one_of(nodes(TREES), st.lists(nodes(TREES), max_size=4), TREES))
def test_one_pass_comes_to_what_the_long_way_comes_to(name, tree):
    assert came_to(tree, POLICIES[name]) == came_to_at_length(tree, POLICIES[name])


@pytest.mark.parametrize("name", USUAL)
def test_usual_values_take_one_pass_and_what_is_known_is_what_the_verdict_says(name):
    session = judged(USUAL[name])
    short, verdict = session.judgement, session.verdict
    assert verdict.allowed
    assert short.symbols == verdict.symbols
    assert short.functions == verdict.plan.functions == {}
    assert {r.written[0] for r in verdict.plan.requests}.isdisjoint("'\"")
    assert short.identifiers == frozenset()
    assert session.document.parts[0].root == USUAL[name]
    assert session.document.judged_sha256 == at_length(USUAL[name]).document.judged_sha256


ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)
UNUSUAL = {
    "a name as text": part(config={"x": "acme>Part"}),
    "a word that is a name": part(config={"x": ["word"]}),
    "a path": part(config={"x": "../x"}),
    "what may be a function": part(config={"x": {"value": ["4wE=", None, None]}}),
    "a class of Keras's that an own one is called like": {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {},
    },
    "a mark of code": part(config={"function": "4wE=", "function_type": "lambda"}),
    "an object instead of arguments": part(config={"class_name": "Part", "config": {}}),
    "a large number": part(config={"units": 10**500}),
    "a text beyond ASCII": part(config={"x": "\ud800"}),
    "a text of no plain kind": part(config={"x": Word("relu")}),
    "a node's key of no plain kind": {Word(key): item for key, item in part().items()},
    "a key of no plain kind": part(config={Word("units"): 1}),
    "a known key of no plain kind": [part(config={"units": 1}), part(config={Word("units"): 1})],
    "a class that cannot be revived": part("Without"),
    "a tuple's name": part("__tuple__", registered="acme>Part"),
    "a share": part(shared_object_id=1),
    "no object": "word",
    "a dict of objects": {"a": part()},
    "a function": part("function", config="f"),
    "a list that holds itself": ENDLESS,
    "not registered": part(registered="acme>Nobody"),
    "another module's name": part(module="os"),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_not_usual_for_certain_is_judged_at_length(name):
    assert judged(UNUSUAL[name]) is None


@pytest.mark.parametrize(
    "bound", ["depth", "nodes", "config_bytes", "requests", "string_bytes", "number_chars"]
)
def test_no_limit_is_passed_over(bound):
    word = "a text of more than 20 letters"
    tree = [part(config={"units": 12345, "rates": [1, [0.5]], "name": word}), part("Other")]
    seen = set()
    for limit in (*range(1, 200), 300, 600):
        rules = replace(CORE, limits=replace(CORE.limits, **{bound: limit}))
        short = judged(tree, rules) is not None
        seen.add((short, came_to_at_length(tree, rules)[0] is list))
    assert (True, True) in seen
    assert (False, False) in seen
    assert (True, False) not in seen
