"""What is shipped can be read offline."""

from __future__ import annotations

import json

import pytest

from secure_serial.cli.main import main
from secure_serial.data import policy_names, policy_text
from secure_serial.rules.catalogue import rules


def test_rules_lists_every_code(capsys):
    assert main(["rules"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(rules())


def test_rules_as_json(capsys):
    assert main(["rules", "--format", "json"]) == 0
    assert [r["code"] for r in json.loads(capsys.readouterr().out)["rules"]] == list(rules())


def test_rule_by_slug(capsys):
    assert main(["rule", "wrong-kind"]) == 0
    assert capsys.readouterr().out.startswith("SS311 wrong-kind")


def test_a_mistyped_rule_gets_a_hint_and_no_escape(capsys):
    assert main(["rule", "wrong-kid"]) == 2
    assert "did you mean wrong-kind" in capsys.readouterr().err
    assert main(["rule", "\x1b[2J"]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["policy", "list"]])
def test_policies_are_listed_a_line_each(capsys, argv):
    assert main(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(policy_names())
    assert all(len(line.split()) > 2 for line in lines)


def test_a_policy_is_shown_as_it_is(capsys):
    assert main(["policy", "show", "keras-core"]) == 0
    assert capsys.readouterr().out == policy_text("keras-core").rstrip("\n") + "\n"


@pytest.mark.parametrize("name", ["no-such", "../keras-core", "/etc/passwd"])
def test_only_shipped_policies_are_shown(capsys, name):
    assert main(["policy", "show", name]) == 2
    assert "keras-core" in capsys.readouterr().err


def test_a_mistyped_command_gets_a_hint(capsys):
    assert main(["scna", "x"]) == 2
    assert "did you mean scan?" in capsys.readouterr().err


def test_a_schema_is_written_over_an_older_one_and_over_nothing_else(tmp_path, capsys):
    out, mine = tmp_path / "schema.json", tmp_path / "mine.toml"
    for _ in range(2):
        assert main(["policy", "schema", "--out", str(out)]) == 0
    assert json.loads(out.read_text("utf-8"))["title"]
    mine.write_text("version = 1\n", "utf-8")
    assert main(["policy", "schema", "--out", str(mine)]) == 2
    assert "not overwritten" in capsys.readouterr().err
    assert mine.read_text("utf-8") == "version = 1\n"
    assert main(["policy", "schema", "--out", str(tmp_path)]) == 2
    assert main(["policy", "schema", "--out", "a\0b"]) == 2


def test_a_byte_order_mark_is_named(tmp_path, capsys):
    policy = tmp_path / "p.toml"
    policy.write_bytes(b"\xef\xbb\xbfversion = 1\n")
    assert main(["policy", "check", str(policy)]) == 1
    assert "byte order mark" in capsys.readouterr().out
