"""What was judged is what is loaded, whatever becomes of the file in between."""

from __future__ import annotations

import io
import json
import mmap
import os
import shutil
import threading

import pytest

from secure_serial import enforcing, load_model
from secure_serial.artifact import held as holding
from secure_serial.artifact.held import Held
from secure_serial.errors import ConstructionError, UnsafeArtifact

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
pytest.importorskip("h5py")
pytestmark = pytest.mark.keras

GOOD, EVIL = 1.25, -6.75


class Meanwhile(keras.layers.Layer):
    """A layer whose building and whose weights' loading leave time for something beside."""

    building = staticmethod(lambda: None)
    loading = staticmethod(lambda: None)

    def build(self, shape):
        self.kernel = self.add_weight(shape=(64,), initializer="zeros")

    def call(self, x):
        return x

    @classmethod
    def from_config(cls, config):
        cls.building()
        return cls(**config)

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self.loading()


OBJECTS = {"Meanwhile": Meanwhile}


def beside(action):
    """The action, done by another thread, as another program would."""

    def wait():
        thread = threading.Thread(target=action)
        thread.start()
        thread.join()

    return wait


@pytest.fixture(autouse=True)
def _idle(monkeypatch):
    monkeypatch.setattr(Meanwhile, "building", staticmethod(lambda: None))
    monkeypatch.setattr(Meanwhile, "loading", staticmethod(lambda: None))


