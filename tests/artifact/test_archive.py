"""`.keras` archives: only what Keras writes, weights known by their headers alone."""

import hashlib
import io
import json
import struct
import zipfile

import pytest

from secure_serial.artifact import read_artifact
from secure_serial.artifact.document import Format, Role
from secure_serial.errors import (
    ArtifactError,
    LimitExceeded,
    MalformedArtifact,
    UnsafeArtifact,
    UnsupportedFormat,
)
from secure_serial.limits import Limits

CONFIG = json.dumps({"class_name": "Dense", "config": {"units": 3}})
METADATA = json.dumps({"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"})


def archive(method=zipfile.ZIP_STORED, **members):
    target = io.BytesIO()
    contents = {"metadata.json": METADATA, "config.json": CONFIG, **members}
    with zipfile.ZipFile(target, "w", method) as zipped:
        for name, content in contents.items():
            if content is not None:
                zipped.writestr(name, content)
    return target.getvalue()


def npy(header, body=b"", version=1):
    text = header.encode() + b"\n"
    width = "<H" if version == 1 else "<I"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(width, len(text)) + text + body


def npz(**arrays):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as zipped:
        for name, content in arrays.items():
            zipped.writestr(f"{name}.npy", content)
    return target.getvalue()


def with_weights(**arrays):
    return archive(**{"model.weights.npz": npz(**arrays)})


def fault(data, limits=None):
    with pytest.raises(ArtifactError) as caught:
        read_artifact(data, limits or Limits(), name="model.keras")
    error = caught.value
    assert error.where.file == "model.keras"
    assert error.help
    return error


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_document_holds_what_the_archive_does(method):
    data = archive(method, **{"assets/layer/words.txt": b"a\nb\n"})
    document = read_artifact(data, name="m")
    assert (document.name, document.format, document.size) == ("m", Format.KERAS, len(data))
    assert document.keras_version == "3.15.1"
    assert document.assets == ("assets/layer/words.txt",)
    (part,) = document.parts
    assert (part.role, part.member) == (Role.MODEL, "config.json")
    assert part.root == json.loads(CONFIG)
    assert part.text == CONFIG.encode()


def test_the_digest_covers_config_listing_and_weights():
    base = {"assets/a": b"x"}
    digests = {
        read_artifact(archive(**{**base, **change})).judged_sha256
        for change in (
            {},
            {"config.json": CONFIG + " "},
            {"metadata.json": "{}"},
            {"assets/a": b"y"},
            {"assets/b": b"x"},
        )
    }
    assert len(digests) == 5
    assert all(len(digest) == len(hashlib.sha256().hexdigest()) for digest in digests)


