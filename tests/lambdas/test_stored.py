"""Every form in which a file holds a function is read, and a broken one is refused."""

import base64
import json
import marshal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_serial.errors import SecureSerialError
from secure_serial.lambdas.bounds import Bounds
from secure_serial.lambdas.errors import BadStream, TooMuch
from secure_serial.lambdas.plain import alike, plain, written
from secure_serial.lambdas.stored import Stored, code_of, is_code, stored

DATA = marshal.dumps((lambda x, y=2: x * y).__code__)
LINES = base64.encodebytes(DATA).decode("ascii")
PLAIN = base64.b64encode(DATA).decode("ascii")
RAW = DATA.decode("latin-1")
OWN = {"schema": 1, "source": "lambda x: x"}


def node(**config):
    return {"class_name": "__lambda__", "config": config}


def both(*items):
    """A list as JSON has it, and as Keras 2.13 and later write a tuple."""
    return [list(items), items, {"class_name": "__tuple__", "items": list(items)}]


@pytest.mark.parametrize("code", [LINES, PLAIN, RAW, LINES.replace("\n", "\r\n")])
@pytest.mark.parametrize("defaults", [*both(2), None])
@pytest.mark.parametrize("closure", [*both("a", [1]), None])
def test_every_form_of_the_three_parts_is_the_same_function(code, defaults, closure):
    expected = Stored(
        DATA,
        defaults=() if defaults is None else (2,),
        closure=() if closure is None else ("a", [1]),
    )
    for dump in both(code, defaults, closure):
        assert stored(dump) == expected
        assert stored(node(value=dump)) == expected
    assert stored(node(code=code, defaults=defaults, closure=closure)) == expected
    assert stored(node(code=code, closure=closure, defaults=defaults, secure_serial=OWN)) == Stored(
        DATA, OWN, expected.defaults, {}, expected.closure
    )


def test_a_text_of_code_alone_and_our_own_form_alone_are_forms():
    assert stored(LINES) == stored(RAW) == Stored(DATA)
    assert stored(OWN) == stored(node(secure_serial=OWN)) == Stored(own=OWN)
    assert stored(node(value=[LINES, None, None], secure_serial=OWN)) == Stored(DATA, OWN)
    assert stored(node(code=LINES)) == Stored(DATA)


@pytest.mark.parametrize(
    "value",
    [
        None, 1, 2.5, True, "relu", "categorical_crossentropy", "crop", "", "c", "Y29kZQ==", [], {},
        ["relu"], [1, 2, 3], ["a", "b"], {"class_name": "Dense", "config": {}}, {"schema": 1},
        {"schema": 1, "source": 3}, {"source": "lambda x: x"}, {"class_name": "__tuple__"},
        {"class_name": "__tuple__", "items": "abc"}, "é" * 10, "\u4f60\u597d", object(),
    ],
)  # fmt: skip
def test_what_is_no_function_is_none(value):
    assert stored(value) is None


@pytest.mark.parametrize(
    "value",
    [
        # The node.
        {"class_name": "__lambda__"},
        {"class_name": "__lambda__", "config": [LINES, None, None]},
        node(),
        node(value=LINES),
        node(value=[LINES]),
        node(value=[LINES, None, None, None]),
        node(value=[None, None, None]),
        node(value=[LINES, None, None], code=LINES),
        node(code=LINES, defaults=None, closure=None, globs={}),
        node(defaults=None, closure=None),
        node(value=[LINES, None, None], secure_serial=None),
        node(value=[LINES, None, None], secure_serial="lambda x: x"),
        node(secure_serial={**OWN, "code": LINES}),
        {**OWN, "run": 1},
        # The code.
        ["relu", None, None],
        ["", None, None],
        node(code=b"abc"),
        node(code=None),
        node(code=[LINES]),
        node(code=DATA),
        # Keras reads each of these as code: it skips what is no base64.
        [f"{PLAIN[:8]}*{PLAIN[8:]}", None, None],
        [f"{PLAIN}====", None, None],
        [f"={PLAIN}", None, None],
        [RAW + "\u0100", None, None],
        # What stands beside it.
        [LINES, "ab", None],
        [LINES, 3, None],
        [LINES, {"a": 1}, None],
        [LINES, None, {"class_name": "__tuple__", "items": 3}],
        [LINES, [{"class_name": "__numpy__", "config": {"value": [1], "dtype": "int8"}}], None],
        [LINES, None, [{"class_name": "Dense", "config": {"units": 3}}]],
        [LINES, None, [{"class_name": "__tuple__", "items": [], "more": 1}]],
        [LINES, None, [{"class_name": "__tuple__", "items": 3}]],
        [LINES, None, [object()]],
        [LINES, None, [b"abc"]],
        [LINES, None, [1j]],
        [LINES, None, [{1: 2}]],
        [LINES, None, [{"a": {"class_name": ["b"]}}]],
    ],
)
def test_a_broken_form_is_refused(value):
    with pytest.raises(BadStream):
        stored(value)


