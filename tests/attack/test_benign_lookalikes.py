"""Files that look odd and are benign: none may be refused, or nobody would use the gate."""

from __future__ import annotations

import json
import os
import zipfile

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("h5py")
pytest.importorskip("yaml")

from attack import carriers
from attack.configs import (
    call,
    compiled,
    dense,
    function,
    functional,
    layer,
    obj,
    optimizer,
    sequential,
    tensor,
)

import secure_serial

WORDS = ["the", "/etc/passwd", "../../x", "C:\\x", "https://a.invalid/b", "file:///etc/passwd"]
WORDS += ["os.system", "__lambda__", "hf://a/b", "", " ", "\u00f6", "\u6f22", "lambda", "eval"]


def nested(depth):
    model = dense()
    for index in range(depth):
        model = sequential(model, name=f"level_{index}")
    return model


def shared_layer():
    twice = [call(tensor()), call(tensor("in"))]
    merged = layer("Add", "add")
    second = tensor("shared")
    second["config"] = {**second["config"], "keras_history": ["shared", 1, 0]}
    merged["inbound_nodes"] = [call([tensor("shared"), second])]
    return functional({**dense("shared"), "inbound_nodes": twice}, merged)


def share_ids_that_clash():
    """Keras 3.6 and 3.15 mark distinct objects as shared when an id is used again."""
    zeros = {**obj("keras.initializers", "Zeros", {}), "shared_object_id": 7}
    return sequential(dense("a", kernel_initializer=zeros), {**dense("b"), "shared_object_id": 7})


def module_less():
    entry = {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "relu"}}
    return sequential(entry)


PLAIN = obj("keras.layers", "Dense", {"name": "d", "units": 2}, "Dense")

#: Configs that Keras builds without TensorFlow.
BUILT = {
    "functional-by-source-name": lambda: functional(dense()),
    "shared-layer": shared_layer,
    "clashing-share-ids": share_ids_that_clash,
    "module-less-layer": module_less,
    "registered-as-itself": lambda: sequential(PLAIN),
    "nan-mask": lambda: sequential(
        layer("Masking", "m", mask_value=float("nan")), dense(), shape=(None, 3, 4)
    ),
    "infinite-mask": lambda: sequential(
        layer("Masking", "m", mask_value=float("-inf")), dense(), shape=(None, 3, 4)
    ),
    "unicode-name": lambda: sequential(dense("Gr\u00f6\u00dfe \u5c42"), name="mod\u00e8le"),
    "name-with-spaces": lambda: sequential(dense("my dense layer (2)")),
    "name-of-a-function": lambda: sequential(dense("os.system"), dense("eval"), dense("lambda")),
    "name-of-a-class": lambda: sequential(dense("Lambda"), dense("TorchModuleWrapper")),
    "name-with-dots": lambda: sequential(dense("a..b"), dense("v1.2:0")),
    "name-equal-to-activation": lambda: sequential(dense("relu", activation="relu")),
    "layer-as-activation": lambda: sequential(
        dense(activation=layer("LeakyReLU", "leaky", negative_slope=0.2))
    ),
    "function-object-as-activation": lambda: sequential(
        dense(activation=function("builtins", "relu"))
    ),
    "initializer-by-class-name": lambda: sequential(dense(kernel_initializer="GlorotUniform")),
    "initializer-by-snake-name": lambda: sequential(dense(kernel_initializer="glorot_uniform")),
    "policy-object": lambda: sequential(
        dense(dtype=obj("keras", "DTypePolicy", {"name": "mixed_float16"}))
    ),
    "metric-with-a-path-like-name": lambda: compiled(
        metrics=[obj("keras.metrics", "Precision", {"name": "precision at 0.5"})]
    ),
    "loss-as-metric": lambda: compiled(metrics=["mse", "mean_absolute_error"]),
    "schedule": lambda: compiled(
        optimizer=optimizer(
            learning_rate=obj(
                "keras.optimizers.schedules",
                "ExponentialDecay",
                {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.9},
            )
        )
    ),
    "thirty-levels": lambda: nested(30),
    "large-but-honest": lambda: sequential(
        layer("Embedding", "e", input_dim=400_000, output_dim=8), shape=(None, 5)
    ),
    "dozens-of-layers": lambda: sequential(
        *(layer("Dropout", f"d{n}", rate=0.1) for n in range(60))
    ),
}

