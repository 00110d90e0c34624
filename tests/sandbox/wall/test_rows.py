"""What is computed some rows at a time is, to the last bit, what is computed at once.

But for the sign of what is no number, which nobody asks for: processors give it by the order of two
such operands, and that may be another one where several items are computed at a time.
"""

from __future__ import annotations

import inspect
import itertools
import random
import sys

import numpy as np
import pytest

from secure_serial.lambdas.understood import from_source
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.division import Division
from secure_serial.sandbox.facades.canonical import EXACT, ITEMWISE, ROWWISE, row
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.restrict import restrict
from secure_serial.sandbox.rowwise import Rowwise
from secure_serial.sandbox.wall import blocks, turns

from .test_blocks import has, outcome

#: What stands in a row: little and much, of one item, and of more than NumPy adds up in one go.
TAILS = [(1,), (5,), (300,), (3, 4), (1, 7), (6, 1), (2, 1, 3), (30, 30)]
BLOCK = 1 << 10
pytestmark = pytest.mark.usefixtures("short")


def made(text, **bounds):
    return blocks.Blockwise(restrict(from_source(text)), NUMPY, Allowance(**bounds))


def rows(tail, dtype="f4", seed=1):
    """Each place three times and a part of a block, whatever blocks have to be a multiple of."""
    width = int(np.prod(tail))
    count = 3 * turns.PLACES * max(64, BLOCK // width) + 11
    x = np.random.default_rng(seed).normal(0, 50, (count, width)).astype(dtype)
    x[3, 0], x[5, -1], x[7, 0], x[9] = np.inf, -np.inf, np.nan, -0.0
    x[11, ::2], x[11, 1::2], x[13] = 0.0, -0.0, np.nan
    return x.reshape(count, *tail)


def numbers(answer):
    """What is no number, always with the same sign."""
    found = answer()
    found[np.isnan(found)] = np.nan
    return found


def compare(text, args, talking):
    """Whether it is computed in blocks; if so, it is what it is at once."""
    function = made(text)
    whole = outcome(lambda: numbers(lambda: function(*args)))
    parts = talking.by_blocks(function, args)
    assert parts is None or outcome(lambda: numbers(lambda: parts)) == whole, text
    return parts is not None


@pytest.mark.parametrize(
    ("text", "ranks"),
    [
        ("lambda x: K.sum(x, axis=-1)", "23"), ("lambda x: K.sum(x, axis=1)", "23"),
        ("lambda x: K.mean(K.square(x), axis=[1, -1])", "23"), ("lambda x: x.mean(1)", ""),
        ("lambda x: K.mean(x, axis=2)", "3"), ("lambda x: K.mean(x, -2)", "3"),
        ("lambda x: np.max(x)", ""), ("lambda x: np.max(x, axis=0)", ""),
        ("lambda x: np.max(x, axis=-2)", "3"), ("lambda x: np.max(x, axis=(0, 1))", ""),
        ("lambda x: K.l2_normalize(x, axis=-1)", "23"), ("lambda x: tf.nn.softmax(x)", "23"),
        ("lambda x: K.softmax(x, axis=0)", ""), ("lambda x: K.sum(x, 1) + K.max(x, 1)", "23"),
        ("lambda x: x - K.mean(x, axis=1)", ""), ("lambda x: x - K.mean(x, 1, True)", "23"),
        ("lambda x: K.sum(K.sum(x, 1), 1)", "3"), ("lambda x: K.sum(K.sum(x, 2), -1)", "3"),
        ("lambda x: 2 * K.sum(x, 1) ** 2 / 3 - 1", "23"), ("lambda x: -K.exp(K.std(x, 1))", "23"),
        ("lambda x: K.sum(x, axis=1) @ x", ""), ("lambda x: not K.sum(x, axis=1)", ""),
        ("lambda x: K.sum(x > 0, axis=1)", ""), ("lambda x: K.sum(x, axis=1) > 0", ""),
        ("lambda x: K.argmax(x, axis=1)", ""), ("lambda x: K.sum(x, axis=x)", ""),
        ("lambda x: K.sum(2, axis=1)", ""), ("lambda x: x + np.sum(2, axis=())", ""), ("lambda x, sum: np.sum(x, axis=sum)", ""),
        ("lambda x: K.sum(x, 1, *x)", ""), ("lambda x: K.sum(x, 1, **x)", ""),
        ("lambda x: K.sum(*x, axis=1)", ""), ("lambda x: K.sum(x, axis=1, other=2)", ""),
        ("lambda x: K.sum(axis=1)", ""), ("lambda x: K.sum(x, axis={[]: 1})", ""), ("lambda x: K.sum(x, axis='a')", ""),
        ("lambda x: K.sum(x, 1, True, 4, 5)", ""), ("lambda x: nothing.sum(x, axis=1)", ""),
        ("lambda x: tf.nowhere(x, axis=1)", ""), ("lambda x: K.sum(x, axis=1).T", ""),
        ("lambda x: np.pi.sum(x, axis=1)", ""), ("lambda K: K.sum(K, axis=1)", ""),
        ("lambda x: np.linalg(x, axis=1)", ""), ("lambda x: (lambda: x)()", ""),
        ("lambda x: K.maximum(x=K.sum(x, axis=1), y=0)", ""), ("lambda x: K.sum(x, axis=[])", "23"),
        ("lambda x: [K.sum(x, axis=1)]", ""), ("lambda x: 1 + 2", ""), ("lambda *x: K.sum(x, 1)", ""),
        ("lambda x, y=(1, 2): K.sum(x, 1) + y", ""), ("lambda x, y='a': K.sum(x, 1)", ""),
        ("lambda x: True + K.sum(x, axis=1)", ""), ("lambda x: K.permute_dimensions(x, (1, 0))", ""),
    ],
)  # fmt: skip
def test_what_computes_row_by_row(text, ranks):
    found = Rowwise(from_source(text))
    shapes = {"1": (4,), "2": (4, 3), "3": (4, 3, 2)}
    assert "".join(r for r in shapes if found.step([np.ones(shapes[r], "f4")])) == ranks


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("lambda x: K.mean(K.square(x), axis=1)", 1), ("lambda x: K.l2_normalize(x ** 2, axis=1)", 1),
        ("lambda x: K.sum(x ** 1.7, axis=1)", 64), ("lambda x: K.exp(K.sum(x, axis=1))", 64),
        ("lambda x: K.sum(x // 2, axis=1)", 64), ("lambda x: tf.nn.softmax(x)", 64),
    ],
)  # fmt: skip
def test_blocks_end_where_vectors_do_if_that_is_of_consequence(text, step):
    assert Division(from_source(text)).of([np.ones((4, 3), "f4")]).step == step


