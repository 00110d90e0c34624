"""JSON pointers (RFC 6901), kept as linked cells and spelled out only for a request.

A hostile file can make keys of megabytes and a million nodes below them, so what is
spelled out is short whatever the file holds: long keys and long pointers are elided.
"""

from __future__ import annotations

import functools
from typing import TypeAlias

#: `(parent, key)`, or None for the root. A walk makes one cell a step and no strings.
Path: TypeAlias = "tuple[Path, str | int] | None"

#: Keys of real configs are argument names and vocabulary words; pointers stay below 200.
_KEY_CHARS = 120
_CHARS = 1000

_ELISION = "…"


def is_elided(text: str) -> bool:
    """Whether something may have been left out of a pointer, so that others may spell the same.

    >>> is_elided("/config/layers/0")
    False
    """
    return _ELISION in text or "\\" in text


def pointer(path: Path) -> str:
    """The pointer that a path spells; "…" where something was left out.

    >>> pointer(((None, "layers"), 0))
    '/layers/0'
    >>> pointer((None, "a/b~c"))
    '/a~1b~0c'
    """
    steps = []
    while path is not None:
        path, key = path
        steps.append(_step(key) if isinstance(key, int) or len(key) < _KEY_CHARS else _spelled(key))
    steps.reverse()
    text = "".join(steps)
    if len(text) <= _CHARS:
        return text
    return f"{text[: _CHARS // 2]}{_ELISION}{text[-_CHARS // 2 :]}"


def _spelled(key: str | int) -> str:
    if isinstance(key, str):
        if len(key) > _KEY_CHARS:
            key = f"{key[:_KEY_CHARS]}{_ELISION}"
        if not key.isprintable():  # a key may not write lines of its own into a log
            key = key.encode("unicode_escape").decode("ascii")
        if "~" in key or "/" in key:
            key = key.replace("~", "~0").replace("/", "~1")
    return f"/{key}"


#: The same few argument names stand in every pointer; only short keys are remembered.
_step = functools.lru_cache(maxsize=4096)(_spelled)
