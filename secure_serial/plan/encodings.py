"""Keras's value encodings (`__tensor__`, `__slice__`, …): judged, never decoded here. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.document import LISTS
from secure_serial.plan.fields import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.limits import Limits

LAMBDA = "__lambda__"
TYPE_SPEC = "__typespec__"
#: Containers of Keras 2's JSON encoder: their `items` stand for themselves.
CONTAINERS = frozenset({"__tuple__", "TensorShape"})

_ANY_VALUE = frozenset({Field.ROOT, Field.OBJECT, Field.GRAPH_CALL, Field.VALUE})
_NUMERIC = _ANY_VALUE | {Field.ARRAY, Field.NUMBER, Field.SCHEDULE}
#: Where each encoding may stand.
PLACES: dict[str, frozenset[Field]] = {
    "__tensor__": _NUMERIC,
    "__numpy__": _NUMERIC,
    "__keras_tensor__": frozenset({Field.ROOT, Field.OBJECT, Field.GRAPH_CALL}),
    "__slice__": _ANY_VALUE,
    "__ellipsis__": _ANY_VALUE,
    "__bytes__": _ANY_VALUE | {Field.TEXT},  # a vocabulary of bytes would be opened as a path
}
#: NumPy's and ml_dtypes' plain numeric types, and text; never `object`, which NumPy unpickles.
DTYPES = frozenset(
    [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
        "bfloat16",
        "float8_e4m3fn",
        "float8_e5m2",
        "int4",
        "uint4",
        "complex64",
        "complex128",
        "string",
    ]
)


class Judged(NamedTuple):
    """What is wrong with an encoded value, and the bytes that decoding it takes."""

    problems: tuple[tuple[str, str], ...]
    allocation: int = 0


def judge(class_name: str, config: Json, field: Field, limits: Limits) -> Judged:
    """Whether an encoding may stand in this field and says what it may."""
    problems = []
    if field not in PLACES[class_name]:
        problems.append(("SS311", f"{class_name} in a field that holds {field}"))
    problem, allocation = _CHECKS[class_name](config, limits)
    if problem:
        problems.append(problem)
    return Judged(tuple(problems), allocation)


def _array(config: Json, _limits: Limits) -> tuple[tuple[str, str] | None, int]:
    if not isinstance(config, dict) or not {"value", "dtype"} <= config.keys():
        return ("SS310", "an encoded array without value and dtype"), 0
    if not _is_numeric(config["dtype"]):
        return ("SS322", f"an encoded array of type {config['dtype']!r:.80}"), 0
    count = 0
    stack = [config["value"]]
    while stack:
        value = stack.pop()
        if isinstance(value, LISTS):
            stack.extend(value)
        elif isinstance(value, str) and config["dtype"] != "string":
            return ("SS322", "text in an encoded numeric array"), 0
        elif isinstance(value, dict):
            return ("SS322", "an object in an encoded array"), 0
        else:
            count += 1
    return None, count * 8


def _keras_tensor(config: Json, limits: Limits) -> tuple[tuple[str, str] | None, int]:
    if not isinstance(config, dict) or not {"shape", "dtype", "keras_history"} <= config.keys():
        return ("SS310", "a __keras_tensor__ without shape, dtype and keras_history"), 0
    if not _is_numeric(config["dtype"]):
        return ("SS322", f"a tensor of type {config['dtype']!r:.80}"), 0
    shape = config["shape"]
    if isinstance(shape, dict) and is_container(shape):
        shape = shape.get("items")
    if not isinstance(shape, LISTS) or not all(_extent(n, limits) for n in shape):
        return ("SS323", "a __keras_tensor__ with an impossible shape"), 0
    return None, 0


def _slice(config: Json, _limits: Limits) -> tuple[tuple[str, str] | None, int]:
    keys = {"start", "stop", "step"}
    if not isinstance(config, dict) or config.keys() != keys:
        return ("SS310", "a __slice__ without exactly start, stop and step"), 0
    if all(_slice_bound(config[key]) for key in keys):
        return None, 0
    return ("SS322", "a __slice__ of something else than integers or tensors"), 0


def is_container(value: Mapping[str, Json]) -> bool:
    """Whether a dict is one of Keras 2's containers, whose `items` stand for themselves."""
    name = value.get("class_name")
    return isinstance(name, str) and name in CONTAINERS


def _is_numeric(dtype: Json) -> bool:
    return isinstance(dtype, str) and dtype in DTYPES


def _slice_bound(value: Json) -> bool:
    if isinstance(value, dict):  # a bound that is computed in the graph; the walk judges it
        return value.get("class_name") in ("__keras_tensor__", "__tensor__", "__numpy__")
    return value is None or isinstance(value, int)


def _text(config: Json, _limits: Limits) -> tuple[tuple[str, str] | None, int]:
    if isinstance(config, dict) and isinstance(config.get("value"), str):
        return None, 0
    return ("SS310", "a __bytes__ whose value is no text"), 0


def _nothing(config: Json, _limits: Limits) -> tuple[tuple[str, str] | None, int]:
    return (None, 0) if not config else (("SS310", "an __ellipsis__ with a config"), 0)


def _extent(value: Json, limits: Limits) -> bool:
    return value is None or (isinstance(value, int) and 0 <= value <= limits.extent)


_CHECKS = {
    "__tensor__": _array,
    "__numpy__": _array,
    "__keras_tensor__": _keras_tensor,
    "__slice__": _slice,
    "__bytes__": _text,
    "__ellipsis__": _nothing,
}
