"""Where a node stands decides what it may be, and nothing is passed over."""

from __future__ import annotations

import pytest
from plan.plans import (
    BLOCK,
    LAYER,
    SWISH,
    at,
    caller_class,
    codes,
    layer,
    node,
    only,
    plan,
    sequential,
)

from secure_serial.artifact.document import Role
from secure_serial.limits import Limits
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.request import Action, Origin

CODE = "4wEAAAAAAAAAAQAAAAcAAAATAAAAcy4AAAB0AGoBfABkAWQBZwKIAGQCGACIAGQCGABnAmQBZAFn"
RELU = node("keras.activations", "function", "relu", "function")


def dense(**config):
    return layer("Dense", **{"units": 2, **config})


def test_a_node_is_a_request_with_its_place_its_kind_and_its_arguments():
    request = at(sequential(dense(name="a")), "/config/layers/0")
    assert (request.symbol, request.kind, request.field) == (
        "keras.layers.Dense",
        Kind.LAYER,
        Field.LAYER,
    )
    assert (request.action, request.origin, request.name) == (Action.CONSTRUCT, Origin.KERAS, "a")
    assert request.arguments == {"units": 2, "name": "a"}
    assert request.written == "keras.layers.Dense"
    assert request.depth == 1


def test_requests_stand_in_the_order_of_the_document():
    tree = sequential(dense(activation=RELU, kernel_initializer="zeros"), dense())
    pointers = [r.pointer for r in plan(tree).requests]
    assert pointers == [
        "", "/config/layers/0", "/config/layers/0/config/activation",
        "/config/layers/0/config/kernel_initializer", "/config/layers/1",
    ]  # fmt: skip


def test_a_walk_over_thousands_of_levels_does_not_recurse():
    tree = dense()
    for _ in range(1500):
        tree = node("keras.layers", "TimeDistributed", {"layer": tree})
    assert len(plan(tree).requests) == 1501


# Fields by position.


@pytest.mark.parametrize(
    ("argument", "value"),
    [("activation", "relu"), ("activation", RELU), ("activation", layer("LeakyReLU")),
     ("activation", node("keras.activations", "function", "relu")),
     ("kernel_initializer", "zeros"), ("kernel_initializer", node("keras.initializers", "Zeros")),
     ("kernel_initializer", {"class_name": "Zeros", "config": {}}),
     ("kernel_regularizer", "l2"), ("kernel_regularizer", {"class_name": "L2", "config": {"l2": 0.1}}),
     ("kernel_regularizer", {"name": "l2", "l2": 0.1}), ("kernel_constraint", {"name": "maxnorm", "m": 2}),
     ("dtype", "float32"), ("dtype", node("keras", "DTypePolicy", {"name": "mixed_float16"})),
     ("dtype", "bfloat16"), ("bias_constraint", None), ("use_bias", False)],
)  # fmt: skip
def test_what_belongs_into_a_slot_may_stand_there(argument, value):
    assert not codes(dense(**{argument: value}))


@pytest.mark.parametrize(
    ("argument", "value"),
    [("activation", node("keras.optimizers", "Adam")), ("activation", node("keras", "Sequential", {"layers": []})),
     ("activation", node("keras.losses", "function", "mean_squared_error")),
     ("kernel_initializer", layer("Dense", units=1)), ("kernel_initializer", RELU),
     ("kernel_regularizer", node("keras.initializers", "Zeros")),
     ("kernel_constraint", node("keras.regularizers", "L2")), ("dtype", layer("Dense", units=1)),
     ("activation", node("keras.utils", "function", "get_file"))],
)  # fmt: skip
def test_what_belongs_elsewhere_is_refused_in_a_slot(argument, value):
    assert codes(dense(**{argument: value})) == ["SS311"]


@pytest.mark.parametrize("argument", ["units", "use_bias", "name", "input_shape"])
@pytest.mark.parametrize("value", [RELU, layer("Dense", units=1), node("os", "system")])
def test_no_object_may_stand_where_a_plain_value_does(argument, value):
    assert set(codes(dense(**{argument: value}))) & {"SS313", "SS325"}


def test_a_layer_slot_takes_a_layer_and_not_an_optimizer():
    assert not codes(layer("TimeDistributed", layer=dense()))
    assert codes(layer("TimeDistributed", layer=node("keras.optimizers", "Adam"))) == ["SS311"]


def functional(*layers):
    return node("keras.src.models.functional", "Functional", {"name": "f", "layers": list(layers)})


@pytest.mark.parametrize(
    "entry",
    [RELU, node("keras.utils", "function", "get_file"), node("keras.optimizers", "Adam"),
     node("builtins", "function", "acme>swish", "function")],
)  # fmt: skip
def test_a_node_of_a_graph_is_a_layer_or_an_operation_and_never_a_function(entry):
    assert "SS311" in codes(functional(entry), SWISH)


