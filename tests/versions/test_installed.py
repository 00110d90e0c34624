"""The catalogue of the Keras that is installed, and what older ones open more than the newest."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
h5py = pytest.importorskip("h5py")
np = pytest.importorskip("numpy")

from attack import carriers  # noqa: E402
from attack.configs import dense, input_layer, layer, sequential  # noqa: E402

from secure_serial import data, enforcing, parse_policy  # noqa: E402
from secure_serial.construct.keras import versions  # noqa: E402
from secure_serial.errors import ConstructionError, LoadDenied, SecureSerialError  # noqa: E402

pytestmark = pytest.mark.keras
ROOT = Path(__file__).resolve().parents[2]
HERE = versions.parsed(keras.__version__)
#: What a careless policy lets in: the gate must hold without it.
CARELESS = parse_policy(
    """
    schema = 1
    extends = "keras-core"
    [[allow]]
    id = "careless"
    symbols = ["keras.layers.*"]
    """,
    "careless.toml",
)


def in_a_process(text):
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", text],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


# The catalogue.


def test_the_catalogue_is_of_this_version():
    assert HERE in versions.KNOWN
    assert versions.parsed(versions.catalogue().version) == HERE


@pytest.mark.skipif(HERE == versions.NEWEST, reason="tests/catalogue looks at the newest one")
def test_the_catalogue_is_what_the_generator_writes():
    done = in_a_process("from tools.catalogue.generate import check; raise SystemExit(check())")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_symbol_is_where_the_catalogue_has_it():
    """What `keras-core` may build, at least; the tests of the catalogue look at all of 3.15's."""
    known = versions.catalogue()
    entries = [known.entry(name) for name in known.symbols()]
    placed = [each for each in entries if each.at and each.kind not in ("class", "function")]
    assert len(placed) > 400
    for entry in placed:
        module, _, name = entry.at.partition(":")
        assert hasattr(importlib.import_module(module), name), entry.symbol


def test_what_this_version_has_not_got_is_said_to_be_missing():
    known = versions.catalogue()
    absent = [name for name in known.symbols() if not known.entry(name).at]
    assert bool(absent) == (HERE != versions.NEWEST)
    layers = [name for name in absent if name.startswith("keras.layers.")]
    assert bool(layers) == (HERE < (3, 14))  # which has all that 3.15 has
    with enforcing("keras-core"):
        for name in layers[:3]:
            node = {"module": "keras.layers", "class_name": name.rpartition(".")[2], "config": {}}
            with pytest.raises(SecureSerialError, match=r"has no keras\.layers|denied"):
                keras.saving.deserialize_keras_object(node)


@pytest.mark.skipif(HERE != (3, 6), reason="this Keras has it under the name of today")
def test_what_was_renamed_since_is_known_by_both_names():
    for name in ("Orthogonal", "OrthogonalInitializer"):
        node = {"module": "keras.initializers", "class_name": name, "config": {}}
        with enforcing("keras-core"):
            made = keras.saving.deserialize_keras_object({**node, "registered_name": None})
        assert type(made) is keras.initializers.OrthogonalInitializer


def test_the_scanner_knows_the_newest_version_whichever_is_installed():
    assert versions.parsed(data.catalogue().version) == versions.NEWEST


def test_an_optimizer_that_was_saved_on_pytorch_is_keras_own_on_each_backend():
    node = {
        "module": "keras.src.backend.torch.optimizers.torch_sgd", "class_name": "SGD",
        "config": {"learning_rate": 0.5}, "registered_name": "SGD",
    }  # fmt: skip
    with enforcing("keras-core"):
        made = keras.saving.deserialize_keras_object(node)
        with pytest.raises(LoadDenied):
            keras.saving.deserialize_keras_object({**node, "class_name": "TorchParallelOptimizer"})
    assert type(made) is type(keras.optimizers.SGD())
    assert float(made.learning_rate) == 0.5


# What older versions open more than the newest one.


def archive(folder, *layers, weights=None):
    config = sequential(input_layer(), *layers, dense())
    return carriers.write_keras(folder / "m.keras", config, weights)


@pytest.mark.parametrize("safe_mode", [True, False, None])
@pytest.mark.parametrize("form", ["keras", "h5"])
def test_a_lambda_is_refused_whatever_allows_it(tmp_path, form, safe_mode):
    """3.6 ran one from every `.h5`, and from `Lambda.from_config` outside any scope."""
    written = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)])
    written.save(tmp_path / f"m.{form}")
    config = written.layers[0].get_config()
    with enforcing(CARELESS):
        with pytest.raises(LoadDenied):
            keras.models.load_model(tmp_path / f"m.{form}", safe_mode=safe_mode)
        with pytest.raises(ValueError, match="lambda"):  # ours is one, and 3.15 refuses it first
            keras.layers.Lambda.from_config(config)


