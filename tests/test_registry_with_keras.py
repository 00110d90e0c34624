"""One store and one notion of scope, with Keras's own functions beside ours."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from secure_serial import registry
from secure_serial.registry import (
    CustomObjectScope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    snapshot,
)

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras
theirs = keras.saving.get_registered_object


@pytest.fixture(autouse=True)
def _registrations_of_a_test_end_with_it():
    before = dict(get_custom_objects())
    yield
    get_custom_objects().clear()
    get_custom_objects().update(before)
    assert keras.src.backend.common.global_state.get_global_attribute(
        "custom_objects_scope_dict"
    ) in (
        None,
        {},
    )


class Part:
    def get_config(self):
        return {}


def test_there_is_one_global_dictionary():
    assert get_custom_objects() is keras.saving.get_custom_objects()


def test_what_is_registered_with_either_is_known_to_both():
    register_keras_serializable("ours")(Part)
    assert theirs("ours>Part") is Part
    assert keras.saving.get_registered_name(Part) == "ours>Part"
    keras.saving.register_keras_serializable("theirs")(Part)
    assert get_registered_object("theirs>Part") is Part
    assert get_registered_name(Part) == "theirs>Part"


def test_our_scope_holds_for_keras():
    with CustomObjectScope({"part": Part}):
        assert theirs("part") is Part
        assert keras.saving.deserialize_keras_object("part") is Part
    assert theirs("part") is None


def test_kerass_scope_holds_for_us():
    with keras.saving.CustomObjectScope({"part": Part}):
        assert get_registered_object("part") is Part
        assert snapshot().origin("part") == "scope"
    assert get_registered_object("part") is None


@pytest.mark.parametrize("outer", [CustomObjectScope, keras.saving.CustomObjectScope])
@pytest.mark.parametrize("inner", [CustomObjectScope, keras.saving.CustomObjectScope])
def test_scopes_of_both_replace_and_restore_each_other(outer, inner):
    def seen():
        assert [theirs(name) for name in "ab"] == [get_registered_object(name) for name in "ab"]
        return [theirs(name) for name in "ab"]

    with outer({"a": 1}):
        with inner({"b": 2}):
            assert seen() == [None, 2]
        assert seen() == [1, None]
    assert seen() == [None, None]


def test_an_error_in_our_scope_restores_kerass():
    with keras.saving.CustomObjectScope({"a": 1}):
        with pytest.raises(KeyError), CustomObjectScope({"b": 2}):
            raise KeyError
        assert theirs("a") == get_registered_object("a") == 1


def test_our_scope_in_a_thread_is_not_seen_by_keras_in_another():
    with CustomObjectScope({"a": 1}), ThreadPoolExecutor(1) as pool:
        assert pool.submit(theirs, "a").result() is None


def test_our_scope_survives_a_cleared_session():
    with CustomObjectScope({"a": 1}):
        keras.utils.clear_session()
        assert get_registered_object("a") == 1
    assert get_registered_object("a") is None
    assert theirs("a") is None


def test_interleaved_tasks_are_apart_and_leave_nothing_behind_in_keras():
    """Keras has one scope a thread: what a task of ours puts there must not stay."""

    async def visit(number, entered, leave):
        with CustomObjectScope({f"n{number}": number}):
            entered.set()
            await leave.wait()
            return [get_registered_object(f"n{other}") for other in range(2)]

    async def main():
        entered, leave = [asyncio.Event(), asyncio.Event()], [asyncio.Event(), asyncio.Event()]
        tasks = []
        for number in range(2):
            tasks.append(asyncio.create_task(visit(number, entered[number], leave[number])))
            await entered[number].wait()
        outside = [get_registered_object(f"n{other}") for other in range(2)]
        results = []
        for number in range(2):
            leave[number].set()
            results.append(await tasks[number])
        return outside, results, [theirs("n0"), theirs("n1")]

    outside, results, left = asyncio.run(main())
    assert outside == [None, None]
    assert results == [[0, None], [None, 1]]
    assert left == [None, None]


EARLY = """
from secure_serial.registry import *
from secure_serial import registry
held = registry.get_custom_objects()
@registry.register_keras_serializable("early")
class Part:
    def get_config(self): return {}
held["both"] = "ours"
import keras
keras.saving.get_custom_objects()["both"] = "keras"
assert registry.get_registered_object("early>Part") is Part
assert keras.saving.get_registered_object("early>Part") is Part
assert keras.saving.get_registered_name(Part) == "early>Part"
assert registry.get_registered_object("both") == "keras"
held["late"] = len
assert registry.get_registered_object("late") is len
assert keras.saving.get_registered_object("late") is len
"""


def test_registrations_made_before_keras_was_imported_move_to_keras():
    subprocess.run(
        [sys.executable, "-c", EARLY],
        env={**os.environ, "PYTHONPATH": str(Path(registry.__file__).parents[1])},
        check=True,
    )
