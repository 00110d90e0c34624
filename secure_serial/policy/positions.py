"""Where the parts of a TOML text stand: line and column, computed only for a message.

`tomllib` gives the meaning and no places. This scans the tokens of a text that `tomllib`
has read already, so it need not check them again: one pass, no recursion, time and memory
in proportion to the text.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

Path: TypeAlias = Sequence[str | int]

#: A string of any of the four kinds; the long ones may end in up to two quotes of their own.
STRING = (
    r'"""(?>(?:[^"\\]++|\\.|"(?!""))*)"{3,5}'
    r"|'''(?>(?:[^']++|'(?!''))*)'{3,5}"
    r'|"(?>(?:[^"\\\n]++|\\.)*)"'
    r"|'[^'\n]*+'"
)
#: One lexeme, behind the blanks and the comment before it, of which a line has one at most.
# The end is a lexeme, too: a search that finds none would try again from every character.
LEXEME = re.compile(
    rf"(?>(?:[ \t\r]++|\#[^\n]*+)*)({STRING}|[\n\[\]{{}},=.]|[^\s\[\]{{}},=\"'\#.]++|\Z)",
    re.DOTALL,
)
#: Keys of policies have a few parts.
_MANY_PARTS = 32
_PART = r"(?:[A-Za-z0-9_-]++|\"(?>(?:[^\"\\\n]++|\\.)*)\"|'[^'\n]*+')"
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_.-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_MANY_PARTS}}}")
#: The arrays of tables of a policy.
TABLES = ("allow", "deny", "waiver", "test")
_NAMES = "|".join(TABLES)
# Runs over strings, comments and all else in one go, and stops at lines that start with [[.
_HEADER = re.compile(
    rf"(?>(?:{STRING}|\#[^\n]*+|[^\n\"'\#\[]++|\[|\n(?![ \t]*+\[\[))*)"
    r"\n[ \t]*+(?:\[\[[ \t]*+([A-Za-z0-9_-]++)[ \t]*+\]\])?",
    re.DOTALL,
)
# What that cannot tell from an array in an array: a quoted name; and tables without headers.
_UNUSUAL = re.compile(
    rf"^[ \t]*+(?:\[\[[ \t]*+[\"']|(?:{_NAMES}|\"(?>(?:[^\"\\\n]++|\\.)*)\"|'[^'\n]*+')[ \t]*+=)",
    re.MULTILINE,
)


class Header(NamedTuple):
    """The header of a table, `[a.b]` or `[[a.b]]`, between two offsets in the text."""

    start: int
    end: int
    keys: tuple[str, ...]
    many: bool


class Position(NamedTuple):
    """A place in a text, both 1-based; the column counts characters.

    >>> str(Position(3, 7))
    '3:7'
    """

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


class _Node:
    """One value: where it stands, and what is in it by key or by index."""

    __slots__ = ("inner", "offset")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.inner = _NOTHING

    def add(self, name: str | int, offset: int) -> _Node:
        """What stands under this name: new, or (of a table in several parts) the first part."""
        if not self.inner:
            self.inner = {}
        return self.inner.setdefault(name, _Node(offset))

    def last(self) -> _Node:
        """The last table of an array of tables; of anything else, itself."""
        return self.inner.get(len(self.inner) - 1, self)


#: What is in a value that holds none. Most are such, so they share it; nothing is put into it.
_NOTHING: dict[str | int, _Node] = {}


class Positions(Mapping[Path, Position]):
    """The place of everything in a text, by its path: `("allow", 3, "symbols", 0)`.

    A key stands where its text starts, an item of an array where its value starts, and a
    table of an array of tables where the brackets of its header start. Of a table that
    several headers or dotted keys make, the first counts.
    """

    def __init__(self, root: _Node, text: str) -> None:
        self._root = root
        self._newlines = [match.start() for match in re.finditer("\n", text)]

    def __getitem__(self, path: Path) -> Position:
        node = self._root
        for name in path:
            node = node.inner[name]
        return self._place(node)

    def __iter__(self) -> Iterator[tuple[str | int, ...]]:
        waiting: list[tuple[tuple[str | int, ...], _Node]] = [((), self._root)]
        while waiting:
            path, node = waiting.pop()
            yield path
            waiting += [((*path, name), inner) for name, inner in reversed(node.inner.items())]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def nearest(self, path: Path) -> Position:
        r"""The place of a path or, where nothing stands there, of what it would stand in.

        >>> positions('name = "acme"\n[[allow]]\n').nearest(("allow", 0, "id"))
        Position(line=2, column=1)
        """
        node = self._root
        for name in path:
            if name not in node.inner:
                break
            node = node.inner[name]
        return self._place(node)

    def _place(self, node: _Node) -> Position:
        line = bisect_left(self._newlines, node.offset)
        return Position(line + 1, node.offset - (self._newlines[line - 1] if line else -1))


def positions(text: str) -> Positions:
    r"""Where everything in a text stands that `tomllib` has read.

    >>> places = positions('schema = 1\n[[allow]]\nsymbols = ["a.b",\n  "c.d"]\n')
    >>> str(places["allow", 0, "symbols", 1])
    '4:3'
    """
    return Positions(_Scan().run(text), text)


