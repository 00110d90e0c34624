"""Streams that cannot be written are the environment's fault, and hide no verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODELS = Path(__file__).resolve().parents[2] / "examples" / "models" / "benign"
SCAN = [sys.executable, "-m", "secure_serial", "scan", str(MODELS), "--format", "json"]


pytestmark = pytest.mark.skipif(os.name != "posix", reason="asks a shell of POSIX")


def scan(closed="", buffered="", first=":", **options):
    environ = {**os.environ, "PYTHONUNBUFFERED": buffered}
    shell = ["sh", "-c", f'{first} && exec "$@" {closed}', "sh", *SCAN]
    return subprocess.run(shell, env=environ, check=False, **options)


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_clean_scan_is_clean_where_stderr_is_closed(buffered):
    done = scan("2>&-", buffered, stdout=subprocess.PIPE)
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (0, 0)


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_closed_stdout_is_said(buffered):
    done = scan(">&-", buffered, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert b"stdout cannot be written" in done.stderr
    assert b"internal error" not in done.stderr


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_report_that_was_cut_off_is_no_clean_one(tmp_path, buffered):
    # As on a full disk: the first bytes go in, the rest does not.
    with (tmp_path / "report.json").open("wb") as file:
        done = scan("", buffered, "ulimit -f 1", stdout=file, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert b"stdout cannot be written" in done.stderr
