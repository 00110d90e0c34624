"""What TensorFlow 2.21 and Keras 2 (tf_keras 2.21) make of the same expressions, on CPU.

`tensorflow.json` holds a row for each: the shape of `x`, the function, and for each array that came
of it its type, shape and values to seven digits. Items of `x` are `(37 i + 11) mod 101 / 101`.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from sandbox.making import made

ROWS = json.loads(Path(__file__).with_name("tensorflow.json").read_text("utf-8"))
#: JAX has no numbers of 64 bits here.
NARROW = {"int64": "int32", "float64": "float32", "complex128": "complex64"}


def argument(shape):
    count = int(np.prod(shape))
    return (((np.arange(count) * 37 + 11) % 101) / 101).astype("float32").reshape(shape)


def compared(row, got):
    several = list(got) if isinstance(got, (list, tuple)) else [got]
    assert len(several) == len(row["gives"])
    for mine, wanted in zip(map(np.asarray, several), row["gives"], strict=True):
        values = np.asarray(wanted["values"])
        if wanted["dtype"].startswith("complex"):
            values = values[..., 0] + 1j * values[..., 1]
        assert list(mine.shape) == wanted["shape"]
        narrow = NARROW.get(wanted["dtype"], wanted["dtype"])
        assert mine.dtype.name in (wanted["dtype"], narrow)
        np.testing.assert_allclose(mine.ravel(), values, rtol=3e-5, atol=3e-6)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["function"][:60])
def test_numpy_gives_what_tensorflow_gave(row):
    compared(row, made(row["function"])(argument(row["of"])))


@pytest.mark.keras
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["function"][:60])
def test_keras_gives_what_tensorflow_gave(row):
    keras = pytest.importorskip("keras")
    from secure_serial.construct.keras.ops import KerasOps

    given = keras.ops.convert_to_tensor(argument(row["of"]))
    got = made(row["function"], ops=KerasOps())(given)
    convert = keras.ops.convert_to_numpy
    compared(row, [convert(e) for e in got] if isinstance(got, (list, tuple)) else convert(got))
