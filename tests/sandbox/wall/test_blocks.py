"""What is computed in blocks is, to the last bit, what is computed at once; so are the refusals."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from secure_serial.errors import SandboxError
from secure_serial.lambdas.understood import from_source
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.canonical import ITEMWISE, NEW, row
from secure_serial.sandbox.facades.facade import root
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.meter import Meter, _meter
from secure_serial.sandbox.pointwise import is_pointwise, of_one_shape
from secure_serial.sandbox.restrict import restrict
from secure_serial.sandbox.wall import blocks, evaluator, turns
from secure_serial.sandbox.wall.worker import Spec

from .talking import SIZE, division_of

#: Items of a block: as many as a processor's longest vector takes at once, many times.
BLOCK = 1 << 12
#: Each place twice, and a part of a block.
MANY = (2 * turns.PLACES + 1) * BLOCK + 7
pytestmark = pytest.mark.usefixtures("short")
DTYPES = ("f4", "f8", "f2", "i4", "u1", "?", "c8")


@pytest.fixture
def small(monkeypatch):
    """Blocks of some items. Where the sums of an account matter, and no sine of NumPy's does."""
    monkeypatch.setattr(turns, "ITEMS", 16)


def made(text, closure=None, **bounds):
    understood = replace(from_source(text), closure=closure or {})
    found = blocks.Blockwise(restrict(understood), NUMPY, Allowance(**bounds))
    return found, is_pointwise(understood)


def outcome(answer):
    try:
        with np.errstate(all="ignore"):
            found = answer()
    except SandboxError as error:
        return error.code, error.message
    return type(found), found.dtype, found.shape, found.tobytes()


def values(dtype, size=MANY):
    x = np.random.default_rng(1).normal(0, 50, size)
    if np.dtype(dtype).kind == "f":
        x[::97], x[5], x[7], x[9] = 0.0, np.inf, -np.inf, np.nan
    with np.errstate(all="ignore"):
        return x.astype(dtype)


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: x", "lambda x, y: x % y - 2 ** -y", "lambda x: x > 0.5", "lambda x: -(x // 3)",
        "lambda x: tf.nn.relu(x) * 0.5", "lambda x, n=2: K.exp(x ** n)", "lambda x, *, k=1: x + k",
        "lambda x, y: np.maximum(x, y * 2) <= 1", "def f(x):\n  return tf.math.log(K.abs(x) + 1)",
    ],
)  # fmt: skip
def test_what_is_pointwise(text):
    assert is_pointwise(from_source(text))
    assert type(evaluator.make({"own_form": from_source(text).own_form(), "allowance": {}})) is (
        blocks.Blockwise
    )


@pytest.mark.parametrize(
    "text",
    [
        "lambda: None", "lambda x: None", "lambda x: x @ x", "lambda x: x[0]", "lambda x: x.T",
        "lambda x: K.sum(x)", "lambda x: x + K.mean(x)", "lambda x: np.cumsum(x)", "lambda x: not x",
        "lambda x: x if x is None else x + 1", "lambda x: x and x", "lambda x: 0 < x < 1",
        "lambda x: x in x", "lambda x: x is x", "lambda x: (y := x) + 1", "lambda x: [x + 1]",
        "lambda x: (lambda y: y + 1)(x)", "lambda x: sum(x)", "lambda x: K.exp(x=x)",
        "lambda x: K.exp(*x)", "lambda *x: x + 1", "lambda x, **y: x + 1", "lambda x: x + 1j",
        "lambda x, y=(1, 2): x + y", "lambda x, y=None: x + 1", "lambda x: K.exp()",
        "lambda x, np: np.exp(x)", "lambda x: x.exp(x)", "lambda x: x + True", "lambda x: 'a' * x",
        "def f(x):\n  y = x\n  return y", "lambda x: softmax(x)", "lambda x: abs(x)",
        "lambda x: tf.nn.softmax(x)", "lambda x: np.reshape(x, -1)", "lambda x: K.exp",
    ],
)  # fmt: skip
def test_what_is_more_is_not(text):
    assert not is_pointwise(from_source(text))


def test_a_closure_counts_if_its_values_are_numbers():
    understood = from_source("lambda x: x * K")
    for value, wanted in ((2.5, True), (2**70, True), ([1], False), ("a", False), (True, False)):
        assert is_pointwise(replace(understood, closure={"K": value})) is wanted
    assert not is_pointwise(replace(from_source("lambda x: K.exp(x)"), closure={"K": 1}))


