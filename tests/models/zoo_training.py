"""Models that were compiled, or trained."""

from __future__ import annotations

from models.zoo import Specimen, keras_, numbers, specimen


@specimen()
def compiled_strings() -> Specimen:
    """All by their short names."""
    keras = keras_()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Specimen(model, numbers(2, 4))


@specimen()
def compiled_functions() -> Specimen:
    """Loss and metric as functions of Keras, and more elaborate optimizers."""
    keras = keras_()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    cosine = keras.optimizers.schedules.CosineDecayRestarts(0.1, 10)
    inner = keras.optimizers.AdamW(cosine, weight_decay=0.004)
    model.compile(
        optimizer=keras.optimizers.LossScaleOptimizer(inner, initial_scale=1024.0),
        loss=keras.losses.mean_absolute_error,
        metrics=[keras.metrics.mean_squared_error],
    )
    return Specimen(model, numbers(2, 4))


@specimen()
def compiled_objects() -> Specimen:
    """A schedule, a loss object, several metrics."""
    keras = keras_()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.96, staircase=True)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, clipnorm=1.0),
        loss=keras.losses.BinaryCrossentropy(from_logits=False),
        metrics=[
            keras.metrics.AUC(num_thresholds=20),
            keras.metrics.Precision(thresholds=0.4),
            keras.metrics.BinaryAccuracy(),
            "mae",
        ],
        weighted_metrics=[keras.metrics.MeanSquaredError()],
    )
    return Specimen(model, numbers(2, 4))


@specimen()
def two_outputs_compiled() -> Specimen:
    """Losses, weights and metrics by the outputs' names."""
    keras = keras_()
    layers = keras.layers
    inputs = keras.Input((4,))
    x = layers.Dense(1, name="x")(inputs)
    y = layers.Dense(2, name="y", activation="softmax")(inputs)
    model = keras.Model(inputs, {"x": x, "y": y})
    model.compile(
        optimizer=keras.optimizers.RMSprop(0.01),
        loss={
            "x": keras.losses.MeanSquaredError(),
            "y": keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        },
        loss_weights={"x": 1.0, "y": 0.5},
        metrics={"x": ["mae"], "y": [keras.metrics.CategoricalAccuracy(name="acc")]},
    )
    return Specimen(model, numbers(2, 4))


@specimen()
def trained() -> Specimen:
    """With the state of its optimizer."""
    keras = keras_()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), keras.losses.MeanSquaredError())
    model.fit(numbers(8, 4), numbers(8, 1), epochs=1, verbose=0)
    return Specimen(model, numbers(2, 4))
