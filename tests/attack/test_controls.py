"""The traps work: each payload, run for real, leaves a trace that its stage reports.

Without these, a test that finds all quiet would prove nothing.
"""

from __future__ import annotations

import base64
import io
import marshal
import os
import pickle
import subprocess
import sys
import tarfile
import types
import urllib.request

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
h5py = pytest.importorskip("h5py")
yaml = pytest.importorskip("yaml")

from attack import carriers, classes, code, functions, hdf5, text  # noqa: E402
from attack.archives import npz  # noqa: E402
from attack.stage import MODULE, Stage  # noqa: E402


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path / "stage")
    yield made
    made.close()


def traces(stage, *words):
    fired = " | ".join(stage.fired())
    for word in words:
        assert word in fired, fired


def test_quiet_stage_reports_nothing(stage):
    stage.bait()
    assert stage.url
    stage.arm()
    assert stage.fired() == []


def test_lambda_runs(stage):
    blob = base64.b64decode(stage.lambda_code())
    stage.arm()
    types.FunctionType(marshal.loads(blob), {"__builtins__": __builtins__})(1)
    traces(stage, "marshal.loads", "file canary", "variable")


def test_unmarshalling_alone_is_seen(stage):
    blob = base64.b64decode(stage.lambda_code())
    stage.arm()
    marshal.loads(blob)
    traces(stage, "marshal.loads")


def test_command_runs(stage):
    stage.arm()
    os.system(stage.command)
    traces(stage, "os.system", "file canary")


def test_process_is_seen(stage):
    stage.arm()
    subprocess.run(["true"], check=False)
    traces(stage, "subprocess.Popen")


def test_statement_runs(stage):
    stage.arm()
    exec(stage.statement)
    traces(stage, "compile", "file canary")


def test_pickle_runs(stage):
    raw = classes.pickled(stage)
    stage.arm()
    pickle.loads(raw)
    traces(stage, "pickle.find_class", "file canary")


def test_import_is_seen(stage, monkeypatch):
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    stage.arm()
    __import__(MODULE)
    traces(stage, f"import {MODULE}")


@pytest.mark.parametrize(
    "name", ["apply", "apply-exec", "apply-in-slot", "verbatim", "directive", "new"]
)
def test_yaml_runs(stage, name):
    """CVE-2021-37678: what `unsafe_load` makes of our texts."""
    document = text.YAML[name](stage)
    stage.arm()
    yaml.unsafe_load(document)
    traces(stage, "file canary")


def test_address_is_fetched(stage):
    url = stage.url
    stage.arm()
    with pytest.raises(OSError):
        urllib.request.urlopen(url, timeout=0.2)
    traces(stage, "connection")


def test_bait_is_opened(stage):
    bait = stage.bait()
    stage.arm()
    bait.read_bytes()
    traces(stage, "open")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")
@pytest.mark.parametrize("name", ["external", "virtual", "external-link", "external-group"])
def test_hdf5_reaches_out(stage, name):
    """What the C library opens raises no audit event; the kernel tells of it."""
    path = hdf5.in_weights(hdf5.TRICKS[name][1])(stage)
    stage.arm()
    with h5py.File(path) as file:
        group = file["layers/dense/vars"]
        found = group["vars/0"] if name == "external-group" else group["0"]
        assert found[()].size
    traces(stage, "bait opened")


@pytest.mark.parametrize("kind", ["parent", "absolute", "link", "dotdot-link"])
def test_tar_escapes(stage, kind):
    url = functions.tar_with(stage, kind)
    raw = (stage.root / "bait" / "evil.tar").read_bytes()
    target = stage.root / "a" / "b"
    target.mkdir(parents=True)
    stage.arm()
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        tar.extraction_filter = lambda member, _: member  # unknown to Python before 3.11.4
        tar.extractall(target)
    assert url.startswith("file:")
    traces(stage, "file fired")


def test_npz_runs(stage):
    """Commit 57c94f305c: object arrays are pickles."""
    np = pytest.importorskip("numpy")
    import zipfile

    path = npz(stage)
    stage.arm()
    with zipfile.ZipFile(path) as archive:
        raw = archive.read("model.weights.npz")
    np.load(io.BytesIO(raw), allow_pickle=True)["layers"]
    traces(stage, "pickle.find_class", "file canary")


@pytest.mark.keras
@pytest.mark.parametrize("form", ["keras", "h5"])
@pytest.mark.parametrize("name", ["lambda", "lambda-value"])
def test_keras_runs_the_lambda(stage, form, name):
    """Keras, told to trust the file, runs our lambdas: they are real."""
    keras = pytest.importorskip("keras")
    from attack.configs import functional, layer

    made = code.FORMS[name](stage)
    victim = layer("Lambda", "victim", function=made, arguments={})
    if name == "lambda-value":
        victim = layer("Activation", "victim", activation=made)
    path = carriers.write(form, stage.root, functional(victim))
    stage.arm()
    model = keras.models.load_model(path, safe_mode=False, compile=False)
    model(keras.ops.zeros((1, 4)))
    traces(stage, "marshal.loads", "file canary")


@pytest.mark.keras
def test_keras_calls_the_function(stage):
    """CVE-2025-8747: `get_file` as Keras itself would call it."""
    keras = pytest.importorskip("keras")
    url = stage.url
    stage.arm()
    import socket

    socket.setdefaulttimeout(0.2)
    try:
        with pytest.raises(Exception):  # noqa: B017 (whatever: it has connected)
            keras.utils.get_file("loot", url, cache_dir=str(stage.root))
    finally:
        socket.setdefaulttimeout(None)
    traces(stage, "connection")
