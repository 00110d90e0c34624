"""Benign models that real projects build; every one must load as Keras itself would load it.

`ZOO` maps a name to a builder. Nothing is imported from Keras until a builder runs.
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
def cnn_batch_norm() -> Specimen:
    """Convolutions, normalization, pooling."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    return Specimen(model, numbers(2, 8, 8, 3))


@specimen()
def nested_functional() -> Specimen:
    """A Functional model in a Functional model."""
    keras = keras_()
    layers = keras.layers
    inner_in = keras.Input((4,), name="inner_in")
    inner = keras.Model(inner_in, layers.Dense(3, name="inner_dense")(inner_in), name="inner")
    outer_in = keras.Input((4,), name="outer_in")
    model = keras.Model(outer_in, layers.Dense(2)(inner(outer_in)), name="outer")
    return Specimen(model, numbers(2, 4))


@specimen()
def sequential_in_functional() -> Specimen:
    """A Sequential model as a layer of a Functional one, called twice."""
    keras = keras_()
    layers = keras.layers
    block = keras.Sequential([keras.Input((4,)), layers.Dense(4, "tanh")], name="block")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Add()([block(inputs), block(block(inputs))]))
    return Specimen(model, numbers(2, 4))


@specimen()
def functional_in_sequential() -> Specimen:
    """A Functional model as a layer of a Sequential one."""
    keras = keras_()
    inputs = keras.Input((4,))
    inner = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(1)])
    return Specimen(model, numbers(2, 4))


@specimen()
def recurrent() -> Specimen:
    """LSTM and GRU on each other."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5, 3)),
            layers.Masking(mask_value=0.0),
            layers.LSTM(4, return_sequences=True),
            layers.GRU(4, return_sequences=True, reset_after=False),
            layers.SimpleRNN(2),
        ]
    )
    return Specimen(model, numbers(2, 5, 3))


@specimen()
def bidirectional() -> Specimen:
    """Both directions, one of them with a layer of its own."""
    keras = keras_()
    layers = keras.layers
    inputs = keras.Input((5, 3))
    back = layers.GRU(4, go_backwards=True, return_sequences=True)
    mid = layers.Bidirectional(layers.GRU(4, return_sequences=True), backward_layer=back)(inputs)
    model = keras.Model(inputs, layers.Bidirectional(layers.LSTM(2), merge_mode="sum")(mid))
    return Specimen(model, numbers(2, 5, 3))


@specimen()
def attention_block() -> Specimen:
    """A transformer's block."""
    keras = keras_()
    layers = keras.layers
    inputs = keras.Input((6,), dtype="int32")
    x = layers.Embedding(20, 8)(inputs)
    attended = layers.MultiHeadAttention(2, 4)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    x = layers.Dense(8, activation="gelu")(x)
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
    return Specimen(model, integers(20, 2, 6))


@specimen()
def masked_embedding() -> Specimen:
    """Text classification as the guides show it."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(20, 8, mask_zero=True),
            layers.LSTM(4),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return Specimen(model, integers(20, 2, 6))


@specimen()
def image_preprocessing() -> Specimen:
    """Augmentation does nothing at inference."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.RandomFlip("horizontal", seed=1),
            layers.RandomRotation(0.1, seed=1),
            layers.RandomZoom(0.1, seed=1),
            layers.CenterCrop(6, 6),
            layers.Resizing(4, 4),
            layers.Flatten(),
        ]
    )
    return Specimen(model, numbers(2, 8, 8, 3) * 255)


@specimen()
def normalization_adapted() -> Specimen:
    """Statistics learnt by `adapt`, and given ones."""
    keras = keras_()
    layers = keras.layers
    adapted = layers.Normalization(axis=-1)
    adapted.adapt(numbers(10, 4))
    model = keras.Sequential(
        [keras.Input((4,)), adapted, layers.Normalization(mean=0.5, variance=2.0)]
    )
    return Specimen(model, numbers(2, 4))


@specimen()
def categories() -> Specimen:
    """Integer features, encoded."""
    keras = keras_()
    layers = keras.layers
    inputs = keras.Input((3,), dtype="int32")
    x = layers.CategoryEncoding(num_tokens=10, output_mode="multi_hot")(inputs)
    model = keras.Model(inputs, layers.Dense(2)(x))
    return Specimen(model, integers(10, 2, 3))


@specimen()
def discretization() -> Specimen:
    """Numbers put into bins, with boundaries given."""
    keras = keras_()
    layers = keras.layers
    inputs = keras.Input((3,))
    bins = layers.Discretization(bin_boundaries=[-0.5, 0.0, 0.5], output_mode="int")(inputs)
    model = keras.Model(inputs, bins)
    return Specimen(model, numbers(2, 3))


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
def shared_layers() -> Specimen:
    """One layer on two branches."""
    keras = keras_()
    layers = keras.layers
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = layers.Dense(3, name="shared")
    merged = layers.Concatenate()([shared(left), shared(right), layers.Subtract()([left, right])])
    model = keras.Model([left, right], layers.Dense(1)(merged))
    return Specimen(model, [numbers(2, 4), numbers(2, 4) + 1])


@specimen()
def dict_inputs_outputs() -> Specimen:
    """Inputs and outputs by name."""
    keras = keras_()
    layers = keras.layers
    inputs = {"a": keras.Input((4,), name="a"), "b": keras.Input((2,), name="b")}
    joined = layers.Concatenate()([inputs["a"], inputs["b"]])
    outputs = {"x": layers.Dense(1, name="x")(joined), "y": layers.Dense(2, name="y")(joined)}
    model = keras.Model(inputs, outputs)
    return Specimen(model, {"a": numbers(2, 4), "b": numbers(2, 2)})


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
def trained() -> Specimen:
    """With the state of its optimizer."""
    keras = keras_()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), keras.losses.MeanSquaredError())
    model.fit(numbers(8, 4), numbers(8, 1), epochs=1, verbose=0)
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


@specimen(slow=True)
def mobilenet_v2() -> Specimen:
    """A real architecture, without its weights from afar."""
    keras = keras_()
    model = keras.applications.MobileNetV2((32, 32, 3), weights=None, classes=10, alpha=0.35)
    return Specimen(model, numbers(1, 32, 32, 3))


@specimen(slow=True)
def resnet50() -> Specimen:
    """As above."""
    keras = keras_()
    model = keras.applications.ResNet50(weights=None, input_shape=(32, 32, 3), classes=10)
    return Specimen(model, numbers(1, 32, 32, 3))


@specimen(slow=True)
def efficientnet_b0() -> Specimen:
    """As above; its preprocessing layers are part of the model."""
    keras = keras_()
    model = keras.applications.EfficientNetB0(weights=None, input_shape=(32, 32, 3), classes=10)
    return Specimen(model, numbers(1, 32, 32, 3))
