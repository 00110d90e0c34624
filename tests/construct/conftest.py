"""What several files of these tests start from."""

from __future__ import annotations

import pytest
from construct.usual import OBJECTS

from secure_serial.registry import get_custom_objects


@pytest.fixture(scope="module")
def usual_classes():
    """The classes of `usual` are the program's own for the whole process."""
    get_custom_objects().update(OBJECTS)
    yield
    for name in OBJECTS:
        get_custom_objects().pop(name)
