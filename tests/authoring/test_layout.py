"""Values on one line where they fit, and over several where they do not."""

from __future__ import annotations

import tomllib

import pytest

from secure_serial.authoring.layout import CannotLayOutError, lay_out, read_value, sort


def laid_out(text, column=0, indent=0):
    after = lay_out(read_value(text), column, indent)
    assert tomllib.loads(f"a = {after}") == tomllib.loads(f"a = {text}")
    return after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1", "1"),
        ("1979-05-27 07:32:00", "1979-05-27 07:32:00"),
        ("'[#'", "'[#'"),
        ("[\n]", "[]"),
        ("{  }", "{}"),
        ("[1,[ 2 ,3,],]", "[1, [2, 3]]"),
        ('{a=1,b . "c"=[ ] }', '{ a = 1, b."c" = [] }'),
        ("[ # a\n1, # b\n# c\n]", "[\n  # a\n  1,  # b\n  # c\n]"),
        ("[1 # a\n, # b\n2]", "[\n  1,  # a\n  # b\n  2,\n]"),
        ("[1, 2,\n3, # a\n4]", "[\n  1, 2,\n  3,  # a\n  4,\n]"),
        ("[[1, # a\n2], 3]", "[\n  [\n    1,  # a\n    2,\n  ],\n  3,\n]"),
        ("{ a = [1, # a\n], b = 2 }", "{ a = [\n  1,  # a\n], b = 2 }"),
    ],
)
def test_small_values(before, after):
    assert laid_out(before) == after
    assert laid_out(after) == after


@pytest.mark.parametrize(("column", "lines"), [(91, 1), (92, 3)])
def test_what_just_fits_stays_on_its_line(column, lines):
    assert laid_out("[1, 2, 3]", column).count("\n") + 1 == lines


def test_lines_are_filled_to_the_last_column():
    # 17 items of six characters, spaces between, two columns of indent: 2 + 14 * 7 - 1 = 99.
    text = laid_out("[" + ", ".join(["12345"] * 17) + "]")
    assert [len(line) for line in text.split("\n")] == [1, 99, 22, 1]
    text = laid_out("[" + ", ".join(["12345"] * 13 + ["123456"] + ["1"]) + "]", 50)
    assert [len(line) for line in text.split("\n")] == [1, 100, 4, 1]


def test_an_item_that_is_too_long_has_its_line():
    long = "1" * 120
    assert laid_out(f"[1, {long}, 2]") == f"[\n  1,\n  {long},\n  2,\n]"


def test_tables_and_long_texts_have_a_line_each():
    text = "[{ a = 1 }, '''\nx''', 3, 4, [5], " + "6" * 100 + "]"
    assert laid_out(text) == (
        "[\n  { a = 1 },\n  '''\nx''',\n  3, 4,\n  [5],\n  " + "6" * 100 + ",\n]"
    )


def test_a_long_table_breaks_only_lists_that_do_not_fit():
    text = "{ a = [1, 2], b = [" + ", ".join(["1234567890"] * 9) + "], c = [3] }"
    assert laid_out(text).split("\n")[0] == "{ a = [1, 2], b = ["
    assert laid_out(text).split("\n")[-1] == "], c = [3] }"


@pytest.mark.parametrize(("length", "breaks"), [(80, False), (81, True)])
def test_the_last_list_of_a_long_table_ends_by_the_last_column(length, breaks):
    text = f"{{ c = [{'3' * 99}], a = 1, b = [{'1' * 40}, {'2' * (length - 40)}] }}"
    lines = laid_out(text).split("\n")
    assert lines[:3] == ["{ c = [", "  " + "3" * 99 + ",", lines[2]]
    assert (lines[2] == "], a = 1, b = [") is breaks
    assert len(lines[2]) == (15 if breaks else 100)


@pytest.mark.parametrize(("length", "breaks"), [(90, False), (91, True)])
def test_what_stands_before_a_list_on_its_line_counts(length, breaks):
    text = f"{{ a = {'1' * (length - 10)}, b = [1, 2], c = [{'3' * 99}] }}"
    first = laid_out(text).split("\n")[0]
    assert first == f"{{ a = {'1' * (length - 10)}, b = [" + ("" if breaks else "1, 2], c = [")


@pytest.mark.parametrize(("length", "lines"), [(89, 3), (90, 5)])
def test_a_table_in_a_list_ends_by_the_last_column_comma_and_all(length, lines):
    text = laid_out(f"[{{ a = [{'1' * (length - 2)}] }}, 2]")
    assert text.count("\n") == lines
    assert (max(map(len, text.split("\n"))) == 100) is (lines == 3)


@pytest.mark.parametrize("text", ["{ # c\n a = 1 }", "{ a = 1, # c\n b = 2 }", "{ a = 1 # c\n }"])
def test_a_comment_in_an_inline_table_cannot_be_kept(text):
    """TOML 1.1 has them, and tomllib from Python 3.15 on."""
    with pytest.raises(CannotLayOutError):
        read_value(text)


def test_a_table_over_lines_comes_onto_one():
    assert lay_out(read_value("{\n a = 1,\n b = 2,\n}"), 0) == "{ a = 1, b = 2 }"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('["b", "a"]', '["a", "b"]'),
        ("['b', \"a\"]", "[\"a\", 'b']"),
        ('["b", "\\u0061"]', '["\\u0061", "b"]'),
        ('["B", "a", "_"]', '["B", "_", "a"]'),
        ('["b", 1]', '["b", 1]'),
        ('["b", """a"""]', '["b", """a"""]'),
        ('["b", ["a"]]', '["b", ["a"]]'),
    ],
)
def test_texts_are_sorted_by_their_meaning_and_nothing_else_is(before, after):
    array = read_value(before)
    sort(array)
    assert lay_out(array, 0) == after
