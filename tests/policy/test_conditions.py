"""What else a rule may ask for beside names, and what becomes of what cannot be told."""

from __future__ import annotations

import pytest
from plan.plans import caller_class, layer, node, plan
from policy.rules import allow, deny, first, policy

from secure_serial.artifact.document import Format
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.owner import Owner
from secure_serial.plan.request import Action, Origin, Request
from secure_serial.policy.conditions import Context
from secure_serial.policy.engine import Engine, decide

RNN, CELL = "keras.layers.RNN", "keras.layers.LSTMCell"
ONE, OTHER = "1" * 64, "2" * 64


def request(symbol="keras.layers.Dense", origin=Origin.KERAS, **changes):
    made = Request("", "", Field.ROOT, Action.CONSTRUCT, symbol, Kind.LAYER, origin, symbol)
    return made._replace(**changes)


def allowed(rule, asked, context=None):
    """Whether a rule's condition lets a request pass; and as a deny, whether it stops it."""
    decide_ = Engine(policy(allow(asked.symbol, rule))).decide
    allows = decide_(asked, *[context] * (context is not None)).allowed
    decide_ = Engine(policy(allow(asked.symbol, id="b"), deny(asked.symbol, rule))).decide
    denies = not decide_(asked, *[context] * (context is not None)).allowed
    return allows, denies


HOLDS, FAILS, UNKNOWN = (True, True), (False, False), (False, True)


@pytest.mark.parametrize(
    ("context", "outcome"),
    [(Context(Format.KERAS), HOLDS), (Context(Format.HDF5), FAILS), (Context(), UNKNOWN)],
)
def test_a_format_is_compared_where_it_is_known(context, outcome):
    assert allowed('formats = ["keras"]', request(), context) == outcome


@pytest.mark.parametrize(
    ("digests", "outcome"), [({ONE, OTHER}, HOLDS), ({OTHER}, FAILS), ((), UNKNOWN)]
)
def test_a_digest_is_of_the_bytes_or_of_the_file(digests, outcome):
    context = Context(digests=frozenset(digests))
    assert allowed(f'sha256 = ["{ONE}"]', request(), context) == outcome


