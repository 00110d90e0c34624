"""The catalogue against the installed Keras that it was made from."""

import inspect
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

ROOT = Path(__file__).resolve().parents[2]
CURRENT = json.loads((ROOT / "policies" / "catalogue" / "keras-3.15.json").read_text())
SYMBOLS = CURRENT["symbols"]

pytestmark = [
    pytest.mark.keras,
    pytest.mark.skipif(keras.__version__ != CURRENT["version"], reason="another Keras"),
]

#: Where the optimizers stand that PyTorch has in the place of Keras's.
OF_TORCH = "keras.src.backend.torch.optimizers."


@pytest.fixture(scope="module")
def tools():
    """The generator's modules: they live beside the package, not in it."""
    sys.path.insert(0, str(ROOT))
    try:
        from tools.catalogue import generate, identifiers, instances, measure, overlay, symbols

        yield {
            "generate": generate,
            "identifiers": identifiers,
            "instances": instances,
            "measure": measure,
            "overlay": overlay,
            "symbols": symbols,
        }
    finally:
        sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def objects(tools):
    """Each canonical name's object, found by `at` alone."""
    return {name: tools["symbols"].locate(entry["at"]) for name, entry in SYMBOLS.items()}


def test_every_entry_is_where_it_says(objects):
    assert {name for name, thing in objects.items() if thing is None} == set()


def test_every_public_export_is_there_and_is_that_object(objects):
    from keras.src.api_export import REGISTERED_NAMES_TO_OBJS

    for name, thing in REGISTERED_NAMES_TO_OBJS.items():
        # A gated load in this process puts a gate before some of them.
        assert inspect.unwrap(objects[name]) is inspect.unwrap(thing), name


def test_every_alias_is_the_same_object(objects, tools):
    for name, entry in SYMBOLS.items():
        for alias in entry["aliases"]:
            if alias.startswith(OF_TORCH):
                continue
            found = tools["symbols"].locate(":".join(alias.rsplit(".", 1)))
            assert inspect.unwrap(found) is inspect.unwrap(objects[name]), alias


def test_each_optimizer_of_pytorch_has_one_of_keras_behind_it():
    """By name: their modules import PyTorch. `tests/versions` builds them where it is there."""
    folder = Path(keras.__file__).parent / "src" / "backend" / "torch" / "optimizers"
    named = {path.stem.removeprefix("torch_") for path in folder.glob("torch_*.py")}
    found = {
        alias.rpartition(".")[0].removeprefix(f"{OF_TORCH}torch_"): name
        for name, entry in SYMBOLS.items()
        for alias in entry["aliases"]
        if alias.startswith(OF_TORCH)
    }
    assert found.keys() == named - {"optimizer", "parallel_optimizer"}
    for module, name in found.items():
        assert name.lower() == f"keras.optimizers.{module}"


def test_types_are_told(objects):
    for name, entry in SYMBOLS.items():
        assert inspect.isclass(objects[name]) == (entry["type"] == "class"), name


def test_every_key_that_an_instance_writes_to_its_config_is_a_field(tools):
    seen = set()
    for name, make in tools["instances"].instances():
        keys = set(make().get_config())
        assert keys <= set(SYMBOLS[name]["fields"]), name
        seen.add(name)
    modelling = {name for name, entry in SYMBOLS.items() if "fields" in entry}
    assert modelling - seen == set(tools["instances"].NOT_MADE)


#: Classes whose own get_config and from_config do not fit together in this release.
NOT_REBUILT = {
    "keras._legacy.preprocessing.text.Tokenizer",  # has no from_config
    "keras.src.layers.rnn.conv_lstm.ConvLSTMCell",  # get_config leaves out `rank`
}


def test_every_instance_is_rebuilt_by_keras_from_its_config(tools):
    """So the table of instances is fit for proving round trips of other loaders."""
    for name, make in tools["instances"].instances():
        if name not in NOT_REBUILT:
            made = make()
            config = json.loads(json.dumps(keras.saving.serialize_keras_object(made)))
            assert type(keras.saving.deserialize_keras_object(config)) is type(made), name


