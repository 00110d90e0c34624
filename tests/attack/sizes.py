"""Configs that ask for more than anyone has: memory, layers, depth, time.

Rule 10 (limits hold for the whole load), and CVE-2026-0897 and CVE-2026-12570 in spirit:
what a file declares is an allocation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attack.case import BOUNDED, Case, Gadget, expand
from attack.configs import call, dense, functional, input_layer, layer, obj, sequential, tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from attack.stage import Stage

FAMILY = "sizes"
HUGE = 2_000_000_000
SEQUENCE = (None, 3, 4)
IMAGE = (None, 8, 8, 3)

#: One layer that is a bomb: the shape of its input, its class, and its arguments.
BOMBS: dict[str, tuple[tuple[object, ...], str, dict[str, object]]] = {
    "dense": ((None, 4), "Dense", {"units": HUGE}),
    "dense-2to63": ((None, 4), "Dense", {"units": 2**63}),
    "dense-googol": ((None, 4), "Dense", {"units": 10**100}),
    "embedding": ((None, 4), "Embedding", {"input_dim": 2**31, "output_dim": 2**31}),
    "embedding-rows": ((None, 4), "Embedding", {"input_dim": 2**40, "output_dim": 1}),
    "embedding-product": ((None, 4), "Embedding", {"input_dim": 2**24, "output_dim": 2**20}),
    "conv-filters": (IMAGE, "Conv2D", {"filters": HUGE, "kernel_size": [3, 3]}),
    "conv-kernel": (IMAGE, "Conv2D", {"filters": 1, "kernel_size": [2**30, 2**30]}),
    "conv-product": (IMAGE, "Conv2D", {"filters": 2**20, "kernel_size": [1000, 1000]}),
    "depthwise": (IMAGE, "DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": HUGE}),
    "separable": (IMAGE, "SeparableConv2D", {"filters": HUGE, "kernel_size": 3}),
    "transpose": (IMAGE, "Conv2DTranspose", {"filters": HUGE, "kernel_size": 3}),
    "lstm": (SEQUENCE, "LSTM", {"units": HUGE}),
    "lstm-square": (SEQUENCE, "LSTM", {"units": 2**22}),
    "gru": (SEQUENCE, "GRU", {"units": HUGE}),
    "simple-rnn": (SEQUENCE, "SimpleRNN", {"units": HUGE}),
    "conv-lstm": ((None, 3, 8, 8, 3), "ConvLSTM2D", {"filters": HUGE, "kernel_size": 3}),
    "einsum": ((None, 4), "EinsumDense", {"equation": "ab,bc->ac", "output_shape": [HUGE]}),
    "dense-lora": ((None, 4), "Dense", {"units": 2, "lora_rank": HUGE}),
    "attention-heads": (SEQUENCE, "MultiHeadAttention", {"num_heads": HUGE, "key_dim": 64}),
    "attention-key": (SEQUENCE, "MultiHeadAttention", {"num_heads": 8, "key_dim": HUGE}),
    "query-attention": (
        SEQUENCE,
        "GroupQueryAttention",
        {"head_dim": HUGE, "num_query_heads": 8, "num_key_value_heads": 8},
    ),
    "reshape": ((None, 4), "Reshape", {"target_shape": [2**40]}),
    "repeat": ((None, 4), "RepeatVector", {"n": 2**40}),
    "upsampling": (IMAGE, "UpSampling2D", {"size": [2**30, 2**30]}),
    "padding": (IMAGE, "ZeroPadding2D", {"padding": [2**40, 2**40]}),
    "resizing": (IMAGE, "Resizing", {"height": 2**40, "width": 2**40}),
    "crop": (IMAGE, "CenterCrop", {"height": 2**40, "width": 2**40}),
    "category": ((None, 4), "CategoryEncoding", {"num_tokens": 2**40}),
    "hashing": ((None, 4), "Hashing", {"num_bins": 2**50, "output_mode": "one_hot"}),
    "crossing": ((None, 4), "HashedCrossing", {"num_bins": 2**50}),
    "discretization": ((None, 4), "Discretization", {"num_bins": 2**50}),
    "spectrogram": ((None, 4), "STFTSpectrogram", {"fft_length": 2**50, "frame_length": 2**50}),
    "mel": ((None, 4), "MelSpectrogram", {"num_mel_bins": 2**50}),
    "boxes": ((None, 4), "MaxNumBoundingBoxes", {"max_number": 2**50}),
    "oov": ((None, 1), "StringLookup", {"vocabulary": ["a"], "num_oov_indices": 2**50}),
    "max-tokens": (
        (None, 1),
        "TextVectorization",
        {"vocabulary": ["a"], "max_tokens": 2**50, "output_mode": "multi_hot"},
    ),
    "input": ((2**40, 2**40), "Flatten", {}),
    "input-batch": ((None, 2**31, 2**31), "Flatten", {}),
    "input-dense": ((None, 2**33), "Dense", {"units": 64}),
    "prelu": ((None, 2**20, 2**20), "PReLU", {}),
    "normalization": ((None, 2**20, 2**20), "LayerNormalization", {"axis": [1, 2]}),
    "batch-normalization": ((None, 2**40), "BatchNormalization", {}),
    "two-denses": ((None, 60_000), "Dense", {"units": 600_000}),
}

#: Sizes that are no counting numbers.
ODD: dict[str, object] = {
    "float-huge": 1e18,
    "infinity": float("inf"),
    "nan": float("nan"),
    "negative": -5,
    "text": "2000000000",
    "list": [HUGE, HUGE],
    "dict": {"units": HUGE},
    "tensor": {"class_name": "__tensor__", "config": {"value": HUGE, "dtype": "int64"}},
}


def bomb(name: str) -> Callable[[Stage], object]:
    """A model of one layer that is a bomb."""
    shape, class_name, config = BOMBS[name]
    return lambda _stage: sequential(layer(class_name, "victim", **config), shape=shape)


def odd(name: str) -> Callable[[Stage], object]:
    """`units` that is no counting number."""
    return lambda _stage: sequential(dense(units=ODD[name]))


def encoded(class_name: str, value: object, dtype: object) -> Callable[[Stage], object]:
    """An encoded array, as the value of an initializer."""
    array = {"class_name": class_name, "config": {"value": value, "dtype": dtype}}
    constant = obj("keras.initializers", "Constant", {"value": array})
    return lambda _stage: sequential(dense(bias_initializer=constant))


def wide(stage: Stage) -> object:
    """No single layer is too large; together they are."""
    return sequential(*(dense(f"d{i}", units=60_000) for i in range(4)), shape=(None, 60_000))


def many_embeddings(stage: Stage) -> object:
    """The same, in branches of a graph."""
    nodes = [layer("Embedding", f"e{i}", input_dim=2**24, output_dim=64) for i in range(20)]
    return functional(*nodes)


def nested_size(stage: Stage) -> object:
    """A bomb inside wrappers inside models."""
    inner = layer("Bidirectional", "b", layer=layer("LSTM", "l", units=HUGE))
    return sequential(functional({**inner}, name="f"), shape=SEQUENCE)


def cells(stage: Stage) -> object:
    """Many cells in one layer."""
    stack = [layer("LSTMCell", f"c{i}", units=2) for i in range(60_000)]
    return sequential(
        layer("RNN", "r", cell=layer("StackedRNNCells", "s", cells=stack)), shape=SEQUENCE
    )


def many_layers(stage: Stage) -> object:
    """More layers than any model has."""
    return sequential(*(layer("Dropout", f"d{i}", rate=0.1) for i in range(60_000)))


def deep(wrapper: str) -> Callable[[Stage], object]:
    """Wrappers in wrappers, deeper than the interpreter's stack."""

    def make(stage: Stage) -> object:
        node = dense()
        for index in range(150):
            if wrapper == "Sequential":
                node = sequential(node, name=f"s{index}")
            else:
                node = layer(wrapper, f"w{index}", layer=node)
        return sequential(node, shape=SEQUENCE)

    return make


