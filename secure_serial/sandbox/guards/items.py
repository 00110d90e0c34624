"""Subscripts: what an index makes is known before it is made."""

from __future__ import annotations

from typing import Any

from secure_serial.sandbox.facades import kinds, ops
from secure_serial.sandbox.facades.charges import compiled
from secure_serial.sandbox.facades.extents import Extents
from secure_serial.sandbox.guards.arrays import (
    LEAST,
    MOST,
    broadcast,
    count,
    is_array,
    item_bytes,
    native,
    shape,
    work,
)
from secure_serial.sandbox.guards.measure import key, keys
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
    if kind is Extents:
        plain = _plain(index) if type(index) is slice else _position(index)
        return value.part(plain)
    if kind is dict:
        return value[key(account, index)]
    if is_array(value):
        work(account, value)
        index = _index(account, value, index)
        if native(value):
            return value[index]
        _compiled(value, index if type(index) is tuple else (index,))
        return ops.active.get().item(value, index)
    raise refused(f"an item of a value of type {called(value)}")


def put(value: Any, owner: Any, index: Any, /) -> None:
    """`owner[index] = value`, of a list or a dictionary that the function made (`owned`)."""
    account = current()
    account.step()
    if type(owner) is list:
        if type(index) is slice:
            raise refused("an assignment to a slice of a list")
        owner[index if type(index) in INTEGERS else _position(index)] = value
    elif type(owner) is dict:
        name = key(account, index)
        if name not in owner:
            account.container(1)
            keys(len(owner) + 1)
        owner[name] = value
    else:
        raise refused(f"an assignment to an item of a value of type {called(owner)}")


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
    parts = index if type(index) is tuple else (index,)
    account.step(len(parts))
    if native(value) and all(map(_basic, parts)):
        return index  # what NumPy gives for these is a view
    made = _granted(account, value, parts)
    return made if type(index) is tuple else made[0]


def _basic(part: Any) -> bool:
    return type(part) is slice or type(part) is int or part is None or part is ...


def _granted(account: Meter, value: Any, index: tuple[Any, ...]) -> tuple[Any, ...]:
    """An index that copies: its arrays are broadcast, in the place of the axes they index."""
    extents = shape(value)
    if len(index) > 2 * kinds.RANK:
        raise refused(f"an index of {len(index)} parts")
    made = tuple(map(_part, index))
    together: tuple[int, ...] = ()
    for each in made:
        if is_array(each):
            # A mask is where it is true: at most everywhere.
            together = broadcast(together, (count(shape(each)),) if _mask(each) else shape(each))
    kept: list[int] = []
    axis = 0
    for each in made:
        if each is ...:
            left = max(len(extents) - sum(map(_axes, made)), 0)
            kept += extents[axis : axis + left]
            axis += left
        elif type(each) is slice:
            kept += [_length(each, extent) for extent in extents[axis : axis + 1]]
            axis += 1
        else:
            axis += _axes(each)
    kept += extents[axis:]
    account.array(count(together) * count(tuple(kept)), item_bytes(value))
    return made


def _compiled(value: Any, index: tuple[Any, ...]) -> None:
    """What a backend compiles for an index: other numbers, or starts of slices, are the same."""
    if not compiled.wanted():
        return
    extents = shape(value)
    told: list[Any] = []
    axis = 0
    for place, each in enumerate(index):
        if each is ...:
            axis = max(len(extents) - sum(map(_axes, index[place:])), 0)
        told.append(_told(each, next(iter(extents[axis:]), 1)))
        axis += _axes(each)
    arrays = [each for each in index if is_array(each)]
    kernels = _PICKED if any(map(shape, arrays)) else 1
    compiled.charge("item", [value, *arrays], told, kernels)


#: Kernels of an index that is an array of several.
_PICKED = 4


def _told(each: Any, extent: int) -> Any:
    """What of one part of an index makes another kernel: of a window its length alone."""
    if type(each) is slice:
        part = slice(*map(_bound, (each.start, each.stop, each.step)))
        if any(type(bound) not in (int, type(None)) for bound in _bounds(part)):
            return tuple(map(type, _bounds(part)))
        if part.step in (None, 1, -1):
            return _length(part, extent), part.step
        return _bounds(part)
    if type(each) is bool:
        return each
    return compiled.held(each) if is_array(each) and _mask(each) else type(each).__name__


def _bounds(part: slice) -> tuple[Any, ...]:
    return part.start, part.stop, part.step


def _bound(each: Any) -> Any:
    """A bound of a slice as a number, if it is known by now."""
    if each is None or type(each) in INTEGERS:
        return each if each is None else int(each)
    known = compiled.number(each)
    return known if type(known) is int else each


def _length(part: slice, extent: int) -> int:
    """The items of a slice; all, where only the tensor itself knows which."""
    if any(
        type(each) is not int and each is not None for each in (part.start, part.stop, part.step)
    ):
        return extent
    return len(range(*part.indices(extent)))


def _part(each: Any) -> Any:
    if each is None or each is ... or type(each) is slice or type(each) is bool:
        return each
    if type(each) is int and LEAST <= each <= MOST:
        return each
    if type(each) is list or type(each) is tuple:
        return kinds.tensor(each)
    if is_array(each):
        return each
    raise refused(f"an index of type {called(each)}")


def _mask(each: Any) -> bool:
    return str(getattr(each, "dtype", "")).endswith("bool")


def _axes(each: Any) -> int:
    if each is None or each is ... or type(each) is bool:
        return 0
    return len(shape(each)) if is_array(each) and _mask(each) else 1


def made_slice(start: Any, stop: Any, step: Any, /) -> slice:
    """`start:stop:step`: whole numbers, or tensors of one."""
    for part in (start, stop, step):
        plain = part is None or type(part) in INTEGERS
        if not plain and not (is_array(part) and shape(part) == ()):
            raise refused(f"a slice with a value of type {called(part)}")
    return slice(start, stop, step)