def test_every_argument_of_a_constructor_is_a_field_or_reviewed_as_never_given(objects, tools):
    fields = tools["overlay"].fields()
    reviewed = {
        name for names in [*fields["absent"].values(), *fields["never"].values()] for name in names
    }
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for name, entry in SYMBOLS.items():
        if "fields" in entry and vars(objects[name]).get("__init__") is not None:
            given = list(inspect.signature(objects[name].__init__).parameters.values())[1:]
            names = {parameter.name for parameter in given if parameter.kind not in variadic}
            assert names - set(entry["fields"]) <= reviewed, name


def test_identifiers_are_what_keras_takes(objects, tools):
    compiled = {"acc", "ce", "crossentropy"}
    for word, module in tools["identifiers"].getters().items():
        for identifier, name in CURRENT["identifiers"][word].items():
            if identifier.lower() in compiled or identifier == "ACCURACY":
                continue  # resolved by compile(), not by get()
            if word == "dtype_policy":
                assert type(module.get(identifier)) is objects[name]
                continue
            key = identifier.lower() if word == "optimizer" else identifier
            assert module.ALL_OBJECTS_DICT[key] is objects[name], (word, identifier)


def test_every_identifier_of_keras_is_there(tools):
    for word, module in tools["identifiers"].getters().items():
        if word != "dtype_policy":
            assert set(module.ALL_OBJECTS_DICT) <= set(CURRENT["identifiers"][word])


def test_defaults_are_those_of_the_constructors(objects, tools):
    for name, entry in SYMBOLS.items():
        for argument, default in entry.get("defaults", {}).items():
            parameters = inspect.signature(objects[name]).parameters
            if argument in parameters:
                word = entry["fields"][argument].removesuffix("*")
                told = parameters[argument].default
                assert CURRENT["identifiers"][word][told] == default, (name, argument)


def test_compile_fields_are_those_of_compile():
    parameters = set(inspect.signature(keras.Model.compile).parameters) - {"self"}
    assert set(CURRENT["compile"]) == parameters


def test_build_fields_are_those_of_built_layers():
    dense, attention = keras.layers.Dense(2), keras.layers.MultiHeadAttention(1, 2)
    dense.build((None, 3))
    attention.build((None, 3, 2), (None, 3, 2))
    keys = set(dense.get_build_config()) | set(attention.get_build_config())
    assert keys == set(CURRENT["build"])


def test_building_and_training_resolve_only_defaults_and_what_is_implied(tools):
    log, layers = [], keras.layers
    with tools["measure"]._recorded(log):
        inputs = keras.Input((4, 3))
        hidden = layers.BatchNormalization()(layers.LSTM(2, return_sequences=True)(inputs))
        hidden = layers.Attention(use_scale=True)([hidden, hidden])
        dense = layers.Dense(2)
        model = keras.Model(inputs, dense(layers.GRU(2)(hidden)))
        dense.enable_lora(1)
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(np.zeros((2, 4, 3)), np.zeros((2, 2)), verbose=0)
    used = ["LSTM", "BatchNormalization", "Dense", "GRU"]
    known = {name for key in used for name in SYMBOLS[f"keras.layers.{key}"]["defaults"].values()}
    tables = CURRENT["identifiers"]
    known |= {tables["optimizer"]["adam"], tables["loss"]["mse"], tables["metric"]["mae"]}
    seen = {tables[table][text] for table, text in log if table != "dtype_policy"}
    assert seen <= known | set(CURRENT["implied"]["*"])
    assert not seen <= known


def test_whatever_keras_itself_refuses_to_load_is_there_with_an_effect():
    from keras.src.saving.serialization_lib import NON_MODELING_APIS

    owners = {path: name for name, entry in SYMBOLS.items() for path in [name, *entry["aliases"]]}
    harmless = {
        path
        for path in NON_MODELING_APIS
        if path in owners and not SYMBOLS[owners[path]].get("effects")
    }
    assert harmless == {
        "keras.saving.serialize_keras_object",
        "keras.utils.serialize_keras_object",
    }


@pytest.mark.slow
def test_the_file_is_what_the_generator_writes(tools):
    generate = tools["generate"]
    assert generate.TARGET.read_text(encoding="utf-8") == generate.text(generate.catalogue())
