"""Whether an argument is what a rule demands. Pure; raises nothing that it should not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.policy.model import Constraint

#: JSON's types, by the names that JSON Schema gives them.
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
#: What stands for an argument that is not given.
ABSENT = object()


def given(argument: str, arguments: Mapping[str, Json]) -> Json:
    """What stands under a name, dotted or not; `ABSENT` where nothing does.

    >>> given("node.op", {"node": {"op": "Add"}})
    'Add'
    """
    value: Json = arguments
    for key in argument.split("."):
        if not isinstance(value, dict) or key not in value:
            return ABSENT
        value = value[key]
    return value


def holds(
    constraint: Constraint,
    arguments: Mapping[str, Json],
    each: Callable[[Iterable[bool]], bool] = all,
) -> bool:
    """Whether the named argument satisfies every condition.

    `each` says of a list of numbers whether all must be within the bounds or any.

    An argument that is absent takes the class's own default, which the file does not
    choose, so it satisfies any. A dotted name (`node_def.op`) looks into an argument that
    is an object; there, what is absent does not satisfy.

    Raises:
        TypeError: a bound on something that has no order or no length; the engine takes
            that as "does not allow" in an allow rule and as "denies" in a deny rule.

    """
    name, dotted, _ = constraint.argument.partition(".")
    if name not in arguments:
        return True
    value = given(constraint.argument, arguments) if dotted else arguments[name]
    if value is ABSENT:
        return False
    if constraint.types and not (_types(value) & constraint.types):
        return False
    if constraint.one_of is not None and not any(_same(value, v) for v in constraint.one_of):
        return False
    if constraint.max_length is not None and _length(value) > constraint.max_length:
        return False
    minimum, maximum = constraint.minimum, constraint.maximum
    if minimum is None and maximum is None:
        return True
    numbers = value if isinstance(value, list | tuple) else [value]
    return each([_within(number, minimum, maximum) for number in numbers])


def _within(number: Json, minimum: float | None, maximum: float | None) -> bool:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError("a bound on something that is no number")
    if number != number:  # noqa: PLR0124 - NaN compares with nothing, so no bound can be told
        raise TypeError("a bound on NaN")
    return (minimum is None or number >= minimum) and (maximum is None or number <= maximum)


def _length(value: Json) -> int:
    if isinstance(value, str | list | tuple | dict):
        return len(value)
    raise TypeError("a length of something that has none")


def _types(value: Json) -> set[str]:
    if value is None:
        return {"null"}
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int):
        return {"integer", "number"}
    if isinstance(value, float):
        return {"number"}
    if isinstance(value, str):
        return {"string"}
    return {"array"} if isinstance(value, list | tuple) else {"object"}


def _same(value: Json, wanted: Json) -> bool:
    """Equal and of one type, all through: True is not 1 here, and a tuple is an array."""
    if isinstance(value, list | tuple) and isinstance(wanted, list | tuple):
        return len(value) == len(wanted) and all(map(_same, value, wanted))
    if isinstance(value, dict) and isinstance(wanted, dict):
        return value.keys() == wanted.keys() and all(
            _same(value[key], wanted[key]) for key in value
        )
    return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted
