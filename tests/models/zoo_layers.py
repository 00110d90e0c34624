"""Stacks of layers: their arguments, dtypes, wrappers and names."""

from __future__ import annotations

from models.zoo import Specimen, keras_, numbers, specimen


@specimen()
def mlp() -> Specimen:
    """The plainest model there is."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.1),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return Specimen(model, numbers(2, 4))


@specimen()
def arguments_as_objects() -> Specimen:
    """Initializers, regularizers and constraints with arguments; activations of many kinds."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(
                6,
                activation=keras.activations.silu,
                kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", seed=3),
                bias_initializer=keras.initializers.Constant(0.1),
                kernel_regularizer=keras.regularizers.L1L2(1e-4, 1e-3),
                activity_regularizer="l2",
                kernel_constraint=keras.constraints.MaxNorm(2.0, axis=0),
            ),
            layers.Dense(4, activation=layers.LeakyReLU(negative_slope=0.2)),
            layers.Dense(4, kernel_initializer=keras.initializers.Orthogonal(gain=1.5, seed=1)),
            layers.Activation("elu"),
            layers.PReLU(),
            layers.ActivityRegularization(l1=0.01),
            layers.UnitNormalization(),
        ]
    )
    return Specimen(model, numbers(2, 4))


@specimen()
def mixed_precision() -> Specimen:
    """Dtype policies by layer."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, "relu", dtype=keras.DTypePolicy("mixed_float16")),
            layers.Dense(4, dtype="mixed_bfloat16"),
            layers.Dense(2, dtype="float32"),
        ]
    )
    return Specimen(model, numbers(2, 4))


@specimen()
def wrappers() -> Specimen:
    """Other layers that hold one."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4,)), layers.SpectralNormalization(layers.Dense(3)), layers.Dense(1)]
    )
    return Specimen(model, numbers(2, 4))


@specimen()
def odd_names() -> Specimen:
    """Names with spaces, letters of other scripts, words that look dangerous."""
    keras = keras_()
    layers = keras.layers
    names = ["os.system", "lambda", "Größe", "my layer (1)", "eval", "层"]
    inputs = keras.Input((4,), name="input é")
    x = inputs
    for name in names:
        x = layers.Dense(2, name=name)(x)
    return Specimen(keras.Model(inputs, x, name="model: v1.0-β"), numbers(2, 4))
