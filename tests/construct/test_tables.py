"""Keras's `module_objects`, closed tables of names: what they explain is judged like any other."""

from __future__ import annotations

import pytest
from construct.parts import inside, make, part, refused
from plan.plans import layer

from secure_serial.construct.load import deserialize_keras_object
from secure_serial.errors import ConstructionError, LoadDenied

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

from keras.src.saving import serialization_lib  # noqa: E402

from secure_serial.construct.keras import doors  # noqa: E402


@pytest.fixture(autouse=True)
def _doors():
    doors.install()


DENSE = layer("Dense", units=2, name="d")


def test_a_table_of_keras_own_is_looked_up_by_symbol():
    table = {"MyDense": keras.layers.Dense, "fn": keras.activations.relu, "own": len}

    def from_table(config):
        return lambda: serialization_lib.deserialize_keras_object(config, module_objects=table)

    node = {"class_name": "MyDense", "config": {"units": 3}}
    assert inside(from_table(node), beside=[DENSE]).units == 3
    assert refused(from_table(node)) == "SS340"
    assert refused(from_table("own"), beside=[DENSE]) == "SS340"
    assert inside(from_table("nothing"), beside=[DENSE]) == "nothing"
    with pytest.raises(ConstructionError):
        inside(from_table({"config": {}}))
    with pytest.raises(ConstructionError, match="register it"):
        inside(from_table({"class_name": "MyDense", "module": None, "config": {}}), beside=[DENSE])


@pytest.mark.parametrize(
    ("module", "registered", "asked"),
    [("builtins", "function", "relu"), ("builtins", "relu", "relu"), ("keras.activations", "relu", "relu"),
     ("keras.activations", "function", "function"), ("keras.activations", None, None)],
)  # fmt: skip
def test_a_function_of_a_table_is_asked_for_as_keras_asks(module, registered, asked):
    class Table(dict):
        """Keras's functions, and what they were asked for by."""

        asked = None

        def __contains__(self, name):
            self.asked = name
            return super().__contains__(name)

    table = Table(relu=keras.activations.relu, function=keras.activations.relu)
    node = {
        "module": module,
        "class_name": "function",
        "config": "relu",
        "registered_name": registered,
    }

    def look_up(config):
        return serialization_lib.deserialize_keras_object(config["inner"], module_objects=table)

    got = deserialize_keras_object(
        part(config={"inner": node}), {"acme>Part": make(action=look_up)}
    )
    assert got.config["made"] is keras.activations.relu
    assert table.asked == asked


@pytest.mark.parametrize(
    ("config", "kind"),
    [("Thing", keras.layers.Dense), ({"class_name": "Thing", "config": {"units": 1}}, keras.layers.Dense)],
)  # fmt: skip
def test_what_a_table_of_kerass_classes_explains_is_judged_as_keras_would_write_it(config, kind):
    table = {"Thing": keras.layers.Dense}
    if isinstance(config, str):
        with pytest.raises(ConstructionError):  # a Dense needs its units
            deserialize_keras_object(config, module_objects=table)
    else:
        assert type(deserialize_keras_object(config, module_objects=table)) is kind


def test_a_table_of_kerass_functions_gives_the_function():
    table = {"mine": keras.activations.relu, "Lambda": keras.layers.Lambda}
    assert deserialize_keras_object("mine", module_objects=table) is keras.activations.relu
    node = {"class_name": "function", "config": "mine", "module": None}
    assert deserialize_keras_object(node, module_objects=table) is keras.activations.relu
    with pytest.raises(LoadDenied):
        deserialize_keras_object({"class_name": "Lambda", "config": {}}, module_objects=table)
