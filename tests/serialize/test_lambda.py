"""A lambda is written as Keras writes it, with our own form beside it, and with a warning."""

import base64
import json
import marshal
import types

import pytest
from serialize.exact import difference

from secure_serial.lambdas.stored import stored
from secure_serial.lambdas.understood import from_own, from_source, understand
from secure_serial.serialize import serialize_keras_object

OBJECT = object()


def adder(amount):
    return lambda x, y=2: x + y + amount


def written(function):
    with pytest.warns(UserWarning, match="lambda"):
        return serialize_keras_object(function)


def again(node):
    """The node as a file gives it back, read."""
    return understand(stored(json.loads(json.dumps(node))))


def test_a_lambda_is_written_with_a_warning_that_shows_its_source():
    with pytest.warns(UserWarning, match="x \\+ y \\+ amount"):
        node = serialize_keras_object(adder(5))
    code, defaults, closure = node["config"]["value"]
    assert node["class_name"] == "__lambda__"
    assert (defaults, closure) == ((2,), (5,))
    assert base64.decodebytes(code.encode()) == marshal.dumps(adder(5).__code__)


def test_our_own_form_stands_beside_the_bytecode_and_agrees_with_it():
    node = written(adder(5))
    assert node["config"]["secure_serial"] == {
        "schema": 1,
        "source": "lambda x, y: x + y + amount",
        "defaults": [2],
        "kwdefaults": {},
        "closure": {"amount": 5},
    }
    assert again(node).origin == "both"


def test_tuples_and_keyword_only_defaults_are_kept_which_keras_drops():
    understood = again(
        written(lambda x, axes=(0, (1, 2)), *, keep=(True,), k=None: (x, axes, keep))
    )
    assert understood.defaults == ((0, (1, 2)),)
    assert understood.kwdefaults == {"keep": (True,), "k": None}


def test_lambdas_on_one_line_are_each_written_as_themselves():
    one, two = (lambda x: x + 1), (lambda x: x - 1)  # on one line on purpose
    sources = [again(written(each)).source for each in (one, two)]
    assert sources == ["lambda x: x + 1", "lambda x: x - 1"]


def test_a_lambda_whose_text_cannot_be_had_has_its_source_all_the_same():
    node = written(eval("lambda x: x * 3"))
    assert node["config"]["value"][1:] == (None, None)
    assert again(node).source == "lambda x: x * 3"


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (yield x),
        lambda x, y=OBJECT: x,
        lambda x, *, y=OBJECT: x,
        lambda x: __name__,
        adder(object()),
        adder({1: 2}),
        adder({"class_name": "Dense"}),
        adder(1 << 2000),
    ],
)
def test_what_cannot_be_shown_is_written_as_bytecode_alone_and_the_warning_says_so(function):
    with pytest.warns(UserWarning, match="and nothing else: "):
        node = serialize_keras_object(function)
    assert set(node["config"]) == {"value"}


def test_what_cannot_be_shown_and_has_no_text_is_written_all_the_same():
    with pytest.warns(UserWarning, match="its source is not known"):
        node = serialize_keras_object(eval("lambda x: (yield x)"))
    assert set(node["config"]) == {"value"}


def test_a_form_that_reads_as_another_function_is_not_written(monkeypatch):
    other = from_source("lambda x: 0").own_form()
    monkeypatch.setattr("secure_serial.lambdas.understood.Understood.own_form", lambda self: other)
    with pytest.warns(UserWarning, match="reads as another function"):
        assert set(serialize_keras_object(adder(5))["config"]) == {"value"}


def test_a_function_that_is_only_named_so_counts_as_a_lambda():
    def plain(x):
        return x

    plain.__name__ = "<lambda>"
    node = written(plain)
    assert node["class_name"] == "__lambda__"
    assert again(node).source == "def plain(x):\n    return x"


def test_keras_writes_the_same_but_for_our_own_form_and_can_read_ours():
    pytest.importorskip("keras")
    from keras.src.saving import serialization_lib
    from keras.src.utils import python_utils

    for function in (adder(5), lambda x: x, lambda *a, k=(1, [2]): (a, k)):
        ours = written(function)
        with pytest.warns(UserWarning, match="lambda"):
            theirs = serialization_lib.serialize_keras_object(function)
        assert from_own(ours["config"].pop("secure_serial"))
        assert difference(ours, theirs) is None
    again = python_utils.func_load(written(adder(5))["config"]["value"])
    assert again(1) == 8
    revived = serialization_lib.deserialize_keras_object(written(adder(5)), safe_mode=False)
    assert revived(1) == 8


# Functions that were restored from a file.


def restored(form):
    from secure_serial.sandbox.restored import Restored

    return Restored(from_own(form), None)


def test_what_the_sandbox_makes_is_known_for_it():
    pytest.importorskip("numpy")
    from secure_serial.sandbox.facades.ops import NumPyOps
    from secure_serial.sandbox.function import build
    from secure_serial.sandbox.restrict import restrict

    made = build(restrict(from_source("lambda x, i=2: x * i")), NumPyOps())
    assert again(serialize_keras_object(made)).source == "lambda x, i=2: x * i"


def test_a_restored_function_is_written_with_bytecode_of_this_python():
    form = {"schema": 1, "source": "lambda x, i: x[i] * b + a", "defaults": [2]}
    form["closure"] = {"b": 2, "a": 3, "unused": 4}
    node = serialize_keras_object(restored(form))
    understood = again(node)
    assert understood.origin == "both"
    assert understood.source == "# a = 3\n# b = 2\nlambda x, i=2: x[i] * b + a"
    code, defaults, closure = node["config"]["value"]
    live = marshal.loads(base64.decodebytes(code.encode()))
    cells = tuple(map(types.CellType, closure))
    assert types.FunctionType(live, {}, "f", defaults, cells)([5, 6, 7]) == 17


def test_what_only_a_sandbox_can_run_is_written_without_bytecode():
    form = {"schema": 1, "source": "lambda x: python2_divide(x, 2)"}
    node = serialize_keras_object(restored(form))
    assert set(node["config"]) == {"secure_serial"}
    assert again(node).source == "lambda x: python2_divide(x, 2)"


def test_only_the_sandboxs_own_classes_are_taken_for_one():
    feigned = types.SimpleNamespace(understood=from_source("lambda x: x"))
    with pytest.raises(TypeError):
        serialize_keras_object(feigned)


def test_a_layers_function_is_written_as_the_layer_wants_it():
    from secure_serial.serialize.special import restored_node

    form = {"schema": 1, "source": "lambda x, i: x[i]", "defaults": [2]}
    node = restored_node(restored(form), in_layer=True)
    assert set(node["config"]) == {"code", "defaults", "closure", "secure_serial"}
    assert again(node).source == "lambda x, i=2: x[i]"
    node = restored_node(
        restored({**form, "source": "lambda x, i: python2_divide(x, i)"}), in_layer=True
    )
    assert set(node["config"]) == {"secure_serial"}
    assert restored_node(len) is None
