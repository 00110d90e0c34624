"""Operations along one axis, in its order or another: running totals, sorting. See `composites`."""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.measure import axis_in

if TYPE_CHECKING:
    from collections.abc import Callable


def along(x: Any, axis: int, rank: int, part: slice) -> Any:
    """A part of an axis."""
    return x[(slice(None),) * axis_in(axis, rank) + (part,)]


def running_sum(xp: Any, x: Any, axis: Any, exclusive: Any, reverse: Any) -> Any:
    """TensorFlow's cumsum; exclusive, each item is the total of those before it."""
    return _running(xp, (xp.cumsum, xp.zeros_like), x, axis, exclusive, reverse)


def running_prod(xp: Any, x: Any, axis: Any, exclusive: Any, reverse: Any) -> Any:
    return _running(xp, (xp.cumprod, xp.ones_like), x, axis, exclusive, reverse)


def _running(
    xp: Any,
    how: tuple[Callable[..., Any], Callable[..., Any]],
    x: Any,
    axis: int,
    exclusive: bool,  # noqa: FBT001 - as the row has it
    reverse: bool,  # noqa: FBT001
) -> Any:
    total, neutral = how
    rank = len(xp.shape(x))
    made = total(xp.flip(x, axis) if reverse else x, axis, xp.dtype(x))
    if exclusive:
        first = neutral(along(made, axis, rank, slice(0, 1)), None)
        made = xp.concatenate([first, along(made, axis, rank, slice(0, -1))], axis)
    return xp.flip(made, axis) if reverse else made


def sort_by(xp: Any, x: Any, axis: Any, direction: Any) -> Any:
    made = xp.sort(x, axis)
    return made if direction == "ascending" else xp.flip(made, axis)


def argsort_by(xp: Any, x: Any, axis: Any, direction: Any) -> Any:
    """Of equal items the first comes first, in both directions."""
    if direction == "ascending":
        return xp.argsort(x, axis)
    kind = xp.dtype(x)
    if kind == "bool":
        raise refused("an order of truth values")
    # Turned about without a number that has no negative.
    return xp.argsort(xp.bitwise_not(x) if "int" in kind else xp.negative(x), axis)


def argmax_as(xp: Any, x: Any, axis: Any, dtype: Any) -> Any:
    made = xp.argmax(x, axis, False)  # noqa: FBT003 - keepdims
    return made if dtype is None else xp.cast(made, dtype)


def argmin_as(xp: Any, x: Any, axis: Any, dtype: Any) -> Any:
    made = xp.argmin(x, axis, False)  # noqa: FBT003 - keepdims
    return made if dtype is None else xp.cast(made, dtype)


def std_of(xp: Any, x: Any, axis: Any, keepdims: Any, ddof: Any) -> Any:
    return xp.sqrt(var_of(xp, x, axis, keepdims, ddof)) if ddof else xp.std(x, axis, keepdims)


def var_of(xp: Any, x: Any, axis: Any, keepdims: Any, ddof: Any) -> Any:
    """Of a sample: with so many degrees of freedom less than items."""
    made = xp.var(x, axis, keepdims)
    if not ddof:
        return made
    shape = xp.shape(x)
    axes = range(len(shape)) if axis is None else (axis,) if type(axis) is int else axis
    items = 1
    for each in axes:
        if type(shape[each]) is not int:
            raise refused("a variance of a sample whose size is not known")
        items *= shape[each]
    if items <= ddof:
        raise refused(f"a variance of {items} items, {ddof} of them taken away")
    return made * (items / (items - ddof))


ORDERS = {
    each.__name__: each
    for each in (
        running_sum, running_prod, sort_by, argsort_by, argmax_as, argmin_as, std_of, var_of,
    )
}  # fmt: skip
