"""Arithmetic without guards gives what the guarded way gives, whatever it is given."""

import random
import warnings
from dataclasses import replace

import numpy as np
import pytest

from secure_serial.errors import SandboxError
from secure_serial.lambdas.understood import from_source
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict

from .making import made


class Sub(np.ndarray):
    """A subclass is not what it is a subclass of."""


def outcome(function, *args, **kwargs):
    """What a call gives, to the last bit, or how it fails."""
    try:
        with np.errstate(all="ignore"):
            found = function(*args, **kwargs)
    except SandboxError as error:
        return error.code, error.message, type(error.__cause__)
    if isinstance(found, np.ndarray | np.generic):
        return type(found), found.dtype.str, found.shape, found.tobytes()
    return type(found), repr(found)


def both(text, closure=None, **bounds):
    """The function as it is built, and one that always goes by the guards."""
    understood = replace(from_source(text), closure=closure or {})
    pair = [build(restrict(understood), NUMPY, Allowance(**bounds)) for _ in range(2)]
    assert pair[1]._plain is not None, text
    pair[1]._plain = None
    return pair


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: x / 127.5 - 1", "lambda x: x ** 2", "lambda x, y: x - y", "lambda x: 1 - x",
        "lambda x: -x * -0.5", "lambda x, by=127.5: x / by - 1.0", "lambda x: x ** 0.5 + x ** 1",
        "def f(x):\n  return x * 2 + x / 3",
    ],
)  # fmt: skip
def test_what_is_arithmetic(text):
    both(text)


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: x", "lambda x: 3", "lambda: 1 + 2", "lambda x: x ** 3", "lambda x: 2 ** x",
        "lambda x: x ** True", "lambda x: x + True", "lambda x: x * 1j", "lambda x: x % 2",
        "lambda x: x // 2", "lambda x: x @ x", "lambda x: x + 'a'", "lambda x: +x", "lambda x: ~x",
        "lambda x: x + 40000", "lambda x: x * 1e39", "lambda *x: x + 1",
        "lambda x, *, y=1: x + y", "lambda x, y=True: x + y", "lambda x, y=40000: x + y",
        "lambda x, y=(1,): x * y", "lambda x, n=2: x ** n", "lambda x, n=2: n * n * x",
        "lambda x: x + abs(x)", "lambda x: (y := x) + 1", "lambda x: x > 1", "lambda x: x.T + 1",
        "lambda x: x[0] + 1", "lambda x: (x if x is None else x) + 1", "lambda x, /: x + 1",
        "lambda x, **y: x + 1", "def f(x):\n  y = x + 1\n  return y", "lambda x: x + -(-1)",
    ],
)  # fmt: skip
def test_what_is_more_goes_by_the_guards(text):
    assert made(text)._plain is None


def test_a_closure_counts_if_its_values_are_numbers_that_fit():
    x = np.ones((2, 3), "f4")
    quick, guarded = both("lambda x: x * k", {"k": 2.5})
    assert outcome(quick, x) == outcome(guarded, x)
    for value in (True, 40_000, 1e39, float("nan"), "a", [1]):
        understood = replace(from_source("lambda x: x * k"), closure={"k": value})
        assert build(restrict(understood), NUMPY)._plain is None


def arguments():
    base = (np.arange(24).reshape(4, 6) - 7).astype("f4")
    yield from (base.astype(kind) for kind in ("f4", "f8", "f2", "i4", "u1", "bool", "c8", ">f4"))
    yield from (base[:, ::2], base.T, base[0], base[:1], base[:0], np.array(2.0, "f4"))
    yield from (base.view(Sub), np.ma.masked_array(base), np.float32(3), np.float64(-1), 2, 2.5)
    yield from (True, None, "a", [1.0, 2.0], np.array([object()]), np.full(3, np.inf, "f4"))
    yield np.broadcast_to(np.float32(3), (4, 6))


EDGES = [
    "2",
    "0",
    "-3",
    "0.5",
    "1e38",
    "9e37",
    "-1e-30",
    "32767",
    "32768",
    "3.4e38",
    "1e39",
    "1e308",
]


