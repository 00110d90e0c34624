"""Custom objects as a project would write them. Importing this needs Keras."""

from __future__ import annotations

import keras


@keras.saving.register_keras_serializable(package="zoo")
class Scale(keras.layers.Layer):
    """Multiplies by a constant."""

    def __init__(self, factor: float, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs: object) -> object:
        return inputs * self.factor

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="zoo")
class Leaky(keras.layers.Layer):
    """A cell that forgets."""

    def __init__(self, units: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units
        self.dense = keras.layers.Dense(units)

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, inputs: object, states: list[object], training: bool = False) -> object:
        output = self.dense(inputs) + 0.9 * states[0]
        return output, [output]

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="zoo")
class Twice(keras.Model):
    """Two layers, one after the other."""

    def __init__(self, units: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.one = keras.layers.Dense(units, activation="relu")
        self.two = keras.layers.Dense(units)

    def call(self, inputs: object) -> object:
        return self.two(self.one(inputs))

    def get_config(self) -> dict[str, object]:
        return {"units": self.units}


def bent(x: object) -> object:
    """An activation."""
    return keras.ops.tanh(x) + 0.1 * x


def huge_loss(y_true: object, y_pred: object) -> object:
    """A loss."""
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)
