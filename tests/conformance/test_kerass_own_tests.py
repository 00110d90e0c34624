"""Keras's own tests hold with our functions in the place of Keras's.

`suite.toml` says which files, how many tests each has, what stands in Keras's place, and
which tests must be refused. `SECURE_SERIAL_REPLACE` overrides what stands there.
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
SUITE = tomllib.loads((HERE / "suite.toml").read_text("utf-8"))
REPLACE = os.environ.get("SECURE_SERIAL_REPLACE", ",".join(SUITE["replace"]))
FILES = {entry["path"]: entry for entry in SUITE["file"]}
OPTIONS = ["-p", "in_kerass_place", "-p", "no:cacheprovider", "-c", str(HERE / "keras.ini")]
CALLED = {
    "registry": ("get_registered_name", "get_registered_object", "register_keras_serializable"),
    "serialize": ("serialize_keras_object",),
    "deserialize": ("deserialize_keras_object",),
}

pytestmark = [
    pytest.mark.keras,
    pytest.mark.skipif(find_spec("keras") is None, reason="Keras is not installed"),
    pytest.mark.skipif(find_spec(SUITE["backend"]) is None, reason="its backend is not installed"),
]


def source(path):
    return Path(find_spec("keras").origin).parent / "src" / path


@functools.cache
def run(group):
    """One run of a group's files in one process: outcomes by file, calls of ours, output."""
    if version("keras") != SUITE["keras"]:
        pytest.skip(f"the counts are those of Keras {SUITE['keras']}")
    files = [str(source(path)) for path, entry in FILES.items() if entry["group"] == group]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *OPTIONS, *files],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)]),
                "KERAS_BACKEND": SUITE["backend"],
                "SECURE_SERIAL_REPLACE": REPLACE,
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


def names(entries):
    return {entry["test"] for entry in SUITE[entries]}


def in_groups():
    return [
        pytest.param(path, marks=[pytest.mark.slow] if entry["group"] == "long" else [])
        for path, entry in FILES.items()
    ]


@pytest.mark.parametrize("path", in_groups())
def test_every_test_of_the_file_ends_as_it_must(path):
    entry = FILES[path]
    outcomes, _, output = run(entry["group"])
    seen = outcomes.get(str(source(path)), {})
    assert len(seen) == entry["tests"], output[-4_000:]
    failed = sorted(test for test, outcome in seen.items() if outcome == "failed")
    assert failed == [], output[-20_000:]
    assert {test for test, outcome in seen.items() if outcome == "left out"} == names(
        "left_out"
    ) & set(seen)
    refused = names("refused") & set(seen) if "deserialize" in REPLACE else set()
    assert {test for test, outcome in seen.items() if outcome == "refused"} == refused
    assert Counter(seen.values())["skipped"] == entry.get("skipped", 0)


@pytest.mark.parametrize("group", ["quick", pytest.param("long", marks=pytest.mark.slow)])
def test_ours_were_the_functions_that_ran(group):
    _, calls, output = run(group)
    for part in REPLACE.split(","):
        for name in CALLED[part]:
            assert calls.get(name, 0) > 0, output[-4_000:]


def test_every_exception_has_a_reason():
    for entry in SUITE["left_out"] + SUITE["refused"]:
        assert entry["reason"]


@pytest.mark.slow
def test_every_exception_names_one_test_that_is_there():
    seen = [
        test for group in ("quick", "long") for tests in run(group)[0].values() for test in tests
    ]
    for test in names("left_out") | names("refused"):
        assert seen.count(test) == 1, test
