"""Subscripts: what an index makes is known before it is made."""

from __future__ import annotations

from typing import Any

from secure_serial.sandbox.facades import kinds
from secure_serial.sandbox.guards.arrays import (
    LEAST,
    MOST,
    broadcast,
    count,
    is_array,
    item_bytes,
    shape,
    work,
)
from secure_serial.sandbox.guards.measure import key
from secure_serial.sandbox.meter import Meter, current
from secure_serial.sandbox.values import INTEGERS, PLAIN, called, refused

_SEQUENCES = frozenset({tuple, list, str, range})


def item(value: Any, index: Any, /) -> Any:
    """`value[index]`."""
    account = current()
    account.step()
    kind = type(value)
    if kind in _SEQUENCES:
        if type(index) is slice:
            index = _plain(index)
            if kind is not range:
                account.step(len(range(len(value))[index]))
        elif type(index) not in INTEGERS:
            index = _position(index)
        return value[index]
    if kind is dict:
        return value[key(account, index)]
    if is_array(value):
        work(account, value)
        return value[_index(account, value, index)]
    raise refused(f"an item of a value of type {called(value)}")


def _plain(index: slice) -> slice:
    """A slice for a sequence, of Python's own numbers."""
    parts = (index.start, index.stop, index.step)
    if all(part is None or type(part) in INTEGERS for part in parts):
        return index
    return slice(*(None if part is None else _position(part) for part in parts))


def _position(index: Any) -> Any:
    """NumPy's whole numbers, and tensors of one, may be positions; of the rest Python says no."""
    if is_array(index):
        return kinds.integer(index)
    if type(index) not in PLAIN:
        raise refused(f"an index of type {called(index)}")
    return index


def _index(account: Meter, value: Any, index: Any) -> Any:
    """An index into an array, checked; `x[[0] * n]` copies as much as it names."""
    if type(index) is slice or type(index) in INTEGERS or index is None or index is ...:
        return index
    if type(index) is not tuple:
        return _advanced(account, value, (index,))[0]
    account.step(len(index))
    for each in index:
        plain = type(each) is slice or type(each) in INTEGERS or each is None or each is ...
        if not plain:
            return _advanced(account, value, index)
    return index


def _advanced(account: Meter, value: Any, index: tuple[Any, ...]) -> tuple[Any, ...]:
    """An index with arrays in it: they are broadcast, in the place of the axes they index."""
    extents = shape(value)
    if len(index) > 2 * kinds.RANK:
        raise refused(f"an index of {len(index)} parts")
    made = [_part(each) for each in index]
    arrays = [each for each in made if is_array(each)]
    # A mask takes as many axes as it has, an ellipsis those that are left; both only make less.
    used = sum(_axes(each) for each in made)
    together: tuple[int, ...] = ()
    for each in arrays:
        together = broadcast(together, (count(shape(each)),) if _mask(each) else shape(each))
    kept: list[int] = []
    axis = 0
    for each in made:
        if each is ...:
            rest = max(len(extents) - used, 0)
            kept += extents[axis : axis + rest]
            axis += rest
        elif type(each) is slice:
            kept += extents[axis : axis + 1]
            axis += 1
        else:
            axis += _axes(each)
    kept += extents[axis:]
    account.array(count(together) * count(tuple(kept)), item_bytes(value))
    return tuple(made)


def _part(each: Any) -> Any:
    if each is None or each is ... or type(each) is slice:
        return each
    if type(each) is int and LEAST <= each <= MOST:
        return each
    if type(each) in (list, tuple, bool):
        return kinds.tensor(each)
    if is_array(each):
        return each
    raise refused(f"an index of type {called(each)}")


def _mask(each: Any) -> bool:
    return type(each) is bool or str(getattr(each, "dtype", "")).endswith("bool")


def _axes(each: Any) -> int:
    if each is None or each is ...:
        return 0
    return len(shape(each)) if is_array(each) and _mask(each) else 1


def made_slice(start: Any, stop: Any, step: Any, /) -> slice:
    """`start:stop:step`: whole numbers, or tensors of one."""
    for part in (start, stop, step):
        plain = part is None or type(part) in INTEGERS
        if not plain and not (is_array(part) and shape(part) == ()):
            raise refused(f"a slice with a value of type {called(part)}")
    return slice(start, stop, step)
