"""Every public class of Keras 3.15 is written as Keras writes it, and comes back equal."""

from __future__ import annotations

import functools

import pytest

import secure_serial

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras
instances = pytest.importorskip("tools.catalogue.instances")

KINDS = (
    "keras.layers.",
    "keras.losses.",
    "keras.metrics.",
    "keras.optimizers.",
    "keras.initializers.",
    "keras.regularizers.",
    "keras.constraints.",
)
#: Not built under keras-core, on purpose: it is made to carry code.
REFUSED = {"keras.layers.Lambda"}


@functools.cache
def made():
    return {name: make for name, make in instances.instances() if name.startswith(KINDS)}


def every_class():
    return sorted(made())


def test_the_table_covers_every_public_class_of_these_modules():
    """What is missing is named, with its reason, in the table itself."""
    public = {
        name
        for name, cls in keras.src.api_export.REGISTERED_NAMES_TO_OBJS.items()
        if name.startswith(KINDS) and isinstance(cls, type) and hasattr(cls, "get_config")
    }
    assert public - set(made()) - set(instances.NOT_MADE) == set()
    assert len(made()) >= 240


@pytest.mark.parametrize("name", every_class())
def test_it_is_written_as_keras_writes_it_and_comes_back_equal(name):
    obj = made()[name]()
    written = keras.saving.serialize_keras_object(obj)
    assert secure_serial.serialize_keras_object(obj) == written
    if name in REFUSED:
        with pytest.raises(secure_serial.LoadDenied):
            secure_serial.deserialize_keras_object(written)
        return
    back = secure_serial.deserialize_keras_object(written)
    assert type(back) is type(obj)
    by_keras = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(obj))
    assert secure_serial.serialize_keras_object(back) == keras.saving.serialize_keras_object(
        by_keras
    )


def every_activation():
    table = keras.src.activations.ALL_OBJECTS_DICT
    return sorted(name for name in table if name is not None)


@pytest.mark.parametrize("name", every_activation())
def test_an_activation_is_written_as_keras_writes_it_and_comes_back_itself(name):
    function = keras.activations.get(name)
    written = keras.saving.serialize_keras_object(function)
    assert secure_serial.serialize_keras_object(function) == written
    assert secure_serial.deserialize_keras_object(written) is function
