"""One TOML value, laid out: on one line, or its lists over as many as they need. Pure.

Scalars stay as they are written. A list that has comments in it keeps its order and its
lines, for nobody can tell what a comment there is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from secure_serial.policy.positions import LEXEME, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 100
INDENT = 2


class CannotLayOutError(ValueError):
    """The value has something in a place where it cannot be kept."""


@dataclass
class Item:
    """One value of a list, with the comments that belong to it."""

    value: Value
    above: list[str] = field(default_factory=list)
    behind: str = ""
    own_line: bool = False  # it is the first on its line


@dataclass
class Array:
    """A list."""

    items: list[Item] = field(default_factory=list)
    end: list[str] = field(default_factory=list)  # comments before its end

    @property
    def commented(self) -> bool:
        """Whether a comment stands in it."""
        return bool(self.end) or any(item.above or item.behind for item in self.items)


@dataclass
class Table:
    """An inline table: keys as they are written."""

    pairs: list[tuple[tuple[str, ...], Value]] = field(default_factory=list)


Value: TypeAlias = "str | Array | Table"


def read_value(text: str) -> Value:
    """The value that a text is.

    >>> read_value("[1, 2]").items[1].value
    '2'

    """
    return _Parser(text).value()


def lay_out(value: Value, column: int, indent: int = 0) -> str:
    """The value as text, on one line if it fits.

    Args:
        value: The value.
        column: How much of the line is taken before it, and must follow it.
        indent: The indent of the line on which it starts.

    >>> lay_out(read_value("[ 1,2, ]"), 0)
    '[1, 2]'

    """
    if isinstance(value, str):
        return value
    if not _has_comments(value):
        flat = _flat(value)
        if column + len(flat) <= WIDTH:
            return flat
    return _broken(value, indent) if isinstance(value, Array) else _long(value, column, indent)


def sort(array: Array) -> None:
    """Put a list of texts into order, unless it has comments or anything else in it."""
    if array.commented or not all(_is_short_text(item.value) for item in array.items):
        return
    array.items.sort(key=lambda item: (plain(str(item.value)), str(item.value)))


def _is_short_text(value: Value) -> bool:
    return isinstance(value, str) and value[0] in "\"'" and value[:3] not in {'"""', "'''"}


def _flat(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Array):
        return f"[{', '.join(_flat(item.value) for item in value.items)}]"
    if not value.pairs:
        return "{}"
    return f"{{ {', '.join(f'{_key(keys)} = {_flat(inner)}' for keys, inner in value.pairs)} }}"


def _key(keys: tuple[str, ...]) -> str:
    return ".".join(keys)


def _has_comments(value: Value) -> bool:
    if isinstance(value, Array):
        return value.commented or any(_has_comments(item.value) for item in value.items)
    return isinstance(value, Table) and any(_has_comments(inner) for _, inner in value.pairs)


def _long(table: Table, column: int, indent: int) -> str:
    """An inline table may not be broken itself, but lists in it may."""
    parts: list[str] = []
    column += len("{ ")
    for keys, inner in table.pairs:
        head = f"{_key(keys)} = "
        text = head + lay_out(inner, column + len(head) + len(" }"), indent)
        column = (0 if "\n" in text else column) + len(text.rpartition("\n")[2]) + len(", ")
        parts.append(text)
    return f"{{ {', '.join(parts)} }}"


def _broken(array: Array, indent: int) -> str:
    inner = indent + INDENT
    start = " " * inner
    lines = ["["]
    for row in _rows(array):
        lines += [start + comment for comment in row[0].above]
        texts = [lay_out(item.value, inner + len(","), inner) + "," for item in row]
        filled = list(_filled(texts, inner))
        lines += [start + line for line in filled]
        if row[-1].behind:
            lines[-1] += f"  {row[-1].behind}"
    lines += [start + comment for comment in array.end]
    return "\n".join([*lines, " " * indent + "]"])


def _rows(array: Array) -> Iterator[list[Item]]:
    """The items that share lines: all of them or, where there are comments, as they did."""
    row: list[Item] = []
    for item in array.items:
        apart = item.above or (array.commented and item.own_line)
        if row and (apart or not (_is_scalar(item) and _is_scalar(row[-1]))):
            yield row
            row = []
        row.append(item)
    if row:
        yield row


def _is_scalar(item: Item) -> bool:
    return isinstance(item.value, str) and "\n" not in item.value


def _filled(texts: list[str], indent: int) -> Iterator[str]:
    line = ""
    for text in texts:
        if line and indent + len(line) + 1 + len(text) > WIDTH:
            yield line
            line = ""
        line += f" {text}" if line else text
    yield line


class _Parser:
    """Reads one value, lexeme by lexeme. The text is known to be valid."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.comment = ""  # what stood before the lexeme that is next
        self.next = ""
        self.start = 0
        self._step()

    def value(self) -> Value:
        if self.next == "[":
            return self._array()
        return self._table() if self.next == "{" else self._scalar()

    def _step(self) -> None:
        """On to the next lexeme; between two there is at most one comment, before a line's end."""
        match = LEXEME.match(self.text, self.at)
        if match is None:
            raise AssertionError("a TOML value has no such lexeme")
        between = self.text[self.at : match.start(1)]
        self.comment = between[between.index("#") :].rstrip() if "#" in between else ""
        self.next, self.start, self.at = match[1], match.start(1), match.end(1)

    def _scalar(self) -> str:
        start, end = self.start, self.at
        while self.next not in {"", "\n", ",", "]", "}"} and not self.comment:
            end = self.at
            self._step()
        return self.text[start:end]

    def _array(self) -> Array:
        array = Array()
        waiting: list[str] = []
        own_line = False
        self._step()
        while True:
            if self.comment and array.items and not own_line and not array.items[-1].behind:
                array.items[-1].behind = self.comment
            elif self.comment:
                waiting.append(self.comment)
            self.comment = ""
            if self.next == "]":
                array.end = waiting
                self._step()
                return array
            if self.next in {"\n", ","}:
                own_line = own_line or self.next == "\n"
                self._step()
            else:
                array.items.append(Item(self.value(), waiting, own_line=own_line))
                waiting, own_line = [], False

    def _table(self) -> Table:
        table = Table()
        self._step()
        while self.next != "}":
            keys: list[str] = []
            while self.next not in {"=", "}"}:
                if self.comment:
                    raise CannotLayOutError("a comment in an inline table")
                keys += [self.next] if self.next not in {",", ".", "\n"} else []
                self._step()
            if self.next == "=":
                self._step()
                table.pairs.append((tuple(keys), self.value()))
        self._step()
        return table
