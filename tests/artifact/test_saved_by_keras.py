"""What real Keras saves is read, in every form that it has."""

import json
import zipfile

import pytest

keras = pytest.importorskip("keras")

from secure_serial.artifact import open_artifact, read_artifact  # noqa: E402
from secure_serial.artifact.document import Format  # noqa: E402
from secure_serial.errors import UnsafeArtifact  # noqa: E402

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def model():
    built = keras.Sequential(
        [keras.layers.Input((3,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(2)]
    )
    built.compile("adam", "mse")
    return built


def test_an_archive(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    with open_artifact(path) as opened:
        document = opened.document
        with zipfile.ZipFile(opened.file) as archive:
            assert document.parts[0].root == json.loads(archive.read("config.json"))
    assert (document.format, document.keras_version) == (Format.KERAS, keras.__version__)
    shapes = [array.shape for array in document.weights if array.path.startswith("layers/")]
    assert shapes == [(3, 4), (4,), (4, 2), (2,)]


def test_an_archive_of_npz_weights_holds_pickles(model, tmp_path):
    from keras.src.saving import saving_lib

    path = tmp_path / "model.keras"
    saving_lib.save_model(model, path, weights_format="npz")
    with pytest.raises(UnsafeArtifact) as caught:
        read_artifact(path)
    assert caught.value.code == "SS133"


def test_a_folder(model, tmp_path):
    model.save(tmp_path / "model", zipped=False)
    document = read_artifact(tmp_path / "model")
    assert (document.format, document.keras_version) == (Format.KERAS_DIR, keras.__version__)
    assert document.weights


def test_a_legacy_file_and_weights_alone(model, tmp_path):
    model.save(tmp_path / "model.h5")
    document = read_artifact(tmp_path / "model.h5")
    assert document.format is Format.HDF5
    assert [part.member for part in document.parts] == ["@model_config", "@training_config"]
    model.save_weights(tmp_path / "model.weights.h5")
    document = read_artifact(tmp_path / "model.weights.h5")
    assert (document.format, document.parts) == (Format.WEIGHTS, ())
    assert document.weights


def test_the_texts_and_values_that_keras_gives(model):
    text = model.to_json()
    assert read_artifact(text.encode()).parts[0].root == json.loads(text)
    value = keras.saving.serialize_keras_object(model)
    assert read_artifact(value).parts[0].root["class_name"] == "Sequential"
