"""`"%s" % (…)`, which newer compilers turn into an f-string (Python/ast_opt.c)."""

from __future__ import annotations


def split_format(text: object, count: int) -> list[str | int] | None:
    """Pieces of text, and for each `%s`, `%r` or `%a` its conversion; None if there is more.

    >>> split_format("a%sb%r", 2)
    ['a', 1, 'b', 2]
    >>> split_format("%d", 1)
    """
    if not isinstance(text, str):
        return None
    pieces: list[str | int] = []
    plain, at = "", 0
    while at < len(text):
        if text[at] != "%":
            plain, at = plain + text[at], at + 1
            continue
        letter = text[at + 1 : at + 2]
        at += 2
        if letter == "%":
            plain += "%"
        elif letter and letter in "sra":
            pieces += [plain] if plain else []
            pieces.append("_sra".index(letter))
            plain = ""
        else:
            return None
    pieces += [plain] if plain else []
    return pieces if sum(isinstance(piece, int) for piece in pieces) == count else None
