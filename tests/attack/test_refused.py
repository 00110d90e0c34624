"""Every hostile file is refused, by every door, and nothing in it runs, opens or connects."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("h5py", reason="hostile HDF5 files are made with h5py")
pytest.importorskip("yaml")

from attack.builders import CASES
from attack.stage import Stage

import secure_serial
from secure_serial.errors import SecureSerialError

ROOT = Path(__file__).resolve().parents[2]
ADVISORIES = [
    "CVE-2021-37678",
    "CVE-2021-35958",
    "CVE-2024-3660",
    "CVE-2024-55459",
    "CVE-2025-1550",
    "CVE-2025-8747",
    "CVE-2025-9906",
    "CVE-2025-9905",
    "CVE-2025-49655",
    "CVE-2025-12058",
    "CVE-2025-12060",
    "CVE-2025-12638",
    "CVE-2026-0897",
    "CVE-2026-1669",
    "CVE-2026-1462",
    "CVE-2026-11816",
    "CVE-2026-12479",
    "CVE-2026-12480",
    "CVE-2026-12481",
    "CVE-2026-12482",
    "CVE-2026-12484",
    "CVE-2026-9335",
    "CVE-2026-12570",
]
EXITS = {"allowed": 0, "denied": 1, "skipped": 3, "failed": 4, "internal-error": 101}
HAS_KERAS = importlib.util.find_spec("keras") is not None


def params(cases):
    marks = {True: [pytest.mark.keras], False: []}
    return [pytest.param(case, id=case.id, marks=marks[case.at_build]) for case in cases]


@pytest.fixture
def staged(tmp_path):
    """Builds a case on a stage, and insists in the end that no trap has fired."""
    stages = []

    @contextlib.contextmanager
    def build(case):
        stage = Stage(tmp_path / "stage")
        stages.append(stage)
        made = case.build(stage)
        stage.arm()
        yield stage, made
        assert stage.fired() == []

    yield build
    for stage in stages:
        stage.close()


def near(pointer, wanted):
    """Whether a finding at `pointer` speaks of the place `wanted`."""
    pointer = re.sub(r"^(/modelTopology)?(/model_config)?", "", pointer)
    return pointer.startswith(wanted) or (pointer != "" and wanted.startswith(pointer))


@pytest.mark.parametrize("case", params(CASES))
def test_scan_reports_it(case, staged):
    """A scan neither passes the file nor fails inside, and says where the harm is."""
    with staged(case) as (_, path):
        report = secure_serial.scan([path])
    files = [file for file in report.files if file.status != "skipped"] or report.files
    codes = {EXITS[str(file.status)] for file in files}
    assert codes <= set(case.exits), [(str(file.status), file.reason) for file in files]
    findings = [finding for file in files for finding in file.findings]
    if 1 in codes:
        assert findings
        assert all(re.fullmatch(r"SS\d{3}", finding.code) for finding in findings)
    if case.pointer and case.exits == (1,):
        assert any(near(finding.pointer, case.pointer) for finding in findings), findings


@pytest.mark.parametrize("case", params(CASES))
def test_load_is_refused(case, staged):
    """Loading ends in one of the errors that are meant for it."""
    if case.at_build and not HAS_KERAS:
        pytest.skip("only building refuses this one, and Keras is not installed")
    with staged(case) as (_, path), pytest.raises(SecureSerialError) as caught:
        secure_serial.load_model(path)
    names = {kind.__name__ for kind in type(caught.value).__mro__}
    meant = {*case.errors, *(["ConstructionError"] if case.at_build else [])}
    assert names & meant, repr(caught.value)


@pytest.mark.parametrize("case", params(case for case in CASES if case.config is not None))
def test_bare_config_is_refused(case, tmp_path):
    """The same config, passed as a value: there is no side door (rule 4, CVE-2026-12481)."""
    if case.at_build and not HAS_KERAS:
        pytest.skip("only building refuses this one, and Keras is not installed")
    stage = Stage(tmp_path / "stage")
    config = case.config(stage)
    stage.arm()
    try:
        with pytest.raises(SecureSerialError):
            secure_serial.deserialize_keras_object(config)
        assert stage.fired() == []
    finally:
        stage.close()


@pytest.mark.parametrize("safe_mode", [True, False, None])
def test_safe_mode_does_not_open_the_gate(safe_mode, staged):
    """CVE-2025-9906, rule 9: no mode, unset or off, lets code through."""
    case = next(case for case in CASES if case.id == "CVE-2024-3660/lambda@lambda-function.keras")
    with staged(case) as (_, path), pytest.raises(SecureSerialError):
        secure_serial.load_model(path, safe_mode=safe_mode)


@pytest.mark.parametrize("address", ["hf://someone/model", "http://x.invalid/m", "gs://b/m", "-"])
def test_addresses_are_not_followed(address):
    """A path is a path on this machine; nothing is fetched."""
    with pytest.raises((SecureSerialError, OSError)):
        secure_serial.load_model(address)


def one_of_each():
    """For each advisory, rule and format, the first case that has no need to be built."""
    chosen = {}
    for case in CASES:
        if not case.at_build:
            chosen.setdefault((case.advisory, case.id.rsplit(".", 1)[-1]), case)
    return list(chosen.values())


@pytest.mark.parametrize("verb", ["scan", "load"])
@pytest.mark.parametrize("case", params(one_of_each()))
def test_command_line_refuses_it(case, verb, staged):
    """`secure_serial scan` and `load` end with the code that CI reads, and without a trace."""
    if importlib.util.find_spec("secure_serial.__main__") is None:
        pytest.skip("the command line does not exist yet")
    with staged(case) as (stage, path):
        done = subprocess.run(
            [sys.executable, "-m", "secure_serial", verb, str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )
        stage.events.clear()  # of this process: that it started another is our own doing
    assert done.returncode in case.exits, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    # What a hostile name holds must not reach the terminal.
    assert "\x1b[2J" not in done.stdout + done.stderr


def test_every_advisory_and_rule_has_a_case():
    """The list of advisories is the list of headings: none may be forgotten."""
    seen = {case.advisory for case in CASES}
    assert not set(ADVISORIES) - seen
    assert not {f"rule-{number}" for number in range(1, 11)} - seen


def test_ids_are_unique():
    assert len({case.id for case in CASES}) == len(CASES)
