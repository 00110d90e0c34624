"""Values of the usual kind are judged in one pass, and come to what the long way comes to."""

from __future__ import annotations

import enum
import gc
import json
import logging
import weakref
from collections import OrderedDict
from dataclasses import replace

import pytest
from construct.parts import Part, make, part
from hypothesis import given, settings
from hypothesis import strategies as st
from policy.rules import allow, deny, policy

from secure_serial.construct import standing
from secure_serial.construct.engines import standing_of
from secure_serial.construct.guard import enforcing
from secure_serial.construct.load import deserialize_keras_object, deserialize_own
from secure_serial.construct.one_load import Load
from secure_serial.errors import ConstructionError, LoadDenied, SecureSerialError
from secure_serial.limits import Limits
from secure_serial.policy.source import load_policy
from secure_serial.registry import CustomObjectScope, get_custom_objects, snapshot


class Seven(enum.IntEnum):
    """A number that is none of Python's own."""

    SEVEN = 7


class Word(str):
    """A text that is none of Python's own."""

    __slots__ = ()


class Nest(Part):
    """A class that revives what stands in its config, in its own way."""

    @classmethod
    def from_config(cls, config):
        return cls(**{key: deserialize_keras_object(item) for key, item in config.items()})


class Fails(Part):
    """A class that cannot be built with some arguments."""

    @classmethod
    def from_config(cls, config):
        if config:
            raise ValueError("these arguments")
        return cls()


def function(x):
    return x


class Without:
    """A class that cannot be revived."""


OBJECTS = {
    "acme>Without": Without,
    "acme>Part": make("Part"),
    "acme>Other": make("Other"),
    "acme>Nest": Nest,
    "acme>Fails": Fails,
    "acme>function": function,
    "Bare": make("Bare"),
    "word": make("word"),
    "Dense": make("Dense"),
}
CORE = load_policy("keras-core")
POLICIES = {
    "keras-core": CORE,
    "strict": load_policy("strict"),
    "few": replace(CORE, limits=Limits(depth=5, nodes=20, config_bytes=120, requests=3)),
    "short": replace(CORE, limits=Limits(string_bytes=20, number_chars=3)),
    "one denied": policy(deny("acme>Other"), extends="keras-core", caller_objects="allow"),
    "by arguments": policy(
        deny("acme>Part", "arguments.units = { min = 3 }"),
        extends="keras-core", caller_objects="allow",
    ),
    "listed": policy(allow("acme>Part"), allow("acme>Nest", id="b")),
}  # fmt: skip