@pytest.mark.parametrize(
    ("owner", "outcome"),
    [
        (Owner("acme", "1.5"), HOLDS),
        (Owner("acme", "1.5rc1"), HOLDS),
        (Owner("acme", "2.0"), FAILS),
        (Owner("other", "1.5"), FAILS),
        (Owner("acme", "no version"), UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_an_owner_is_a_distribution_of_a_version(owner, outcome):
    asked = request("acme>Block", Origin.CALLER, owner=owner)
    assert allowed('from = "acme>=1,<2"', asked) == outcome


def test_what_is_not_known_is_said():
    def near(rule):
        return Engine(policy(allow("keras.layers.Dense", rule))).decide(request()).near

    assert near('from = "keras"').endswith("the distribution that owns it is not known")
    assert near(f'sha256 = ["{ONE}"]').endswith("the digest is not known")


def test_any_version_will_do_where_none_is_asked_for():
    asked = request("acme>Block", Origin.CALLER, owner=Owner("acme", "no version"))
    assert allowed('from = "acme"', asked) == HOLDS


@pytest.mark.parametrize(("allocation", "outcome"), [(9, HOLDS), (10, HOLDS), (11, FAILS)])
def test_an_allocation_is_bounded(allocation, outcome):
    assert allowed("allocation = { max = 10 }", request(allocation=allocation)) == outcome


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        (request("acme>Block", Origin.CALLER), UNKNOWN),
        (request("acme.Block", Origin.UNKNOWN), UNKNOWN),
        (request("acme>Block", Origin.CALLER, allocation=5), HOLDS),
        (request("acme>swish", Origin.CALLER, action=Action.REFER), HOLDS),
        (request(), HOLDS),
        (request("keras.legacy.layers.Highway", Origin.LEGACY), HOLDS),
    ],
)
def test_what_a_strangers_class_allocates_is_not_known_to_be_nothing(asked, outcome):
    assert allowed("allocation = { max = 10 }", asked) == outcome


# A condition that surely fails and one that cannot be told, in any order.


@pytest.mark.parametrize(
    "rule",
    [
        "arguments.units = { max = 1 }\narguments.name = { min = 1 }",
        "arguments.name = { min = 1 }\narguments.units = { max = 1 }",
        'formats = ["keras"]\narguments.units = { max = 1 }',
        f'sha256 = ["{ONE}"]\nfrom = "other"',
        'from = "other"\nallocation = { max = 3 }',
    ],
)
def test_one_condition_that_surely_fails_is_enough_whatever_else_cannot_be_told(rule):
    dense = request(arguments={"units": 2, "name": "d"}, owner=Owner("keras", "3"), allocation=9)
    assert allowed(rule, dense) == FAILS


def test_what_cannot_be_told_counts_where_all_else_holds():
    rule = "arguments.name = { min = 1 }\narguments.units = { max = 2 }"
    assert allowed(rule, request(arguments={"units": 2, "name": "d"})) == UNKNOWN


def test_the_first_thing_that_could_not_be_told_is_named():
    rule = f'formats = ["keras"]\nsha256 = ["{ONE}"]'
    near = Engine(policy(allow("keras.layers.Dense", rule))).decide(request()).near
    assert near.endswith("could not be evaluated: the format is not known")


# Objects in an argument.


def cell(name="LSTMCell", **more):
    return node("keras.layers", name, {"units": 2, **more})


def rnn(value):
    return layer("RNN", cell=value)


def judged(tree, pattern=CELL, argument="cell"):
    """Whether a rule on a nested object lets the outermost request pass; and as a deny, stops it."""
    rule = f'arguments."{argument}" = {{ symbol = ["{pattern}"] }}'
    found = plan(tree)
    symbol = found.requests[0].symbol
    allows = decide(found, policy(allow(symbol, rule))).decisions[0].allowed
    denies = (
        not decide(found, policy(allow(symbol, id="b"), deny(symbol, rule))).decisions[0].allowed
    )
    return allows, denies


@pytest.mark.parametrize(
    "place",
    [
        lambda value: value,
        lambda value: [value],
        lambda value: [[value]],
        lambda value: {"class_name": "__tuple__", "items": [value]},
        lambda value: [{"class_name": "__tuple__", "items": [[value]]}],
    ],
)
def test_a_nested_object_is_seen_however_deep_in_lists_it_stands(place):
    assert judged(rnn(place(cell()))) == HOLDS
    assert judged(rnn(place(cell("GRUCell")))) == FAILS
    assert judged(rnn([cell(), place(cell("GRUCell"))])) == (False, True)


def test_what_stands_in_a_nested_object_is_its_own_affair():
    stacked = node("keras.layers", "StackedRNNCells", {"cells": [cell()]})
    assert judged(rnn(stacked)) == FAILS
    assert judged(rnn(stacked), "keras.layers.StackedRNNCells") == HOLDS


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(None, HOLDS), (5, FAILS), ([], FAILS), ({}, FAILS), ("LSTMCell", FAILS)],
)
def test_where_no_object_stands_none_is_the_one_that_is_asked_for(value, outcome):
    assert judged(rnn(value)) == outcome
    assert judged(layer("RNN")) == HOLDS  # the class's default is not the file's choice


def test_a_string_that_names_an_object_is_one():
    dense = layer("Dense", units=2, activation="relu")
    assert judged(dense, "keras.activations.relu", "activation") == HOLDS
    assert judged(dense, "keras.activations.tanh", "activation") == FAILS


def test_only_what_stands_in_that_very_argument_counts():
    own = node(None, "Block", {"layer": layer("Dense", units=2), "layers": cell()}, "acme>Block")
    assert judged(own, "keras.layers.Dense", "layer") == HOLDS
    assert judged(own, CELL, "layer") == FAILS


def test_an_object_inside_of_an_argument_that_is_an_object():
    own = node(None, "Block", {"parts": {"cell": cell(), "other": cell("GRUCell")}}, "acme>Block")
    assert judged(own, CELL, "parts.cell") == HOLDS
    assert judged(own, CELL, "parts.other") == FAILS
    assert judged(own, CELL, "parts") == (False, True)
    assert judged(own, CELL, "parts.missing") == FAILS