def test_operations_layers_and_models_are_nodes_of_a_graph():
    operation = node("keras.src.ops.numpy", "Add", {"name": "add"})
    assert not codes(functional(operation, dense(name="b"), sequential(dense())), LAYER)


def test_a_class_where_a_function_is_named_is_refused():
    function = node("keras.losses", "function", "MeanSquaredError")
    assert codes(
        node("keras", "Sequential", {"layers": []}, compile_config={"loss": function})
    ) == ["SS311"]


def test_any_object_of_the_policy_may_stand_at_the_root():
    for root in (RELU, dense(), node("keras.optimizers", "Adam"), [RELU, dense()], {"a": RELU}):
        assert not codes(root)


@pytest.mark.parametrize("root", [None, True, 3, 2.5, "text", [1, [2]], {"a": {"b": 1}}, []])
def test_plain_values_ask_for_nothing(root):
    found = plan(root)
    assert (found.requests, found.objections) == ((), ())


def test_a_plain_root_is_still_held_to_what_may_be_said():
    assert codes({"a": ["/etc/passwd"]}) == ["SS320"]
    assert codes(b"bytes") == ["SS322"]


# Identifiers.


def test_an_identifier_is_a_request_of_its_own():
    request = at(dense(activation="relu"), "/config/activation")
    assert (request.symbol, request.action) == ("keras.activations.relu", Action.REFER)
    request = at(dense(kernel_initializer="zeros"), "/config/kernel_initializer")
    assert (request.symbol, request.action) == ("keras.initializers.Zeros", Action.CONSTRUCT)


def test_an_unknown_identifier_that_reads_like_a_path_says_so():
    assert codes(dense(activation="/etc/passwd")) == ["SS320"]
    assert codes(dense(activation="swoosh")) == []
    assert at(dense(activation="swoosh"), "/config/activation").origin is Origin.UNKNOWN


def test_a_marshalled_function_in_a_function_slot_is_code():
    found = at(layer("Lambda", function=CODE), "/config/function")
    assert found.action is Action.LAMBDA
    assert found.objections[0].code == "SS305"  # it is too short to be any
    unread = at(layer("Lambda", function=CODE), "/config/function", safe_mode=True)
    assert [o.code for o in unread.objections] == ["SS303"]


def test_a_programs_name_in_an_object_slot_is_the_programs_object():
    assert at(dense(activation="acme>swish"), "/config/activation", SWISH).origin is Origin.CALLER
    assert codes(dense(kernel_initializer="acme>Layer"), LAYER) == ["SS311"]


def test_the_same_identifier_is_judged_by_each_place_of_its_own():
    tree = dense(activation="zeros", kernel_initializer="zeros")
    assert [r.origin for r in plan(tree).requests[1:]] == [Origin.UNKNOWN, Origin.KERAS]


# Code.


@pytest.mark.parametrize(
    "value",
    [{"class_name": "__lambda__", "config": {"value": [CODE, None, None]}}, [CODE, None, None],
     (CODE, None, None)],
)  # fmt: skip
def test_code_is_found_by_its_shape(value):
    assert at(layer("Lambda", function=value), "/config/function").action is Action.LAMBDA


def test_keras_2s_word_for_code_beside_it_is_enough():
    assert codes(layer("Lambda", function="f", function_type="lambda")).count("SS305") == 1
    tree = layer("Lambda", arguments={"f": {"function_type": "lambda"}})
    assert codes(tree) == ["SS305", "SS311"]
    assert not codes(layer("Lambda", function=RELU, function_type="function"))


def test_a_list_of_three_texts_is_no_code_where_no_function_stands():
    assert not codes(layer("StringLookup", vocabulary=["a", "b", "c"]))


# Objects where nobody reads.


@pytest.mark.parametrize("evil", [dense(), [dense()], {"x": [dense()]}])
@pytest.mark.parametrize(
    "key", ["evil", "shared_object_id", "registered_name", "module", "keras_version"]
)
def test_an_object_beside_a_config_is_refused(key, evil):
    assert codes({**dense(), key: evil})


@pytest.mark.parametrize("key", ["modelTopology", "model_config"])
def test_an_object_beside_a_models_config_in_a_file_is_refused(key):
    assert codes({key: dense(), "other": [dense()]}) == ["SS313"]
    assert not codes(
        {key: dense(), "keras_version": "2.4.0", "weightsManifest": [{"paths": ["a.bin"]}]}
    )


def test_wrappers_are_taken_off_with_what_a_model_was_compiled_with():
    tree = {
        "modelTopology": {
            "model_config": dense(),
            "training_config": {"loss": "mse", "metrics": ["acc"]},
        }
    }
    assert {r.pointer for r in plan(tree).requests} == {
        "/modelTopology/training_config/loss",
        "/modelTopology/training_config/metrics/0",
        "/modelTopology/model_config",
    }


