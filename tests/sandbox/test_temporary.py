"""Results without a name are written into; nothing that has one, or stands anywhere, ever is."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from secure_serial.errors import SandboxError
from secure_serial.lambdas.understood import from_source
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.canonical import NEW
from secure_serial.sandbox.facades.offered import operation
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.guards.operators import HOOKS as USUAL
from secure_serial.sandbox.guards.temporary import HOOKS
from secure_serial.sandbox.meter import Meter, _meter
from secure_serial.sandbox.restrict import restrict

from .making import made

DTYPES = ["float32", "float64", "float16", "int32", "bool", "complex64"]
#: What stands beside an array.
NUMBERS = [2, 0, -3, 2.5, 40_000, 2**40, 1e39, float("inf"), float("nan"), True, 1j]


@pytest.fixture
def account():
    opened = _meter.set(Meter(Allowance()))
    yield _meter.get()
    _meter.reset(opened)


def array(dtype="float32", shape=(3, 4)):
    return (np.arange(np.prod(shape)).reshape(shape) + 1).astype(dtype)


def same(one, two):
    one, two = np.asarray(one), np.asarray(two)
    return one.dtype == two.dtype and np.array_equal(one, two, equal_nan=one.dtype.kind in "fc")


def hooks(text):
    return {name for name in restrict(from_source(text)).code.co_names if name.startswith("%")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lambda x: x / 2 - 1", "%sub_left"),
        ("lambda x: x ** 2 / 3", "%truediv_left"),
        ("lambda x: (x + 1) * (x - 1)", "%mul_left"),
        ("lambda x: 1 + x / 2", "%add_right"),
        ("lambda x: x * (x - 1)", "%mul_right"),
        ("lambda x: tf.tanh(x) * x", "%mul_left"),
        ("lambda x: x + tf.math.sqrt(x)", "%add_right"),
        ("lambda x: K.square(x) / 2", "%truediv_left"),
    ],
)
def test_an_operator_that_takes_the_result_of_another_may_write_into_it(text, expected):
    assert expected in hooks(text)


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: 1 - x / 2", "lambda x: x - 1", "lambda x: (y := x / 2) - 1",
        "lambda x: (x / 2)[0] - 1", "lambda x: (x / 2).T - 1", "lambda x: -x - 1",
        "lambda x: (lambda v: v / 2)(x) - 1", "lambda x: (x / 2 if 1 else x) - 1",
        "lambda x: (x / 2 or x) - 1", "lambda x: (x @ x) - 1", "lambda x: (x % 2) - 1",
        "lambda x: (x // 2) - 1", "lambda x: (x / 2) ** 2", "lambda x: (x | x) - 1",
        "lambda x: np.reshape(x, -1) - 1", "lambda x: (x / 2) > 1", "lambda x: x.mean() - 1",
        "lambda x, np: np.abs(x) - 1", "lambda x: [np.abs(x) - 1 for np in [x]]",
        "lambda x: (np := x) is np and np.abs(x) - 1", "lambda x: max(x, x) - 1",
        "lambda x: math.exp(x) - 1", "lambda x: (x.T.exp)(x) - 1", "lambda x: abs(x) - 1",
        "lambda x: tf.identity(x) - 1", "lambda x: np.pi.exp(1) - 1", "lambda x: np.pi.real.exp(1) - 1",
        "def f(x):\n  import numpy as np\n  return np.abs(x) - 1",
    ],
)  # fmt: skip
def test_nothing_else_may(text):
    assert not {name for name in hooks(text) if name.endswith(("_left", "_right"))}


@pytest.mark.parametrize("name", sorted(HOOKS))
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_gives_what_the_usual_guard_gives(name, dtype, account):
    usual = USUAL[name.partition("_")[0]]
    others = [*NUMBERS, *(array(each) for each in DTYPES), np.ones((2, 3, 4), "f4"), np.ones(4)]
    for other in others:
        mine = array(dtype)
        sides = (other, mine) if name.endswith("right") else (mine, other)
        with np.errstate(all="ignore"):
            try:
                expected = usual(*(np.copy(s) if s is mine else s for s in sides))
            except (TypeError, ValueError, OverflowError, SandboxError) as error:
                with pytest.raises(type(error)):
                    HOOKS[name](*sides)
                continue
            before = np.copy(other)
            assert same(HOOKS[name](*sides), expected), (other, mine)
        assert same(other, before)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_it_is_the_same_memory_where_type_and_shape_are_the_same(name, account):
    for other in (2, 2.5, array()):
        mine = array()
        sides = (other, mine) if name.endswith("right") else (mine, other)
        assert HOOKS[name](*sides) is mine


@pytest.mark.parametrize("name", sorted(NEW))
def test_functions_that_are_said_to_make_something_new_do(name, account):
    assert isinstance(NUMPY.find(name), np.ufunc)
    for dtype in DTYPES[:2]:
        for x in (array(dtype), array(dtype)[:, ::2], array(dtype) * 0):
            with np.errstate(all="ignore"):
                found = operation(name)("", [x], narrow=True)
            assert found.base is None
            assert not np.shares_memory(found, x)


@pytest.mark.parametrize("path", ["os.exp", "os.path.exp", "tf.os.exp", "np.exp_"])
def test_what_is_in_no_facade_is_refused_where_it_would_be_new(path):
    with pytest.raises(SandboxError):
        restrict(from_source(f"lambda x: {path}(x) - 1"))


def test_a_name_of_the_closure_is_no_facade():
    understood = replace(from_source("lambda x: np.abs(x) - 1"), closure={"np": 1})
    names = restrict(understood).code.co_names
    assert "%sub" in names


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_view_is_never_written_to(name, account):
    whole = array()
    before = whole.copy()
    view = whole[:, :2]
    HOOKS[name](*((2.0, view) if name.endswith("right") else (view, 2.0)))
    assert same(whole, before)


def test_it_counts_as_the_usual_guard_does(account):
    HOOKS["sub_left"](array(), 1)
    HOOKS["add_right"](1, array())
    assert (account.steps, account.elements, account.array_bytes) == (2, 24, 96)


def test_bounds_hold_on_what_is_written_into_a_result():
    for bounds in ({"elements": 23}, {"array_bytes": 95}, {"steps": 1}):
        with pytest.raises(SandboxError) as caught:
            made("lambda x: x / 2 - 1", **bounds)(array())
        assert caught.value.code == "SS502"


def test_there_is_no_account_outside_of_a_call():
    with pytest.raises(SandboxError, match="outside of its call"):
        HOOKS["sub_left"](array(), 1)


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: [(y := x / 2), y - 1, y * 2 + y, y][3]",
        "lambda x: (lambda t: [t - 1, t * 2 + t, t])(x / 2 + 1)",
        "lambda x: [(t + 1) * t - t for t in [x / 2, x]]",
        "lambda x: (x ** 1 - 1, x ** 1 * 2, x + 0 - 1, x * 1 + 1, x)",
        "lambda x: (x ** 2 + x ** 0.5 + x ** 1) * (x - 1) / (x + 1)",
        "lambda x: (lambda d: (d['a'] + 1, d['a']))({'a': x * 2 + 1})",
        "lambda x: sum([x / 2 + 1, x * 3 - 1]) - 1",
        "lambda x: [(t := np.tanh(x)), np.tanh(x) * x - t, np.abs(t) + 1, x + np.square(t), t]",
        "lambda x: (x[:, :2] + 1) * x[:, 2:] + (x[0] - 1)[:2]",
        "lambda x: (x / 2 - 1).reshape((4, 3)) * 2 + 1",
    ],
)
def test_no_value_that_is_seen_again_changes(text):
    x = array()
    before = x.copy()
    expected = eval(text)(x.copy())
    found = made(text)(x)
    assert same(x, before)
    assert type(found) is type(expected)
    several = isinstance(found, (list, tuple))
    pairs = zip(found, expected, strict=True) if several else [(found, expected)]
    assert all(same(*pair) for pair in pairs)


def test_random_arithmetic_gives_the_same_and_leaves_its_arguments():
    chance = random.Random(20261123)
    leaves = ["x", "y", "z", "2", "0.5", "(n := x)", "x[:1]", "(m := y / 2)"]

    def expression(depth):
        if depth == 0 or chance.random() < 0.2:
            return chance.choice(leaves)
        return f"({expression(depth - 1)} {chance.choice('+-*/')} {expression(depth - 1)})"

    kinds = list(itertools.product(["f4", "f8", "i4"], repeat=2))
    for _ in range(300):
        inner = expression(4)
        text = f"lambda x, y, z: [(m := y), (n := x), {inner}, m, n]"
        given = [array(kind) for kind in chance.choice(kinds)] + [array("f4", (4,))]
        copies = [each.copy() for each in given]
        with np.errstate(all="ignore"):
            expected, found = eval(text)(*copies), made(text)(*given)
        assert all(map(same, found, expected)), text
        assert all(map(same, given, copies)), text


def test_a_square_of_whole_numbers_takes_one_step_and_another_power_many():
    x = np.ones(1000, "int32")
    assert same(made("lambda x: x ** 2", steps=1)(x), x)
    with pytest.raises(SandboxError):
        made("lambda x: x ** 3", steps=1)(x)
