"""The catalogue is of Keras as it is installed, not as a gated load in this process left it."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def keras_as_it_is_installed():
    """Take the gates out of Keras for a test of the catalogue, and put them back after it."""
    if "secure_serial.construct.keras.doors" not in sys.modules:
        yield
        return
    from secure_serial.construct.keras.doors import DOORS

    taken = []
    for door in DOORS:
        for name in (door.module, *door.copies):
            place = sys.modules.get(name)
            holder = getattr(place, door.holder, None) if door.holder else place
            gated = vars(holder).get(door.name) if holder is not None else None
            if getattr(gated, "__module__", "") and hasattr(gated, "__wrapped__"):
                taken.append((holder, door.name, gated))
    for holder, name, gated in taken:
        setattr(holder, name, gated.__wrapped__)
    yield
    for holder, name, gated in taken:
        setattr(holder, name, gated)