def test_base64_whose_last_bits_are_lost_is_refused():
    # The same bytes to a lenient reader: two texts of one function, of which a digest knows one.
    text = base64.b64encode(DATA[:-1] if len(DATA) % 3 == 0 else DATA).decode("ascii")
    assert text.endswith("=")
    last = text.rstrip("=")[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = text.replace(last + "=", alphabet[alphabet.index(last) + 1] + "=")
    with pytest.raises(BadStream):
        code_of(other)


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        ["A" * 600_000, None, None],
        [RAW + "\0" * 600_000, None, None],
        [LINES, [deep(30)], None],
        [LINES, [deep(5_000)], None],
        [LINES, [[0] * 30_000], None],
        [LINES, None, ["a" * 70_000]],
        [LINES, None, [1 << 2_000]],
        [LINES, None, [{"a" * 70_000: 1}]],
    ],
)
def test_what_is_too_large_is_refused(value):
    with pytest.raises(TooMuch):
        stored(value)


def test_a_text_too_long_to_be_code_is_none():
    assert not is_code("4wEAAAAA" + "A" * 1_000_000)


def test_a_value_that_holds_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(TooMuch):
        plain(value, "a default")


def test_bounds_are_the_callers_to_narrow():
    assert stored([LINES, [[1, 2, 3]], None], Bounds(objects=5))
    with pytest.raises(TooMuch):
        stored([LINES, [[1, 2, 3]], None], Bounds(objects=4))


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
keys = st.text().filter(lambda key: key != "class_name")
plains = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=20,
)


@given(plains)
def test_plain_values_come_back_from_json_as_they_were(value):
    again = plain(json.loads(json.dumps(written(value))), "a default")
    assert repr(again) == repr(value)
    assert again is not value or not isinstance(value, list | dict)
    assert alike(json.loads(json.dumps(value)), value)


@given(plains, plains)
def test_what_is_alike_is_the_same_json(one, two):
    assert alike(one, two) == alike(two, one)
    if alike(one, two):
        assert json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (1, 1.0), (1, True), (0.0, -0.0), ("1", 1), (None, False), ([1], [1, 1]), ([1], {"0": 1}),
        ({"a": 1}, {"b": 1}), ({"a": 1}, {"a": 2}), ([], None), ([], {}), (b"a", b"a"),
    ],
)  # fmt: skip
def test_what_only_compares_equal_is_not_alike(one, two):
    assert not alike(one, two)


json_values = st.recursive(
    scalars | st.sampled_from([LINES, PLAIN, RAW, "__lambda__", "__tuple__"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["class_name", "config", "value", "code", "defaults", "closure", "secure_serial",
             "schema", "source", "items"]
        ),
        inner,
    ),
    max_leaves=12,
)  # fmt: skip


@given(json_values)
def test_any_json_is_a_function_none_or_our_error(value):
    for each in (value, {"class_name": "__lambda__", "config": value}, [LINES, value, value]):
        try:
            found = stored(each)
        except SecureSerialError:
            continue
        assert found is None or found.code is not None or found.own is not None


@given(st.text(), st.integers(0, 300))
def test_any_text_with_a_piece_of_code_in_it_is_code_or_not(text, at):
    for each in (text, LINES[:at] + text + LINES[at:], RAW[:at] + text + RAW[at:]):
        if is_code(each):
            assert code_of(each)[:1] in {b"c", b"\xe3"}
