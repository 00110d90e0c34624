"""Files that Keras 3 saves, of every dtype it saves: accepted, and seen as h5py sees them."""

import io
import zipfile

import pytest

from secure_serial.artifact.hdf5 import read_hdf5
from secure_serial.artifact.source import ByteSource
from secure_serial.limits import Limits

keras = pytest.importorskip("keras")
h5py = pytest.importorskip("h5py")

pytestmark = pytest.mark.keras


def model(policy="float32"):
    layers = keras.layers
    made = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(4, dtype=policy),
            layers.BatchNormalization(dtype=policy),
            layers.Dropout(0.5),
            layers.Dense(2, dtype=policy),
        ],
        name="small",
    )
    made.compile("adam", "mse")
    return made


def check(data):
    """Compare with h5py; return what was found."""
    found = read_hdf5(
        ByteSource(io.BytesIO(data)), Limits(), attributes=frozenset({"model_config"})
    )
    arrays = {}
    with h5py.File(io.BytesIO(data)) as file:
        file.visititems(
            lambda name, item: (
                arrays.__setitem__(name, (item.shape, item.dtype.itemsize))
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
        config = file.attrs.get("model_config")
    assert {a.path: (a.shape, a.itemsize) for a in found.datasets} == arrays
    assert found.attributes == ({} if config is None else {"model_config": config.encode()})
    return found


@pytest.mark.parametrize("policy", ["float32", "float16", "bfloat16", "mixed_bfloat16"])
def test_weights_of_every_float_type(tmp_path, policy):
    path = tmp_path / "x.weights.h5"
    model(policy).save_weights(path)
    found = check(path.read_bytes())
    width = {"float32": 4, "float16": 2, "bfloat16": 2, "mixed_bfloat16": 4}[policy]
    assert ("layers/dense/vars/0", (8, 4), width) in [
        (a.path, a.shape, a.itemsize) for a in found.datasets
    ]


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_quantized_weights(tmp_path, mode):
    made = model()
    try:
        made.quantize(mode)
    except Exception as error:  # noqa: BLE001 (a backend's dtype support, not ours)
        pytest.skip(f"this Keras cannot quantize to {mode}: {error}")
    path = tmp_path / "x.weights.h5"
    made.save_weights(path)
    assert check(path.read_bytes()).datasets


@pytest.mark.parametrize("policy", ["float32", "bfloat16"])
def test_a_legacy_whole_model_file(tmp_path, policy):
    path = tmp_path / "x.h5"
    model(policy).save(path)
    found = check(path.read_bytes())
    assert b"Sequential" in found.attributes["model_config"]


def test_the_weights_member_of_an_archive(tmp_path):
    path = tmp_path / "x.keras"
    model().save(path)
    with zipfile.ZipFile(path) as archive:
        found = check(archive.read("model.weights.h5"))
    assert "optimizer/vars" in found.groups


def test_sharded_weights(tmp_path):
    made = model()
    made.save_weights(tmp_path / "x.weights.json", max_shard_size=1.5e-7)
    shards = sorted(tmp_path.glob("*.h5"))
    assert len(shards) > 1
    assert sum(len(check(shard.read_bytes()).datasets) for shard in shards) > 4
