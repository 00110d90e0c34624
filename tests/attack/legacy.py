"""What the legacy resolver would do: call anything in a namespace with the file's arguments.

Rule 4: the resolver that a missing `module` selects shares the gate; so do Keras's old
JSON encodings (TypeSpec, CompositeTensor, __passive_serialization__).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from attack.case import EITHER, Case, Gadget, expand
from attack.configs import dense, function, functional, layer, obj, sequential

if TYPE_CHECKING:
    from collections.abc import Callable

    from attack.stage import Stage

FAMILY = "legacy"
ALL = ("h5", "keras", "json", "yaml", "tfjs", "dict")

#: Names in the namespace of keras.layers that are no layers; each would be called.
CALLABLES = (
    "deserialize serialize Input add average concatenate dot maximum minimum multiply subtract",
    "keras_export serialization_lib legacy_serialization operations TFSMLayer",
    "__builtins__ __name__ core preprocessing InputSpec JaxLayer FlaxLayer",
)


def called(name: str) -> Callable[[Stage], object]:
    """A module-less entry that is a callable of the namespace, and gets a lambda to work on."""

    def make(stage: Stage) -> object:
        code = {"class_name": "__lambda__", "config": {"value": [stage.lambda_code(), None, None]}}
        inner = {"class_name": "Lambda", "config": {"function": code}}
        return sequential({"class_name": name, "config": {"config": inner}})

    return make


def called_plain(name: str) -> Callable[[Stage], object]:
    """The same without any code: the name alone is refused."""
    return lambda _stage: sequential({"class_name": name, "config": {"name": "x"}})


def stranger(class_name: str) -> Callable[[Stage], object]:
    """A custom class of an old file."""
    return lambda _stage: sequential({"class_name": class_name, "config": {"name": "x"}})


def type_spec(stage: Stage) -> object:
    """An old encoding that looks a class up in TensorFlow's registry."""
    spec = {"class_name": "TypeSpec", "type_spec": "os.system", "serialized": [stage.command]}
    return sequential({"class_name": "Dense", "config": {"name": "x", "units": spec}})


def composite(stage: Stage) -> object:
    """An old encoding that makes a tensor while the JSON is being decoded."""
    spec = {"class_name": "TypeSpec", "type_spec": "tf.RaggedTensorSpec", "serialized": []}
    value = {"class_name": "CompositeTensor", "spec": spec, "tensors": [["tf.Tensor", 1, "int"]]}
    return sequential({"class_name": "Dense", "config": {"name": "x", "units": value}})


def passive(stage: Stage) -> object:
    """`__passive_serialization__` marks an object to be revived inside plain data."""
    value = {"__passive_serialization__": True, **function("os", "system")}
    return sequential({"class_name": "Dense", "config": {"name": "x", "units": 2, "extra": value}})


def function_in(slot: str, name: str, class_name: str = "Dense") -> Callable[[Stage], object]:
    """An old-style string that names a function."""
    return lambda _stage: sequential(
        {"class_name": class_name, "config": {"name": "x", "units": 2, slot: name}}
    )


def wrapped(class_name: str) -> Callable[[Stage], object]:
    """A wrapper whose inner layer, module-less, is a stranger."""
    inner = {"class_name": "exec", "config": {}}
    return lambda _stage: sequential({"class_name": class_name, "config": {"layer": inner}})


def double_json(stage: Stage) -> object:
    """Keras 1: a JSON string that holds JSON, and in it a lambda."""
    code = [stage.lambda_code(), None, None]
    victim = {"class_name": "Lambda", "config": {"function": code, "function_type": "lambda"}}
    return json.dumps(json.dumps({"class_name": "Sequential", "config": [victim]})).encode()


def list_config(stage: Stage) -> object:
    """Keras 1: the config of a Sequential is a list."""
    code = [stage.lambda_code(), None, None]
    victim = {"class_name": "Lambda", "config": {"function": code, "function_type": "lambda"}}
    first = {
        "class_name": "Dense",
        "config": {"name": "d", "units": 2, "batch_input_shape": [None, 4]},
    }
    return {"class_name": "Sequential", "config": [first, victim]}


def keras1_merge(stage: Stage) -> object:
    """Keras 1: a Merge layer whose mode is a lambda."""
    code = [stage.lambda_code(), None, None]
    config = {"name": "m", "mode": code, "mode_type": "lambda", "output_shape_type": "raw"}
    return sequential({"class_name": "Merge", "config": config})


def keras0_graph(stage: Stage) -> object:
    """Keras 0: a Graph, with nodes by name."""
    nodes = {"n": {"name": "LambdaMerge", "function": stage.lambda_code()}}
    return {"name": "Graph", "class_name": "Graph", "config": {"nodes": nodes}}


