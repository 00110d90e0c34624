"""The shape that programs rely on; docs/report.md describes it."""

from __future__ import annotations

import json
from pathlib import Path

from report.reports import report

from secure_serial.report.json_text import SCHEMA, dump, scan_object

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "report.md"


def made():
    return json.loads(dump(scan_object(report(), "1.2.3", 101)))


def test_the_shape_of_a_scan():
    data = made()
    assert data["schema"] == SCHEMA == 1
    assert data["tool"] == {"name": "secure-serial", "version": "1.2.3"}
    assert data["command"] == "scan"
    assert data["exit_code"] == 101
    assert data["policy"] == {"name": "keras-core", "version": 1, "sha256": "ab" * 32}
    assert data["summary"] == {
        "scanned": 4, "allowed": 1, "denied": 1, "failed": 1, "skipped": 2,
        "internal_error": 1, "other": 1, "findings": 8, "waived": 0, "reported": 0,
    }  # fmt: skip
    assert data["other"] == ["m/README.md"]
    assert [file["status"] for file in data["files"]] == [
        "allowed", "denied", "failed", "skipped", "skipped", "internal-error",
    ]  # fmt: skip


def test_the_shape_of_a_finding():
    first = made()["files"][1]["findings"][0]
    assert first["code"] == "SS301"
    assert first["slug"] == "not-allowed"
    assert first["location"] == {
        "file": "m/evil.keras",
        "member": "config.json",
        "pointer": "/config/layers/1",
        "line": 1,
        "column": 20,
    }
    assert first["policy_lines"].startswith("schema = 1")


def test_the_text_is_ascii_on_lines_of_its_own():
    text = dump(scan_object(report(), "1", 0))
    assert text.isascii()
    assert "\x1b" not in text


def test_no_trace_and_no_clock_in_it():
    assert "Traceback" not in dump(scan_object(report(), "1", 0))
    assert dump(scan_object(report(), "1", 0)) == dump(scan_object(report(), "1", 0))


def keys(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)


def test_every_key_is_documented():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [key for key in set(keys(made())) if f"`{key}`" not in text] == []
