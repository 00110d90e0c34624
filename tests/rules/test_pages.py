"""docs/rules.md is what the data says."""

from __future__ import annotations

from pathlib import Path

from secure_serial.rules.catalogue import rules
from secure_serial.rules.pages import STAGES, document, page

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rules.md"


def test_the_document_is_current():
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_every_stage_of_a_code_has_a_heading():
    assert {code[2] for code in rules()} <= set(STAGES)


def test_a_page_says_what_why_what_to_do_and_where_to_read_on():
    text = page(rules()["SS303"])
    assert rules()["SS303"].what in text
    assert rules()["SS303"].why in text
    assert rules()["SS303"].fix in text
    assert "CVE-2024-3660" in text
