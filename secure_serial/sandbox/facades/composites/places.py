"""Operations that put items in places, or pick places, by numbers. See `composites`."""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.facades.charges import compiled
from secure_serial.sandbox.facades.charges.placed import segments_of
from secure_serial.sandbox.facades.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable


def strided(  # noqa: PLR0917 - as the row has them
    xp: Any, x: Any, begin: Any, end: Any, strides: Any, begin_mask: Any, end_mask: Any
) -> Any:
    """TensorFlow's strided_slice: a bit of a mask says that an end of an axis is left open."""
    begin, end = ((each,) if type(each) is int else each for each in (begin, end))
    strides = (1,) * len(begin) if strides is None else strides
    strides = (strides,) if type(strides) is int else strides
    if not len(begin) == len(end) == len(strides) <= len(xp.shape(x)) or 0 in strides:
        raise refused("a slice of another number of axes than the array's")
    if min(begin_mask, end_mask) < 0:
        raise refused("a mask below zero")
    parts = [
        slice(None if begin_mask >> i & 1 else b, None if end_mask >> i & 1 else e, s)
        for i, (b, e, s) in enumerate(zip(begin, end, strides, strict=True))
    ]
    return x[tuple(parts)]


def reverse_sequence(xp: Any, x: Any, lengths: Any, seq_axis: Any, batch_axis: Any) -> Any:
    """The first so many items of each sample the other way round."""
    rank = len(xp.shape(x))
    seq, batch = (axis + rank if axis < 0 else axis for axis in (seq_axis, batch_axis))
    if seq == batch or not (0 <= seq < rank and 0 <= batch < rank):
        raise refused("a sequence along the axis of samples")
    moved = xp.moveaxis(x, (batch, seq), (0, 1))
    many = xp.shape(moved)[1]
    if type(many) is not int:
        raise refused("a sequence whose length is not known")
    fits_all(xp.shape(lengths), xp.shape(moved)[:1], "lengths")
    known = lengths if isinstance(lengths, np.ndarray) else np.zeros(1)
    if known.size and (known.min() < 0 or known.max() > many):
        raise refused("a length beyond that of the sequence")
    lengths = xp.expand_dims(xp.cast(lengths, "int32"), -1)
    order = np.arange(many, dtype="int32")
    order = xp.where(xp.less(order, lengths), lengths - 1 - order, order)
    order = xp.reshape(order, (-1, many, *([1] * (rank - 2))))
    made = xp.take_along_axis(moved, order + xp.zeros_like(moved, "int32"), 1)
    return xp.moveaxis(made, (0, 1), (batch, seq))


def fits_all(there: Any, wanted: Any, what: str) -> None:
    """Refuse another shape, as far as both are known: it is not to be broadcast."""
    same = len(there) == len(wanted) and all(
        one == other or type(one) is not int or type(other) is not int
        for one, other in zip(there, wanted, strict=True)
    )
    if not same:
        raise refused(f"{what} of another shape than what it belongs to")


def set_diag(xp: Any, x: Any, diagonal: Any) -> Any:
    rows, columns = xp.shape(x)[-2:]
    if type(rows) is not int or type(columns) is not int:
        raise refused("a diagonal of a matrix whose size is not known")
    # What broadcasts would be more than was paid for.
    fits_all(xp.shape(diagonal), (*xp.shape(x)[:-2], min(rows, columns)), "a diagonal")
    put = xp.expand_dims(diagonal, -2 if columns <= rows else -1)
    return xp.where(np.eye(rows, columns, dtype=bool), put, x)


def tensor_diag(xp: Any, x: Any) -> Any:
    if len(xp.shape(x)) != 1:
        raise refused("a diagonal of something else than a vector")
    return xp.diag(x, 0)


def matvec(xp: Any, a: Any, b: Any, transpose_a: Any) -> Any:
    a = xp.swapaxes(a, -1, -2) if transpose_a else a
    return xp.squeeze(xp.matmul(a, xp.expand_dims(b, -1)), -1)


def svd_of(xp: Any, x: Any, full_matrices: Any, compute_uv: Any) -> Any:
    """In TensorFlow's order, and the last not transposed."""
    if not compute_uv:
        return xp.svd(x, full_matrices, compute_uv)
    left, values, right = xp.svd(x, full_matrices, compute_uv)
    return values, left, xp.conj(xp.swapaxes(right, -1, -2))


def _many(data: Any, ids: Any, given: int | None) -> int:
    """How many segments there are; where their numbers say so, others are compiled anew."""
    many = segments_of(ids, given)
    if given is None:
        compiled.charge("segments", [data, ids], [many], kernels=2)
    return many


def segment_sum_of(xp: Any, data: Any, segment_ids: Any, num_segments: Any) -> Any:
    """What has a number that is no segment's is left out, below zero at least."""
    num_segments = _many(data, segment_ids, num_segments)
    if hasattr(xp, "segment_sum"):
        return xp.segment_sum(data, _whole(xp, segment_ids), num_segments)
    return _segments(data, segment_ids, num_segments, 0, np.add)


