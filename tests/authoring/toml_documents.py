"""Random TOML documents, written in every style that the format has, with where all stands.

The values come first; the writer then chooses how to write each: dotted keys, inline
tables, headers, arrays of tables, the four kinds of strings, comments anywhere. It notes
where it writes what, which is what `positions` must find by reading.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from hypothesis import strategies as st

#: What must not be taken for what it looks like.
NASTY = (
    "[[allow]]", "# no comment", "a = 1", '"""', "''", "]]", "}", "\n[[allow]]\n", "\\", '"', ",",
    "é", "x\ty", "", "keras.layers.Dense", "\n", "'", "=", ".",
)  # fmt: skip
#: Keys of policies, and keys that need quotes.
NAMES = (
    "schema", "name", "allow", "deny", "waiver", "test", "id", "symbols", "arguments", "limits",
    "max", "reason", "kinds", "evidence", "date", "trust", "config", "delegate",
    "a-b", "1", "é", "a.b", "", "#", "[[allow]]", '"', "'", "\n",
)  # fmt: skip
_LITERALS = (
    "0", "-7", "1_000", "0xFF", "1.5", "6.02e+23", "-inf", "nan", "true", "false", "1979-05-27",
    "07:32:00.5", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.999-07:00",
)  # fmt: skip
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Literal(NamedTuple):
    """A number, a date or a truth, as it is written."""

    text: str


scalars = (
    st.sampled_from(_LITERALS).map(Literal)
    | st.sampled_from(NASTY)
    | st.lists(st.sampled_from(NASTY), max_size=3).map("".join)
)
names = st.lists(st.sampled_from(("acme.b", "acme.a", "acme>c", "x" * 60)), max_size=9)
values = st.recursive(
    scalars | names,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=4)
        | st.lists(
            st.dictionaries(st.sampled_from(NAMES), inner, max_size=3), min_size=1, max_size=3
        )
    ),
    max_leaves=12,
)
tables = st.dictionaries(st.sampled_from(NAMES), values, max_size=5)


class Written(NamedTuple):
    """A document, the line and column of each of its paths, and its comments."""

    text: str
    places: dict[tuple[str | int, ...], tuple[int, int]]
    comments: list[str]


@st.composite
def documents(draw, table=tables):
    """A random document."""
    writer = _Writer(draw)
    writer.document(draw(table))
    text = "".join(writer.pieces)
    offsets = {path: _place(text, offset) for path, offset in writer.places.items()}
    # A line's end is not counted in columns, so that its kind changes no place.
    ended = text.replace("\n", "\r\n") if draw(st.booleans()) else text
    return Written(ended, offsets, sorted(writer.comments))


def _place(text, offset):
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


