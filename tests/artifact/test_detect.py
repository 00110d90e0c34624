"""The format is told by content; two answers, or none, are refused by name."""

import io
import json
import zipfile

import pytest

from secure_serial.artifact import read_artifact
from secure_serial.artifact.document import Format, Role
from secure_serial.errors import ArtifactError, UnsafeArtifact, UnsupportedFormat

DENSE = {"class_name": "Dense", "config": {"units": 3}}
TOPOLOGY = {"keras_version": "2.2.2", "backend": "tensorflow", "model_config": DENSE}
HDF5 = b"\x89HDF\r\n\x1a\n"


def dumps(value):
    return json.dumps(value).encode()


def tfjs(*paths, **more):
    manifest = [{"paths": list(paths), "weights": []}]
    return {"modelTopology": TOPOLOGY, "weightsManifest": manifest, **more}


@pytest.mark.parametrize(
    ("value", "form", "root", "version"),
    [
        (DENSE, "json", DENSE, None),
        ({**DENSE, "keras_version": "2.1.3"}, "json", None, "2.1.3"),
        ([DENSE, DENSE], "json", [DENSE, DENSE], None),
        ({"layers": [{"name": "Dense"}], "loss": "mse"}, "json", None, None),
        (TOPOLOGY, "json", None, "2.2.2"),
        (tfjs("group1-shard1of1"), "tfjs", None, "2.2.2"),
        (tfjs(format="layers-model"), "tfjs", None, "2.2.2"),
        ({"modelTopology": DENSE}, "tfjs", None, None),
        (json.dumps(DENSE), "json", DENSE, None),
        (json.dumps(json.dumps(DENSE)), "json", DENSE, None),
        ({"model_config": json.dumps(DENSE)}, "json", DENSE, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_every_shape_that_keras_wrote_is_found(value, form, root, version):
    document = read_artifact(dumps(value))
    assert document.format == form
    assert document.keras_version == version
    (part,) = document.parts
    assert (part.role, part.member) == (Role.MODEL, "")
    assert part.root == (value if root is None else root)


def test_the_text_is_kept_only_where_pointers_fit_it():
    assert read_artifact(dumps(DENSE)).parts[0].text == dumps(DENSE)
    assert read_artifact(dumps(TOPOLOGY)).parts[0].text == dumps(TOPOLOGY)
    assert read_artifact(dumps(json.dumps(DENSE))).parts[0].text == b""


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({}, "SS150"),
        ([], "SS150"),
        ([1], "SS150"),
        (None, "SS110"),
        ("relu", "SS150"),
        (json.dumps(json.dumps(json.dumps(DENSE))), "SS150"),
        ({"class_name": 3}, "SS150"),
        ({"layers": 3}, "SS150"),
        ({"weight_map": {}}, "SS150"),
        ({"architectures": []}, "SS150"),
        ({"modelTopology": {"node": []}, "format": "graph-model"}, "SS150"),
        ({"modelTopology": {"node": []}}, "SS150"),
        ({"model_config": {"model_config": DENSE}}, "SS150"),
        ({**DENSE, "modelTopology": DENSE}, "SS109"),
        ({"model_config": DENSE, "modelTopology": DENSE}, "SS109"),
        ({**TOPOLOGY, "keras_version": 3}, "SS134"),
        (tfjs("../x"), "SS152"),
        (tfjs("/x"), "SS152"),
        (tfjs("http://h/x"), "SS152"),
        (tfjs("a%2e"), "SS152"),
        (tfjs("a?b"), "SS152"),
        (tfjs("ok", "..\\x"), "SS152"),
        (tfjs(3), "SS152"),
        ({**tfjs(), "weightsManifest": {}}, "SS134"),
        ({**tfjs(), "weightsManifest": [{"paths": "x"}]}, "SS134"),
        ({**tfjs(), "weightsManifest": [3]}, "SS134"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_other_values_are_refused_with_their_code(value, code):
    with pytest.raises(ArtifactError) as caught:
        read_artifact(dumps(value) if value is not None else b"[nul]", name="x")
    assert caught.value.code == code
    assert caught.value.help


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x80\x04\x95\x00", "pickle"),
        (b"cos\nsystem\n(S'id'\ntR.", "pickle"),
        (b"(lp0\nI1\na.", "pickle"),
        (b"\x93NUMPY\x01\x00", "NumPy"),
        (b"\x08\x01\x12\x10", "SavedModel"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\x1c\x00\x00\x00TFL3", "Lite"),
        (bytes(257) + b"ustar\x00", "tar"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00{}", "safetensors"),
        (b"version https://git-lfs.github.com/spec/v1\n", "LFS"),
        (b"<!DOCTYPE html>", "web page"),
        (b"GGUF\x03\x00", "GGUF"),
        (b"just some words\n", "neither"),
        (b"\xff\x00\x01\x02", "neither"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_other_formats_are_named(data, what):
    with pytest.raises(UnsupportedFormat, match=what) as caught:
        read_artifact(data)
    assert caught.value.code == "SS151"


def test_an_empty_file_is_said_to_be_empty():
    with pytest.raises(ArtifactError, match="empty") as caught:
        read_artifact(b"")
    assert caught.value.code == "SS108"


@pytest.mark.parametrize("data", [b" ", b"\n\n", b" " * 5000, b"null", b"true", b"12"])
def test_text_without_a_container_is_no_config(data):
    with pytest.raises(ArtifactError):
        read_artifact(data)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused(encoding):
    with pytest.raises(ArtifactError):
        read_artifact(json.dumps(DENSE).encode(encoding))


def zipped():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("config.json", json.dumps(DENSE))
    return target.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"#!/bin/sh\n" + zipped(),
        dumps(DENSE) + zipped(),
        HDF5 + bytes(100) + zipped(),
        HDF5 + bytes(100) + zipped() + b"tail",
        bytes(512) + HDF5 + bytes(100),
        b"x" * 4096 + HDF5,
        dumps(DENSE).ljust(2048) + HDF5,
    ],
    ids=["script", "json", "hdf5", "hdf5-tail", "user-block", "later-block", "json-block"],
)
def test_a_file_that_two_readers_read_differently_is_refused(data):
    with pytest.raises(UnsafeArtifact) as caught:
        read_artifact(data)
    assert caught.value.code == "SS109"


def test_yaml_is_read_as_the_same_config():
    pytest.importorskip("yaml")
    text = b"# saved by Keras\n---\nclass_name: Dense\nconfig: {units: 3}\nkeras_version: 2.0.1\n"
    document = read_artifact(text)
    assert (document.format, document.keras_version) == (Format.YAML, "2.0.1")
    assert document.parts[0].root["config"] == {"units": 3}
    assert document.parts[0].text == text


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system [id]", "\n# c\na: !!python/name:os.system ''"]
)
def test_a_yaml_attack_is_told_from_other_text(text):
    pytest.importorskip("yaml")
    with pytest.raises(UnsafeArtifact) as caught:
        read_artifact(text.encode())
    assert caught.value.code == "SS141"


def test_large_text_is_refused_unread():
    from secure_serial.limits import Limits

    with pytest.raises(ArtifactError) as caught:
        read_artifact(dumps(DENSE), Limits(config_bytes=8))
    assert caught.value.code == "SS118"


@pytest.mark.parametrize("text", [b"a" + b" " * 3_000_000, b"#\n" * 1_000_000, b"a\n" * 1_000_000])
def test_text_that_is_almost_yaml_is_told_quickly(text):
    with pytest.raises(ArtifactError):
        read_artifact(text)


h5py_values = [
    ({"model_config": json.dumps(DENSE)}, "h5", 1),
    ({"model_config": json.dumps(DENSE), "training_config": '{"loss": "mse"}'}, "h5", 2),
    ({}, "weights", 0),
    ({"keras_version": "2.3.1"}, "weights", 0),
]


def hdf5(**attributes):
    h5py = pytest.importorskip("h5py")
    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        file["w"] = [1.0]
        for name, value in attributes.items():
            file.attrs[name] = value
    return target.getvalue()


@pytest.mark.parametrize(("attributes", "form", "parts"), h5py_values)
def test_hdf5_files_are_models_or_weights(attributes, form, parts):
    document = read_artifact(hdf5(**attributes))
    assert (document.format, len(document.parts)) == (form, parts)
    assert document.keras_version == attributes.get("keras_version")
    assert [array.path for array in document.weights] == ["w"]
    members = ["@model_config", "@training_config"]
    roles = [Role.MODEL, Role.TRAINING]
    assert [part.member for part in document.parts] == members[:parts]
    assert [part.role for part in document.parts] == roles[:parts]


@pytest.mark.parametrize(
    ("attributes", "code", "member"),
    [
        ({"model_config": "{"}, "SS110", "@model_config"),
        ({"model_config": '{"a": 1, "a": 2}'}, "SS112", "@model_config"),
        ({"model_config": "[]"}, "SS150", "@model_config"),
        ({"model_config": json.dumps(DENSE), "training_config": "{"}, "SS110", "@training_config"),
        ({"keras_version": "2 3"}, "SS134", "@keras_version"),
    ],
)
def test_a_bad_attribute_is_named(attributes, code, member):
    with pytest.raises(ArtifactError) as caught:
        read_artifact(hdf5(**attributes), name="m.h5")
    assert caught.value.code == code
    assert caught.value.where.member == member


def test_the_digest_of_hdf5_covers_attributes_and_arrays():
    one = read_artifact(hdf5(model_config=json.dumps(DENSE)))
    two = read_artifact(hdf5(model_config=json.dumps(DENSE) + " "))
    three = read_artifact(hdf5())
    assert len({one.judged_sha256, two.judged_sha256, three.judged_sha256}) == 3