def test_who_has_used_up_the_stack_computes_at_once():
    found = Rowwise(from_source("lambda x: K.sum(" + "-" * 60 + "x, axis=1)"))
    x = np.ones((4, 3), "f4")

    def deep(left):
        return found.step([x]) if left == 0 else deep(left - 1)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 140)
    try:
        assert deep(70) == 0
    finally:
        sys.setrecursionlimit(limit)
    assert found.step([x]) == 1


ONE = np.ones((400, 3), "f4")


@pytest.mark.parametrize(
    "args",
    [
        (ONE, ONE[:1]), (ONE, ONE[:, :1]), (ONE.T, 2), (ONE.astype("f2"), 2), (ONE.astype("i4"), 2),
        (ONE, ONE.astype("?")), (ONE, ONE.astype("c8")), (ONE.astype(">f4"), 2), (ONE, None),
        (ONE, [1]), (2, 3), (ONE[:, :0], 2), (ONE[:0], 2), (ONE[:7], 2), (ONE, 1, 2), (ONE, True),
    ],
)  # fmt: skip
def test_other_arguments_are_computed_at_once(args, talking, monkeypatch):
    monkeypatch.setattr(turns, "ITEMS", 6)
    function = made("lambda x, y: K.sum(x + y, axis=1)")
    assert talking.by_blocks(function, args) is None
    for other in (ONE, 1, 1.0):
        assert talking.by_blocks(function, (ONE, other)).tolist() == [6.0] * 400


#: Operations that no facade has under their own name.
CALLED = {
    "norm_of": ("tf", "math.reduce_euclidean_norm"),
    "clip_by_norm": ("tf", "clip_by_norm"),
    "std_of": ("np", "std"),
    "var_of": ("np", "var"),
}


def test_what_is_exact_is_known():
    assert EXACT < ITEMWISE | ROWWISE


