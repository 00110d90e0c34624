"""`policy init`, `fmt` and `schema` as commands: streams, files and exit codes."""

from __future__ import annotations

import argparse
import json
import sys

import pytest

from secure_serial import parse_policy
from secure_serial.authoring.schema import schema
from secure_serial.cli.console import Console
from secure_serial.cli.exits import Exit
from secure_serial.cli.policy_write import run_fmt, run_init, run_schema
from secure_serial.cli.trouble import UsageError

UGLY = "name='a' #x\nschema=1\n"
FINE = "schema = 1\nname = 'a'  #x\n"


def init(out=None, name=None):
    return run_init(argparse.Namespace(out=out, name=name), Console())


def fmt(*files, check=False):
    return run_fmt(argparse.Namespace(files=[str(file) for file in files], check=check), Console())


@pytest.fixture
def policy(tmp_path):
    def write(text, name="p.toml"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_init_prints_a_policy(capsys):
    assert init(name="acme") is Exit.CLEAN
    assert parse_policy(capsys.readouterr().out).name == "acme"


def test_init_writes_a_new_file_and_tells_what_is_next(tmp_path, capsys):
    path = tmp_path / "new.toml"
    assert init(out=str(path)) is Exit.CLEAN
    assert parse_policy(path.read_text(encoding="utf-8")).name == "our-models"
    out, err = capsys.readouterr()
    assert out == f"{path}\n"
    assert "policy test" in err


def test_init_never_overwrites(policy):
    path = policy("mine")
    with pytest.raises(UsageError, match="not overwritten"):
        init(out=str(path))
    assert path.read_text() == "mine"


def test_init_refuses_what_cannot_be_written_or_be_a_name(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        init(out=str(tmp_path / "no" / "such.toml"))
    with pytest.raises(UsageError, match="name"):
        init(name="a\nb")


def test_fmt_writes_what_is_not_formatted_and_names_it(policy, capsys):
    pytest.importorskip("tomlkit")
    ugly, fine = policy(UGLY, "ugly.toml"), policy(FINE, "fine.toml")
    before = fine.stat().st_mtime_ns, fine.stat().st_ino
    assert fmt(ugly, fine) is Exit.CLEAN
    assert ugly.read_text() == fine.read_text() == FINE
    assert (fine.stat().st_mtime_ns, fine.stat().st_ino) == before
    out, err = capsys.readouterr()
    assert out == f"{ugly}\n"
    assert err == "1 formatted, 1 unchanged\n"
    assert fmt(ugly, fine) is Exit.CLEAN
    assert capsys.readouterr().out == ""


def test_fmt_check_changes_nothing(policy, capsys):
    pytest.importorskip("tomlkit")
    ugly, fine = policy(UGLY, "ugly.toml"), policy(FINE, "fine.toml")
    assert fmt(fine, check=True) is Exit.CLEAN
    assert capsys.readouterr().err == "0 not formatted, 1 formatted\n"
    assert fmt(ugly, fine, check=True) is Exit.FINDINGS
    assert ugly.read_text() == UGLY
    assert capsys.readouterr().out == f"{ugly}\n"


@pytest.mark.parametrize("text", ["a =", b"\xff\xfe", "a = 1\na = 2"])
def test_fmt_leaves_what_it_cannot_read_and_goes_on(policy, text, capsys):
    pytest.importorskip("tomlkit")
    bad, ugly = policy(text, "bad.toml"), policy(UGLY, "ugly.toml")
    before = bad.read_bytes()
    assert fmt(bad, ugly) is Exit.USAGE
    assert bad.read_bytes() == before
    assert ugly.read_text() == FINE
    out, err = capsys.readouterr()
    assert out == f"{ugly}\n"
    assert "bad.toml" in err
    assert err.endswith("1 formatted, 0 unchanged\n")
    assert fmt(bad, ugly, check=True) is Exit.USAGE


def test_fmt_of_what_is_not_there(tmp_path, capsys):
    pytest.importorskip("tomlkit")
    assert fmt(tmp_path / "no.toml") is Exit.USAGE
    assert "no.toml" in capsys.readouterr().err


def test_fmt_never_writes_a_shipped_policy(monkeypatch):
    pytest.importorskip("tomlkit")
    from secure_serial.authoring import fmt as module

    monkeypatch.setattr(module, "formatted", lambda text, source: text + "\n")
    with pytest.raises(UsageError, match="shipped"):
        fmt("strict")


def test_fmt_says_what_to_install(policy, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "tomlkit"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tomlkit", None)
    with pytest.raises(UsageError, match="pip install tomlkit"):
        fmt(policy(UGLY))


def test_fmt_of_a_file_that_cannot_be_written(policy, monkeypatch):
    pytest.importorskip("tomlkit")
    from secure_serial.authoring import writing

    def refuse(path, data):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(writing, "replace", refuse)
    with pytest.raises(UsageError, match="Permission denied"):
        fmt(policy(UGLY))


def test_schema_is_printed_or_written(tmp_path, capsys):
    assert run_schema(argparse.Namespace(out=None), Console()) is Exit.CLEAN
    assert json.loads(capsys.readouterr().out) == schema()
    path = tmp_path / "s.json"
    for _ in range(2):  # it is generated, so it may be written again
        assert run_schema(argparse.Namespace(out=str(path)), Console()) is Exit.CLEAN
        assert json.loads(path.read_bytes()) == schema()
        path.write_text('{"old": 1}')
    assert capsys.readouterr().out == ""
