"""Judging a plain value by the field it stands in. Pure; the whole of rule "arguments are checked".

A string that somebody will open, fetch or decode is the oldest way past an allowlist of
names, so no field takes one: a label is short and has no separators, a vocabulary is a
list, and what looks like a path, a URL or encoded bytes is refused by its shape, not by
where it points.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from secure_serial.plan import allocation
from secure_serial.plan.fields import OBJECT_FIELDS, Field

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.limits import Limits

#: A label longer than this is none: einsum equations and generated names stay below it.
LABEL_CHARS = 1024
#: Encoded code starts at about 100 characters (the smallest marshalled lambda has 92).
BLOB_CHARS = 64
_BASE64 = re.compile(r"[A-Za-z0-9+/=_\s-]+")
_SCHEME = re.compile(
    r"\s*[A-Za-z][A-Za-z0-9+.-]*:(//|\\\\|/[^/ ])|\s*(file|data|hf|gs|s3):", re.IGNORECASE
)
_PARENT = re.compile(r"(?:^|[/\\])\s*\.\.\s*(?:$|[/\\])")
#: Text of words has spaces; base64 wraps at 60 to 76 columns at the earliest.
_UNBROKEN = re.compile(rf"\S{{{BLOB_CHARS - 4}}}")
_DRIVE = re.compile(r"\s*[A-Za-z]:[\\/]")
_EXTENSION = re.compile(r"[^\s.]\.[A-Za-z][A-Za-z0-9]{0,5}\s*$")
#: Real patterns name one variable or one block. Each further repeat squares the work.
_REPEATS = 3
#: Keras's quantization modes: "int4/128", "gptq/4/-1".
_NUMBERED = re.compile(r"/-?\d{1,6}(?=/|_|$)")
#: Control characters (line breaks and tabs are text), and those that reorder what is shown.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


def _is_word(text: str) -> bool:
    """Whether a text is a short word, as most are: of one, nothing more need be asked.

    Letters, digits and "_" alone make no path, no URL and no pattern, and if they are few, no code.
    """
    return len(text) < BLOB_CHARS and text.isidentifier() and text.isascii()


def looks_like_path(text: str) -> bool:
    r"""Whether a string could name a file or a URL if somebody opened it.

    >>> [looks_like_path(t) for t in ("/etc/passwd", "hf://a/b", "../x", "C:\\x", "same", "a b")]
    [True, True, True, True, False, False]
    """
    start = text.lstrip()
    return (
        start.startswith(("/", "\\", "~", "./", ".\\"))
        or _SCHEME.match(text) is not None
        or _DRIVE.match(text) is not None
        or "://" in text  # fsspec chains them: "simplecache::http://…"
        or _PARENT.search(text) is not None
    )


def could_be_opened(text: str) -> bool:
    """As `looks_like_path`, and relative paths and bare file names too.

    For fields whose purpose nobody knows.

    >>> [could_be_opened(t) for t in ("vocab.txt", "dir/vocab", "relu", "1.5")]
    [True, True, False, False]
    """
    return (
        looks_like_path(text) or "/" in text or "\\" in text or _EXTENSION.search(text) is not None
    )


def looks_encoded(text: str) -> bool:
    """Whether a string is opaque bytes rather than text: base64, hex or raw code.

    >>> looks_encoded("4wEAAAAAAAAAAQAAAAcAAAATAAAAcy4AAAB0AGoBfABkAWQBZwKIAGQCGACIAGQC")
    True
    >>> looks_encoded("a sentence that is long enough to be looked at, with 1 or 2 numbers")
    False
    """
    if _CONTROL.search(text) is not None:
        return True
    if len(text) < BLOB_CHARS or _BASE64.fullmatch(text) is None:
        return False
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return mixed and _UNBROKEN.search(text) is not None


def may_take_for_ever(pattern: str) -> bool:
    """Whether matching a regular expression may backtrack without end.

    Names and paths of variables, with `.*` between them, are what real patterns are made of;
    groups and counted or nested repeats are not let in (and need no parser to be told).

    >>> [may_take_for_ever(p) for p in ("block_1/.*", "dense|conv", "(.+)+!", "a{9999}")]
    [False, False, True, True]
    """
    return (
        len(pattern) > LABEL_CHARS
        or any(c in pattern for c in "(+?{[")
        or (pattern.count("*") > _REPEATS)
    )


def is_path_component(name: str) -> bool:
    """Whether an instance's name may become part of a path or a key in a weights file.

    Keras joins layer names into paths of the asset and weights stores (CVE-2026-12479).
    Letters of any script and spaces are fine; separators, control characters, "." and
    ".." are not.
    """
    return _is_word(name) or (
        0 < len(name) <= LABEL_CHARS
        and name not in (".", "..")
        and not any(c in "/\\\t\n\r" for c in name)
        and _CONTROL.search(name) is None
    )


#: Where no text may stand, however plain.
_NO_WORD = frozenset({Field.ASSET, Field.BLOB})


def judge_text(text: str, field: Field) -> tuple[str, str] | None:
    """The (code, reason) that a string is refused with in a plain field; None if it is fine."""
    if _is_word(text) and field not in _NO_WORD:
        return None
    if field is Field.TEXT:
        return None  # data that nobody opens; its size is bounded by the reader
    if field is Field.ASSET or looks_like_path(text):
        return "SS320", f"a path or URL ({_short(text)}) in a field that holds {field}"
    if field is Field.BLOB or looks_encoded(text):
        return "SS321", f"opaque bytes ({_short(text)}) in a field that holds {field}"
    if field in (Field.UNKNOWN, Field.OBJECT) and could_be_opened(text):
        return "SS320", f"what could be a path ({_short(text)}) in a field nobody knows"
    if len(text) > LABEL_CHARS:
        return "SS321", f"{len(text)} characters of text in a field that holds {field}"
    if field is Field.PATTERN and may_take_for_ever(text):
        return "SS327", f"a pattern that may take for ever to match ({_short(text)})"
    if field is Field.LABEL and any(c in _NUMBERED.sub("", text) for c in "/\\"):
        return "SS320", f"a separator in a label ({_short(text)})"
    return None


#: Where NaN and infinity are numbers like others. What a program's own class takes is its own.
_NUMERIC = frozenset(
    {
        Field.NUMBER,
        Field.ARRAY,
        Field.VALUE,
        Field.SCHEDULE,
        Field.GRAPH_CALL,
        Field.OBJECT,
        Field.ROOT,
    }
)


def judge_number(value: float, field: Field, limits: Limits) -> tuple[str, str] | None:
    """The same for a number. `value` may be NaN or infinite, as Keras writes `mask_value`."""
    if abs(value) <= limits.extent:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        if field in _NUMERIC:
            return None
        return "SS324", f"{value} in a field that holds {field}"
    sized = field in (Field.SIZE, Field.SHAPE, Field.UNKNOWN)
    # In a graph's call any whole number may be a size; a negative one never is.
    sized = sized or (field is Field.GRAPH_CALL and isinstance(value, int) and value > 0)
    if sized and abs(value) > limits.extent:
        return "SS323", f"{_number(value)} is more than the {limits.extent} that one extent may be"
    return None


#: Where a text says something else than it should.
_TAKE_NO_TEXT = frozenset({Field.ARRAY, Field.FLAG, Field.NUMBER, Field.SIZE, Field.WORDS})


def judge_plain(value: Json, field: Field, limits: Limits) -> tuple[str, str] | None:
    """The (code, reason) that a scalar is refused with; None where it is fine.

    Types are held to loosely, as Keras does: a wrong one fails in a constructor. What is
    refused is what could do harm there.
    """
    if isinstance(value, str):
        if field not in _TAKE_NO_TEXT:
            return judge_text(value, field)
        if field is Field.WORDS:
            return "SS320", "a vocabulary that is one string, which would be read as a path"
        if field is Field.SIZE:
            return "SS322", f"text ({_short(value)}) in a field that memory is allocated by"
        return judge_text(value, Field.LABEL if value else field)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return judge_number(value, field, limits)
    return "SS322", f"a value of type {type(value).__name__}"


#: Fields in which more is asked of an argument than what it is.
_MORE_IS_ASKED = frozenset({Field.FUNCTION, Field.LABEL, Field.UNKNOWN, Field.WORDS})
_NUMBERS = frozenset({int, float})
_SINGLE = frozenset({bool, type(None)})
_LISTS = frozenset({list, tuple})


def is_harmless(value: Json, field: Field, limits: Limits) -> bool:
    """Whether a value is a number, or a list of plain values, with which nothing is wrong there.

    Most are: a walk that visited one would find nothing, and need not go there.
    """
    if field in _MORE_IS_ASKED:
        return False
    if type(value) in _NUMBERS:
        return judge_number(value, field, limits) is None  # type: ignore[arg-type]
    if type(value) not in _LISTS:
        return value == {}
    for item in value:  # type: ignore[attr-defined]
        kind = type(item)
        if kind is str:
            if field in OBJECT_FIELDS or judge_plain(item, field, limits) is not None:
                return False
        elif kind in _NUMBERS:
            if judge_number(item, field, limits) is not None:
                return False
        elif kind not in _SINGLE:
            return False
    return allocation.too_large(value, field, limits) == 0  # type: ignore[arg-type]


def _short(text: str, width: int = 60) -> str:
    shown = text if len(text) <= width else f"{text[:width]}…"
    return repr(shown)


def _number(value: float) -> str:
    if abs(value) < 1e15:  # noqa: PLR2004
        return str(value)
    # Not as a float: an integer of 400 digits is none.
    return f"a number of {len(str(abs(int(value))))} digits"
