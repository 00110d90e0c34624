"""Keras's value encodings: where they may stand, and what they may say."""

from __future__ import annotations

import pytest
from plan.plans import at, codes, layer, node, only, plan

from secure_serial.limits import Limits
from secure_serial.plan.encodings import DTYPES, PLACES, is_container, judge
from secure_serial.plan.fields import Field
from secure_serial.plan.request import Action, Origin

GOOD = {
    "__numpy__": {"value": [[1, 2.5], [None, True]], "dtype": "float32"},
    "__tensor__": {"value": [1], "dtype": "int32"},
    "__keras_tensor__": {"shape": [None, 3], "dtype": "float32", "keras_history": ["a", 0, 0]},
    "__slice__": {"start": None, "stop": 3, "step": -1},
    "__bytes__": {"value": "text"},
    "__ellipsis__": {},
}


@pytest.mark.parametrize("name", sorted(PLACES))
@pytest.mark.parametrize("field", list(Field))
def test_an_encoding_stands_in_its_own_fields_only(name, field):
    judged = judge(name, GOOD[name], field, Limits())
    assert [code for code, _ in judged.problems] == ([] if field in PLACES[name] else ["SS311"])


@pytest.mark.parametrize("name", sorted(PLACES))
def test_a_good_one_is_one_request_to_decode(name):
    request = only({"class_name": name, "config": GOOD[name]})
    assert (request.action, request.origin, request.symbol) == (
        Action.DECODE,
        Origin.ENCODING,
        name,
    )
    assert not request.objections


@pytest.mark.parametrize("name", ["__numpy__", "__tensor__"])
@pytest.mark.parametrize(
    ("config", "code"),
    [(None, "SS310"), ({"value": [1]}, "SS310"), ({"dtype": "int8"}, "SS310"), ("x", "SS310"),
     ({"value": [1], "dtype": "object"}, "SS322"), ({"value": [1], "dtype": ["float32"]}, "SS322"),
     ({"value": [1], "dtype": {"a": 1}}, "SS322"), ({"value": [1], "dtype": "O"}, "SS322"),
     ({"value": ["x"], "dtype": "float32"}, "SS322"), ({"value": [[{}]], "dtype": "float32"}, "SS322"),
     ({"value": {"class_name": "Dense"}, "dtype": "string"}, "SS322")],
)  # fmt: skip
def test_an_array_is_numbers_of_a_numeric_type(name, config, code):
    assert [c for c, _ in judge(name, config, Field.ROOT, Limits()).problems] == [code]


def test_an_array_of_texts_says_so():
    assert not judge(
        "__numpy__", {"value": ["x"], "dtype": "string"}, Field.ROOT, Limits()
    ).problems


def test_an_array_counts_for_the_memory_it_takes():
    array = {"class_name": "__numpy__", "config": {"value": [[1, 2], [3]], "dtype": "int8"}}
    assert plan(array).allocation == 24
    assert "SS330" in codes(array, limits=Limits(allocation_bytes=23))
    assert not codes(array, limits=Limits(allocation_bytes=24))


def tensor(**changes):
    return {**GOOD["__keras_tensor__"], **changes}


@pytest.mark.parametrize(
    ("config", "code"),
    [(None, "SS310"), ({}, "SS310"), ({"shape": [], "dtype": "int8"}, "SS310"), (tensor(dtype=[1]), "SS322"),
     (tensor(dtype="object"), "SS322"), (tensor(shape=7), "SS323"), (tensor(shape=[-1]), "SS323"),
     (tensor(shape=[1 << 30]), "SS323"), (tensor(shape=["3"]), "SS323"), (tensor(shape={}), "SS323"),
     (tensor(shape={"class_name": ["x"]}), "SS323"), (tensor(shape=[1.5]), "SS323"),
     (tensor(shape={"class_name": "TensorShape"}), "SS323")],
)  # fmt: skip
def test_a_symbolic_tensor_has_a_possible_shape_and_type(config, code):
    problems = judge("__keras_tensor__", config, Field.ROOT, Limits()).problems
    assert [c for c, _ in problems] == [code]


@pytest.mark.parametrize(
    "shape", [[], [None], (0, 1 << 24), {"class_name": "__tuple__", "items": [None, 2]}]
)
def test_a_shape_is_a_list_or_keras_2s_tuple(shape):
    assert not judge("__keras_tensor__", tensor(shape=shape), Field.ROOT, Limits()).problems


