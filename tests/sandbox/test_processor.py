"""Costly operations on the worst values: the steps of a call end before two seconds of computing.

By counts, not by the clock: each element of a result is charged what it was measured to cost.
"""

import numpy as np
import pytest

from secure_serial.errors import SandboxError

from .making import made

#: Nanoseconds of one element, the worst values given, and of a step (some ten microseconds).
STEP = 10_000
WORST = {
    "np.fmod(s, 1e-308)": 7_000,
    "np.mod(s, 1e-308)": 1_200,
    "np.floor_divide(s, 1e-308)": 1_200,
    "s % 1e-308": 1_200,
    "s // 1e-308": 1_200,
    "np.power(i, i)": 200,
    "i ** i": 200,
    "np.power(s, 1.37)": 70,
    "h * h": 55,
    "h + 1": 55,
    "np.multiply(h, h)": 55,
    "np.square(h)": 55,
    "s.astype('float16')": 55,
    "h.astype('float32')": 55,
}


@pytest.mark.parametrize("expression", WORST)
def test_elements_are_charged_what_they_cost(expression):
    count = 60_000
    s = np.full(count, 1e308)
    given = (s, s.astype("f2"), np.arange(1, count + 1))
    wanted = count * WORST[expression] // STEP
    function = f"lambda s, h, i: {expression}"
    made(function, steps=4 * wanted + 2000)(*given)
    with pytest.raises(SandboxError, match="steps"):
        made(function, steps=wanted - 1)(*given)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        # Padding goes round the array as often as the width asks for.
        ("lambda x: np.pad(x[0], 20000, mode='reflect')", True),
        ("lambda x: [np.pad(x, 900, mode='symmetric') for i in range(99)]", True),
        ("lambda x: np.pad(x, 2, mode='reflect')", False),
        ("lambda x: np.pad(x[:1], ((900, 900), (0, 0)), mode='edge')", False),
        # Some norms of a matrix are of its singular values.
        ("lambda x: np.linalg.norm(np.ones((700, 700)), ord=2)", True),
        ("lambda x: np.linalg.norm(np.ones((9, 400, 400)), ord='nuc', axis=(1, 2))", True),
        ("lambda x: np.linalg.norm(np.ones((700, 700)), ord='fro')", False),
        ("lambda x: np.linalg.norm(np.ones((700, 700)), ord=2, axis=1)", False),
        ("lambda x: np.linalg.norm(x, ord=-2)", False),
        # Each place of a kernel is a look at the whole.
        (
            "lambda x: tf.nn.conv2d(tf.ones((1, 9, 9, 1)), tf.ones((300, 300, 1, 1)), 1, 'SAME')",
            True,
        ),
        (
            "lambda x: tf.nn.conv2d(tf.ones((1, 99, 99, 3)), tf.ones((3, 3, 3, 8)), 1, 'SAME')",
            False,
        ),
        # An image is as large as it is, wherever its channels stand.
        ("lambda x: tf.image.resize(tf.ones((1, 512, 512, 3)), (224, 224))", False),
        ("lambda x: tf.scan(lambda a, b: a + b, tf.ones(6000))[0]", True),
        ("lambda x: tf.scan(lambda a, b: a + b, tf.ones(60))[0]", False),
        ("lambda x: tf.math.segment_sum(tf.ones(90000), [0] * 90000)", False),
        # Channels that come first are no axis of the image: their steps leave nothing out.
        (
            "lambda x: tf.nn.max_pool(tf.ones((1, 414, 1, 414)), 150, (414, 1), 'SAME', 'NCHW')",
            True,
        ),
        (
            "lambda x: tf.nn.max_pool(tf.ones((9, 64, 56, 56)), 3, 2, 'SAME', data_format='NCHW')",
            False,
        ),
        (
            "lambda x: [tf.scatter_nd([[0]] * 9000, tf.ones((9000, 9)), (1, 9)) for i in range(99)]",
            True,
        ),
    ],
)
def test_what_takes_long_beside_its_size_is_charged_for_it(text, refused):
    function = made(text)
    if refused:
        with pytest.raises(SandboxError, match="steps"):
            function(np.ones((3, 3)))
    else:
        assert np.isfinite(function(np.ones((3, 3)))).all()


@pytest.mark.parametrize("call", ["tf.stack([t])", "tf.concat([t], 0)", "tf.stack([t] * 9)"])
def test_lists_that_share_their_parts_are_looked_at_within_the_steps(call):
    """2 ** 40 lists: whether one of them holds an extent that is not known."""
    text = f"def f(x):\n t = (1, 1)\n for i in range(40):\n  t = (t, t)\n return {call}"
    with pytest.raises(SandboxError) as caught:
        made(text)(1)
    assert caught.value.code in ("SS502", "SS504")


@pytest.mark.parametrize(
    "body",
    [
        # One wide array widens them all.
        "K.sum([x] * 40 + [x * 1j])",
        "x + ([x] * 40 + [x * 1j])",
        "tf.scan(lambda a, i: x if i[0] < 40 else x * 1j, K.reshape(np.arange(42), (42, 1)), 0)",
    ],
)
def test_arrays_in_a_sequence_are_charged_for_the_widest_of_them(body):
    x = np.ones((200, 1000), bool)
    with pytest.raises(SandboxError, match="bytes of arrays"):
        made(f"lambda x: {body}", array_bytes=100_000_000)(x)


@pytest.mark.parametrize("digits", [2**31 - 1, -(2**31), 10**6])
def test_digits_to_round_to_are_few(digits):
    """NumPy works out the power of ten by as many products: three seconds for 2 ** 31."""
    for call in (f"np.round(x, {digits})", f"x.round({digits})", f"np.around(x, {digits})"):
        with pytest.raises(SandboxError):
            made(f"lambda x: {call}")(np.ones(3))
    assert made("lambda x: np.round(x, -2)")(np.full(3, 1234.0)).tolist() == [1200.0] * 3


@pytest.mark.parametrize(
    ("call", "item"),
    [
        ("np.repeat(1j, 1_000_000)", 16),
        ("np.tile(1j, 1_000_000)", 16),
        ("np.repeat(0, 1_000_000)", 8),
        ("K.arange(1_000_000)", 12),
    ],
)
def test_numbers_are_charged_as_wide_as_they_become(call, item):
    with pytest.raises(SandboxError, match="bytes of arrays"):
        made(f"lambda: {call}", array_bytes=item * 1_000_000 - 1)()


def test_arrays_in_a_sequence_cost_what_they_make():
    x = np.ones((1000, 1000), np.uint8)
    assert made("lambda x: K.max([x, x, x])", array_bytes=30_000_000)(x) == 1


def test_a_constant_of_keras_2_is_a_float():
    """Two whole numbers would be added up in 32 bits, and wrap."""
    assert made("lambda: K.sum(K.constant([2000000000, 2000000000]))")() == 4e9
    assert made("lambda: K.constant([1, 2], dtype='int32')")().dtype == np.int32
