"""What a load may make the interpreter do, as the pure function decides it."""

from __future__ import annotations

import pytest

from secure_serial.construct.tripwire import rules
from secure_serial.construct.tripwire.rules import Cause, Event, Reach, below, is_allowed

SITE = "/usr/lib/python3/site-packages/"
REACH = Reach(
    readable=("/usr/lib/python3/", SITE),
    sites=(SITE,),
    own=("/tmp/unpacked/",),
    judged=("/data/m.weights.h5",),
    loaded={"acme"},
    library={"json"},
    writing=0b11,
)
PROGRAM = Cause("acme.layers", "acme.layers")
KERAS = Cause("keras.src.layers", "keras.src.layers")
SAVING = Cause("tempfile", "keras.src.saving.saving_lib", ("tempfile",))
IMPORTER = Cause(
    "importlib._bootstrap_external", "acme", ("importlib._bootstrap_external",), importing=True
)
BOOTSTRAP = Cause("importlib._bootstrap", "keras.src", ("importlib._bootstrap",), importing=True)
BY_NAME = BOOTSTRAP._replace(via=("importlib._bootstrap", "importlib"))
BACKEND = Cause("jax._src.lib", "jax._src.lib", importing=True)
SHUTIL = Cause("shutil", "keras.src.utils", ("shutil",))
METADATA = Cause("pathlib", "jax._src.xla_bridge", ("pathlib", "importlib.metadata"))
CACHE = Cause("pathlib", "jax._src.lru_cache", ("pathlib",))
READER = Cause("secure_serial.artifact.files", "secure_serial.artifact.files")
BUILDER = Cause("secure_serial.construct.revive", "secure_serial.construct.revive")
QUOTER = Cause("tokenize", "keras.src.utils", ("tokenize", "linecache"))
CTYPES = Cause("ctypes", "acme", ("ctypes",), importing=True)
LOGGING = Cause("socket", "acme.telemetry", (), logging=True)


def allowed(name, cause, *args):
    return is_allowed(name, Event(args, cause, REACH))


READ, WRITE = ("r", 0), ("w", 1)


