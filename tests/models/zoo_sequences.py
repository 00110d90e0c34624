"""Sequences: recurrence, cells, attention, masks."""

from __future__ import annotations

from models.zoo import Specimen, integers, keras_, numbers, specimen


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
def convolutional_recurrent() -> Specimen:
    """Pictures in a row."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential([keras.Input((3, 6, 6, 2)), layers.ConvLSTM2D(2, 3)])
    return Specimen(model, numbers(1, 3, 6, 6, 2))


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
def nan_mask() -> Specimen:
    """NaN where a number stands."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((3, 2)), layers.Masking(mask_value=float("nan")), layers.LSTM(2)]
    )
    return Specimen(model, numbers(2, 3, 2))


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
