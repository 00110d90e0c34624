"""What models of 2017 to 2024 ask of their functions beside plain arrays: variables, numbers drawn at
random, and numbers made of a dimension that is not known yet."""

from __future__ import annotations

import json
import logging
import warnings

import pytest

from secure_serial import SandboxError, deserialize_keras_object, load_model, parse_policy
from secure_serial.errors import ConstructionError
from secure_serial.lambdas.understood import from_source

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]


def since(*version):
    installed = tuple(map(int, keras.version().split(".")[:2]))
    return pytest.mark.skipif(installed < version, reason="this Keras has it not")


ops = keras.ops
WALLED = parse_policy(
    'schema = 1\nextends = "sandbox"\nsandbox.evaluation = "process"', "walled.toml"
)
X = np.random.default_rng(5).standard_normal((3, 4, 6)).astype("float32")


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.CRITICAL, "secure_serial.audit")


@pytest.fixture
def _on_jax():
    if keras.backend.backend() != "jax":
        pytest.skip("what JAX asks of functions")


def layer(text, policy):
    """A Lambda layer as old files hold it, without the shape of its output."""
    config = {"name": "l", "function": {"class_name": "__lambda__", "config": {}}}
    config["function"]["config"]["secure_serial"] = from_source(text).own_form()
    node = {"module": "keras.layers", "class_name": "Lambda", "config": config}
    return deserialize_keras_object(node, policy=policy, safe_mode=False)


def model(text, policy):
    given = keras.Input(X.shape[1:])
    return keras.Model(given, layer(text, policy)(given))


# Variables: regularizers and constraints get them, not arrays.


@since(3, 15)  # Keras took no functions there
@pytest.mark.parametrize("place", ["kernel_regularizer", "kernel_constraint"])
def test_functions_of_variables_are_trained_with(place, tmp_path):
    function = {
        "kernel_regularizer": lambda w: 0.5 * ops.sum(ops.square(w)),
        "kernel_constraint": lambda w: ops.clip(w, -0.1, 0.1),
    }[place]

    def trained(made):
        made.compile("sgd", "mse")
        made.fit(X[:, 0], X[:, 1, :2], verbose=0, shuffle=False)
        return ops.convert_to_numpy(made.layers[-1].kernel)

    keras.utils.set_random_seed(2)
    made = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2, **{place: function})])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", policy="sandbox", safe_mode=False)
    np.testing.assert_allclose(trained(again), trained(made), rtol=1e-5)


# Numbers drawn at random: anew for each call, also in a program that was compiled once.

DRAWS = [
    "lambda x: x + K.random_normal((K.shape(x)[0], 4, 6))",
    "lambda x: x * tf.random.uniform(tf.shape(x))",
    "lambda x: x + tf.random.truncated_normal(tf.shape(x))",
    "lambda x: tf.nn.dropout(x, rate=0.5)",
]


@pytest.mark.usefixtures("_on_jax")
@pytest.mark.parametrize("text", DRAWS)
@pytest.mark.parametrize("policy", ["sandbox", WALLED], ids=["in-process", "process"])
def test_each_prediction_draws_anew(text, policy):
    made = model(text, policy)
    assert made.output_shape == (None, 4, 6)
    one, other = (made.predict(X, verbose=0) for _ in range(2))
    assert np.isfinite(one).all()
    assert not np.allclose(one, other)


@pytest.mark.usefixtures("_on_jax")
def test_two_draws_of_one_call_differ_and_keras_seeds_them():
    def drawn():
        keras.utils.set_random_seed(7)
        text = "lambda x: K.random_normal(K.shape(x)) - K.random_normal(K.shape(x))"
        return model(text, "sandbox").predict(X, verbose=0)

    assert np.abs(drawn()).min() > 0
    np.testing.assert_array_equal(drawn(), drawn())


@pytest.mark.usefixtures("_on_jax")
def test_a_sampling_layer_trains():
    given = keras.Input((6,))
    mean, spread = keras.layers.Dense(2)(given), keras.layers.Dense(2)(given)
    text = (
        "def sampling(args):\n    mean, log_var = args\n"
        "    noise = K.random_normal(shape=(K.shape(mean)[0], 2))\n"
        "    return mean + K.exp(log_var / 2) * noise\n"
    )
    made = keras.Model(given, layer(text, "sandbox")([mean, spread]))
    made.compile("adam", "mse")
    before = [ops.convert_to_numpy(each) for each in made.trainable_variables]
    assert np.isfinite(made.fit(X[:, 0], X[:, 1, :2], epochs=2, verbose=0).history["loss"]).all()
    for one, other in zip(before, made.trainable_variables, strict=True):
        assert not np.array_equal(one, ops.convert_to_numpy(other))


