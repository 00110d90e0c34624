"""Values that a caller passes: copied once, plain, bounded."""

import json
import sys
from collections import OrderedDict
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_serial.artifact.dict_value import NotPlainValue, read_value, snapshot
from secure_serial.errors import ArtifactError, LimitExceeded, MalformedArtifact
from secure_serial.limits import Limits

LIMITS = Limits()


class Pair(NamedTuple):
    a: int
    b: int


class Color(IntEnum):
    RED = 3


class Name(StrEnum):
    DENSE = "Dense"


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=25,
)


@given(plain)
def test_a_copy_is_equal_and_shares_no_container(value):
    copied = snapshot(value, LIMITS)
    assert repr(copied) == repr(value)
    if isinstance(value, dict | list) and value:
        assert copied is not value


def test_a_change_after_the_snapshot_changes_nothing():
    inner = [1]
    copied = snapshot({"a": inner}, LIMITS)
    inner.append(2)
    assert copied == {"a": [1]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Color.RED, 3),
        (Name.DENSE, "Dense"),
        ({Name.DENSE: [Color.RED]}, {"Dense": [3]}),
        (Pair(1, 2), (1, 2)),
        ({1: "a"}, {1: "a"}),
        (True, True),
    ],
)
def test_subclasses_become_the_plain_types(value, expected):
    copied = snapshot(value, LIMITS)
    assert copied == expected
    assert type(copied) is type(expected)


def test_numpys_scalars_that_are_plain_types_are_taken():
    numpy = pytest.importorskip("numpy")
    assert type(snapshot(numpy.float64(1.5), LIMITS)) is float
    assert type(snapshot(numpy.str_("a"), LIMITS)) is str
    with pytest.raises(NotPlainValue):
        snapshot(numpy.float32(1.5), LIMITS)


def test_a_subclass_cannot_say_something_else_later():
    class Liar(str):
        __slots__ = ()

        def __str__(self):
            return "os.system"

    copied = snapshot(["x", Liar("relu")], LIMITS)
    assert copied == ["x", "relu"]
    assert type(copied[1]) is str


@pytest.mark.parametrize(
    "value",
    [b"x", {1, 2}, object(), print, 1j, range(3), {"a": [b""]}, {(1, 2): 3}, {None: 1}, {True: 1}],
    ids=lambda value: type(value).__name__,  # the same in every process of a run
)
def test_what_json_cannot_say_is_a_type_error_as_in_keras(value):
    with pytest.raises(TypeError, match="Could not parse config") as caught:
        snapshot(value, LIMITS)
    assert isinstance(caught.value, MalformedArtifact)


def test_the_place_of_a_fault_is_named():
    with pytest.raises(NotPlainValue) as caught:
        read_value({"a": [0, {"b/": object()}]}, LIMITS, name="given")
    assert str(caught.value.where) == "given#/a/1/b~1"
    assert caught.value.help


def test_a_cycle_is_found_and_a_shared_value_is_not_one():
    loop = {"a": []}
    loop["a"].append(loop)
    with pytest.raises(NotPlainValue, match="holds itself"):
        snapshot(loop, LIMITS)
    shared = [1]
    assert snapshot([shared, shared], LIMITS) == [[1], [1]]


def test_a_value_that_expands_without_bound_hits_the_limit():
    bomb = [0]
    for _ in range(100):
        bomb = [bomb, bomb]
    with pytest.raises(LimitExceeded):
        snapshot(bomb, Limits(nodes=10_000))


def test_depth_is_bounded_without_the_stack():
    value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(LimitExceeded) as caught:
        snapshot(value, LIMITS)
    assert caught.value.code == "SS114"
    while value:  # taken apart by hand: the interpreter would recurse
        value = value.pop()


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        (Limits(depth=2), [[1]], [[[]]]),
        (Limits(nodes=3), [1, 2], [1, 2, 3]),
        (Limits(string_bytes=3), "abc", "abcd"),
        (Limits(string_bytes=3), {"abc": 1}, {"abcd": 1}),
        (Limits(config_bytes=3), ["ab", "c"], ["ab", "cd"]),
        (Limits(number_chars=4), 9999, 10**5),
    ],
)
def test_each_limit_holds(limits, good, bad):
    assert snapshot(good, limits) == good
    with pytest.raises(LimitExceeded):
        snapshot(bad, limits)


def test_an_integer_is_not_converted_to_be_measured():
    with pytest.raises(LimitExceeded):
        snapshot(1 << (4 * sys.get_int_max_str_digits()), LIMITS)


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ArtifactError) as caught:
        snapshot({"a": "\ud800"}, LIMITS)
    assert caught.value.code == "SS113"


def test_the_digest_is_that_of_the_value_and_not_of_the_order_of_its_keys():
    one = read_value({"a": 1, "b": [None]}, LIMITS)
    two = read_value(json.loads('{"b": [null], "a": 1}'), LIMITS)
    assert one.judged_sha256 == two.judged_sha256
    assert read_value({1: 1, "1": 2}, LIMITS).judged_sha256 != one.judged_sha256
    assert read_value({1: 1}, LIMITS).judged_sha256
