"""What every kind of object becomes; all of it holds without Keras and NumPy.

`test_it_all_holds_on_a_machine_without_keras` runs the file a second time, without.
"""

import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
from serialize.exact import difference
from serialize.values import PLAIN, REFUSED, Built, Configured, Main, Pair, function

from secure_serial.errors import LimitExceeded
from secure_serial.limits import Limits
from secure_serial.registry import get_custom_objects, register_keras_serializable
from secure_serial.serialize import serialize_keras_object

INSIDE = "SECURE_SERIAL_TEST_WITHOUT_KERAS"
HERE = "serialize.values"


def node(name, config, module=HERE, registered=None, **more):
    return {
        "module": module,
        "class_name": name,
        "config": config,
        "registered_name": registered or name,
        **more,
    }


EXPECTED = {
    "named tuple": (1, [2]),
    "dict with integer keys": {1: "a", (2, 3): ("b",)},
    "ordered dict": {"b": 1, "a": (2,)},
    "default dict": {"a": [1]},
    "dict that looks like an object": {"class_name": "Dense", "config": {"units": (1,)}},
    "bytes": {"class_name": "__bytes__", "config": {"value": "bytes: \u00e9"}},
    "slice": {"class_name": "__slice__", "config": {"start": None, "stop": 20, "step": 2}},
    "ellipsis": {"class_name": "__ellipsis__", "config": {}},
    "function": node("function", "function", "builtins"),
    "builtin": node("builtin_function_or_method", "len", "builtins"),
    "class": node("type", "int", "builtins"),
    "module": node("module", "functools", "builtins"),
    "named object": node("Named", "named"),
    "object": node(
        "Configured",
        {"a": 1, "b": (2,), "c": [{"class_name": "__bytes__", "config": {"value": "3"}}]},
    ),
    "object with build and compile configs": node(
        "Built",
        {"a": 1},
        build_config={"input_shape": (None, 2)},
        compile_config={
            "loss": node(
                "Configured", {"kind": {"class_name": "__bytes__", "config": {"value": "x"}}}
            )
        },
    ),
    "object without build and compile configs": node("NotYetBuilt", {}),
    "object of the main module": node("Main", {"a": 1}, module=None),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_kind_of_value_has_its_form(name):
    assert difference(serialize_keras_object(PLAIN[name]), EXPECTED[name]) is None


@pytest.mark.parametrize("name", ["none", "text", "integer", "enum member", "text of a subclass"])
def test_plain_values_are_returned_as_they_are(name):
    assert serialize_keras_object(PLAIN[name]) is PLAIN[name]


def test_containers_are_copied():
    value = {"a": [1, {"b": 2}]}
    written = serialize_keras_object(value)
    written["a"][1]["b"] = 3
    assert value == {"a": [1, {"b": 2}]}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_an_error(name):
    value, error = REFUSED[name]
    with pytest.raises(error) as caught:
        serialize_keras_object(value)
    assert type(caught.value) is error


def test_the_error_names_the_object_and_the_missing_method():
    with pytest.raises(
        TypeError, match=r"Cannot serialize object .*must implement the `get_config\(\)`"
    ):
        serialize_keras_object(object())


def test_registered_names_are_written():
    before = dict(get_custom_objects())
    cls = register_keras_serializable("mine", "Other")(type("Part", (Configured,), {}))
    fn = register_keras_serializable("mine")(types.FunctionType(function.__code__, {}, "fn"))
    try:
        written = serialize_keras_object([cls(a=1), fn])
    finally:
        get_custom_objects().clear()
        get_custom_objects().update(before)
    expected = [
        node("Part", {"a": 1}, module=cls.__module__, registered="mine>Other"),
        node("function", "mine>fn", "builtins"),
    ]
    assert difference(written, expected) is None


def test_keys_stand_in_kerass_order():
    keys = list(serialize_keras_object(Built()))
    assert keys == [
        "module",
        "class_name",
        "config",
        "registered_name",
        "build_config",
        "compile_config",
    ]


def nested(levels, wrap):
    value = 0
    for _ in range(levels):
        value = wrap(value)
    return value


WRAPS = [
    lambda v: [v],
    lambda v: (v,),
    lambda v: {"a": v},
    slice,
    lambda v: Configured(a=v),
]


@pytest.mark.parametrize("wrap", WRAPS, ids=["list", "tuple", "dict", "slice", "object"])
def test_nests_deeper_than_any_reader_takes_are_an_error_of_ours(wrap):
    assert serialize_keras_object(nested(90, wrap)) is not None
    with pytest.raises(LimitExceeded):
        serialize_keras_object(nested(5_000, wrap))


def test_the_bound_is_ours_and_not_that_of_the_interpreters_stack():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        assert serialize_keras_object(nested(Limits().depth, lambda value: [value]))
        with pytest.raises(LimitExceeded):
            serialize_keras_object(nested(Limits().depth + 1, lambda value: [value]))
    finally:
        sys.setrecursionlimit(before)


def test_what_contains_itself_is_an_error_of_ours():
    loop = []
    loop.append(loop)
    with pytest.raises(LimitExceeded):
        serialize_keras_object(loop)


def test_a_get_config_that_serializes_itself_is_an_error_of_ours():
    class Endless:
        def get_config(self):
            return {"me": serialize_keras_object(self)}

    with pytest.raises(LimitExceeded):
        serialize_keras_object(Endless())


def test_main_is_never_written_as_a_module():
    assert serialize_keras_object([Main(), {"a": Main()}])[1]["a"]["module"] is None


def test_a_named_tuple_becomes_a_plain_tuple():
    assert type(serialize_keras_object(Pair(1, 2))) is tuple


@pytest.mark.skipif(INSIDE in os.environ, reason="this is that run")
def test_it_all_holds_on_a_machine_without_keras():
    here = Path(__file__).resolve()
    paths = [str(here.parents[2]), str(here.parent)]
    tests = [
        str(here),
        str(here.with_name("test_lambda.py")),
        str(here.parents[1] / "test_sharing.py"),
    ]
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
            *tests,
        ],
        env={**os.environ, INSIDE: "1", "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
        cwd=here.parents[2],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed, skipped = map(int, re.search(r"(\d+) passed, (\d+) skipped", done.stdout).groups())
    assert passed > 60  # a run of nothing would pass, too
    assert skipped == 3  # this test, the comparison with Keras's lambdas, the sandbox's (NumPy)
