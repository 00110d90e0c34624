"""Strict, bounded JSON: what it accepts, `json.loads` accepts, with the same value.

Refused beyond that: anything but UTF-8 without a byte order mark, a key that stands twice
in one object (readers disagree on which counts), a surrogate without its partner (it has no
UTF-8 form, so no record could name what was decided), and whatever exceeds `Limits`.
NaN and Infinity are parsed, as Keras writes them; where they may stand is for the planner.

Bounds are checked on a skeleton (the text without its strings) before the parser runs: the
parser recurses, and converts numerals in quadratic time.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import TYPE_CHECKING

from secure_serial.artifact.faults import Fault
from secure_serial.errors import LimitExceeded, MalformedArtifact, Where

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.limits import Limits

# Pieces small enough to stay in a core's cache: measured the fastest of 16 KiB to 4 MiB.
_PIECE = 1 << 16
# Opening brackets count +1 and closing ones -1 when the bytes are taken as signed.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NUMERALS = bytes.maketrans(b"123456789+-.eE", b"0" * 14)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_STRING = re.compile(rb'"[^"]*+"')


def parse_json(data: bytes, limits: Limits) -> Json:
    """The value of a JSON text.

    >>> from secure_serial.limits import Limits
    >>> parse_json(b'{"units": [1, 2.5, null]}', Limits())
    {'units': [1, 2.5, None]}

    Raises:
        MalformedArtifact: not JSON, or ambiguous.
        LimitExceeded: larger or deeper than the limits allow.

    """
    text = decode_text(data, limits)
    skeleton = _check_bounds(data, limits)
    keys = 0

    def count(pairs: dict[str, Json]) -> dict[str, Json]:
        nonlocal keys
        keys += len(pairs)
        return pairs

    try:
        root: Json = json.loads(text, object_hook=count)
    except RecursionError as error:
        raise LimitExceeded("too deep for the stack that is left", code=Fault.TOO_DEEP) from error
    except json.JSONDecodeError as error:
        raise MalformedArtifact(
            f"not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            code=Fault.JSON_SYNTAX,
        ) from error
    except ValueError as error:  # an int beyond sys.get_int_max_str_digits()
        raise LimitExceeded("a numeral is too long", code=Fault.LONG_NUMERAL) from error
    # In valid JSON every key has a colon, so fewer keys than colons means that one was lost.
    if keys != skeleton.count(b":"):
        _refuse_duplicate(text)
    if _SURROGATE_ESCAPE.search(data):
        _refuse_lone_surrogates(root)
    return root


def decode_text(data: bytes, limits: Limits) -> str:
    """UTF-8 text, not too long and without a byte order mark."""
    if len(data) > limits.config_bytes:
        raise LimitExceeded(
            f"the config has {len(data)} bytes; the limit is {limits.config_bytes}",
            code=Fault.LARGE_CONFIG,
        )
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise MalformedArtifact("the text starts with a byte order mark", code=Fault.ENCODING)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedArtifact(
            f"not UTF-8: {error.reason} at byte {error.start}", code=Fault.ENCODING
        ) from error


def is_encodable(text: str) -> bool:
    """Whether the text has a UTF-8 form, which a surrogate without its partner has not."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def escape_pointer(token: str) -> str:
    """One reference token of a JSON pointer (RFC 6901, section 3).

    >>> escape_pointer("a/b~c")
    'a~1b~0c'
    """
    return token.replace("~", "~0").replace("/", "~1")


def _check_bounds(data: bytes, limits: Limits) -> bytes:
    masked = data
    if b"\\" in data:
        # Same length, so that lengths stay true. Pairs first: they end an escaped run.
        masked = data.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    if limits.string_bytes < len(data):
        _check_strings(masked, limits)
    skeleton = _skeleton(masked)
    brackets = skeleton.translate(_STEPS, _NOT_BRACKETS)
    # Each comma adds a value, and each container but an empty one holds one more.
    nodes = 1 + skeleton.count(b",") + brackets.count(b"\x01")
    if nodes > limits.nodes:
        raise LimitExceeded(
            f"more than {limits.nodes} values, the limit", code=Fault.TOO_MANY_NODES
        )
    depth = max(accumulate(memoryview(brackets).cast("b")), default=0)
    if depth > limits.depth:
        raise LimitExceeded(
            f"nested {depth} deep; the limit is {limits.depth}", code=Fault.TOO_DEEP
        )
    if b"0" * (limits.number_chars + 1) in skeleton.translate(_NUMERALS):
        raise LimitExceeded(
            f"a numeral has more than {limits.number_chars} characters, the limit",
            code=Fault.LONG_NUMERAL,
        )
    return skeleton


def _skeleton(masked: bytes) -> bytes:
    """What stands outside the strings, of a text whose escapes are masked.

    Exact up to the first syntax error, which is as far as the parser gets.
    """
    kept = []
    inside = 0
    for start in range(0, len(masked), _PIECE):
        pieces = masked[start : start + _PIECE].split(b'"')
        kept.append(b"".join(pieces[inside::2]))
        inside ^= (len(pieces) - 1) & 1
    return b"".join(kept)


def _check_strings(masked: bytes, limits: Limits) -> None:
    longest = max((match.end() - match.start() for match in _STRING.finditer(masked)), default=2)
    if longest - 2 > limits.string_bytes:
        raise LimitExceeded(
            f"a string has {longest - 2} bytes; the limit is {limits.string_bytes}",
            code=Fault.LONG_STRING,
        )


def _refuse_duplicate(text: str) -> None:
    from secure_serial.artifact.positions import find_duplicate  # rare

    pointer, line = find_duplicate(text)
    raise MalformedArtifact(
        f"a key stands twice in one object, the second time at line {line}",
        code=Fault.DUPLICATE_KEY,
        where=Where(pointer=pointer),
    )


def _refuse_lone_surrogates(root: Json) -> None:
    # No pointers on the way: below a long key they would cost more than the text itself.
    stack: list[Json] = [root]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack += value
            stack += value.values()
        elif isinstance(value, list):
            stack += value
        elif isinstance(value, str) and not is_encodable(value):
            raise MalformedArtifact(
                "a string holds half of a surrogate pair", code=Fault.LONE_SURROGATE
            )
