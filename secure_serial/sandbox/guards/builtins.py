"""The builtins that restricted code may call, each within bounds.

Types are not handed out: `int` and its like are opaque things that can be called, and named in
`isinstance`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.lambdas.machine import DIVIDE
from secure_serial.sandbox.facades.charges import compiled
from secure_serial.sandbox.facades.extents import Extents
from secure_serial.sandbox.guards import operators
from secure_serial.sandbox.guards.arrays import (
    count,
    is_array,
    item_bytes,
    native,
    shape,
    work,
)
from secure_serial.sandbox.guards.calls import callback
from secure_serial.sandbox.guards.iteration import gathered, source, unpack
from secure_serial.sandbox.guards.measure import comparable, key, keys
from secure_serial.sandbox.guards.text import made_text, plain
from secure_serial.sandbox.meter import current
from secure_serial.sandbox.values import (
    CONTAINERS,
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

#: Digits of a number that is read from a text; reading takes their square.
_DIGITS = 1_000
_NOTHING: Any = object()


def _abs(value: Any, /) -> Any:
    account = current()
    if type(value) not in NUMBERS and is_array(value):
        work(account, value)
        account.array(count(shape(value)), item_bytes(value))
        if not native(value):
            compiled.charge("abs", (value,))
    elif type(value) not in PLAIN:
        raise refused(f"abs of a value of type {called(value)}")
    return abs(value)


def _all(several: Any, /) -> bool:
    return all(source(current(), several))


def _any(several: Any, /) -> bool:
    return any(source(current(), several))


def _len(value: Any, /) -> int:
    if type(value) in CONTAINERS or type(value) in {str, range, Extents}:
        return len(value)
    if is_array(value) and shape(value):
        return shape(value)[0]
    msg = f"object of type '{called(value)}' has no len()"
    raise TypeError(msg)


def _number(kind: type[Any]) -> Callable[..., Any]:
    """Of a number, an array of one, or a text of few digits."""

    def made(value: Any = 0, /) -> Any:
        value = plain(value)
        if type(value) is str and len(value) > _DIGITS:
            raise refused(f"a number of {len(value)} characters")
        if type(value) not in PLAIN and not is_array(value):
            raise refused(f"a number of a value of type {called(value)}")
        result = kind(value)
        if kind is int:
            current().integer(result.bit_length())
        return result

    return made


def _bool(value: Any = False, /) -> bool:  # noqa: FBT002 - Python's own signature
    return bool(value)


def _complex(real: Any = 0, imaginary: Any = 0, /) -> complex:
    for value in (real, imaginary):
        if type(value) not in NUMBERS:
            raise refused(f"a number of a value of type {called(value)}")
    return complex(real, imaginary)


def _list(several: Any = (), /) -> list[Any]:
    return gathered(current(), several)


def _tuple(several: Any = (), /) -> tuple[Any, ...]:
    return tuple(gathered(current(), several))


def made_set(several: Any = (), /) -> set[Any]:
    """A set of items that may be keys."""
    account = current()
    made: set[Any] = set()
    for item in source(account, several):
        account.step()
        made.add(key(account, item))
        keys(len(made))
    return made


def made_dict(pairs: Any, /) -> dict[Any, Any]:
    """A display of pairs and, for `**`, of dicts."""
    account = current()
    made: dict[Any, Any] = {}
    for pair in pairs:
        for name, value in pair.items() if type(pair) is dict else (pair,):
            account.step()
            made[key(account, name)] = value
            keys(len(made))
    return made


def _dict(pairs: Any = (), /, **named: Any) -> dict[Any, Any]:
    if type(pairs) is dict:
        return made_dict([pairs, named])
    two = (2, None, ())
    return made_dict([*(unpack(each, two) for each in source(current(), pairs)), named])


def _divmod(one: Any, two: Any, /) -> tuple[Any, Any]:
    return operators.floordiv(one, two), operators.mod(one, two)


def _enumerate(several: Any, /, start: Any = 0) -> Stream:
    items = source(current(), several)
    if type(start) not in INTEGERS:
        raise refused(f"a start of type {called(start)}")
    return Stream(enumerate(items, start))


def _zip(*several: Any, strict: Any = False) -> Stream:
    account = current()
    return Stream(zip(*(source(account, each) for each in several), strict=bool(strict)))


def _reversed(several: Any, /) -> Stream:
    if type(several) in {set, dict, Stream}:
        raise refused(f"reversed of a value of type {called(several)}")
    if type(several) is range:
        return Stream(iter(several[::-1]))
    return Stream(iter(gathered(current(), several)[::-1]))


def _map(function: Any, /, *several: Any) -> Stream:
    account = current()
    function = callback(function)
    return Stream(map(function, *(source(account, each) for each in several)))


def _filter(function: Any, several: Any, /) -> Stream:
    account = current()
    if function is not None:
        function = callback(function)
    return Stream(filter(function, source(account, several)))


def _isinstance(value: Any, kinds: Any, /) -> bool:
    found: set[type] = set()
    for each in kinds if type(kinds) is tuple else (kinds,):
        if type(each) is not Builtin or not each.types:
            raise refused(f"isinstance with a value of type {called(each)}")
        found.update(each.types)
    return type(value) in found


def _range(*parts: Any) -> range:
    found = [plain(part) for part in parts]
    for part in found:
        if type(part) not in INTEGERS:
            msg = f"'{called(part)}' object cannot be interpreted as an integer"
            raise TypeError(msg)
    return range(*found)


def _round(value: Any, digits: Any = None, /) -> Any:
    value = plain(value)
    if type(value) not in NUMBERS:
        raise refused(f"round of a value of type {called(value)}")
    # 10 ** -digits is computed for whole numbers.
    if digits is not None and (type(digits) not in INTEGERS or abs(digits) > _DIGITS):
        raise refused("round to a number of digits that is not small and whole")
    return round(value, digits)


def _slice(*parts: Any) -> slice:
    from secure_serial.sandbox.guards.items import made_slice

    if not 1 <= len(parts) <= 3:  # noqa: PLR2004 - start, stop, step
        raise refused(f"a slice of {len(parts)} parts")
    if len(parts) == 1:
        return made_slice(None, parts[0], None)
    return made_slice(parts[0], parts[1], parts[2] if parts[2:] else None)


def _pow(one: Any, two: Any, /) -> Any:
    return operators.power(one, two)


def _sum(several: Any, /, start: Any = 0) -> Any:
    account = current()
    items = source(account, several)
    total = start
    for item in items:
        total = operators.add(total, item)
    return total


def _ordered(several: Any, function: Any) -> tuple[list[Any], list[Any]]:
    """Items, and what they are ordered by: known to be comparable, and paid for."""
    account = current()
    items = gathered(account, several)
    by = items if function is None else list(map(callback(function), items))
    comparable(account, by)
    return items, by


def _sorted(several: Any, /, *, key: Any = None, reverse: Any = False) -> list[Any]:
    items, by = _ordered(several, key)
    account = current()
    rounds = len(items).bit_length()
    before = account.steps
    comparable(account, by)
    # Each item is compared as often as the number of items has bits.
    account.step((account.steps - before) * rounds)
    order = sorted(range(len(items)), key=by.__getitem__, reverse=bool(reverse))
    return [items[place] for place in order]


def _extreme(raw: Callable[..., Any]) -> Callable[..., Any]:
    def made(*several: Any, key: Any = None, default: Any = _NOTHING) -> Any:
        items, by = _ordered(several[0] if len(several) == 1 else several, key)
        if not items:
            if default is not _NOTHING:
                return default
            msg = f"{raw.__name__}() arg is an empty sequence"
            raise ValueError(msg)
        return items[raw(range(len(items)), key=by.__getitem__)]

    return made


TABLE: dict[str, Builtin] = {
    "abs": Builtin(_abs), "all": Builtin(_all), "any": Builtin(_any),
    "bool": Builtin(_bool, (bool,), "bool"),
    "complex": Builtin(_complex, (complex,)),
    "dict": Builtin(_dict, (dict,)), "divmod": Builtin(_divmod), "enumerate": Builtin(_enumerate),
    "filter": Builtin(_filter), "float": Builtin(_number(float), (float,), "float32"),
    "int": Builtin(_number(int), (int, bool), "int32"), "isinstance": Builtin(_isinstance),
    "len": Builtin(_len), "list": Builtin(_list, (list,)), "map": Builtin(_map),
    "max": Builtin(_extreme(max)), "min": Builtin(_extreme(min)), "pow": Builtin(_pow),
    "range": Builtin(_range, (range,)), "xrange": Builtin(_range, (range,)),
    "reversed": Builtin(_reversed), "round": Builtin(_round), "set": Builtin(made_set, (set,)),
    "slice": Builtin(_slice, (slice,)), "sorted": Builtin(_sorted),
    "str": Builtin(made_text, (str,)), "sum": Builtin(_sum), "tuple": Builtin(_tuple, (tuple,)),
    "zip": Builtin(_zip), DIVIDE: Builtin(operators.python2_divide),
}  # fmt: skip
