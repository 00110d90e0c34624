"""Opening: once, never blocking, and every failure in one clear error."""

import hashlib
import json
import os
import socket
import threading
from pathlib import Path

import pytest

from secure_serial.artifact import open_artifact, read_artifact
from secure_serial.artifact.document import Format
from secure_serial.errors import ArtifactError, MalformedArtifact, UnsupportedFormat
from secure_serial.limits import Limits

DENSE = {"class_name": "Dense", "config": {"units": 3}}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(DENSE))
    return path


def fault(path):
    with pytest.raises(ArtifactError) as caught:
        read_artifact(path)
    error = caught.value
    assert error.where.file == str(path)
    assert error.help
    return error


def test_a_path_may_be_text_or_a_path_object(config):
    for path in (config, str(config)):
        document = read_artifact(path)
        assert document.name == str(config)
        assert document.judged_sha256 == hashlib.sha256(config.read_bytes()).hexdigest()
    assert read_artifact(config, name="shown").name == "shown"


def test_bytes_and_values_need_no_file():
    assert read_artifact(json.dumps(DENSE).encode()).format is Format.JSON
    assert read_artifact(DENSE).format is Format.DICT
    assert read_artifact([DENSE]).parts[0].root == [DENSE]


def test_what_was_judged_is_what_stays_open(config):
    before = config.read_bytes()
    with open_artifact(config) as opened:
        other = config.with_name("other")
        other.write_text("{}")
        other.replace(config)
        assert opened.sha256() == hashlib.sha256(before).hexdigest()
        opened.file.seek(0)
        assert opened.file.read() == before
        assert opened.size == len(before)
    assert opened.file.closed


def test_a_file_that_grows_while_it_is_open_is_noticed(config):
    with open_artifact(config) as opened:
        with config.open("a") as file:
            file.write(" ")
        with pytest.raises(MalformedArtifact, match="changed"):
            opened.sha256()


def test_an_error_of_the_block_is_not_taken_for_one_of_the_file(config):
    with pytest.raises(FileNotFoundError), open_artifact(config):
        raise FileNotFoundError


@pytest.mark.parametrize(
    "path",
    [
        "hf://user/model",
        "s3://bucket/model.keras",
        "gs://bucket/x",
        "https://example.org/model.json",
        "file:///etc/passwd",
        Path("hf://user/model"),
    ],
)
def test_remote_locations_are_refused(path):
    error = fault(path)
    assert isinstance(error, UnsupportedFormat)
    assert error.code == "SS107"


@pytest.mark.parametrize("path", ["nowhere.json", "nowhere/model.json", "a\0b", "x" * 5000])
def test_a_path_that_names_nothing_is_unreadable(tmp_path, path):
    error = fault(str(tmp_path / path))
    assert isinstance(error, MalformedArtifact)
    assert error.code == "SS105"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_file_without_permission_is_unreadable(config):
    config.chmod(0)
    assert fault(config).code == "SS105"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_at_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    errors = []
    thread = threading.Thread(target=lambda: errors.append(fault(path)), daemon=True)
    thread.start()
    thread.join(10)
    assert errors[0].code == "SS106"
    assert "pipe" in errors[0].message


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")
def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path has some 100 characters at most
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert fault("s").code == "SS106"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_refused(path):
    if not Path(path).is_char_device():
        pytest.skip("no such device here")
    assert fault(path).code == "SS106"


def test_a_link_to_a_file_is_followed_when_the_caller_names_it(config, tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to(config)
    assert read_artifact(link).format is Format.JSON
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert fault(loop).code == "SS105"


def test_a_sparse_text_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.write(b"{")
        file.truncate(1 << 40)
    error = fault(path)
    assert error.code == "SS118"


def test_an_empty_file_is_malformed(tmp_path):
    path = tmp_path / "model.keras"
    path.touch()
    assert fault(path).code == "SS108"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "model"
    (path / "assets" / "layer").mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(DENSE))
    (path / "metadata.json").write_text('{"keras_version": "3.15.1"}')
    (path / "assets" / "layer" / "words.txt").write_text("a\nb\n")
    return path


def test_a_folder_is_read_as_an_archive_is(folder):
    with open_artifact(folder) as opened:
        document = opened.document
        assert (opened.file, opened.weights, opened.sha256()) == (None, None, None)
    assert (document.format, document.keras_version) == (Format.KERAS_DIR, "3.15.1")
    assert document.assets == ("assets/layer/words.txt",)
    assert document.parts[0].root == DENSE


def test_the_weights_of_a_folder_stay_open_as_they_were_judged(folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "model.weights.h5", "w") as file:
        file["w"] = [1.0, 2.0]
    with open_artifact(folder) as opened:
        (folder / "model.weights.h5").unlink()
        assert opened.weights.read(4) is not None
        assert [array.shape for array in opened.document.weights] == [(2,)]
    assert opened.weights.closed


def _write(name, content="x"):
    def change(folder):
        (folder / name).write_text(content)

    return change


def _link(name, target):
    def change(folder):
        path = folder / name
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    return change


def _remove(name):
    def change(folder):
        (folder / name).unlink()

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_write("evil.py"), "SS128"),
        (_write("assets/A"), None),
        (_write("assets/x", "\x7fELF\x00"), "SS135"),
        (_write("config.json", "{"), "SS110"),
        (_write("metadata.json", "{"), "SS110"),
        (_write("config.json", "[]"), "SS150"),
        (_remove("config.json"), "SS151"),
        (_link("config.json", "metadata.json"), "SS125"),
        (_link("assets/link", "/"), "SS125"),
        (_link("model.weights.h5", "/etc/passwd"), "SS125"),
        (lambda folder: (folder / "other").mkdir(), "SS128"),
        (lambda folder: (folder / "model.weights.h5").mkdir(), "SS128"),
        (lambda folder: (_write("assets/a")(folder), _write("assets/A")(folder)), "SS124"),
        (lambda folder: (_write("model.weights.h5")(folder), _write("model.weights.npz")(folder)),
         "SS131"),
    ],
)  # fmt: skip
def test_a_folder_has_the_members_that_keras_writes_and_no_links(folder, change, code):
    change(folder)
    if code is None:
        assert len(read_artifact(folder).assets) == 2
    else:
        assert fault(folder).code == code


def test_the_limits_hold_for_a_folder(folder):
    for limits in (
        Limits(archive_members=3),
        Limits(member_bytes=3),
        Limits(archive_bytes=20),
        Limits(config_bytes=3),
    ):
        with pytest.raises(ArtifactError) as caught:
            read_artifact(folder, limits)
        assert caught.value.code in {"SS129", "SS118"}


@pytest.mark.parametrize(("marker", "what"), [("saved_model.pb", "SavedModel"), ("x", "no Keras")])
def test_other_folders_are_named(tmp_path, marker, what):
    (tmp_path / marker).touch()
    assert what in fault(tmp_path).message
