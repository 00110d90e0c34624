"""`secure-serial run`: a program that knows nothing of us, and every Python below it, is sealed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from secure_serial.cli.main import main
from secure_serial.cli.run_command import deaf_option, first_on_path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("program.py")
# Keras would build this one without a word: it merely names another package's class.
HOSTILE = ROOT / "examples/models/hostile/lambda_layer.keras"
BENIGN = ROOT / "examples/models/benign/mlp.keras"


@pytest.fixture
def environ(tmp_path):
    return {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONWARNINGS": "ignore"}


def run(environ, *command, options=(), cwd=None):
    line = [sys.executable, "-m", "secure_serial", "run", *options, "--", *map(str, command)]
    return subprocess.run(line, env=environ, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.keras
@pytest.mark.slow
def test_every_kind_of_process_is_sealed(environ, tmp_path):
    pytest.importorskip("keras")
    log = tmp_path / "audit.jsonl"
    done = run(environ, sys.executable, PROGRAM, HOSTILE, BENIGN, "spawn", options=["--audit", log])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("deaf") != "LoadDenied", "what the documentation lists as uncovered"
    assert found.pop("benign") == "loaded"
    assert found == dict.fromkeys(("here", "fork", "python", "spawn"), "LoadDenied")
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    outcomes = [each["outcome"] for each in records if each["event"] == "outcome"]
    assert sorted(outcomes) == ["built", *["denied"] * 4]


def test_the_exit_code_and_the_streams_are_the_programs(environ):
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    done = run(environ, sys.executable, "-c", code)
    assert (done.returncode, done.stdout) == (7, "out\n")
    assert done.stderr.endswith("err\n")


def test_a_program_without_keras_loads_nothing_of_ours(environ):
    code = "import sys; print(sorted(m for m in sys.modules if m.startswith('secure_serial')))"
    assert run(environ, sys.executable, "-c", code).stdout == "[]\n"


def test_our_own_functions_are_sealed_too(environ, tmp_path):
    policy = tmp_path / "nothing.toml"
    policy.write_text("schema = 1", encoding="utf-8")
    code = (
        "import secure_serial as s\n"
        f"try: s.load_model({str(BENIGN)!r}, policy='keras-core')\n"
        "except s.LoadDenied as error: print('denied')"
    )
    done = run(
        environ, sys.executable, "-c", code, options=["--policy", "nothing.toml"], cwd=tmp_path
    )
    assert done.stdout == "denied\n", done.stderr


def test_a_policy_that_changes_meanwhile_ends_the_process(environ, tmp_path):
    policy = tmp_path / "ours.toml"
    policy.write_text('schema = 1\nextends = "strict"', encoding="utf-8")
    code = (
        f"open({str(policy)!r}, 'w').write('schema = 1\\nextends = \"keras-core\"')\n"
        "try: import secure_serial\n"
        "except BaseException: pass\n"
        "print('went on')"
    )
    done = run(environ, sys.executable, "-c", code, options=["--policy", policy])
    assert (done.returncode, done.stdout) == (2, "")
    assert "changed since the run began" in done.stderr


def test_a_keras_whose_doors_are_not_known_ends_the_process(environ, tmp_path):
    fake = tmp_path / "elsewhere" / "keras"
    fake.mkdir(parents=True)
    (fake / "__init__.py").write_text("__version__ = '99.0.0'", encoding="utf-8")
    environ["PYTHONPATH"] = str(fake.parent)
    code = "try: import keras\nexcept BaseException: pass\nprint('went on')"
    done = run(environ, sys.executable, "-c", code)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be sealed" in done.stderr


def test_tf_keras_is_barred(environ, tmp_path):
    (tmp_path / "tf_keras.py").write_text("", encoding="utf-8")
    environ["PYTHONPATH"] = str(tmp_path)
    code = "try: import tf_keras\nexcept ImportError as error: print(error)"
    assert "no policy holds" in run(environ, sys.executable, "-c", code).stdout


def test_another_sitecustomize_runs_as_well(environ, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('theirs')", encoding="utf-8")
    environ["PYTHONPATH"] = str(tmp_path)
    done = run(environ, sys.executable, "-c", "import sys; print(len(sys.meta_path))")
    assert done.stdout.splitlines()[0] == "theirs"


def test_a_folder_called_keras_does_not_go_on_without_a_seal(environ, tmp_path):
    (tmp_path / "keras").mkdir()
    code = f"""
import sys
sys.path = [{str(tmp_path)!r}] + [p for p in sys.path if "packages" not in p]
import keras
print("ran")
"""
    done = run(environ, sys.executable, "-c", code)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be sealed" in done.stderr


def test_what_was_written_is_not_taken_when_somebody_changed_it(environ, tmp_path):
    assert run(environ, sys.executable, "-c", "").returncode == 0
    (folder,) = (tmp_path / "state" / "secure_serial" / "run").iterdir()
    with (folder / "seal.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    done = run(environ, sys.executable, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (2, "")
    assert "was changed" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_nor_when_somebody_else_could_change_it(environ, tmp_path):
    assert run(environ, sys.executable, "-c", "").returncode == 0
    (folder,) = (tmp_path / "state" / "secure_serial" / "run").iterdir()
    (folder / "sitecustomize.py").chmod(0o666)
    done = run(environ, sys.executable, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (2, "")
    assert "somebody else" in done.stderr


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["python", "-I", "x.py"], "-I"),
        (["/usr/bin/python3.11", "-BE", "-c", "1"], "-E"),
        (["python3", "-X", "dev", "-S"], "-S"),
        (["python3", "-W", "ignore", "-m", "x", "-S"], ""),
        (["python3", "-WS", "x.py"], ""),
        (["python3", "-cS"], ""),
        (["python3", "--check-hash-based-pycs", "never", "-I"], "-I"),
        (["python3", "--version"], ""),
        (["python3", "-", "-I"], ""),
        (["python3"], ""),
        (["pytest", "-S"], ""),
        (["python.exe", "-I"], "-I"),
    ],
)
def test_a_deaf_python_is_noticed(command, option):
    assert deaf_option(command) == option


def test_mistakes_of_the_command_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(["run"]) == 2
    assert main(["run", "--"]) == 2
    assert main(["run", "--", "python", "-I", "x.py"]) == 2
    assert "deaf" in capsys.readouterr().err
    assert main(["run", "--", str(tmp_path / "absent")]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["run", "--policy", "no-such-policy", "--", "true"]) == 2


def test_the_folder_comes_first():
    assert first_on_path("a", {}) == "a"
    assert first_on_path("a", {"PYTHONPATH": "b"}) == f"a{os.pathsep}b"
