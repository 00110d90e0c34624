"""`policy fmt`: one form for every policy, with its comments and its meaning.

Keys come in the order of the schema, lists that mean the same in any order are sorted and
filled to 100 columns, and one blank line stands between tables. A comment moves with the
key or the table below it, and one right below a table's last key stays at that table's end.
`[[allow]]`, `[[deny]]`, `[[waiver]]` and `[[test]]` stay in the order in which they are
written: what belongs together may stand together.

tomlkit reads keys, values and comments, one table at a time: given a whole file in which
arrays of tables alternate, it writes a comment in front of another table than it was. What
comes out is compared with what went in, by tomllib.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from secure_serial.authoring.layout import (
    Array,
    CannotLayOutError,
    Table,
    lay_out,
    read_value,
    sort,
)
from secure_serial.authoring.shape import Shape, shape
from secure_serial.errors import InvalidPolicy, Where
from secure_serial.policy.positions import LEXEME, headers, plain
from secure_serial.policy.reader import toml

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.authoring.layout import Value

#: Tables that come before the rules, wherever they were written.
_SETTINGS = ("limits", "waivers", "trust")
_BLANK = ""


@dataclass
class _Entry:
    """`key = value`, with the comments and blank lines above it and the comment behind."""

    keys: tuple[str, ...]
    value: str
    behind: str
    above: list[str]


@dataclass
class _Block:
    """One table: its header (empty at the top of the file), what is above, in and at its end."""

    keys: tuple[str, ...] = ()
    title: str = ""
    behind: str = ""
    above: list[str] = field(default_factory=list)
    entries: list[_Entry] = field(default_factory=list)
    end: list[str] = field(default_factory=list)


def formatted(text: str, source: str = "<text>") -> str:
    r"""A policy in the one form.

    Raises:
        InvalidPolicy: it is no TOML, or cannot be formatted without a loss.
        ImportError: tomlkit is not installed (the extra `fmt`).

    >>> print(formatted('name="a"\nschema=1 # one\n[[allow]]\nsymbols = ["c","b"]'), end="")
    schema = 1  # one
    name = "a"
    <BLANKLINE>
    [[allow]]
    symbols = ["b", "c"]

    """
    from tomlkit.exceptions import TOMLKitError

    before = toml(text, source)
    first = text.find("\n")
    windows = first > 0 and text[first - 1] == "\r"
    text = text.replace("\r\n", "\n")
    try:
        after = _formatted(text)
    except (CannotLayOutError, RecursionError, TOMLKitError) as error:
        raise InvalidPolicy(f"cannot be formatted: {error}", where=Where(source)) from None
    same = _meaning(toml(after, source), shape()) == _meaning(before, shape())
    if not same or _comments(after) != _comments(text):
        raise InvalidPolicy("cannot be formatted without a loss", where=Where(source))
    return after.replace("\n", "\r\n") if windows else after


def _formatted(text: str) -> str:
    top, *tables = _blocks(text)
    head = _take_head(top, tables)
    foot = _take_foot([top, *tables][-1])
    tables.sort(key=_rank_of_table)  # what is inside a table, `[allow.evidence]`, stays with it
    parts = [head, *map(_written, [top, *tables]), foot]
    whole = "\n\n".join("\n".join(part) for part in parts if part)
    return f"{whole}\n" if whole else ""


# Reading.


def _blocks(text: str) -> list[_Block]:
    """The tables of a text, first what stands at its top; the comments between them shared out."""
    found = headers(text)
    starts = [*(header.start for header in found), len(text)]
    blocks = [_Block()]
    waiting = _read(text[: starts[0]], blocks[0])
    for header, end in zip(found, starts[1:], strict=True):
        title = "".join(match[1] for match in LEXEME.finditer(text[header.start : header.end]))
        behind, _, body = text[header.end : end].partition("\n")
        if blocks[-1].title or blocks[-1].entries:
            blocks[-1].end, waiting = _parted(waiting)
        block = _Block(header.keys, title, behind.strip(), waiting)
        waiting = _read(body, block)
        blocks.append(block)
    blocks[-1].end = waiting
    return blocks


def _read(text: str, block: _Block) -> list[str]:
    """Add the keys of a text without headers; what stands below the last one."""
    import tomlkit
    from tomlkit.items import Comment
    from tomlkit.items import Table as Dotted

    waiting: list[str] = []
    for key, item in tomlkit.parse(text).body:
        if isinstance(item, Comment):
            waiting.append(item.trivia.comment.rstrip())
        elif key is None:
            waiting += [_BLANK] * item.as_string().count("\n")
        else:
            keys, value = [key], item
            while isinstance(value, Dotted):  # a key with dots: a table with one key
                ((inner, value),) = value.value.body
                keys += [inner] if inner is not None else []
            names = tuple(each.as_string().strip() for each in keys)
            behind = value.trivia.comment.rstrip()
            block.entries.append(_Entry(names, value.as_string(), behind, waiting))
            waiting = []
    return waiting


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    """What belongs to the table above, and what to the one below: a blank line parts them."""
    if _BLANK not in lines:
        return [], lines
    blank = lines.index(_BLANK)
    return lines[:blank], lines[blank:]


def _take_head(top: _Block, tables: list[_Block]) -> list[str]:
    """The comments at the start that are about no key or table; they stay at the start."""
    if not (top.entries or tables):
        head, top.end = top.end, []
        return _collapsed(head)
    first: _Entry | _Block = top.entries[0] if top.entries else tables[0]
    blanks = [number for number, line in enumerate(first.above) if line == _BLANK]
    end = blanks[-1] + 1 if blanks else 0
    # Editors look for `#:schema` at the start alone.
    hoisted = [line for line in first.above[end:] if line.startswith("#:")]
    head = [*first.above[:end], *hoisted]
    first.above = [line for line in first.above[end:] if line not in hoisted]
    return _collapsed(head)


def _take_foot(last: _Block) -> list[str]:
    """The comments at the end that are about no table; they stay at the end."""
    if _BLANK not in last.end:
        return []
    last.end, foot = _parted(last.end)
    return _collapsed(foot)


def _collapsed(lines: list[str]) -> list[str]:
    """Without blank lines at either end, and with one for several elsewhere."""
    kept: list[str] = []
    for line in lines:
        if line != _BLANK or (kept and kept[-1] != _BLANK):
            kept.append(line)
    return kept[:-1] if kept[-1:] == [_BLANK] else kept


# Order.


def _rank_of_table(block: _Block) -> int:
    name = block.keys[0]
    return _SETTINGS.index(name) if name in _SETTINGS else len(_SETTINGS)


def _arranged(value: Value, place: Shape) -> Value:
    """The value with its sets sorted and the keys of its tables in order."""
    if isinstance(value, Array):
        if place.is_set:
            sort(value)
        for item in value.items:
            item.value = _arranged(item.value, place)
    elif isinstance(value, Table):
        value.pairs = [(keys, _arranged(inner, _at(place, keys))) for keys, inner in value.pairs]
        value.pairs.sort(key=lambda pair: place.rank(plain(pair[0][0])))
    return value


def _at(place: Shape, keys: tuple[str, ...]) -> Shape:
    for key in keys:
        place = place.inside(plain(key))
    return place


# Writing.


def _written(block: _Block) -> list[str]:
    place = shape(*block.keys)
    lines = _collapsed(block.above)
    if block.title:
        if lines and block.above[-1] == _BLANK:
            lines.append(_BLANK)  # a comment on more than this one table
        lines.append(_with_comment(block.title, block.behind))
    for entry in sorted(block.entries, key=lambda entry: place.rank(plain(entry.keys[0]))):
        above = entry.above
        if block.title:
            above = [line for line in above if line != _BLANK]
        elif lines and above[:1] == [_BLANK]:
            lines.append(_BLANK)
        lines += _collapsed(above)
        name = ".".join(entry.keys)
        value = _arranged(read_value(entry.value), _at(place, entry.keys))
        text = f"{name} = {lay_out(value, len(name) + len(' = '))}"
        lines.append(_with_comment(text, entry.behind))
    return lines + block.end


def _with_comment(text: str, comment: str) -> str:
    return f"{text}  {comment}" if comment else text


# Checking.


def _meaning(value: Json, place: Shape) -> object:
    """What must stay the same: a NaN is itself, and 1 neither 1.0 nor true."""
    if isinstance(value, dict):
        return {key: _meaning(inner, place.inside(key)) for key, inner in value.items()}
    if isinstance(value, list):
        texts = [item for item in value if isinstance(item, str)]
        if place.is_set and len(texts) == len(value):
            return sorted(texts)
        return [_meaning(item, place) for item in value]
    return type(value), repr(value)


def _comments(text: str) -> Counter[str]:
    """Every comment, as often as it stands there."""
    blanks = (text[match.start() : match.start(1)] for match in LEXEME.finditer(text))
    return Counter(blank[blank.index("#") :].rstrip() for blank in blanks if "#" in blank)