def cycle(stage: Stage) -> object:
    """Two nodes, each fed by the other: Keras's own rebuilding never ends."""
    one = {**dense("one"), "inbound_nodes": [call(tensor("two"))]}
    two = {**dense("two"), "inbound_nodes": [call(tensor("one"))]}
    return functional(one, two)


def missing_source(stage: Stage) -> object:
    """A node fed by one that does not exist."""
    return functional({**dense("one"), "inbound_nodes": [call(tensor("nobody"))]})


def self_loop(stage: Stage) -> object:
    """A node fed by itself."""
    return functional({**dense("one"), "inbound_nodes": [call(tensor("one"))]})


def calls(stage: Stage) -> object:
    """One layer, called again and again: each call is a node of the graph."""
    chain = [call(tensor("in"))]
    chain += [call(tensor_of("one", index)) for index in range(60_000)]
    return functional({**dense("one", units=4), "inbound_nodes": chain})


def tensor_of(source: str, index: int) -> dict[str, object]:
    """The tensor of the call number `index`."""
    node = tensor(source)
    config = dict(node["config"])  # type: ignore[call-overload]
    return {**node, "config": {**config, "keras_history": [source, index, 0]}}


def missing_output(stage: Stage) -> object:
    """An output that no layer gives."""
    root = functional(dense())
    config = dict(root["config"])  # type: ignore[call-overload]
    return {**root, "config": {**config, "output_layers": [["nobody", 0, 0]]}}


