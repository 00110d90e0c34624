"""How a text is dressed for the stream it goes to: colours and symbols, or neither."""

from __future__ import annotations

from typing import NamedTuple

from secure_serial.report.model import Status

_CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "bold": "1", "dim": "2"}
_MARKS = {
    Status.ALLOWED: ("✔", "+", "green"),
    Status.DENIED: ("✖", "x", "red"),
    Status.FAILED: ("!", "!", "yellow"),
    Status.SKIPPED: ("\N{EN DASH}", "-", "dim"),
    Status.INTERNAL: ("‼", "!!", "red"),
}


class Style(NamedTuple):
    """What a stream can show.

    >>> Style().mark(Status.DENIED), Style(unicode=False).mark(Status.DENIED)
    ('✖', 'x')
    """

    colour: bool = False
    unicode: bool = True

    def paint(self, text: str, colour: str) -> str:
        """The text in a colour, if there are any. The text must be printable already."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.colour else text

    def mark(self, status: Status) -> str:
        """The symbol of a verdict."""
        symbol, plain, colour = _MARKS[status]
        return self.paint(symbol if self.unicode else plain, colour)

    def symbol(self, symbol: str, plain: str) -> str:
        """One of two spellings of a symbol."""
        return symbol if self.unicode else plain


def shows_unicode(encoding: str | None) -> bool:
    """Whether a stream of this encoding can print the symbols.

    >>> shows_unicode("utf-8"), shows_unicode("ascii"), shows_unicode(None)
    (True, False, False)
    """
    try:
        "✔✖\N{EN DASH}‼│├└─…→".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
