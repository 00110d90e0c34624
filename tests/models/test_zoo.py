"""What Keras writes, we load: the same config, the same predictions, under the default policy."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("keras")
pytest.importorskip("h5py")

import numpy as np
from models import zoo

import secure_serial

pytestmark = pytest.mark.keras

for family in Path(__file__).parent.glob("zoo_*.py"):
    importlib.import_module(f"models.{family.stem}")  # which fills the zoo


def _named(name):
    return pytest.param(name, marks=[pytest.mark.slow] if name in zoo.SLOW else [])


NAMES = [_named(name) for name in sorted(zoo.ZOO)]
FORMATS = ("keras", "h5")


def told(model):
    """All that a model says of itself, as JSON; NaN equals NaN there."""
    return json.dumps(json.loads(model.to_json()), sort_keys=True)


def own_config(model):
    return json.dumps(model.get_config(), sort_keys=True, default=repr)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Each specimen is built and written once."""
    made = {}

    def get(name, form):
        if name not in made:
            made[name] = (zoo.ZOO[name](), tmp_path_factory.mktemp("zoo"))
        specimen, folder = made[name]
        path = folder / f"{name}.{form}"
        # In this order: writing .h5 takes the optimizer out of what Keras writes to .keras.
        for each in ("keras", form):
            written = folder / f"{name}.{each}"
            if not written.exists():
                specimen.model.save(written)
        return specimen, path

    return get


def assert_same_numbers(one, other, inputs):
    import keras

    expected = keras.tree.flatten(one.predict(inputs, verbose=0))
    given = keras.tree.flatten(other.predict(inputs, verbose=0))
    assert len(expected) == len(given)
    for left, right in zip(expected, given, strict=True):
        np.testing.assert_allclose(np.asarray(right), np.asarray(left), rtol=1e-5, equal_nan=True)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", NAMES)
def test_loads_as_keras_loads(saved, name, form):
    """Config, JSON and predictions are those of keras.models.load_model."""
    import keras

    if form == "h5" and name in zoo.NO_H5:
        pytest.skip("Keras itself does not read this model back from .h5")
    specimen, path = saved(name, form)
    keras.backend.clear_session()  # automatic names start at the same number for both
    expected = keras.models.load_model(path, custom_objects=specimen.custom_objects)
    keras.backend.clear_session()
    model = secure_serial.load_model(path, custom_objects=specimen.custom_objects)
    assert type(model) is type(expected)
    assert own_config(model) == own_config(expected)
    assert told(model) == told(expected)
    assert_same_numbers(expected, model, specimen.inputs)


@pytest.mark.parametrize(
    "name", ["compiled_objects", "compiled_strings", "two_outputs_compiled", "trained"]
)
@pytest.mark.parametrize("form", FORMATS)
def test_compile_is_honoured(saved, name, form):
    """compile=True gives Keras's optimizer and losses; compile=False gives none."""
    import keras

    _, path = saved(name, form)
    keras.backend.clear_session()
    expected = keras.models.load_model(path)
    keras.backend.clear_session()
    model = secure_serial.load_model(path)
    assert model.compiled
    assert type(model.optimizer) is type(expected.optimizer)
    assert json.dumps(model.optimizer.get_config(), default=repr) == json.dumps(
        expected.optimizer.get_config(), default=repr
    )
    assert len(model.optimizer.variables) == len(expected.optimizer.variables)
    for left, right in zip(expected.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_allclose(np.asarray(right), np.asarray(left))
    assert not secure_serial.load_model(path, compile=False).compiled


def test_trained_model_goes_on_training(saved):
    """A step after loading changes the weights as it does after Keras's own loading."""
    import keras

    _, path = saved("trained", "keras")
    losses = []
    for load in (keras.models.load_model, secure_serial.load_model):
        model = load(path)
        history = model.fit(zoo.numbers(8, 4), zoo.numbers(8, 1), verbose=0, shuffle=False)
        losses.append(history.history["loss"])
    assert losses[0] == pytest.approx(losses[1])


@pytest.mark.parametrize("name", NAMES)
def test_scan_finds_nothing(saved, name):
    """A benign model of built-ins is clean; what is custom is found, and named."""
    _, path = saved(name, "keras")
    status = [str(file.status) for file in secure_serial.scan([path]).files]
    assert status == ["denied" if name in zoo.CUSTOM else "allowed"]


@pytest.mark.parametrize("name", sorted(zoo.CUSTOM))
def test_stranger_is_denied(saved, name, monkeypatch):
    """Where the program neither registers nor passes it, a custom object is not built."""
    import keras

    from secure_serial.errors import LoadDenied

    _, path = saved(name, "keras")
    known = keras.saving.get_custom_objects()
    for key in [key for key in known if key.startswith("zoo>")]:
        monkeypatch.delitem(known, key)
    with pytest.raises(LoadDenied):
        secure_serial.load_model(path)
