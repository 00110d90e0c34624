"""Trees that look enough like configs to reach every branch, and plain nonsense."""

from __future__ import annotations

from hypothesis import strategies as st

from secure_serial.data import catalogue

KEYS = (
    "class_name", "config", "module", "registered_name", "build_config", "compile_config",
    "shared_object_id", "name", "inbound_nodes", "layers", "items", "value", "dtype", "shape",
    "start", "stop", "step", "keras_history", "units", "activation", "kernel_initializer",
    "kernel_regularizer", "function", "function_type", "arguments", "vocabulary", "model_config",
    "modelTopology", "training_config", "optimizer", "optimizer_config", "loss", "metrics",
    "layer", "spec_name", "evil", "input_layers", "output_layers", "custom_name", "l2",
)  # fmt: skip
NAMES = (
    "Dense", "Sequential", "Functional", "Lambda", "StringLookup", "relu", "function", "Block",
    "acme>Block", "acme>swish", "swish", "__tuple__", "TensorShape", "__numpy__", "__tensor__",
    "__keras_tensor__", "__slice__", "__ellipsis__", "__bytes__", "__lambda__", "__typespec__",
    "GlorotUniform", "L2", "l2", "Adam", "system", "CuDNNLSTM", "", "D\u0435nse", "Sequential ",
)  # fmt: skip
MODULES = (
    "keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.optimizers",
    "builtins", "os", "acme.blocks", "tf_keras.layers", "keras.", "__main__", "tensorflow.keras",
    "keras.src.models.functional", "",
)  # fmt: skip
TEXTS = (
    "same", "relu", "/etc/passwd", "hf://a/b", "../x", "float32", "int4/128", "a,b->c", "lambda",
    "4wEAAAAAAAAAAQAAAAcAAAATAAAAcy4AAAB0AGoBfABkAWQBZwKIAGQCGACIAGQCGABnAmQBZAFn", "mse", "\x1b[2J",
)  # fmt: skip

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.integers(-3, 300),
    st.floats(),
    st.sampled_from(NAMES + MODULES + TEXTS),
    st.text(max_size=8),
)
keys = st.sampled_from(KEYS)


def _nest(inner):
    loose = st.dictionaries(keys | st.text(max_size=3), inner, max_size=5)
    named = st.fixed_dictionaries(
        {"class_name": st.sampled_from(NAMES) | inner, "config": inner},
        optional={
            "module": st.sampled_from(MODULES) | inner,
            "registered_name": st.none() | st.sampled_from(NAMES) | inner,
            "items": inner,
            "inbound_nodes": inner,
            "compile_config": inner,
            "evil": inner,
        },
    )
    return loose | named | st.lists(inner, max_size=4) | st.tuples(inner, inner, inner)


#: Any JSON, made of what configs are made of.
trees = st.recursive(scalars, _nest, max_leaves=25)


def nodes(root):
    """The pointer of every dict that names a class, found without knowing any format."""
    stack = [("", root)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield pointer, value
            items = value.items()
        elif isinstance(value, list | tuple):
            items = enumerate(value)
        else:
            continue
        for key, item in items:
            step = str(key)
            if not step.isprintable():
                step = step.encode("unicode_escape").decode()
            step = step.replace("~", "~0").replace("/", "~1")
            stack.append((f"{pointer}/{step}", item))


SYMBOLS = (
    *sorted(catalogue().symbols())[::150],
    "keras.layers.Dense", "keras.layers.Lambda", "keras.legacy.layers.Highway", "acme.Block",
    "acme>Block", "other>Block", "zzz.Thing", "'keras.layers.Dense'", "relu",
)  # fmt: skip