# Dimensions that are not known while Keras infers shapes, used as the numbers that they will be.

SHAPES = [
    ("lambda x: x * K.cast(K.shape(x)[0], 'float32')", (None, 4, 6), lambda x: x * 3),
    ("lambda x: tf.reshape(x, tf.convert_to_tensor([tf.shape(x)[0], 4, 3, 2]))", (None, 4, 3, 2),
     lambda x: x.reshape(3, 4, 3, 2)),
    ("lambda x: K.reshape(x, K.stack([K.shape(x)[0] * 2, -1]))", (None, 12), lambda x: x.reshape(6, 12)),
    ("lambda x: tf.eye(tf.shape(x)[0])", (None, None), lambda x: np.eye(3)),
    ("lambda x: x[K.shape(x)[0] - 1]", (4, 6), lambda x: x[2]),
    ("lambda x: [x[:, 0], K.arange(0, K.shape(x)[0])]", [(None, 6), (None,)],
     lambda x: [x[:, 0], np.arange(3)]),
    ("lambda x: K.ones((K.shape(x)[0] ** 2 + 1, 2)) * tf.cast(tf.shape(x)[0], 'float32')", (None, 2),
     lambda x: np.full((10, 2), 3)),
]  # fmt: skip


@pytest.mark.usefixtures("_on_jax")
@pytest.mark.parametrize(("text", "shape", "wanted"), SHAPES)
@pytest.mark.parametrize("policy", ["sandbox", WALLED], ids=["in-process", "process"])
def test_a_dimension_that_is_not_known_yet_is_computed_with(text, shape, wanted, policy):
    made = model(text, policy)
    assert made.output_shape == shape
    found = made(X)  # at once, since Keras's own `predict` joins batches
    for mine, theirs in zip(keras.tree.flatten(found), keras.tree.flatten(wanted(X)), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(mine), theirs, rtol=1e-5)


@pytest.mark.usefixtures("_on_jax")
@since(3, 12)  # JAX has no terms for sizes
@pytest.mark.parametrize(
    "text",
    ["lambda x: tf.zeros((2 ** tf.shape(x)[0], 2))", "lambda x: x[K.shape(x)[0] + 99:][10 ** 9]"],
)
def test_what_cannot_be_told_is_refused(text):
    with pytest.raises((SandboxError, NotImplementedError)):
        model(text, "sandbox")


@pytest.mark.usefixtures("_on_jax")
@since(3, 12)  # JAX has no terms for sizes
def test_a_program_that_is_exported_never_gets_zeros():
    import jax

    function = layer("lambda x: x * K.cast(K.shape(x)[0], 'float32')", "sandbox").function
    (batch,) = jax.export.symbolic_shape("batch")
    given = jax.ShapeDtypeStruct((batch, 4), "float32")
    with pytest.raises(SandboxError):
        jax.export.export(jax.jit(function))(given)


# Gradients, which the worker has not.


@pytest.mark.usefixtures("_on_jax")
def test_training_through_the_worker_says_what_would_train():
    made = keras.Sequential(
        [keras.Input((4, 6)), keras.layers.Dense(2), layer("lambda x: x * 2", WALLED)]
    )
    made.compile("sgd", "mse")
    with pytest.raises(SandboxError, match="no gradient") as caught:
        made.fit(X, X[..., :2], verbose=0)
    assert "in-process" in caught.value.help


@pytest.mark.usefixtures("_on_jax")
def test_what_needs_no_gradient_is_trained_beside():
    given = keras.Input((4, 6))
    made = keras.Model(given, keras.layers.Dense(2)(layer("lambda x: x / 2", WALLED)(given)))
    metric = layer("lambda y, p: K.mean(K.abs(y - p))", WALLED).function
    made.compile("sgd", "mse", metrics=[metric])
    history = made.fit(X, X[..., :2], verbose=0).history
    assert len(history) == 2
    assert all(np.isfinite(each).all() for each in history.values())


# Arguments of an earlier Keras, which the layers of today have not.


def test_what_fails_for_its_age_says_what_brings_it_into_todays_form(tmp_path):
    made = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    old = json.loads(made.to_json())
    old["keras_version"] = "2.12.0"
    old["config"]["layers"][1]["config"]["mask_type"] = "raw"
    (tmp_path / "m.json").write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(ConstructionError) as caught:
        load_model(tmp_path / "m.json")
    assert "migrate=True" in caught.value.help
