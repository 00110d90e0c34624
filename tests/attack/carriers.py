"""Puts a config into each kind of file that Keras reads, as Keras itself would write it."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: All formats a config can be carried in.
FORMATS = ("keras", "h5", "json", "yaml", "tfjs", "dict")
METADATA = {"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}
EPOCH = (2026, 1, 1, 0, 0, 0)


def dumps(root: object) -> bytes:
    """JSON as Keras writes it."""
    return json.dumps(root).encode()


@cache
def empty_weights() -> bytes:
    """A `model.weights.h5` without any weights."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_group("layers")
    return buffer.getvalue()


def keras_members(config: object, weights: bytes | None = None) -> dict[str, bytes]:
    """The three members of a `.keras` archive; `config` is a tree, or bytes as they are."""
    text = config if isinstance(config, bytes) else dumps(config)
    return {
        "metadata.json": dumps(METADATA),
        "config.json": text,
        "model.weights.h5": empty_weights() if weights is None else weights,
    }


def write_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """A zip archive with fixed times."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, compress_type=method)
    return path


def write_keras(path: Path, config: object, weights: bytes | None = None) -> Path:
    """A `.keras` archive."""
    return write_zip(path, keras_members(config, weights))


def _split(root: object, *, as_is: bool) -> tuple[object, object]:
    """The legacy form: top without `module`, and the compile config apart."""
    if as_is or not isinstance(root, dict):
        return root, None
    extra = ("module", "registered_name", "build_config", "compile_config")
    top = {key: value for key, value in root.items() if key not in extra}
    compiled = root.get("compile_config")
    if isinstance(compiled, dict):
        compiled = dict(compiled)
        compiled["optimizer_config"] = compiled.pop("optimizer", None)
    return top, compiled


def write_h5(path: Path, root: object, *, as_is: bool = False) -> Path:
    """A legacy whole-model HDF5 file; `root` is a tree, or the attribute's text."""
    import h5py

    top, training = _split(root, as_is=as_is)
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "3.15.1"
        file.attrs["backend"] = "jax"
        file.attrs["model_config"] = top if isinstance(top, bytes) else dumps(top)
        if training is not None:
            file.attrs["training_config"] = dumps(training)
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = []
        weights.attrs["backend"] = "jax"
    return path


def write_yaml(path: Path, root: object, *, as_is: bool = False) -> Path:
    """What `to_yaml` of Keras 2 wrote."""
    import yaml

    top, _ = _split(root, as_is=as_is)
    path.write_text(yaml.safe_dump(top))
    return path


def write_tfjs(path: Path, root: object, *, as_is: bool = False) -> Path:
    """A TensorFlow.js layers model, without its weight shards."""
    top, training = _split(root, as_is=as_is)
    topology: dict[str, object] = {"keras_version": "2.4.0", "backend": "tensorflow"}
    topology["model_config"] = top
    if training is not None:
        topology["training_config"] = training
    document = {
        "format": "layers-model",
        "generatedBy": "keras v2.4.0",
        "convertedBy": "TensorFlow.js Converter v3.0.0",
        "modelTopology": topology,
        "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": []}],
    }
    path.write_bytes(dumps(document))
    return path


def write(form: str, folder: Path, root: object, *, as_is: bool = False) -> Path:
    """Writes `root` in the format `form`, into `folder`."""
    if form == "keras":
        return write_keras(folder / "model.keras", root)
    if form == "h5":
        return write_h5(folder / "model.h5", root, as_is=as_is)
    if form == "yaml":
        return write_yaml(folder / "model.yaml", root, as_is=as_is)
    if form == "tfjs":
        return write_tfjs(folder / "model.json", root, as_is=as_is)
    path = folder / "config.json"
    path.write_bytes(root if isinstance(root, bytes) else dumps(root))
    return path
