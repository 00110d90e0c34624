"""A program that took Keras's function by name, long before any gated load, is gated too."""

from __future__ import annotations

import pytest

import secure_serial

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

from keras.saving import deserialize_keras_object  # noqa: E402 - by name, before the doors


class Holder(keras.layers.Layer):
    """Revives a layer, and whatever else `extra` holds, by Keras's own function."""

    def __init__(self, inner, extra=None, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner
        self.extra = extra

    def call(self, inputs):
        return self.inner(inputs)

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.inner)
        return {**super().get_config(), "inner": inner}

    @classmethod
    def from_config(cls, config):
        config["inner"] = deserialize_keras_object(config["inner"])
        if isinstance(config.get("extra"), str):
            # The planner saw a text; what is in it comes out while building.
            name = config["extra"].split()[1]
            config["extra"] = deserialize_keras_object(
                {"module": "keras.layers", "class_name": name, "config": {"name": "x"}}
            )
        return cls(**config)


def test_its_nested_objects_are_built():
    config = keras.saving.serialize_keras_object(Holder(keras.layers.Dense(2)))
    back = secure_serial.deserialize_keras_object(config, {"Holder": Holder})
    assert type(back.inner) is keras.layers.Dense


def test_what_the_plan_did_not_hold_is_refused():
    config = keras.saving.serialize_keras_object(Holder(keras.layers.Dense(2)))
    config["config"]["extra"] = "a Flatten please"
    with pytest.raises(secure_serial.LoadDenied) as caught:
        secure_serial.deserialize_keras_object(config, {"Holder": Holder})
    assert caught.value.code == "SS340"
    assert caught.value.records[-1]["outcome"] == "failed"
    assert caught.value.records[-1]["refused"][0]["symbol"] == "keras.layers.Flatten"


def test_outside_a_gated_load_keras_is_as_it_was():
    config = keras.saving.serialize_keras_object(keras.layers.Flatten())
    assert type(deserialize_keras_object(config)) is keras.layers.Flatten
