"""Operators. Numbers, texts and containers within their bounds, arrays within theirs, no others.

A type is compared, not asked: no method of an unknown object is ever called.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from secure_serial.sandbox.facades import ops
from secure_serial.sandbox.facades.charges import compiled
from secure_serial.sandbox.facades.offered import operation
from secure_serial.sandbox.guards.arrays import (
    alike,
    count,
    elementwise,
    is_array,
    item_bytes,
    native,
    shape,
    work,
)
from secure_serial.sandbox.guards.iteration import gathered
from secure_serial.sandbox.guards.measure import comparable, key, keys
from secure_serial.sandbox.guards.text import percent, searched
from secure_serial.sandbox.meter import _meter, current
from secure_serial.sandbox.values import (
    FOREIGN,
    INTEGERS,
    NUMBERS,
    PLAIN,
    Builtin,
    Stream,
    called,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.sandbox.meter import Meter

    Raw = Callable[[Any, Any], Any]
    #: Takes from the account what two plain values need, before the work.
    Before = Callable[[Meter, Any, Any], None]
    #: Does the work for two plain values that are not both numbers.
    Others = Callable[[Meter, Any, Any], Any]
    #: How many elements of an array operation a step stands for.
    Slow = Callable[[Any, Any], int]

#: Elements whose powers or remainders take some ten microseconds, the worst values given, so that
#: the steps of one call end within seconds: `fmod(1e308, 1e-308)` takes a microsecond, a power of
#: whole or complex numbers 0.2 (measured, glibc 2.36). Other operators take some nanoseconds.
_POWERS = 48
_FLOAT_POWERS = {2: 128, 4: 256, 8: 128}
_REMAINDERS = {2: 128, 4: 64, 8: 8}
_WHOLE_REMAINDERS = 1024
#: Powers that NumPy computes without `pow`.
EASY = frozenset({0.5, 1.0, 2.0})
_REAL = frozenset({int, float})
_account = _meter.get


def _binary(
    raw: Raw,
    before: Before | None = None,
    others: Others | None = None,
    slow: Slow | None = None,
    easy: frozenset[float] = frozenset(),
) -> Raw:
    """The guard of one operator; what is `slow` is not so where `two` is an easy number."""

    def guarded(one: Any, two: Any, /) -> Any:
        kind, other = type(one), type(two)
        array = one if kind is ndarray else two  # an array of floats, most of the time
        if type(array) is ndarray and (slow is None or (other in _REAL and two in easy)):
            item = alike(array, two if array is one else one)
            if item:
                size = array.size
                (_account() or current()).like(size, size * item)
                return raw(one, two)
        account = current()
        account.step()
        if kind in NUMBERS and other in NUMBERS:
            if before is not None:
                before(account, one, two)
            made = raw(one, two)
            if type(made) is int:
                account.integer(made.bit_length())
            return made
        if is_array(one) or is_array(two):
            one, two, size = elementwise(account, one, two)
            if slow is not None:
                account.step(size // slow(one, two))
            _compiled(raw, one, two)
            return raw(one, two)
        if kind not in PLAIN or other not in PLAIN:
            raise refused(f"an operation on values of type {called(one)} and {called(two)}")
        # What no branch of `others` knows raises Python's own TypeError here.
        return raw(one, two) if others is None else others(account, one, two)

    return guarded


def _compiled(raw: Callable[..., Any], *values: Any) -> None:
    if compiled.wanted() and not all(map(ops.is_native, values)):
        told = compiled.whole_power(values[1]) if raw is operator.pow else ()
        compiled.charge(raw.__name__, values, told)


def _mul_bits(account: Meter, one: Any, two: Any) -> None:
    if type(one) in INTEGERS and type(two) in INTEGERS:
        account.integer(one.bit_length() + two.bit_length())


def _pow_bits(account: Meter, one: Any, two: Any) -> None:
    if type(one) in INTEGERS and type(two) in INTEGERS and two > 0 and abs(one) > 1:
        account.integer(one.bit_length() * two)


def _shift_bits(account: Meter, one: Any, two: Any) -> None:
    if type(one) in INTEGERS and type(two) in INTEGERS and two > 0:
        account.integer(one.bit_length() + two)


def _powers(one: Any, two: Any) -> int:
    if type(two) in _REAL and two in EASY and _kind(one) != "c":
        return 1 << 60
    if _kind(one) == _kind(two) == "f":
        return _FLOAT_POWERS.get(max(_size(one), _size(two)), _POWERS)
    return _POWERS


def _remainders(one: Any, two: Any) -> int:
    if "f" not in (_kind(one), _kind(two)):
        return _WHOLE_REMAINDERS
    return _REMAINDERS.get(max(_size(one), _size(two)), _REMAINDERS[8])


def _kind(value: Any) -> str:
    """Which numbers a value holds, as NumPy's letter."""
    if type(value) in NUMBERS:
        return {float: "f", complex: "c"}.get(type(value), "i")
    if native(value):
        return str(value.dtype.kind)
    return "f"  # a tensor, most of which are; a compiler computes with it, or its own operations


