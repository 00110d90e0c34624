"""Benign models that real projects build; every one must load as Keras itself would load it.

`ZOO` maps a name to a builder; each family fills it from a `zoo_….py` of its own. Nothing is
imported from Keras until a builder runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Model = Any


@dataclass(frozen=True)
class Specimen:
    """A model, an example of its inputs, and the custom objects it needs to load."""

    model: Model
    inputs: Any
    custom_objects: dict[str, object] = field(default_factory=dict)


ZOO: dict[str, Callable[[], Specimen]] = {}
#: Names of models that take more than a few seconds.
SLOW: set[str] = set()
#: Names of models that Keras itself cannot write to .h5 and read back.
NO_H5: set[str] = set()
#: Names of models whose policy must grant the custom classes by name.
CUSTOM: set[str] = set()


def specimen(
    *, slow: bool = False, h5: bool = True, custom: bool = False
) -> Callable[[Callable[[], Specimen]], Callable[[], Specimen]]:
    """Registers a builder under its function's name."""

    def register(build: Callable[[], Specimen]) -> Callable[[], Specimen]:
        name = build.__name__
        ZOO[name] = build
        for flag, names in ((slow, SLOW), (not h5, NO_H5), (custom, CUSTOM)):
            if flag:
                names.add(name)
        return build

    return register


def numbers(*shape: int) -> np.ndarray:
    """Reproducible numbers between -1 and 1."""
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


def integers(high: int, *shape: int) -> np.ndarray:
    """Reproducible integers below `high`."""
    return np.random.default_rng(0).integers(0, high, shape).astype("int32")


def keras_() -> Any:
    """Keras, seeded, so that weights are the same each time."""
    import keras

    keras.utils.set_random_seed(7)
    keras.backend.clear_session()
    return keras
