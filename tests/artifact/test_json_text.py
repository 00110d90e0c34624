"""Strict JSON: a subset of what json.loads accepts, with equal values, within the limits."""

import json
import math
import sys

import pytest
from artifact.walking import walk
from hypothesis import given
from hypothesis import strategies as st

from secure_serial.artifact.json_text import parse_json
from secure_serial.errors import ArtifactError, LimitExceeded, MalformedArtifact
from secure_serial.limits import Limits

LIMITS = Limits()

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=25,
)


@given(plain, st.booleans())
def test_every_value_that_json_writes_is_read_back(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "replace")
    assert parse_json(text, LIMITS) == json.loads(text)


@given(st.text(alphabet='{}[]":,\\ua1eE+-.0 \n"\ud7ff', max_size=40))
def test_what_is_accepted_is_what_json_gives(text):
    data = text.encode()
    try:
        value = parse_json(data, LIMITS)
    except ArtifactError:
        return
    assert repr(value) == repr(json.loads(data))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"a": 1, "a": 1}', "SS112"),
        (b'[{"x": {"a": 1, "b": 2, "\\u0061": 3}}]', "SS112"),
        (b'{"": 1, "": 2}', "SS112"),
        (b'"\\ud800"', "SS113"),
        (b'{"\\udc00": 1}', "SS113"),
        (b'["\\ude00\\ud83d"]', "SS113"),
        (b"\xef\xbb\xbf{}", "SS111"),
        ("{}".encode("utf-16"), "SS111"),
        (b'"\xed\xa0\x80"', "SS111"),
        (b'"\xff"', "SS111"),
        (b"{} {}", "SS110"),
        (b"{},", "SS110"),
        (b"", "SS110"),
        (b"{", "SS110"),
        (b"[1,]", "SS110"),
        (b"{'a': 1}", "SS110"),
        (b'"a\nb"', "SS110"),
        (b"[01]", "SS110"),
        (b"[\x00]", "SS110"),
        (b"\\", "SS110"),
        (b'\\"[[[', "SS110"),
        (b"[1] // comment", "SS110"),
        (b"[" * 100_000, "SS114"),
        (b'{"a":' * 100_000, "SS114"),
        (b"[" * 100_000 + b"]" * 100_000, "SS114"),
        (b"9" * 1_000_000, "SS117"),
        (b"[-0." + b"0" * 401 + b"]", "SS117"),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else value,
)
def test_hostile_text_is_refused_with_its_code(text, code):
    with pytest.raises(ArtifactError) as caught:
        parse_json(text, LIMITS)
    assert caught.value.code == code


def test_a_surrogate_pair_is_one_character_and_not_refused():
    assert parse_json(b'"\\ud83d\\ude00"', LIMITS) == "\N{GRINNING FACE}"
    assert parse_json(b'"\\\\ud800"', LIMITS) == "\\ud800"


def test_a_duplicate_key_is_named_with_its_place():
    with pytest.raises(MalformedArtifact) as caught:
        parse_json(b'{"a": [0, {"b": {"k/~": 1,\n "c": [{}], "k/~": 2}}]}', LIMITS)
    assert caught.value.where.pointer == "/a/1/b/k~1~0"
    assert "line 2" in caught.value.message


def test_equal_keys_of_different_objects_are_no_duplicates():
    text = b'[{"a": 1}, {"a": {"a": [{"a": 2}]}}, "a\\": {\\\\", {"b": "\\\\"}]'
    assert parse_json(text, LIMITS) == json.loads(text)


def test_what_keras_writes_for_no_number_is_a_float():
    value = parse_json(b"[NaN, Infinity, -Infinity, 1e999]", LIMITS)
    assert math.isnan(value[0])
    assert value[1:] == [math.inf, -math.inf, math.inf]


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        (Limits(depth=3), b'[[{"a": 1}]]', b'[[{"a": []}]]'),
        (Limits(nodes=4), b"[1, 2, 3]", b"[1, 2, 3, 4]"),
        (Limits(nodes=3), b'{"a": {"b": 1}}', b'{"a": {"b": [1]}}'),
        (Limits(string_bytes=4), b'["four", "\\n\\n"]', b'["fours"]'),
        (Limits(string_bytes=4), b'["\xc3\xa4\xc3\xa4"]', b'["\xc3\xa4\xc3\xa4a"]'),
        (Limits(string_bytes=4), b'{"four": 0}', b'{"fours": 0}'),
        (Limits(number_chars=3), b"[123, 1.5]", b"[1234]"),
        (Limits(number_chars=3), b"[1e5]", b"[1e55]"),
        (Limits(config_bytes=5), b"[1,2]", b"[1,22]"),
    ],
)
def test_each_limit_is_exact(limits, good, bad):
    assert parse_json(good, limits) == json.loads(good)
    with pytest.raises(LimitExceeded):
        parse_json(bad, limits)


def test_brackets_and_digits_inside_strings_count_for_nothing():
    text = json.dumps(["[" * 1000, "9" * 1000, '"{' * 500, ":," * 500]).encode()
    assert parse_json(text, Limits(depth=1, nodes=5, number_chars=1)) == json.loads(text)


def test_a_text_longer_than_one_piece_keeps_track_of_strings():
    value = {f"key {index}": ["[{", "\\", '"'] for index in range(20_000)}
    text = json.dumps(value).encode()
    assert parse_json(text, Limits(depth=2)) == value


def test_a_numeral_beyond_the_interpreters_own_bound_is_a_limit():
    with pytest.raises(LimitExceeded) as caught:
        parse_json(b"9" * (sys.get_int_max_str_digits() + 1), Limits(number_chars=10**6))
    assert caught.value.code == "SS117"


def test_a_stack_that_is_nearly_full_ends_in_our_error():
    text = b"[" * 150 + b"]" * 150

    def deep(left):
        return parse_json(text, LIMITS) if left == 0 else deep(left - 1)

    outcomes = set()
    for left in range(600, sys.getrecursionlimit(), 7):
        try:
            deep(left)
            outcomes.add("read")
        except LimitExceeded:
            outcomes.add("limit")
        except RecursionError:  # raised by the test's own frames
            break
    assert "read" in outcomes


def test_walk_gives_every_key_and_value_with_its_pointer():
    found = list(walk({"a/b": [1, {"c": None}]}))
    assert ("/a~1b/1/c", None) in found
    assert ("/a~1b/1/c", "c") in found
    assert ("/a~1b/0", 1) in found
