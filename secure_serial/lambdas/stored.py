"""Every form in which a file holds a function, and the parts that each consists of.

A form is told by its shape, and read as strictly as can be: where Keras's own reader would be
lenient, and so might take another function than is shown here, the value is refused.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from secure_serial.lambdas.bounds import Bounds
from secure_serial.lambdas.errors import BadStream, TooMuch
from secure_serial.lambdas.plain import Plain, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Json

LAMBDA = "__lambda__"
#: The key in the config of a `__lambda__` under which our own form stands; Keras ignores it.
OWN = "secure_serial"
_PARTS = frozenset({"code", "defaults", "closure"})
_OWN_PARTS = frozenset({"schema", "source", "defaults", "kwdefaults", "closure"})
#: What a marshalled code object begins with: its type, with or without the flag of a reference.
_CODE_TAGS = (b"c", b"\xe3")
#: Then, in every version, the number of arguments in four bytes, of which three are zero.
_ZEROS = b"\0\0\0"
#: What may stand between the letters of base64.
BLANKS = " \t\r\n"
_NO_BLANKS = str.maketrans("", "", BLANKS)


@dataclass(frozen=True, slots=True)
class Stored:
    """One function as a file holds it, in whichever form."""

    #: The marshalled stream, out of its text.
    code: bytes | None = None
    #: Our own form, as it stands.
    own: Mapping[str, Json] | None = None
    #: What stands beside the bytecode.
    defaults: tuple[Plain, ...] = ()
    kwdefaults: Mapping[str, Plain] = field(default_factory=dict)
    closure: tuple[Plain, ...] = ()


def stored(value: Json, bounds: Bounds | None = None) -> Stored | None:
    """The function that a value of a file holds; None if it holds none.

    The forms: a `__lambda__` node with a `value` or with `code`, `defaults` and `closure`, and
    with our own form beside or instead; the list `[code, defaults, closure]` of Keras 1 and 2; the
    text of the code alone; our own form alone. Lists may be `__tuple__` nodes.

    Raises:
        BadStream: It is one of these, and broken.
        TooMuch: It is larger than `bounds` allow.

    >>> stored({"schema": 1, "source": "lambda x: x"}).code is None, stored("relu"), stored([1, 2])
    (True, None, None)

    """
    bounds = bounds or Bounds()
    if isinstance(value, str):
        return Stored(code=code_of(value, bounds)) if is_code(value, bounds) else None
    dump = _items(value)
    if dump is not None:
        return _dump(dump, bounds) if is_dump(dump) else None
    if not isinstance(value, dict):
        return None
    if value.get("class_name") == LAMBDA:
        return _node(value.get("config"), bounds)
    if value.get("schema") is not None and isinstance(value.get("source"), str):
        return Stored(own=_own(value))
    return None


def is_dump(value: list[Json] | tuple[Json, ...]) -> bool:
    """What Keras's `func_dump` makes of a function: code, defaults and closure.

    >>> is_dump(["4wE=", None, None]), is_dump(["relu", 2])
    (True, False)
    """
    return len(value) == 3 and isinstance(value[0], str)  # noqa: PLR2004 - the three


def is_code(text: str, bounds: Bounds | None = None) -> bool:
    """Whether a text alone is a marshalled code object, by how it begins.

    >>> is_code("4wEAAAAA"), is_code("relu"), is_code("crop")
    (True, False, False)
    """
    longest = 2 * (bounds or Bounds()).stream_bytes
    if len(text) > longest:
        return False
    try:
        return _begins(_decoded(text))
    except BadStream:
        return False


def code_of(text: Json, bounds: Bounds | None = None) -> bytes:
    """The stream out of its text: base64 in lines, or Keras 1's text of one character a byte.

    Raises:
        BadStream: It is neither, or could be taken for either.
        TooMuch: It is longer than `bounds` allow.

    """
    bounds = bounds or Bounds()
    if not isinstance(text, str):
        raise BadStream("the code of a stored function is no text")
    # Base64 takes four characters for three bytes, and a line break after 76.
    if len(text) > 2 * bounds.stream_bytes:
        raise TooMuch(f"more than {bounds.stream_bytes} bytes of code")
    data = _decoded(text)
    if not _begins(data):
        raise BadStream("what should be the code of a stored function is none")
    return data


def _begins(data: bytes) -> bool:
    return data[:1] in _CODE_TAGS and data[2:5] == _ZEROS


def _decoded(text: str) -> bytes:
    """Base64 if the text is exactly that, else its characters as bytes."""
    body = text.translate(_NO_BLANKS)
    if body and body.isascii():
        lenient = _lenient(body)
        if lenient is not None and base64.b64encode(lenient) == body.encode("ascii"):
            return lenient
        # Keras skips what is no base64 and would run the rest, whatever we take the text for.
        if lenient is not None and lenient[:1] in _CODE_TAGS:
            raise BadStream("the code of a stored function is base64 with something else in it")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise BadStream("the code of a stored function is a text of no bytes") from None


def _lenient(body: str) -> bytes | None:
    """What Keras's `func_load` makes of an ASCII text; None where it goes on to the raw form."""
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        return None


def _items(value: Json) -> list[Json] | tuple[Json, ...] | None:
    """The items of a list, of a tuple, or of what Keras 2.13 and later write for a tuple."""
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        value = value.get("items")
    return value if isinstance(value, list | tuple) else None


def _node(config: Json, bounds: Bounds) -> Stored:
    if not isinstance(config, dict):
        raise BadStream("a __lambda__ without a config")
    given = config.keys() - {OWN}
    own = _own(config[OWN]) if OWN in config else None
    if not given and own is not None:
        return Stored(own=own)
    if given == {"value"}:
        dump = _items(config["value"])
        if dump is None or not is_dump(dump):
            raise BadStream("a __lambda__ whose value is not code, defaults and closure")
    elif "code" in given and given <= _PARTS:
        dump = [config["code"], config.get("defaults"), config.get("closure")]
    else:
        raise BadStream("a __lambda__ whose config holds anything but code, defaults and closure")
    return _dump(dump, bounds, own)


def _own(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict) or not value.keys() <= _OWN_PARTS:
        raise BadStream("a function in our own form that holds what that form does not know")
    return cast("dict[str, Json]", value)


def _dump(
    dump: list[Json] | tuple[Json, ...], bounds: Bounds, own: Mapping[str, Json] | None = None
) -> Stored:
    code, defaults, closure = dump
    return Stored(
        code=code_of(code, bounds),
        own=own,
        defaults=_values(defaults, "a default", bounds),
        closure=_values(closure, "a closure's value", bounds),
    )


def _values(value: Json, what: str, bounds: Bounds) -> tuple[Plain, ...]:
    if value is None:
        return ()
    items = _items(value)
    if items is None:
        raise BadStream(f"{what} of a stored function stands in no list")
    made = plain(list(items), what, bounds)
    return tuple(cast("list[Plain]", made))