def segment_max_of(xp: Any, data: Any, segment_ids: Any, num_segments: Any) -> Any:
    num_segments = _many(data, segment_ids, num_segments)
    if hasattr(xp, "segment_max"):
        return xp.segment_max(data, _whole(xp, segment_ids), num_segments)
    least = -np.inf if data.dtype.kind == "f" else np.iinfo(data.dtype).min
    return _segments(data, segment_ids, num_segments, least, np.maximum)


def _whole(xp: Any, ids: Any) -> Any:
    return xp.cast(ids, "int32")


def _segments(data: Any, ids: Any, many: int, neutral: Any, put: Any) -> Any:
    if np.ndim(ids) != 1 or len(ids) != len(data) or np.asarray(ids).dtype.kind not in "iu":
        raise refused("segments of something else than a number for each item")
    if np.any(ids >= many):
        raise refused("a number that is no segment's")
    kept = ids >= 0
    made = np.full((many, *data.shape[1:]), neutral, data.dtype)
    put.at(made, ids[kept], data[kept])
    return made


def sorted_segment_sum(xp: Any, data: Any, segment_ids: Any) -> Any:
    """The number of segments is that of the last, which must be known."""
    return segment_sum_of(xp, data, *_ordered(segment_ids))


def sorted_segment_mean(xp: Any, data: Any, segment_ids: Any) -> Any:
    ids, many = _ordered(segment_ids)
    counts = np.maximum(np.bincount(ids, minlength=many), 1).astype("float32")
    shape = (many, *([1] * (len(xp.shape(data)) - 1)))
    return segment_sum_of(xp, data, ids, many) / counts.reshape(shape).astype(xp.dtype(data))


def _ordered(ids: tuple[int, ...]) -> tuple[Any, int]:
    if not ids or list(ids) != sorted(ids) or ids[0] < 0:
        raise refused("segments that are not in order")
    return np.asarray(ids, "int32"), ids[-1] + 1


def scatter_nd(xp: Any, indices: Any, updates: Any, shape: Any) -> Any:
    """Zeros, to which each update is added in its place."""
    if hasattr(xp, "scatter"):
        return xp.scatter(_whole(xp, indices), updates, shape)
    made = np.zeros(shape, np.asarray(updates).dtype)
    return _put(made, indices, updates, np.add.at)


def scatter_set(xp: Any, inputs: Any, indices: Any, updates: Any) -> Any:
    if hasattr(xp, "scatter_update"):
        return xp.scatter_update(inputs, _whole(xp, indices), updates)
    return _put(inputs.copy(), indices, updates, _set)


def _set(made: Any, where: Any, updates: Any) -> None:
    made[where] = updates


def scatter_add(xp: Any, inputs: Any, indices: Any, updates: Any) -> Any:
    return inputs + scatter_nd(xp, indices, updates, xp.shape(inputs))


def scatter_sub(xp: Any, inputs: Any, indices: Any, updates: Any) -> Any:
    return inputs - scatter_nd(xp, indices, updates, xp.shape(inputs))


def _put(made: Any, indices: Any, updates: Any, put: Callable[..., None]) -> Any:
    indices = np.asarray(indices)
    depth = indices.shape[-1] if indices.ndim else 0
    if indices.dtype.kind not in "iu" or not 1 <= depth <= made.ndim:
        raise refused("indices of another number of axes than the array's")
    if np.shape(updates) != (*indices.shape[:-1], *made.shape[depth:]):
        raise refused("updates of another shape than the places that they go to")
    if indices.size and (indices.min() < 0 or np.any(indices >= made.shape[:depth])):
        raise refused("an index beyond the array")
    if prod(indices.shape):
        put(made, tuple(np.moveaxis(indices, -1, 0)), updates)
    return made


def slice_update(xp: Any, inputs: Any, start_indices: Any, updates: Any) -> Any:
    """An array with another in it, from a place on."""
    shape, part = xp.shape(inputs), xp.shape(updates)
    starts = (start_indices,) if type(start_indices) is int else start_indices
    if not len(shape) == len(part) == len(starts):
        raise refused("a part of another number of axes than the array's")
    for whole, n, start in zip(shape, part, starts, strict=True):
        if type(whole) is not int or type(n) is not int or not 0 <= start <= whole - n:
            raise refused("a part that is not inside the array")
    made = inputs.copy()
    made[tuple(slice(s, s + n) for s, n in zip(starts, part, strict=True))] = updates
    return made


PLACES = {
    each.__name__: each
    for each in (
        strided, reverse_sequence, set_diag, tensor_diag, matvec, svd_of, segment_sum_of,
        segment_max_of, sorted_segment_sum, sorted_segment_mean, scatter_nd, scatter_set,
        scatter_add, scatter_sub, slice_update,
    )
}  # fmt: skip
