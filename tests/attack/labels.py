"""Names of layers and variables that would leave their place, or hide in a log.

CVE-2026-12479: Keras joined layer names into paths of its asset store. Names hold no
separators and no control characters, are not "." or "..", and are unique where they stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attack import carriers
from attack.case import EITHER, Case, Gadget, expand
from attack.configs import call, dense, functional, layer, obj, optimizer, sequential, tensor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attack.stage import Stage

FAMILY = "labels"

#: Names that no layer, model or metric may have.
NAMES: dict[str, object] = {
    "parent": "..",
    "here": ".",
    "traversal": "../../../fired",
    "inner-traversal": "a/../../b",
    "absolute": "/tmp/fired",
    "backslash": "..\\..\\fired",
    "drive": "C:\\fired",
    "nul": "a\u0000b",
    "newline": "a\nb",
    "carriage": "safe\rEVIL",
    "escape": "\u001b[2J\u001b[31mok",
    "c1": "a\u009bm",
    "bidi": "a\u202eb",
    "dict": {"class_name": "function", "module": "os", "config": "system"},
    "list": [".."],
    "long": "x" * 100_000,
    "surrogate": "a\ud800b",
}


def of_layer(value: object) -> Callable[[Stage], object]:
    """The name of a layer of a Sequential model."""
    return lambda _stage: sequential(
        layer("Dense", units=2) | {"config": {"name": value, "units": 2}}
    )


def of_node(value: object) -> Callable[[Stage], object]:
    """The name of a layer of a Functional model, and of its entry."""
    node = obj("keras.layers", "Dense", {"name": value, "units": 2})
    return lambda _stage: functional({**node, "name": value})


def of_model(value: object) -> Callable[[Stage], object]:
    """The name of a model."""
    return lambda _stage: sequential(dense(), name=value)  # type: ignore[arg-type]


def of_inner_model(value: object) -> Callable[[Stage], object]:
    """The name of a model inside a model."""
    return lambda _stage: sequential(sequential(dense(), name=value))  # type: ignore[arg-type]


def of_metric(value: object) -> Callable[[Stage], object]:
    """The name of a metric."""
    metric = obj("keras.metrics", "Precision", {"name": value})
    return lambda _stage: {
        **sequential(dense()),
        "compile_config": {"optimizer": "sgd", "loss": "mse", "metrics": [metric]},
    }


def of_optimizer(value: object) -> Callable[[Stage], object]:
    """The name of an optimizer."""
    return lambda _stage: {
        **sequential(dense()),
        "compile_config": {"optimizer": optimizer(name=value), "loss": "mse"},
    }


PLACES = {
    "layer": (of_layer, "/config/layers/1"),
    "node": (of_node, "/config/layers/1"),
    "model": (of_model, ""),
    "inner-model": (of_inner_model, "/config/layers/1"),
    "metric": (of_metric, "/compile_config/metrics"),
    "optimizer": (of_optimizer, "/compile_config/optimizer"),
}


def duplicates(stage: Stage) -> object:
    """Two layers of one name: one's weights would go to the other."""
    return functional(dense("same"), {**layer("Dropout", "same", rate=0.5)}, dense("last"))


def duplicates_case(stage: Stage) -> object:
    """An entry whose name is not that of its config: references go astray."""
    node = {**dense("other"), "name": "dense"}
    return functional(node, {**dense("dense"), "inbound_nodes": [call(tensor("dense"))]})


def asset_member(stage: Stage) -> Path:
    """CVE-2026-12479: the layer's name and the member of the archive fit each other."""
    victim = layer("StringLookup", "..", vocabulary=["a"])
    members = carriers.keras_members(sequential(victim, shape=(None, 1)))
    members["assets/layers/../fired.txt"] = b"fired"
    return carriers.write_zip(stage.root / "model.keras", members)


GADGETS = [
    *(
        Gadget(f"{place}-{name}", "CVE-2026-12479", FAMILY, make(value), at, ("keras", "dict"), EITHER)
        for place, (make, at) in PLACES.items()
        for name, value in NAMES.items()
        if place in ("layer", "node") or name in ("traversal", "parent", "nul", "escape")
    ),
    *(
        Gadget(f"layer-{name}", "CVE-2026-12479", FAMILY, of_layer(NAMES[name]), "/config/layers/1",
               ("h5", "json", "yaml", "tfjs"), EITHER)
        for name in ("parent", "traversal", "newline", "backslash")
    ),
    Gadget("duplicate-names", "CVE-2026-12479", FAMILY, duplicates, errors=EITHER),
    Gadget("entry-and-config-differ", "CVE-2026-12479", FAMILY, duplicates_case, errors=EITHER),
]  # fmt: skip

CASES: list[Case] = [
    *expand(GADGETS),
    Case("CVE-2026-12479/asset-member.keras", "CVE-2026-12479", FAMILY, asset_member, EITHER),
]
