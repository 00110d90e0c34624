"""Everything in a policy is where its position says."""

from __future__ import annotations

import tomllib
from itertools import count, takewhile

import pytest
from authoring.toml_documents import documents
from hypothesis import given, settings

from secure_serial.data import policy_names, policy_text
from secure_serial.policy.positions import (
    TABLES,
    Position,
    has_long_key,
    header_lines,
    headers,
    positions,
    table_lines,
)

POLICY = '''\
schema = 1
reason = """
[[allow]] \\"""
[[allow]]"""  # [[allow]]
when = 1979-05-27 07:32:00.5
[limits]  # of "all"
layers = 2
[[ allow ]]
id = "a"
symbols = ["a.b",
  # "x",
  "é", "c" , ]
arguments.input_dim = { max = 1.5e3, type = ["a"] }
arguments."node.op" . min = 3
[[deny]]
id = 'd'
  [deny.evidence]
  tool = \'\'\'it's\'\'\'
[["allow"]]
id = "b"
'''


def walk(value, path=()):
    """All paths of what tomllib makes of a text."""
    yield path
    inner = value.items() if isinstance(value, dict) else ()
    for name, item in enumerate(value) if isinstance(value, list) else inner:
        yield from walk(item, (*path, name))


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ((), 1, 1),
        (("schema",), 1, 1),
        (("when",), 5, 1),
        (("limits",), 6, 2),
        (("limits", "layers"), 7, 1),
        (("allow",), 8, 4),
        (("allow", 0), 8, 1),
        (("allow", 0, "symbols", 0), 10, 12),
        (("allow", 0, "symbols", 1), 12, 3),
        (("allow", 0, "symbols", 2), 12, 8),
        (("allow", 0, "arguments"), 13, 1),
        (("allow", 0, "arguments", "input_dim"), 13, 11),
        (("allow", 0, "arguments", "input_dim", "max"), 13, 25),
        (("allow", 0, "arguments", "input_dim", "type", 0), 13, 46),
        (("allow", 0, "arguments", "node.op"), 14, 11),
        (("allow", 0, "arguments", "node.op", "min"), 14, 23),
        (("deny", 0, "evidence"), 17, 9),
        (("deny", 0, "evidence", "tool"), 18, 3),
        (("allow", 1), 19, 1),
    ],
)
def test_place_is_where_the_text_starts(path, line, column):
    assert positions(POLICY)[path] == Position(line, column)


def test_every_path_of_the_example_has_a_place_and_no_other():
    assert set(positions(POLICY)) == set(walk(tomllib.loads(POLICY)))
    assert len(positions(POLICY)) == len(set(positions(POLICY)))


@pytest.mark.parametrize("path", [("x",), ("allow", 2), ("allow", 0, "id", 0), ("deny", "id")])
def test_what_does_not_exist_has_no_place(path):
    assert path not in positions(POLICY)


def test_headers_are_found_from_bracket_to_bracket():
    found = headers(POLICY)
    assert [POLICY[header.start : header.end] for header in found] == [
        "[limits]", "[[ allow ]]", "[[deny]]", "[deny.evidence]", '[["allow"]]',
    ]  # fmt: skip
    assert [header.keys for header in found[2:]] == [("deny",), ("deny", "evidence"), ("allow",)]
    assert [header.many for header in found] == [False, True, True, False, True]


@pytest.mark.parametrize(
    ("path", "line"),
    [(("allow", 0, "reason"), 8), (("allow", 7), 8), (("nothing", 0), 1), (("limits", "x"), 6)],
)
def test_what_is_missing_is_missing_where_it_would_stand(path, line):
    assert positions(POLICY).nearest(path).line == line


@settings(max_examples=200, deadline=None)
@given(documents())
def test_everything_in_any_document_is_where_it_was_written(written):
    places = written.places
    found = positions(written.text)
    assert {path: tuple(place) for path, place in found.items()} == places
    assert set(found) == set(walk(tomllib.loads(written.text)))
    lines = header_lines(written.text)
    for name in TABLES:
        assert lines[name] == table_lines(written.text, name)
        items = takewhile(lambda path: path in places, ((name, index) for index in count()))
        assert lines[name] == [places[item][0] for item in items]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[[allow]]", [1]),
        ("\n  [[ allow\t]] # [[allow]]\n[[allow]]\n[[allow.x]]\n[[allowed]]\n[allow.y]", [2, 3]),
        ("x = '''\n[[allow]]\n'''\n[[allow]]\n", [4]),
        ('x = """\n[[allow]]\n\\"""\n[[allow]]"""\n#"""\n[[allow]]\n', [6]),
        ('x = \'"""\'\n[[allow]]\ny = \'"""\'\n', [2]),
        ("# it's\n[[allow]]\n# isn't\n", [2]),
        ('[["allow"]]\n[[allow]]\n', [1, 2]),
        ('["allow"]\n', []),
        ('x = [\n["allow"],\n[["allow"]]\n]\n[[allow]]', [5]),
        ("allow = [{ id = 1 },\n  { id = 2 }]\n", [1, 2]),
        ('"allow" = [\n{}]\n', [2]),
        ('"\\u0061llow" = [\n{}]\n', [2]),
        ("x.allow = [{}]\n", []),
        ("allow = 3", []),
        ("", []),
        ("x = '''\r\n[[allow]]\r\n'''\r\n[[allow]]\r\n", [4]),
    ],
)
def test_lines_of_tables_are_not_fooled(text, lines):
    tomllib.loads(text)
    assert table_lines(text, "allow") == lines


@pytest.mark.parametrize("name", policy_names())
def test_every_part_of_a_shipped_policy_has_a_place(name):
    text = policy_text(name)
    data = tomllib.loads(text)
    assert set(positions(text)) == set(walk(data))
    for table in TABLES:
        assert len(table_lines(text, table)) == len(data.get(table, []))


@pytest.mark.parametrize(
    "text",
    [
        "a = [" + "[1]," * 50_000 + "]",
        "a" + ".a" * 900 + " = 1",
        "#" * 300_000,
        "\n" * 300_000,
        'a = """' + '"" ' * 100_000 + '"""',
        "[[allow]]\n" + "\n# x = [[\n" * 30_000,
        "x = '" + "[[allow]]" * 30_000 + "'",
        "x = [\n" + "[[1]],\n" * 30_000 + "]",
    ],
    ids=["array", "dotted", "comment", "lines", "quotes", "tail", "text", "nested"],
)
def test_long_texts_are_read_in_one_go(text):
    """Quadratic work would show: these would take minutes."""
    assert positions(text)[()] == Position(1, 1)
    assert len(table_lines(text, "allow")) == text.startswith("[[allow")


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("a" + ".a" * 32 + " = 1", True),
        ("a" + ".a" * 31 + " = 1", False),
        ("[[" + "a . " * 64 + "b]]", True),
        ('x = { "\\"" ' + """.'b' .\t"c" """ * 40 + "= 1 }", True),
        ("aa.aa = 1\n" * 1000, False),
        ("x = '" + "keras.layers.Dense " * 1000 + "'", False),
        ("# " + "." * 1000, False),
        ("a" * 1_000_000, False),
        ('"' * 1_000_000, False),
        ("a." * 31 + "\n" + "a." * 31, False),
        (("a . " * 30 + "\n") * 10_000, False),
    ],
)
def test_keys_that_would_take_for_ever_are_seen(text, long):
    assert has_long_key(text) is long


@given(documents())
@settings(max_examples=30, deadline=None)
def test_no_ordinary_key_is_long(written):
    assert not has_long_key(written.text)
