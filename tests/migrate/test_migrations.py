"""What each migration does, on trees alone: no Keras."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from secure_serial.artifact.document import Document, Format, Part, Role
from secure_serial.data import catalogue, migrations
from secure_serial.migrate import CannotMigrate, migrate

ROOT = Path(__file__).resolve().parents[2]


def document(root, version=None):
    return Document("a file", Format.JSON, "", (Part(Role.MODEL, "", root),), keras_version=version)


def migrated(root, version=None):
    done = migrate(document(root, version), catalogue=catalogue(), tables=migrations(), callers={})
    return done.document.parts[0].root


def layer(name, **config):
    """A layer after migration, as the second of a Sequential behind an input."""
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3]}}
    node = {"class_name": name, "config": config}
    return migrated({"class_name": "Sequential", "config": [first, node]})["config"]["layers"][1]


LSTM = {"output_dim": 3, "inner_activation": "sigmoid", "activation": "tanh"}
#: What goes in, and what comes out.
ARGUMENTS = [
    ("Dense", {"output_dim": 4, "init": "zero", "bias": False},
     "keras.layers.Dense", {"units": 4, "kernel_initializer": "zero", "use_bias": False}),
    ("Convolution2D", {"nb_filter": 2, "nb_row": 3, "nb_col": 5, "border_mode": "same",
                       "subsample": [1, 2], "dim_ordering": "th"},
     "keras.layers.Conv2D", {"filters": 2, "kernel_size": [3, 5], "padding": "same",
                             "strides": [1, 2], "data_format": "channels_first"}),
    ("AtrousConvolution1D", {"nb_filter": 2, "filter_length": 3, "atrous_rate": 2},
     "keras.layers.Conv1D", {"filters": 2, "kernel_size": 3, "dilation_rate": 2}),
    ("MaxPooling1D", {"pool_length": 2, "stride": 2, "border_mode": "valid"},
     "keras.layers.MaxPooling1D", {"pool_size": 2, "strides": 2, "padding": "valid"}),
    ("Dropout", {"p": 0.5}, "keras.layers.Dropout", {"rate": 0.5}),
    ("SpatialDropout2D", {"rate": 0.5, "noise_shape": None, "trainable": True},
     "keras.layers.SpatialDropout2D", {"rate": 0.5}),
    ("TimeDistributedDense", {"output_dim": 4}, "keras.layers.Dense", {"units": 4}),
    ("LSTM", {**LSTM, "forget_bias_init": "one", "consume_less": "cpu", "dropout_W": 0.1},
     "keras.layers.LSTM", {"units": 3, "recurrent_activation": "sigmoid", "activation": "tanh",
                           "unit_forget_bias": True, "dropout": 0.1}),
    ("LSTM", {"units": 3, "recurrent_activation": "sigmoid", "time_major": False},
     "keras.layers.LSTM", {"units": 3, "recurrent_activation": "sigmoid"}),
    ("GRU", {"units": 3, "recurrent_activation": "sigmoid"},
     "keras.layers.GRU", {"units": 3, "recurrent_activation": "sigmoid", "reset_after": False}),
    ("GRU", {"units": 3, "recurrent_activation": "sigmoid", "reset_after": True},
     "keras.layers.GRU", {"units": 3, "recurrent_activation": "sigmoid", "reset_after": True}),
    ("CuDNNGRU", {"units": 3}, "keras.layers.GRU",
     {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True,
      "reset_after": True}),
    ("BatchNormalization", {"axis": [3], "mode": 0, "fused": True, "epsilon": 1e-3},
     "keras.layers.BatchNormalization", {"axis": 3, "epsilon": 1e-3}),
    ("LeakyReLU", {"alpha": 0.2}, "keras.layers.LeakyReLU", {"negative_slope": 0.2}),
    ("ThresholdedReLU", {"theta": 0.2}, "keras.layers.ReLU", {"threshold": 0.2}),
    ("Embedding", {"input_dim": 9, "output_dim": 2, "input_length": 4, "dropout": 0.0},
     "keras.layers.Embedding", {"input_dim": 9, "output_dim": 2}),
    ("Dense", {"units": 1, "kernel_initializer": {"class_name": "Zeros",
                                                  "config": {"dtype": "float32"}}},
     "keras.layers.Dense",
     {"units": 1, "kernel_initializer": {"module": "keras.initializers", "class_name": "Zeros",
                                         "config": {}, "registered_name": None}}),
    ("Dense", {"output_dim": 1, "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.1}},
     "keras.layers.Dense",
     {"units": 1, "kernel_regularizer": {"module": "keras.regularizers", "class_name": "L1L2",
                                         "config": {"l1": 0.0, "l2": 0.1}, "registered_name": None}}),
    ("Dense", {"units": 1, "dtype": {"class_name": "Policy", "config": {"name": "mixed_float16"}}},
     "keras.layers.Dense",
     {"units": 1, "dtype": {"module": "keras", "class_name": "DTypePolicy",
                            "config": {"name": "mixed_float16"}, "registered_name": None}}),
    ("Activation", {"activation": "time_distributed_softmax"},
     "keras.layers.Activation", {"activation": "softmax"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "symbol", "after"), ARGUMENTS)
def test_arguments(name, before, symbol, after):
    node = layer(name, **before)
    assert f"{node['module']}.{node['class_name']}" == symbol
    assert node["config"] == after


REFUSED = [
    ("LSTM", {"units": 3, "recurrent_activation": "sigmoid", "time_major": True}, "time_major"),
    ("LSTM", {"units": 3}, "recurrent_activation"),
    ("LSTM", {**LSTM, "forget_bias_init": "uniform"}, "forget bias"),
    ("BatchNormalization", {"axis": -1, "mode": 1}, "mode"),
    ("BatchNormalization", {"axis": [1, 2]}, "several axes"),
    ("BatchNormalization", {}, "an axis that is not told"),
    ("Dense", {"units": 3, "weights": [[1.0]]}, "weights"),
    ("Dense", {"units": 3, "unheard_of": 7}, "unheard_of"),
    ("Dense", {"units": 3, "output_dim": 4}, "both"),
    ("Convolution2D", {"nb_filter": 2, "nb_row": 3, "nb_col": 3, "dim_ordering": "default"}, "order"),
    ("Deconvolution2D", {"nb_filter": 2, "nb_row": 3, "nb_col": 3, "output_shape": [None, 4, 4, 2]},
     "output_shape"),
    ("MaxoutDense", {"output_dim": 3, "nb_feature": 2}, "MaxoutDense"),
    ("Highway", {}, "Highway"),
    ("LocallyConnected1D", {"filters": 3, "kernel_size": 3}, "LocallyConnected1D"),
    ("Merge", {"mode": "cos"}, "mode"),
    ("Merge", {"mode": "sum", "mode_type": "lambda"}, "mode"),
    ("Dense", {"units": 1, "dtype": {"class_name": "PolicyV1", "config": {"name": "float32",
                                                                         "loss_scale": 3}}}, "dtype"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "config", "named"), REFUSED)
def test_what_has_no_exact_form_is_refused_and_named(name, config, named):
    with pytest.raises(CannotMigrate, match=named):
        layer(name, **config)


def test_the_old_hard_sigmoid_is_not_todays():
    """Keras 2: clip(x/5 + 1/2); Keras 3: relu6(x + 3)/6."""
    config = {"units": 1, "activation": "hard_sigmoid"}
    activation = layer("Dense", **config)["config"]["activation"]
    scale, relu = activation["config"]["layers"]
    assert activation["class_name"] == "Pipeline"
    assert scale["config"] == {"scale": 0.2, "offset": 0.5}
    assert relu["config"] == {"max_value": 1.0}


def test_what_nobody_knows_comes_out_as_it_went_in():
    node = {"class_name": "Wonder", "config": {"lambda": 1, "init": "zero"}}
    assert layer("Wonder", **node["config"]) == node


def test_code_comes_out_as_it_went_in_or_is_refused():
    code = {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}
    node = layer("Dense", units=1, activation=code)
    assert node["config"]["activation"] == code


# Models.


def test_a_list_of_layers_is_a_sequential_with_an_input():
    first = {"class_name": "Dense", "config": {"output_dim": 1, "batch_input_shape": [None, 3],
                                               "input_dtype": "float32", "name": "d"}}  # fmt: skip
    root = migrated([first])
    assert root["class_name"] == "Sequential"
    entry, dense = root["config"]["layers"]
    assert entry["config"] == {"batch_shape": [None, 3], "dtype": "float32", "name": "d_input"}
    assert dense["config"] == {"units": 1, "name": "d"}


def test_keras_0():
    root = {"name": "Sequential", "layers": [
        {"name": "Dense", "output_dim": 2, "input_shape": [4], "cache_enabled": True,
         "W_regularizer": None, "activation": "linear", "custom_name": "dense"},
        {"name": "MaxPooling2D", "pool_size": [2, 2], "stride": None, "ignore_border": True},
    ]}  # fmt: skip
    entry, dense, pooling = migrated(root)["config"]["layers"]
    assert entry["config"]["batch_shape"] == [None, 4]
    assert dense["config"]["units"] == 2
    assert pooling["config"]["data_format"] == "channels_first"


def graph(*layers, outputs, inputs=(("a", 0, 0),)):
    return {"class_name": "Model", "config": {
        "name": "m",
        "layers": [{"name": "a", "class_name": "InputLayer", "inbound_nodes": [],
                    "config": {"batch_input_shape": [None, 4], "name": "a"}}, *layers],
        "input_layers": [list(i) for i in inputs], "output_layers": outputs,
    }}  # fmt: skip


def node(name, kind, calls, **config):
    return {"name": name, "class_name": kind, "config": {"name": name, **config},
            "inbound_nodes": calls}  # fmt: skip


def histories(call):
    return [each["config"]["keras_history"] for each in call["args"]]


def test_calls_have_arguments_and_one_output_is_one():
    root = migrated(graph(node("d", "Dense", [[["a", 0, 0, {}]]], units=1), outputs=[["d", 0, 0]]))
    _, dense = root["config"]["layers"]
    (call,) = dense["inbound_nodes"]
    assert histories(call) == [["a", 0, 0]]
    assert root["config"]["output_layers"] == ["d", 0, 0]


def test_merge_becomes_the_layer_of_its_mode():
    merge = node("m", "Merge", [[["a", 0, 0], ["a", 0, 0]]], mode="concat", concat_axis=1)
    made = migrated(graph(merge, outputs=[["m", 0, 0]]))["config"]["layers"][1]
    assert (made["class_name"], made["config"]) == ("Concatenate", {"name": "m", "axis": 1})
    assert len(made["inbound_nodes"][0]["args"][0]) == 2


@pytest.mark.parametrize("first", [0, 1])
def test_calls_of_models_within_are_counted_from_nought(first):
    inner = {**graph(outputs=[["a", 0, 0]]), "name": "inner", "inbound_nodes": [[["a", 0, 0, {}]]]}
    last = node("d", "Dense", [[["inner", first, 0, {}]]], units=1)
    root = migrated(graph(inner, last, outputs=[["d", 0, 0], ["inner", first, 0]]))
    assert histories(root["config"]["layers"][2]["inbound_nodes"][0]) == [["inner", 0, 0]]
    # Keras 3 counts a Functional model's own making in what goes out (functional.py, get_tensor).
    assert root["config"]["output_layers"][1] == ["inner", 1, 0]


def test_states_behind_a_sequence_become_an_argument():
    lstm = node("l", "LSTM", [[["a", 0, 0, {}], ["a", 0, 0, {}], ["a", 0, 0, {}]]],
                units=1, recurrent_activation="sigmoid")  # fmt: skip
    made = migrated(graph(lstm, outputs=[["l", 0, 0]]))["config"]["layers"][1]
    (call,) = made["inbound_nodes"]
    assert len(call["args"]) == 1
    assert len(call["kwargs"]["initial_state"]) == 2


@pytest.mark.parametrize(
    "call", [[], [["nobody", 0, 0, {}]], [3], "a", [["a", 0, 0, {}], ["a", 0, 0, {"x": 1}]], {}]
)
def test_calls_that_are_none_are_refused(call):
    with pytest.raises(CannotMigrate):
        migrated(graph(node("d", "Dense", [call], units=1), outputs=[["d", 0, 0]]))


# Functions of TensorFlow.


def function(name, kwargs, first=("a", 0, 0)):
    return node("f", "TFOpLambda", [[[*first, kwargs]]], function=name)


def operation(each):
    return migrated(graph(each, outputs=[["f", 0, 0]]))["config"]["layers"][1]


def test_functions_become_operations():
    made = operation(function("math.multiply", {"y": 2.0, "name": None}))
    assert f"{made['module']}.{made['class_name']}" == "keras.src.ops.numpy.Multiply"
    assert made["inbound_nodes"][0]["args"][1] == 2.0
    made = operation(function("math.subtract", {"y": ["a", 0, 0]}, ("_CONSTANT_VALUE", -1, 1.0)))
    assert made["inbound_nodes"][0]["args"][0] == 1.0


def test_slices_become_items():
    spec = [{"start": None, "stop": None, "step": None}, 0]
    slicing = node("f", "SlicingOpLambda", [[["a", 0, 0, {"slice_spec": spec}]]],
                   function="__operators__.getitem")  # fmt: skip
    made = operation(slicing)
    assert made["class_name"] == "GetItem"
    assert made["inbound_nodes"][0]["args"][1][1] == 0


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("io.write_file", {}), ("math.multiply", {}), ("nn.relu", {"unheard": 1}), (["x"], {}),
        ("reshape", {"shape": [["a", 0, 0], 2]}), ("linalg.matmul", {"b": 2, "transpose_a": True}),
    ],
)  # fmt: skip
def test_functions_without_a_row_are_refused(name, kwargs):
    with pytest.raises(CannotMigrate):
        operation(function(name, kwargs))


# Laws.


EXAMPLES = [
    {"class_name": "Sequential", "config": [{"class_name": n, "config": c}]}
    for n, c, _, _ in ARGUMENTS
]


@pytest.mark.parametrize("root", EXAMPLES)
def test_what_was_migrated_stays_as_it_is(root):
    once = migrated(root)
    done = migrate(document(once), catalogue=catalogue(), tables=migrations(), callers={})
    assert not done.changed
    assert done.document.parts[0].root == once


@pytest.mark.parametrize("root", EXAMPLES)
def test_the_judged_tree_is_left_alone(root):
    before = copy.deepcopy(root)
    migrated(root)
    assert root == before


def test_a_class_of_the_programs_own_is_not_keras_s():
    """A name that a program registered means its class, as it does to the planner."""
    from secure_serial.plan.request import CallerObject

    fields = dict.fromkeys(CallerObject._fields, "") | {"name": "Dense", "qualname": "Dense"}
    given = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"init": 1}}]}
    caller = CallerObject(**{**fields, "module": "acme", "kinds": frozenset(), "bases": ()})
    done = migrate(
        document(given), catalogue=catalogue(), tables=migrations(), callers={"Dense": caller}
    )
    assert done.document.parts[0].root["config"]["layers"] == given["config"]


# The tables.


def test_rows_name_classes_and_arguments_that_there_are():
    known, tables = catalogue(), migrations()
    for row in tables.rows:
        assert row.source in tables.sources, row.id
        assert row.why
        for symbol in row.classes:
            assert symbol[0] in "*#" or symbol in known, symbol
        assert not row.becomes or known.arguments(row.becomes)
    for operation in [*tables.functions.values(), *tables.nodes.values()]:
        arguments = known.arguments(operation.symbol)
        assert arguments >= {*operation.settings.values(), *operation.fixed}
    assert set(tables.impossible) <= {s for s in tables.impossible if s in known}


def test_every_row_is_in_the_documentation():
    page = (ROOT / "docs" / "migrations.md").read_text(encoding="utf-8")
    assert [row.id for row in migrations().rows if f"| `{row.id}` |" not in page] == []
    functions = json.loads((ROOT / "policies/catalogue/migrations.json").read_text())["functions"]
    assert [name for name in functions if f"`{name}`" not in page] == []
