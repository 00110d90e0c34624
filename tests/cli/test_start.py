"""The start is light: what a command does not need is not imported, on any platform."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {
    "keras", "numpy", "h5py", "yaml", "RestrictedPython", "tensorflow", "torch", "jax", "pyfive",
    "importlib.metadata", "asyncio", "email", "multiprocessing", "subprocess", "socket", "ssl",
    "http", "logging", "difflib", "traceback", "unicodedata", "concurrent.futures",
}  # fmt: skip
CONFIG = '{"class_name": "Dense", "config": {"name": "d", "units": 1}}'

PROBE = """
import json, sys
before = set(sys.modules)  # what site itself loads is not ours
from secure_serial.cli.main import main
code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted(set(sys.modules) - before)]), file=sys.stderr)
"""
BARE = """
import json, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios", "_posixsubprocess", "syslog"):
    sys.modules[name] = None
from secure_serial.cli.main import main
print(json.dumps([main(argv) for argv in json.loads(sys.argv[1])]), file=sys.stderr)
"""


def run(script, argument):
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(argument)],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
    )  # fmt: skip
    return json.loads(done.stderr.splitlines()[-1])


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(CONFIG)
    return str(path)


def loaded(argv):
    run(PROBE, argv)  # compiling loads modules of its own: names of characters need unicodedata
    code, modules = run(PROBE, argv)
    assert code == 0
    return set(modules)


def test_help_loads_the_parser_and_no_more():
    modules = loaded(["--help"])
    assert not modules & HEAVY
    assert {name for name in modules if name.startswith("secure_serial.")} == {
        "secure_serial.cli", "secure_serial.cli.console", "secure_serial.cli.main",
        "secure_serial.cli.parser",
    }  # fmt: skip
    assert not modules & {
        "json",
        "hashlib",
        "tomllib",
        "dataclasses",
        "inspect",
        "pathlib",
        "shutil",
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_clean_scan_loads_nothing_heavy(config, form):
    modules = loaded(["scan", config, "--format", form])
    assert not modules & HEAVY
    assert "secure_serial.scanner.findings" not in modules
    assert not {name for name in modules if name.startswith("secure_serial.construct")}


def test_yaml_is_loaded_for_yaml_alone(tmp_path):
    pytest.importorskip("yaml")
    path = tmp_path / "c.yaml"
    path.write_text("class_name: Dense\nconfig: {name: d, units: 1}\n")
    assert "yaml" in loaded(["scan", str(path)])


def test_works_without_the_modules_of_posix(config, tmp_path):
    argvs = [
        ["scan", config],
        ["scan", config, "--audit", str(tmp_path / "log"), "--format", "json"],
        ["inspect", config],
        ["rules"],
        ["policy", "show", "strict"],
        ["--help"],
    ]
    assert run(BARE, argvs) == [0] * len(argvs)
    assert (tmp_path / "log").read_text().count("\n") == 1


def test_it_runs_as_a_module(config):
    command = [sys.executable, "-m", "secure_serial", "scan", config]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end differently there")
def test_a_reader_that_goes_away_is_no_crash():
    with subprocess.Popen(
        [sys.executable, "-m", "secure_serial", "policy", "show", "keras-core"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 141
    assert err == b""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_any_encoding_of_stdout_will_do(tmp_path, encoding):
    path = tmp_path / "config.json"
    path.write_text('{"class_name": "\\u2603\\u001b[2J", "config": {"name": "\\ud83d\\ude00"}}')
    done = subprocess.run(
        [sys.executable, "-m", "secure_serial", "inspect", str(path)],
        cwd=ROOT, capture_output=True, timeout=120, check=False,
        env={"PYTHONIOENCODING": encoding, "SYSTEMROOT": "C:\\Windows", "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == b""
    assert b"\x1b" not in done.stdout
    assert ("☃" in done.stdout.decode(encoding)) == (encoding == "utf-8")
