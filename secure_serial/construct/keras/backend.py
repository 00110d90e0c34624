"""Keras's backend, awake before anything is built.

The first tensor of a process has the backend look for processors, drivers and plugins: files
and libraries that no config names. That is the program's own doing, and none of a load's.
"""

from __future__ import annotations


def wake() -> None:
    """Make one number with the backend."""
    import keras

    keras.ops.convert_to_numpy(keras.ops.zeros(()))
