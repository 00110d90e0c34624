"""Keras's own tests hold with our functions in the place of Keras's, and under a policy.

`suite.toml` says which files, how many tests each has, what stands in Keras's place, and
which tests must be refused; `SECURE_SERIAL_REPLACE` overrides what stands there. With
`enforced.toml` Keras's own functions run, behind the doors of `enforcing("keras-core")`.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SUITES = {
    name: tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))
    for name in ("suite", "enforced")
}
REPLACE = {name: suite["replace"] for name, suite in SUITES.items()}
if "SECURE_SERIAL_REPLACE" in os.environ:
    REPLACE["suite"] = os.environ["SECURE_SERIAL_REPLACE"].split(",")
OPTIONS = ["-p", "in_kerass_place", "-p", "no:cacheprovider", "-c", str(HERE / "keras.ini")]
#: What must have been called, or recorded: a stand-in that nobody asks proves nothing.
CALLED = {
    "registry": ("get_registered_name", "get_registered_object", "register_keras_serializable"),
    "serialize": ("serialize_keras_object",),
    "deserialize": ("deserialize_keras_object",),
    "enforcing": ("decision", "outcome", "resolution"),
}

pytestmark = [
    pytest.mark.keras,
    pytest.mark.skipif(find_spec("keras") is None, reason="Keras is not installed"),
    pytest.mark.skipif(
        find_spec(SUITES["suite"]["backend"]) is None, reason="its backend is not installed"
    ),
]


def source(path):
    return Path(find_spec("keras").origin).parent / "src" / path


@functools.cache
def run(name, group):
    """One run of a group's files in one process: outcomes by file, calls of ours, output."""
    suite = SUITES[name]
    if version("keras") != suite["keras"]:
        pytest.skip(f"the counts are those of Keras {suite['keras']}")
    files = [str(source(entry["path"])) for entry in suite["file"] if entry["group"] == group]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *OPTIONS, *files],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)]),
                "KERAS_BACKEND": suite["backend"],
                "SECURE_SERIAL_SUITE": str(HERE / f"{name}.toml"),
                "SECURE_SERIAL_REPLACE": ",".join(REPLACE[name]),
                "SECURE_SERIAL_REPORT": str(report),
            },
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
        output = done.stdout + done.stderr
        result = json.loads(report.read_text("utf-8")) if report.exists() else {}
    return result.get("outcomes", {}), result.get("calls", {}), output


def names(name, entries):
    return {entry["test"] for entry in SUITES[name][entries]}


def marked(values, group):
    return pytest.param(*values, marks=[pytest.mark.slow] if group == "long" else [])


def files():
    for name, suite in SUITES.items():
        for entry in suite["file"]:
            yield marked((name, entry["path"]), entry["group"])


def groups():
    found = {(name, entry["group"]) for name, suite in SUITES.items() for entry in suite["file"]}
    return [marked(each, each[1]) for each in sorted(found)]


@pytest.mark.parametrize(("name", "path"), files())
def test_every_test_of_the_file_ends_as_it_must(name, path):
    (entry,) = (each for each in SUITES[name]["file"] if each["path"] == path)
    outcomes, _, output = run(name, entry["group"])
    seen = outcomes.get(str(source(path)), {})
    assert len(seen) == entry["tests"], output[-4_000:]
    failed = sorted(test for test, outcome in seen.items() if outcome == "failed")
    assert failed == [], output[-20_000:]
    left_out = {test for test, outcome in seen.items() if outcome == "left out"}
    assert left_out == names(name, "left_out") & set(seen)
    refuses = {"deserialize", "enforcing"} & set(REPLACE[name])
    refused = names(name, "refused") & set(seen) if refuses else set()
    assert {test for test, outcome in seen.items() if outcome == "refused"} == refused
    assert Counter(seen.values())["skipped"] == entry.get("skipped", 0)


@pytest.mark.parametrize(("name", "group"), groups())
def test_ours_were_the_functions_that_ran(name, group):
    _, calls, output = run(name, group)
    for part in REPLACE[name]:
        for called in CALLED[part]:
            assert calls.get(called, 0) > 0, output[-4_000:]


@pytest.mark.parametrize("name", SUITES)
def test_every_exception_has_a_reason(name):
    for entry in SUITES[name]["left_out"] + SUITES[name]["refused"]:
        assert entry["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITES)
def test_every_exception_names_one_test_that_is_there(name):
    seen = [
        test
        for group in {entry["group"] for entry in SUITES[name]["file"]}
        for tests in run(name, group)[0].values()
        for test in tests
    ]
    for test in names(name, "left_out") | names(name, "refused"):
        assert seen.count(test) == 1, test
