"""Bounds how deep CPython's parser can get in a stranger's text, before it sees the text.

Each operator, bracket and keyword may be one level more of the parser's stack, so what counts is
how many tokens stand in all open brackets and on the open line. The parser has guards of its own;
they are a matter of its version, of the stack's size, and of `sys.setrecursionlimit`.
"""

from __future__ import annotations

import re
import tokenize
from dataclasses import dataclass

from secure_serial.lambdas.errors import CannotLift, TooMuch

#: Tokens that may stand inside each other. The parser's stack ends at 4,000 to 6,000; 150
#: comparisons in one `and`, as many as the lifter makes, are 600 tokens.
DEEPEST = 1_000
#: Escapes that every Python reads alike and without a warning; `repr` writes no other.
_BAD_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\(?![\n\\'\"abfnrtvxNuU])")
_WORDS = re.compile(r"\w+|\S")
_PREFIX = re.compile(r"[A-Za-z]*")
_SILENT = frozenset({tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT})
#: The text of an f-string, which is a token of its own since 3.12.
_MIDDLE = getattr(tokenize, "FSTRING_MIDDLE", -1)


@dataclass(slots=True)
class _Level:
    """What stands in one bracket since its last comma, or on the line outside of any."""

    count: int = 0
    #: The commas between the parameters of a `lambda` end nothing.
    holds_lambda: bool = False


def check_tokens(text: str, most: int = 20_000) -> None:
    """Refuse what nests too deeply or is too long, and tokens that Pythons read differently.

    Raises:
        CannotLift: A token that no source of ours holds.
        TooMuch: It nests too deeply, or has more than `most` tokens.
        SyntaxError, tokenize.TokenError: It is no Python.

    >>> check_tokens("lambda x: x + 1")

    """
    open_, total, kept = [_Level()], 0, 0
    last: tokenize.TokenInfo | None = None
    lines = iter(text.splitlines(keepends=True))
    for count, token in enumerate(tokenize.generate_tokens(lines.__next__)):
        if count > most:
            raise TooMuch(f"a source of more than {most} tokens")
        kind, word = token.type, token.string
        _check_token(token, last)
        last = token
        if kind in _SILENT:
            continue
        level, weight = open_[-1], _weight(kind, word)
        level.count += weight
        total += weight
        level.holds_lambda = level.holds_lambda or word == "lambda"
        kept += word == "elif"  # each stands inside the one before it
        if total + kept > DEEPEST:
            raise TooMuch(f"a source nested more than {DEEPEST} deep")
        if kind == tokenize.OP and word in {"(", "[", "{"}:
            open_.append(_Level())
        elif kind == tokenize.OP and word in {")", "]", "}"} and len(open_) > 1:
            total -= open_.pop().count
        elif (word == "," and not level.holds_lambda) or kind == tokenize.NEWLINE:
            total -= level.count
            open_[-1] = _Level()


def _weight(kind: int, word: str) -> int:
    """How many levels a token can be; before 3.12 an f-string holds expressions of its own."""
    prefix = _PREFIX.match(word)
    if kind == tokenize.STRING and prefix is not None and "f" in prefix[0].lower():
        return len(_WORDS.findall(word))
    return 1


def _check_token(token: tokenize.TokenInfo, last: tokenize.TokenInfo | None) -> None:
    if token.type == tokenize.ERRORTOKEN:
        raise CannotLift("a token that is no Python")
    if token.type == tokenize.NAME and not token.string.isascii():
        raise CannotLift(f"the name {token.string[:100]!a}")
    if token.type in {tokenize.STRING, _MIDDLE} and _BAD_ESCAPE.search(token.string):
        raise CannotLift("an escape in a text that is none")
    joined = last is not None and last.type == tokenize.NUMBER and last.end == token.start
    if joined and token.type in {tokenize.NAME, tokenize.NUMBER}:
        raise CannotLift("a number that runs into a name")
