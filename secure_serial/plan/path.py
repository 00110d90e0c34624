"""JSON pointers (RFC 6901), kept as linked cells and spelled out only for a message."""

from __future__ import annotations

from typing import TypeAlias

#: `(parent, key)`, or None for the root. A walk makes one cell a step and no strings.
Path: TypeAlias = "tuple[Path, str | int] | None"


def pointer(path: Path) -> str:
    """The pointer that a path spells.

    >>> pointer(((None, "layers"), 0))
    '/layers/0'
    >>> pointer((None, "a/b~c"))
    '/a~1b~0c'
    """
    keys = []
    while path is not None:
        path, key = path
        keys.append(str(key).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{key}" for key in reversed(keys))
