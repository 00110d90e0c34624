"""What a backend compiles for each new form of an operation: paid once for each form in a call.

JAX compiles an operation anew for other shapes, types, axes and indices. That takes the processor
longer than everything that the other rules know of, and does not show in what is made.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import ops
from secure_serial.sandbox.facades.measure import count, dims, look
from secure_serial.sandbox.values import ATOMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from secure_serial.sandbox.facades.canonical import Row

#: Steps of one compiled kernel: 40 ms of the processor (the mean of 274 operations, jax 0.10.2), of
#: which the steps of a call allow 50, two seconds.
KERNEL = 4_000
#: Tensors that one kernel joins: each takes two milliseconds more.
OPERANDS = 20
#: Steps of an operation that is followed and compiled later, in a program of many.
FOLLOWED = 100
#: As many, where that program is one of the call itself: the body of a loop, or a branch.
WITHIN = 2_000


def wanted() -> bool:
    """Whether the backend of the call compiles: what there is to be told of a form is only then."""
    return ops.active.get().compiles


def charge(name: str, tensors: Any, others: Any = (), kernels: int = 1) -> None:
    """Take from the call what it costs to compile this operation, unless it paid for it before.

    Args:
        name: The operation.
        tensors: Its tensors, lists of them, and numbers in their place. Their values do not count.
        others: What else it is told; other values make another kernel.
        kernels: How many kernels it takes.

    Raises:
        SandboxError: The steps of the call do not allow it (SS502).

    """
    provider = ops.active.get()
    if not provider.compiles:
        return
    account = meter.current()
    if any(map(provider.is_followed, _each(tensors))):
        account.compile((WITHIN if account.compiling else FOLLOWED) * kernels)
        return
    form = (name, *map(_form, tensors), *map(_told, others))
    if form not in account.forms:
        account.compile(KERNEL * kernels)
        account.forms.add(form)  # no more of them than the steps allow


def kernels(row: Row, values: list[Any]) -> int:
    """How many kernels an operation takes: what its row says, and for some one for each part."""
    parts = _PARTS.get(row.makes)
    return row.kernels * (1 if parts is None else parts(row, values))


def _cuts(row: Row, values: list[Any]) -> int:
    cuts = values[1]
    if type(cuts) is tuple:
        return len(cuts) + 1
    # The provider takes equal parts as items of one length.
    return 1 if row.name in _EQUAL else cuts


_EQUAL = frozenset({"split", "split_by"})


def _joined(_row: Row, values: list[Any]) -> int:
    return 1 + len(values[0]) // OPERANDS if type(values[0]) is list else 1


def iterated(value: Any) -> int:
    """How many kernels a loop over a tensor takes: a hundred rows are taken apart by one."""
    rows = dims(value)[0] if dims(value) else 1
    return 1 + min(rows, 2 * _AT_ONCE) // 8


#: Rows that JAX takes apart at once; for each the kernel takes five milliseconds more.
_AT_ONCE = 100


def _grids(_row: Row, values: list[Any]) -> int:
    return len(values[0])


def _shifts(_row: Row, values: list[Any]) -> int:
    return 2 * int(values[1]) + 1


def _places(_row: Row, values: list[Any]) -> int:
    return 12 if values[1] is None else 1  # where it is true, or a choice


def _repeated(_row: Row, values: list[Any]) -> int:
    return 11 if type(values[1]) is tuple else 2


#: Operations that are compiled in parts, by their rule of size.
_PARTS: dict[str, Callable[[Row, list[Any]], int]] = {
    "split": _cuts,
    "gather_all": _joined,
    "join": _joined,
    "meshgrid": _grids,
    "lrn": _shifts,
    "where": _places,
    "repeat": _repeated,
}


@contextmanager
def body(values: Any) -> Iterator[None]:
    """While a function is followed whose program the call itself runs on these values."""
    account = meter.current()
    before = account.compiling
    followed = any(map(ops.active.get().is_followed, _each(values)))
    account.compiling = before or not followed
    try:
        yield
    finally:
        account.compiling = before


def _each(values: Any) -> Iterator[Any]:
    for value in values:
        if type(value) is list:
            yield from _each(value)
        else:
            yield value


def _form(value: Any) -> Any:
    """A tensor as the compiler sees it; a function, which is followed anew, is like no other."""
    if type(value) is list:
        return tuple(map(_form, value))
    if callable(value):
        return object()
    shape = getattr(value, "shape", None)
    return type(value) if shape is None else (shape, value.dtype)


def _told(value: Any) -> Any:
    kind = type(value)
    if kind is tuple:
        return tuple(map(_told, value))
    if kind in ATOMS:
        return kind, value
    if callable(value):
        return object()
    # A number may say how large something is, whoever holds it.
    known = number(value)
    return kind if known is None else (kind, known)


def number(value: Any) -> Any:
    """The number in an array or a tensor of one, if it is known by now; or None."""
    if getattr(value, "shape", None) != ():
        return None
    known = value if ops.is_native(value) else ops.active.get().known(value)
    return None if known is None else known.item()


def held(value: Any) -> int | None:
    """How many items of an array are true, if it is known: so many a mask picks."""
    known = value if ops.is_native(value) else ops.active.get().known(value)
    if known is None:
        return None
    look(count(value), known)
    return int(np.count_nonzero(known))


def whole_power(exponent: Any) -> tuple[int, ...]:
    """The exponent of a power that is multiplied out: a whole number, Python's or NumPy's."""
    known = exponent if type(exponent) is int else number(exponent)
    return (known,) if type(known) is int else ()


def by_values(row: Row, values: list[Any]) -> tuple[Any, ...]:
    """What the program depends on beside shapes: how many items are true, or a whole power."""
    if row.name == "power":
        return whole_power(values[1])
    picks = row.makes == "nonzero" or (row.makes == "where" and values[1] is None)
    return (held(values[0]),) if picks else ()
