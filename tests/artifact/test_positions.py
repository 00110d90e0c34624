"""Line and column of values, found without recursion."""

import json

import pytest
from artifact.walking import walk
from hypothesis import given
from hypothesis import strategies as st

from secure_serial.artifact.positions import Span, locate, locate_many

TEXT = """{
  "config": {"layers": [
    {"name": "ä", "units": 3},
    [1, 22]]},
  "a/b~c": "x"
}"""


@pytest.mark.parametrize(
    ("pointer", "cut"),
    [
        ("", TEXT),
        ("/config/layers/0/units", "3"),
        ("/config/layers/0/name", '"ä"'),
        ("/config/layers/1", "[1, 22]"),
        ("/config/layers/1/1", "22"),
        ("/a~1b~0c", '"x"'),
    ],
)
def test_a_span_covers_exactly_its_value(pointer, cut):
    assert _cut(TEXT, locate(TEXT.encode(), pointer)) == cut


@pytest.mark.parametrize(
    "pointer", ["/nothing", "/config/layers/2", "/config/layers/x", "/a~1b~0c/0", "no pointer"]
)
def test_what_does_not_exist_has_no_place(pointer):
    assert locate(TEXT.encode(), pointer) is None


def test_escaped_keys_are_found_by_their_meaning():
    assert locate(b'{"\\u0061\\"": 1}', '/a"') == Span(1, 14, 1, 15)


keys = st.text(alphabet='ab/~"\\é\n', max_size=3)
values = st.recursive(
    st.integers() | st.text(alphabet='"\\{}[],:é\n', max_size=5) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 1]))
def test_every_value_of_a_json_text_is_where_it_says(value, indent):
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    wanted = dict(walk(value))  # of a key and its value, the value comes later
    spans = locate_many(text.encode(), wanted)
    assert spans.keys() == wanted.keys()
    for pointer, item in wanted.items():
        assert json.loads(_cut(text, spans[pointer])) == item


def test_a_deep_text_needs_no_stack():
    depth = 50_000
    text = b"[" * depth + b"7" + b"]" * depth
    assert locate(text, "/0" * depth) == Span(1, depth + 1, 1, depth + 2)


def test_yaml_values_are_found_by_the_same_pointers():
    text = "a: 1\nb:\n- x: 2\n- [3, 44]\nc: {d: e}\n"
    assert _cut(text, locate(text.encode(), "/b/1/1")) == "44"
    assert _cut(text, locate(text.encode(), "/b/0/x")) == "2"
    assert _cut(text, locate(text.encode(), "/c/d")) == "e"
    assert locate(text.encode(), "/b/2") is None


def _cut(text, span):
    lines = text.split("\n")
    if span.line == span.end_line:
        return lines[span.line - 1][span.column - 1 : span.end_column - 1]
    first = lines[span.line - 1][span.column - 1 :]
    last = lines[span.end_line - 1][: span.end_column - 1]
    return "\n".join([first, *lines[span.line : span.end_line - 1], last])
