"""Which plain values may stand in which field."""

from __future__ import annotations

import pytest

from secure_serial.limits import Limits
from secure_serial.plan.fields import Field
from secure_serial.plan.values import (
    LABEL_CHARS,
    could_be_opened,
    is_path_component,
    judge_number,
    judge_plain,
    looks_encoded,
    looks_like_path,
)

LIMITS = Limits()
#: A marshalled lambda as Keras writes it, and the same wrapped at 76 columns as base64 is.
CODE = "4wEAAAAAAAAAAQAAAAcAAAATAAAAcy4AAAB0AGoBfABkAWQBZwKIAGQCGACIAGQCGABnAmQBZAFn"
WRAPPED = f"{CODE[:60]}\n{CODE[60:]}\n"
HEX = "e3000000000000000001000000070000001300000073" * 2


PATHS = [
    "/etc/passwd", " /etc/passwd", "\t/x", "~/.ssh/id_rsa", "./x", ".\\x", "../x", "..", "a/../b",
    "a\\..\\b", "a/..", " .. ", "\\\\host\\share", "C:\\x", "c:/x", " C:/x", "http://x", "HTTPS://X",
    "hf://a/b", "gs://b/o", "s3:x", "file:x", "FILE:/etc/passwd", "data:text/plain,x", "hdfs://n/p",
    "file:///x", " s3://x", "x+y.z-1://h", "ftp:/host/x", "simplecache::http://h/x", "a\n://b",
    "zip://x::http://y", "http:\\\\x",
]  # fmt: skip
NO_PATHS = [
    "", "same", "relu", "a b", "channels_last", "abc,cde->abde", "...ab,bc->...ac", "int4/128",
    "float32", "1.5", "a..b", "...", "a ... b", "12:30", "key: value", "3/4", "a/b", "x:y", "(b (h w))",
    "block3.conv", "half~way", "50%", "a: /b", "filename:x",
]  # fmt: skip


@pytest.mark.parametrize("text", PATHS)
def test_what_could_name_a_file_or_a_url_looks_like_a_path(text):
    assert looks_like_path(text)
    assert could_be_opened(text)


@pytest.mark.parametrize("text", NO_PATHS)
def test_ordinary_values_do_not_look_like_a_path(text):
    assert not looks_like_path(text)


@pytest.mark.parametrize(
    "text", ["vocab.txt", "dir/vocab", "dir\\vocab", "a b.h5 ", "x.keras", "a.b"]
)
def test_relative_names_of_files_could_be_opened_where_nobody_knows_the_field(text):
    assert could_be_opened(text)
    assert not looks_like_path(text)


@pytest.mark.parametrize("text", ["relu", "1.5", ".x", "a. b", "x.toolongone", "v1.2.3", "end."])
def test_plain_words_and_numbers_could_not_be_opened(text):
    assert not could_be_opened(text)


@pytest.mark.parametrize("text", [CODE, WRAPPED, HEX, "\x00\x01", "a\x1b[2J", "a\u202eb", "a\x85"])
def test_opaque_bytes_look_encoded(text):
    assert looks_encoded(text)


@pytest.mark.parametrize(
    "text",
    ["", "relu", CODE[:63], "a" * 200, "1" * 200, "a sentence with 2 numbers in it " * 9,
     "block_1_expand_relu_and_then_something_else_that_is_long_but_not_coded, really",
     "word " * 40 + "1", "\t tabs\r\nand lines"],
)  # fmt: skip
def test_text_does_not_look_encoded(text):
    assert not looks_encoded(text)


@pytest.mark.parametrize("length", [59, 60])
def test_the_shortest_unbroken_line_of_code_has_sixty_characters(length):
    assert looks_encoded(f"{'a1' * 40}"[:length] + " b" * 10) is (length == 60)


@pytest.mark.parametrize("length", [63, 64])
def test_the_shortest_code_has_sixty_four_characters(length):
    assert looks_encoded(("a1" * 40)[:length]) is (length == 64)


@pytest.mark.parametrize(
    "name", ["dense_1", "couche ö", "слой", "層 1", "a.b", "...", "x" * LABEL_CHARS]
)
def test_letters_of_any_script_make_a_name(name):
    assert is_path_component(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "a\0", "a\n"[:1] + "\x1b", "x" * (LABEL_CHARS + 1), "a\u202e"],
)
def test_what_cannot_be_a_part_of_a_path_is_no_name(name):
    assert not is_path_component(name)


def code(value, field):
    problem = judge_plain(value, field, LIMITS)
    return problem[0] if problem else ""


PLAIN = [f for f in Field if f not in (Field.TEXT, Field.WORDS, Field.SIZE)]


@pytest.mark.parametrize("field", PLAIN)
def test_no_field_but_free_text_takes_a_path_or_code(field):
    assert code("/etc/passwd", field) == "SS320"
    assert code("hf://a/b", field) == "SS320"
    expected = {Field.ASSET: "SS320"}.get(field, "SS321")
    assert code(CODE, field) == expected


