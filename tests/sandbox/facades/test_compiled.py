"""A backend that compiles: each form of an operation is paid for once in a call, before the work.

Technique: keep the compiler busy, whose time neither steps nor sizes show (JAX takes some 40 ms
for each new shape, axis or index).
"""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from sandbox.making import made

from secure_serial.construct.keras.ops import KerasOps
from secure_serial.errors import SandboxError

pytestmark = [
    pytest.mark.keras,
    pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX alone compiles operations"),
]
X = np.arange(600, dtype="float32").reshape(2, 300)

#: Those that were timed took JAX between 3 and 43 seconds of the processor. Some have one shape and one place of
#: every value: what is compiled depends on an axis that dots hide, on the start of a window with
#: steps, on how many items are true, on a number in an array, or on a function made anew.
BOMBS = """
[x[:, i:] for i in range(300)]
[x[:, :i] + 1 for i in range(300)]
[-x[:, :i] for i in range(300)]
[abs(x[:, :i]) for i in range(300)]
[x[:, :i] < 3 for i in range(300)]
[1 in x[0, :i] for i in range(300)]
[x.mean(axis=0)[:i].sum() for i in range(300)]
[K.zeros((i,)) for i in range(300)]
[K.logsumexp(x[:, :i]) for i in range(1, 300)]
[K.reshape(x[:, :2 * i], (i, 4)) for i in range(1, 150)]
[K.switch(K.sum(x[:, :i]) > 0, lambda: x + 1, lambda: x * 2) for i in range(1, 300)]
[v for i in range(1, 9) for v in K.transpose(x[:, i:])]
K.map_fn(lambda v: sum([K.sum(v + i) for i in range(200)]), x)
K.switch(K.sum(x) > 0, lambda: sum([K.sum(x) for _ in range(150)]), lambda: K.sum(x))
K.concatenate([x] * 3000)
K.stack([x] * 3000)
K.sum([x] * 3000)
tf.add_n([x[:, :i] for i in range(300)])
np.array_split(x, 300, 1)
np.split(x, [i for i in range(299)], 1)
tf.meshgrid(*[x[0, :1]] * 60)
tf.nn.lrn(K.reshape(x, (2, 3, 10, 10)), 60)
[x[..., :i] for i in range(300)]
[x[:, i:i + 20:2] for i in range(280)]
[x[:, i + 20:i:-3] for i in range(280)]
[x[:, :K.shape(x)[1] - i] for i in range(300)]
[x[x > i] for i in range(300)]
[x[:, [i] * (i + 1)] for i in range(300)]
[tf.where(x > i) for i in range(300)]
[np.nonzero(x > i) for i in range(300)]
[x ** i for i in range(300)]
[K.pow(x, i) for i in range(300)]
[tf.pow(x, K.shape(x)[0] + i) for i in range(300)]
[K.arange(K.shape(x)[0] + i) for i in range(300)]
[K.arange(x[0, 0] + i) for i in range(300)]
[tf.image.central_crop(K.reshape(x, (2, 10, 30, 1)), K.shape(x)[0] / 2 - i / 400) for i in range(300)]
[K.switch(x[0, 0] > i, lambda: x, lambda: x + 1) for i in range(300)]
[K.map_fn(lambda v: v, x) for i in range(300)]
[keras.ops.segment_sum(x, [0, i]) for i in range(300)]
""".strip().splitlines()


@pytest.mark.parametrize("body", BOMBS)
def test_keeping_the_compiler_busy_ends_by_steps(body):
    function = made(f"lambda x: {body}", ops=KerasOps())
    with pytest.raises(SandboxError, match="compiles each new form") as caught:
        function(keras.ops.convert_to_tensor(X))
    assert caught.value.code == "SS502"


#: The same form again costs nothing: other numbers, other items, windows of one length.
USUAL = """
[x[:, i] for i in range(300)]
[x[:, i:i + 2] + i for i in range(298)]
[K.sum(x * i) for i in range(300)]
np.split(x, 300, 1)
tf.split(x, 100, axis=1)
tf.unstack(x, axis=1)
K.stack([v for v in K.transpose(x)])
K.map_fn(lambda v: sum([K.sum(v * i) for i in range(20)]), x)
[x[..., i:i + 2] + i for i in range(298)]
[x[:, K.shape(x)[0] + i:K.shape(x)[0] + i + 2] for i in range(290)]
[x ** (i + 0.5) for i in range(30)]
""".strip().splitlines()


@pytest.mark.parametrize("body", USUAL)
def test_forms_that_are_known_cost_nothing(body):
    function = made(f"lambda x: {body}", ops=KerasOps())
    wanted = made(f"lambda x: {body}")(X) if "map_fn" not in body else None
    got = function(keras.ops.convert_to_tensor(X))
    if wanted is not None:
        assert len(wanted) == len(got)
        for one, other in zip(wanted, got, strict=True):
            np.testing.assert_allclose(one, keras.ops.convert_to_numpy(other), rtol=1e-5)


@pytest.mark.parametrize("call", ["np.split(x, 7, 1)", "tf.unstack(x, 7, 1)", "np.split(x, 3, 5)"])
def test_parts_that_do_not_fit_are_refused_as_by_numpy(call):
    for x, ops in [(X, None), (keras.ops.convert_to_tensor(X), KerasOps())]:
        with pytest.raises(SandboxError):
            (made(f"lambda x: {call}", ops=ops) if ops else made(f"lambda x: {call}"))(x)


def test_no_items_are_split_into_no_items():
    function = made("lambda x: np.split(x, 3, 1)", ops=KerasOps())
    assert [each.shape for each in function(keras.ops.zeros((2, 0)))] == [(2, 0)] * 3


def test_what_is_traced_is_bounded_as_well():
    import jax

    function = made("lambda x: [K.sum(x + i) for i in range(1500)]", ops=KerasOps())
    with pytest.raises(SandboxError, match="compiles each new form"):
        jax.jit(function)(X)