def test_the_arguments_of_keras_0_stand_beside_the_name():
    tree = {"name": "Sequential", "layers": [{"name": "Dense", "W_regularizer": {"name": "l2"}}]}
    found = plan(tree)
    (dense,) = [r for r in found.requests if r.symbol == "keras.layers.Dense"]
    rule = 'arguments.W_regularizer = { symbol = ["keras.regularizers.L2"] }'
    verdict = decide(found, policy(allow("keras.**", id="all"), deny(dense.symbol, rule)))
    assert [d.request.symbol for d in verdict.denied] == [dense.symbol]


@pytest.mark.parametrize("key", ["k" * 200, "a\nb", "a\\b"])
def test_what_is_nested_is_not_known_where_a_place_is_not_spelled_out(key):
    own = node(None, "Block", {"parts": {key: cell()}, "cell": cell()}, "acme>Block")
    assert judged(own, CELL, "parts") == UNKNOWN
    assert judged(own, CELL, "cell") == HOLDS
    assert judged(node(None, "Block", {key: cell()}, "acme>Block"), CELL, "cell") == HOLDS


def test_what_is_nested_is_not_known_where_the_place_is_too_long_to_be_spelled_out():
    tree = layer("RNN", cell=cell())
    for _ in range(60):
        tree = {"wrapped": tree}
    own = node(None, "Block", {"parts": tree}, "acme>Block")
    found = plan(own)
    rule = f'arguments.cell = {{ symbol = ["{CELL}"] }}'
    rules = policy(allow("keras.**", id="all"), allow("acme>Block", id="own"), deny(RNN, rule))
    (denied,) = decide(found, rules).denied
    assert "what is nested there is not known" in denied.reason
    assert len(denied.request.pointer) >= 480


@pytest.mark.parametrize(("length", "outcome"), [(499, FAILS), (500, UNKNOWN)])
def test_of_a_place_the_first_500_characters_are_spelled_out(length, outcome):
    # What stands below 499 characters and a slash has them in its pointer; below 500, only those.
    outer = request(RNN, arguments={"cell": 5}, pointer="/" + "x" * (length - len("//config/cell")))
    assert allowed(f'arguments.cell = {{ symbol = ["{CELL}"] }}', outer, of(outer)) == outcome


@pytest.mark.parametrize("step", ["k…", "a\\nb"])
def test_nor_is_it_where_something_above_is_not_spelled_out(step):
    # Another place may be spelled the same, and what is nested here may be that one's.
    outer = request(RNN, arguments={"cell": {}}, pointer=f"/config/{step}")
    inner = request(CELL, pointer=f"/config/{step}/config/cell")
    rule = f'arguments.cell = {{ symbol = ["{CELL}"] }}'
    assert allowed(rule, outer, of(outer, inner)) == UNKNOWN
    assert allowed(rule, outer, of(outer)) == UNKNOWN


def of(*requests):
    """What these requests have in common."""
    return Context(plan=plan([])._replace(requests=requests))


def test_what_is_nested_is_not_known_without_the_plan():
    asked = request(RNN, arguments={"cell": cell()})
    rule = f'arguments.cell = {{ symbol = ["{CELL}"] }}'
    assert allowed(rule, asked) == UNKNOWN
    near = Engine(policy(allow(RNN, rule))).decide(asked).near
    assert near.endswith("what is nested there is not known")


def test_objects_of_other_members_are_not_nested():
    inner = request(CELL, pointer="/config/cell", member="other.json")
    outer = request(RNN, arguments={"cell": {}}, member="config.json")
    found = plan([])._replace(requests=(outer, inner))
    rules = policy(allow(RNN, f'arguments.cell = {{ symbol = ["{CELL}"] }}'))
    assert not decide(found, rules).decisions[0].allowed
    same = found._replace(requests=(outer, inner._replace(member="config.json")))
    assert decide(same, rules).decisions[0].allowed


def test_a_class_of_the_programs_may_be_the_nested_object():
    own = caller_class("acme>Cell", "keras.Layer", kinds=(Kind.LAYER,))
    tree = rnn(node(None, "Cell", {}, "acme>Cell"))
    rules = policy(allow(RNN, 'arguments.cell = { symbol = ["acme>*"] }'))
    assert first(tree, rules, own).allowed
