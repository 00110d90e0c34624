"""How a class or function is named in a config: module, class name, registered name."""

from __future__ import annotations

from types import FunctionType
from typing import Any, TypeGuard

from secure_serial.loaded import loaded
from secure_serial.registry import get_registered_name

_EXPORTS = "keras.src.api_export"


def public_name(symbol: object) -> str | None:
    """The first name Keras exports `symbol` under ("keras.layers.Dense"), else None."""
    exports = loaded(_EXPORTS, "get_name_from_symbol")
    name: str | None = None if exports is None else exports.get_name_from_symbol(symbol)
    return name


def class_node(cls: type, config: object) -> dict[str, Any]:
    """The node for an instance of `cls` that has this (serialized) config.

    A class that Keras exports is named by that; any other one by where it was defined,
    and the name it was registered under.
    """
    exported = public_name(cls)
    if exported is None:
        module, name, registered = cls.__module__, cls.__name__, get_registered_name(cls)
    else:
        (module, _, name), registered = exported.rpartition("."), None
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def is_lambda(obj: object) -> TypeGuard[FunctionType]:
    """Whether it is a function that was written as a `lambda`."""
    return isinstance(obj, FunctionType) and obj.__name__ == "<lambda>"
