"""Keras's functions and ours in one sharing scope, whoever opened it."""

import asyncio

import pytest

from secure_serial.serialize import serialize_keras_object
from secure_serial.sharing import ObjectSharingScope, record_revived, revived

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

from keras.src.backend.common import global_state  # noqa: E402
from keras.src.saving import serialization_lib as theirs  # noqa: E402


@pytest.fixture(autouse=True)
def _no_scope_is_left_behind():
    yield
    for name in ("shared_objects/id_to_config_map", "shared_objects/id_to_obj_map"):
        assert global_state.get_global_attribute(name) is None


class Leaf:
    def get_config(self):
        return {}


class Fresh:
    def get_config(self):
        return {"leaf": Leaf()}


class AsksKeras:
    """As Keras's wrappers do: serializes what it holds by Keras's own function."""

    def __init__(self, leaf):
        self.leaf = leaf

    def get_config(self):
        return {"leaf": theirs.serialize_keras_object(self.leaf)}


@pytest.mark.parametrize("scope", [ObjectSharingScope, theirs.ObjectSharingScope])
def test_an_object_seen_by_both_is_marked(scope):
    leaf = Leaf()
    with scope():
        ours, keras_s = serialize_keras_object(leaf), theirs.serialize_keras_object(leaf)
    assert ours["shared_object_id"] == keras_s["shared_object_id"] == id(leaf)


def test_what_keras_serializes_inside_our_walk_takes_part():
    leaf = Leaf()
    with ObjectSharingScope():
        _, second = serialize_keras_object([AsksKeras(leaf), leaf])
    assert second["shared_object_id"] == id(leaf)


def test_in_kerass_scope_short_lived_objects_are_not_taken_for_one_either():
    with theirs.ObjectSharingScope():
        nodes = [serialize_keras_object(Fresh()) for _ in range(50)]
    assert not [node for node in nodes if "shared_object_id" in str(node)]


@pytest.mark.parametrize("scope", [ObjectSharingScope, theirs.ObjectSharingScope])
def test_an_object_revived_by_one_is_known_to_the_other(scope):
    with scope():
        record_revived("ours", 1)
        theirs.record_object_after_deserialization("keras's", 2)
        assert theirs.get_shared_object(1) == revived(1) == "ours"
        assert theirs.get_shared_object(2) == revived(2) == "keras's"
    assert revived(1) is theirs.get_shared_object(1) is None


def test_our_scope_outlives_a_scope_of_kerass_inside_it():
    with ObjectSharingScope():
        record_revived("outer", 1)
        with theirs.ObjectSharingScope():
            assert revived(1) is None
        assert revived(1) == "outer"


def test_interleaved_tasks_leave_no_scope_behind_in_keras():
    async def visit(entered, leave):
        with ObjectSharingScope():
            entered.set()
            await leave.wait()

    async def main():
        entered, leave = [asyncio.Event(), asyncio.Event()], [asyncio.Event(), asyncio.Event()]
        tasks = []
        for number in range(2):
            tasks.append(asyncio.create_task(visit(entered[number], leave[number])))
            await entered[number].wait()
        for number in range(2):
            leave[number].set()
            await tasks[number]

    asyncio.run(main())  # the fixture looks