TEXTS = st.sampled_from(
    ["", "relu", "a b", "word", "Bare", "acme>Part", "lambda", "../x", "a.txt", "hf://a/b", "é",
     "\ud800", "x" * 70, "a text of more than 20 letters", "4wEAAAAAAAAAAQAAAAcAAAATAAAAcy4AAAB0AGoBfABkAWQBZwKIAGQCGACIAGQC", "\x00",
     Word("Part"), "function", "__lambda__"]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [0, 1, 7, -3, 12345, 2**53, 2**60, 10**500, 0.5, float("nan"), float("inf"), True, False, None,
     Seven.SEVEN]
)  # fmt: skip
OTHERS = st.sampled_from([b"bytes", {1, 2}, object(), 1j, ..., range(3)])
SCALARS = st.one_of(NUMBERS, NUMBERS, NUMBERS, TEXTS, TEXTS, OTHERS)
KEYS = st.sampled_from(
    ["units", "rate", "name", "value", "function_type", "config", "items", "é", "k" * 70, Word("units"),
     "class_name", "module", 3, "loss"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["acme>Part", "acme>Other", "acme>Nest", "acme>Fails", "acme>function", "Bare", "nobody>s", None,
     "", "Part", Word("acme>Part"), 5, "x" * 600]
)  # fmt: skip


@st.composite
def nodes(draw, values):
    """A node as it should be, mostly; else with something about it that is odd."""
    name = draw(st.sampled_from(["Part", "Nest", "Part", "Other", "Fails", "Bare"]))
    registered = name if name == "Bare" else f"acme>{name}"
    keys = st.one_of(*[st.sampled_from(["units", "rate", "name"])] * 4, KEYS)
    config = st.dictionaries(keys, values, max_size=3)
    node = {
        "module": "acme", "class_name": name, "config": draw(config), "registered_name": registered
    }  # fmt: skip
    odd = draw(st.sampled_from(["", "", "", "", "", "lacks", "says", "beside", "kind"]))
    if odd == "lacks":
        del node[draw(st.sampled_from(list(node)))]
    elif odd == "says":
        key = draw(st.sampled_from(["module", "class_name", "registered_name"]))
        node[key] = draw(NAMES | st.sampled_from(["keras.layers", "builtins", "other", "os"]))
    elif odd == "beside":
        key = draw(st.sampled_from(["shared_object_id", "build_config", "note", "compile_config"]))
        node[key] = draw(values)
    elif odd == "kind":
        as_text = {Word(key): item for key, item in node.items()}
        node = draw(st.sampled_from([OrderedDict(node), {**node, "config": None}, as_text]))
    return node


def containers(values):
    return st.one_of(
        nodes(values),
        nodes(values),
        st.lists(values, max_size=3),
        st.lists(values, max_size=3).map(tuple),
        st.dictionaries(KEYS, values, max_size=2),
    )


TREES = st.recursive(SCALARS, containers, max_leaves=8)


@pytest.fixture(scope="module", autouse=True)
def registered():
    """The classes are the program's own for the whole process."""
    get_custom_objects().update(OBJECTS)
    yield
    for name in OBJECTS:
        get_custom_objects().pop(name)


def came_to(tree, rules, **options):
    """What a load came to, in words that two loads of the same have in common."""
    try:
        return shown(deserialize_keras_object(tree, policy=rules, **options))
    except SecureSerialError as error:
        records = [
            {key: item for key, item in record.items() if key not in ("load", "time")}
            for record in getattr(error, "records", ())
        ]
        return type(error), error.code, error.message, records, type(error.__cause__)


def came_to_at_length(tree, rules):
    """What the long way comes to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Load, "at_once", lambda *_args, **_options: None)
        return came_to(tree, rules)


def shown(value):
    """A value with the types of all that is in it."""
    if isinstance(value, Part):
        return type(value), shown(value.config)
    if isinstance(value, dict):
        return dict, [(shown(key), shown(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [shown(item) for item in value]
    return type(value), repr(value)


@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=60, deadline=None)  # of each policy; 30,000 were tried once
@given(tree=st.one_of(nodes(TREES), st.lists(nodes(TREES), max_size=4), TREES))
def test_one_pass_comes_to_what_the_long_way_comes_to(name, tree):
    assert came_to(tree, POLICIES[name]) == came_to_at_length(tree, POLICIES[name])


def judged(tree, rules=CORE, passed=None):
    """The session of a value that is judged in one pass; None where it is not."""
    load = Load(rules, None, snapshot(passed), safe_mode=True)
    return load.at_once(tree, name="<config>")


USUAL = {
    "an object": part(config={"units": 3, "rate": 0.5, "name": "relu", "flag": True, "none": None}),
    "lists": part(config={"rates": [0.1, 2, "a"], "pair": (1, (2.0, None)), "more": {"a": [1]}}),
    "objects": [part(), None, (part("Other"), [part("Bare", registered="Bare")])],
    "an object in one": part("Nest", config={"inner": part(config={"x": 1}), "all": [part()]}),
    "no module": {"class_name": "Part", "config": {}, "registered_name": "acme>Part"},
}


@pytest.mark.parametrize("name", USUAL)
def test_usual_values_take_one_pass_and_what_is_known_is_what_the_verdict_says(name):
    session = judged(USUAL[name])
    short, verdict = session.judgement, session.verdict
    assert verdict.allowed
    assert short.symbols == verdict.symbols
    assert short.functions == verdict.plan.functions == {}
    assert {r.written[0] for r in verdict.plan.requests}.isdisjoint("'\"")
    assert short.identifiers == frozenset()
    assert session.document.parts[0].root == USUAL[name]
    assert session.document.judged_sha256 == _long(USUAL[name]).document.judged_sha256


def _long(tree):
    from secure_serial.artifact.dict_value import read_value

    load = Load(CORE, None, snapshot(), safe_mode=True)
    document = read_value(tree, CORE.limits, name="<config>")
    return load.judge(document, action="deserialize", file_sha256=None)


ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)
UNUSUAL = {
    "a name as text": part(config={"x": "acme>Part"}),
    "a word that is a name": part(config={"x": ["word"]}),
    "a path": part(config={"x": "../x"}),
    "what may be a function": part(config={"x": {"value": ["4wE=", None, None]}}),
    "a class of Keras's that an own one is called like": {"module": "keras.layers", "class_name": "Dense", "config": {}},
    "a mark of code": part(config={"function": "4wE=", "function_type": "lambda"}),
    "an object instead of arguments": part(config={"class_name": "Part", "config": {}}),
    "a large number": part(config={"units": 10**500}),
    "a text beyond ASCII": part(config={"x": "\ud800"}),
    "a text of no plain kind": part(config={"x": Word("relu")}),
    "a node's key of no plain kind": {Word(key): item for key, item in part().items()},
    "a key of no plain kind": part(config={Word("units"): 1}),
    "a known key of no plain kind": [part(config={"units": 1}), part(config={Word("units"): 1})],
    "a class that cannot be revived": part("Without"),
    "a tuple's name": part("__tuple__", registered="acme>Part"),
    "a share": part(shared_object_id=1),
    "no object": "word",
    "a dict of objects": {"a": part()},
    "a function": part("function", config="f"),
    "a list that holds itself": ENDLESS,
    "not registered": part(registered="acme>Nobody"),
    "another module's name": part(module="os"),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_not_usual_for_certain_is_judged_at_length(name):
    assert judged(UNUSUAL[name]) is None


@pytest.mark.parametrize(
    "bound", ["depth", "nodes", "config_bytes", "requests", "string_bytes", "number_chars"]
)
def test_no_limit_is_passed_over(bound):
    word = "a text of more than 20 letters"
    tree = [part(config={"units": 12345, "rates": [1, [0.5]], "name": word}), part("Other")]
    seen = set()
    for limit in (*range(1, 200), 300, 600):
        rules = replace(CORE, limits=replace(CORE.limits, **{bound: limit}))
        short = judged(tree, rules) is not None
        seen.add((short, came_to_at_length(tree, rules)[0] is list))
    assert (True, True) in seen
    assert (False, False) in seen
    assert (True, False) not in seen


def test_what_a_policy_says_of_one_file_alone_is_judged_at_length():
    sha256 = _long(part()).document.judged_sha256
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
    assert load.at_once(part(), name="") is None
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
        from secure_serial.construct.revive import revive_document

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
            assert load.at_once(tree, name="") is not None
        assert load.at_once(USUAL["an object in one"], name="") is None
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
