"""Every config of the corpus of real files is read, with the value that json gives."""

import json
from pathlib import Path

import pytest

from secure_serial.artifact import read_artifact
from secure_serial.artifact.document import Format

REAL = Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus" / "real"
if not (REAL / "index.json").is_file():
    pytest.skip("the corpus is not here", allow_module_level=True)

ROWS = json.loads((REAL / "index.json").read_text("utf-8"))["rows"]


def ids(row):
    return Path(row["config"]).stem


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_a_real_config_is_read(row):
    expected = json.loads((REAL / row["config"]).read_text("utf-8"))
    document = read_artifact(REAL / row["config"])
    assert document.format is Format.JSON
    (part,) = document.parts
    assert part.root in (expected, expected.get("model_config"))
    if row["format"] != "h5-full":
        assert document.keras_version == row["keras_version"]


@pytest.mark.parametrize("row", [row for row in ROWS if "file" in row], ids=ids)
def test_a_real_hdf5_file_holds_that_config(row):
    document = read_artifact(REAL / row["file"])
    assert document.format is Format.HDF5
    assert document.parts[0].root == json.loads((REAL / row["config"]).read_text("utf-8"))
    assert document.keras_version == row["keras_version"]
    assert {array.path: array.shape for array in document.weights} == _shapes(REAL / row["file"])


def _shapes(path):
    h5py = pytest.importorskip("h5py")
    shapes = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: shapes.update({name: item.shape} if hasattr(item, "shape") else {})
        )
    return shapes


@pytest.mark.parametrize("row", [row for row in ROWS if row["format"] == "yaml-config"], ids=ids)
def test_a_real_yaml_config_is_read_as_yaml(row):
    yaml = pytest.importorskip("yaml")

    class Unshared(yaml.SafeDumper):
        def ignore_aliases(self, data):
            return True

    expected = json.loads((REAL / row["config"]).read_text("utf-8"))
    document = read_artifact(yaml.dump(expected, Dumper=Unshared).encode())
    assert document.format is Format.YAML
    assert document.parts[0].root == expected


@pytest.mark.parametrize("row", [row for row in ROWS if row["format"] == "tfjs-layers"], ids=ids)
def test_a_real_tfjs_topology_is_read_with_the_model_around_it(row):
    topology = json.loads((REAL / row["config"]).read_text("utf-8"))
    model = {
        "modelTopology": topology,
        "weightsManifest": [{"paths": ["group1-shard1of2", "group1-shard2of2"], "weights": []}],
    }
    document = read_artifact(json.dumps(model).encode())
    assert document.format is Format.TFJS
    assert document.parts[0].root == model
    assert document.keras_version == row["keras_version"]
