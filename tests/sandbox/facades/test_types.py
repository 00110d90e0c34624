"""Types as values: they compare, have attributes of TensorFlow's, and limits of NumPy's."""

import numpy as np
import pytest
from sandbox.making import made

from secure_serial.errors import SandboxError

X = np.ones((2, 3), "float32")


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("x.dtype == np.float32", True), ("np.float32 == x.dtype", True),
        ("x.dtype != np.float16", True), ("x.dtype in (np.float32, np.float64)", True),
        ("x.dtype is tf.float32", True), ("x.dtype.name", "float32"),
        ("tf.float32.max", 3.4028234663852886e38), ("tf.uint8.max", 255), ("tf.int8.min", -128),
        ("tf.bfloat16.max", 3.3895313892515355e38), ("x.dtype.is_floating", True),
        ("tf.int32.size", 4), ("np.iinfo(np.int16).min", -32768), ("np.finfo(float).bits", 64),
        ("float(np.finfo(x.dtype).eps)", 1.1920928955078125e-07),
    ],
)  # fmt: skip
def test_types_tell_what_they_are(expression, wanted):
    assert made(f"lambda x: {expression}")(X) == wanted


@pytest.mark.parametrize(
    "expression",
    [
        "'abc'.name", "'object'.max", "tf.complex64.max", "np.finfo('int32')", "np.finfo('O')",
        "np.iinfo(x)", "np.finfo(lambda: 0)", "np.finfo(x.dtype)", "(x, x).values", "(1, 2).indices",
        "x.dtype < np.float32", "tf.image.resize(x, (2, 2), preserve_aspect_ratio=True)",
        "tf.nn.dropout(x, 0.3)", "tf.nn.dropout(x)", "tf.nn.dropout(x, rate=1.5)",
    ],
)  # fmt: skip
def test_what_is_no_type_or_says_another_thing_is_refused(expression):
    with pytest.raises(SandboxError):
        made(f"lambda x: {expression}")(X)
