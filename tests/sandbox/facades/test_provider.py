"""Keras's tensors behind the facades: symbolic, traced, and of unknown size."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from sandbox.making import made

from secure_serial.construct.keras.ops import KerasOps
from secure_serial.errors import SandboxError
from secure_serial.sandbox.facades import attribute, is_array, ops, root

pytestmark = pytest.mark.keras
X = np.random.RandomState(3).standard_normal((2, 4, 3)).astype("float32")
IMAGE = np.random.RandomState(4).standard_normal((2, 4, 4, 3)).astype("float32")

#: Functions as old models hold them.
FUNCTIONS = [
    ("lambda x: tf.map_fn(lambda v: v * 2, x)", X),
    ("lambda x: tf.image.resize(x, (8, 8))", IMAGE),
    ("lambda x: tf.space_to_depth(x, 2)", IMAGE),
    ("lambda x: tf.nn.lrn(x)", IMAGE),
    ("lambda x: K.batch_dot(x, x, axes=[1, 1])", X),
    ("lambda x: x.get_shape().as_list()[1] * x", X),
    ("lambda x: tf.reshape(x, [tf.shape(x)[0], -1])", X),
    ("lambda x: K.reshape(x, (K.shape(x)[0], 2, 6))", X),
    ("lambda x: K.reshape(x, (K.int_shape(x)[0], 12))", X),
    ("lambda x: K.reshape(x, (-1, K.int_shape(x)[1] * 3))", X),
    ("lambda x: tf.zeros((tf.shape(x)[0], 5)) + K.mean(x, axis=1)[:, :1]", X),
    ("lambda x: tf.image.resize(x, tf.shape(x)[1:3] * 2)", IMAGE),
    ("lambda x: tf.image.resize(x, K.shape(x)[1:3] * K.constant([2, 2], dtype='int32'))", IMAGE),
    ("lambda x: tf.reshape(x, tf.concat([tf.shape(x)[:1], [3, 4]], 0))", X),
    ("lambda x: tf.reshape(x, tf.concat([tf.shape(x)[:-1], [1, -1]], axis=0))", X),
    ("lambda x: tf.reshape(x, tf.stack([tf.shape(x)[0], -1]))", X),
    ("lambda x: K.reshape(x, K.concatenate([K.shape(x)[:1], [-1]], 0))", X),
    ("lambda x: tf.reshape(x, [tf.unstack(tf.shape(x))[0], -1])", X),
    ("lambda x: (lambda b, h, c: tf.reshape(x, [b, h * c]))(*tf.shape(x))", X),
    ("lambda x: tf.ones(tf.stack([tf.shape(x)[0], 3])) + x[:, 0]", X),
    ("lambda x: x / tf.cast(tf.reduce_prod(tf.shape(x)[1:]), tf.float32)", X),
    ("lambda x: x + tf.cast(tf.range(tf.shape(x)[2]), tf.float32)", X),
    ("lambda x: tf.broadcast_to(x[:, :1], tf.shape(x))", X),
    ("lambda x: tf.reshape(x, tf.shape(x))[:, :tf.shape(x)[1] // len(tf.shape(x))]", X),
    ("lambda x: x * np.array([1.0, 2.0, 3.0])", X),
    ("lambda x: K.l2_normalize(x, axis=1)", X),
    ("lambda x: x.mean(axis=1)", X),
    ("lambda x: K.cast(K.greater(x, 0.5), 'float32')", X),
    ("lambda x: tf.split(x, 3, axis=2)[0]", X),
    ("lambda x: tf.one_hot(tf.cast(x, tf.int32), 5)", X),
    ("lambda x: K.resize_images(x, 2, 2, 'channels_last')", IMAGE),
    ("lambda x: K.switch(K.greater(x, 0.5), x, K.zeros_like(x))", X),
    ("lambda x: tf.pad(x, [[0, 0], [1, 1], [0, 0]], 'REFLECT')", X),
    ("lambda x: K.pool2d(x, (2, 2), strides=(2, 2), pool_mode='avg')", IMAGE),
    ("lambda x: tf.nn.relu(tf.einsum('bij,kj->bik', x, tf.ones((2, 3))))", X),
]


@pytest.mark.parametrize(("source", "x"), FUNCTIONS, ids=[source for source, _ in FUNCTIONS])
def test_layer_gives_what_numpy_gives(source, x):
    function = made(source, ops=KerasOps())
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, keras.layers.Lambda(function)(inputs))
    wanted = made(source)(x)
    got = model.predict(x, verbose=0)
    assert isinstance(wanted, np.ndarray)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("text", [
    "lambda x: tf.shape(x) * 2", "lambda x: tf.shape(x) + (1,)", "lambda x: K.shape(x)[:2] * 2",
    "lambda x: tf.cast(tf.shape(x), tf.float32)", "lambda x: tf.stack([tf.shape(x), tf.shape(x)])",
    "lambda x: tf.concat([tf.shape(x), x], 0)", "lambda x: tf.concat([tf.shape(x), [1]], 1)",
])  # fmt: skip
def test_unknown_extents_are_not_repeated_or_joined_like_a_tuple(text, provider):
    with pytest.raises(SandboxError):
        made(text, ops=provider)(keras.KerasTensor((None, 4, 3)))


@pytest.fixture
def provider():
    provider = KerasOps()
    token = ops.active.set(provider)
    yield provider
    ops.active.reset(token)


def test_symbolic_tensors_are_arrays(account, provider):
    tensor = keras.KerasTensor((None, 4, 3))
    assert is_array(tensor)
    assert attribute(tensor, "shape") == (None, 4, 3)
    assert attribute(tensor, "dtype") == "float32"
    assert root("K").member("mean")(tensor, axis=1).shape == (None, 3)
    assert provider.known(tensor) is None
    assert provider.find("os") is None


def test_unknown_dimension_stays_the_unknown_one(account, provider):
    tensor = keras.KerasTensor((None, 4, 3))
    reshape = root("tf").member("reshape")
    assert reshape(tensor, (None, -1)).shape == (None, 12)
    assert reshape(tensor, (None, 6, 2)).shape == (None, 6, 2)
    for wanted in [(None, None, 3), (None, 5, -1)]:
        with pytest.raises(SandboxError):
            reshape(tensor, wanted)
    with pytest.raises(SandboxError):
        reshape(keras.KerasTensor((None, None, 3)), (None, -1))


def test_sizes_of_tensors_are_checked_before_the_work(account, provider):
    tensor = keras.ops.zeros((10**5, 1))
    turned = keras.ops.zeros((1, 10**5))
    for name in ("add", "matmul", "maximum"):
        with pytest.raises(SandboxError, match="of arrays") as caught:
            root("ops").member(name)(tensor, turned)
        assert caught.value.code == "SS502"


def test_numbers_may_be_tensors_that_are_known(account, provider):
    two = keras.ops.convert_to_tensor(np.int32(2))
    assert root("tf").member("one_hot")([0, 1], two).shape == (2, 2)
    with pytest.raises(SandboxError):
        root("tf").member("one_hot")([0, 1], keras.ops.zeros((10**4,)))


def test_mapped_functions_are_paid_for_each_item():
    function = made("lambda x: tf.map_fn(lambda v: tf.zeros((1000, 1000)), x)", ops=KerasOps())
    with pytest.raises(SandboxError) as caught:
        function(keras.ops.zeros((10**4,)))
    assert caught.value.code == "SS502"


def test_tensors_in_a_sequence_become_one(account, provider):
    tensor = keras.ops.convert_to_tensor(X)
    total = root("tf").member("reduce_sum")([tensor, tensor], axis=0)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(total), 2 * X, rtol=1e-6)
    both = root("tf").member("concat")([tensor, X], 1)
    assert tuple(both.shape) == (2, 8, 3)
    with pytest.raises(SandboxError):
        root("K").member("batch_dot")(*[keras.KerasTensor((None, None, 3))] * 2)
