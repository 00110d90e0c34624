"""More of the zoo: convolutions of every kind, graphs of operations, cells, custom objects."""

from __future__ import annotations

from models.zoo import Specimen, integers, keras_, numbers, specimen


@specimen()
def convolutions_1d() -> Specimen:
    """One dimension."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 3)),
            layers.Conv1D(4, 3, padding="causal", dilation_rate=2),
            layers.SeparableConv1D(4, 3),
            layers.DepthwiseConv1D(3),
            layers.Conv1DTranspose(3, 2, strides=2),
            layers.AveragePooling1D(2),
            layers.ZeroPadding1D(1),
            layers.Cropping1D(1),
            layers.UpSampling1D(2),
            layers.SpatialDropout1D(0.1),
            layers.GlobalMaxPooling1D(),
        ]
    )
    return Specimen(model, numbers(2, 16, 3))


@specimen()
def convolutions_2d() -> Specimen:
    """Two dimensions."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 12, 4)),
            layers.SeparableConv2D(4, 3, depth_multiplier=2),
            layers.DepthwiseConv2D((3, 1), padding="same"),
            layers.Conv2D(8, 3, groups=2, strides=(1, 1)),
            layers.GroupNormalization(4),
            layers.Conv2DTranspose(2, 3, output_padding=1, strides=2),
            layers.ZeroPadding2D(((1, 0), (0, 1))),
            layers.Cropping2D(1),
            layers.UpSampling2D((2, 2), interpolation="bilinear"),
            layers.AveragePooling2D((2, 2), padding="same"),
            layers.GlobalMaxPooling2D(keepdims=True),
        ]
    )
    return Specimen(model, numbers(2, 12, 12, 4))


@specimen()
def convolutions_3d() -> Specimen:
    """Three dimensions."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 6, 2)),
            layers.Conv3D(2, 2),
            layers.Conv3DTranspose(2, 2),
            layers.MaxPooling3D(2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    return Specimen(model, numbers(1, 6, 6, 6, 2))


@specimen()
def convolutional_recurrent() -> Specimen:
    """Pictures in a row."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential([keras.Input((3, 6, 6, 2)), layers.ConvLSTM2D(2, 3)])
    return Specimen(model, numbers(1, 3, 6, 6, 2))


@specimen(h5=False)
def operations_in_graph() -> Specimen:
    """Operators and functions of keras.ops on symbolic tensors."""
    keras = keras_()
    ops, layers = keras.ops, keras.layers
    inputs = keras.Input((4, 4))
    x = inputs + 1.0
    x = x * inputs - 0.5 / (ops.abs(inputs) + 1)
    x = ops.concatenate([x, inputs], axis=-1)
    x = ops.reshape(x, (-1, 32))
    x = ops.expand_dims(ops.relu(x), axis=1)
    x = ops.transpose(x, (0, 2, 1))
    x = ops.mean(x[:, 2:], axis=1) + ops.max(x, axis=[1], keepdims=False)
    x = ops.where(x > 0, x, ops.zeros_like(x))
    model = keras.Model(inputs, layers.Dense(2)(ops.matmul(x, ops.ones((1, 3)))))
    return Specimen(model, numbers(2, 4, 4))


@specimen()
def reshaping() -> Specimen:
    """Layers that only move numbers about, and those that merge."""
    keras = keras_()
    layers = keras.layers
    inputs = keras.Input((4,))
    x = layers.RepeatVector(3)(inputs)
    y = layers.Permute((2, 1))(layers.Reshape((4, -1))(x))
    merged = [layers.Average()([x, y]), layers.Maximum()([x, y]), layers.Minimum()([x, y])]
    merged += [layers.Multiply()([x, y]), layers.Dot(axes=2)([x, y])]
    model = keras.Model(inputs, [layers.Flatten()(each) for each in merged])
    return Specimen(model, numbers(2, 4))


@specimen()
def stacked_cells() -> Specimen:
    """An RNN of several cells."""
    keras = keras_()
    layers = keras.layers
    cells = [layers.LSTMCell(3), layers.GRUCell(2), layers.SimpleRNNCell(2)]
    model = keras.Sequential([keras.Input((5, 3)), layers.RNN(layers.StackedRNNCells(cells))])
    return Specimen(model, numbers(2, 5, 3))


