"""Every code that the package can say has a text, and every text has a code that says it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from secure_serial.rules.catalogue import find, lookup, nearest, rules

PACKAGE = Path(__file__).resolve().parents[2] / "secure_serial"


def codes_in_source():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if "rules" not in path.relative_to(PACKAGE).parts:
            found |= set(re.findall(r"\bSS\d{3}\b", path.read_text(encoding="utf-8")))
    return found


def test_every_code_in_the_source_has_an_entry():
    assert codes_in_source() - set(rules()) == set()


def test_every_entry_is_a_code_of_the_source():
    assert set(rules()) - codes_in_source() == set()


@pytest.mark.parametrize("rule", rules().values(), ids=list(rules()))
def test_entry_is_complete(rule):
    assert rule.severity in {"error", "warning", "note"}
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.slug)
    for text in (rule.what, rule.why, rule.fix):
        assert text.strip() == text
        assert text.endswith((".", "?"))
    assert not rule.title.endswith(".")
    assert all(re.fullmatch(r"CWE-\d+", name) for name in rule.cwe)
    assert all(re.fullmatch(r"CVE-\d{4}-\d{4,}", name) for name in rule.cve)
    assert rule.outcome in {"", "denied"}


def test_slugs_are_unique_and_codes_in_order():
    table = rules()
    assert len({rule.slug for rule in table.values()}) == len(table)
    assert list(table) == sorted(table)


def test_only_artifact_codes_have_an_outcome():
    """A policy's decision is a denial by itself; only a reader's error needs to be told."""
    assert {rule.code[2] for rule in rules().values() if rule.outcome} == {"1"}


def test_a_code_without_a_text_hides_nothing():
    unknown = lookup("SS9" + "99")
    assert unknown.severity == "error"


@pytest.mark.parametrize("word", ["SS303", "ss303", "code-in-file", "Code-In-File"])
def test_found_by_code_or_slug_in_any_case(word):
    assert find(word) is rules()["SS303"]


def test_mistyped_word_is_not_guessed_but_hinted_at():
    assert find("code-in-fil") is None
    assert "code-in-file" in nearest("code-in-fil")
    assert nearest("\x1b[2J") == ()