@pytest.mark.parametrize(
    ("event", "cause", "args"),
    [
        # Installed code, and what Keras unpacked for this load, is read.
        ("open", PROGRAM, ("/usr/lib/python3/json/data", *READ)),
        ("open", PROGRAM, (f"{SITE}acme/vocabulary.txt", *READ)),
        ("open", PROGRAM, ("/tmp/unpacked/assets/vocabulary.txt", *READ)),
        ("open", KERAS, ("/tmp/unpacked", None, 0)),
        ("open", PROGRAM, ("/proc/meminfo", *READ)),
        ("open", PROGRAM, ("/sys/devices/system/cpu/online", *READ)),
        ("open", PROGRAM, (3, *WRITE)),
        ("open", READER, ("/home/me/model.keras", *READ)),
        ("open", KERAS, ("/data/m.weights.h5", *READ)),
        ("open", QUOTER, ("/home/me/train.py", *READ)),
        ("open", METADATA, ("/home/me/acme.egg-info/entry_points.txt", *READ)),
        ("os.listdir", METADATA, ("/home/me",)),
        ("os.listdir", IMPORTER, ("/home/me",)),
        ("os.scandir", KERAS, (f"{SITE}keras",)),
        ("os.scandir", SHUTIL, (3,)),
        # Written is what Keras unpacks, what is compiled, and the backend's cache.
        ("open", KERAS, ("/tmp/unpacked/assets/x", *WRITE)),
        ("open", KERAS, ("/tmp/unpacked/assets/x", "wb", None)),
        ("open", KERAS, ("/tmp/unpacked/x", None, 2)),
        ("open", IMPORTER, ("/home/me/__pycache__/x.cpython-311.pyc.139", None, 1)),
        ("os.mkdir", IMPORTER, ("/home/me/__pycache__", 0o777, -1)),
        ("os.rename", IMPORTER, ("/a/x.pyc.139", "/a/x.pyc", -1, -1)),
        ("open", CACHE, ("/home/me/cache/key", *WRITE)),
        ("open", CACHE, ("/home/me/cache/key", *READ)),
        ("open", PROGRAM, ("/dev/null", *WRITE)),
        ("open", SAVING, ("/tmp/8d0s9f", None, 1)),
        ("os.remove", SAVING, ("/tmp/8d0s9f", -1)),
        ("tempfile.mkdtemp", SAVING, ("/tmp/new",)),
        ("tempfile.mkstemp", PROGRAM, ("/tmp/unpacked/new",)),
        ("os.mkdir", PROGRAM, ("/tmp/unpacked/assets", 0o777, -1)),
        ("os.rename", KERAS, ("/tmp/unpacked/a", "/tmp/unpacked/b", -1, -1)),
        ("os.remove", KERAS, ("/tmp/unpacked/assets/x", -1)),
        ("os.remove", SHUTIL, ("x", 3)),
        ("os.rmdir", SHUTIL, ("/tmp/unpacked", -1)),
        ("shutil.rmtree", KERAS, ("/tmp/unpacked",)),
        # Modules.
        ("import", PROGRAM, ("json.decoder", None)),
        ("import", PROGRAM, ("acme.kernels", None)),
        ("import", PROGRAM, ("jax.nn", None)),
        ("import", KERAS, ("no_such_thing", None)),
        ("import", BACKEND, ("jaxlib._x", f"{SITE}jaxlib/_x.so")),
        ("exec", BOOTSTRAP, ("/usr/lib/python3/json/__init__.py",)),
        ("exec", BOOTSTRAP, ("<frozen zipimport>",)),
        ("exec", BOOTSTRAP, (f"{SITE}jax/nn.py",)),
        ("exec", BOOTSTRAP, (f"{SITE}other/nn.py",)),
        ("exec", BY_NAME, (f"{SITE}acme/__init__.py",)),
        ("exec", BY_NAME, (f"{SITE}typing_extensions.py",)),
        ("exec", Cause("dataclasses", "acme"), ("<string>",)),
        ("exec", BACKEND, ("<string>",)),
        ("compile", Cause("ast", "numpy.lib"), (b"(1, 2)", "<unknown>")),
        ("compile", IMPORTER, (b"", "/a.py")),
        ("compile", Cause("typing", "acme"), (b"str", "<string>")),
        ("compile", BACKEND, (b"", "<string>")),
        ("marshal.loads", IMPORTER, (b"",)),
        ("code.__new__", BACKEND, ()),
        ("function.__new__", BACKEND, ()),
        ("object.__setattr__", PROGRAM, (object, "__class__", object)),
        ("object.__setattr__", BACKEND, (object, "__code__", None)),
        ("ctypes.dlopen", CTYPES, (None,)),
        ("ctypes.dlopen", BACKEND, ("libx.so",)),
        ("mmap.__new__", PROGRAM, (-1, 4096, 0, 0)),
        ("_thread.start_new_thread", BACKEND, ()),
        # The program's own log handlers.
        ("socket.connect", LOGGING, ()),
        ("open", LOGGING, ("/var/log/acme", *WRITE)),
    ],
)
def test_what_loads_need_is_let_pass(event, cause, args):
    assert allowed(event, cause, *args)


