"""Loops and unpacking. Whatever has a length pays for its items before the first of them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades.charges import compiled
from secure_serial.sandbox.facades.extents import Extents
from secure_serial.sandbox.guards.arrays import count, is_array, item_bytes, native, shape
from secure_serial.sandbox.meter import current
from secure_serial.sandbox.values import CONTAINERS, FOREIGN, Stream, called, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.sandbox.meter import Meter

    #: See `transform`: items before a star, items after it or None, and inner ones by place.
    Spec = tuple[int, int | None, tuple[tuple[int, "Spec"], ...]]


def iterate(value: Any, /) -> Iterator[Any]:
    """What a loop runs over. A list that grows in its loop pays where it grows."""
    return iter(source(current(), value))


def source(account: Meter, value: Any) -> Any:
    """A value that Python may iterate by itself: its items are paid for, or pay one by one."""
    kind = type(value)
    if kind in CONTAINERS or kind is str:
        account.step(len(value))
        return value
    if kind is Stream:
        return value
    if kind is Extents:
        account.step(len(value))
        return value
    if kind is range:
        # Not by its length: a loop may leave it early.
        if len(value) > _SHORT:
            return Stream(iter(value))
        account.step(len(value))
        return value
    if is_array(value):
        extents = shape(value)
        account.step((extents[0] if extents else 1) * (1 if native(value) else FOREIGN))
        account.array(count(extents), item_bytes(value))
        if not native(value):
            compiled.charge("iter", (value,), (), compiled.iterated(value))
        return value
    if value is None or kind in {bool, int, float, complex}:
        msg = f"'{kind.__name__}' object is not iterable"
        raise TypeError(msg)
    raise refused(f"a loop over a value of type {called(value)}")


#: Items of a range whose steps are taken at once, which is faster.
_SHORT = 1_000


def gathered(account: Meter, value: Any) -> list[Any]:
    """The items of a value, of which there may be no more than a list may hold."""
    items = source(account, value)
    most = account.allowance.items
    made = list(islice(items, most + 1))
    account.container(len(made))
    return made


def star(value: Any, /) -> tuple[Any, ...]:
    """`*value` in a call or a display."""
    return tuple(gathered(current(), value))


def mapping(value: Any, /) -> dict[str, Any]:
    """`**value` in a call or a display."""
    if type(value) is not dict:
        raise refused(f"** with a value of type {called(value)}")
    current().step(len(value))
    return value


def unpack(value: Any, spec: Spec, /) -> list[Any]:
    """`a, (b, *c) = value`: exactly the items that the targets take."""
    account = current()
    plain, after, inner = spec
    if after is None:
        # One more than wanted, so that too many are noticed; not all of an endless stream.
        items = list(islice(source(account, value), plain + 1))
        if len(items) > plain:
            msg = f"too many values to unpack (expected {plain})"
            raise ValueError(msg)
    else:
        items = gathered(account, value)
    least = plain + (after or 0)
    if len(items) < least:
        msg = f"not enough values to unpack (expected {least}, got {len(items)})"
        raise ValueError(msg)
    for place, below in inner:
        # A place after the star counts from the end.
        at = place if after is None or place < plain else place - plain - after - 1
        items[at] = unpack(items[at], below)
    return items


def iterate_unpacked(value: Any, spec: Spec, /) -> Iterator[list[Any]]:
    """`for a, b in value`."""
    return (unpack(item, spec) for item in iterate(value))


def generator(raw: Iterator[Any], /) -> Stream:
    """A generator expression: only the stream in front of it is seen (CVE-2023-37271)."""
    return Stream(raw)
