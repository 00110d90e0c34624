"""Files to verdicts: each outcome once, and no file stops another."""

from __future__ import annotations

import json

import pytest

from secure_serial.errors import AuditError, InvalidPolicy, UnsupportedFormat
from secure_serial.policy.source import parse_policy
from secure_serial.report.model import Status
from secure_serial.scanner.findings import MOST
from secure_serial.scanner.scan import inspect, scan, verdict_on

GOOD = '{"class_name": "Dense", "config": {"name": "d", "units": 1}}'
EVIL = '{"class_name": "Evil", "config": {}}'


@pytest.fixture
def folder(tmp_path):
    for name, text in {
        "good.json": GOOD,
        "evil.json": EVIL,
        "twice.json": '{"class_name": "Dense", "class_name": "Evil", "config": {}}',
        "broken.json": '{"class_name": "Dense", "config": {',
        "package.json": '{"scripts": {}}',
        "broken-package.json": '{"scripts": {',
        "notes.md": "# Notes",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def statuses(report):
    return {file.name.rpartition("/")[2]: file.status.value for file in report.files}


def test_every_outcome_of_a_folder(folder):
    report = scan(folder)
    assert statuses(report) == {
        "broken-package.json": "skipped",
        "broken.json": "failed",
        "evil.json": "denied",
        "good.json": "allowed",
        "package.json": "skipped",
        "twice.json": "denied",
    }
    assert [name.rpartition("/")[2] for name in report.others] == ["notes.md"]
    assert all(file.reason for file in report.files if file.status is Status.SKIPPED)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("package.json", "SS150"),
        ("notes.md", "SS151"),
        ("absent", "SS105"),
        ("broken-package.json", "SS110"),
    ],
)
def test_a_named_file_is_never_skipped(folder, name, code):
    (file,) = scan(folder / name).files
    assert file.status is Status.FAILED
    assert [finding.code for finding in file.findings] == [code]


def test_same_files_same_report(folder):
    assert scan([folder]) == scan([folder])


def test_our_own_fault_on_one_file_does_not_stop_the_others(folder, monkeypatch):
    from secure_serial.scanner import judge

    real = judge.read_artifact

    def failing(path, limits, *, name):
        if name.endswith("good.json"):
            raise ZeroDivisionError("a bug")
        return real(path, limits, name=name)

    monkeypatch.setattr(judge, "read_artifact", failing)
    report = scan(folder)
    assert statuses(report)["good.json"] == "internal-error"
    assert statuses(report)["evil.json"] == "denied"
    assert statuses(report)["twice.json"] == "denied"
    (file,) = [file for file in report.files if file.status is Status.INTERNAL]
    assert file.reason == "ZeroDivisionError: a bug"
    assert "failing" in file.trace


def test_a_finding_says_where_and_what(tmp_path):
    path = tmp_path / "c.json"
    path.write_text('{"class_name": "Sequential",\n "config": {"layers": [\n  ' + EVIL + "]}}")
    (finding,) = scan(path).findings
    assert finding.code == "SS301"
    assert finding.severity == "error"
    assert finding.symbol == "Evil"
    assert finding.pointer == "/config/layers/0"
    assert (finding.line, finding.column) == (3, 3)


def test_every_objection_to_one_object_is_a_finding(tmp_path):
    path = tmp_path / "c.json"
    config = {"name": "a/b", "units": 1 << 40, "activation": "/etc/passwd"}
    path.write_text(json.dumps({"class_name": "Dense", "config": config}))
    codes = {finding.code for finding in scan(path).findings}
    assert {"SS323", "SS325", "SS320"} <= codes


def test_a_million_faults_cost_a_thousand_findings(tmp_path):
    path = tmp_path / "c.json"
    layers = [{"class_name": f"Evil{n}", "config": {}} for n in range(MOST + 50)]
    path.write_text(json.dumps({"class_name": "Sequential", "config": {"layers": layers}}))
    (file,) = scan(path).files
    assert len(file.findings) == MOST
    assert file.omitted == 50


def test_a_limit_of_the_policy_is_a_finding(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(GOOD)
    tight = parse_policy('schema = 1\nextends = "keras-core"\n[limits]\nconfig_bytes = 10')
    (file,) = scan(path, policy=tight).files
    assert file.status is Status.DENIED
    assert file.findings[0].code == "SS118"


def test_a_bad_policy_judges_nothing(tmp_path):
    with pytest.raises(InvalidPolicy):
        scan(tmp_path, policy=tmp_path / "absent.toml")


def test_each_judged_file_is_recorded(folder):
    log = folder / "log"
    scan(
        [folder / name for name in ("good.json", "evil.json", "broken.json", "twice.json")],
        audit=log,
    )
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert [r.get("effect") or r["outcome"] for r in records] == [
        "allow",
        "deny",
        "failed",
        "denied",
    ]
    assert {r.get("action", "scan") for r in records} == {"scan"}
    assert len({r["load"] for r in records}) == 4


def test_a_log_that_cannot_be_written_ends_the_scan(folder):
    with pytest.raises(AuditError):
        scan(folder, audit=folder / "no" / "such" / "folder")


def test_progress_is_told_each_name(folder):
    names = []
    scan(folder, progress=names.append)
    assert len(names) == 6


def test_inspect_is_the_plan_behind_the_verdict(folder):
    assert inspect(folder / "evil.json") == verdict_on(folder / "evil.json").plan
    with pytest.raises(UnsupportedFormat):
        inspect(folder / "package.json")


def test_the_public_function_is_not_hidden_by_importing_what_is_below_it(folder):
    import secure_serial
    from secure_serial.scanner import judge

    assert judge.Judge is not None
    assert secure_serial.scan(folder) == scan(folder)
