"""Marshalled code: a lambda in every shape, in every slot, in every format.

CVE-2024-3660 (Lambda layers), CVE-2025-9905 (.h5 ignored safe mode), CVE-2026-12481 (no
scope, no mode), and rule 5: code is found by its structure, at any depth.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

from attack.case import Case, Gadget, expand, placed
from attack.configs import SLOTS, call, dense, functional, layer, obj, sequential, tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from attack.stage import Stage

FAMILY = "code"
ALL = ("keras", "h5", "json", "yaml", "tfjs", "dict")


def keras3(stage: Stage) -> object:
    """What the layer Lambda of Keras 3 writes."""
    config = {"code": stage.lambda_code(), "defaults": None, "closure": None}
    return {"class_name": "__lambda__", "config": config}


def value_form(stage: Stage) -> object:
    """What `serialize_keras_object` of Keras 3 writes."""
    return {"class_name": "__lambda__", "config": {"value": [stage.lambda_code(), None, None]}}


def dressed(stage: Stage) -> object:
    """The same, with the keys of an ordinary object, so as to look like one."""
    return {**obj("keras.layers", "Dense", {}), **keras3(stage)}  # type: ignore[dict-item]


def shared(stage: Stage) -> object:
    """The same, with a share id."""
    return {**keras3(stage), "shared_object_id": 1}  # type: ignore[dict-item]


def broken(stage: Stage) -> object:
    """Not base64 at all: refused by shape, not by whether it decodes."""
    return {"class_name": "__lambda__", "config": {"code": "%%% not base64", "defaults": None}}


def listed(stage: Stage) -> object:
    """Code in a list, one level down."""
    return [[keras3(stage)]]


FORMS: dict[str, Callable[[Stage], object]] = {
    "lambda": keras3,
    "lambda-value": value_form,
    "lambda-dressed": dressed,
    "lambda-shared": shared,
    "lambda-broken": broken,
}


def legacy(field: str = "function", **config: object) -> Callable[[Stage], object]:
    """Keras 1 and 2: a list [code, defaults, closure], its kind told by `<field>_type`."""

    def make(stage: Stage) -> object:
        triple = [stage.lambda_code(), None, None]
        own = {"function": "linear", "function_type": "function", **config}
        own |= {field: triple, f"{field}_type": "lambda", "arguments": {}}
        return sequential({"class_name": "Lambda", "config": {"name": "victim", **own}})

    return make


def legacy_latin1(stage: Stage) -> object:
    """Keras 1: the marshalled bytes as text, without base64."""
    raw = b64decode(stage.lambda_code()).decode("latin-1")
    config = {"name": "victim", "function": [raw, None, None], "function_type": "lambda"}
    return sequential({"class_name": "Lambda", "config": config})


def legacy_bare(stage: Stage) -> object:
    """Keras 1: the code alone, a string."""
    config = {"name": "victim", "function": stage.lambda_code(), "function_type": "lambda"}
    return sequential({"class_name": "Lambda", "config": config})


def untyped(stage: Stage) -> object:
    """A triple without `function_type`, in a layer of Keras 3."""
    return sequential(layer("Lambda", "victim", function=[stage.lambda_code(), None, None]))


def disguised(stage: Stage) -> object:
    """`function_type: lambda` in a layer that is not called Lambda."""
    code = [stage.lambda_code(), None, None]
    return sequential(dense(function=code, function_type="lambda"))


def defaults(stage: Stage) -> object:
    """An innocent lambda; its default is the code."""
    config = {"code": stage.lambda_code("lambda x, y=1: x"), "closure": None}
    config["defaults"] = [keras3(stage)]  # type: ignore[assignment]
    function = {"class_name": "__lambda__", "config": config}
    return sequential(layer("Lambda", "victim", function=function))


def alias(module: str | None, class_name: str = "Lambda") -> Callable[[Stage], object]:
    """The Lambda layer by another name."""
    return lambda stage: sequential(
        obj(module, class_name, {"name": "victim", "function": keras3(stage)}, class_name)
    )


def no_module(stage: Stage) -> object:
    """CVE-2026-12481: a layer without the key `module` goes through the legacy resolver."""
    return sequential({"class_name": "Lambda", "config": {"function": keras3(stage)}})


def in_data(stage: Stage) -> object:
    """Code at the bottom of plain data, in an argument that takes any value."""
    data: object = keras3(stage)
    for _ in range(20):
        data = {"a": [data]}
    return sequential(dense(name="d", surprise=data))


def nested_functional(stage: Stage) -> object:
    """The Lambda of a model in a model."""
    victim = layer("Lambda", "victim", function=keras3(stage))
    return functional(sequential(functional(victim, name="inner"), name="middle"))


def operation_argument(stage: Stage) -> object:
    """Code as the argument of an operation in the graph."""
    node = obj("keras.src.ops.numpy", "Reshape", {"newshape": keras3(stage), "name": "r"})
    return functional({**node, "inbound_nodes": [call(tensor())]})


ALIASES: dict[str, tuple[str | None, str]] = {
    "src": ("keras.src.layers.core.lambda_layer", "Lambda"),
    "src-layers": ("keras.src.layers", "Lambda"),
    "api": ("keras.api.layers", "Lambda"),
    "tf-keras": ("tf_keras.layers", "Lambda"),
    "tf-keras-src": ("tf_keras.src.layers.core.lambda_layer", "Lambda"),
    "tensorflow": ("tensorflow.keras.layers", "Lambda"),
    "keras-tf-keras": ("keras._tf_keras.keras.layers", "Lambda"),
    "keras2": ("keras.layers.core", "Lambda"),
    "keras2-file": ("keras.layers.core.lambda_layer", "Lambda"),
    "none": (None, "Lambda"),
    "dotted": ("keras", "layers.Lambda"),
    "registered": ("keras.layers", "keras>Lambda"),
}

GADGETS = [
    *(
        placed(name, slot, "CVE-2024-3660", FAMILY, form)
        for slot in SLOTS
        for name, form in FORMS.items()
        if name == "lambda" or slot in ("lambda-function", "activation", "graph-node", "bare")
    ),
    *(
        placed("lambda", slot, "CVE-2025-9905", FAMILY, keras3, ("h5", "yaml", "tfjs"))
        for slot in SLOTS
        if slot not in ("bare", "graph-node", "feature-space")
    ),
    *(
        placed("lambda-listed", slot, "rule-5", FAMILY, listed)
        for slot in ("unknown-argument", "mask-value", "vocabulary", "constant-value", "metric")
    ),
    *(
        Gadget(f"legacy-{field}", "CVE-2024-3660", FAMILY, legacy(field), formats=ALL)
        for field in ("function", "output_shape", "mask")
    ),
    Gadget("legacy-latin1", "CVE-2024-3660", FAMILY, legacy_latin1, formats=ALL),
    Gadget("legacy-bare-code", "CVE-2024-3660", FAMILY, legacy_bare, formats=ALL),
    Gadget("untyped-triple", "CVE-2024-3660", FAMILY, untyped, formats=ALL),
    Gadget("disguised-as-dense", "rule-5", FAMILY, disguised, formats=ALL),
    Gadget("code-in-defaults", "rule-5", FAMILY, defaults, formats=ALL),
    Gadget("deep-in-data", "rule-5", FAMILY, in_data, formats=ALL),
    Gadget("operation-argument", "rule-5", FAMILY, operation_argument),
    Gadget("nested-models", "CVE-2024-3660", FAMILY, nested_functional, formats=ALL),
    Gadget("no-module", "CVE-2026-12481", FAMILY, no_module, formats=ALL),
    *(
        Gadget(f"alias-{name}", "CVE-2024-3660", FAMILY, alias(*symbol))
        for name, symbol in ALIASES.items()
    ),
]

CASES: list[Case] = expand(GADGETS)
