"""Values of the usual kind and others, and what loads of them come to."""

from __future__ import annotations

import enum
from collections import OrderedDict
from dataclasses import replace

import pytest
from construct.parts import Part, make, part
from hypothesis import strategies as st
from policy.rules import allow, deny, policy

from secure_serial.construct.engines import standing_of
from secure_serial.construct.load import deserialize_keras_object
from secure_serial.construct.one_load import Load
from secure_serial.errors import SecureSerialError
from secure_serial.limits import Limits
from secure_serial.policy.source import load_policy
from secure_serial.registry import snapshot


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


def came_to_at_length(tree, rules, **options):
    """What the long way comes to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Load, "at_once", lambda *_args, **_options: None)
        return came_to(tree, rules, **options)


def shown(value):
    """A value with the types of all that is in it."""
    if isinstance(value, Part):
        return type(value), shown(value.config)
    if isinstance(value, dict):
        return dict, [(shown(key), shown(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [shown(item) for item in value]
    return type(value), repr(value)


def judged(tree, rules=CORE, passed=None):
    """The session of a value that is judged in one pass; None where it is not."""
    load = Load(rules, None, snapshot(passed, whole=False), safe_mode=True)
    judge = load._judge
    standing_of(judge.engine, judge.catalogue)  # a policy that is met once only is not learnt
    return load.at_once(tree, name="<config>", action="deserialize")


USUAL = {
    "an object": part(config={"units": 3, "rate": 0.5, "name": "relu", "flag": True, "none": None}),
    "lists": part(config={"rates": [0.1, 2, "a"], "pair": (1, (2.0, None)), "more": {"a": [1]}}),
    "objects": [part(), None, (part("Other"), [part("Bare", registered="Bare")])],
    "an object in one": part("Nest", config={"inner": part(config={"x": 1}), "all": [part()]}),
    "no module": {"class_name": "Part", "config": {}, "registered_name": "acme>Part"},
}


def at_length(tree):
    from secure_serial.artifact.dict_value import read_value

    load = Load(CORE, None, snapshot(), safe_mode=True)
    document = read_value(tree, CORE.limits, name="<config>")
    return load.judge(document, action="deserialize", file_sha256=None)
