"""Where a value stands in a text: computed only for what is reported, never while reading.

The text was read strictly before, so this scans tokens without checking them again. One
pass finds any number of places, with a stack of its own instead of recursion.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.json_text import escape_pointer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TOKEN = re.compile(r'"[^"\\]*+(?>(?:\\.[^"\\]*+)*)"|[\[\]{},:]|[^\s\[\]{},:"]++', re.DOTALL)

# Kinds of event. A key or a scalar carries its text; a container, what closes it.
_MAP, _SEQUENCE, _CLOSE, _KEY, _SCALAR = range(5)
_Event = tuple[int, str, int, int]
_Trie = dict[str, "_Trie"]


@dataclass(frozen=True, slots=True)
class Span:
    """A range of text, 1-based, in characters; `end_column` is one past the last."""

    line: int
    column: int
    end_line: int
    end_column: int


class _Offsets(NamedTuple):
    start: int
    end: int


def locate(text: bytes, pointer: str) -> Span | None:
    """The place of one value of a JSON or YAML text, or None if it has no such value.

    >>> locate(b'{"layers": [{"units": 3}]}', "/layers/0/units")
    Span(line=1, column=23, end_line=1, end_column=24)
    """
    return locate_many(text, [pointer]).get(pointer)


def locate_many(text: bytes, pointers: Iterable[str]) -> dict[str, Span]:
    """As `locate`, for many values in one pass; those that do not exist are left out."""
    wanted = {pointer for pointer in pointers if not pointer or pointer.startswith("/")}
    decoded = text.decode("utf-8", "replace")
    events = _events(decoded)
    found = _find(events, wanted)
    newlines = [match.start() for match in re.finditer("\n", decoded)]
    return {pointer: _span(offsets, newlines) for pointer, offsets in found.items()}


def find_duplicate(text: str) -> tuple[str, int]:
    """The pointer and the line of the first key of a JSON text that its object already has."""
    path: list[tuple[set[str] | None, str]] = [(None, "")]
    indexes = [0]
    pointer = ""
    for kind, value, start, _ in _json_events(text):
        seen, base = path[-1]
        if kind == _KEY:
            pointer = f"{base}/{escape_pointer(value)}"
            if seen is not None and value in seen:
                return pointer, text.count("\n", 0, start) + 1
            if seen is not None:
                seen.add(value)
        elif kind == _CLOSE:
            path.pop()
            indexes.pop()
        else:
            if seen is None and len(path) > 1:
                pointer = f"{base}/{indexes[-1]}"
                indexes[-1] += 1
            if kind != _SCALAR:
                path.append((set() if kind == _MAP else None, pointer))
                indexes.append(0)
    return "", 0


def _find(events: Iterator[_Event], pointers: set[str]) -> dict[str, _Offsets]:
    trie, ends = _trie(pointers)
    # One frame a container: its part of the trie (None: nothing wanted below), the next
    # token, whether that is an index, and where it started.
    frames: list[tuple[_Trie | None, int, bool]] = [({"": trie}, 0, False)]
    tokens: list[str | int] = [""]
    found: dict[str, _Offsets] = {}
    for kind, value, start, end in events:
        below, opened, indexed = frames[-1]
        if kind == _KEY:
            tokens[-1] = value
            continue
        if kind == _CLOSE:
            frames.pop()
            tokens.pop()
            _note(found, ends, below, _Offsets(opened, end))
        else:
            child = None if below is None else below.get(str(tokens[-1]))
            if indexed:
                tokens[-1] = int(tokens[-1]) + 1
            if kind == _SCALAR:
                _note(found, ends, child, _Offsets(start, end))
            else:
                frames.append((child, start, kind == _SEQUENCE))
                tokens.append(0 if kind == _SEQUENCE else "")
        if len(found) == len(pointers):
            break
    return found


def _note(
    found: dict[str, _Offsets], ends: dict[int, str], node: _Trie | None, offsets: _Offsets
) -> None:
    if node is not None and id(node) in ends:
        found[ends[id(node)]] = offsets


def _trie(pointers: set[str]) -> tuple[_Trie, dict[int, str]]:
    """A tree of the wanted tokens, and which of its nodes ends which pointer."""
    root: _Trie = {}
    ends: dict[int, str] = {}
    for pointer in pointers:
        node = root
        for token in pointer.split("/")[1:]:
            node = node.setdefault(token.replace("~1", "/").replace("~0", "~"), {})
        ends[id(node)] = pointer
    return root, ends


def _events(text: str) -> Iterator[_Event]:
    if text.lstrip()[:1] in {"{", "[", '"'}:
        return _json_events(text)
    return _yaml_events(text)


def _json_events(text: str) -> Iterator[_Event]:
    # Whether each open container is an object, and whether its next string is a key.
    inside = [False]
    key_next = False
    for match in _TOKEN.finditer(text):
        lexeme = match.group()
        start, end = match.span()
        if lexeme in "{[":
            inside.append(lexeme == "{")
            key_next = inside[-1]
            yield (_MAP if key_next else _SEQUENCE), lexeme, start, end
        elif lexeme in "}]":
            inside.pop()
            yield _CLOSE, lexeme, start, end
            key_next = False
        elif lexeme == ",":
            key_next = inside[-1] if inside else False
        elif lexeme == ":":
            key_next = False
        elif key_next:
            yield _KEY, _plain(lexeme), start, end
        else:
            yield _SCALAR, lexeme, start, end


def _plain(lexeme: str) -> str:
    return str(json.loads(lexeme)) if "\\" in lexeme else lexeme[1:-1]


def _yaml_events(text: str) -> Iterator[_Event]:
    import yaml  # YAML is rare, and slow to import

    # Per open container: None in a sequence, else whether the next scalar is a key.
    keys: list[bool | None] = [None]
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        start, end = _index(event.start_mark), _index(event.end_mark)
        if isinstance(event, yaml.ScalarEvent) and keys[-1]:
            keys[-1] = False
            yield _KEY, event.value, start, end
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            keys.pop()
            yield _CLOSE, "", start, end
            continue
        is_map = isinstance(event, yaml.MappingStartEvent)
        if not is_map and not isinstance(event, yaml.SequenceStartEvent | yaml.ScalarEvent):
            continue
        if keys[-1] is False:
            keys[-1] = True
        if isinstance(event, yaml.ScalarEvent):
            yield _SCALAR, event.value, start, end
        else:
            keys.append(True if is_map else None)
            yield (_MAP if is_map else _SEQUENCE), "", start, end


def _index(mark: object) -> int:
    return int(getattr(mark, "index", 0))


def _span(offsets: _Offsets, newlines: list[int]) -> Span:
    line, column = _place(offsets.start, newlines)
    end_line, end_column = _place(offsets.end, newlines)
    return Span(line, column, end_line, end_column)


def _place(offset: int, newlines: list[int]) -> tuple[int, int]:
    line = bisect_left(newlines, offset)
    return line + 1, offset - (newlines[line - 1] if line else -1)
