"""Names that the program registered are no password: text stays text (KERAS.md's string hijack)."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
pytest.importorskip("h5py")

from attack import carriers  # noqa: E402
from attack.configs import dense, layer, obj, sequential  # noqa: E402

import secure_serial  # noqa: E402

pytestmark = pytest.mark.keras


class Counted(keras.layers.Layer):
    """Counts how often it is made."""

    made = 0

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        type(self).made += 1


@pytest.fixture
def objects():
    Counted.made = 0
    return {"evil>Counted": Counted, "the": Counted, "linear": Counted, "Dense": Counted}


def test_name_of_a_layer_is_not_resolved(objects, tmp_path):
    """A layer that is called as a registered class stays a Dense of that name."""
    path = carriers.write("json", tmp_path, sequential(dense("the")))
    objects.pop("Dense")
    objects.pop("linear")
    model = secure_serial.load_model(path, custom_objects=objects)
    assert [type(each).__name__ for each in model.layers] == ["Dense"]
    assert model.layers[0].name == "the"
    assert Counted.made == 0


@pytest.mark.parametrize("value", ["evil>Counted", "the", ["the"], {"a": "the"}])
def test_text_in_data_is_not_resolved(objects, value):
    """`deserialize_keras_object` of plain data gives the data, unless a name stands alone."""
    node = obj("keras.layers", "Dense", {"name": "d", "units": 2, "activation": value})
    try:
        made = secure_serial.deserialize_keras_object(node, custom_objects=objects)
    except secure_serial.SecureSerialError:
        made = None
    assert Counted.made == 0
    assert made is None or type(made).__name__ == "Dense" or made.activation is not Counted


def test_custom_object_does_not_shadow_a_built_in(objects, tmp_path):
    """Rule 3: `keras.layers.Dense` is Keras's, whatever the program calls its own classes."""
    path = carriers.write("json", tmp_path, sequential(dense("d")))
    try:
        model = secure_serial.load_model(path, custom_objects=objects)
    except secure_serial.SecureSerialError:
        model = None
    assert Counted.made == 0
    assert model is None or type(model.layers[0]) is keras.layers.Dense


def test_file_cannot_pick_another_registered_class(objects, tmp_path):
    """A built-in's entry with the registered name of the program's class gives neither."""
    entry = {**dense("d"), "registered_name": "evil>Counted"}
    path = carriers.write("json", tmp_path, sequential(entry))
    with pytest.raises(secure_serial.SecureSerialError):
        secure_serial.load_model(path, custom_objects=objects)
    assert Counted.made == 0


def test_allowed_class_is_not_a_way_to_its_module(objects, tmp_path):
    """That the program passed a class of a module allows that class, and nothing else there."""
    stranger = obj(Counted.__module__, "os", {"name": "x"}, "os")
    path = carriers.write("json", tmp_path, sequential(layer("Dense", "d", units=2), stranger))
    with pytest.raises(secure_serial.LoadDenied):
        secure_serial.load_model(path, custom_objects=objects)
