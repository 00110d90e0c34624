"""Tensors of Keras's backend, made from values that the plan has judged."""

from __future__ import annotations

from typing import Any


def tensor(value: Any, dtype: str) -> Any:
    """A tensor of the backend in use."""
    from keras.src import backend

    return backend.convert_to_tensor(value, dtype=dtype)


def keras_tensor(shape: Any, dtype: str, history: Any) -> Any:
    """A symbolic tensor; a Functional model joins it to its graph by `history`."""
    from keras.src import backend

    made = backend.KerasTensor(shape, dtype=dtype)
    made._pre_serialization_keras_history = history
    return made
