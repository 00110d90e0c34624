"""Names from hostile files, made fit to print. Everything that is printed goes through here.

A terminal obeys escape sequences, and a reader is fooled by letters that cannot be seen or
that turn the direction of the line. What is not plainly visible is shown by its number.
"""

from __future__ import annotations

#: Longer names are cut: a line that scrolls the verdict away hides it.
WIDTH = 200
#: Letters by Unicode's word, and yet blank on every screen (Hangul fillers, braille blank),
#: the joiner that is a mark, and the variation selectors.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f") | {chr(n) for n in range(0xFE00, 0xFE10)}
#: A stack of combining marks covers the lines above and below; real scripts use a few.
_MARKS_IN_A_ROW = 3


def printable(text: str, width: int | None = WIDTH) -> str:
    r"""The text on one line, with all that a screen would obey or hide made visible.

    Args:
        text: Anything.
        width: Longer results are cut to this many characters; None for no bound.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    >>> printable("abcdef", 4)
    'abc…'

    """
    if width is not None and len(text) > width:
        # Cut before escaping: the rest would be dropped anyway, and may be long.
        text = f"{text[: width - 1]}…"
    if text.isprintable() and text.isascii():
        return text
    shown = _visible(text)
    if width is not None and len(shown) > width:
        shown = f"{shown[: width - 1]}…"
    return shown


def _visible(text: str) -> str:
    import unicodedata

    parts = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        hidden = not char.isprintable() or char in _BLANK or marks > _MARKS_IN_A_ROW
        parts.append(_escaped(char) if hidden else char)
    return "".join(parts)


def _escaped(char: str) -> str:
    number = ord(char)
    if number <= 0xFF:  # noqa: PLR2004
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004


def encodable(text: str, encoding: str | None) -> str:
    r"""The text with what an output stream cannot encode replaced by escapes.

    >>> encodable("naïve ✔", "ascii")
    'na\\xefve \\u2714'
    """
    name = encoding or "ascii"
    return text.encode(name, "backslashreplace").decode(name)
