"""Makes the files that the tests of migrations rest on. Needs TensorFlow 2.15, and runs by hand.

    python tests/migrate/old_keras.py

The models are saved by Keras 2.15, with weights at random and what they give for one input,
so that a migrated model can be compared with the Keras that wrote it. `layouts.json` holds
what Keras 2.15's own `preprocess_weights_for_loading` makes of weights of Keras 1 and of CuDNN
(it no longer turns Theano's kernels round, as Keras 2.0 to 2.3 did).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tensorflow as tf
from keras.src.saving.legacy.hdf5_format import preprocess_weights_for_loading

FILES = Path(__file__).parent / "files"
L = keras.layers


def dense():
    return keras.Sequential(
        [
            L.Dense(5, activation="hard_sigmoid", input_shape=(4,), kernel_regularizer="l2"),
            L.BatchNormalization(),
            L.LeakyReLU(0.1),
            L.Dropout(0.5),
            L.PReLU(),
            L.ELU(0.7),
            L.ThresholdedReLU(0.1),
            L.Dense(3, kernel_initializer="he_normal"),
            L.Softmax(),
        ]
    )


def convolutions():
    return keras.Sequential(
        [
            L.InputLayer((9, 9, 3)),
            L.ZeroPadding2D(1),
            L.Conv2D(4, 3, strides=2, activation="relu"),
            L.SeparableConv2D(4, 2, padding="same"),
            L.DepthwiseConv2D(3, activation="hard_sigmoid"),
            L.UpSampling2D(2),
            L.Conv2DTranspose(2, 3, strides=2, padding="same"),
            L.SpatialDropout2D(0.2),
            L.MaxPooling2D(),
            L.Cropping2D(1),
            L.GlobalAveragePooling2D(),
        ]
    )


def recurrent():
    return keras.Sequential(
        [
            L.Embedding(11, 4, input_length=6),
            L.SpatialDropout1D(0.1),
            L.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid"),
            L.GRU(3, return_sequences=True, reset_after=False, recurrent_activation="hard_sigmoid"),
            L.GRU(3, return_sequences=True),
            L.TimeDistributed(L.Dense(4)),
            L.Conv1D(3, 2, padding="causal"),
            L.Bidirectional(L.LSTM(2, return_sequences=True), merge_mode="sum"),
            L.SimpleRNN(3),
        ]
    )


def convolution_lstm():
    return keras.Sequential(
        [
            L.InputLayer((3, 5, 5, 1)),
            L.ConvLSTM2D(2, 3, recurrent_activation="hard_sigmoid"),
            L.Flatten(),
        ]
    )


def graph():
    inner_in = L.Input((4,))
    inner = keras.Model(inner_in, L.Dense(4, activation="tanh")(inner_in), name="inner")
    tower = keras.Sequential([L.Dense(4, input_shape=(4,)), L.ReLU()], name="tower")
    a, b = L.Input((4,), name="a"), L.Input((5, 4), name="b")
    once, twice = inner(a), inner(tower(a))
    state = L.Dense(4)(a)
    seq = L.LSTM(4, return_sequences=True)(b, initial_state=[state, twice])
    attended = L.MultiHeadAttention(2, 3)(seq, b)
    pooled = L.GlobalAveragePooling1D()(attended)
    joined = L.Concatenate()([once, twice, pooled, L.Add()([once, state])])
    return keras.Model([a, b], [L.Dense(2, name="out")(joined), tower(once)])


def operations():
    a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
    x = (a * 2.0 + b) / 3.0 - 1.0
    x = tf.concat([x, tf.nn.relu(a), 1.0 - b], axis=-1)
    x = tf.reshape(x, (-1, 3, 4))
    x = tf.transpose(x, (0, 2, 1))[:, 1:, :2]
    x = tf.reduce_mean(x, axis=1, keepdims=True) * tf.math.exp(-tf.expand_dims(a, 1)[..., :2])
    return keras.Model([a, b], L.Flatten()(tf.clip_by_value(tf.squeeze(x, 1), -2.0, 2.0)))


def compiled():
    model = keras.Sequential([L.Dense(2, input_shape=(3,)), L.Dense(1)])
    optimizer = keras.optimizers.legacy.SGD(0.1, momentum=0.9, nesterov=True, decay=0.5)
    model.compile(optimizer, "mse", metrics=["mae", "mape"])
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    return model


MODELS = (dense, convolutions, recurrent, convolution_lstm, graph, operations, compiled)


def feeds(model, chance):
    for tensor in model.inputs:
        shape = (2, *tensor.shape[1:])
        if model.layers[0].__class__.__name__ == "Embedding":
            yield chance.integers(0, 11, shape).astype("float32")
        else:
            yield chance.normal(size=shape).astype("float32")


def make_models():
    for make in MODELS:
        keras.backend.clear_session()
        chance = np.random.default_rng(7)
        model = make()
        model.set_weights(
            [
                np.abs(chance.normal(size=w.shape)) * 0.5
                if "variance" in v.name
                else chance.normal(size=w.shape) * 0.5
                for v, w in zip(model.weights, model.get_weights(), strict=True)
            ]
        )
        given = list(feeds(model, chance))
        wanted = model.predict(given if len(given) > 1 else given[0], verbose=0)
        wanted = wanted if isinstance(wanted, list) else [wanted]
        model.save(FILES / f"{make.__name__}.h5", save_format="h5")
        values = {"inputs": [g.tolist() for g in given], "outputs": [w.tolist() for w in wanted]}
        (FILES / f"{make.__name__}.values.json").write_text(json.dumps(values))


LAYOUTS = [
    # kinds, layer, input shape, stored shapes, keras version, backend
    (["LSTM"], L.LSTM(2), (None, 4, 3), [(3, 2), (2, 2), (2,)] * 4, "1", None),
    (["GRU"], L.GRU(2, reset_after=False), (None, 4, 3), [(3, 2), (2, 2), (2,)] * 3, "1", None),
    (["Conv1D"], L.Conv1D(4, 3), (None, 5, 2), [(3, 1, 2, 4), (4,)], "1", "tensorflow"),
    (["Conv1D"], L.Conv1D(4, 3), (None, 5, 2), [(4, 2, 3, 1), (4,)], "1", "theano"),
    (["Conv2D"], L.Conv2D(4, (2, 3)), (None, 5, 5, 2), [(2, 3, 2, 4), (4,)], "1", "theano"),
    (["Conv2D:channels_first"], L.Conv2D(4, (2, 3), data_format="channels_first"), (None, 2, 5, 5),
     [(4, 2, 2, 3), (4,)], "1", "tensorflow"),
    (["Conv2D:channels_first"], L.Conv2D(4, (2, 3), data_format="channels_first"), (None, 2, 5, 5),
     [(4, 2, 2, 3), (4,)], "1", "theano"),
    (["Conv3D:channels_first"], L.Conv3D(2, (2, 1, 3), data_format="channels_first"),
     (None, 2, 5, 5, 5), [(2, 2, 2, 1, 3), (2,)], "1", "theano"),
    (["Conv2D"], L.Conv2D(4, (2, 3)), (None, 5, 5, 2), [(2, 3, 2, 4), (4,)], "2", "theano"),
    (["ConvLSTM2D"], L.ConvLSTM2D(2, 2), (None, 3, 5, 5, 1),
     [(2, 2, 1, 2), (2, 2, 2, 2), (2,)] * 4, "1", "tensorflow"),
    (["ConvLSTM2D"], L.ConvLSTM2D(2, 2), (None, 3, 5, 5, 1),
     [(2, 2, 1, 8), (2, 2, 2, 8), (8,)], "2", "theano"),
    (["Bidirectional", "LSTM"], L.Bidirectional(L.LSTM(2)), (None, 4, 3),
     [(3, 2), (2, 2), (2,)] * 8, "1", None),
    (["TimeDistributed", "Conv2D"], L.TimeDistributed(L.Conv2D(4, (2, 3))), (None, 3, 5, 5, 2),
     [(2, 3, 2, 4), (4,)], "1", "tensorflow"),
    (["CuDNNLSTM"], L.LSTM(2), (None, 4, 3), [(3, 8), (2, 8), (16,)], "2", "tensorflow"),
    (["CuDNNGRU"], L.GRU(2), (None, 4, 3), [(3, 6), (2, 6), (12,)], "2", "tensorflow"),
    (["Bidirectional", "CuDNNLSTM"], L.Bidirectional(L.LSTM(2)), (None, 4, 3),
     [(3, 8), (2, 8), (16,)] * 2, "2", "tensorflow"),
]  # fmt: skip


def make_layouts():
    rows = []
    for kinds, layer, shape, stored, version, backend in LAYOUTS:
        layer.build(shape)
        chance = np.random.default_rng(3)
        before = [chance.integers(-9, 9, s).astype("float32") for s in stored]
        after = preprocess_weights_for_loading(layer, list(before), version, backend)
        rows.append({
            "kinds": kinds, "first": version == "1",
            "before": [b.tolist() for b in before],
            "after": [np.asarray(a).tolist() for a in after],
        })  # fmt: skip
    (FILES / "layouts.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    FILES.mkdir(exist_ok=True)
    make_layouts()
    make_models()