def test_free_text_is_data_whatever_it_looks_like():
    assert not code("/etc/passwd", Field.TEXT)
    assert not code(CODE, Field.TEXT)
    assert not code("x" * 100_000, Field.TEXT)


def test_a_vocabulary_that_is_one_text_is_a_path():
    assert code("a", Field.WORDS) == "SS320"


@pytest.mark.parametrize("text", ["x", "relu", "weights"])
def test_an_asset_or_a_blob_takes_no_text_at_all(text):
    assert code(text, Field.ASSET) == "SS320"
    assert code(text, Field.BLOB) == "SS321"


@pytest.mark.parametrize("field", [Field.UNKNOWN, Field.OBJECT])
@pytest.mark.parametrize("text", ["vocab.txt", "dir/vocab"])
def test_where_nobody_knows_the_field_a_relative_path_is_refused_too(field, text):
    assert code(text, field) == "SS320"
    assert not code(text, Field.VALUE)


@pytest.mark.parametrize("field", PLAIN)
def test_a_text_longer_than_any_label_is_refused(field):
    assert code("é" * 1025, field) in {"SS321", "SS320"}
    if field not in (Field.ASSET, Field.BLOB):
        assert not code("é" * 1024, field)


@pytest.mark.parametrize("text", ["a/b", "a\\b", "int4/x", "4/4x", "a/1234567"])
@pytest.mark.parametrize("field", [Field.LABEL, Field.FLAG, Field.NUMBER, Field.ARRAY])
def test_a_label_has_no_separator(text, field):
    assert code(text, field) == "SS320"


@pytest.mark.parametrize(
    "text",
    ["int4/128", "gptq/4/-1", "int8_from_float32", "awq/4/128", "gptq/4/128_from_mixed", "abc,cde->abde",
     "a" * 300, "SAME", "", "channels_first", "b h (w c) -> b (h w) c"],
)  # fmt: skip
def test_benign_labels_pass(text):
    assert not code(text, Field.LABEL)


def test_an_empty_text_passes_anywhere_but_in_files():
    for field in (Field.FLAG, Field.NUMBER, Field.ARRAY, Field.LABEL, Field.VALUE):
        assert not code("", field)


FINITE_ONLY = set(Field) - {
    Field.NUMBER,
    Field.ARRAY,
    Field.VALUE,
    Field.SCHEDULE,
    Field.GRAPH_CALL,
    Field.OBJECT,  # an argument of the program's own class
    Field.ROOT,
}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_stands_in_plain_numeric_fields_only(value):
    for field in Field:
        assert code(value, field) == ("SS324" if field in FINITE_ONLY else "")


@pytest.mark.parametrize("field", [Field.SIZE, Field.SHAPE, Field.UNKNOWN, Field.GRAPH_CALL])
def test_a_size_is_bounded(field):
    assert not code(LIMITS.extent, field)
    assert code(LIMITS.extent + 1, field) == "SS323"
    assert code(10**399, field) == "SS323"


def test_a_negative_size_is_bounded_too_but_in_a_graphs_call_it_is_none():
    assert code(-LIMITS.extent - 1, Field.SIZE) == "SS323"
    assert not code(-LIMITS.extent - 1, Field.GRAPH_CALL)
    assert not code(float(LIMITS.extent + 1), Field.GRAPH_CALL)
    assert code(float(LIMITS.extent + 1), Field.SIZE) == "SS323"
    assert not code(1, Field.GRAPH_CALL)


def test_where_nothing_is_allocated_a_number_may_be_any():
    assert not code(10**399, Field.NUMBER)
    assert not code(1e300, Field.ARRAY)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (10**14, "100000000000000 "),
        (10**15, "16 digits"),
        (1e30, "31 digits"),
        (-(10**399), "400 digits"),
    ],
)
def test_a_huge_number_is_told_by_its_digits(value, shown):
    assert shown in judge_number(value, Field.SIZE, LIMITS)[1]


@pytest.mark.parametrize("value", [True, False, None])
def test_flags_and_null_pass_anywhere(value):
    assert all(not code(value, field) for field in Field)


@pytest.mark.parametrize("value", [b"x", object(), {1}])
def test_what_is_no_json_value_is_refused(value):
    assert code(value, Field.VALUE) == "SS322"


def test_a_message_quotes_only_the_start_of_a_text():
    message = judge_plain("/" + "x" * 5000, Field.LABEL, LIMITS)[1]
    assert len(message) < 200
    assert "…" in message


@pytest.mark.parametrize("text", ["", "3", "same", "/etc/passwd"])
def test_what_memory_is_allocated_by_is_no_text(text):
    assert code(text, Field.SIZE) == "SS322"
