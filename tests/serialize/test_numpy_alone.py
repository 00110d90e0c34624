"""NumPy without Keras: the same nodes, with the dtype names that the format knows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numpy")

CODE = """
import sys
import numpy as np
from secure_serial.serialize import serialize_keras_object as written
node = {"class_name": "__numpy__", "config": {"value": [[1.0, 2.0]], "dtype": "float16"}}
assert written(np.array([[1, 2]], "float16")) == node
assert type(written(np.array([1]))["config"]["value"][0]) is int
assert written(np.float32(0.5)) == 0.5 and type(written(np.float32(0.5))) is float
assert written(np.array(3)) == 3
for refused in (np.array(["a"]), np.array([object()]), np.array(["2020"], "M8[Y]")):
    try:
        written(refused)
    except ValueError as error:
        assert "dtype" in str(error)
    else:
        raise AssertionError(refused)
assert "keras" not in sys.modules
print("done")
"""


def test_arrays_are_written_without_keras():
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "done", done.stderr
