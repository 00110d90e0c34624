"""What a child answers, read as if someone else had taken it over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.errors import SandboxError
from secure_serial.sandbox.wall.codec import Garbled

if TYPE_CHECKING:
    from secure_serial.sandbox.wall.codec import Reader

#: Codes that an answer may bear; the others are not a restricted function's to give.
_CODES = frozenset({"SS501", "SS502", "SS503", "SS504"})
#: Characters of what it says.
_TEXT = 1000


def read(reader: Reader, text: bytes) -> Any:
    """The value that a child answers, or the error that it tells of, not raised.

    Raises:
        Garbled: it is neither.

    """
    kind, *parts = reader.message(text)
    if kind == "value" and len(parts) == 1:
        return reader.value(parts[0])
    if kind != "refused" or not all(type(part) is str for part in parts):
        raise Garbled("no answer of ours")
    if len(parts) != 3 or parts[0] not in _CODES:  # noqa: PLR2004
        raise Garbled("no error of ours")
    code, message, advice = map(shown, parts)
    return SandboxError(message, code=code, help=advice)


def shown(text: str) -> str:
    r"""A text of the child's, as one line that can be printed anywhere.

    >>> shown("a" + chr(10) + "b")
    'a\\nb'
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:_TEXT])