def has_long_key(text: str) -> bool:
    """Whether it has a key with so many dots that `tomllib` is not to be given it.

    What `tomllib` does for one key grows with the square of its parts: 80 KB take it seconds,
    and a file of the size that a policy may have, days. May be asked of any text.

    >>> has_long_key("a.b.c = 1"), has_long_key(".".join("a" * 100) + " = 1")
    (False, True)
    """
    dotted = (line for line in text.split("\n") if line.count(".") >= _MANY_PARTS)
    return any(map(_LONG_KEY.search, dotted))


def headers(text: str) -> list[Header]:
    r"""Every header of a text that `tomllib` has read, in their order.

    >>> headers('a = 1\n[[allow]]\n')
    [Header(start=6, end=15, keys=('allow',), many=True)]
    """
    scan = _Scan()
    scan.run(text)
    return scan.headers


def table_lines(text: str, name: str) -> list[int]:
    r"""The line of each table of one of `TABLES`, in their order. Quick.

    >>> table_lines('[[allow]]\nreason = "[[allow]]"\n[[deny]]\n[[allow]]', "allow")
    [1, 4]
    """
    return header_lines(text)[name]


def header_lines(text: str) -> dict[str, list[int]]:
    r"""As `table_lines`, for all of `TABLES` in one go.

    >>> header_lines('[[allow]]\n[[deny]]\n[[allow]]')
    {'allow': [1, 3], 'deny': [2], 'waiver': [], 'test': []}
    """
    if _UNUSUAL.search(text):
        places = positions(text)
        return {name: _items(places, name) for name in TABLES}
    lines: dict[str, list[int]] = {name: [] for name in TABLES}
    line, at, text = 0, 0, f"\n{text}"
    # Not `finditer`: behind the last header it would try again from every character.
    while match := _HEADER.match(text, at):
        line += text.count("\n", at, match.end())
        at = match.end()
        if match[1] in lines:
            lines[match[1]].append(line)
    return lines


def _items(places: Positions, name: str) -> list[int]:
    lines: list[int] = []
    while (name, len(lines)) in places:
        lines.append(places[name, len(lines)].line)
    return lines


_KEY, _VALUE, _DONE = range(3)


class _Scan:
    """One pass over the tokens. The stack has the open arrays and inline tables."""

    def __init__(self) -> None:
        self.root = _Node(0)
        self.table = self.root  # the one whose header came last
        self.stack: list[tuple[_Node, bool]] = []  # with whether it is an inline table
        self.expect = _KEY
        self.brackets = 0  # of the header that is open
        self.start = 0  # of that header
        self.headers: list[Header] = []
        self.parts: list[tuple[str, int]] = []  # of the key that is open
        self.target = self.root  # what the next value belongs to

    def run(self, text: str) -> _Node:
        steps = (self._key, self._value, self._done)
        for match in LEXEME.finditer(text):
            steps[self.expect](match[1], match.start(1))
        return self.root

    def _key(self, lexeme: str, at: int) -> None:
        if lexeme == "=":
            inside = self.stack[-1][0] if self.stack else self.table
            self.target = self._descend(inside)
            self.expect = _VALUE
        elif lexeme == "[":
            self.start = at if not self.brackets else self.start
            self.brackets += 1
        elif lexeme == "]" and self.brackets:
            self._open_table(at)
        elif lexeme == "}":
            self._close()
        elif lexeme not in {"", ".", "\n", "]"}:
            self.parts.append((plain(lexeme), at))

    def _value(self, lexeme: str, at: int) -> None:
        if lexeme in {"\n", "]"}:
            if lexeme == "]":
                self._close()
            return
        if self.stack and not self.stack[-1][1]:
            array = self.stack[-1][0]
            self.target = array.add(len(array.inner), at)
        if lexeme in {"[", "{"}:
            self.stack.append((self.target, lexeme == "{"))
            self.expect = _KEY if lexeme == "{" else _VALUE
        else:
            self.expect = _DONE

    def _done(self, lexeme: str, _at: int) -> None:
        """Until the value ends: `07:32:00.5` has several tokens."""
        if lexeme == "\n" and not self.stack:
            self.expect = _KEY
        elif lexeme == ",":
            self.expect = _KEY if self.stack[-1][1] else _VALUE
        elif lexeme in {"]", "}"}:
            self._close()

    def _close(self) -> None:
        self.stack.pop()
        self.expect = _DONE

    def _open_table(self, bracket: int) -> None:
        keys = tuple(name for name, _ in self.parts)
        header = Header(self.start, bracket + self.brackets, keys, self.brackets > 1)
        self.headers.append(header)
        self.brackets = 0
        self.table = self._descend(self.root)
        if header.many:
            self.table = self.table.add(len(self.table.inner), header.start)

    def _descend(self, node: _Node) -> _Node:
        """The node that the open key names, from another one. The key is closed."""
        for name, at in self.parts:
            node = node.last().add(name, at)
        self.parts = []
        return node


def plain(lexeme: str) -> str:
    """The name that a key means."""
    if lexeme[0] == "'":
        return lexeme[1:-1]
    if lexeme[0] != '"':
        return lexeme
    return next(iter(tomllib.loads(f"{lexeme}=0"))) if "\\" in lexeme else lexeme[1:-1]
