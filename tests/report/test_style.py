"""Symbols and colours by what a stream can show."""

from __future__ import annotations

import pytest

from secure_serial.report.model import Status
from secure_serial.report.style import Style, shows_unicode


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_mark_in_both_spellings(status):
    assert Style(unicode=False).mark(status).isascii()
    assert Style().mark(status)


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("cp1252", False), ("ascii", False), ("no-such", False)]
)
def test_unicode_only_where_all_symbols_can_be_encoded(encoding, can):
    assert shows_unicode(encoding) is can