class _Writer:
    def __init__(self, draw):
        self.draw = draw
        self.pieces = []
        self.offset = 0
        self.places = {(): 0}
        self.comments = []

    def put(self, text):
        self.pieces.append(text)
        self.offset += len(text)

    def one_of(self, *choices):
        return self.draw(st.sampled_from(choices))

    def mark(self, path):
        self.places.setdefault(path, self.offset)

    def blanks(self):
        self.put(self.one_of("", "", " ", "\t"))

    def note(self, *choices):
        """Put blanks and comments."""
        text = self.one_of(*choices)
        self.put(text)
        self.comments += [part.strip() for part in text.split("\n") if "#" in part]

    def end_of_line(self):
        self.note(
            "\n", "\n", "\n\n", "  # note\n", '# [[allow]] "\n', "\n# c\n\n", "\n\n# d\n \n# e\n",
            "\n# f\n", "\n\n\n #g \n", "# h\n# i\n# j\n",
        )  # fmt: skip

    # Tables under headers.

    def document(self, table):
        self.note("", "", "# head\n\n", "\n", "# head\n", "#:schema x\n# a\n\n# b\n")
        blocks = self.body((), (), table)
        # Tables of several arrays may alternate; those of one keep their order.
        order = self.draw(st.permutations(range(len(blocks))))
        queues = {}
        for block in blocks:
            queues.setdefault(block[0], []).append(block)
        for index in order:
            self.block(*queues[blocks[index][0]].pop(0))

    def body(self, header, path, table):
        """The keys of a table; what remains to be written under headers of its own."""
        later = []
        for name, value in table.items():
            if isinstance(value, dict) and self.one_of(True, False):
                later.append(((*header, name), (*path, name), value, False))
            elif _is_tables(value) and self.one_of(True, False):
                later += [
                    ((*header, name), (*path, name, index), item, True)
                    for index, item in enumerate(value)
                ]
            else:
                self.blanks()
                self.pair(path, (), name, value)
        return later

    def pair(self, path, keys, name, value):
        """One `key = value`, or of a table several with dotted keys."""
        if isinstance(value, dict) and value and self.one_of(True, False):
            for inner, item in value.items():
                self.pair(path, (*keys, name), inner, item)
            return
        self.dotted(path, (*keys, name))
        self.put(self.one_of("=", " = "))
        self.value((*path, *keys, name), value)
        self.end_of_line()

    def block(self, header, path, table, many):
        self.blanks()
        start = self.offset
        self.put("[[" if many else "[")
        self.blanks()
        self.header_keys(header, path)
        self.blanks()
        if many:
            self.places.setdefault(path, start)
        self.put("]]" if many else "]")
        self.end_of_line()
        for block in self.body(header, path, table):
            self.block(*block)

    def header_keys(self, header, path):
        """The keys of a header; between them the path has the indexes of arrays."""
        steps = iter(path)
        done = ()
        for number, name in enumerate(header):
            step = next(steps)
            while step != name or isinstance(step, int):
                done += (step,)
                step = next(steps)
            done += (step,)
            if number:
                self.put(self.one_of(".", " . "))
            self.mark(done)
            self.key(name)

    def dotted(self, path, keys):
        for number, name in enumerate(keys):
            if number:
                self.put(self.one_of(".", ".", " . "))
            self.mark((*path, *keys[: number + 1]))
            self.key(name)

    def key(self, name):
        forms = [_basic(name), _basic(name)]
        if "'" not in name and "\n" not in name:
            forms.append(f"'{name}'")
        if _BARE.fullmatch(name):
            forms += [name] * 9
            forms.append(f'"\\u{ord(name[0]):04x}{name[1:]}"')
        self.put(self.one_of(*forms))

    # Values.

    def value(self, path, value):
        if isinstance(value, Literal):
            self.put(value.text)
        elif isinstance(value, str):
            self.put(self.one_of(*_strings(value)))
        elif isinstance(value, dict):
            self.inline(path, value)
        else:
            self.array(path, value)

    def inline(self, path, table):
        self.put("{")
        for number, (name, value) in enumerate(table.items()):
            self.put(", " if number else " ")
            keys, item = (name,), value
            while isinstance(item, dict) and len(item) == 1 and self.one_of(True, False):
                ((inner, item),) = item.items()
                keys += (inner,)
            self.dotted(path, keys)
            self.put(" = ")
            self.value((*path, *keys), item)
        self.put(" }")

    def array(self, path, items):
        self.put("[")
        for number, item in enumerate(items):
            if number:
                self.put(",")
            self.gap()
            self.mark((*path, number))
            self.value((*path, number), item)
            self.gap()
        self.put(self.one_of("", ",") if items else "")
        self.gap()
        self.put("]")

    def gap(self):
        self.note("", "", "", " ", "\n  ", " # note\n", "\n  # '[[allow]]\n", "#,\n#]\n")


def _is_tables(value):
    return isinstance(value, list) and value and all(isinstance(item, dict) for item in value)


def _basic(text):
    return json.dumps(text, ensure_ascii=False)


def _strings(text):
    """The ways to write a text."""
    forms = [_basic(text)]
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    forms.append(f'"""{escaped}"""')
    forms.append(f'"""\n\\\n   {escaped}"""' if not text[:1].isspace() else f'"""\n{escaped}"""')
    if "'" not in text:
        forms += [f"'''{text}'''" if text[:1] != "\n" else f"'''\n{text}'''"]
        forms += [f"'{text}'"] if "\n" not in text else []
    # One or two quotes may stand right before the end.
    if text.endswith('"') and '"' not in text[:-1] and "\\" not in text:
        forms.append(f'"""\n{text}"""')
    return forms
