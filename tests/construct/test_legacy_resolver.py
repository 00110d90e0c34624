"""The resolver of Keras 1 and 2, which looks for a name alone: its door."""

from __future__ import annotations

import pytest
from construct.parts import inside, make, part, refused
from plan.plans import layer

from secure_serial.construct.load import deserialize_keras_object
from secure_serial.errors import LoadDenied

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

from keras.src.legacy.saving import serialization as legacy  # noqa: E402

from secure_serial.construct.keras import doors  # noqa: E402


@pytest.fixture(autouse=True)
def _doors():
    doors.install()


DENSE = layer("Dense", units=2, name="d")


@pytest.mark.parametrize(
    "name", ["deserialize", "serialize", "add", "Input", "concatenate", "keras_export"]
)
def test_the_legacy_resolver_reaches_no_function_of_keras_layers(name):
    node = {"class_name": name, "config": {}}
    assert (
        refused(
            lambda: legacy.deserialize_keras_object(node, module_objects=dict(vars(keras.layers)))
        )
        == "SS340"
    )


def test_the_legacy_resolver_finds_what_was_planned_and_nothing_else():
    node = {"class_name": "Dense", "config": {"units": 2}}

    def revive():
        return legacy.deserialize_keras_object(dict(node), module_objects=dict(vars(keras.layers)))

    assert type(inside(revive, beside=[DENSE])) is keras.layers.Dense
    assert refused(revive) == "SS340"


@pytest.mark.parametrize("config", [["Dense"], {"class_name": "Dense"}, {"config": {}}])
def test_the_legacy_resolver_takes_nodes_alone(config):
    def resolve():
        with pytest.raises(ValueError, match="Improper config format"):
            legacy.class_and_config_for_serialized_keras_object(config)

    inside(resolve, beside=[DENSE])


def a_function():
    raise AssertionError  # nobody may call it


def test_the_legacy_resolver_hands_over_no_function_as_a_class():
    node = {"class_name": "f", "config": {}}

    def resolve(_config):
        return legacy.class_and_config_for_serialized_keras_object(node)

    objects = {"acme>Part": make(action=resolve), "f": a_function}
    with pytest.raises(LoadDenied) as caught:
        deserialize_keras_object([part(), node], objects)
    assert caught.value.code == "SS340"
    assert "function where a class" in caught.value.records[-1]["refused"][0]["written"]


def test_the_legacy_resolver_revives_what_keras_marks_within_a_config():
    inner = {"class_name": "Zeros", "config": {}, "__passive_serialization__": True}
    node = {"class_name": "Dense", "config": {"units": 2, "bias_initializer": inner}}

    def resolve(config):
        return legacy.class_and_config_for_serialized_keras_object(config["inner"])

    got = deserialize_keras_object(
        part(config={"inner": node}), {"acme>Part": make(action=resolve)}
    )
    cls, config = got.config["made"]
    assert cls is keras.layers.Dense
    assert type(config["bias_initializer"]) is keras.initializers.Zeros