def test_of_two_models_in_one_wrapper_one_is_the_model_and_the_other_is_refused():
    tree = {"model_config": dense(), "modelTopology": layer("Flatten")}
    built = [r for r in plan(tree).requests if not r.objections]
    assert [r.pointer for r in built] == ["/modelTopology"]
    assert codes(tree) == ["SS313"]


def test_a_wrapper_holds_an_object_and_nothing_else():
    tree = {"modelTopology": [dense()], "model_config": dense()}
    built = [r for r in plan(tree).requests if not r.objections]
    assert [r.pointer for r in built] == ["/model_config"]
    assert not plan({"modelTopology": None}).requests


def test_opaque_bytes_as_a_key_are_refused():
    assert codes(layer("Lambda", arguments={CODE: 1})) == ["SS321"]
    assert not codes(layer("Lambda", arguments={3: 1}))


def test_a_dict_in_an_object_slot_that_names_nothing_is_refused_where_no_nest_may_be():
    assert codes(dense(activation={"a": 1})) == ["SS310"]
    assert codes(dense(activation={"a": dense()}))[0] == "SS310"
    assert not codes(dense(activation={}))


# What a model was compiled and built with.


def test_compile_config_has_fields_of_its_own():
    model = sequential()
    good = {
        "optimizer": node("keras.optimizers", "Adam"),
        "loss": "mse",
        "metrics": [["accuracy"], "mae"],
    }
    assert not codes({**model, "compile_config": good})
    assert codes({**model, "compile_config": {"optimizer": dense()}}) == ["SS311"]
    assert "SS313" in codes({**model, "build_config": {"input_shape": dense()}})
    assert "SS313" in codes({**model, "build_config": [dense()]})


def training(value):
    return codes(value, role=Role.TRAINING)


def test_a_training_config_is_read_as_keras_2_wrote_it():
    config = {
        "optimizer_config": {"class_name": "Adam", "config": {"lr": 0.001}},
        "loss": "mse",
        "metrics": ["accuracy"],
    }
    assert not training(config)
    assert not training(None)
    assert training(
        {"optimizer_config": {"class_name": "Dense", "config": {}}, "anything": dense()}
    )
    assert training([dense()])[0] == "SS310"


# Inbound nodes.


def test_the_graph_takes_plain_values_and_encodings_and_no_objects():
    call = {"args": [[1, None, "x"], {"class_name": "__keras_tensor__", "config": {
        "shape": [None, 2], "dtype": "float32", "keras_history": ["in", 0, 0]}}], "kwargs": {"axis": -1}}  # fmt: skip
    assert not codes(functional({**dense(name="d"), "name": "d", "inbound_nodes": [call]}))
    assert "SS313" in codes(
        functional({**dense(), "inbound_nodes": [{"args": [RELU], "kwargs": {}}]})
    )
    assert "SS320" in codes(functional({**dense(), "inbound_nodes": [{"args": ["/etc/passwd"]}]}))


def test_a_huge_size_in_a_graphs_call_is_refused():
    assert "SS323" in codes(functional({**dense(), "inbound_nodes": [[[1 << 20, 1 << 20]]]}))
    assert "SS323" in codes(functional({**dense(), "inbound_nodes": [{"kwargs": {"n": 1 << 25}}]}))


def test_what_is_no_number_stands_where_keras_writes_it():
    nan = float("nan")
    assert not codes(layer("Masking", mask_value=nan))
    assert codes(dense(units=nan)) == ["SS324"]
    assert codes(layer("InputLayer", batch_shape=[None, nan])) == ["SS324"]


# Names.


@pytest.mark.parametrize("bad", ["..", "a/b", "a\\b", "", 7, ["a"]])
def test_an_instances_name_is_a_part_of_a_path(bad):
    assert "SS325" in codes(dense(name=bad))
    assert "SS325" in codes({**dense(), "name": bad})


def test_two_layers_of_one_name_in_one_container_are_refused():
    assert codes(sequential(dense(name="a"), dense(name="a"))) == ["SS326"]
    assert codes(functional({**dense(), "name": "a"}, {**dense(), "name": "a"})) == ["SS326"]
    assert not codes(sequential(dense(name="a"), sequential(dense(name="a"))))
    assert not codes(sequential(dense(), dense()))


# The document as a whole.


def test_too_many_layers_are_refused():
    tree = sequential(dense(), dense())
    assert plan(tree).layers == 3
    assert not codes(tree, limits=Limits(layers=3))
    assert codes(tree, limits=Limits(layers=2)) == ["SS331"]


