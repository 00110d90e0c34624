"""A migrated model gives what the Keras that saved it gave; stored layouts as Keras 2 read them.

The files were made by Keras 2.15 (`old_keras.py`).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("keras")
pytest.importorskip("h5py")

import keras
import numpy as np

import secure_serial
from secure_serial.construct.keras.old_weights import rearranged
from secure_serial.migrate import CannotMigrate

pytestmark = pytest.mark.keras
FILES = Path(__file__).parent / "files"
#: These have the old hard_sigmoid beside Dropout; its migration is refused (objects.py).
UNSETTLED = {"dense", "convolutions", "recurrent"}
MODELS = sorted({path.stem for path in FILES.glob("*.h5")} - UNSETTLED)


def load(name, **options):
    keras.ops.zeros(1)
    return secure_serial.load_model(
        FILES / f"{name}.h5", policy="legacy-keras2", migrate=True, **options
    )


def outputs(model, inputs):
    given = [np.array(values, "float32") for values in inputs]
    found = model(given if len(given) > 1 else given[0])
    return [np.asarray(each) for each in (found if isinstance(found, list) else [found])]


@pytest.mark.parametrize("name", MODELS)
def test_gives_what_keras_2_gave(name):
    values = json.loads((FILES / f"{name}.values.json").read_text())
    found = outputs(load(name), values["inputs"])
    assert len(found) == len(values["outputs"])
    for mine, theirs in zip(found, values["outputs"], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", sorted(UNSETTLED))
def test_hard_sigmoid_beside_dropout_is_refused(name):
    with pytest.raises(CannotMigrate, match="hard_sigmoid"):
        load(name)


def test_the_comparison_can_fail():
    values = json.loads((FILES / "compiled.values.json").read_text())
    model = load("compiled")
    model.layers[0].set_weights([w * 1.01 for w in model.layers[0].get_weights()])
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(
            outputs(model, values["inputs"])[0], values["outputs"][0], rtol=1e-4, atol=1e-5
        )


def test_what_it_was_compiled_with_comes_along():
    optimizer = load("compiled").optimizer
    assert type(optimizer).__name__ == "SGD"
    assert optimizer.nesterov
    schedule = optimizer._learning_rate
    # Keras 2: lr / (1 + decay * iterations)
    assert float(schedule(4)) == pytest.approx(0.1 / (1 + 0.5 * 4))


def test_is_not_compiled_if_not_wanted():
    assert not load("compiled", compile=False).compiled


ROWS = json.loads((FILES / "layouts.json").read_text())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row["kinds"]))
def test_weights_are_rearranged_as_keras_2_did(row):
    before = [np.array(values, "float32") for values in row["before"]]
    found = rearranged(row["kinds"], before, first=row["first"], theano=False)
    assert [each.tolist() for each in found] == row["after"]


@pytest.mark.parametrize("kind", ["Conv2D", "Conv2DTranspose", "ConvLSTM2D"])
def test_kernels_of_theano_are_turned_round(kind):
    """keras/utils/conv_utils.py of 2.3.1, convert_kernel: all axes but the last two."""
    arrays = [np.arange(16.0).reshape(2, 2, 2, 2), np.arange(4.0).reshape(2, 2, 1, 1), np.ones(2)]
    found = rearranged([kind], arrays, first=False, theano=True)
    assert np.array_equal(found[0], arrays[0][::-1, ::-1])
    recurrent = arrays[1][::-1, ::-1] if kind == "ConvLSTM2D" else arrays[1]
    assert np.array_equal(found[1], recurrent)
    assert np.array_equal(found[2], arrays[2])


@pytest.mark.parametrize(
    ("kinds", "shapes", "options"),
    [
        (("model", "Conv2D"), [(2, 2, 1, 1)], {"first": False, "theano": True}),
        (("Conv2DTranspose",), [(2, 2, 1, 1)], {"first": True, "theano": False}),
        (("SeparableConv2D",), [(2, 2, 1, 1)], {"first": False, "theano": True}),
        (("Conv1D",), [(3, 1, 2, 1)], {"first": True, "theano": False}),
        (("Conv1D",), [(3, 2, 2)], {"first": True, "theano": False}),
        (("Conv1D",), [], {"first": True, "theano": False}),
        (("CuDNNLSTM",), [(3, 8), (2, 8), (8,)], {"first": False, "theano": False}),
        (("CuDNNLSTM",), [(3, 8), (2, 8)], {"first": False, "theano": False}),
    ],
)
def test_weights_without_a_rule_are_refused(kinds, shapes, options):
    with pytest.raises(CannotMigrate):
        rearranged(kinds, [np.zeros(shape) for shape in shapes], **options)