@pytest.mark.parametrize(
    ("event", "cause", "args"),
    [
        *[
            (event, cause, ())
            for cause in (PROGRAM, KERAS, BACKEND, IMPORTER, BUILDER)
            for event in (
                "os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen",
                "pty.spawn", "socket.__new__", "socket.connect", "socket.getaddrinfo",
                "pickle.find_class", "webbrowser.open", "urllib.Request", "ftplib.connect",
                "sqlite3.connect", "os.symlink", "os.link", "os.truncate", "os.chdir", "os.kill",
                "shutil.move", "shutil.copyfile", "shutil.unpack_archive", "sys.addaudithook",
                "sys.settrace", "ctypes.call_function", "ctypes.string_at", "winreg.OpenKey",
                "cpython.PyInterpreterState_New", "an.event.of.tomorrow",
            )
        ],
        ("open", PROGRAM, ("/etc/passwd", *READ)),
        ("open", KERAS, ("/etc/passwd", *READ)),
        ("open", PROGRAM, ("/usr/lib/python33/x", *READ)),
        ("open", PROGRAM, ("/tmp/unpacked_elsewhere", *READ)),
        ("open", PROGRAM, ("/proc/self/environ", *READ)),
        ("open", PROGRAM, ("", *READ)),
        ("open", PROGRAM, (None, *READ)),
        ("open", BUILDER, ("/home/me/model.keras", *READ)),
        ("open", KERAS, ("/data/m.weights.h5", *WRITE)),
        ("open", KERAS, ("/data/m.weights.h5/..", *READ)),
        ("os.remove", KERAS, ("/data/m.weights.h5", -1)),
        ("open", READER, ("/home/me/model.keras", *WRITE)),
        ("open", QUOTER, ("/etc/passwd", *READ)),
        ("open", METADATA, ("/etc/passwd", *READ)),
        ("os.listdir", PROGRAM, ("/home/me",)),
        ("open", KERAS, (f"{SITE}keras/x.py", *WRITE)),
        ("open", KERAS, (f"{SITE}keras/x.py", "r+", None)),
        ("open", KERAS, (f"{SITE}keras/x.py", None, None)),
        ("open", KERAS, ("/tmp/8d0s9f", *WRITE)),
        ("open", IMPORTER, ("/home/me/.bashrc", None, 1)),
        ("os.mkdir", IMPORTER, ("/home/me/x", 0o777, -1)),
        ("tempfile.mkdtemp", PROGRAM, ("/tmp/new",)),
        ("os.rename", KERAS, ("/tmp/unpacked/a", "/home/me/.bashrc", -1, -1)),
        ("os.remove", KERAS, (3, -1)),
        ("os.remove", PROGRAM, ("/home/me/x", -1)),
        ("shutil.rmtree", KERAS, ("/home/me",)),
        ("import", PROGRAM, ("requests", None)),
        ("import", BUILDER, ("requests", None)),
        ("import", BACKEND, ("jaxlib._x", "/tmp/_x.so")),
        ("exec", PROGRAM, ("<string>",)),
        ("exec", KERAS, ("<string>",)),
        ("exec", BOOTSTRAP, ("/tmp/evil.py",)),
        ("exec", BY_NAME, (f"{SITE}other/__init__.py",)),
        ("exec", BOOTSTRAP._replace(outer="acme"), (f"{SITE}other/__init__.py",)),
        ("exec", Cause("runpy", "keras.src", ("runpy",)), ("<string>",)),
        ("compile", PROGRAM, (b"1", "<string>")),
        ("compile", KERAS, (b"1", "<string>")),
        ("compile", BACKEND._replace(importing=False), (b"1", "<string>")),
        ("marshal.loads", KERAS, (b"",)),
        ("marshal.loads", BACKEND, (b"",)),
        ("code.__new__", KERAS, ()),
        ("function.__new__", KERAS, ()),
        ("object.__setattr__", PROGRAM, (object, "__code__", None)),
        ("ctypes.dlopen", PROGRAM, (None,)),
        ("ctypes.dlopen", CTYPES, ("libc.so.6",)),
        ("ctypes.dlsym", PROGRAM, (None, "system")),
        ("os.putenv", PROGRAM, (b"LD_PRELOAD", b"x")),
        ("mmap.__new__", PROGRAM, (3, 4096, 0, 0)),
        ("_thread.start_new_thread", PROGRAM, ()),
    ],
)  # fmt: skip
def test_everything_else_is_refused(event, cause, args):
    assert not allowed(event, cause, *args)


def test_a_path_of_windows_is_below_its_folder_too():
    assert below("C:\\Python\\Lib\\json.py", ("C:\\Python\\",))
    assert not below("C:\\Python3\\x", ("C:\\Python\\",))


def test_no_event_is_both_harmless_and_judged():
    assert not rules.HARMLESS & set(rules._RULES)
    assert set(rules.PATHS) <= set(rules._RULES)


def test_the_libraries_are_none_of_pythons_own():
    import sys

    assert not rules.LIBRARIES & sys.stdlib_module_names
