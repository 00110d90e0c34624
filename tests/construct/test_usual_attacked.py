"""What might make the one pass say more than the long way does."""

from __future__ import annotations

import functools
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
import weakref

import pytest
from construct.parts import Part, make, part
from construct.usual import (
    CORE,
    OBJECTS,
    POLICIES,
    USUAL,
    Word,
    at_length,
    came_to,
    came_to_at_length,
    judged,
)
from policy.rules import allow, deny, policy

from secure_serial.construct import standing
from secure_serial.construct.engines import standing_of
from secure_serial.construct.guard import enforcing
from secure_serial.construct.judgement import Judgement
from secure_serial.construct.load import deserialize_keras_object, deserialize_own
from secure_serial.construct.one_load import Load
from secure_serial.construct.revive import revive_document
from secure_serial.errors import ConstructionError, LoadDenied
from secure_serial.plan.usual import _is_harmless
from secure_serial.registry import CustomObjectScope, get_custom_objects, snapshot

pytestmark = pytest.mark.usefixtures("usual_classes")


def test_what_a_policy_says_of_one_file_alone_is_judged_at_length():
    sha256 = at_length(part()).document.judged_sha256
    rules = policy(deny("acme>Part", f'sha256 = ["{sha256}"]'), caller_objects="allow")
    assert judged(part(), rules) is None
    with pytest.raises(LoadDenied, match="denied by rule d"):
        deserialize_keras_object(part(), policy=rules)
    assert deserialize_keras_object(part(config={"x": 1}), policy=rules)


def test_a_class_that_is_made_of_keras_s_is_judged_at_length():
    pytest.importorskip("keras")
    import keras

    class Own(keras.layers.Layer):
        pass

    node = {"module": "acme", "class_name": "Own", "config": {}, "registered_name": "acme>Own"}
    assert judged(node, passed={"acme>Own": Own}) is None


def test_what_somebody_takes_a_record_of_is_judged_at_length(tmp_path, caplog):
    load = Load(CORE, tmp_path / "log", snapshot(), safe_mode=True)
    assert load.at_once(part(), name="", action="deserialize") is None
    with caplog.at_level(logging.INFO, "secure_serial.audit"):
        assert judged(part()) is None
        deserialize_keras_object(part(), policy=CORE)
    assert [record.message.count('"event":"decision"') for record in caplog.records] == [1, 0]


def test_a_class_may_take_its_config_apart_and_what_was_judged_stays():
    def take_apart(config):
        config["list"].clear()
        config.clear()

    cls = make("Taking", action=take_apart)
    node = part("Taking", config={"list": [1, 2], "x": 3})
    with CustomObjectScope({"acme>Taking": cls}):
        session = judged(node)
        with session:
            revive_document(session)
    assert session.document.parts[0].root["config"] == {"list": [1, 2], "x": 3}
    assert node["config"] == {"list": [1, 2], "x": 3}


def test_a_name_that_means_another_class_now_is_asked_about_again():
    first, second = make("First"), make("Second")
    node = part("First", registered="acme>Own")
    for _ in range(2):
        assert type(deserialize_keras_object(node, {"acme>Own": first}, policy=CORE)) is first
        with pytest.raises(LoadDenied, match="Second"):  # the node says the other's name
            deserialize_keras_object(node, {"acme>Own": second}, policy=CORE)


def test_classes_are_not_kept_alive_and_long_names_not_remembered(monkeypatch):
    monkeypatch.setattr(standing, "_REMEMBERED", 3)
    cls = make("Gone")
    gone = weakref.ref(cls)
    assert judged(part("Gone"), passed={"acme>Gone": cls}) is not None
    del cls
    gc.collect()
    assert gone() is None
    known = standing_known()
    before = len(known)
    assert judged(part(module="m" * 600)) is None
    assert len(known) == before
    for number in range(9):
        name = f"Own{number}"
        assert judged(part(name), passed={f"acme>{name}": make(name)}) is not None
        assert len(known) <= 3


def standing_known():
    judge = Load(CORE, None, snapshot(), safe_mode=True)._judge
    return standing_of(judge.engine, judge.catalogue)._known


def test_a_class_that_is_gone_is_no_longer_allowed_and_nothing_beside_it_is_built():
    objects = {"acme>Gone": make("Gone")}
    assert judged(part("Gone"), passed=objects) is not None
    objects.clear()
    gc.collect()
    before = len(Part.built)
    with pytest.raises(LoadDenied, match="acme>Gone"):
        deserialize_keras_object([part("Other"), part("Gone")], policy=CORE)
    assert len(Part.built) == before


@pytest.mark.parametrize("change", [{"__name__": "Zed"}, {"__module__": "os"}])
def test_a_class_that_is_called_otherwise_now_is_asked_about_again(change):
    cls = make("Renamed")
    node = part("Renamed", registered="acme>Q")
    assert judged(node, passed={"acme>Q": cls}) is not None
    for name, value in change.items():
        setattr(cls, name, value)
    assert came_to(node, CORE, custom_objects={"acme>Q": cls}) == came_to_at_length(
        node, CORE, custom_objects={"acme>Q": cls}
    )


def test_no_code_of_a_class_runs_before_it_is_decided_on():
    ran = []

    class Meta(type):
        @property
        def from_config(cls):
            ran.append(cls)
            raise ValueError("from_config")

        def __getattr__(cls, name):
            ran.append(name)
            raise AttributeError(name)

    objects = {"acme>Odd": Meta("Odd", (), {"__module__": "acme"})}
    for rules in (POLICIES["strict"], POLICIES["strict"]):
        with pytest.raises(LoadDenied):
            deserialize_keras_object(part("Odd"), objects, policy=rules)
    assert ran == []


