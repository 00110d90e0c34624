"""What a compiler works out beforehand, worked out here, too, whatever version did or did not.

Both sides of a proof are folded alike, so versions that fold more or less give one tree.
"""

from __future__ import annotations

import operator
from typing import Any

_SIGNS: dict[str, Any] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "**": operator.pow, "<<": operator.lshift,
    ">>": operator.rshift, "&": operator.and_, "|": operator.or_, "^": operator.xor,
}  # fmt: skip
_UNARY: dict[str, Any] = {"-": operator.neg, "+": operator.pos, "~": operator.invert}
#: CPython's own limits (Python/ast_opt.c: MAX_INT_SIZE, MAX_COLLECTION_SIZE, MAX_STR_SIZE).
_BITS, _ITEMS, _CHARS = 128, 256, 4096
_NUMBERS = (int, float, complex)


def _bits(value: object) -> int:
    return value.bit_length() if isinstance(value, int) else 0


def _small(sign: str, left: object, right: object) -> bool:
    """Whether the result is within CPython's own limits, known before it is computed."""
    if isinstance(left, _NUMBERS) and isinstance(right, _NUMBERS):
        if sign == "**" and isinstance(right, int):
            return abs(right) <= _BITS and _bits(left) * abs(right) <= _BITS
        if sign == "<<" and isinstance(right, int):
            return 0 <= right <= _BITS and _bits(left) + right <= _BITS
        return _bits(left) + _bits(right) <= _BITS
    if sign == "*" and isinstance(right, (str, bytes, tuple)):
        left, right = right, left
    if isinstance(left, (str, bytes, tuple)):
        most = _ITEMS if isinstance(left, tuple) else _CHARS
        if sign == "*" and isinstance(right, int):
            return len(left) * max(abs(right), 1) <= most
        return sign == "+" and type(left) is type(right) and len(left) + len(right) <= most
    return False


def binary(sign: str, left: object, right: object) -> tuple[object, ...]:
    """The result in a tuple, or nothing.

    >>> binary("+", 1, 2), binary("<<", 1, 10**9), binary("/", 1, 0)
    ((3,), (), ())
    """
    if sign not in _SIGNS or not _small(sign, left, right):
        return ()
    try:
        result = _SIGNS[sign](left, right)
    except (ArithmeticError, TypeError, ValueError):
        return ()
    if isinstance(result, float | complex) and result != result:  # noqa: PLR0124 - a NaN
        return ()
    return (result,)


def unary(sign: str, value: object) -> tuple[object, ...]:
    """The result in a tuple, or nothing.

    >>> unary("-", 1), unary("-", "a")
    ((-1,), ())
    """
    if sign not in _UNARY or not isinstance(value, _NUMBERS):
        return ()
    if sign == "~" and (not isinstance(value, int) or isinstance(value, bool)):
        return ()
    return (_UNARY[sign](value),)


def subscript(value: object, index: object) -> tuple[object, ...]:
    """One item of a constant sequence in a tuple, or nothing.

    >>> subscript("abc", -1), subscript((), 0)
    (('c',), ())
    """
    if isinstance(value, (str, bytes, tuple)) and isinstance(index, int):
        try:
            return (value[index],)
        except IndexError:
            return ()
    return ()
