"""A lambda is written as Keras writes it, with a warning, and nothing reads its code."""

import base64
import marshal

import pytest
from serialize.exact import difference

from secure_serial.serialize import serialize_keras_object


def adder(amount):
    return lambda x, y=2: x + y + amount


def test_a_lambda_is_written_with_a_warning_that_shows_its_source():
    with pytest.warns(UserWarning, match="x \\+ y \\+ amount"):
        node = serialize_keras_object(adder(5))
    code, defaults, closure = node["config"]["value"]
    assert node["class_name"] == "__lambda__"
    assert (defaults, closure) == ((2,), (5,))
    assert base64.decodebytes(code.encode()) == marshal.dumps(adder(5).__code__)


def test_a_lambda_without_source_is_written_all_the_same():
    unseen = eval("lambda x: x")
    with pytest.warns(UserWarning, match="not known"):
        node = serialize_keras_object(unseen)
    assert node["config"]["value"][1:] == (None, None)


def test_a_function_that_is_only_named_so_counts_as_a_lambda():
    def plain(x):
        return x

    plain.__name__ = "<lambda>"
    with pytest.warns(UserWarning, match="lambda"):
        assert serialize_keras_object(plain)["class_name"] == "__lambda__"


def test_keras_writes_the_same_and_can_read_ours():
    pytest.importorskip("keras")
    from keras.src.saving import serialization_lib
    from keras.src.utils import python_utils

    for function in (adder(5), lambda x: x, lambda *a, k=(1, [2]): (a, k)):
        with pytest.warns(UserWarning, match="lambda"):
            ours = serialize_keras_object(function)
        with pytest.warns(UserWarning, match="lambda"):
            theirs = serialization_lib.serialize_keras_object(function)
        assert difference(ours, theirs) is None
    with pytest.warns(UserWarning, match="lambda"):
        again = python_utils.func_load(serialize_keras_object(adder(5))["config"]["value"])
    assert again(1) == 8
