"""What people read: golden texts, and what must never be in one."""

from __future__ import annotations

import pytest
from report.reports import report

from secure_serial.report.model import PolicyRef, Report
from secure_serial.report.style import Style
from secure_serial.report.text import render

PLAIN = """\
+ m/good.h5  allowed (3 requests)
x m/evil.keras  denied: 8 findings
  SS301 'acme>Block' is not known, and no rule allows it
      at config.json#/config/layers/1 (line 1, column 20)
      at config.json#/config/layers/2 (line 1, column 40)
      at config.json#/config/layers/3 (line 1, column 60)
      and at 2 more places
      -> Allow it.
  SS303 a \\x1b[2Jlambda
      at config.json
      -> Allow it.
  and 2 more findings
  To allow what a policy can allow here, if you trust it, add these lines to yours:

    schema = 1
    extends = ["keras-core"]

    [[allow]]
    id = "allow-acme-block"
    registered = ["acme>Block"]

! m/cut.h5  failed: the file ends inside
- m/notes.json  skipped: not a Keras model: it has: 'a'
- m/link  skipped: symbolic link
!! m/odd\\x0a.h5  internal-error: KeyError: 'x'

4 files scanned: 1 allowed, 1 denied, 1 failed, 1 internal-error; \
skipped: 1 (not a Keras model), 1 (symbolic link), 1 (no format of Keras's) \
(policy keras-core, version 1)"""


def test_the_whole_text():
    assert render(report(), Style(unicode=False)) == PLAIN


def test_symbols_where_they_can_be_shown():
    text = render(report(), Style())
    assert text.startswith("✔ m/good.h5")
    assert "✖ m/evil.keras" in text
    assert render(report(), Style(unicode=False)).isascii()


def test_quiet_leaves_out_what_needs_no_attention():
    text = render(report(), Style(unicode=False), quiet=1)
    assert "good.h5" not in text
    assert "notes.json" not in text
    assert "evil.keras" in text
    assert "cut.h5" in text
    assert render(report(), Style(unicode=False), quiet=2) == PLAIN.splitlines()[-1]


def test_verbose_names_every_place_and_every_other_file():
    text = render(report(), Style(unicode=False), verbose=1)
    assert text.count("at config.json#/config/layers/") == 5
    assert "m/README.md" in text
    assert "c" * 64 in text
    assert "no policy line can allow it" in text


def test_colours_are_the_only_escapes():
    text = render(report(), Style(colour=True))
    assert "\x1b[31m" in text
    assert "\x1b[2J" not in text
    assert "\x1b" not in render(report(), Style(colour=False))


@pytest.mark.parametrize("others", [(), ("a", "b")])
def test_nothing_scanned_is_said(others):
    text = render(Report(PolicyRef("strict", 1, ""), (), others))
    assert text.startswith("nothing scanned")
    assert ("2 (no format of Keras's)" in text) == bool(others)
