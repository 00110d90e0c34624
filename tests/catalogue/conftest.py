"""The catalogue is of Keras as it is installed, not as a gated load in this process left it."""

from __future__ import annotations

import sys
from types import FunctionType

import pytest


@pytest.fixture(autouse=True)
def keras_as_it_is_installed():
    """Take the gates out of Keras for a test of the catalogue, and put them back after it."""
    if "secure_serial.construct.keras.doors" not in sys.modules:
        yield
        return
    holders = [*(m for name, m in sys.modules.items() if name.startswith("keras"))]
    variables = sys.modules.get("keras.src.backend.common.variables")
    holders += [variables.Variable] if variables is not None else []
    taken = [
        (holder, name, value)
        for holder in holders
        for name, value in list(vars(holder).items())
        if isinstance(value, FunctionType) and getattr(value, "is_gate", False)
    ]
    for holder, name, gated in taken:
        setattr(holder, name, gated.__wrapped__)
    yield
    for holder, name, gated in taken:
        setattr(holder, name, gated)
