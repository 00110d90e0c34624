"""Kinds of values that may be shapes of which an extent is not known yet: see `kinds`."""

from __future__ import annotations

from typing import Any

from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import kinds, ops
from secure_serial.sandbox.facades.extents import Extents


def parts(value: Any) -> Any:
    """Arrays to be joined, of which one alone is no sequence; or parts of a shape."""
    if type(value) is Extents:
        return [value.part(slice(i, i + 1)) for i in range(len(value))]
    if type(value) not in (list, tuple):
        return [kinds.tensor(value)]
    return _parts_or_arrays(value)


def layers(value: Any) -> Any:
    """Arrays to be stacked, which one alone holds; or extents."""
    if type(value) not in (list, tuple, Extents):
        return kinds.narrow_tensors(value)
    return parts(value)


def _parts_or_arrays(value: Any) -> Any:
    meter.current().step(len(value))
    if not any(map(_of_shape, value)):
        return kinds.narrow_tensors(value)
    meter.current().container(len(value))
    return [_part_of_shape(each) for each in value]


def _of_shape(value: Any) -> bool:
    """Whether this is an extent, or a list that holds one: nothing deeper is a part of a shape."""
    if type(value) in (list, tuple):
        meter.current().step(len(value))
        return any(map(_is_extent, value))
    return _is_extent(value)


def _is_extent(value: Any) -> bool:
    return value is None or type(value) is Extents or ops.active.get().is_dimension(value)


def _part_of_shape(value: Any) -> Any:
    """A part of a shape beside one that is not known: `Extents` too, if it is a list with such."""
    if type(value) is Extents:
        return value
    if type(value) in (list, tuple):
        return Extents(kinds.new_shape(value))
    if value is None or ops.active.get().is_dimension(value):
        return Extents((value,))
    return kinds.tensor(value)


def tensor_or_shape(value: Any) -> Any:
    """An array, or a shape of which an extent is not known yet."""
    return value if type(value) is Extents else kinds.narrow_tensor(value)


KINDS = {"parts": parts, "layers": layers, "tensor_or_shape": tensor_or_shape}
kinds.CHECKS |= KINDS