@pytest.mark.parametrize(
    ("name", "config"),
    [("StringLookup", {"vocabulary": "/etc/hostname"}), ("IntegerLookup", {"vocabulary": "/etc/hostname"}),
     ("TextVectorization", {"vocabulary": "/etc/hostname"}),
     ("TFSMLayer", {"filepath": "/tmp", "call_endpoint": "serve"}),
     ("TorchModuleWrapper", {"module": {"class_name": "__bytes__", "config": {"value": "x"}}})],
)  # fmt: skip
def test_what_opens_files_or_unpickles_is_refused_whatever_allows_it(tmp_path, name, config):
    """Paths of vocabularies, SavedModels and pickles of PyTorch, which 3.6 took in safe mode."""
    path = archive(tmp_path, layer(name, **config))
    with enforcing(CARELESS), pytest.raises(SecureSerialError) as caught:
        keras.models.load_model(path)
    assert not isinstance(caught.value, ConstructionError), caught.value


class Bomb:
    """What a pickle would run; it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_weights_that_hold_pickles_are_refused(tmp_path):
    """`np.load(allow_pickle=True)`, by which 3.6 and 3.8 read `model.weights.npz`."""
    trap = tmp_path / "sprung"
    np.savez(tmp_path / "w.npz", __root__=np.array([Bomb(trap)], dtype=object))
    members = carriers.keras_members(sequential(input_layer(), dense()))
    del members["model.weights.h5"]
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
        made.writestr("model.weights.npz", (tmp_path / "w.npz").read_bytes())
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with enforcing("keras-core"):
        with pytest.raises(SecureSerialError):
            keras.models.load_model(tmp_path / "m.keras")
        with pytest.raises(SecureSerialError):
            model.load_weights(tmp_path / "m.keras")
    assert not trap.exists()


def test_weights_that_stand_in_another_file_are_refused(tmp_path):
    """3.15 looks at external links itself; those before it read whatever they name."""
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["vars"] = [1.0]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        name = next(
            iter(file["layers"] if "layers" in file else file["_layer_checkpoint_dependencies"])
        )
        group = file["layers"] if "layers" in file else file["_layer_checkpoint_dependencies"]
        del group[name]
        group[name] = h5py.ExternalLink("other.h5", "/")
    with enforcing("keras-core"), pytest.raises(SecureSerialError):
        model.load_weights(path)


# Versions that nobody knows, each in a process of its own.

FAKED = """
import json, keras
keras.__version__ = {version!r}
{moved}
from secure_serial import enforcing
from secure_serial.errors import ConstructionError
from secure_serial.construct.keras import versions
try:
    with enforcing("keras-core"):
        keras.saving.deserialize_keras_object({{"module": "os", "class_name": "system", "config": {{}}}})
except Exception as error:
    told = type(error).__name__
gates = [p.door for p in versions.PLACES if p.since <= versions.NEWEST < p.until
         and hasattr(getattr(__import__(p.module, fromlist=["x"]), p.name, None), "is_gate")]
print(json.dumps([told, gates]))
"""
RENAMED = "from keras.src.saving import saving_lib as s; s.opened = s.{0}; del s.{0}"


def faked(version, moved=""):
    done = in_a_process(FAKED.format(version=version, moved=moved))
    assert done.returncode == 0, done.stderr
    return (*json.loads(done.stdout.splitlines()[-1]), done.stderr)


@pytest.mark.skipif(HERE < (3, 7), reason="the class of variables had another name then")
def test_a_newer_keras_whose_doors_all_fit_is_enforced_with_a_warning():
    told, gates, said = faked("3.16.0")
    assert told == "LoadDenied"
    places = versions.places(versions.NEWEST).values()
    assert len(gates) == sum(not place.holder for place in places)  # the others stand in classes
    assert "UnknownKerasWarning" in said


@pytest.mark.parametrize("name", ["_load_model_from_fileobj", "_model_from_config"])
def test_a_newer_keras_with_a_door_elsewhere_is_not_enforced_at_all(name):
    told, gates, said = faked("3.16.0", RENAMED.format(name))
    assert (told, gates) == ("ConstructionError", [])
    assert "UnknownKerasWarning" not in said


@pytest.mark.parametrize("version", ["3.5.0", "3.7.0", "2.15.0"])
def test_an_older_keras_that_nobody_knows_is_not_enforced_at_all(version):
    assert faked(version)[:2] == ("ConstructionError", [])


def test_this_keras_is_enforced_without_a_warning():
    told, gates, said = faked(keras.__version__)
    assert told == "LoadDenied"
    assert gates
    assert "UnknownKerasWarning" not in said