def expression(chance, depth):
    if depth == 0 or chance.random() < 0.15:
        return chance.choice(["x", "x", "y", "k", chance.choice(EDGES)])
    if chance.random() < 0.15:
        return f"(-{expression(chance, depth - 1)})"
    if chance.random() < 0.15:
        return f"({expression(chance, depth - 1)} ** {chance.choice(['2', '0.5', '1', '2.0'])})"
    return (
        f"({expression(chance, depth - 1)} {chance.choice('+-*/')} {expression(chance, depth - 1)})"
    )


def test_random_arithmetic_is_the_same_for_all_arguments_and_leaves_them_as_they_were():
    chance = random.Random(20261123)
    values = list(arguments())
    plain = 0
    for _ in range(250):
        text = f"lambda x, y, k={chance.choice(EDGES)}: {expression(chance, 4)}"
        quick, guarded = (made(text) for _ in range(2))
        if quick._plain is None:
            continue
        plain += 1
        guarded._plain = None
        for _ in range(25):
            one = chance.choice(values)
            two = chance.choice([one, one, *values])
            given = (one, two, 2.5)[: chance.choice([1, 2, 2, 2, 2, 3])]
            before = [np.array(each, copy=True).tobytes() for each in given]
            assert outcome(quick, *given) == outcome(guarded, *given), (text, given)
            assert [np.asarray(each).tobytes() for each in given] == before
    assert plain >= 30


@pytest.mark.parametrize("text", ["lambda x: x / 2 - 1", "lambda x, y: -x * (x + y) / 3"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_bound_holds_at_the_same_size(text, dtype):
    x = np.ones((3, 4), dtype)
    given = (x, x) if "y" in text else (x,)
    ends = set()
    for name, unit in (("steps", 1), ("elements", 12), ("array_bytes", 12 * x.itemsize)):
        for count in range(1, 7):
            for bound in (unit * count - 1, unit * count):
                quick, guarded = both(text, **{name: bound})
                assert outcome(quick, *given) == outcome(guarded, *given), (name, bound)
                ends.add(outcome(quick, *given)[0])
    assert ends == {"SS502", np.ndarray}


def test_it_is_taken_for_arrays_of_one_type_and_shape_alone():
    function = made("lambda x, y: x - y")
    x = np.ones((2, 3), "f4")
    assert outcome(function._plain, (x, x)) == outcome(function, x, x)
    others = [x.astype("f8"), x[:1], x[0], x.view(Sub), np.float32(1), 1.0]
    pairs = [(x, other) for other in others] + [(other, x) for other in others]
    pairs += [(x[:0], x[:0]), (np.array(1, "f4"), np.array(1, "f4")), (x, x, x), (x,), ()]
    pairs += [(each.astype(kind),) * 2 for each in [x] for kind in ("f2", "i4", ">f4", "c8")]
    assert all(function._plain(pair) is None for pair in pairs)


def test_a_call_inside_another_is_in_its_account():
    inner = made("lambda x: x + 1")
    outer = made("lambda f, x: f(f(x))", steps=9)
    x = np.ones(3, "f4")
    assert outcome(outer, inner, x)[0] is np.ndarray
    tight = made("lambda f, x: f(f(x))", elements=5)
    assert outcome(tight, inner, x)[0] == "SS502"


def test_named_arguments_go_by_the_guards():
    function = made("lambda x, by=2.0: x / by")
    x = np.ones(3, "f4")
    assert outcome(function, x=x) == outcome(function, x)
    assert outcome(function, x, by=4.0) != outcome(function, x)


def test_an_error_is_the_one_that_the_guards_have():
    function = made("lambda x: x / 0 - 1")
    x = np.ones(3, "f4")
    with np.errstate(all="raise"), pytest.raises(SandboxError) as caught:
        function(x)
    assert isinstance(caught.value.__cause__, FloatingPointError)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SandboxError, match="RuntimeWarning"):
            function(x)
    with pytest.warns(RuntimeWarning):
        assert np.isinf(function(x)).all()


def test_no_memory_is_what_the_guards_say_it_is():
    function = made("lambda x: x + 1", elements=1 << 62, array_bytes=1 << 62)
    huge = np.broadcast_to(np.float32(1), (1 << 45,))
    assert outcome(function, huge)[:1] == ("SS502",)
