"""Real, benign files: only what their index calls custom or a Lambda may be flagged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secure_serial.report.model import Status
from secure_serial.scanner.scan import scan

REAL = Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus" / "real"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the corpus of real files is not here")


def rows():
    return json.loads((REAL / "index.json").read_text())["rows"]


@pytest.fixture(scope="module")
def by_config():
    return {Path(file.name).name: file for file in scan(REAL / "configs").files}


def test_custom_classes_are_flagged_by_name(by_config):
    seen = 0
    for row in rows():
        if not row["has_custom"]:
            continue
        file = by_config[Path(row["config"]).name]
        assert file.status is Status.DENIED
        assert {f.symbol for f in file.findings} >= set(row["custom_classes"])
        seen += 1
    assert seen


def test_lambdas_are_flagged_as_code(by_config):
    seen = 0
    for row in rows():
        if not row["has_lambda"]:
            continue
        file = by_config[Path(row["config"]).name]
        assert file.status is Status.DENIED
        assert "SS303" in {f.code for f in file.findings}
        seen += 1
    assert seen


def test_nothing_else_is_flagged(by_config):
    wrong = {}
    for row in rows():
        file = by_config[Path(row["config"]).name]
        if not (row["has_custom"] or row["has_lambda"] or file.status is Status.ALLOWED):
            wrong[row["config"]] = sorted({(f.code, f.symbol, f.message) for f in file.findings})
    assert wrong == {}


def test_original_files_get_the_verdict_of_their_configs(by_config):
    seen = 0
    for row in rows():
        if "file" not in row:
            continue
        (file,) = scan(REAL / row["file"]).files
        assert file.status is by_config[Path(row["config"]).name].status, row["file"]
        seen += 1
    assert seen == 60