@pytest.mark.parametrize(
    ("members", "kind", "code", "member"),
    [
        ({"config.json": "{"}, MalformedArtifact, "SS110", "config.json"),
        ({"config.json": '{"a": 1, "a": 2}'}, MalformedArtifact, "SS112", "config.json"),
        ({"config.json": "[]"}, UnsupportedFormat, "SS150", "config.json"),
        ({"config.json": "[" + CONFIG + "]"}, UnsupportedFormat, "SS150", "config.json"),
        ({"config.json": "{}"}, UnsupportedFormat, "SS150", "config.json"),
        ({"config.json": None}, UnsupportedFormat, "SS151", ""),
        ({"metadata.json": "[]"}, MalformedArtifact, "SS134", "metadata.json"),
        ({"metadata.json": '{"keras_version": 3}'}, MalformedArtifact, "SS134", "metadata.json"),
        (
            {"metadata.json": '{"keras_version": "\\n"}'},
            MalformedArtifact,
            "SS134",
            "metadata.json",
        ),
        ({"metadata.json": " " * 70_000}, LimitExceeded, "SS118", "metadata.json"),
        ({"evil.py": "x"}, UnsafeArtifact, "SS128", ""),
        ({"../config.json": "x"}, UnsafeArtifact, "SS123", ""),
        ({"ASSETS/x": "x"}, UnsafeArtifact, "SS128", ""),
        ({"assets/x": "x", "assets/X": "x"}, UnsafeArtifact, "SS124", ""),
        ({"model.weights.json": "{}"}, UnsafeArtifact, "SS128", ""),
        ({"model.weights.h5": b"", "model.weights.npz": b""}, UnsupportedFormat, "SS131", ""),
        ({"model.weights.h5": b"no hdf5"}, ArtifactError, None, "model.weights.h5"),
        ({"model.weights.npz": b"no zip"}, MalformedArtifact, "SS120", "model.weights.npz"),
        ({"assets/x": b"PK\x03\x04"}, UnsafeArtifact, "SS135", "assets/x"),
        ({"assets/x": b"\x1f\x8b\x08"}, UnsafeArtifact, "SS135", "assets/x"),
        ({"assets/x": b"\x80\x04\x95"}, UnsafeArtifact, "SS135", "assets/x"),
        ({"assets/x": b"\x7fELF\x01"}, UnsafeArtifact, "SS135", "assets/x"),
        ({"assets/x": bytes(257) + b"ustar"}, UnsafeArtifact, "SS135", "assets/x"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
def test_what_keras_does_not_write_is_refused_with_its_place(members, kind, code, member):
    error = fault(archive(**members))
    assert isinstance(error, kind)
    assert code is None or error.code == code
    assert error.where.member == member


@pytest.mark.parametrize("words", [b"cat\ndog\n", b"(I\n]p\n", b"MZ\n", b"Rar!\n", b"#!\n", b""])
def test_a_vocabulary_may_start_with_any_word(words):
    assert read_artifact(archive(**{"assets/words.txt": words})).assets == ("assets/words.txt",)


def test_a_member_that_stands_twice_is_refused():
    target = io.BytesIO(archive())
    with zipfile.ZipFile(target, "a") as zipped, pytest.warns(UserWarning, match="Duplicate"):
        zipped.writestr("config.json", "{}")
    assert fault(target.getvalue()).code == "SS124"


@pytest.mark.parametrize(
    ("member", "what"),
    [
        ("model/data.pkl", "PyTorch"),
        ("[Content_Types].xml", "Office"),
        ("META-INF/MANIFEST.MF", "Java"),
        ("a.npy", "NumPy"),
        ("readme", "no Keras model"),
    ],
)
def test_other_archives_are_named(member, what):
    data = archive(**{"config.json": None, "metadata.json": None, member: "x"})
    error = fault(data)
    assert isinstance(error, UnsupportedFormat)
    assert what in error.message


def test_the_limits_of_a_config_hold_in_an_archive():
    assert fault(archive(), Limits(config_bytes=10)).code == "SS118"
    assert fault(archive(), Limits(archive_members=1)).code == "SS129"


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize(
    ("descr", "shape", "size", "expected"),
    [
        ("<f4", "(2, 3)", 24, ((2, 3), 4)),
        ("|b1", "()", 1, ((), 1)),
        ("<i8", "(5,)", 40, ((5,), 8)),
        ("<U3", "(2,)", 24, ((2,), 12)),
        ("<V2", "(0, 9)", 0, ((0, 9), 2)),
    ],
)
def test_arrays_are_known_by_their_headers(version, descr, shape, size, expected):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    document = read_artifact(with_weights(**{"layers/a": npy(header, bytes(size), version)}))
    (array,) = document.weights
    assert (array.path, (array.shape, array.itemsize)) == ("layers/a", expected)


@pytest.mark.parametrize(
    ("descr", "shape", "size", "code"),
    [
        ("|O", "(1,)", 8, "SS133"),
        ("O", "()", 8, "SS133"),
        ("<f4", "(2, 3)", 23, "SS132"),
        ("<f4", "(99999999999999999999,)", 4, "SS132"),
        ("<f4", "(1000000000, 1000000000)", 4, "SS132"),
        ("<f4", "(-1,)", 4, "SS132"),
        ("<M8", "(1,)", 8, "SS132"),
        ("<f4", "(1, __import__('os'))", 4, "SS132"),
        ("<f4', 'x': '", "()", 4, "SS132"),
    ],
)
def test_arrays_that_lie_or_run_code_are_refused(descr, shape, size, code):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    error = fault(with_weights(a=npy(header, bytes(size))))
    assert error.code == code
    assert error.where.member == "model.weights.npz"
    assert error.where.pointer == "/a.npy"


@pytest.mark.parametrize(
    "content",
    [b"", b"\x93NUMPY", b"\x93NUMPY\x09\x00", npy("[('a', '|O')]"), npy("{" * 20_000)],
)
def test_what_is_no_array_is_refused(content):
    assert fault(with_weights(a=content)).code in {"SS132", "SS133"}


def test_a_structured_array_with_objects_in_it_is_a_pickle():
    header = "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }"
    assert fault(with_weights(a=npy(header, bytes(8)))).code == "SS133"


def test_what_numpy_saves_is_read_as_numpy_reads_it():
    numpy = pytest.importorskip("numpy")
    arrays = {
        "a": numpy.zeros((3, 4), "float32"),
        "b/c": numpy.asfortranarray(numpy.ones((2, 2))),
        "d": numpy.array(["x", "yy"]),
        "e": numpy.float16(1),
    }
    for save in (numpy.savez, numpy.savez_compressed):
        target = io.BytesIO()
        save(target, **arrays)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            data = archive(method, **{"model.weights.npz": target.getvalue()})
            found = {array.path: array for array in read_artifact(data).weights}
            assert found.keys() == arrays.keys()
            for name, value in arrays.items():
                assert found[name].shape == value.shape
                assert found[name].itemsize == value.dtype.itemsize
    target = io.BytesIO()
    numpy.savez(target, a=numpy.array([{}], dtype=object))
    assert fault(archive(**{"model.weights.npz": target.getvalue()})).code == "SS133"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_hdf5_weights_are_known_by_their_metadata(method):
    h5py = pytest.importorskip("h5py")
    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        file["layers/dense/vars/0"] = [[1.0, 2.0]]
    data = archive(method, **{"model.weights.h5": target.getvalue()})
    (array,) = read_artifact(data).weights
    assert (array.path, array.shape, array.itemsize) == ("layers/dense/vars/0", (1, 2), 8)
