"""What holds for the plan of any tree, and for what is built from it."""

from __future__ import annotations

import copy

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from plan.plans import BLOCK, LAYER, SWISH, caller_class, layer, node, plan, sequential
from property.trees import KEYS, NAMES, nodes, scalars, trees

from secure_serial.artifact.dict_value import read_value
from secure_serial.construct.load import deserialize_keras_object
from secure_serial.data import catalogue, policy_names
from secure_serial.errors import SecureSerialError
from secure_serial.limits import Limits
from secure_serial.plan import arguments as arguments_module
from secure_serial.plan import names as names_module
from secure_serial.plan import values as values_module
from secure_serial.plan import walker as walker_module
from secure_serial.plan.encodings import CONTAINERS
from secure_serial.plan.fields import Field
from secure_serial.plan.request import Action, Origin
from secure_serial.plan.walker import make_plan
from secure_serial.policy.engine import decide
from secure_serial.policy.source import load_policy

OWN = (BLOCK, LAYER, SWISH)
POLICIES = [load_policy(name) for name in policy_names()]
SLOW = settings(max_examples=150, deadline=None)

BENIGN = (
    sequential(
        layer("InputLayer", batch_shape=[None, 4], name="in"),
        layer(
            "Dense",
            units=3,
            activation="relu",
            kernel_initializer=node("keras.initializers", "Zeros"),
        ),
        layer("Bidirectional", layer=layer("LSTM", units=2)),
        layer("Masking", mask_value=float("nan")),
    ),
    {
        "class_name": "Sequential",
        "config": [
            {
                "class_name": "Dense",
                "config": {"units": 2, "W_regularizer": {"name": "l2", "l2": 0.1}},
            }
        ],
    },
    {
        "name": "Sequential",
        "layers": [{"name": "Dense", "input_dim": 2, "output_dim": 3}],
        "loss": "mse",
    },
    node(None, "Block", {"size": 3}, "acme>Block", build_config={"input_shape": [None, 2]}),
    [
        node("builtins", "function", "acme>swish", "function"),
        {"class_name": "__tuple__", "items": [1, 2]},
    ],
)


def _seen(found):
    refused, named = set(), set()
    for request in found.requests:
        named.add(request.pointer)
        if request.objections:
            refused.add(request.pointer)
        named.update(o.pointer for o in request.objections)
    named.update(o.pointer for o in found.objections)
    return named, refused


@SLOW
@given(trees)
@example({"model_config": node("keras.layers", "Dense"), "evil": node("os", "system")})
@example({"class_name": "__tuple__", "items": [], "evil": node("os", "system")})
@example({"class_name": "__ellipsis__", "evil": node("os", "system")})
@example(node("keras.layers", "Dense", [node("os", "system")]))
@example({"model_config": {}, "training_config": node("os", "system")})
def test_no_node_is_silently_dropped(tree):
    named, refused = _seen(plan(tree, *OWN))
    for pointer, value in nodes(tree):
        name = value["class_name"]
        if isinstance(name, str) and name in CONTAINERS:
            continue  # it names nothing; what it holds is looked at
        if pointer.endswith("/config") and "config" not in value:
            continue  # arguments of a node, one of which is called so
        inside = any(pointer.startswith(f"{place}/") for place in refused)
        assert pointer in named or inside, pointer


@SLOW
@given(trees)
def test_a_stranger_is_denied_by_every_shipped_policy(tree):
    found = plan(tree, *OWN)
    for policy in POLICIES:
        for decision in decide(found, policy).decisions:
            if (
                decision.request.origin is Origin.UNKNOWN
                or decision.request.action is Action.LAMBDA
            ):
                assert not decision.allowed


@SLOW
@given(trees)
def test_any_tree_ends_in_a_verdict_or_in_an_error_of_ours(tree):
    try:
        document = read_value(tree, Limits(nodes=60, depth=12))
    except SecureSerialError:
        return
    found = make_plan(document, catalogue=catalogue(), callers={}, limits=Limits())
    assert decide(found, POLICIES[0]).allowed in (True, False)


@SLOW
@given(trees)
def test_the_same_tree_gives_the_same_verdict(tree):
    one, other = plan(tree, *OWN), plan(copy.deepcopy(tree), *OWN)
    assert repr(one) == repr(other)  # repr: NaN is not equal to itself
    assert repr(decide(one, POLICIES[0]).decisions) == repr(decide(other, POLICIES[0]).decisions)


def _places(root):
    stack = [(root, None, None)]
    while stack:
        value, holder, key = stack.pop()
        if holder is not None:
            yield holder, key
        if isinstance(value, dict):
            stack += [(item, value, name) for name, item in value.items()]
        elif isinstance(value, list):
            stack += [(item, value, index) for index, item in enumerate(value)]


