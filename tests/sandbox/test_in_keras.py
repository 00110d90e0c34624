"""Restricted functions in Keras: in models, in training, and while JAX traces them."""

import inspect

import numpy as np
import pytest

pytest.importorskip("keras")
pytestmark = pytest.mark.keras

X = np.arange(1, 9, dtype="float32").reshape(2, 4)
TEXTS = [
    "lambda x: x / 127.5 - 1", "lambda x: 1 - x", "lambda x: x ** 2 + (x > 0)", "lambda x: -x % 3",
    "lambda x: x[:, :2] * [1.0, 2.0]", "lambda x: x - [1.0, 2.0, 3.0, 4.0]", "lambda x: x[..., None]",
    "lambda x: x[[0]]", "lambda x: x @ np.ones((4, 3), 'float32')", "lambda x: abs(-x)",
    "lambda x: x if x.shape[-1] == 4 else -x", "lambda x: sum([x[:, i] for i in range(3)])",
    "lambda x: K.mean(x, axis=1)", "lambda x: tf.stack([x, x * 2], axis=1)", "lambda x: x.T @ x",
    "lambda x: tf.reshape(x, (-1, x.shape[1]))", "lambda x: x[:, 0] < x[:, 1]",
    "lambda x: python2_divide(x, 2)", "lambda x: x * K.epsilon() + math.pi", "lambda x: 2 ** x",
    "lambda x: (lambda f: f(f(x)))(lambda v: v * 2)", "lambda x: 1 < x.shape[1] < 9 and x",
    "lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: -x)", "lambda x: tf.map_fn(lambda r: r * 2, x)",
    "lambda x: x[..., ::-1]", "lambda x: x[:, ::-2][:, None, 1:]", "lambda x: x[:, 3:0:-1]",
    "lambda x: K.switch(K.sum(x) > 99, lambda: x * 3, lambda: x * 2)",
]  # fmt: skip


NOT_TENSORFLOWS = {"lambda x: x ** 2 + (x > 0)", "lambda x: x[[0]]"}


@pytest.fixture(scope="module")
def provider():
    from secure_serial.construct.keras.ops import KerasOps

    return KerasOps()


def plain(value):
    import keras

    return keras.ops.convert_to_numpy(value)


@pytest.mark.parametrize("text", TEXTS)
def test_tensors_and_layers_give_what_numpy_gives(text, provider):
    import keras

    from .making import made

    if keras.backend.backend() == "tensorflow" and text in NOT_TENSORFLOWS:
        pytest.skip("its own tensors refuse it")
    function = made(text, ops=provider)
    expected = function(X)
    assert np.allclose(plain(function(keras.ops.convert_to_tensor(X))), expected, atol=1e-5)
    if "x.T" in text or "[[0]]" in text:  # not of one example alone
        return
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Lambda(function)(inputs))
    assert np.allclose(model.predict(X, verbose=0), expected, atol=1e-5)


def test_layer_finds_mask_and_training(provider):
    import keras

    from .making import made

    function = made("lambda x, mask=None, *, training=False: x", ops=provider)
    assert "mask" in inspect.getfullargspec(function).args
    assert keras.layers.Lambda(function)._fn_expects_mask_arg


def test_traced_by_jax_with_gradients(provider):
    jax = pytest.importorskip("jax")
    import keras

    from .making import made

    if keras.backend.backend() != "jax":
        pytest.skip("another backend")
    function = made("lambda x: K.sum(K.square(x[:, :3]) / 2 - x[:, 1:] * 3)", ops=provider)
    raw = lambda x: jax.numpy.sum(x[:, :3] ** 2 / 2 - x[:, 1:] * 3)  # noqa: E731
    assert np.allclose(jax.jit(function)(X), raw(X))
    assert np.allclose(jax.jit(jax.grad(function))(X), jax.grad(raw)(X))


def test_model_trains_through_it(provider):
    import keras

    from .making import made

    keras.utils.set_random_seed(1)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(3)(inputs)
    scaled = keras.layers.Lambda(made("lambda x: x * 0.5 + K.mean(x)", ops=provider))(hidden)
    model = keras.Model(inputs, keras.layers.Dense(1)(scaled))
    model.compile("sgd", "mse")
    before = [plain(each) for each in model.trainable_variables]
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    after = [plain(each) for each in model.trainable_variables]
    assert not any(np.allclose(one, two) for one, two in zip(before[:1], after[:1], strict=True))


@pytest.mark.parametrize("text", [
    "lambda x: [x + i for i in range(10 ** 6)]", "lambda x: tf.zeros((10 ** 6, 10 ** 6)) + x[0, 0]",
    "lambda x: x[:, None] * tf.zeros((10 ** 5, 10 ** 5, 1, 1))", "lambda x: x.device()", "lambda x: x.at",
    "lambda x: x.addressable_data(0)", "lambda x: x.sharding", "lambda x: x._value", "lambda x: x.block_until_ready()",
    "lambda x: f'{x}'", "lambda x: {x: 1}", "lambda x: x in [x]", "lambda x: x == 'a'", "lambda x: x * ['a']",
])  # fmt: skip
def test_attacks_on_tensors_are_refused(text, provider):
    import keras

    from secure_serial.errors import SecureSerialError

    from .making import made

    for value in (keras.ops.convert_to_tensor(X), keras.KerasTensor((None, 4))):
        with pytest.raises(SecureSerialError):
            made(text, ops=provider)(value)


def test_tensors_need_a_provider():
    import keras

    from secure_serial.errors import SandboxError

    from .making import made

    with pytest.raises(SandboxError):
        made("lambda x: x")(keras.KerasTensor((None, 4)))