@pytest.mark.parametrize("name", sorted(ITEMWISE))
def test_an_operation_in_blocks_is_the_operation(name, talking):
    function = NUMPY.find(name)
    assert name not in NEW or (isinstance(function, np.ufunc) and function.signature is None)
    taken = len(row(name).parameters)
    facade = next(each for each in ("np", "tf.nn", "K", "ops") if has(each, name))
    letters = ", ".join("xy"[:taken])
    text = f"lambda {letters}: {facade}.{name}({letters})"
    for dtype in DTYPES:
        args = [values(dtype), values(dtype)[::-1].copy()][:taken]
        compare(text, args, talking)


def has(facade, name):
    found = root(facade.partition(".")[0])
    if "." in facade:
        found = found.inner("nn")
    return found.has(name) and found.operation(name) == name


def compare(text, args, talking):
    function, pointwise = made(text)
    assert pointwise, text
    whole = outcome(lambda: function(*args))
    parts = talking.by_blocks(function, args)
    if parts is None:
        assert whole[0] == "SS501", (text, args)
    else:
        assert outcome(lambda: parts) == whole, (text, args)


def test_random_expressions_in_blocks_are_what_they_are_at_once(talking):
    chance = random.Random(20261123)
    leaves = ["x", "y", "x", "y", "2", "0.5", "-3", "300", "1e39", "(x > y)"]
    calls = [
        "np.tanh({})",
        "tf.nn.relu({})",
        "K.square({})",
        "np.maximum({}, y)",
        "ops.sigmoid({})",
    ]

    def expression(depth):
        if depth == 0 or chance.random() < 0.2:
            return chance.choice(leaves)
        if chance.random() < 0.3:
            return chance.choice(calls).format(expression(depth - 1))
        sign = chance.choice(["+", "-", "*", "/", "+", "-", "*", "/", "//", "%", "<", "=="])
        return f"({expression(depth - 1)} {sign} {expression(depth - 1)})"

    for _ in range(60):
        text = f"lambda x, y: x * 1 + {expression(3)}"
        compare(text, [values(chance.choice(DTYPES[:4])) for _ in "xy"], talking)


@pytest.mark.parametrize(
    "args",
    [
        (np.ones((5, 64), "f4"), np.ones(64, "f4")), (np.ones(100, "f4"), [1.0]),
        (np.ones(100, "f4"), np.float32(1)), (np.ones(100, "f4"), np.array(1.0)), (2, 3.0),
        (np.ones(100, "f4"), None), (np.ones(100, "f4"), True), (np.ones((10, 20), "f4").T, 1), (),
        (np.ones(63, "f4"), 1), (np.ones(100, "f4"), np.ma.ones(100)), (np.ones((100, 0)), 1),
        (np.ones(100, "f4"), np.ones(101, "f4")),
    ],
)  # fmt: skip
def test_other_arguments_are_computed_at_once(args, talking, small):
    function, _ = made("lambda x, y: x + y")
    assert talking.by_blocks(function, args) is None


def test_numbers_and_shapes_stay(talking, small):
    function, _ = made("lambda x, y: x > y")
    x = np.arange(120, dtype="f4").reshape(3, 10, 4)
    assert of_one_shape([x, 2.5]) is x
    found = talking.by_blocks(function, (x, 30))
    assert found.dtype == bool
    assert np.array_equal(found, x > 30)
    assert found.flags.owndata or found.base.flags.owndata
    assert not np.shares_memory(found, np.frombuffer(talking.memory.memory, "u1"))


