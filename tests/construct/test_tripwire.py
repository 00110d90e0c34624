"""Attacks that only the tripwire stops: here the gate has let them pass."""

# ruff: noqa: PTH118, PTH123, PTH208, SIM115 - what `os` and `open` announce is what this is about

from __future__ import annotations

import asyncio
import builtins
import contextvars
import ctypes
import io
import json
import logging
import marshal
import os
import pickle
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import types
import urllib.request
from pathlib import Path

import pytest
from construct.parts import Part, make, part

from secure_serial.audit.log import AuditLog
from secure_serial.construct.load import deserialize_keras_object
from secure_serial.construct.tripwire import Wire, exempt, hook
from secure_serial.construct.tripwire.rules import Cause
from secure_serial.errors import AuditError, LoadDenied, SecureSerialError

CODE = compile("1 + 1", "<payload>", "eval")


@pytest.fixture
def log(tmp_path):
    return tmp_path / "audit.jsonl"


def records(log):
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def load(action, log=None, **options):
    """Load a part whose `from_config` runs an action. What it gives is `made`."""
    objects = {"acme>Part": make(action=lambda _config: action())}
    return deserialize_keras_object(part(), objects, audit=log, **options)


def attacks(folder):
    """What a payload would do, and the event that announces it."""
    target = folder / "written"
    module = "xmlrpc_of_nobody"
    return {
        "os.system": lambda: os.system("true"),
        "subprocess.Popen": lambda: subprocess.run([sys.executable, "-c", ""], check=False),
        "socket.__new__": socket.socket,
        "socket.getaddrinfo": lambda: socket.getaddrinfo("localhost", 1),
        "urllib.Request": lambda: urllib.request.urlopen("http://127.0.0.1:1/"),
        "marshal.loads": lambda: marshal.loads(marshal.dumps(CODE)),
        "pickle.find_class": lambda: pickle.loads(b"cos\nsystem\n."),
        "function.__new__": lambda: types.FunctionType(CODE, {}),
        "code.__new__": lambda: CODE.replace(co_name="payload"),
        "exec": lambda: exec(CODE),
        "compile": lambda: compile("1", "<payload>", "eval"),
        "object.__setattr__": lambda: setattr(attacks, "__code__", attacks.__code__),
        "ctypes.dlopen": lambda: ctypes.CDLL(None),
        "import": lambda: __import__(module),
        "open": lambda: builtins.open(folder / "kept").close(),
        "open for writing": lambda: target.write_text("x", encoding="utf-8"),
        "open by os": lambda: os.open(target, os.O_WRONLY | os.O_CREAT),
        "tempfile.mkdtemp": tempfile.mkdtemp,
        "os.mkdir": target.mkdir,
        "os.rename": lambda: (folder / "kept").rename(target),
        "os.remove": (folder / "kept").unlink,
        "os.symlink": lambda: target.symlink_to(folder / "kept"),
        "os.chmod": lambda: (folder / "kept").chmod(0o777),
        "shutil.rmtree": lambda: shutil.rmtree(folder),
        "shutil.move": lambda: shutil.move(folder / "kept", target),
        "os.listdir": lambda: os.listdir(folder),
        "os.putenv": lambda: os.environ.__setitem__("SECURE_SERIAL_TEST", "x"),
        "sys.settrace": lambda: sys.settrace(None),
        "sys.addaudithook": lambda: sys.addaudithook(lambda *_: None),
    }


WINDOWS = {"os.symlink"} if os.name == "nt" else set()


@pytest.mark.parametrize("name", sorted(set(attacks(Path())) - WINDOWS))
def test_an_effect_ends_the_load_and_is_on_record(tmp_path, name):
    (tmp_path / "kept").write_text("kept", encoding="utf-8")
    log = tmp_path / "audit.jsonl"
    before = dict(os.environ)
    with pytest.raises(LoadDenied, match="tripwire") as caught:
        load(attacks(tmp_path)[name], log)
    assert caught.value.code == "SS350"
    decision, trip, outcome = records(log)
    assert (decision["event"], trip["event"], outcome["outcome"]) == (
        "decision",
        "tripwire",
        "failed",
    )
    assert trip["announced"] == name.partition(" ")[0]
    assert decision["load"] == trip["load"] == outcome["load"]
    assert outcome["refused"][0] == {
        "symbol": trip["announced"],
        "written": trip["detail"],
        "code": "SS350",
    }
    assert list(caught.value.records) == [decision, trip, outcome]
    assert sorted(os.listdir(tmp_path)) == ["audit.jsonl", "kept"]
    assert (tmp_path / "kept").read_text(encoding="utf-8") == "kept"
    assert dict(os.environ) == before


