"""Whatever a tree holds, a migration ends in a document or in one of our errors."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_serial.artifact.document import Document, Format, Part, Role
from secure_serial.data import catalogue, migrations
from secure_serial.errors import SecureSerialError
from secure_serial.limits import Limits
from secure_serial.migrate import migrate
from secure_serial.plan.request import Origin
from secure_serial.plan.walker import make_plan

WORDS = st.sampled_from([
    "class_name", "config", "layers", "name", "module", "inbound_nodes", "input_layers", "axis",
    "output_layers", "Sequential", "Model", "Functional", "Dense", "LSTM", "Merge", "Bidirectional",
    "TFOpLambda", "TensorFlowOpLayer", "SlicingOpLambda", "InputLayer", "batch_input_shape",
    "layer", "activation", "hard_sigmoid", "W_regularizer", "l2", "mode", "node_def", "function",
    "constants", "__tuple__", "items", "dtype", "Policy", "kernel_initializer", "a", "args",
    "kwargs", "slice_spec", "math.multiply", "GRU", "BatchNormalization", "input_dim", "units",
])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | WORDS
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=40,
)


def document(root):
    return Document("a file", Format.JSON, "", (Part(Role.MODEL, "", root),))


def migrated(root):
    return migrate(document(root), catalogue=catalogue(), tables=migrations(), callers={})


def unknown(root):
    plan = make_plan(document(root), catalogue=catalogue(), callers={}, limits=Limits())
    return {(r.action, r.symbol) for r in plan.requests if r.origin is Origin.UNKNOWN}


def check(root):
    try:
        done = migrated(root)
    except SecureSerialError:
        return
    after = done.document.parts[0].root
    assert unknown(after) <= unknown(root)
    assert not migrated(after).changed or after == migrated(after).document.parts[0].root


@settings(max_examples=100, deadline=None)
@given(TREES)
def test_any_tree(root):
    check(root)


FILES = Path(__file__).parents[1].parent / "examples" / "models" / "benign"
GRAPH = {
    "class_name": "Model",
    "config": {
        "name": "m",
        "layers": [
            {"name": "a", "class_name": "InputLayer", "inbound_nodes": [],
             "config": {"batch_input_shape": [None, 4], "name": "a", "dtype": "float32"}},
            {"name": "d", "class_name": "Dense", "config": {"units": 3, "name": "d",
             "kernel_initializer": {"class_name": "Zeros", "config": {}}},
             "inbound_nodes": [[["a", 0, 0, {}]]]},
            {"name": "b", "class_name": "Bidirectional", "config": {"name": "b", "layer": {
             "class_name": "LSTM", "config": {"units": 2, "recurrent_activation": "sigmoid"}}},
             "inbound_nodes": [[["d", 0, 0, {"training": None}]]]},
            {"name": "f", "class_name": "TFOpLambda", "config": {"function": "math.add"},
             "inbound_nodes": [[["b", 0, 0, {"y": 1.0}]]]},
        ],
        "input_layers": [["a", 0, 0]], "output_layers": [["f", 0, 0]],
    },
}  # fmt: skip


def places(value, found):
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            found.append((value, key))
            places(value[key], found)
    return found


@pytest.mark.parametrize("seed", range(300))
def test_a_model_with_something_wrong_in_it(seed):
    chance = random.Random(seed)
    root = json.loads(json.dumps(GRAPH))
    wrong = [None, 3, -1, "x", [], {}, [[]], {"class_name": 3}, {"class_name": "Dense"}, 1e400,
             {"class_name": "__lambda__", "config": {"value": "aaaa"}}, [["a", 0, 0]]]  # fmt: skip
    for _ in range(chance.randint(1, 2)):
        holder, key = chance.choice(places(root, []))
        holder[key] = json.loads(json.dumps(chance.choice(wrong)))
    check(root)


def test_depth_ends_in_our_error():
    root = {"class_name": "Dense", "config": {}}
    for _ in range(60):
        root = {"class_name": "TimeDistributed", "config": {"layer": root}}
    with pytest.raises(SecureSerialError, match="deep"):
        migrated({"class_name": "Sequential", "config": [root]})


def test_depth_of_plain_values_is_what_the_reader_lets_in():
    value = 1
    for _ in range(Limits().depth - 10):
        value = [value]
    root = {
        "class_name": "Sequential",
        "config": [{"class_name": "Dense", "config": {"units": value}}],
    }
    assert migrated(root).changed


def test_many_layers_take_time_in_proportion():
    layers = [{"class_name": "Dense", "config": {"output_dim": 1}}] * 5000
    made = migrated({"class_name": "Sequential", "config": layers})
    assert len(made.document.parts[0].root["config"]["layers"]) == 5000