def keras0_layer(stage: Stage) -> object:
    """Keras 0: a layer says `name`, not `class_name`."""
    return {"name": "Sequential", "layers": [{"name": "Lambda", "function": stage.lambda_code()}]}


def function_type(kind: str, module: str | None) -> Callable[[Stage], object]:
    """Keras 2: a Lambda that names its function, and the module it is found in."""
    config: dict[str, object] = {"name": "x", "function": "system", "function_type": kind}
    config |= {"module": module, "arguments": {"command": "id"}}
    return lambda _stage: sequential({"class_name": "Lambda", "config": config})


def mixed(stage: Stage) -> object:
    """Layers with a module, and one without."""
    victim = {"class_name": "deserialize", "config": {"config": {"class_name": "x"}}}
    return functional(dense(), {**victim, "name": "victim"})


GADGETS = [
    *(
        Gadget(f"call-{name}", "rule-4", FAMILY, called(name), "/config/layers/1", ("keras", "h5", "dict"))
        for name in " ".join(CALLABLES).split()
    ),
    *(
        Gadget(f"name-{name}", "rule-4", FAMILY, called_plain(name), "/config/layers/1", ("keras", "dict"))
        for name in ("deserialize", "serialize", "keras_export", "core", "__builtins__", "exec")
    ),
    *(
        Gadget(f"stranger-{name}", "rule-4", FAMILY, stranger(class_name), "/config/layers/1", ALL)
        for name, class_name in (
            ("custom", "MyLayer"),
            ("package", "Custom>MyLayer"),
            ("dotted", "os.system"),
            ("evil", "evil>Dense"),
        )
    ),
    Gadget("type-spec", "rule-4", FAMILY, type_spec, "/config/layers/1", ALL, EITHER),
    Gadget("composite-tensor", "rule-4", FAMILY, composite, "/config/layers/1", ALL, EITHER),
    Gadget("passive", "rule-4", FAMILY, passive, "/config/layers/1", ALL, EITHER),
    *(
        Gadget(f"{slot}-{name}", "rule-4", FAMILY, function_in(slot, name), "/config/layers/1", ("h5", "json"))
        for slot in ("activation", "kernel_initializer", "kernel_regularizer")
        for name in ("os.system", "deserialize", "get_file")
    ),
    *(
        Gadget(f"wrapped-{name}", "rule-4", FAMILY, wrapped(name), "/config/layers/1", ("h5", "keras", "dict"))
        for name in ("TimeDistributed", "Bidirectional", "Wrapper", "SpectralNormalization")
    ),
    Gadget("json-in-json", "CVE-2024-3660", FAMILY, double_json, formats=("h5", "json"), errors=EITHER, as_is=True),
    Gadget("list-config", "CVE-2024-3660", FAMILY, list_config, formats=ALL),
    Gadget("keras1-merge", "CVE-2024-3660", FAMILY, keras1_merge, formats=ALL),
    Gadget("keras0-graph", "CVE-2024-3660", FAMILY, keras0_graph, formats=ALL, errors=EITHER),
    Gadget("keras0-layer", "CVE-2024-3660", FAMILY, keras0_layer, formats=("h5", "json"), errors=EITHER, as_is=True),
    *(
        Gadget(f"function-type-{kind}-{module}", "CVE-2024-3660", FAMILY, function_type(kind, module), "/config/layers/1", ALL)
        for kind, module in (("function", "os"), ("function", None), ("raw", "os"), ("lambda", "os"))
    ),
    Gadget("mixed", "rule-4", FAMILY, mixed, "/config/layers/2"),
    Gadget(
        "layer-in-legacy-activation",
        "rule-4",
        FAMILY,
        lambda s: sequential(layer("Activation", activation={"class_name": "Lambda", "config": {"function": s.lambda_code()}})),
        "/config/layers/1",
        ALL,
    ),
    Gadget(
        "legacy-optimizer",
        "rule-4",
        FAMILY,
        lambda _s: {**sequential(dense()), "compile_config": {"optimizer": {"class_name": "exec", "config": {}}, "loss": "mse"}},
        pointer="/compile_config/optimizer",
        formats=ALL,
    ),
    Gadget(
        "legacy-loss",
        "rule-4",
        FAMILY,
        lambda _s: {**sequential(dense()), "compile_config": {"optimizer": "sgd", "loss": {"dense": obj("os", "system", {})}}},
        pointer="/compile_config/loss",
        formats=ALL,
    ),
]  # fmt: skip

CASES: list[Case] = expand(GADGETS)
