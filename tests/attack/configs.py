"""Well-formed pieces of Keras configs, and the slots a hostile piece can be put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Node = dict[str, object]


def obj(module: str | None, class_name: str, config: object, registered: object = None) -> Node:
    """A serialized object of Keras 3."""
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": registered,
    }


def function(module: str | None, name: str) -> Node:
    """A serialized function of Keras 3."""
    return obj(module, "function", name, name)


def layer(class_name: str, name: str = "", **config: object) -> Node:
    """A serialized Keras layer."""
    return obj("keras.layers", class_name, {"name": name or class_name.lower(), **config})


def input_layer(name: str = "in", shape: tuple[object, ...] = (None, 4)) -> Node:
    """The input of a Functional model."""
    node = layer("InputLayer", name, batch_shape=list(shape), dtype="float32", sparse=False)
    return {**node, "name": name, "inbound_nodes": []}


def tensor(source: str = "in", shape: tuple[object, ...] = (None, 4)) -> Node:
    """The tensor that the layer `source` yields."""
    config = {"shape": list(shape), "dtype": "float32", "keras_history": [source, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def call(*args: object, **kwargs: object) -> Node:
    """One entry of `inbound_nodes`."""
    return {"args": list(args), "kwargs": kwargs}


def functional(*nodes: Node, output: str = "", name: str = "model") -> Node:
    """A Functional model with one input; each of `nodes` is fed from it, unless it says."""
    layers = [input_layer()]
    for index, node in enumerate(nodes):
        config = node.get("config")
        own = config.get("name") if isinstance(config, dict) else None
        entry = {**node, "name": node.get("name", own or f"node_{index}")}
        entry.setdefault("inbound_nodes", [call(tensor())])
        layers.append(entry)
    last = output or str(layers[-1]["name"])
    config = {
        "name": name,
        "trainable": True,
        "layers": layers,
        "input_layers": [["in", 0, 0]],
        "output_layers": [[last, 0, 0]],
    }
    return obj("keras.src.models.functional", "Functional", config, "Functional")


def sequential(*layers: object, name: str = "seq", shape: tuple[object, ...] = (None, 4)) -> Node:
    """A Sequential model."""
    first = layer("InputLayer", "in", batch_shape=list(shape), dtype="float32", sparse=False)
    config = {"name": name, "trainable": True, "dtype": "float32", "layers": [first, *layers]}
    return obj("keras", "Sequential", config)


def dense(name: str = "dense", **config: object) -> Node:
    """A small Dense layer."""
    return layer("Dense", name, **{"units": 2, "activation": "linear", **config})


def compiled(**compile_config: object) -> Node:
    """A small model with a compile config."""
    base = {"optimizer": "sgd", "loss": "mse", "metrics": None, "loss_weights": None}
    return {**sequential(dense()), "compile_config": {**base, **compile_config}}


def optimizer(class_name: str = "Adam", **config: object) -> Node:
    """A serialized optimizer."""
    return obj("keras.optimizers", class_name, {"name": "opt", "learning_rate": 0.1, **config})


def _in_layer(class_name: str, field: str, **config: object) -> Callable[[object], Node]:
    def place(value: object) -> Node:
        return sequential(layer(class_name, "victim", **{**config, field: value}))

    return place


def _in_recurrent(field: str, **config: object) -> Callable[[object], Node]:
    def place(value: object) -> Node:
        victim = layer("LSTM", "victim", **{"units": 2, **config, field: value})
        return sequential(victim, shape=(None, 3, 4))

    return place


def _in_call(where: str) -> Callable[[object], Node]:
    def place(value: object) -> Node:
        made = call(tensor(), value) if where == "args" else call(tensor(), mask=value)
        return functional({**dense(), "inbound_nodes": [made]})

    return place


def _as_node(value: object) -> Node:
    return functional(value if isinstance(value, dict) else {"class_name": value})


def _beside(key: str) -> Callable[[object], Node]:
    """A key beside `config`, in the entry of a layer."""

    def place(value: object) -> Node:
        return sequential({**dense(), key: {"input_shape": [None, 4], "extra": value}})

    return place


def _nested(value: object) -> Node:
    inner = functional(layer("Dense", "victim", units=2, activation=value), name="inner")
    wrapped = layer("TimeDistributed", "wrapper", layer=sequential(inner, name="middle"))
    return sequential(wrapped, shape=(None, 3, 4))


def _policy_map(value: object) -> Node:
    policy = obj("keras.dtype_policies", "DTypePolicyMap", {"policy_map": {"a": value}})
    return sequential(dense(dtype=policy))


def _stacked(value: object) -> Node:
    cells = layer("StackedRNNCells", "cells", cells=[layer("LSTMCell", "c", units=2), value])
    return sequential(layer("RNN", "rnn", cell=cells), shape=(None, 3, 4))


def _feature_space(value: object) -> Node:
    feature = obj("keras.utils", "Feature", {"dtype": "int32", "preprocessor": value})
    config = {"features": {"a": feature}, "output_mode": "concat", "name": "space"}
    return obj("keras.utils", "FeatureSpace", config)


def _wrapped(module: str, class_name: str, slot: str) -> Callable[[object], Node]:
    def place(value: object) -> Node:
        inner = obj(module, class_name, {"name": "w", "fn": value})
        return compiled(**{slot: [inner] if slot == "metrics" else inner})

    return place


def _lambda(field: str) -> Callable[[object], Node]:
    """A slot of the Lambda layer, with an innocent function."""
    base: Node = {"function": function("builtins", "relu"), "arguments": {}}

    def place(value: object) -> Node:
        value = {"key": value} if field == "arguments" else value
        return sequential(layer("Lambda", "victim", **{**base, field: value}))

    return place


_LSTM = layer("LSTM", "inner", units=2)

#: Every position an object can stand in, by name. Some take objects, some must not.
SLOTS: dict[str, Callable[[object], Node]] = {
    "graph-node": _as_node,
    "sequential-layer": lambda value: sequential(dense(), value),
    "activation": _in_layer("Dense", "activation", units=2),
    "activation-layer": _in_layer("Activation", "activation"),
    "recurrent-activation": _in_recurrent("recurrent_activation"),
    "kernel-initializer": _in_layer("Dense", "kernel_initializer", units=2),
    "embeddings-initializer": _in_layer(
        "Embedding", "embeddings_initializer", input_dim=4, output_dim=2
    ),
    "regularizer": _in_layer("Dense", "kernel_regularizer", units=2),
    "constraint": _in_layer("Dense", "bias_constraint", units=2),
    "units": _in_layer("Dense", "units"),
    "dtype": _in_layer("Dense", "dtype", units=2),
    "policy-map": _policy_map,
    "quantization": _in_layer("Dense", "quantization_config", units=2),
    "unknown-argument": _in_layer("Dense", "surprise", units=2),
    "build-config": _beside("build_config"),
    "compile-config-of-layer": _beside("compile_config"),
    "unknown-key": _beside("surprise"),
    "bidirectional": _in_layer("Bidirectional", "layer", merge_mode="concat"),
    "backward-layer": _in_layer("Bidirectional", "backward_layer", layer=_LSTM),
    "rnn-cell": _in_layer("RNN", "cell"),
    "stacked-cell": _stacked,
    "time-distributed": _in_layer("TimeDistributed", "layer"),
    "spectral": _in_layer("SpectralNormalization", "layer"),
    "pipeline": lambda value: sequential(layer("Pipeline", "pipe", layers=[value])),
    "feature-space": _feature_space,
    "rescaling-scale": _in_layer("Rescaling", "scale"),
    "mask-value": _in_layer("Masking", "mask_value"),
    "standardize": _in_layer("TextVectorization", "standardize", vocabulary=["a"]),
    "split": _in_layer("TextVectorization", "split", vocabulary=["a"]),
    "vocabulary": _in_layer("StringLookup", "vocabulary"),
    "constant-value": lambda value: sequential(
        dense(bias_initializer=obj("keras.initializers", "Constant", {"value": value}))
    ),
    "initializer-seed": lambda value: sequential(
        dense(kernel_initializer=obj("keras.initializers", "GlorotUniform", {"seed": value}))
    ),
    "call-args": _in_call("args"),
    "call-kwargs": _in_call("kwargs"),
    "lambda-function": _lambda("function"),
    "lambda-output-shape": _lambda("output_shape"),
    "lambda-mask": _lambda("mask"),
    "lambda-arguments": _lambda("arguments"),
    "loss": lambda value: compiled(loss=value),
    "loss-dict": lambda value: compiled(loss={"dense": value}),
    "metric": lambda value: compiled(metrics=["mae", value]),
    "weighted-metric": lambda value: compiled(weighted_metrics=[value]),
    "loss-fn": _wrapped("keras.src.losses.losses", "LossFunctionWrapper", "loss"),
    "metric-fn": _wrapped("keras.metrics", "MeanMetricWrapper", "metrics"),
    "optimizer": lambda value: compiled(optimizer=value),
    "inner-optimizer": lambda value: compiled(
        optimizer=obj("keras.optimizers", "LossScaleOptimizer", {"inner_optimizer": value})
    ),
    "learning-rate": lambda value: compiled(optimizer=optimizer(learning_rate=value)),
    "unknown-compile-key": lambda value: compiled(surprise=value),
    "nested": _nested,
    "bare": lambda value: value if isinstance(value, dict) else {"value": value},
}

#: Slots that also exist in what Keras 2 wrote, so that every format can carry them.
EVERYWHERE = ("sequential-layer", "activation", "kernel-initializer", "lambda-function", "nested")
