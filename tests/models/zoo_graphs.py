"""Graphs: models in models, shared layers, several inputs, operations on tensors."""

from __future__ import annotations

from models.zoo import Specimen, keras_, numbers, specimen


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