FAILING = {"urllib.Request", "import"}


@pytest.mark.parametrize("name", sorted(set(attacks(Path())) - WINDOWS))
def test_the_same_is_nothing_to_the_tripwire_outside_a_load(tmp_path, name):
    """The attacks are real: outside of a load they reach the system."""
    load(lambda: None)  # the hook is there
    (tmp_path / "kept").write_text("kept", encoding="utf-8")
    if name in ("sys.addaudithook", "sys.settrace"):
        return  # those stay
    try:
        attacks(tmp_path)[name]()
    except SecureSerialError:
        raise
    except Exception:  # noqa: BLE001 - nobody listens, there is no such module
        assert name in FAILING
    finally:
        os.environ.pop("SECURE_SERIAL_TEST", None)


def swallow(action, other=None):
    def quiet():
        try:
            action()
        except Exception:  # noqa: BLE001
            if other is not None:
                raise other from None

    return quiet


@pytest.mark.parametrize("other", [None, KeyError("hidden"), SystemExit(0)])
def test_who_swallows_the_error_gets_no_object_either(tmp_path, log, other):
    with pytest.raises(LoadDenied, match=r"os\.system"):
        load(swallow(lambda: os.system("true"), other), log)
    assert [r["event"] for r in records(log)] == ["decision", "tripwire", "outcome"]
    assert records(log)[-1]["outcome"] == "failed"


def test_each_event_is_recorded_once_and_their_number_is_bounded(log):
    def often():
        for number in range(300):
            swallow(lambda n=number: os.system(f"true {n}"))()
            swallow(lambda: os.system("true"))()

    with pytest.raises(LoadDenied):
        load(often, log)
    trips = [r["detail"] for r in records(log) if r["event"] == "tripwire"]
    assert len(trips) == len(set(trips)) == hook._RECORDED


def test_the_load_around_a_refused_one_is_refused_too():
    def report(event, *_):
        return LoadDenied(event)

    def two():
        with Wire(report):
            os.system("true")

    with pytest.raises(LoadDenied, match=r"os\.system"), Wire(report):
        swallow(two)()


def test_a_log_that_fails_refuses_all_the_same(tmp_path):
    class Failing:
        durable = True

        def __init__(self):
            self.written = []

        def write(self, record):
            if record["event"] == "tripwire":
                raise AuditError("the disk is full")
            self.written.append(record)

    sink = Failing()
    target = tmp_path / "written"
    with pytest.raises(AuditError):
        load(swallow(lambda: target.write_text("x")), sink)
    assert not target.exists()
    assert [r.get("outcome") for r in sink.written] == [None, "failed"]


def test_an_event_that_cannot_be_judged_is_refused(log, monkeypatch):
    def broken(*_args):
        raise RuntimeError("broken")

    monkeypatch.setattr(hook, "is_allowed", broken)
    with pytest.raises(LoadDenied):
        load(lambda: open(__file__, encoding="utf-8"), log)


def test_arguments_are_shown_cut_and_without_running_their_code(log):
    class Loud:
        def __repr__(self):
            raise AssertionError("it must not be asked")

    with pytest.raises(LoadDenied):
        load(lambda: sys.audit("os.system", Loud(), "x" * 1000, b"y", 3, 4), log)
    detail = records(log)[1]["detail"]
    assert detail.startswith("<Loud>, 'xxx")
    assert len(detail) <= 200


# What is not hindered.


def test_threads_and_tasks_beside_a_load_are_not_hindered(tmp_path):
    inside, done = threading.Event(), threading.Event()
    found = []

    def beside():
        inside.wait(10)
        try:
            (tmp_path / "beside").write_text("x", encoding="utf-8")
            found.append(os.listdir(tmp_path))
        finally:
            done.set()

    def wait():
        inside.set()
        assert done.wait(10)

    thread = threading.Thread(target=beside)
    thread.start()
    load(wait)
    thread.join()
    assert found == [["beside"]]

    async def both():
        async def task():
            return await asyncio.to_thread(load, wait)

        async def other():
            await asyncio.to_thread(inside.wait, 10)
            (tmp_path / "beside").unlink()
            done.set()

        await asyncio.gather(task(), other())

    inside.clear()
    done.clear()
    asyncio.run(both())
    assert not (tmp_path / "beside").exists()


