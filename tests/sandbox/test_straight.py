"""Calls without guards, after one like them went well, give what the guarded way gives."""

import random
import warnings
from dataclasses import replace

import numpy as np
import pytest

from secure_serial.errors import SandboxError
from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.understood import from_source
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.canonical import rows
from secure_serial.sandbox.facades.facade import root
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict

from .making import made
from .test_arithmetic import Sub, arguments, outcome


def both(text, closure=None, **bounds):
    """The function as it is built, and one that always goes by the guards."""
    understood = replace(from_source(text), closure=closure or {})
    pair = [build(restrict(understood), NUMPY, Allowance(**bounds)) for _ in range(2)]
    pair[1]._straight = None
    return pair


def goes_straight(function, *args):
    return function._straight(args) is not None


def images(*shape):
    return np.random.default_rng(1).normal(0, 3, shape or (4, 6)).astype("f4")


STRAIGHT = [
    "lambda x: x", "lambda x, K=2: x[0] * K", "lambda x: K.clip(x, 0.0, 1.0)",
    "lambda x: K.square(x)", "lambda x: K.mean(K.square(x), axis=-1)", "lambda x: x[:, ::2]",
    "lambda x: K.l2_normalize(x, axis=1)", "lambda x: tf.tanh(x) * x", "lambda x: x[:2, None, -1:]",
    "lambda x: x - K.mean(x, axis=[0, 1], keepdims=True)", "lambda x: np.maximum(0.5, x) / 2",
    "lambda x, by=2.5: tf.nn.relu(x[..., 1:]) / by + 1", "lambda x: 1 - x[:, :1] * (2 + x)",
    "lambda x: tf.reduce_sum(x, 1)", "lambda x: x * x + K.exp(-x ** 2)", "lambda x: x[1] - x[0]",
    "def f(x):\n  return K.softmax(x, axis=-1)", "lambda x: K.sum(x=x, axis=(1,), keepdims=True)",
]  # fmt: skip


@pytest.mark.parametrize("text", STRAIGHT)
def test_what_goes_straight_the_second_time(text):
    quick, guarded = both(text)
    x = images()
    assert not goes_straight(quick, x)
    wanted = outcome(guarded, x)
    assert wanted[0] is np.ndarray
    for _ in range(3):
        assert outcome(quick, x) == wanted
    assert goes_straight(quick, x)
    assert outcome(quick._straight, (x,)) == wanted
    assert outcome(quick, images(5, 6)) == outcome(guarded, images(5, 6))


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: x.shape", "lambda x: x.mean(axis=1)", "lambda x: abs(x)",
        "lambda x: x @ K.transpose(x)", "lambda x: K.reshape(x, (-1,))", "lambda x: x % 2",
        "lambda x: x * 40000", "lambda x: x[[0, 1]]", "lambda x: x[x > 0]", "lambda x: x[True]",
        "lambda x: (lambda y: y * 2)(x)", "lambda x: x + K.epsilon()", "lambda x: x + x.shape[0]",
        "lambda x: K.sum(*[x])", "lambda x: K.sum(x, **{'axis': 1})", "lambda x, *, k=1: x[:, :k]",
        "lambda x, n=1: x[:, :n]", "lambda x: K.mean(x, axis=len(x.shape) - 1)", "lambda *x: x[0]",
        "lambda x: (y := x[0]) + y", "lambda x: [x[0] for i in range(2)][1]", "lambda x: x and x[0]",
        "lambda x: K.exp(x) if x is None else x[0]", "lambda x: np.sum(x, dtype='float64')",
        "lambda x: K.cast(x, 'float16') + 1", "lambda x: np.float32(x)", "lambda x: np.argmax(x, 1)",
        "lambda x: K.greater(x, 1.0)", "lambda x, K=2: K(x[0])", "lambda x: tf.ones_like(x) * 2",
        "lambda x: tf.concat([x, x], 0)", "lambda x: K.clip(x, K.min(x), 1.0)",
    ],
)  # fmt: skip
def test_what_is_more_goes_by_the_guards_each_time(text):
    quick, guarded = both(text)
    x = images()
    wanted = outcome(guarded, x)
    for _ in range(3):
        assert outcome(quick, x) == wanted
    assert quick._straight is None or not goes_straight(quick, x)


