"""Weights are read where an archive holds them; what is not held so, Keras reads by its own way."""

from __future__ import annotations

import io
import shutil
import zipfile
from contextlib import contextmanager

import pytest

from secure_serial import load_model
from secure_serial.artifact import read_artifact
from secure_serial.artifact.faults import Fault
from secure_serial.errors import MalformedArtifact

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
pytest.importorskip("h5py")
pytestmark = pytest.mark.keras

WEIGHTS = "model.weights.h5"


@pytest.fixture
def saved(tmp_path):
    """A compiled model, trained a little: its optimizer has a state, too."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    return path, model


def repacked(path, change=lambda name, data: data, method=zipfile.ZIP_STORED, more=()):
    """The same archive, written once more."""
    target = path.with_name("again.keras")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name in more:
            new.writestr(name, b"plain text")
    return target


def state(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [np.asarray(variable) for variable in variables]


@contextmanager
def keras_opens_no_archive(monkeypatch):
    """Keras's own way ends in an error inside."""
    from keras.src.saving import saving_lib

    def refuse(*_):
        raise AssertionError("Keras has opened the archive itself")

    with monkeypatch.context() as patch:
        patch.setattr(saving_lib.zipfile, "ZipFile", refuse)
        yield


def same(loaded, model):
    pairs = list(zip(state(loaded), state(model), strict=True))
    return len(pairs) > 4 and all(np.array_equal(*pair) for pair in pairs)


def test_stored_weights_are_read_in_place(saved, monkeypatch):
    path, model = saved
    with keras_opens_no_archive(monkeypatch):
        assert same(load_model(path), model)


def test_packed_weights_and_archives_with_more_members_are_keras_s_to_read(saved):
    path, model = saved
    packed = repacked(path, method=zipfile.ZIP_DEFLATED)
    assert read_artifact(packed).stored is None
    assert same(load_model(packed), model)
    with_asset = repacked(path, more=["assets/layers/dense/note.txt"])
    assert read_artifact(with_asset).stored is None
    assert same(load_model(with_asset), model)


def test_weights_that_were_damaged_are_refused(saved, tmp_path):
    path, model = saved
    kernel = np.asarray(model.layers[0].kernel).tobytes()
    data = bytearray(path.read_bytes())
    at = data.index(kernel)
    data[at] ^= 1
    damaged = tmp_path / "damaged.keras"
    damaged.write_bytes(data)
    with pytest.raises(MalformedArtifact) as caught:
        load_model(damaged)
    assert (caught.value.code, caught.value.where.member) == (Fault.CHECKSUM, WEIGHTS)
    assert len(caught.value.where.file) > 0


def test_no_more_and_no_less_is_missing_than_keras_finds(saved, tmp_path):
    path, _ = saved
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5), keras.layers.Dense(1)])
    other.compile("adam", "mse")
    wrong = io.BytesIO()
    other.save(tmp_path / "other.keras")
    with zipfile.ZipFile(tmp_path / "other.keras") as archive:
        wrong.write(archive.read(WEIGHTS))
    mixed = repacked(path, lambda name, data: wrong.getvalue() if name == WEIGHTS else data)
    copy = shutil.copy(mixed, tmp_path / "copy.keras")
    with pytest.raises(ValueError) as by_keras:
        keras.saving.load_model(copy)
    with pytest.raises(Exception) as by_us:
        load_model(mixed)
    assert str(by_keras.value)[:60] in str(by_us.value)