def test_what_starts_later_is_no_part_of_the_load(tmp_path):
    """A task or a callback that a class leaves behind has the load's context."""
    left = []
    load(lambda: left.append(contextvars.copy_context()))
    left[0].run((tmp_path / "later").write_text, "x", encoding="utf-8")
    assert (tmp_path / "later").exists()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python announces threads since 3.12")
def test_a_load_starts_no_threads():
    with pytest.raises(LoadDenied, match=r"_thread\.start"):
        load(lambda: threading.Thread(target=print).start())


def test_the_programs_log_handlers_may_write(tmp_path):
    path = tmp_path / "program.log"
    handler = logging.FileHandler(path, delay=True, encoding="utf-8")
    logger = logging.getLogger("acme.layers")
    logger.addHandler(handler)
    try:
        load(lambda: logger.warning("a layer says something"))
    finally:
        logger.removeHandler(handler)
        handler.close()
    assert "says something" in path.read_text(encoding="utf-8")


def test_a_class_may_use_what_is_installed_and_loaded(tmp_path, monkeypatch):
    package = tmp_path / "acme_of_this_test"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "late.py").write_text(
        "from collections import namedtuple\nP = namedtuple('P', 'a b')\n"
    )
    (package / "words.txt").write_text("a b", encoding="utf-8")
    (tmp_path / "alone_of_this_test.py").write_text("x = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("acme_of_this_test")

    def use():
        import colorsys  # of Python's own library, and nobody has loaded it
        import dataclasses

        late = __import__("acme_of_this_test.late").late
        point = dataclasses.make_dataclass("Point", ["x"])
        with open(package / "words.txt", encoding="utf-8") as file:
            return [colorsys.ONE_THIRD, late.P(1, 2).a, point(3).x, file.read()]

    sys.modules.pop("colorsys", None)
    assert load(use).config["made"][1:] == [1, 3, "a b"]
    with pytest.raises(LoadDenied, match="alone_of_this_test"):
        load(lambda: __import__("alone_of_this_test"))
    assert "alone_of_this_test" not in sys.modules
    import importlib

    with pytest.raises(LoadDenied, match=r"exec|open"):
        load(lambda: importlib.import_module("alone_of_this_test"))
    for name in ("acme_of_this_test", "acme_of_this_test.late"):
        sys.modules.pop(name, None)


def test_the_loads_own_records_are_no_events_of_it(log):
    def nested():
        return deserialize_keras_object(part("Inner"), {"acme>Inner": make("Inner")}, audit=log)

    objects = {"acme>Part": make(action=lambda _config: None)}
    deserialize_keras_object([part(), part()], objects, audit=AuditLog(log))
    assert [r["event"] for r in records(log)] == ["decision", "outcome"]


# The parts.


def test_the_hook_is_put_in_once(monkeypatch):
    load(lambda: None)
    added = []
    monkeypatch.setattr(hook.sys, "addaudithook", added.append)
    load(lambda: None)
    assert added == []


def test_what_is_exempt_is_exempt_for_its_block_alone(tmp_path):
    def act():
        with exempt(), exempt():
            (tmp_path / "a").write_text("x", encoding="utf-8")
        (tmp_path / "b").write_text("x", encoding="utf-8")

    with pytest.raises(LoadDenied, match="open"):
        load(act)
    assert os.listdir(tmp_path) == ["a"]


def test_what_keras_makes_to_unpack_into_is_the_loads_own(tmp_path, monkeypatch):
    errors = []

    def report(event, detail, caller):
        errors.append(event)
        return LoadDenied(event)

    cause = Cause("tempfile", "keras.src.saving.saving_lib", ("tempfile",))
    wire = Wire(report)
    monkeypatch.setattr(hook, "_cause", lambda: cause)
    wire.feel("tempfile.mkdtemp", (str(tmp_path),))
    monkeypatch.setattr(hook, "_cause", lambda: Cause("keras.src.utils", "keras.src.utils"))
    wire.feel("open", (str(tmp_path / "assets" / "x"), "w", os.O_WRONLY))
    wire.feel("os.rename", (os.fsencode(tmp_path / "x"), tmp_path / "y", -1, -1))
    with pytest.raises(LoadDenied):
        wire.feel("open", (str(tmp_path.parent / "x"), "w", os.O_WRONLY))
    with pytest.raises(LoadDenied):
        wire.feel("os.mkdir", (object(), 0))
    wire.feel("os.scandir", (3,))
    monkeypatch.chdir(hook.os.path.dirname(hook.__file__))
    wire.feel("os.listdir", (None,))
    assert errors == ["open", "os.mkdir"]


def test_the_stack_is_read_no_further_than_this_package():
    def deep(count):
        return deep(count - 1) if count else hook._cause()

    cause = deep(5)
    assert cause.caller == cause.outer == __name__
    assert cause.via == ()
    assert not cause.importing
    seen = []
    load(lambda: seen.append(hook._cause()))
    assert seen[0].caller == __name__


# In Keras.

keras_only = pytest.mark.keras


@keras_only
def test_code_that_keras_would_unmarshal_and_arrays_that_numpy_would_unpickle(tmp_path, log):
    keras = pytest.importorskip("keras")
    np = pytest.importorskip("numpy")
    from keras.src.utils import python_utils

    from secure_serial import load_model
    from secure_serial.construct.keras import doors

    data = io.BytesIO()
    np.save(data, np.array([len], dtype=object), allow_pickle=True)
    text = python_utils.func_dump(lambda x: x)[0]
    doors.install()
    acts = {
        "marshal.loads": lambda: doors.behind(python_utils.func_load)(text),
        "pickle.find_class": lambda: np.load(io.BytesIO(data.getvalue()), allow_pickle=True),
        "os.system": lambda: os.system("true"),
    }

    class Payload(keras.layers.Layer):
        act = staticmethod(lambda: None)

        def load_own_variables(self, store):
            self.act()

        def build(self, shape):
            self.kernel = self.add_weight(shape=(2,))

        def call(self, x):
            return x

    model = keras.Sequential([keras.Input((2,)), Payload(name="p")])
    path = tmp_path / "m.keras"
    model.save(path)
    for event, act in acts.items():
        Payload.act = staticmethod(lambda: None)
        assert load_model(path, custom_objects={"Payload": Payload}).layers
        Payload.act = staticmethod(swallow(act))
        with pytest.raises(LoadDenied, match=event):
            load_model(path, custom_objects={"Payload": Payload}, audit=log)
    assert [r["announced"] for r in records(log) if r["event"] == "tripwire"] == list(acts)


@keras_only
def test_a_layers_assets_are_unpacked_and_read(tmp_path):
    keras = pytest.importorskip("keras")
    from secure_serial import load_model

    class Words(keras.layers.Layer):
        words = "unset"

        def save_assets(self, folder):
            with open(os.path.join(folder, "words.txt"), "w", encoding="utf-8") as file:
                file.write("kept words")

        def load_assets(self, folder):
            with open(os.path.join(folder, "words.txt"), encoding="utf-8") as file:
                self.words = file.read()

        def call(self, x):
            return x

    model = keras.Sequential([keras.Input((2,)), Words(name="w"), keras.layers.Dense(1)])
    path = tmp_path / "m.keras"
    model.save(path)
    loaded = load_model(path, custom_objects={"Words": Words})
    assert loaded.layers[0].words == "kept words"


@keras_only
def test_a_first_load_in_a_fresh_process_needs_nothing_else(tmp_path):
    """Keras, its backend and what they import late: all of it by a load, and twice."""
    keras = pytest.importorskip("keras")
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3), keras.layers.BatchNormalization()]
    )
    model.compile("adam", "mse")
    for name in ("m.keras", "m.h5"):
        path = tmp_path / name
        model.save(path)
        code = (
            f"import secure_serial as s; s.load_model({str(path)!r}); s.load_model({str(path)!r})"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_nothing_was_built_twice():
    Part.built.clear()
    with pytest.raises(LoadDenied):
        load(lambda: os.system("true"))
    assert Part.built == []