def _size(value: Any) -> int:
    return value.itemsize if native(value) else 4


def _add(account: Meter, one: Any, two: Any) -> Any:
    kind = type(one)
    if kind is type(two):
        if kind is str:
            account.text(len(one) + len(two))
        elif kind is list or kind is tuple:
            account.container(len(one) + len(two))
    return one + two


def _mul(account: Meter, one: Any, two: Any) -> Any:
    many, times = (two, one) if type(one) in INTEGERS else (one, two)
    if type(times) in INTEGERS and times > 0:
        if type(many) is str:
            account.text(len(many) * times)
        elif type(many) is list or type(many) is tuple:
            account.container(len(many) * times)
    return one * two


def mod(one: Any, two: Any, /) -> Any:
    """`%`: of a text, it puts values into it."""
    if type(one) is not str:
        return _remainder(one, two)
    account = current()
    account.step()
    return percent(account, one, two)


def _sets(raw: Raw) -> Others:
    """Of sets, and of dicts with `|`: in the worst case every key is compared with every other."""

    def guarded(account: Meter, one: Any, two: Any) -> Any:
        kind = type(one)
        if kind is type(two) and (kind is set or kind is dict):
            keys(len(one) + len(two))
            account.step(len(one) + len(two) + len(one) * len(two) // 16)
        return raw(one, two)

    return guarded


def matmul(one: Any, two: Any, /) -> Any:
    """`@`: the operation that facades offer, which takes the work of a product into account."""
    current().step(FOREIGN)
    if not (is_array(one) and is_array(two)):
        raise refused(f"a matrix product of values of type {called(one)} and {called(two)}")
    return operation("matmul")("@", [one, two], narrow=False)


def inplace_add(one: Any, two: Any, /) -> Any:
    """`x += y`: of lists, the list itself grows; of all else, a new value is made."""
    if type(one) is not list:
        return add(one, two)
    account = current()
    account.step()
    more = gathered(account, two)
    account.container(len(one) + len(more))
    one += more
    return one


def inplace_mul(one: Any, two: Any, /) -> Any:
    """`x *= n`: of lists, the list itself grows; of all else, a new value is made."""
    if type(one) is not list or type(two) not in INTEGERS:
        return HOOKS["mul"](one, two)
    account = current()
    account.step()
    account.container(len(one) * max(two, 0))
    one *= two
    return one


def _into(raw: Raw, name: str) -> Raw:
    """`x |= y` and its like: of sets and dicts, x itself changes, as whoever holds it sees."""

    def guarded(one: Any, two: Any, /) -> Any:
        if type(one) is type(two) and type(one) in _CHANGING:
            account = current()
            account.step()
            return _sets(raw)(account, one, two)
        return HOOKS[name](one, two)

    return guarded


_CHANGING = frozenset({set, dict})


def _unary(raw: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def guarded(value: Any, /) -> Any:
        account = current()
        account.step()
        if type(value) not in NUMBERS and is_array(value):
            work(account, value)
            account.array(count(shape(value)), item_bytes(value))
            _compiled(raw, value)
        elif type(value) not in PLAIN:
            raise refused(f"an operation on a value of type {called(value)}")
        return raw(value)

    return guarded


def _comparison(raw: Raw) -> Raw:
    def guarded(one: Any, two: Any, /) -> Any:
        account = current()
        account.step()
        kind, other = type(one), type(two)
        if kind in NUMBERS and other in NUMBERS:
            return raw(one, two)
        if is_array(one) or is_array(two):
            one, two, _ = elementwise(account, one, two)
            _compiled(raw, one, two)
            return raw(one, two)
        if kind is str and other is str:
            account.text(min(len(one), len(two)))
        elif Builtin in (kind, other):
            raise refused("a comparison with a type", "isinstance(value, (int, float)) works")
        else:
            comparable(account, (one, two))
        return raw(one, two)

    return guarded


def contains(one: Any, two: Any, /) -> Any:
    """`one in two`."""
    account = current()
    account.step()
    kind = type(two)
    if kind is set or kind is dict:
        return key(account, one) in two
    if is_array(two):
        # Only a number: an array inside an array is a question without a meaning.
        if type(one) not in NUMBERS:
            raise refused(f"a value of type {called(one)} looked for in an array")
        elementwise(account, two, one)
        _compiled(contains, two)
        return one in two
    if kind is range and type(one) not in INTEGERS:
        account.step(len(two))
    elif kind is str and type(one) is str:
        searched(account, two, one)
    if kind is Stream:
        two = gathered(account, two)
    comparable(account, (one, two))
    return one in two


def lacks(one: Any, two: Any, /) -> bool:
    """`one not in two`."""
    return not contains(one, two)


add = _binary(operator.add, None, _add)
power = _binary(operator.pow, _pow_bits, slow=_powers, easy=EASY)
floordiv = _binary(operator.floordiv, slow=_remainders)
truediv = _binary(operator.truediv)
_remainder = _binary(operator.mod, slow=_remainders)

HOOKS: dict[str, Callable[..., Any]] = {
    "add": add, "inplace_add": inplace_add, "inplace_mul": inplace_mul,
    "inplace_sub": _into(operator.isub, "sub"), "inplace_or": _into(operator.ior, "or"),
    "inplace_xor": _into(operator.ixor, "xor"), "inplace_and": _into(operator.iand, "and"),
    "sub": _binary(operator.sub, None, _sets(operator.sub)),
    "mul": _binary(operator.mul, _mul_bits, _mul),
    "truediv": truediv, "floordiv": floordiv,
    "mod": mod,
    "pow": power, "matmul": matmul,
    "lshift": _binary(operator.lshift, _shift_bits), "rshift": _binary(operator.rshift),
    "or": _binary(operator.or_, None, _sets(operator.or_)),
    "xor": _binary(operator.xor, None, _sets(operator.xor)),
    "and": _binary(operator.and_, None, _sets(operator.and_)),
    "pos": _unary(operator.pos), "neg": _unary(operator.neg), "invert": _unary(operator.invert),
    "eq": _comparison(operator.eq), "ne": _comparison(operator.ne),
    "lt": _comparison(operator.lt), "le": _comparison(operator.le),
    "gt": _comparison(operator.gt), "ge": _comparison(operator.ge),
    "in": contains, "not_in": lacks,
}  # fmt: skip


def python2_divide(one: Any, two: Any, /) -> Any:
    """Python 2's `/`: of whole numbers, and of arrays of them, it rounds down."""
    return floordiv(one, two) if _whole(one) and _whole(two) else truediv(one, two)


def _whole(value: Any) -> bool:
    if type(value) in INTEGERS:
        return True
    return is_array(value) and _dtype(value).startswith(("int", "uint", "bool"))


def _dtype(value: Any) -> str:
    return str(value.dtype.name if native(value) else ops.active.get().dtype(value))
