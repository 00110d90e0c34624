"""Mutated files end in a document or in our error, whatever the reader."""

import io
import json
import random
import zipfile

import pytest

from secure_serial.artifact import read_artifact
from secure_serial.errors import ArtifactError
from secure_serial.limits import Limits

DENSE = {"class_name": "Dense", "config": {"units": 3, "name": "d\u00e4", "x": [1.5, None, True]}}
LIMITS = Limits(config_bytes=1 << 20, member_bytes=1 << 20, archive_bytes=1 << 20)


def keras(method, stream):
    target = io.BytesIO()
    inner = io.BytesIO()
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00\x76\x00" + header + bytes(4))
    if stream:
        target.seekable = lambda: False
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", json.dumps(DENSE))
        archive.writestr("model.weights.npz", inner.getvalue())
        archive.writestr("assets/words.txt", "a\nb\n")
    return target.getvalue()


def hdf5():
    h5py = pytest.importorskip("h5py")
    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        file["a/b"] = [1.0, 2.0]
        file.attrs["model_config"] = json.dumps(DENSE)
        file.attrs["keras_version"] = "2.3.1"
    return target.getvalue()


SEEDS = {
    "json": lambda: json.dumps(DENSE).encode(),
    "tfjs": lambda: json.dumps({"modelTopology": {"model_config": DENSE}}).encode(),
    "yaml": lambda: b"class_name: Dense\nconfig:\n  units: 3\n  shape: !!python/tuple [1, 'a']\n",
    "stored": lambda: keras(zipfile.ZIP_STORED, stream=False),
    "deflated": lambda: keras(zipfile.ZIP_DEFLATED, stream=False),
    "streamed": lambda: keras(zipfile.ZIP_DEFLATED, stream=True),
    "hdf5": hdf5,
}


def mutate(data, chance):
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at:at] = chance.choice(
                (b"\0", b"[", b'"', b"\\", b"PK", b"\xff\xff", b"!", b"&a ")
            )
        elif kind == 2:
            del data[at : at + chance.randrange(1, 9)]
        elif kind == 3:
            data[at : at + 4] = chance.choice(
                (b"\xff" * 4, b"\0" * 4, b"\x01\0\0\0", b"\0\0\0\x80")
            )
        else:
            other = chance.randrange(len(data) + 1)
            data[at:at] = data[other : other + chance.randrange(1, 40)]
    return bytes(data)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_seed_itself_is_read(seed):
    document = read_artifact(SEEDS[seed](), LIMITS)
    assert '"Dense"' in json.dumps(document.parts[0].root)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mutated_file_is_read_or_refused(seed):
    chance = random.Random(seed)
    data = SEEDS[seed]()
    errors = [outcome(mutate(data, chance)) for _ in range(1500)]
    refused = [error for error in errors if error is not None]
    assert refused
    assert all(error.message and error.help for error in refused)
    assert {error.where.file for error in refused} == {"x"}


def outcome(data):
    try:
        read_artifact(data, LIMITS, name="x")
    except ArtifactError as error:
        return error
    return None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_file_cut_anywhere_is_read_or_refused(seed):
    data = SEEDS[seed]()
    step = max(1, len(data) // 400)
    for length in range(0, len(data), step):
        try:
            read_artifact(data[:length], LIMITS)
        except ArtifactError:
            continue
        assert seed in {"yaml", "hdf5"}, length
