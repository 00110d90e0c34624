"""Sharing scopes without Keras's help: nesting, isolation, and references that are held."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from secure_serial.serialize import serialize_keras_object
from secure_serial.sharing import ObjectSharingScope, record_revived, revived


class Leaf:
    def __init__(self, number):
        self.number = number

    def get_config(self):
        return {"number": self.number}


class Fresh:
    """Makes its parts anew each time it is asked, so that nothing else holds them."""

    def get_config(self):
        return {"leaf": Leaf(0)}


def marks(node):
    """All shared ids of a config, in order."""
    if isinstance(node, dict):
        own = [node["shared_object_id"]] if "shared_object_id" in node else []
        return own + [mark for value in node.values() for mark in marks(value)]
    return [mark for item in node for mark in marks(item)] if isinstance(node, list) else []


def test_outside_a_scope_nothing_is_marked():
    leaf = Leaf(1)
    assert marks(serialize_keras_object([leaf, leaf])) == []


def test_in_a_scope_both_sights_of_an_object_are_marked_and_no_other():
    leaf = Leaf(1)
    with ObjectSharingScope():
        first, second, other = serialize_keras_object([leaf, leaf, Leaf(1)])
    assert first["shared_object_id"] == second["shared_object_id"] == id(leaf)
    assert "shared_object_id" not in other


def test_short_lived_distinct_objects_are_never_taken_for_one():
    with ObjectSharingScope():
        nodes = serialize_keras_object([Fresh() for _ in range(50)])
        again = [serialize_keras_object(Fresh()) for _ in range(50)]
    assert marks(nodes) == []
    assert marks(again) == []


def test_an_inner_scope_knows_nothing_of_the_outer_and_gives_it_back():
    leaf = Leaf(1)
    with ObjectSharingScope():
        first = serialize_keras_object(leaf)
        record_revived("outer", 1)
        with ObjectSharingScope():
            assert "shared_object_id" not in serialize_keras_object(leaf)
            assert revived(1) is None
        assert revived(1) == "outer"
        assert serialize_keras_object(leaf)["shared_object_id"] == id(leaf)
        assert first["shared_object_id"] == id(leaf)
    assert revived(1) is None


def test_an_error_leaves_the_scope():
    with pytest.raises(ZeroDivisionError), ObjectSharingScope():
        record_revived("object", 1 // (revived(1) is not None))
    assert serialize_keras_object([leaf := Leaf(1), leaf])[0] == serialize_keras_object(leaf)


def test_leaving_an_outer_scope_first_leaves_the_inner_ones_too():
    outer, inner = ObjectSharingScope(), ObjectSharingScope()
    outer.__enter__()
    inner.__enter__()
    record_revived("object", 1)
    outer.__exit__(None, None, None)
    assert revived(1) is None
    inner.__exit__(None, None, None)
    assert revived(1) is None


def test_an_id_that_cannot_be_a_key_shares_nothing():
    with ObjectSharingScope():
        for wrong in ([1], {"a": 1}, ([1],)):
            record_revived("object", wrong)
            assert revived(wrong) is None


def test_outside_a_scope_nothing_is_recorded():
    record_revived("object", 1)
    assert revived(1) is None


def test_a_thread_has_no_part_in_the_scope_of_another():
    with ObjectSharingScope(), ThreadPoolExecutor(1) as pool:
        record_revived("object", 1)
        assert pool.submit(revived, 1).result() is None


def test_tasks_of_one_thread_do_not_share():
    async def visit(number, entered, leave):
        with ObjectSharingScope():
            record_revived(number, number)
            entered.set()
            await leave.wait()
            return [revived(0), revived(1)]

    async def main():
        entered, leave = [asyncio.Event(), asyncio.Event()], [asyncio.Event(), asyncio.Event()]
        tasks = []
        for number in range(2):
            tasks.append(asyncio.create_task(visit(number, entered[number], leave[number])))
            await entered[number].wait()
        outside, results = [revived(0), revived(1)], []
        for number in range(2):
            leave[number].set()
            results.append(await tasks[number])
        return outside, results

    outside, results = asyncio.run(main())
    assert outside == [None, None]
    assert results == [[0, None], [None, 1]]
