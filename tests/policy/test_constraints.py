"""When a rule's condition on an argument holds."""

from __future__ import annotations

import pytest

from secure_serial.policy.constraints import TYPES, holds
from secure_serial.policy.model import Constraint

NAN = float("nan")


def check(value, **conditions):
    return holds(Constraint("x", **conditions), {"x": value})


def test_an_absent_argument_satisfies_anything():
    assert holds(Constraint("x", types=frozenset({"null"}), minimum=9, one_of=()), {"y": 1})


def test_no_condition_holds_for_anything():
    for value in (None, True, 1, "a", [], {}):
        assert check(value)


@pytest.mark.parametrize(
    ("value", "names"),
    [(None, {"null"}), (True, {"boolean"}), (3, {"integer", "number"}), (2.5, {"number"}), ("a", {"string"}),
     ([1], {"array"}), ((1,), {"array"}), ({}, {"object"})],
)  # fmt: skip
def test_a_value_has_the_types_that_json_gives_it(value, names):
    assert {name for name in TYPES if check(value, types=frozenset({name}))} == names


def test_one_of_several_types_is_enough():
    assert check("a", types=frozenset({"null", "string"}))


@pytest.mark.parametrize(
    ("value", "inside"),
    [(0, False), (1, True), (2.5, True), (4, True), (4.1, False), (float("inf"), False),
     (10**400, False), ([1, 4], True), ([1, 5], False), ([], True)],
)  # fmt: skip
def test_bounds_hold_for_a_number_and_for_every_number_of_a_list(value, inside):
    assert check(value, minimum=1, maximum=4) is inside


def test_each_bound_works_alone():
    assert check(9, minimum=1)
    assert not check(0, minimum=1)
    assert check(0, maximum=1)
    assert not check(9, maximum=1)
    assert not check(0, minimum=0.5)
    assert check(0, minimum=0, maximum=0)


def test_in_a_deny_rule_one_number_within_the_bounds_is_enough():
    within = Constraint("x", minimum=1, maximum=4)
    assert holds(within, {"x": [9, 2]}, any)
    assert not holds(within, {"x": [9, 0]}, any)
    assert not holds(within, {"x": []}, any)


@pytest.mark.parametrize("value", [True, None, "3", {}, [True], ["a"], [[1]], NAN, (2, NAN)])
def test_a_bound_on_what_is_no_number_cannot_be_evaluated(value):
    with pytest.raises(TypeError, match="a bound on"):
        check(value, minimum=0)
    with pytest.raises(TypeError, match="a bound on"):
        check(value, maximum=0)


@pytest.mark.parametrize("value", ["abc", [1, 2, 3], (1, 2, 3), {"a": 1, "b": 2, "c": 3}])
def test_a_length_is_of_text_lists_and_objects(value):
    assert check(value, max_length=3)
    assert not check(value, max_length=2)


@pytest.mark.parametrize("value", [3, None, True, 2.5])
def test_a_length_of_anything_else_cannot_be_evaluated(value):
    with pytest.raises(TypeError, match="a length of"):
        check(value, max_length=3)


@pytest.mark.parametrize(
    ("value", "wanted", "same"),
    [(1, 1, True), (1, 1.0, True), (True, 1, False), (1, True, False), (True, True, True), ("a", "a", True),
     ("a", "b", False), (None, None, True), (0, False, False), ([1], [1], True), (NAN, NAN, False),
     ([1], [True], False), ((1, 2), [1, 2], True), ([1, 2], [1], False), ({"a": 1}, {"a": 1}, True),
     ({"a": 1}, {"a": True}, False), ({"a": (1,)}, {"a": [1]}, True), ({"a": 1}, {"b": 1}, False),
     ({"a": 1}, {"a": 1, "b": 1}, False), ({}, [], False), ([1, 2], [1, 3], False),
     ({"a": 1, "b": 2}, {"a": 1, "b": 3}, False), ([], [], True), ({}, {}, True)],
)  # fmt: skip
def test_one_of_tells_flags_from_numbers(value, wanted, same):
    assert check(value, one_of=("other", wanted)) is same


def test_one_of_nothing_holds_for_nothing():
    assert not check("a", one_of=())


@pytest.mark.parametrize(
    ("arguments", "holding"),
    [({"node": {"op": "Add"}}, True), ({"node": {"op": "Sub"}}, False), ({"node": {}}, False),
     ({"node": "Add"}, False), ({"node": None}, False), ({}, True), ({"node.op": "Sub"}, True)],
)  # fmt: skip
def test_a_dotted_name_looks_into_an_object_where_nothing_may_be_absent(arguments, holding):
    assert holds(Constraint("node.op", one_of=("Add",)), arguments) is holding


def test_every_condition_must_hold():
    both = Constraint("x", types=frozenset({"integer"}), maximum=3, one_of=(2, 9))
    assert holds(both, {"x": 2})
    assert not holds(both, {"x": 9})
    assert not holds(both, {"x": 3})
    assert not holds(both, {"x": 2.0})
