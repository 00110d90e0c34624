"""The rules of size by the names that `canonical.json` uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.sandbox.facades.charges import (
    paddings,
    picks,
    placed,
    products,
    shapes,
    signals,
    sizes,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.sandbox.facades.canonical import Row
    from secure_serial.sandbox.facades.charges.sizes import Rule

# fmt: off
_ALL: tuple[Callable[[Row], Rule], ...] = (
    sizes.broadcast, sizes.reduce, sizes.view, sizes.nothing, sizes.cast, picks.where,
    picks.nonzero, picks.sort, sizes.gather_all, sizes.split, sizes.unstack, sizes.repeat,
    sizes.tile, paddings.pad, paddings.pad_time, paddings.pad_space, sizes.shape, sizes.arange,
    sizes.linspace, sizes.eye, sizes.one_hot, sizes.diag, sizes.matrix_diag, sizes.looped,
    picks.gather_nd,
    picks.quantile, picks.search, picks.choose, products.matmul, products.multiply_matrices,
    products.batch_dot, products.outer, products.tensordot, products.einsum,
    products.meshgrid, products.cubic, products.norm, windows.pool, windows.conv,
    windows.separable, windows.box, windows.patches, windows.edges,
    signals.fourier, signals.frames, placed.segments, placed.scatter, placed.matvec, placed.classes,
    placed.polynomial, products.resize,
    shapes.extents, shapes.join, shapes.take_apart, shapes.reduce_whole,
    products.resize_by, products.k_repeat, products.slow, products.gelu, products.lrn,
)
# fmt: on
RULES = {each.__name__: each for each in _ALL} | {"take": picks.take_rule}


def rule(row: Row) -> Rule:
    """The rule of one operation."""
    return RULES[row.makes](row)