#: Configs that only TensorFlow builds; a scan passes them.
SCANNED = {
    "words-like-paths": lambda: sequential(layer("StringLookup", "s", vocabulary=WORDS)),
    "text-vectorization": lambda: sequential(
        layer("TextVectorization", "t", vocabulary=WORDS, standardize="lower_and_strip_punctuation")
    ),
    "no-vocabulary": lambda: sequential(layer("StringLookup", "s", vocabulary=None)),
    "integer-lookup": lambda: sequential(layer("IntegerLookup", "i", vocabulary=[1, 2, 3])),
    "many-words": lambda: sequential(
        layer("StringLookup", "s", vocabulary=[f"../w{n}" for n in range(50_000)])
    ),
}


def assert_clean(path):
    report = secure_serial.scan([path])
    files = report.files
    assert [str(file.status) for file in files] == ["allowed"], [
        (file.reason, file.findings) for file in files
    ]


@pytest.mark.parametrize("form", ["keras", "json", "h5"])
@pytest.mark.parametrize("name", [*BUILT, *SCANNED])
def test_scan_passes_it(name, form, tmp_path):
    make = BUILT.get(name) or SCANNED[name]
    if form == "h5" and name == "many-words":
        pytest.skip("an HDF5 attribute made by h5py ends at 64 KiB")
    assert_clean(carriers.write(form, tmp_path, make()))


@pytest.mark.keras
@pytest.mark.parametrize("name", BUILT)
def test_load_builds_what_keras_builds(name, tmp_path):
    keras = pytest.importorskip("keras")
    path = carriers.write("json", tmp_path, BUILT[name]())
    keras.backend.clear_session()  # automatic names start at the same number for both
    model = secure_serial.load_model(path)
    keras.backend.clear_session()
    expected = keras.models.model_from_json(path.read_text())
    if name != "clashing-share-ids":  # there Keras itself gives one object for the other
        assert json.loads(model.to_json(sort_keys=True), parse_constant=str) == json.loads(
            expected.to_json(sort_keys=True), parse_constant=str
        )
    assert model.count_params() > 0 or name == "dozens-of-layers"


def good_members():
    return carriers.keras_members(sequential(dense()))


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_style_does_not_matter(indent, ascii_only, tmp_path):
    path = tmp_path / "config.json"
    root = sequential(dense("Gr\u00f6\u00dfe"))
    text = json.dumps(root, indent=indent, ensure_ascii=ascii_only)
    path.write_text("\n" + text + "\r\n\t ", encoding="utf-8", newline="")
    assert_clean(path)


def test_deflated_archive_passes(tmp_path):
    assert_clean(carriers.write_zip(tmp_path / "m.keras", good_members(), zipfile.ZIP_DEFLATED))


def test_member_order_does_not_matter(tmp_path):
    members = dict(reversed(list(good_members().items())))
    assert_clean(carriers.write_zip(tmp_path / "m.keras", members))


def test_repetitive_config_passes(tmp_path):
    """A thousand equal layers deflate far better than a hundredfold."""
    layers = [layer("Dropout", f"d{n}", rate=0.1, extra_long_note=None) for n in range(2_000)]
    for entry in layers:
        del entry["config"]["extra_long_note"]
    members = carriers.keras_members(json.dumps(sequential(*layers), indent=200).encode())
    assert_clean(carriers.write_zip(tmp_path / "m.keras", members, zipfile.ZIP_DEFLATED))


def test_yaml_tuples_pass(tmp_path):
    """Keras 2 wrote tuples with a tag of their own, and no other."""
    path = tmp_path / "model.yaml"
    path.write_text(
        "backend: tensorflow\nclass_name: Sequential\nkeras_version: 2.2.4\nconfig:\n"
        "  name: seq\n  layers:\n  - class_name: Conv2D\n    config:\n      name: c\n"
        "      filters: 2\n      batch_input_shape: !!python/tuple [null, 8, 8, 3]\n"
        "      kernel_size: !!python/tuple\n      - 3\n      - 3\n"
    )
    assert_clean(path)


def test_ordinary_hdf5_features_pass(tmp_path):
    """Chunks, filters, growing datasets, scalars, text: all of it is inside the file."""
    import h5py
    import numpy as np

    path = carriers.write_h5(tmp_path / "m.h5", sequential(dense()))
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]
        data = np.arange(4_000, dtype="f4").reshape(40, 100)
        group.create_dataset("gzip", data=data, compression="gzip", shuffle=True, fletcher32=True)
        group.create_dataset("growing", data=data, maxshape=(None, 100), chunks=True)
        group.create_dataset("half", data=data.astype("f2"))
        group.create_dataset("scalar", data=np.float32(1))
        group.create_dataset("none", shape=(0, 4), dtype="f4")
        group.attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
        group.attrs["text"] = "\u00f6"
    assert_clean(path)