def huge_history(stage: Stage) -> object:
    """A node index that no list is long enough for."""
    return functional({**dense("one"), "inbound_nodes": [call(tensor_of("in", 2**62))]})


def shape_argument(stage: Stage) -> object:
    """A huge shape as the argument of an operation."""
    config = {"newshape": [2**30, 2**30, 2**30], "name": "r"}
    node = {**obj("keras.src.ops.numpy", "Reshape", config), "name": "r"}
    return functional({**node, "inbound_nodes": [call(tensor())]})


def broadcast(stage: Stage) -> object:
    """The same for an operation that makes what it is asked for."""
    node = {
        **obj("keras.src.ops.numpy", "BroadcastTo", {"shape": [2**40], "name": "r"}),
        "name": "r",
    }
    return functional({**node, "inbound_nodes": [call(tensor())]})


def initializer_gain(stage: Stage) -> object:
    """An orthogonal initializer, whose work grows with the cube of the size."""
    return sequential(
        dense(units=2**23, kernel_initializer=obj("keras.initializers", "Orthogonal", {})),
        shape=(None, 2**23),
    )


BUILDERS: dict[str, tuple[str, Callable[[Stage], object]]] = {
    "wide": ("rule-10", wide),
    "many-embeddings": ("rule-10", many_embeddings),
    "nested": ("rule-10", nested_size),
    "stacked-cells": ("rule-10", cells),
    "many-layers": ("rule-10", many_layers),
    "deep-time-distributed": ("rule-10", deep("TimeDistributed")),
    "deep-sequential": ("rule-10", deep("Sequential")),
    "graph-cycle": ("rule-10", cycle),
    "graph-self-loop": ("rule-10", self_loop),
    "graph-missing-source": ("rule-10", missing_source),
    "graph-missing-output": ("rule-10", missing_output),
    "graph-huge-history": ("rule-10", huge_history),
    "graph-calls": ("rule-10", calls),
    "operation-reshape": ("rule-10", shape_argument),
    "operation-broadcast": ("rule-10", broadcast),
    "orthogonal": ("rule-10", initializer_gain),
    "tensor-object": ("rule-10", encoded("__tensor__", [1], "object")),
    "tensor-text": ("rule-10", encoded("__tensor__", ["a"], "string")),
    "numpy-object": ("rule-10", encoded("__numpy__", ["a"], "object")),
    "numpy-huge-item": ("rule-10", encoded("__numpy__", [1], "S2000000000")),
    "numpy-huge-void": ("rule-10", encoded("__numpy__", [1], "V2000000000")),
    "numpy-structured": ("rule-10", encoded("__numpy__", [1], "(1000000000,)f8")),
    "numpy-datetime": ("rule-10", encoded("__numpy__", [1], "M8[s]")),
    "numpy-dtype-dict": ("rule-10", encoded("__numpy__", [1], {"names": ["a"], "formats": ["O"]})),
    "numpy-dtype-list": ("rule-10", encoded("__numpy__", [1], [["a", "O"]])),
}

#: Refused at the latest while building: their harm is in a shape that has to be inferred, or
#: they cannot be built at all.
LATE = {"prelu", "normalization", "negative", "tensor-text"}
LATE |= {name for name in BUILDERS if name.startswith("graph-")} - {"graph-calls"}

GADGETS = [
    *(
        Gadget(f"bomb-{name}", "rule-10", FAMILY, bomb(name), errors=BOUNDED, at_build=name in LATE)
        for name in BOMBS
    ),
    *(
        Gadget(f"units-{name}", "rule-10", FAMILY, odd(name), "/config/layers/1",
               ("keras",), BOUNDED, at_build=name in LATE)
        for name in ODD
    ),
    Gadget("bomb-dense-everywhere", "rule-10", FAMILY, bomb("dense"), "",
           ("h5", "yaml", "tfjs"), BOUNDED),
    *(
        Gadget(
            name, advisory, FAMILY, make, "", ("keras", "dict"), BOUNDED, at_build=name in LATE
        )
        for name, (advisory, make) in BUILDERS.items()
    ),
    Gadget("input-only", "rule-10", FAMILY,
           lambda _s: sequential(input_layer("second", (2**40, 2**40))), "/config/layers",
           ("keras", "dict"), BOUNDED),
]  # fmt: skip

CASES: list[Case] = expand(GADGETS)
