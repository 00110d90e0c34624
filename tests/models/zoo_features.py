"""Features: numbers, categories and words, encoded by layers that hold what they learnt."""

from __future__ import annotations

from models.zoo import Specimen, integers, keras_, numbers, specimen


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