@specimen()
def time_distributed() -> Specimen:
    """A model at each step of time."""
    keras = keras_()
    layers = keras.layers
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, "relu"), layers.Dense(2)])
    model = keras.Sequential(
        [
            keras.Input((5, 4)),
            layers.TimeDistributed(inner),
            layers.TimeDistributed(layers.Flatten()),
        ]
    )
    return Specimen(model, numbers(2, 5, 4))


@specimen()
def wrappers() -> Specimen:
    """Other layers that hold one."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4,)), layers.SpectralNormalization(layers.Dense(3)), layers.Dense(1)]
    )
    return Specimen(model, numbers(2, 4))


@specimen(h5=False)
def einsum_and_attention() -> Specimen:
    """EinsumDense, grouped queries, dot-product attention."""
    keras = keras_()
    layers = keras.layers
    inputs = keras.Input((5, 8))
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d")(inputs)
    x = layers.GroupQueryAttention(4, 4, 2)(x, x)
    x = layers.Attention(use_scale=True)([x, inputs])
    x = layers.RMSNormalization()(layers.AdditiveAttention()([x, inputs]))
    return Specimen(keras.Model(inputs, x), numbers(2, 5, 8))


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


@specimen()
def nan_mask() -> Specimen:
    """NaN where a number stands."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((3, 2)), layers.Masking(mask_value=float("nan")), layers.LSTM(2)]
    )
    return Specimen(model, numbers(2, 3, 2))


@specimen()
def hashing() -> Specimen:
    """Integers into buckets, where the backend can."""
    import pytest

    pytest.importorskip("tensorflow", reason="Hashing needs TensorFlow to be built")
    keras = keras_()
    inputs = keras.Input((2,), dtype="int32")
    return Specimen(keras.Model(inputs, keras.layers.Hashing(8)(inputs)), integers(9, 2, 2))


WORDS = [
    "the",
    "/etc/passwd",
    "../..",
    "https://example.invalid/a",
    "file:///x",
    "C:\\x",
    "os.system",
]


@specimen(h5=False)
def text_vectorization() -> Specimen:
    """Words that look like paths; built where TensorFlow is."""
    import pytest

    tf = pytest.importorskip("tensorflow", reason="TextVectorization needs TensorFlow to be built")
    keras = keras_()
    layer = keras.layers.TextVectorization(vocabulary=WORDS, standardize=None, output_mode="int")
    model = keras.Sequential([keras.Input((1,), dtype="string"), layer])
    return Specimen(model, tf.constant([["the os.system"], ["/etc/passwd"]]))


@specimen(custom=True)
def registered_layer() -> Specimen:
    """A layer that a project registered."""
    keras = keras_()
    from models import custom

    model = keras.Sequential([keras.Input((4,)), custom.Scale(2.0), keras.layers.Dense(1)])
    return Specimen(model, numbers(2, 4), {"zoo>Scale": custom.Scale})


@specimen(custom=True)
def custom_activation() -> Specimen:
    """A function passed as a custom object."""
    keras = keras_()
    from models.custom import bent

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation=bent)])
    return Specimen(model, numbers(2, 4), {"bent": bent})


@specimen(custom=True)
def custom_loss() -> Specimen:
    """A loss passed as a custom object."""
    keras = keras_()
    from models.custom import huge_loss

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", loss=huge_loss)
    return Specimen(model, numbers(2, 4), {"huge_loss": huge_loss})


@specimen(custom=True)
def custom_cell() -> Specimen:
    """An RNN of a cell that a project wrote."""
    keras = keras_()
    from models import custom

    model = keras.Sequential([keras.Input((5, 3)), keras.layers.RNN(custom.Leaky(4))])
    return Specimen(model, numbers(2, 5, 3), {"zoo>Leaky": custom.Leaky})


@specimen(custom=True, h5=False)
def subclassed_model() -> Specimen:
    """A model that is a class of its own."""
    keras_()
    from models import custom

    model = custom.Twice(3)
    model(numbers(2, 4))
    return Specimen(model, numbers(2, 4), {"zoo>Twice": custom.Twice})