@pytest.fixture(params=["held in memory", "too large to be held"])
def size(request, monkeypatch):
    if request.param != "held in memory":
        monkeypatch.setattr(holding, "MOST_HELD", 0)
    return request.param


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The same model with good and with evil weights, in each format."""
    folder = tmp_path_factory.mktemp("models")
    for name, value in (("good", GOOD), ("evil", EVIL)):
        model = keras.Sequential([keras.Input((64,)), Meanwhile(name="m")], name="s")
        model.set_weights([np.full(64, value, "float32")])
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        model.save(folder / f"{name}.folder", zipped=False)
        model.save_weights(folder / f"{name}.weights.h5")
    return folder


class Files:
    """The file to load, the part of it that holds weights, and what the evil one has there."""

    def __init__(self, models, target, form):
        self.path = target / f"model.{form}"
        good, evil = models / f"good.{form}", models / f"evil.{form}"
        if good.is_dir():
            shutil.copytree(good, self.path)
            self.weights = self.path / "model.weights.h5"
            evil = evil / "model.weights.h5"
        else:
            shutil.copyfile(good, self.path)
            self.weights = self.path
        self.good, self.evil = self.weights.read_bytes(), evil.read_bytes()
        numbers = np.full(64, GOOD, "float32").tobytes()
        self.at = self.good.index(numbers)
        self.bad_numbers = np.full(64, EVIL, "float32").tobytes()

    def write(self, data=None):
        with self.weights.open("r+b") as file:
            file.seek(self.at)
            file.write(self.bad_numbers if data is None else data)


@pytest.fixture(params=["keras", "h5", "folder"])
def files(request, models, tmp_path):
    return Files(models, tmp_path, request.param)


def exchange(files):
    other = files.path.parent / "other"
    other.write_bytes(files.evil)
    other.replace(files.weights)


def write_and_set_the_time_back(files):
    before = files.weights.stat()
    files.write()
    os.utime(files.weights, ns=(before.st_atime_ns, before.st_mtime_ns))


def write_to_memory(files):
    with files.weights.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[files.at : files.at + len(files.bad_numbers)] = files.bad_numbers
        mapped.flush()


def truncate(files):
    os.truncate(files.weights, files.at)


def append(files):
    with files.weights.open("ab") as file:
        file.write(b"more")


WRITES = [Files.write, write_and_set_the_time_back, write_to_memory, truncate, append]


def records(log):
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def values(model):
    return set(np.concatenate([w.ravel() for w in model.get_weights()]).tolist())


def load(path, **options):
    return load_model(path, custom_objects=OBJECTS, **options)


def test_the_files_are_what_the_tests_need(files):
    """Writing as they do does put evil weights into the file."""
    assert values(load(files.path)) == {GOOD}
    files.write()
    if files.path.suffix != ".keras":  # whose checksum notices
        assert values(load(files.path)) == {EVIL}


@pytest.mark.parametrize("change", WRITES, ids=lambda change: change.__name__)
def test_writing_into_a_file_while_it_is_loaded_gives_no_model(files, size, tmp_path, change):
    Meanwhile.building = staticmethod(beside(lambda: change(files)))
    log = tmp_path / "audit.jsonl"
    # Keras may find a large file broken before it is seen to have changed.
    with pytest.raises((UnsafeArtifact, ConstructionError)) as caught:
        load(files.path, audit=log)
    if size == "held in memory":
        assert caught.value.code == "SS136"
    assert [r.get("outcome") for r in records(log)] == [None, "failed"]


def test_another_file_under_the_name_changes_nothing(files, size):
    Meanwhile.building = staticmethod(beside(lambda: exchange(files)))
    assert values(load(files.path)) == {GOOD}
    assert files.weights.read_bytes() == files.evil


@pytest.mark.parametrize("form", ["keras", "folder"])
def test_bytes_that_are_there_for_a_moment_are_not_loaded(models, tmp_path, monkeypatch, form):
    files = Files(models, tmp_path, form)
    numbers = files.good[files.at : files.at + len(files.bad_numbers)]
    Meanwhile.building = staticmethod(beside(files.write))
    Meanwhile.loading = staticmethod(beside(lambda: files.write(numbers)))
    assert values(load(files.path)) == {GOOD}
    monkeypatch.setattr(holding, "MOST_HELD", 0)
    with pytest.raises((UnsafeArtifact, ConstructionError)):
        load(files.path)


@pytest.mark.parametrize(
    "change",
    [lambda f: f.write(f.good[f.at :]), lambda f: f.weights.chmod(0o600)],
    ids=["same bytes", "mode"],
)
def test_a_file_that_still_has_the_same_bytes_is_loaded(models, tmp_path, change):
    files = Files(models, tmp_path, "keras")
    Meanwhile.building = staticmethod(beside(lambda: change(files)))
    assert values(load(files.path)) == {GOOD}


def test_an_open_stream_is_held_too(models, size):
    from keras.src.saving import saving_lib

    good = (models / "good.keras").read_bytes()

    def open_streams():
        yield io.BytesIO(good)
        path = models / "copy.keras"
        path.write_bytes(good)
        with path.open("r+b") as file:
            yield file

    for stream in open_streams():
        Meanwhile.building = staticmethod(lambda: None)
        with enforcing("keras-core"):
            assert values(saving_lib.load_model(stream, OBJECTS)) == {GOOD}

            def change(stream=stream):
                stream.seek(good.index(np.full(64, GOOD, "float32").tobytes()))
                stream.write(np.full(64, EVIL, "float32").tobytes())
                stream.flush()

            Meanwhile.building = staticmethod(beside(change))
            with pytest.raises((UnsafeArtifact, ConstructionError)):
                saving_lib.load_model(stream, OBJECTS)


@pytest.mark.parametrize("change", [exchange, *WRITES], ids=lambda change: change.__name__)
def test_weights_alone_that_change_while_they_are_read_are_refused(models, tmp_path, change):
    files = Files(models, tmp_path, "weights.h5")
    model = load_model(models / "good.keras", custom_objects=OBJECTS)
    Meanwhile.loading = staticmethod(beside(lambda: change(files)))
    with enforcing("keras-core"), pytest.raises(UnsafeArtifact, match="changed"):
        model.load_weights(files.path)


# The parts.


def test_what_is_held_is_closed_or_shorter_in_the_end(monkeypatch):
    for most in (holding.MOST_HELD, 0):
        monkeypatch.setattr(holding, "MOST_HELD", most)
        stream = io.BytesIO(b"abc")
        held = Held(stream, 3, "stream")
        held.check()
        assert held.sha256().startswith("ba7816bf")
        stream.truncate(2)
        with pytest.raises(UnsafeArtifact):
            held.check()
        stream.close()
        with pytest.raises(UnsafeArtifact, match="stream"):
            held.check()