def test_too_much_memory_in_all_is_refused():
    tree = sequential(dense(units=10), dense(units=100))
    assert plan(tree).allocation == (10 + 10 * 100) * 4
    assert codes(tree, limits=Limits(allocation_bytes=4039)) == ["SS330"]
    assert not codes(tree, limits=Limits(allocation_bytes=4040))


# The forms of earlier Keras.


def test_keras_1_has_a_list_of_layers_for_a_config():
    tree = {
        "class_name": "Sequential",
        "config": [{"class_name": "Dense", "config": {"output_dim": 3}}],
    }
    assert not codes(tree)
    assert at(tree, "/config/0").symbol == "keras.layers.Dense"
    assert "SS326" in codes({"class_name": "Sequential", "config": [dense(name="a")] * 2})


def test_keras_0_has_arguments_beside_the_name():
    tree = {
        "name": "Sequential",
        "layers": [{"name": "Dense", "output_dim": 3, "init": "uniform"}],
        "loss": "mse",
    }
    assert not codes(tree)
    assert at(tree, "/layers/0").symbol == "keras.layers.Dense"
    assert at(tree, "/layers/0/init").symbol.startswith("keras.initializers")
    assert "SS313" in codes({**tree, "class_mode": RELU})


@pytest.mark.parametrize(
    "root",
    [{"name": ["Sequential"], "layers": []}, {"name": {"a": 1}, "layers": []}, {"name": "Dense", "layers": []},
     {"name": "Sequential"}],
)  # fmt: skip
def test_what_only_resembles_keras_0_is_a_plain_value(root):
    assert not plan(root).requests


# Classes of the program's own.


def test_a_programs_layer_has_the_fields_of_its_nearest_base():
    good = node(None, "Layer", {"name": "a", "dtype": "float32", "mine": 3}, "acme>Layer")
    assert not codes(good, LAYER)
    assert "SS325" in codes(node(None, "Layer", {"name": "../a"}, "acme>Layer"), LAYER)
    assert at(good, "", LAYER).kind is Kind.LAYER


def test_a_programs_class_may_hold_any_object_but_no_path():
    good = node(None, "Block", {"part": dense(), "act": "relu", "n": [1]}, "acme>Block")
    assert not codes(good, BLOCK)
    assert codes(node(None, "Block", {"file": "dir/file"}, "acme>Block"), BLOCK) == ["SS320"]
    assert codes(node(None, "Layer", {"file": "dir/file"}, "acme>Layer"), LAYER) == ["SS320"]


def test_a_programs_class_of_another_kind_is_refused_in_a_slot():
    optimizer = caller_class("acme>Opt", "keras.optimizers.Adam", kinds=(Kind.OPTIMIZER,))
    assert codes(sequential(node(None, "Opt", {}, "acme>Opt")), optimizer) == ["SS311"]


@pytest.mark.parametrize("config", ["text", 3, [1], True, [node("os", "system")]])
def test_a_config_that_is_no_object_is_refused(config):
    assert "SS310" in codes(node("keras.layers", "Dense", config))


def test_an_object_in_the_place_of_arguments_is_refused():
    assert "SS310" in codes(node("keras.layers", "Dense", dense()))
    assert "SS310" in codes(node(None, "Block", dense(), "acme>Block"), BLOCK)
    assert not codes(node(None, "Block", {"class_name": "a"}, "acme>Block"), BLOCK)


def test_a_class_name_that_is_no_text_is_refused_and_what_stands_beside_is_seen():
    tree = {"class_name": ["Dense"], "config": {"x": dense()}, "evil": [dense()]}
    assert {"SS310", "SS313"} <= set(codes(tree))


def test_an_unknown_class_may_hold_what_it_likes_since_it_is_denied_itself():
    request = only(node("acme", "Thing", {"a": 1, "b": "relu"}))
    assert (request.origin, request.objections) == (Origin.UNKNOWN, ())


# Many objections.


def test_of_many_objections_every_kind_is_kept():
    files = {f"f{i}": "/x" for i in range(3)}
    config = {"files": ["/x"] * 50, **files, "code": CODE}
    kept = only(node(None, "Block", config, "acme>Block"), BLOCK).objections
    assert {(o.code, o.argument) for o in kept} == {
        ("SS320", "files"), ("SS320", "f0"), ("SS320", "f1"), ("SS320", "f2"), ("SS321", "code"),
    }  # fmt: skip
    assert len(kept) <= 24


def test_more_kinds_of_objection_than_anyone_reads_end_in_one_that_nothing_lifts():
    config = {f"f{i}": "/x" for i in range(1000)}
    for tree in (node(None, "Block", config, "acme>Block"), node(None, "Block", {k: [v] for k, v in config.items()}, "acme>Block")):  # fmt: skip
        kept = only(tree, BLOCK).objections
        assert len(kept) == 201
        assert kept[-1].argument == ""
        assert all(o.argument for o in kept[:-1])
