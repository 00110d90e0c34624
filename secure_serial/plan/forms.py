"""Recognising the shapes that configs come in: Keras 0 to 3, marshalled. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.artifact.document import LISTS
from secure_serial.plan.fields import OBJECT_FIELDS, Field
from secure_serial.plan.names import MISSING, Names, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.plan.catalogue import FieldSpec

_INLINE_FIELDS = frozenset({Field.REGULARIZER, Field.CONSTRAINT})
#: Keys of a node that Keras reads besides `config`.
NODE_KEYS = frozenset(
    {"module", "class_name", "config", "registered_name", "build_config", "compile_config",
     "shared_object_id", "name", "inbound_nodes", "keras_version", "backend"}
)  # fmt: skip


def names_of(value: Mapping[str, Json], function: Json = MISSING) -> Names:
    """The names that a node carries."""
    return Names(
        value.get("module", MISSING),
        value.get("class_name", MISSING),
        value.get("registered_name", MISSING),
        function,
    )


def written(names: Names) -> str:
    """The names as a person would quote them."""
    parts = [f"{names.module}." if isinstance(names.module, str) else "", spelled(names.class_name)]
    if isinstance(names.registered_name, str):
        parts.append(f" registered as {names.registered_name!r}")
    return "".join(parts)[:400]


def is_keras0(value: Json) -> bool:
    """Keras 0.x: an object is a dict whose `name` is its class, its arguments beside it."""
    return (
        isinstance(value, dict)
        and "class_name" not in value
        and value.get("name") in ("Sequential", "Graph")  # a tuple: the name may be a list
        and ("layers" in value or "nodes" in value)
    )


def is_inline_node(value: Mapping[str, Json], spec: FieldSpec, *, keras0: bool) -> bool:
    """An object whose `name` is its class and whose arguments stand beside it.

    All objects of Keras 0; in Keras 1 regularizers and constraints still.
    """
    fields = OBJECT_FIELDS if keras0 else _INLINE_FIELDS
    return spec.field in fields and isinstance(value.get("name"), str)


def takes_tensor(call: Json) -> bool:
    """Whether a call in a graph is fed by the graph, as every call is that Keras writes.

    One that is not runs at once, on constants of the file's choosing, while the graph is built.
    """
    stack = [call]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                return True
            stack += value.values()
        elif isinstance(value, LISTS):
            stack += value
    return False


def marks_code(value: Mapping[str, Json]) -> list[str]:
    """The arguments that are said to hold bytecode, as Keras 2 does: by a `function_type`."""
    if "lambda" not in value.values():
        return []
    return [
        key.removesuffix("_type")
        for key, item in value.items()
        if item == "lambda" and isinstance(key, str) and key.endswith("_type")
    ]
