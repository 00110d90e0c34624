"""The walk over an object and all it holds.

The order of the tests is Keras's, and so are the results, tuples included. Depth is bounded:
what refers to itself, or nests deeper than any loader of ours reads, is an error of ours.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from secure_serial.errors import LimitExceeded
from secure_serial.limits import Limits
from secure_serial.registry import get_registered_name
from secure_serial.serialize.naming import class_node
from secure_serial.serialize.special import ORDINARY, encode
from secure_serial.sharing import record_serialized

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN = (str, int, float, bool)
#: Nothing of ours reads a config that nests deeper, so none is written.
_DEPTH = Limits().depth


def serialize_keras_object(obj: object) -> Any:
    """The config of `obj`, made of plain values, lists, tuples and dicts.

    Plain values are returned as they are; containers are walked; objects need `get_config`.

    Args:
        obj: a layer, an optimizer, a function, ... or a nest of them.

    Raises:
        TypeError: an object without `get_config`, or one that does not give a dict.
        UnicodeDecodeError: bytes that are not UTF-8 text.
        ValueError: an array whose dtype the format has no name for.
        LimitExceeded: it nests too deeply, or contains itself.

    >>> serialize_keras_object([1, (2.0, b"three")])
    [1, (2.0, {'class_name': '__bytes__', 'config': {'value': 'three'}})]

    """
    try:
        return _value(obj, 0)
    except RecursionError:
        # Each object's own `get_config` may call this function again, and so start a count
        # of its own: what ends then is the interpreter's stack.
        raise LimitExceeded(_TOO_DEEP) from None


_TOO_DEEP = f"the object contains itself, or nests more than {_DEPTH} levels deep"


def _value(obj: object, depth: int) -> Any:
    if obj is None or isinstance(obj, _PLAIN):
        return obj
    if depth >= _DEPTH:
        raise LimitExceeded(_TOO_DEEP)
    if isinstance(obj, list):
        return [_value(item, depth + 1) for item in obj]
    if isinstance(obj, tuple):
        return tuple([_value(item, depth + 1) for item in obj])
    if isinstance(obj, dict):
        return _mapping(obj, depth)
    if isinstance(obj, slice):
        config = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": _mapping(config, depth + 1)}
    encoded = encode(obj)
    return encoded if encoded is not ORDINARY else _object(obj, depth)


def _mapping(values: Mapping[Any, object], depth: int) -> dict[Any, Any]:
    return {key: _value(value, depth + 1) for key, value in values.items()}


def _object(obj: Any, depth: int) -> dict[str, Any]:
    node = class_node(obj.__class__, _config(obj, depth + 1))
    for part in ("build_config", "compile_config"):
        get = getattr(obj, f"get_{part}", None)
        values = None if get is None else get()
        if values is not None:
            node[part] = _mapping(values, depth + 1)
    if node["module"] == "__main__":
        node["module"] = None  # another program's main module is not this one
    record_serialized(obj, node)
    return node


def _config(obj: Any, depth: int) -> Any:
    if isinstance(obj, FunctionType):
        return get_registered_name(obj)
    if hasattr(obj, "get_config"):
        config = obj.get_config()
        if not isinstance(config, dict):
            raise TypeError(
                f"The `get_config()` method of {obj} should return a dict; it gave {config!r}"
            )
        return _mapping(config, depth)
    if hasattr(obj, "__name__"):
        return get_registered_name(obj)
    raise TypeError(
        f"Cannot serialize object {obj} of type {type(obj)}."
        " Its class must implement the `get_config()` method."
    )