@SLOW
@given(st.sampled_from(BENIGN), st.data(), trees)
def test_planning_a_mutated_config_never_fails(benign, data, tree):
    root = copy.deepcopy(benign)
    holder, key = data.draw(st.sampled_from(list(_places(root))))
    if data.draw(st.booleans()):
        holder[key] = tree
    elif isinstance(holder, dict):
        holder[data.draw(st.sampled_from(["class_name", "config", "name", "evil"]))] = holder.pop(
            key
        )
    else:
        holder.append(tree)
    for policy in POLICIES:
        decide(plan(root, *OWN, limits=policy.limits), policy)


@pytest.mark.parametrize("benign", BENIGN)
def test_the_configs_that_are_mutated_are_benign_themselves(benign):
    assert decide(plan(benign, *OWN), load_policy("keras-core")).allowed


class Block:
    """Builds whatever its config holds, and writes down that it did."""

    built: list[object] = []  # noqa: RUF012 (a log that the test empties)

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        cls.built.append(copy.deepcopy(config))
        for item in config.values():
            deserialize_keras_object(item)
        return cls()


@settings(max_examples=150, deadline=None)
@given(trees, st.sampled_from(["", "evil", "items"]))
@example(
    {
        "model_config": node(None, "Block", {}, "acme>Block"),
        "evil": node(None, "Block", {"a": "/x"}, "acme>Block"),
    },
    "",
)
def test_what_is_built_was_planned_with_these_very_arguments(tree, key):
    own = node(None, "Block", {"a": 1}, "acme>Block")
    root = [own, {key: tree, "class_name": "__tuple__", "items": []} if key else tree]
    Block.built.clear()
    objects = {"acme>Block": Block}
    try:
        deserialize_keras_object(root, objects)
    except SecureSerialError as error:
        verdict = getattr(error, "verdict", None)
        assume(verdict is not None)
        assert not Block.built or verdict.allowed
        planned = [r.arguments for r in verdict.plan.requests]
    else:
        callers = {"acme>Block": BLOCK}
        document = read_value(root, Limits())
        found = make_plan(document, catalogue=catalogue(), callers=callers, limits=Limits())
        planned = [r.arguments for r in found.requests]
    for built in Block.built:  # a config that is null stands for one that is empty
        assert {repr(built), repr(built or None)} & set(map(repr, planned))


PLAIN = caller_class("acme>Plain")
quick_names = st.sampled_from(["Plain", "Block", "Dense", "acme>Plain", *NAMES])
quick_nodes = st.fixed_dictionaries(
    {},
    optional={
        "module": st.one_of(
            st.none(), st.sampled_from(["acme", "acme.blocks", "os", "keras.layers"])
        ),
        "class_name": st.one_of(quick_names, quick_names, trees),
        "registered_name": st.one_of(st.sampled_from(["acme>Plain", "acme>Block"]), quick_names),
        "config": st.one_of(
            st.dictionaries(
                st.sampled_from(KEYS), st.one_of(scalars, st.lists(scalars, max_size=3))
            ),
            trees,
        ),
        "name": scalars,
        "build_config": trees,
    },
)


@SLOW
@given(
    st.one_of(quick_nodes, st.lists(quick_nodes, max_size=3), trees), st.sampled_from(list(Field))
)
@example(
    [node("acme", "Plain", {"a": 1, "b": [2.0, 3], "c": "text"}, "acme>Plain")] * 2, Field.ROOT
)
@example(node("acme", "Plain", {"a": "lambda", "a_type": "lambda"}, "acme>Plain"), Field.ROOT)
@example(node("acme", "Plain", {"class_name": None, "config": 1}, "acme>Plain"), Field.ROOT)
@example(node("acme", "Plain", {"a": "acme>swish", "b": "/etc/passwd"}, "acme>Plain"), Field.ROOT)
@example(layer("Dense", units=10**400, name=1, activation=[1, 2]), Field.ROOT)
@example(layer("Conv2D", kernel_size=[10**9, 10**9], name="b_1", strides=[1, "/a"]), Field.ROOT)
@example(
    {**layer("Dense", units=1), "build_config": {"input_shape": [None, 10**20], "a": ["/etc/x"]}},
    Field.ROOT,
)
@example(layer("StringLookup", vocabulary=["../a", "b", {}, []], name={}), Field.ROOT)
def test_no_short_cut_changes_a_plan(tree, field):
    def planned():
        found = plan(tree, *OWN, PLAIN, field=field)
        return repr(found[1:])

    quick = [planned(), planned()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names_module, "_remembered", names_module._resolved)
        patch.setattr(arguments_module.Reader, "finds_nothing", lambda *_: False)
        for module in (arguments_module, walker_module):
            patch.setattr(module, "is_harmless", lambda *_: False)
        patch.setattr(values_module, "_is_word", lambda _: False)
        assert quick == [planned()] * 2
