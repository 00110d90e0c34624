"""Every value of a JSON tree with its pointer, for tests that compare two readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.artifact.json_text import escape_pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.artifact.document import Json


def walk(root: Json) -> Iterator[tuple[str, Json]]:
    """Every key and value below `root` with the pointer of the value; no recursion."""
    stack: list[tuple[str, Json]] = [("", root)]
    while stack:
        pointer, value = stack.pop()
        yield pointer, value
        if isinstance(value, dict):
            for key, item in value.items():
                below = f"{pointer}/{escape_pointer(str(key))}"
                yield below, key
                stack.append((below, item))
        elif isinstance(value, list | tuple):
            stack.extend((f"{pointer}/{index}", item) for index, item in enumerate(value))