def test_blocks_of_their_true_size(talking, monkeypatch):
    monkeypatch.undo()
    assert turns.ITEMS > BLOCK
    x = values("f4", 5 * turns.ITEMS + 3)
    compare("lambda x: np.tanh(x) * x - x ** 2", [x], talking)


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: x / 2 - 1", "lambda x: K.tanh(x) * x", "lambda x: x ** 1.5", "lambda x: x % 3",
        "lambda x: tf.nn.relu(x) + np.exp(x // 2)", "lambda x: tf.sigmoid(x) ** 3",
    ],
)  # fmt: skip
def test_what_a_budget_does_not_allow_at_once_it_does_not_allow_in_blocks(text, talking, small):
    x = np.ones(1000, "f8")
    function, _ = made(text)
    opened = _meter.set(Meter(Allowance()))
    try:
        function(x)
        account = _meter.get()
        used = {"steps": account.steps, "elements": account.elements}
        used["array_bytes"] = account.array_bytes
    finally:
        _meter.reset(opened)
    refused = allowed = 0
    for name, most in used.items():
        for bound in {most * part // 8 for part in range(10)} | {most - 1, most, most + 1}:
            function, _ = made(text, **{name: bound})
            whole = outcome(lambda: function(x))  # noqa: B023 - called here
            refused += whole[0] == "SS502"
            parts = talking.by_blocks(function, (x,))
            if parts is not None:
                allowed += 1
                assert outcome(lambda: parts) == whole  # noqa: B023 - as above
            assert outcome(lambda: talking.call(function, (x,))) == whole  # noqa: B023
    assert refused
    assert allowed


@pytest.mark.parametrize("place", [0, 20, 50, 70, 99])
def test_an_error_in_any_block_is_that_of_the_whole(place, talking, small):
    function, _ = made("lambda x, y: x ** y")
    x = np.arange(100)
    y = np.where(x == place, -1, 1)
    whole = outcome(lambda: function(x, y))
    assert whole[0] == "SS501"
    assert outcome(lambda: talking.call(function, (x, y))) == whole
    assert np.array_equal(talking.by_blocks(function, (x, abs(y))), x)


def test_what_does_not_fit_is_refused_as_it_is_at_once(talking, small):
    function, _ = made("lambda x: x")
    fits, not_so = np.zeros(SIZE // 4, "f4"), np.zeros(SIZE // 4 + 1, "f4")
    turns.ITEMS = SIZE // 32
    assert talking.by_blocks(function, (fits,)) is not None
    assert talking.by_blocks(function, (not_so,)) is None
    with pytest.raises(SandboxError, match="more bytes") as refused:
        talking.call(function, (not_so,))
    assert refused.value.code == "SS502"
    wider, _ = made("lambda x: x + 1")
    wider = Wider(wider)
    assert talking.by_blocks(wider, (fits,)) is None
    assert talking.by_blocks(wider, (fits[: SIZE // 8],)).dtype == "f8"


class Wider:
    """Computes in blocks, of a type that takes twice the room."""

    def __init__(self, like):
        self.by_blocks = blocks.Blockwise.by_blocks.__get__(self)
        self.allowance, self.ops, self.understood = like.allowance, like.ops, like.understood
        self._next = like._next

    @staticmethod
    def _raw_for(*_):
        return lambda x: x.astype("f8")


def test_a_function_whose_blocks_differ_is_computed_at_once(talking, small):
    function, _ = made("lambda x: x")
    kinds = itertools.cycle(["f4", "f8"])
    function._raw_for = lambda *_: lambda x: x.astype(next(kinds))
    assert talking.by_blocks(function, (np.ones(100, "f4"),)) is None
    function._raw_for = lambda *_: lambda x: x[1:]
    assert talking.by_blocks(function, (np.ones(100, "f4"),)) is None


def test_what_is_no_array_is_given_as_it_is(talking, small):
    function, pointwise = made("lambda x: 2 + 1.5")
    assert pointwise
    assert talking.by_blocks(function, (np.ones(100),)) is None
    assert talking.call(function, (np.ones(100),)) == 3.5
    talking.function, _ = made("lambda x: x + 1")
    named = {"x": np.ones(100)}
    found = talking.worker.call(Spec({"n": "named"}, division_of(talking.function)), (), named)
    assert found.tolist() == [2.0] * 100


def test_what_an_account_will_not_hold_in_blocks_is_not_begun_so(talking, small):
    """It would be computed to the last block, and then once more: twice what it takes at once."""
    x = np.full(2000, 1.7)
    whole, _ = made("lambda x: np.sin(np.sin(np.sin(x))) ** 2.5")
    opened = _meter.set(Meter(Allowance()))
    try:
        whole(x)
        steps = _meter.get().steps
    finally:
        _meter.reset(opened)
    calls = []
    for bound, begun in ((steps, False), (200 * steps, True)):
        function, _ = made("lambda x: np.sin(np.sin(np.sin(x))) ** 2.5", steps=bound)
        raw = function._raw_for
        function._raw_for = lambda *given, raw=raw: counted(raw(*given), calls)
        calls.clear()
        assert (talking.by_blocks(function, (x,)) is not None) is begun
        assert len(calls) == (-(-2000 // 16) if begun else 1)
        assert outcome(lambda: talking.call(function, (x,))) == outcome(lambda: whole(x))  # noqa: B023


def counted(function, calls):
    def count(*args):
        calls.append(1)
        return function(*args)

    return count