def called(facade):
    """The functions of a facade, by the operation that each does."""
    found = root(facade)
    return {found.operation(name): f"{facade}.{name}" for name in found.names()}


def test_every_operation_gives_the_same_straight():
    tails = ["", ", 1", ", axis=(0, -1)", ", 2.5", ", x"]
    straight = set()
    for name, function in (called("K") | called("np") | called("tf") | called("ops")).items():
        if name not in rows():
            continue
        for tail in tails:
            quick, guarded = both(f"lambda x: {function}(x{tail})")
            for x in (images(), images(3, 4, 2), images(5)):
                wanted = [outcome(guarded, x) for _ in range(2)]
                assert [outcome(quick, x) for _ in range(2)] == wanted, (function, tail)
                if goes_straight(quick, x):
                    straight.add(name)
    assert straight >= {"mean", "square", "l2_normalize", "maximum", "softmax", "relu"}
    assert {rows()[name].makes for name in straight} == {"broadcast", "reduce"}
    assert len(straight) > 60


def expression(chance, depth):
    if depth == 0 or chance.random() < 0.1:
        return chance.choice(
            ["x", "x", "y", "k", "2", "-0.5", "1e38", "9e37", "x[:1]", "x[:, ::2]"]
        )
    inner = expression(chance, depth - 1)
    if chance.random() < 0.5:
        return chance.choice([
            "K.exp({})", "tf.nn.relu({})", "(-{})", "({}) ** 2", "K.mean({}, axis=-1, keepdims=True)",
            "np.sum({}, 0)", "K.maximum({}, x)", "tf.minimum(1.0, {})", "({})[:, 1:]", "({})[0]",
            "K.l2_normalize({}, 1)", "ops.multiply({}, {})",
        ]).format(f"({inner})", f"({inner})")  # fmt: skip
    return f"({inner} {chance.choice('+-*/')} {expression(chance, depth - 1)})"


def test_random_functions_are_the_same_for_all_arguments_in_any_order():
    chance = random.Random(20261123)
    values = [*arguments(), images(), images(1, 6), images(4, 6)]
    straight = 0
    for _ in range(250):
        try:
            quick, guarded = both(f"lambda x, y, k=2.5: {expression(chance, 3)}")
        except CannotLift:  # an item of a number
            continue
        for _ in range(25):
            one = chance.choice([values[0], *values])
            given = (one, chance.choice([one, one, *values]), 2.5)[: chance.choice([2, 2, 2, 3])]
            before = [np.array(each, copy=True).tobytes() for each in given]
            wanted = outcome(guarded, *given)
            assert outcome(quick, *given) == wanted, (quick.source, given)
            assert [np.asarray(each).tobytes() for each in given] == before
            if quick._straight is not None and goes_straight(quick, *given):
                straight += 1
                assert outcome(quick, *given) == wanted, (quick.source, given)
                assert [np.asarray(each).tobytes() for each in given] == before
    assert straight >= 100


@pytest.mark.parametrize("text", [each for each in STRAIGHT if each != "lambda x: x"])
def test_bounds_hold_whatever_was_called_before(text):
    sizes = [images(rows, 6) for rows in (2, 4, 3, 8, 5, 4, 8, 2)]
    refused = 0
    for bounds in (
        *({"elements": count} for count in (10, 24, 25, 48, 60, 100, 150, 300)),
        *({"array_bytes": count} for count in (40, 96, 97, 200, 300, 500, 1000, 2000)),
        *({"steps": count} for count in (0, 1, 2, 3, 5, 50, 51, 52, 53, 54, 55, 100, 104)),
    ):
        quick, guarded = both(text, **bounds)
        for x in sizes:
            wanted = outcome(guarded, x)
            assert outcome(quick, x) == wanted
            refused += wanted[0] == "SS502"
    assert refused


def test_it_is_taken_for_the_sorts_of_arrays_alone_that_went_well():
    function = made("lambda x, y: K.maximum(x, y) - K.sum(y, axis=0)")
    x = images()
    function(x, x)
    assert goes_straight(function, x, x)
    others = [x.astype("f8"), x[:1], x[0], x.view(Sub), np.float32(1), 1.0, x.astype(">f4"), None]
    others += [np.array(1, "f4"), x.tolist(), images(4, 7), x.astype("i4")]
    assert not any(goes_straight(function, x, other) for other in others)
    assert not any(goes_straight(function, other, x) for other in others)
    assert not goes_straight(function, x)
    assert not goes_straight(function, x, x, x)
    assert not goes_straight(function)
    assert goes_straight(function, x.T.copy().T, x[::-1])  # the guards do not see how they lie