@pytest.mark.parametrize("name", sorted(ROWWISE))
def test_an_operation_in_blocks_is_the_operation(name, talking):
    called, facade = name, next((each for each in ("np", "tf.nn", "K") if has(each, name)), None)
    if facade is None:
        facade, called = CALLED[name]
    reduces = any(each.name == "keepdims" for each in row(name).parameters)
    keeping = ["", ", keepdims=True"] if reduces and facade != "tf.nn" else [""]
    beside = ", 2.5" if name == "clip_by_norm" else ""
    axis = "axes" if name == "clip_by_norm" else "axis"
    begun = 0
    for tail in TAILS:
        for axes in [-1] if len(tail) == 1 else [-1, 1, [1, -1]]:
            for keep, dtype in itertools.product(keeping, ("f4", "f8")):
                text = f"lambda x: {facade}.{called}(x{beside}, {axis}={axes}{keep})"
                begun += compare(text, [rows(tail, dtype)], talking)
    assert begun > len(TAILS)


def test_random_expressions_in_blocks_are_what_they_are_at_once(talking):
    chance = random.Random(20261123)

    def whole(depth):
        if depth == 0:
            return chance.choice(["x", "y", "x", "2.5", "-3"])
        return chance.choice(
            [
                lambda: f"({whole(depth - 1)} {chance.choice('+-*/')} {whole(depth - 1)})",
                lambda: f"K.square({whole(depth - 1)})",
                lambda: f"np.tanh({whole(depth - 1)})",
                lambda: f"({whole(depth - 1)} ** {chance.choice(['2', '0.5', '1.5'])})",
                lambda: f"({whole(depth - 1)} - K.mean(x, axis={axis()}, keepdims=True))",
                lambda: f"K.l2_normalize({whole(depth - 1)} + x, axis={axis()})",
                lambda: f"tf.nn.softmax(x * {whole(depth - 1)})",
            ]
        )()

    def axis():
        return chance.choice(["1", "-1", "[1, 2]"])

    begun = 0
    for _ in range(120):
        tail = chance.choice([(3, 5), (20, 7), (1, 9), (130, 2)])
        expression = (
            f"K.{chance.choice(['sum', 'mean', 'std', 'max'])}(x + {whole(2)}, axis={axis()})"
        )
        if chance.random() < 0.5:
            expression = f"np.exp({expression} / 9) - 1"
        text = f"lambda x, y: {expression}"
        begun += compare(text, [rows(tail, seed=s) for s in (1, 2)], talking)
    assert begun > 100


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: K.mean(K.square(x), axis=-1)", "lambda x: K.l2_normalize(x, axis=1)",
        "lambda x: tf.nn.softmax(x) + 1", "lambda x: K.std(x, axis=1) * 2",
    ],
)  # fmt: skip
def test_what_a_budget_does_not_allow_at_once_it_does_not_allow_in_blocks(
    text, talking, monkeypatch
):
    monkeypatch.setattr(turns, "ITEMS", 60)
    x = rows((3,))
    refused = allowed = 0
    for name in ("steps", "elements", "array_bytes"):
        for bound in [1 << power for power in range(1, 24)]:
            function = made(text, **{name: bound})
            whole = outcome(lambda: numbers(lambda: function(x)))  # noqa: B023 - called here
            refused += whole[0] == "SS502"
            parts = talking.by_blocks(function, (x,))
            if parts is not None:
                allowed += 1
                assert outcome(lambda: numbers(lambda: parts)) == whole  # noqa: B023 - as above
            again = outcome(lambda: numbers(lambda: talking.call(function, (x,))))  # noqa: B023
            assert again == whole
    assert refused
    assert allowed


def test_a_call_by_the_guards_is_not_left_out_for_one_that_went_well(talking, monkeypatch):
    """The account is only known to last if the first block has taken from it."""
    monkeypatch.setattr(turns, "ITEMS", 60)
    x = rows((3,))
    function = made("lambda x: K.sum(K.exp(x), axis=1)", elements=4 * x.size)
    for _ in range(2):
        assert talking.by_blocks(function, (x,)) is not None
        assert function._straight((x[:64].copy(),)) is not None  # which has learned it
    tight = made("lambda x: K.sum(K.exp(x), axis=1)", elements=x.size // 2)
    tight._straight = function._straight
    assert talking.by_blocks(tight, (x,)) is None


def test_blocks_of_one_row_and_of_their_true_size(talking, monkeypatch):
    monkeypatch.undo()
    wide = np.random.default_rng(0).random((turns.PLACES + 1, turns.ITEMS + 3), dtype="f4")
    assert compare("lambda x: K.mean(K.square(x), axis=-1)", [wide], talking)
    narrow = np.random.default_rng(0).random((6 * turns.ITEMS // 64, 64), dtype="f4")
    for text in ("lambda x: K.l2_normalize(x, axis=1)", "lambda x: tf.nn.softmax(x)"):
        assert compare(text, [narrow], talking)
