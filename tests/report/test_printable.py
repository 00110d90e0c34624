"""Names that were made to fool a screen are shown, not obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_serial.report.printable import encodable, printable

NASTY = {
    "clear-screen": "a\x1b[2Jb",
    "8-bit-escape": "a\x9b2Jb",
    "title": "\x1b]0;owned\x07",
    "hyperlink": "\x1b]8;;http://x.invalid\x1b\\click\x1b]8;;\x1b\\",
    "carriage-return": "denied\rallowed",
    "newline": "x\n✔ other.keras  allowed",
    "backspace": "evil\b\b\b\bgood",
    "null": "a\0b",
    "bidi-override": "safe\u202egnp.exe",
    "bidi-isolate": "a\u2066b\u2069",
    "arabic-mark": "a\u061cb",
    "zero-width": "De\u200bnse",
    "joiner": "De\u200dnse",
    "word-joiner": "De\u2060nse",
    "byte-order-mark": "\ufeffDense",
    "soft-hyphen": "De\u00adnse",
    "line-separator": "a\u2028b",
    "no-break-space": "a\u00a0b",
    "hangul-filler": "a\u3164b",
    "braille-blank": "a\u2800b",
    "grapheme-joiner": "a\u034fb",
    "variation": "a\ufe0fb",
    "tag-letters": "a\U000e0041b",
    "surrogate": "a\ud800b",
    "undecodable-file-name": "a\udcffb",
    "private-use": "a\ue000b",
    "zalgo": "a" + "\u0301" * 20,
}


@pytest.mark.parametrize("text", NASTY.values(), ids=list(NASTY))
def test_nothing_invisible_or_obeyed_is_left(text):
    shown = printable(text)
    assert shown.isprintable()
    assert shown != text
    assert not any(unicodedata.category(c).startswith("C") for c in shown)
    assert "\\x" in shown or "\\u" in shown or "\\U" in shown


@pytest.mark.parametrize(
    "text", ["dense_1", "couche_é", "слой", "層 1", "a→b", "keras.layers.Dense"]
)
def test_ordinary_names_stay_as_they_are(text):
    assert printable(text) == text


def test_a_long_name_is_cut_and_says_so():
    assert printable("x" * 1000) == "x" * 199 + "…"
    assert len(printable("\x1b" * 1000, 50)) == 50
    assert printable("x" * 1000, None) == "x" * 1000


@given(st.text(), st.integers(1, 80))
def test_any_text_is_printable_in_any_width(text, width):
    shown = printable(text, width)
    assert shown.isprintable()
    assert len(shown) <= width
    assert printable(shown, width) == shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", None])
@pytest.mark.parametrize("text", [*NASTY.values(), "✔ модель"])
def test_any_stream_can_take_it(text, encoding):
    encodable(printable(text), encoding).encode(encoding or "ascii")