def test_named_arguments_teach_nothing():
    function = made("lambda x, by=2.0: K.exp(x) / by")
    x = images()
    assert outcome(function, x, by=1e39)[1] == "<f8" or np.__version__ >= "2"
    assert outcome(function, x=x)[0] is np.ndarray
    assert not goes_straight(function, x)
    function(x)
    assert goes_straight(function, x)


def test_few_sorts_are_remembered():
    function = made("lambda x: K.exp(x)")
    for rows_ in range(1, 40):
        function(images(rows_, 2))
        assert goes_straight(function, images(rows_, 2))
        assert len(function._straight._sorts) <= 16


def test_an_error_is_the_one_that_the_guards_have():
    x = np.zeros((2, 3), "f4")
    for text in ("lambda x: K.log(x) - 1", "lambda x: 1 / x[:, 1:]"):
        quick, guarded = both(text)
        with np.errstate(all="ignore"):
            quick(x)
            assert goes_straight(quick, x)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            wanted = outcome_of_warning(guarded, x)
            assert wanted[0] == "SS501"
            assert outcome_of_warning(quick, x) == wanted
        assert outcome(quick, x) == outcome(guarded, x)


def outcome_of_warning(function, x):
    try:
        return function(x)
    except Exception as error:  # noqa: BLE001 - both are to be the same
        return error.code, error.message, type(error.__cause__)


def test_a_call_inside_another_is_in_its_account():
    inner = made("lambda x: K.exp(x)")
    x = images()
    inner(x)
    assert goes_straight(inner, x)
    for bound in (47, 48):
        outer = made("lambda f, x: f(f(x))", elements=bound)
        found = [outcome(outer, inner, x)[0] for _ in range(2)]
        assert found == ["SS502" if bound == 47 else np.ndarray] * 2


def test_what_is_changed_between_calls_changes_nothing():
    """The list in the code is made anew for each call; so it is for the guards."""
    quick, guarded = both("lambda x: K.sum(x, axis=[0, 1], keepdims=True)")
    x = images()
    assert [outcome(quick, x) for _ in range(3)] == [outcome(guarded, x)] * 3
    quick, guarded = both("lambda x: x[0] * k", {"k": [2.0]})
    assert quick._straight is None
    assert outcome(quick, x) == outcome(guarded, x)


@pytest.mark.parametrize("listed", ["[1.0, 2.0, 3.0]", "[[1.0, 2.0], [3.0, 4.0]]", "[x[0], [1.0]]"])
def test_what_is_made_of_a_list_in_the_code_is_nobody_else_s(listed):
    """It may be what the operation gives back; who writes into that must change no later call."""
    given = 0
    for name, function in (called("K") | called("np") | called("tf") | called("ops")).items():
        if name not in rows():
            continue
        for text in (f"lambda x: {function}({listed})", f"lambda x: {function}({listed})[None]"):
            quick, guarded = both(text)
            x = images()
            for _ in range(3):
                wanted, found = outcome(guarded, x), outcome(quick, x)
                assert found == wanted, text
                if wanted[0] is np.ndarray:
                    made_now = quick(x)
                    given += made_now.flags.writeable
                    if made_now.flags.writeable:
                        made_now[...] = 0 if made_now.any() else 1
    assert given > 20 or "x" in listed


def test_warnings_come_from_this_package():
    x = np.zeros((2, 3), "f4")
    for text in ("lambda x: 1 / x[:, 1:]", "lambda x: 1 / x"):
        function = made(text)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            warnings.filterwarnings("ignore", module="secure_serial")
            for _ in range(3):
                function(x)
        assert seen == []


def test_an_error_of_one_call_says_nothing_of_the_next():
    quick, _ = both("lambda x: 1 / x[:, 1:]")
    x = images()
    quick(x)
    with np.errstate(all="raise"), pytest.raises(SandboxError):
        quick(np.zeros((4, 6), "f4"))
    assert goes_straight(quick, x)
