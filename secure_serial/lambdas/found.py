"""Finding the functions in a document's tree, and putting our own form in their places.

What is found are all forms of `stored`, wherever they stand, and besides whatever a key that ends
in `_type` marks as bytecode, so that a broken one is not passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from secure_serial.lambdas.stored import BLANKS, LAMBDA, OWN, is_code, is_dump, stored
from secure_serial.lambdas.understood import from_own, understand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_serial.artifact.document import Json
    from secure_serial.lambdas.bounds import Account
    from secure_serial.lambdas.understood import Understood

#: `(parent, key)`, or None for the root, as the planner has it.
Path: TypeAlias = "tuple[Path, str | int] | None"
#: How a text of code can begin, in base64 and raw: asking more of each text would take long.
#: Blanks may stand before it, and between the letters of base64.
_BEGINNINGS = ("4", "Y", "c", "\xe3")


class Found(NamedTuple):
    """A value that is a function, and the container that holds it; None where it is the root."""

    path: Path
    value: Json
    container: Json


def find(root: Json) -> list[Found]:
    """The functions in a tree, in the order in which they stand.

    >>> [each.path for each in find({"f": {"class_name": "__lambda__", "config": {}}})]
    [(None, 'f')]

    """
    found: list[Found] = []
    stack: list[tuple[Found, bool]] = [(Found(None, root, None), False)]
    while stack:
        here, marked = stack.pop()
        value = here.value
        if marked or _is_function(value):
            found.append(here)
        elif isinstance(value, dict):
            marks = _marked(value) if "lambda" in value.values() else frozenset()
            inner = [(Found((here.path, k), v, value), k in marks) for k, v in value.items()]
            stack += _inside(reversed(inner))
        elif isinstance(value, list):
            inner = [(Found((here.path, n), v, value), False) for n, v in enumerate(value)]
            stack += _inside(reversed(inner))
    return found


def _inside(items: Iterable[tuple[Found, bool]]) -> list[tuple[Found, bool]]:
    """Without what can hold nothing: most of a config."""
    return [each for each in items if each[1] or isinstance(each[0].value, str | list | dict)]


def _marked(value: dict[str, Json]) -> frozenset[str]:
    """The keys that are said to hold bytecode, as Keras 2 does: by a `function_type`."""
    said = {key for key, item in value.items() if item == "lambda" and key.endswith("_type")}
    named = {key.removesuffix("_type") for key in said} & value.keys()
    return frozenset(key for key in named if value[key] is not None)


def _is_function(value: Json) -> bool:
    if isinstance(value, str):
        return value.lstrip(BLANKS).startswith(_BEGINNINGS) and is_code(value)
    if isinstance(value, list):
        return is_dump(value) and _is_function(value[0])
    if not isinstance(value, dict):
        return False
    if value.get("class_name") == "__tuple__":
        return _is_function(value.get("items"))
    return value.get("class_name") == LAMBDA


def understood(value: Json, account: Account | None = None) -> Understood:
    """The function that a value is; reading it takes from an account that others share.

    Raises:
        BadStream, CannotLift, TooMuch: It cannot be understood.

    """
    from secure_serial.lambdas.errors import BadStream

    found = stored(value)
    if found is None:
        raise BadStream("what is marked as a function is in none of the forms that are known")
    return understand(found, account=account)


def in_own_form(value: Json, account: Account | None = None, *, drop_bytecode: bool) -> Json:
    """A function's value with our own form in it, as a `__lambda__` node.

    Raises:
        BadStream, CannotLift, TooMuch: It cannot be understood, or not be written.

    """
    known = understood(value, account)
    form = known.own_form()
    from_own(form)
    config: dict[str, Json] = {OWN: form}
    node = {"class_name": LAMBDA}
    if isinstance(value, dict) and value.get("class_name") == LAMBDA:
        node = cast("dict[str, str]", value)
        old = cast("dict[str, Json]", value["config"])
        config = config if drop_bytecode else {**old, **config}
    elif not drop_bytecode:
        parts = value.get("items") if isinstance(value, dict) else value
        if isinstance(parts, str):
            parts = [parts, None, None]
        code, defaults, closure = cast("list[Json]", parts)
        config = {"code": code, "defaults": defaults, "closure": closure, **config}
    return {**node, "config": config}


def put(root: Json, found: Found, value: Json) -> Json:
    """Put a value in a function's place, in the tree itself; the tree, or what took its place."""
    if found.path is None:
        return value
    container = cast("dict[str | int, Json]", found.container)
    container[found.path[1]] = value
    return root
