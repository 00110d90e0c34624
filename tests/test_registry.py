"""Registration, scopes and lookup; every test here holds with Keras loaded and without it.

`test_it_all_holds_on_a_machine_without_keras` runs the file a second time, without.
"""

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from secure_serial import registry
from secure_serial.registry import (
    CustomObjectScope,
    Origin,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    snapshot,
)

INSIDE = "SECURE_SERIAL_TEST_WITHOUT_KERAS"


@pytest.fixture(autouse=True)
def _registrations_of_a_test_end_with_it():
    before = dict(get_custom_objects())
    get_custom_objects().clear()  # what other files of tests have registered, too
    yield
    get_custom_objects().clear()
    get_custom_objects().update(before)


def configurable(name="Part"):
    return type(name, (), {"get_config": lambda self: {}})


def double(x):
    return x * 2


def test_a_class_is_registered_under_custom_and_its_own_name_by_default():
    part = register_keras_serializable()(configurable("Plain"))
    assert get_registered_name(part) == "Custom>Plain"
    assert get_registered_object("Custom>Plain") is part


def test_package_and_name_can_be_chosen():
    part = register_keras_serializable("mine", "Other")(configurable())
    assert get_registered_name(part) == "mine>Other"
    assert get_registered_object("mine>Other") is part
    assert get_registered_object("Part") is None


def test_the_decorator_gives_back_what_it_decorates():
    assert register_keras_serializable("mine")(double) is double
    assert get_registered_object("mine>double") is double


def test_a_class_without_get_config_is_refused_and_not_registered():
    with pytest.raises(ValueError, match="does not have a get_config"):
        register_keras_serializable("mine")(type("Bare", (), {}))
    assert "mine>Bare" not in get_custom_objects()


def test_an_unhashable_object_is_not_registered_by_half():
    class Unhashable:
        __hash__ = None
        __name__ = "unhashable"

    with pytest.raises(TypeError):
        register_keras_serializable("mine")(Unhashable())
    assert "mine>unhashable" not in get_custom_objects()


def test_an_object_without_a_name_needs_one_given():
    with pytest.raises(AttributeError):
        register_keras_serializable("mine")(object())
    named = object()
    register_keras_serializable("mine", "given")(named)
    assert get_registered_name(named) == "mine>given"


def test_the_name_of_what_is_not_registered_is_its_own():
    assert get_registered_name(len) == "len"
    with pytest.raises(AttributeError):
        get_registered_name(object())
    with pytest.raises(TypeError):
        get_registered_name([])


def test_a_later_registration_takes_the_name_and_the_old_object_keeps_it():
    old = register_keras_serializable("mine")(configurable())
    new = register_keras_serializable("mine")(configurable())
    assert get_registered_object("mine>Part") is new
    assert get_registered_name(old) == get_registered_name(new) == "mine>Part"


def test_the_global_dictionary_is_live():
    get_custom_objects()["twice"] = double
    assert get_registered_object("twice") is double
    get_custom_objects().clear()
    assert get_registered_object("twice") is None


def test_lookup_prefers_scope_then_global_then_argument_then_module():
    layers = [{"n": place} for place in ("scope", "global", "argument", "module")]
    with custom_object_scope(layers[0]):
        get_custom_objects().update(layers[1])
        assert get_registered_object("n", layers[2], layers[3]) == "scope"
    assert get_registered_object("n", layers[2], layers[3]) == "global"
    get_custom_objects().clear()
    assert get_registered_object("n", layers[2], layers[3]) == "argument"
    assert get_registered_object("n", None, layers[3]) == "module"
    assert get_registered_object("n") is None


def test_a_scope_does_not_touch_the_global_dictionary():
    with CustomObjectScope({"scoped": double}):
        assert "scoped" not in get_custom_objects()


def test_an_inner_scope_replaces_the_outer_one_and_gives_it_back():
    with CustomObjectScope({"a": 1, "b": 2}):
        with CustomObjectScope({"a": 3}):
            assert get_registered_object("a") == 3
            assert get_registered_object("b") is None
        assert get_registered_object("a") == 1
        assert get_registered_object("b") == 2
    assert get_registered_object("a") is None


def test_an_empty_scope_hides_the_outer_one():
    with CustomObjectScope({"a": 1}), CustomObjectScope(None):
        assert get_registered_object("a") is None


def test_an_error_leaves_the_scope():
    with pytest.raises(KeyError), CustomObjectScope({"a": 1}):
        raise KeyError
    assert get_registered_object("a") is None


def test_a_scope_copies_what_it_is_given():
    names = {"a": 1}
    with CustomObjectScope(names):
        names["a"] = 2
        names["b"] = 3
        assert get_registered_object("a") == 1
        assert get_registered_object("b") is None


def test_a_scope_object_can_be_entered_twice():
    scope = CustomObjectScope({"a": 1})
    with scope:
        with scope:
            assert get_registered_object("a") == 1
        assert get_registered_object("a") == 1
    assert get_registered_object("a") is None
    with scope:
        assert get_registered_object("a") == 1


def test_leaving_an_outer_scope_first_leaves_the_inner_ones_too():
    outer, inner = CustomObjectScope({"a": 1}), CustomObjectScope({"b": 2})
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    assert get_registered_object("a") is None
    assert get_registered_object("b") is None
    inner.__exit__(None, None, None)
    assert get_registered_object("a") is None


def test_a_thread_does_not_see_the_scope_of_another():
    with CustomObjectScope({"a": 1}), ThreadPoolExecutor(1) as pool:
        assert pool.submit(get_registered_object, "a").result() is None


def test_threads_in_scopes_of_their_own_never_see_each_other():
    meet = threading.Barrier(4)

    def visit(number):
        with CustomObjectScope({f"n{number}": number, "n": number}):
            meet.wait(10)
            seen = [get_registered_object(f"n{other}") for other in range(4)]
            mine = get_registered_object("n")
            meet.wait(10)
        return mine, seen, get_registered_object("n")

    with ThreadPoolExecutor(4) as pool:
        for number, (mine, seen, after) in enumerate(pool.map(visit, range(4))):
            assert mine == number
            assert seen == [other if other == number else None for other in range(4)]
            assert after is None


def test_tasks_of_one_thread_never_see_each_others_scopes():
    async def visit(number, entered, leave):
        with CustomObjectScope({f"n{number}": number}):
            entered.set()
            await leave.wait()
            seen = [get_registered_object(f"n{other}") for other in range(2)]
        return seen, get_registered_object(f"n{number}")

    async def main():
        entered, leave = [asyncio.Event(), asyncio.Event()], [asyncio.Event(), asyncio.Event()]
        tasks = []
        for number in range(2):
            tasks.append(asyncio.create_task(visit(number, entered[number], leave[number])))
            await entered[number].wait()
        outside = [get_registered_object("n0"), get_registered_object("n1")]
        leave[0].set()  # the first to enter leaves first: not the order of a stack
        first = await tasks[0]
        leave[1].set()
        return outside, first, await tasks[1]

    outside, first, second = asyncio.run(main())
    assert outside == [None, None]
    assert first == ([0, None], None)
    assert second == ([None, 1], None)


def test_a_task_started_in_a_scope_keeps_it():
    async def main():
        with CustomObjectScope({"a": 1}):
            task = asyncio.create_task(asyncio.to_thread(get_registered_object, "a"))
        return await task

    assert asyncio.run(main()) == 1


def test_threads_that_register_at_once_lose_nothing():
    def fill(start):
        return [
            register_keras_serializable("many", f"p{n}")(configurable())
            for n in range(start, start + 200)
        ]

    with ThreadPoolExecutor(8) as pool:
        parts = [part for made in pool.map(fill, range(0, 1600, 200)) for part in made]
    assert len(parts) == 1600
    for number, part in enumerate(parts):
        assert get_registered_object(f"many>p{number}") is part
        assert get_registered_name(part) == f"many>p{number}"


def test_a_snapshot_says_where_each_name_came_from():
    get_custom_objects().update({"a": "global", "b": "global"})
    with CustomObjectScope({"a": "scope"}):
        names = snapshot({"a": "argument", "b": "argument", "c": "argument"})
    assert dict(names) == {"a": "scope", "b": "global", "c": "argument"}
    assert [names.origin(name) for name in "abcd"] == [
        Origin.SCOPE,
        Origin.GLOBAL,
        Origin.ARGUMENT,
        None,
    ]
    assert len(names) == 3
    assert "d" not in names
    with pytest.raises(KeyError):
        names["d"]


def test_a_snapshot_does_not_change_later():
    argument = {"c": 1}
    with ExitStack() as stack:
        stack.enter_context(CustomObjectScope({"a": 1}))
        names = snapshot(argument)
    argument["c"] = 2
    get_custom_objects()["b"] = 1
    assert dict(names) == {"a": 1, "c": 1}


def test_a_name_that_was_asked_for_stays_what_it_was():
    for passed in ({}, {"c": 4}):
        get_custom_objects().update({"a": 1, "b": 2})
        names = snapshot(passed, whole=False)
        assert names["a"] == 1
        assert "z" not in names
        get_custom_objects().update({"a": 10, "z": 11})
        del get_custom_objects()["b"]
        assert names["a"] == names.table["a"] == names["a"] == 1
        assert names.origin("a") is Origin.GLOBAL
        for name in ("z", "b"):
            assert name not in names
            assert names.origin(name) is None
        assert dict(names) == {"a": 1, **passed}
        assert set(names.names) == set(names)
        assert list(names.passing) == list(passed)
        del get_custom_objects()["z"]


def test_a_part_of_a_snapshot_has_all_that_was_passed_and_what_it_is_asked_for():
    get_custom_objects().update({"a": 1, "b": 2})
    with CustomObjectScope({"s": 3}):
        names = snapshot({"c": 4}, whole=False)
    part = names.only(["a", "z"])
    get_custom_objects().update({"a": 10, "z": 11})
    assert dict(part) == {"a": 1, "s": 3, "c": 4}
    assert {name: part.origin(name) for name in part} == {
        "a": Origin.GLOBAL,
        "s": Origin.SCOPE,
        "c": Origin.ARGUMENT,
    }


def test_a_snapshot_agrees_with_the_lookup_for_every_name():
    get_custom_objects().update({"a": 1, "b": 2})
    argument = {"a": 3, "c": 4}
    with CustomObjectScope({"b": 5, "d": 6}):
        names = snapshot(argument)
        assert dict(names) == {name: get_registered_object(name, argument) for name in "abcd"}


@pytest.mark.skipif(INSIDE in os.environ, reason="this is that run")
def test_it_all_holds_on_a_machine_without_keras(tmp_path):
    here = Path(__file__).resolve()
    paths = [str(here.parents[1]), str(here.parent / "serialize")]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "without_keras",
            "-p",
            "no:cacheprovider",
            str(here),
        ],
        env={**os.environ, INSIDE: "1", "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
        cwd=here.parents[1],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tests = [name for name in globals() if name.startswith("test_")]
    assert f"{len(tests) - 1} passed, 1 skipped" in done.stdout


def test_importing_the_registry_loads_no_optional_package():
    code = (
        "import sys, secure_serial.registry; print('keras' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(Path(registry.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False"]
