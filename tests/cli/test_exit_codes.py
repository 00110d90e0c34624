"""One exit code each, the same for every format; documented in docs/report.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secure_serial.cli.exits import PRECEDENCE, Exit, first, of_report
from secure_serial.cli.main import main
from secure_serial.report.model import FileReport, PolicyRef, Report, Status

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "report.md"
GOOD = '{"class_name": "Dense", "config": {"name": "d", "units": 1}}'
EVIL = '{"class_name": "Evil\\u001b[2J", "config": {}}'


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "good.json": GOOD, "evil.json": EVIL, "broken.json": '{"class_name"', "none/a.md": "x",
        "bad.toml": "schema = 99", "all/good.json": GOOD, "all/evil.json": EVIL,
        "all/broken.json": '{"class_name"',
    }.items():  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


CASES = [
    (0, ["scan", "good.json"]),
    (1, ["scan", "evil.json"]),
    (1, ["scan", "good.json", "evil.json", "broken.json"]),
    (1, ["scan", "all"]),
    (2, ["scan", "good.json", "--policy", "bad.toml"]),
    (2, ["scan", "good.json", "--policy", "no-such-policy"]),
    (2, ["scan", "good.json", "--audit", "no/such/folder/log"]),
    (2, ["scan"]),
    (2, ["scan", "good.json", "--no-such-option"]),
    (3, ["scan", "none"]),
    (4, ["scan", "broken.json"]),
    (4, ["scan", "good.json", "absent.json"]),
    (0, ["inspect", "good.json"]),
    (1, ["inspect", "evil.json"]),
    (2, ["inspect", "good.json", "--policy", "bad.toml"]),
    (2, ["inspect", "good.json", "--depth", "-1"]),
    (4, ["inspect", "absent.json"]),
    (0, ["rule", "SS303"]),
    (2, ["rule", "SS3"]),
    (0, ["rules"]),
]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(("code", "argv"), CASES, ids=[" ".join(argv) for _, argv in CASES])
def test_exit_code(files, capsys, code, argv, form):
    assert main([*argv, "--format", form]) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert "\x1b[2J" not in out + err
    if code == 2:
        assert out == ""
        assert err
    elif form == "json":
        data = json.loads(out)
        assert (data["schema"], data["exit_code"], data["command"]) == (1, code, argv[0])
    else:
        assert out


@pytest.mark.parametrize("form", ["text", "json"])
def test_101_is_our_own_fault(files, capsys, monkeypatch, form):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("secure_serial.scanner.judge.read_artifact", fail)
    assert main(["scan", "good.json", "evil.json", "--format", form]) == 101
    out, err = capsys.readouterr()
    assert "report this" in err
    assert "Traceback" not in out + err
    assert main(["-v", "scan", "good.json", "--format", form]) == 101
    assert "Traceback" in capsys.readouterr().err


def test_101_outside_of_a_file(capsys, monkeypatch):
    monkeypatch.setattr("secure_serial.cli.text_commands.run_rules", lambda *_: 1 / 0)
    assert main(["rules"]) == 101
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err
    assert "report this" in err
    assert "Traceback" not in err


def test_130_is_an_interruption(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("secure_serial.cli.text_commands.run_rules", interrupt)
    assert main(["rules"]) == 130


def test_no_command_is_a_mistake(capsys):
    assert main([]) == 2
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv", [["--help"], ["scan", "--help"], ["--version"], ["policy", "list"]]
)
def test_help_and_its_like_are_clean(capsys, argv):
    assert main(argv) == 0
    assert capsys.readouterr().out


def reported(*statuses):
    return Report(PolicyRef("p", 1, ""), tuple(FileReport("f", status) for status in statuses))


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], Exit.NOTHING),
        ([Status.SKIPPED], Exit.NOTHING),
        ([Status.SKIPPED, Status.ALLOWED], Exit.CLEAN),
        ([Status.ALLOWED, Status.FAILED], Exit.UNREADABLE),
        ([Status.FAILED, Status.DENIED], Exit.FINDINGS),
        ([Status.DENIED, Status.INTERNAL, Status.FAILED], Exit.INTERNAL),
    ],
)
def test_the_worst_file_decides(statuses, code):
    assert of_report(reported(*statuses)) is code


def test_precedence_is_total_and_documented():
    assert first(PRECEDENCE) is Exit.INTERNAL
    assert first([]) is Exit.CLEAN
    order = ", ".join(str(int(code)) for code in PRECEDENCE)
    assert order in DOCUMENT.read_text(encoding="utf-8")
    assert all(f"| {int(code)} |" in DOCUMENT.read_text(encoding="utf-8") for code in Exit)
