"""Names that are almost right, and objects that claim to be others.

Rule 1 (an exact name, never a prefix, never look-alikes), rule 3 (module, class_name and
registered_name agree), rule 9 (no state the file can reach: share ids, scopes, modes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attack.case import Case, Gadget, expand
from attack.configs import dense, function, functional, layer, obj, sequential

if TYPE_CHECKING:
    from collections.abc import Callable

    from attack.stage import Stage

FAMILY = "identity"
CONFIG = {"name": "victim", "units": 2}

#: (module, class_name) pairs that look like keras.layers.Dense and are not.
LOOKALIKES: dict[str, tuple[object, object]] = {
    "prefix": ("keras_fake.layers", "Dense"),
    "prefix-dot": ("kerasx.layers", "Dense"),
    "suffix": ("keras.layers_evil", "Dense"),
    "submodule": ("keras.layers.evil", "Dense"),
    "trailing-dot": ("keras.layers.", "Dense"),
    "leading-dot": (".keras.layers", "Dense"),
    "double-dot": ("keras..layers", "Dense"),
    "space-module": ("keras.layers ", "Dense"),
    "newline-module": ("keras.layers\n", "Dense"),
    "nul-module": ("keras.layers\u0000", "Dense"),
    "case-module": ("Keras.Layers", "Dense"),
    "case-class": ("keras.layers", "dense"),
    "upper-class": ("keras.layers", "DENSE"),
    "space-class": ("keras.layers", "Dense "),
    "dot-class": ("keras.layers", "Dense."),
    "nul-class": ("keras.layers", "Dense\u0000"),
    "dotted-class": ("keras", "layers.Dense"),
    "path-class": ("keras.layers", "../Dense"),
    "cyrillic-class": ("keras.layers", "D\u0435nse"),
    "cyrillic-module": ("k\u0435ras.layers", "Dense"),
    "fullwidth-class": ("keras.layers", "\uff24ense"),
    "zero-width-class": ("keras.layers", "De\u200bnse"),
    "bidi-class": ("keras.layers", "\u202eesneD"),
    "bracket-class": ("keras.layers", "keras>Dense"),
    "double-bracket": ("keras.layers", "a>b>Dense"),
    "empty-module": ("", "Dense"),
    "empty-class": ("keras.layers", ""),
    "dunder-class": ("keras.layers", "__class__"),
    "dunder-module": ("keras.layers.__init__", "Dense"),
    "wrong-module": ("keras.optimizers", "Dense"),
    "wrong-src-module": ("keras.src.layers.core.lambda_layer", "Dense"),
    "private-class": ("keras.src.layers.core.dense", "_Dense"),
    "number-class": ("keras.layers", 7),
    "list-class": ("keras.layers", ["Dense"]),
    "dict-class": ("keras.layers", {"class_name": "Dense"}),
    "null-class": ("keras.layers", None),
    "bool-class": ("keras.layers", True),
    "number-module": (7, "Dense"),
    "list-module": (["keras.layers"], "Dense"),
    "dict-module": ({"a": 1}, "Dense"),
    "module-object": ("keras.layers", "core"),
}

#: registered_name values that a built-in Dense may not carry.
REGISTERED: dict[str, object] = {
    "other-package": "acme>Dense",
    "other-class": "Lambda",
    "other-keras": "keras.layers.Lambda",
    "function": "function",
    "path": "../Dense",
    "number": 3,
    "list": ["Dense"],
    "dict": {"class_name": "Lambda", "config": {}},
    "unicode": "D\u0435nse",
}


def lookalike(name: str) -> Callable[[Stage], object]:
    """A layer by almost the right name."""
    module, class_name = LOOKALIKES[name]
    registered = class_name if isinstance(class_name, str) else None
    return lambda _stage: sequential(obj(module, class_name, CONFIG, registered))  # type: ignore[arg-type]


def registered(name: str) -> Callable[[Stage], object]:
    """A Dense that claims to be registered as something else."""
    return lambda _stage: sequential(obj("keras.layers", "Dense", CONFIG, REGISTERED[name]))


def function_lookalike(
    module: str, name: object, registered_name: object
) -> Callable[[Stage], object]:
    """An activation function by almost the right name."""
    node = obj(module, "function", name, registered_name)
    return lambda _stage: sequential(dense(activation=node))


FUNCTIONS: dict[str, tuple[str, object, object]] = {
    "registered-other": ("builtins", "relu", "system"),
    "module-os": ("os", "relu", "relu"),
    "module-fake": ("keras_fake.activations", "relu", "relu"),
    "dotted": ("builtins", "activations.relu", "activations.relu"),
    "bracket": ("builtins", "acme>relu", "acme>relu"),
    "suffix": ("builtins", ">relu", ">relu"),
    "ends-with": ("builtins", "elu_evil", "elu_evil"),
    "confusable": ("builtins", "r\u0435lu", "r\u0435lu"),
    "case": ("builtins", "ReLU_", "ReLU_"),
    "list-name": ("builtins", ["relu"], "relu"),
    "dict-name": ("builtins", {"class_name": "function", "config": "relu"}, "relu"),
    "null-name": ("builtins", None, "relu"),
    "builtin-type": ("builtins", "type", "type"),
    "builtin-len": ("builtins", "len", "len"),
    "dunder": ("builtins", "__import__", "__import__"),
}


def odd_class(class_name: str, config: object) -> Callable[[Stage], object]:
    """What `serialize_keras_object` writes for things that are no objects of Keras."""
    return lambda _stage: sequential(dense(activation=obj("builtins", class_name, config)))


def shared_id(stage: Stage) -> object:
    """The second node has the id of the first, and names something else."""
    first = {**dense("a"), "shared_object_id": 7}
    second = {**obj("os", "system", {"command": stage.command}), "shared_object_id": 7}
    return sequential(first, second)


def shared_id_lambda(stage: Stage) -> object:
    """The same, hiding a lambda in the config that is never looked at."""
    code = {"class_name": "__lambda__", "config": {"code": stage.lambda_code()}}
    first = {**dense("a"), "shared_object_id": 7}
    second = {**layer("Lambda", "b", function=code), "shared_object_id": 7}
    return functional(first, second)


def with_mode(stage: Stage) -> object:
    """The file asks for a mode of its own, and brings a lambda."""
    code = {"class_name": "__lambda__", "config": {"code": stage.lambda_code()}}
    root = functional(layer("Lambda", "b", function=code, safe_mode=False))
    return {**root, "safe_mode": False, "custom_objects": {"Lambda": "Lambda"}, "policy": "allow"}


def with_custom(stage: Stage) -> object:
    """The file names a stranger and claims that it is trusted."""
    return {**sequential(obj("acme", "Stranger", {}, "acme>Stranger")), "trusted": True}


def missing(*keys: str) -> Callable[[Stage], object]:
    """A layer of which some keys are missing, among complete ones."""
    entry = obj("acme.layers", "Stranger", {"name": "victim"}, "acme>Stranger")
    kept = {key: value for key, value in entry.items() if key not in keys}
    return lambda _stage: sequential(dense("a"), kept)


GADGETS = [
    *(
        Gadget(
            f"lookalike-{name}",
            "rule-1",
            FAMILY,
            lookalike(name),
            "/config/layers/1",
            errors=("LoadDenied", "MalformedArtifact"),
        )
        for name in LOOKALIKES
    ),
    *(
        Gadget(
            f"registered-{name}",
            "rule-3",
            FAMILY,
            registered(name),
            "/config/layers/1",
            errors=("LoadDenied", "MalformedArtifact"),
        )
        for name in REGISTERED
    ),
    *(
        Gadget(
            f"function-{name}",
            "rule-1",
            FAMILY,
            function_lookalike(*row),
            "/config/layers/1",
            errors=("LoadDenied", "MalformedArtifact"),
        )
        for name, row in FUNCTIONS.items()
    ),
    *(
        Gadget(f"odd-{name}", "rule-1", FAMILY, odd_class(name, config), "/config/layers/1")
        for name, config in (
            ("type", "int"),
            ("module", "os"),
            ("builtin_function_or_method", "eval"),
            ("method", "system"),
            ("partial", {"func": "exec"}),
            ("ufunc", "add"),
            ("code", "x"),
            ("method_descriptor", "join"),
        )
    ),
    Gadget("shared-id", "rule-9", FAMILY, shared_id, "/config/layers/2"),
    Gadget("shared-id-lambda", "rule-9", FAMILY, shared_id_lambda, "/config/layers/2"),
    Gadget("mode-of-its-own", "rule-9", FAMILY, with_mode),
    Gadget("custom-of-its-own", "rule-9", FAMILY, with_custom),
    *(
        Gadget(f"missing-{'-'.join(keys)}", "rule-1", FAMILY, missing(*keys), "/config/layers/2")
        for keys in (("registered_name",), ("module",), ("module", "registered_name"))
    ),
    Gadget(
        "unregistered-function-node",
        "rule-3",
        FAMILY,
        lambda _s: functional(layer("Activation", "a", activation=function("acme", "evil"))),
        "/config/layers/1",
    ),
]

CASES: list[Case] = expand(GADGETS)