@pytest.mark.parametrize("limit", [3, 2])
def test_an_extent_is_bounded_by_the_limit(limit):
    limits = Limits(extent=limit)
    problems = judge("__keras_tensor__", tensor(shape=[3]), Field.ROOT, limits).problems
    assert bool(problems) is (limit == 2)


@pytest.mark.parametrize(
    ("config", "code"),
    [(None, "SS310"), ({"start": 1, "stop": 2}, "SS310"), ({**GOOD["__slice__"], "x": 1}, "SS310"),
     ({"start": "1", "stop": 2, "step": 1}, "SS322"), ({"start": 1.5, "stop": 2, "step": 1}, "SS322"),
     ({"start": node("os", "system"), "stop": 2, "step": 1}, "SS322"),
     ({"start": [1], "stop": 2, "step": 1}, "SS322")],
)  # fmt: skip
def test_a_slice_is_of_whole_numbers_or_tensors(config, code):
    assert [c for c, _ in judge("__slice__", config, Field.ROOT, Limits()).problems] == [code]


def test_a_tensor_in_a_slice_is_judged_itself():
    bound = {"class_name": "__keras_tensor__", "config": tensor()}
    good = {"class_name": "__slice__", "config": {"start": bound, "stop": None, "step": None}}
    assert not codes(good)
    assert at(good, "/config/start").action is Action.DECODE
    bad = {"class_name": "__keras_tensor__", "config": tensor(dtype="object")}
    assert codes(
        {"class_name": "__slice__", "config": {"start": bad, "stop": None, "step": None}}
    ) == ["SS322"]


@pytest.mark.parametrize(
    ("config", "good"), [({"value": "x"}, True), ({"value": 1}, False), (None, False), ("x", False)]
)
def test_bytes_are_a_text(config, good):
    assert (not judge("__bytes__", config, Field.ROOT, Limits()).problems) is good


@pytest.mark.parametrize(
    ("config", "good"), [({}, True), (None, True), ({"a": 1}, False), ("x", False)]
)
def test_an_ellipsis_has_no_config(config, good):
    assert (not judge("__ellipsis__", config, Field.ROOT, Limits()).problems) is good


EVIL = node("os", "system")


@pytest.mark.parametrize("name", sorted(PLACES))
def test_an_object_beside_an_encoding_is_refused(name):
    value = {"class_name": name, "config": GOOD[name], "evil": EVIL}
    assert "SS313" in codes(value)
    assert at(value, "/evil").symbol == "os.system"


@pytest.mark.parametrize("name", sorted(set(PLACES) - {"__ellipsis__", "__slice__"}))
def test_an_object_in_an_encodings_config_is_refused(name):
    value = {"class_name": name, "config": {**GOOD[name], "evil": [EVIL]}}
    assert "SS313" in codes(value)


@pytest.mark.parametrize("name", ["__tuple__", "TensorShape"])
def test_a_container_stands_for_its_items_and_hides_nothing(name):
    assert is_container({"class_name": name})
    value = {"class_name": name, "items": [layer("Dense", units=1)]}
    assert at(value, "/items/0").symbol == "keras.layers.Dense"
    assert not codes(value)
    assert "SS313" in codes({**value, "config": EVIL})
    assert "SS313" in codes({**value, "evil": [EVIL]})
    assert not codes({"class_name": name})


def test_a_dict_without_a_text_for_a_class_is_no_container():
    assert not is_container({"class_name": ["__tuple__"]})
    assert not is_container({})


def test_numpys_object_type_is_never_one_of_the_types():
    assert not DTYPES & {"object", "O", "object_", "V", "void", "datetime64"}


def test_a_type_spec_is_unknown_whatever_it_says():
    value = {
        "class_name": "__typespec__",
        "spec_name": "TensorSpec",
        "module": "tensorflow",
        "config": [EVIL],
    }
    request = at(value, "")
    assert (request.origin, request.action) == (Origin.UNKNOWN, Action.CONSTRUCT)
    assert request.symbol == "'tensorflow.TensorSpec'"
    assert at(value, "/config/0").objections


def test_an_encoding_whose_config_is_no_object_is_refused():
    assert codes({"class_name": "__bytes__", "config": "text"}) == ["SS310"]
    assert codes({"class_name": "__typespec__", "spec_name": "x", "module": "y"}) == ["SS310"]
