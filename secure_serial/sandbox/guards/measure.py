"""How large plain values are, walked step by step: a value that shares parts prints as 2 ** 60."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades.offered import OfferedType
from secure_serial.sandbox.guards.arrays import is_array
from secure_serial.sandbox.meter import exceeded
from secure_serial.sandbox.values import CONTAINERS, PLAIN, called, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.sandbox.meter import Meter

#: Values inside each other that may be compared, shown or given back. CPython's hash of a tuple
#: recurses without a bound, in C.
DEEPEST = 50
#: Keys of one set or dict. Integers and tuples can be chosen so that all of them collide, and
#: then each new key is compared with all before: half a million times for these.
KEYS = 1_000
#: Below 2 ** 61 - 1 each whole number is its own hash; from there on any number of them share one.
_HASH_BITS = 60
#: Steps of a thousand comparisons of tuples: some 40 microseconds.
_COLLISIONS = 16


def parts(account: Meter, value: Any) -> Iterator[Any]:
    """Everything in a value that is no container, and each container. Every one is a step."""
    level = [value]
    depth = 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise exceeded("values inside each other", depth, DEEPEST)
        below: list[Any] = []
        for each in level:
            kind = type(each)
            yield each
            if kind in CONTAINERS:
                account.step(len(each))
                below += each
                if kind is dict:
                    below += each.values()
            elif kind is slice:
                below += (each.start, each.stop, each.step)
        level = below


def comparable(account: Meter, value: Any) -> None:
    """Refuse what Python would compare inside containers without asking: arrays above all."""
    for each in parts(account, value):
        kind = type(each)
        if kind is str:
            account.step(len(each) // 128)
        elif (
            kind not in PLAIN and kind is not OfferedType and not (is_array(each) and _single(each))
        ):
            raise refused(f"a comparison of containers that hold a value of type {called(each)}")


def _single(value: Any) -> bool:
    return getattr(value, "ndim", None) == 0


def key(account: Meter, value: Any) -> Any:
    """A value that may be a key of a dict or an item of a set."""
    for each in parts(account, value):
        kind = type(each)
        if kind is complex or (kind is int and each.bit_length() > _HASH_BITS):
            raise refused("a key that can be chosen to collide with others")
        if kind is str:
            account.step(len(each) // 128)
        elif kind in CONTAINERS and kind is not tuple:
            msg = f"unhashable type: '{kind.__name__}'"
            raise TypeError(msg)
        elif kind is tuple:
            # It may collide with every other key, each of which is then compared with it.
            account.step(_COLLISIONS)
        elif kind not in PLAIN and not _scalar(each):
            raise refused(f"a key of type {called(each)}")
    return value


def _scalar(value: Any) -> bool:
    return type(value).__module__ == "numpy" and _single(value) and is_array(value)


def keys(wanted: int) -> None:
    """A set or dict has or gets so many keys."""
    if wanted > KEYS:
        raise exceeded("keys of one set or dict", wanted, KEYS)