def test_keys_that_say_they_equal_others_are_left_to_the_long_way():
    class Liar(Word):
        __slots__ = ()

        def __hash__(self):
            return hash("class_name")

        def __eq__(self, other):
            raise RuntimeError("asked")

    config = {"inner": {Liar("units"): 1}}
    assert deserialize_keras_object(part(config=config), policy=CORE).config == {
        "inner": {"units": 1}
    }


def test_what_is_long_is_not_remembered():
    _is_harmless.cache_clear()
    long = "k" * 1000
    judged([part(config={long: 1}), part(config={"x": long}), part(config={"x": {long: 1}})])
    judged(part(config={"x": {long: 1}}))
    judged(part(config={"x": long}))
    info = _is_harmless.cache_info()
    assert info.currsize <= 2


def test_what_nests_as_deep_as_the_stack_is_left_to_the_long_way():
    tree = part(config={"x": functools.reduce(lambda inner, _: [inner], range(150), 1)})

    def beneath(frames):
        if frames:
            return beneath(frames - 1)
        return judged(tree)

    found = set()
    for frames in range(600, sys.getrecursionlimit(), 20):
        try:
            found.add(beneath(frames) is None)
        except RecursionError:  # before the value was looked at
            break
    assert True in found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_in_the_midst_of_a_verdict_leaves_no_lock_behind():
    entered, go = threading.Event(), threading.Event()

    def find():
        entered.set()
        go.wait(30)

    thread = threading.Thread(target=lambda: Judgement(find).verdict)
    thread.start()
    assert entered.wait(30)
    child = os.fork()
    if not child:
        try:
            os._exit(Judgement(lambda: 7).verdict - 7)
        finally:
            os._exit(1)
    ended = time.monotonic() + 30
    while (found := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > ended:
            os.kill(child, signal.SIGKILL)
            pytest.fail("the child waits for a lock that nobody holds")
        time.sleep(0.01)
    go.set()
    thread.join()
    assert found == (child, 0)


def test_what_a_policy_says_is_not_learnt_for_one_load_alone():
    rules = policy(allow("acme>Part"))
    load = Load(rules, None, snapshot(), safe_mode=True)
    assert load.at_once(part(), name="", action="deserialize") is None
    assert load.at_once(part(), name="", action="deserialize") is not None


def test_what_a_class_registers_while_it_is_built_changes_nothing_of_what_was_decided():
    table = get_custom_objects()

    def action(_config):
        table["meanwhile"] = table["acme>Late"] = make("Word")

    table["acme>Late"] = cls = make("Late", action=action)
    try:
        node = part("Late", config={"x": "meanwhile"})
        before = judged(node)
        session = judged([node, node])
        with session:
            first, second = revive_document(session)
        assert table["acme>Late"] is not cls
        assert type(first) is type(second) is cls
        assert first.config["x"] == "meanwhile"
        assert session.verdict.allowed
        assert session.verdict.symbols == before.verdict.symbols == {"acme>Late"}
        assert len(session.verdict.decisions) == 2
    finally:
        del table["acme>Late"], table["meanwhile"]


def test_a_class_that_takes_its_own_name_away_is_built_as_often_as_it_was_judged():
    table = get_custom_objects()

    def action(_config):
        table.pop("acme>Leaving", None)

    table["acme>Leaving"] = cls = make("Leaving", action=action)
    node = part("Leaving")
    session = judged([node, part(), node])
    assert session is not None
    with session:
        made = revive_document(session)
    assert "acme>Leaving" not in table
    assert [type(each) for each in made] == [cls, OBJECTS["acme>Part"], cls]
    with pytest.raises(LoadDenied, match="acme>Leaving"):
        deserialize_keras_object(node, policy=CORE)


def test_a_class_asks_for_others_while_it_is_built_as_it_may_after_the_long_way():
    def action(_config):
        return deserialize_keras_object("Bare"), deserialize_keras_object("acme>Part")

    cls = make("Asking", action=action)
    node = part("Asking")
    with CustomObjectScope({"acme>Asking": cls}):
        made = deserialize_keras_object(node, policy=CORE)
        # A name that the value has as text stays text.
        assert made.config["made"] == (OBJECTS["Bare"], OBJECTS["acme>Part"])
        beside = deserialize_keras_object([node, part()], policy=CORE)
        assert beside[0].config["made"] == (OBJECTS["Bare"], "acme>Part")


def test_a_program_s_own_calls_take_one_pass_once_their_classes_are_recorded(tmp_path):
    recorded: set[tuple[str, str]] = set()
    with enforcing(CORE, tmp_path / "log"):
        for tree in (part(), part(), [part(), part("Other")], [part(), part("Other")]):
            assert deserialize_own(tree, None, recorded)
            load = Load(None, None, snapshot(), recorded, safe_mode=True)
            assert load.at_once(tree, name="", action="deserialize") is not None
        assert load.at_once(USUAL["an object in one"], name="", action="deserialize") is None
        with pytest.raises(ConstructionError, match="these arguments"):
            deserialize_own([part("Fails"), part("Fails", {"x": 1})], None, recorded)
        lines = (tmp_path / "log").read_text().splitlines()
        with pytest.raises(ConstructionError, match="these arguments"):
            deserialize_own([part("Fails", {"x": 1})], None, recorded)
    events = [json.loads(line)["event"] for line in lines]
    assert events == ["decision", "outcome"] * 3
    later = (tmp_path / "log").read_text().splitlines()[len(lines) :]
    assert [json.loads(line)["event"] for line in later] == ["decision", "outcome"]
    assert json.loads(later[1])["outcome"] == "failed"
