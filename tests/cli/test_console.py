"""Stdout is the result and stderr the story; colours and progress only where wanted."""

from __future__ import annotations

import io

import pytest

from secure_serial.cli.console import Console, wants_colour
from secure_serial.cli.main import main


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


PIPE = io.StringIO()


@pytest.mark.parametrize(
    ("choice", "stream", "environ", "wanted"),
    [
        ("auto", Terminal(), {}, True),
        ("auto", PIPE, {}, False),
        ("auto", Terminal(), {"NO_COLOR": "1"}, False),
        ("auto", Terminal(), {"NO_COLOR": ""}, True),
        ("auto", PIPE, {"FORCE_COLOR": "1"}, True),
        ("auto", Terminal(), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("auto", Terminal(), {"TERM": "dumb"}, False),
        ("always", PIPE, {"NO_COLOR": "1"}, True),
        ("never", Terminal(), {"FORCE_COLOR": "1"}, False),
        ("auto", None, {}, False),
    ],
)
def test_colour(choice, stream, environ, wanted):
    assert wants_colour(choice, stream, environ) is wanted


def test_progress_is_drawn_on_a_terminal_and_cleared(monkeypatch):
    out, err = io.StringIO(), Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    console = Console()
    console.progress("a\x1b[2J" + "x" * 100)
    console.result("done")
    assert "1 files" in err.getvalue()
    assert "\x1b[2J" not in err.getvalue()
    assert err.getvalue().endswith("\r\x1b[K")
    assert out.getvalue() == "done\n"


def test_no_progress_elsewhere(monkeypatch):
    err, terminal = io.StringIO(), Terminal()
    monkeypatch.setattr("sys.stderr", err)
    Console().progress("a")
    monkeypatch.setattr("sys.stderr", terminal)
    Console(quiet=1).progress("a")
    monkeypatch.setenv("TERM", "dumb")
    Console().progress("a")
    assert (err.getvalue(), terminal.getvalue()) == ("", "")


def test_options_may_stand_on_either_side(tmp_path, capsys):
    path = tmp_path / "c.json"
    path.write_text('{"class_name": "Evil", "config": {}}')
    before = main(["--color", "always", "scan", str(path)]), capsys.readouterr()
    behind = main(["scan", str(path), "--color", "always"]), capsys.readouterr()
    assert before == behind
    assert "\x1b[31m" in before[1].out
    assert main(["-q", "-q", "scan", str(path)]) == 1
    assert capsys.readouterr().out.count("\n") == 1


def test_the_same_scan_prints_the_same_bytes(tmp_path, capsys):
    (tmp_path / "c.json").write_text('{"class_name": "Evil", "config": {}}')
    texts = set()
    for _ in range(2):
        main(["scan", str(tmp_path), "--format", "json"])
        texts.add(capsys.readouterr().out)
    assert len(texts) == 1
