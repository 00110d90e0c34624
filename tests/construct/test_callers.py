"""What the planner knows of the program's own objects, told one by one."""

from __future__ import annotations

import pytest
from construct.parts import Part, make, part

from secure_serial.construct import callers as described
from secure_serial.construct.callers import Callers, describe_one
from secure_serial.construct.load import deserialize_keras_object
from secure_serial.construct.session import current
from secure_serial.data import catalogue
from secure_serial.errors import LoadDenied
from secure_serial.plan.names import caller_symbol
from secure_serial.policy.source import load_policy, parse_policy
from secure_serial.registry import (
    CustomObjectScope,
    get_custom_objects,
    get_registered_object,
    snapshot,
)

OBJECTS = {
    "acme>Part": make("Part"),
    "Bare": make("Bare"),
    "function": len,
    "acme>instance": object(),
    7: make("Seven"),
}


@pytest.fixture
def registered():
    """A class that is registered for the whole process."""
    cls = make("Common")
    get_custom_objects()["acme>Common"] = cls
    yield cls
    get_custom_objects().pop("acme>Common", None)


def known(passed=None, policy="strict"):
    names = snapshot(OBJECTS if passed is None else passed)
    return names, Callers(names, catalogue(), load_policy(policy))


def test_every_object_is_described_as_it_is_when_described_at_once():
    names, callers = known()
    wanted = {
        name: describe_one(name, names[name], str(names.origin(name)), catalogue())
        for name in names
        if isinstance(name, str)
    }
    assert dict(callers) == wanted
    assert len(callers) == len(wanted)
    assert {name: callers.get(name) for name in [*wanted, "nobody's"]} == {
        **wanted, "nobody's": None,
    }  # fmt: skip


def test_what_is_no_name_of_the_programs_is_in_no_description():
    _, callers = known()
    assert 7 not in callers
    assert "nobody's" not in callers
    with pytest.raises(KeyError):
        callers["nobody's"]


def test_a_symbol_leads_back_to_its_object_and_no_other():
    _, callers = known()
    for caller in callers.values():
        assert caller_symbol(callers.by_symbol(caller_symbol(caller))) == caller_symbol(caller)
    assert callers.by_symbol("acme>Nobody") is None
    assert callers.by_symbol("Bare") is None


def test_a_load_describes_what_it_asks_for_and_nothing_else(monkeypatch, registered):
    told = []

    def told_of(name, *rest):
        told.append(name)
        return describe_one(name, *rest)

    monkeypatch.setattr(described, "describe_one", told_of)
    deserialize_keras_object([part("Common"), part("Common")])
    assert told == ["acme>Common"]


# What code may look up while it is built.


def inside(look, *others, policy=None, **objects):
    """What is seen from within a constructor, beside other objects that are being built."""
    seen = []
    acting = make("Part", action=lambda _config: seen.append(look()))
    names = {"acme>Part": acting, **objects}
    deserialize_keras_object([part(), *others, part()], names, policy=policy)
    assert seen[0] == seen[-1]  # the same for each of several objects
    return seen[0]


def test_passed_and_registered_objects_are_found_while_building(registered):
    passed = make("Passed")
    look = lambda: [get_registered_object(n) for n in ("acme>Common", "Passed", "other")]  # noqa: E731
    assert inside(look, Passed=passed) == [registered, passed, None]


def test_a_passed_object_that_the_policy_does_not_name_is_not_found():
    policy = parse_policy('schema = 1\n[[allow]]\nid = "a"\nregistered = ["acme>Part"]')
    look = lambda: get_registered_object("Passed")  # noqa: E731
    assert inside(look, Passed=make("Passed"), policy=policy) is None


def test_the_scope_around_a_load_does_not_hold_in_it_but_for_what_the_policy_lets_in():
    policy = parse_policy('schema = 1\n[[allow]]\nid = "a"\nregistered = ["acme>Part"]')
    look = lambda: get_registered_object("acme>Scoped")  # noqa: E731
    with CustomObjectScope({"acme>Scoped": Part}):
        assert inside(look, policy=policy) is None
        assert inside(look) is Part


def test_a_scope_that_a_constructor_opens_does_not_reach_what_is_built_in_it():
    seen = []
    look = make("Look", action=lambda _config: seen.append(get_registered_object("hidden")))

    def opens(_config):
        with CustomObjectScope({"hidden": Part}):
            deserialize_keras_object(part("Look"))
            seen.append(get_registered_object("hidden"))

    objects = {"acme>Part": make("Part", action=opens), "acme>Look": look}
    deserialize_keras_object([part(), part("Look")], objects)
    assert seen == [None, Part, None]


def test_a_scope_that_a_constructor_leaves_open_does_not_reach_the_next_object():
    seen = []
    left = CustomObjectScope({"hidden": Part})
    objects = {
        "acme>Part": make("Part", action=lambda _config: left.__enter__() and None),
        "acme>Look": make("Look", action=lambda _: seen.append(get_registered_object("hidden"))),
    }
    deserialize_keras_object([part(), part("Look")], objects)
    assert seen == [None]
    assert get_registered_object("hidden") is None


def test_an_object_that_was_not_planned_is_handed_out_where_the_program_vouches_for_it(registered):
    assert inside(lambda: current().caller_object("acme>Common")) is registered
    policy = parse_policy('schema = 1\n[[allow]]\nid = "a"\nregistered = ["acme>Part"]')
    with pytest.raises(LoadDenied):
        inside(lambda: current().caller_object("acme>Common"), policy=policy)
