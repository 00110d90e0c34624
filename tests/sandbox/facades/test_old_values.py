"""What TensorFlow and Keras 2 computed is computed here: by NumPy and by Keras's tensors alike.

The values of `tensorflow_values.json` are those of the version that it names. Numbers of 64 bits that
TensorFlow makes by itself have 32 here (docs/sandbox.md).
"""

import json
from pathlib import Path

import numpy as np
import pytest
from sandbox.making import made

from secure_serial.errors import SandboxError

CASES = json.loads((Path(__file__).parent / "tensorflow_values.json").read_text("utf-8"))["cases"]
NAMES = [f"{case['call']} of {case['dtype']}" for case in CASES]
SHORT = {"int64": "int32", "float64": "float32"}


def same(wanted, got):
    """Whether a result has the values, shape and type that the data say."""
    if isinstance(wanted, dict):
        assert SHORT.get(str(got.dtype), str(got.dtype)) == SHORT.get(
            wanted["dtype"], wanted["dtype"]
        )
        value = np.asarray(wanted["value"])
        assert got.shape == value.shape
        np.testing.assert_allclose(np.asarray(got, "float64"), value, rtol=2e-3 if
                                   wanted["dtype"] == "float16" else 1e-5, atol=2e-6)  # fmt: skip
    elif isinstance(wanted, list) and any(isinstance(each, dict) for each in wanted):
        assert len(wanted) == len(got)
        for one, other in zip(wanted, got, strict=True):
            same(one, other)
    else:
        assert np.array_equal(wanted, got)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_numpy_gives_what_tensorflow_gave(case):
    same(case["gives"], made(f"lambda x: {case['call']}")(np.asarray(case["x"], case["dtype"])))


@pytest.mark.keras
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_tensors_give_what_tensorflow_gave(case):
    keras = pytest.importorskip("keras")
    from secure_serial.construct.keras.ops import KerasOps

    x = keras.ops.convert_to_tensor(np.asarray(case["x"], case["dtype"]))
    got = made(f"lambda x: {case['call']}", ops=KerasOps())(x)

    def plain(value):
        if isinstance(value, (list, tuple)):
            return [plain(each) for each in value]
        return keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value

    same(case["gives"], plain(got))


@pytest.mark.keras
def test_a_mean_of_many_whole_numbers_does_not_wrap_round():
    keras = pytest.importorskip("keras")
    from secure_serial.construct.keras.ops import KerasOps

    function = made("lambda x: tf.reduce_mean(x)", ops=KerasOps())
    many = np.full((300, 300), 255, "uint8")
    assert int(function(keras.ops.convert_to_tensor(many))) == 255
    wide = np.full((300, 300), 90_001, "int32")
    assert made("lambda x: tf.reduce_mean(x)")(wide) == 90_001
    if keras.backend.backend() == "jax":
        with pytest.raises(SandboxError, match="32 bits"):
            function(keras.ops.convert_to_tensor(wide))


@pytest.mark.parametrize("call", [
    "tf.norm(x, 'fro')", "tf.norm(x, 0)", "tf.norm(x, 3, [0, 1])", "tf.norm(x, 'nuc', [0, 1])",
    "K.argmax(x, axis=None)", "K.resize_images(x, 2, 2, 'channels_last')", "tf.eye(2, batch_shape=[3])",
    "tf.gather_nd(x, [[0], [1]], batch_dims=1)", "tf.pad(x, [[1, 0], [0, 2]], 'CONSTANT', None, 5)",
    "K.batch_normalization(x, 0.0, 1.0, None, None, 1)", "tf.reduce_sum(x, 0, False, True)",
    "tf.reduce_mean(tf.cast(x[:0], tf.int32))", "tf.nn.l2_normalize(x * 1j)",
    "tf.nn.batch_normalization(tf.cast(x, tf.int32), 0, 1, None, None, 1)",
    "tf.image.rgb_to_grayscale(tf.cast(x, tf.int32))",
])  # fmt: skip
def test_what_would_give_another_value_is_refused(call):
    with pytest.raises(SandboxError):
        made(f"lambda x: {call}")(np.ones((2, 3), "float32"))
