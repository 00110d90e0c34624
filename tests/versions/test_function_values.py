"""Functions out of files compute on each Keras what TensorFlow and Keras 2 computed of them.

With the newest one `tests/sandbox/facades` tells.
"""

import keras
import pytest
from sandbox.facades.test_old_values import CASES, NAMES
from sandbox.facades.test_old_values import (
    test_tensors_give_what_tensorflow_gave as as_in_old_keras,
)
from sandbox.facades.test_tensorflow import ROWS
from sandbox.facades.test_tensorflow import (
    test_keras_gives_what_tensorflow_gave as as_in_tensorflow,
)

from secure_serial.construct.keras.versions import NEWEST
from secure_serial.errors import SandboxError

NEW = tuple(map(int, keras.version().split(".")[:2])) >= NEWEST[:2]
pytestmark = [
    pytest.mark.keras,
    pytest.mark.skipif(NEW, reason="tests/sandbox/facades has it"),
]


def checked(check, given):
    try:
        check(given)
    except SandboxError as error:
        if "the backend has none" not in str(error):
            raise
        pytest.skip("this Keras has no such operation, and says so")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["function"][:60])
def test_an_expression(row):
    checked(as_in_tensorflow, row)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_call(case):
    checked(as_in_old_keras, case)
