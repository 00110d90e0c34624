"""How much the operations make, and compute, that multiply: matrices, outer products, windows."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import canonical, measure
from secure_serial.sandbox.facades.charges.sizes import broadcast
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.measure import count, dims, item_bytes, take

if TYPE_CHECKING:
    from secure_serial.sandbox.facades.canonical import Row
    from secure_serial.sandbox.facades.charges.sizes import Rule


#: Norms of a matrix that are of its singular values.
_SINGULAR = frozenset({2, -2, "nuc"})


def multiplied(one: Any, other: Any, elements: int, inner: int) -> None:
    """Take a product of so many items, each a sum of so many products."""
    take(elements, measure.widest((one, other)))
    measure.work(elements * max(inner, 1), one, other)
    for each in (one, other):
        measure.look(count(each), each)


def matmul(row: Row) -> Rule:
    """Of (…, n, k) and (…, k, m): (…, n, m); dot and inner pair all leading axes."""
    pairs_all = row.name in ("dot", "inner")

    def rule(values: list[Any]) -> None:
        left, right = dims(values[0]), dims(values[1])
        if not left or not right:
            take(prod(left) * prod(right), measure.widest(values))
            return
        rows, inner = left[-2:-1], left[-1]
        columns = right[-1:] if len(right) > 1 else ()
        if pairs_all:
            elements = prod(left[:-1]) * (prod(right) // max(inner, 1))
        else:
            elements = prod(measure.joined([left[:-2], right[:-2]])) * prod(rows) * prod(columns)
        multiplied(values[0], values[1], elements, inner)

    return rule


def multiply_matrices(_row: Row) -> Rule:
    """As matmul, either side turned."""

    def rule(values: list[Any]) -> None:
        left, right = list(dims(values[0])), list(dims(values[1]))
        if min(len(left), len(right)) < 2:  # noqa: PLR2004 - matrices
            raise refused("a product of matrices of something else")
        if values[2]:
            left[-2:] = left[:-3:-1]
        if values[3]:
            right[-2:] = right[:-3:-1]
        batch = prod(measure.joined([left[:-2], right[:-2]]))
        multiplied(values[0], values[1], batch * left[-2] * right[-1], left[-1])

    return rule


def batch_dot(_row: Row) -> Rule:
    """At most: for each sample every item of one beside every item of the other."""

    def rule(values: list[Any]) -> None:
        left, right, axes = dims(values[0]), dims(values[1]), values[2]
        if min(len(left), len(right)) < 2:  # noqa: PLR2004 - samples of vectors at least
            raise refused("batch_dot of something else than batches")
        if axes is None:
            axes = (len(left) - 1, len(right) - (1 if len(right) == 2 else 2))  # noqa: PLR2004
        axes = (axes, axes) if type(axes) is int else axes
        inner = left[measure.axis_in(axes[0], len(left))]
        other = right[measure.axis_in(axes[1], len(right))]
        elements = prod(left) // max(inner, 1) * (prod(right[1:]) // max(other, 1))
        multiplied(values[0], values[1], elements, inner)

    return rule


def outer(_row: Row) -> Rule:
    """Every item of one by every item of the other."""

    def rule(values: list[Any]) -> None:
        take(count(values[0]) * count(values[1]), measure.widest(values[:2]), 2)

    return rule


def tensordot(_row: Row) -> Rule:
    """All axes that are not summed over."""

    def rule(values: list[Any]) -> None:
        left, right, axes = dims(values[0]), dims(values[1]), values[2]
        if type(axes) is int:
            summed = left[len(left) - min(axes, len(left)) :]
        else:
            ones = (axes[0],) if type(axes[0]) is int else axes[0]
            if len(set(ones)) != len(ones):
                raise refused("an axis that stands twice")
            summed = tuple(left[measure.axis_in(axis, len(left))] for axis in ones)
        inner = max(prod(summed), 1)
        take(count(values[0]) + count(values[1]), measure.widest(values[:2]))
        multiplied(values[0], values[1], prod(left) // inner * (prod(right) // inner), inner)

    return rule


def einsum(_row: Row) -> Rule:
    """The extents of the letters that remain; all letters together are the work."""

    def rule(values: list[Any]) -> None:
        equation, operands = values[0], values[1]
        terms, _, result = equation.partition("->")
        inputs = terms.split(",")
        if len(inputs) != len(operands) or not operands:
            raise refused(f"an equation of {len(inputs)} terms for {len(operands)} arrays")
        extents: dict[str, int] = {}
        for term, operand in zip(inputs, operands, strict=True):
            shape = dims(operand)
            for letter, extent in zip(_letters(term, len(shape)), shape, strict=True):
                extents[letter] = max(extents.get(letter, 1), extent)
        if "->" in equation:
            dots = [letter for letter in extents if letter.startswith(".")]
            kept = [*result.replace("...", ""), *(dots if "..." in result else [])]
        else:
            kept = list(extents)
        if not set(kept) <= extents.keys():
            raise refused("an equation whose result has a letter of no term")
        take(prod(extents[letter] for letter in kept), measure.widest(operands))
        # Without `optimize`, einsum walks through all letters at once, at a product a step.
        measure.labour(prod(extents.values()) * len(operands), measure.SLOW_PRODUCT)

    return rule


def _letters(term: str, rank: int) -> list[str]:
    """The letters of a term; the axes that the dots stand for are counted from the last."""
    before, dots, after = term.partition("...")
    between = rank - len(before) - len(after)
    if "." in before + after or between < 0 or (not dots and between):
        raise refused(f"a term of einsum that does not fit an array of {rank} dimensions")
    return [*before, *(f".{between - index}" for index in range(between)), *after]


def meshgrid(_row: Row) -> Rule:
    """One whole grid for each vector."""

    def rule(values: list[Any]) -> None:
        vectors = values[0]
        take(prod(map(count, vectors)) * len(vectors), measure.widest(vectors))

    return rule


#: A small matrix costs as much as one of nine by nine, and LAPACK works beside the largest one.
_MATRIX, _WORKSPACE = 9**3, 15


def cubic(row: Row) -> Rule:
    """Decompositions: some passes of the cube of each matrix's side, `work` of them.

    Measured with two threads of BLAS, of which the second is kept busy waiting.
    """
    passes = row.work

    def rule(values: list[Any]) -> None:
        shape = dims(values[0])
        if len(shape) < 2:  # noqa: PLR2004 - matrices
            raise refused("a matrix is wanted")
        batch, side = prod(shape[:-2]), max(shape[-2:])
        columns, item = side, item_bytes(values[0])
        if row.name == "solve":
            columns = max(count(values[1]) // max(batch * side, 1), side)
            item = max(8, measure.widest(values))
            take(count(values[1]) + batch * side * columns, item, 2)
        _decomposed(values[0], (batch, side, columns), item, passes)

    return rule


def _decomposed(value: Any, sizes: tuple[int, int, int], item: int, passes: int) -> None:
    """Take what it costs to take so many matrices of a side apart, for so many columns."""
    batch, side, columns = sizes
    each = max(side * side * columns, _MATRIX) * passes
    measure.labour(batch, each * (2 if measure.is_complex(value) else 1))
    take(batch * side * side, item, 3)
    take(side * side, item, _WORKSPACE)


def norm(row: Row) -> Rule:
    """Item by item; but some norms of a matrix are of its singular values."""
    usual, passes = broadcast(row), canonical.row("svd").work

    def rule(values: list[Any]) -> None:
        usual(values)
        value, order, axis = values[:3]
        if order not in _SINGULAR or (axis is None and row.name == "norm_of_tensor"):
            return
        shape = dims(value)
        axes = tuple(range(len(shape))) if axis is None else axis
        if type(axes) is tuple and len(axes) == 2:  # noqa: PLR2004 - a matrix
            rows, columns = (shape[measure.axis_in(each, len(shape))] for each in axes)
            side, batch = max(rows, columns), prod(shape) // max(rows * columns, 1)
            _decomposed(value, (batch, side, side), item_bytes(value), passes)

    return rule


def _resized(elements: int, image: Any) -> None:
    take(elements, max(8, item_bytes(image)), 5)
    measure.labour(elements, measure.visit(image))


def resize(row: Row) -> Rule:
    """The new height and width; the rows and columns between them."""
    layout = next((i for i, p in enumerate(row.parameters) if p.kind.startswith("layout")), None)

    def rule(values: list[Any]) -> None:
        first = layout is not None and values[layout] == "channels_first"
        resized(values[0], values[1], first=first)

    return rule


def resized(image: Any, size: Any, *, first: bool = False) -> None:
    """Take an image of another height and width; `first`: its channels are, before its rows."""
    shape = dims(image)
    size = (size, size) if type(size) is int else size
    if len(size) != 2 or min(size) < 1 or len(shape) not in (3, 4):  # noqa: PLR2004 - images
        raise refused("a new size that is no height and width of an image")
    *samples, channels, tall, wide = shape if first else (*shape[:-3], *shape[-1:], *shape[-3:-1])
    elements = prod(samples) * channels * max(size[0], tall) * max(size[1], wide)
    _resized(elements, image)


def resize_by(_row: Row) -> Rule:
    """Each side so many times."""

    def rule(values: list[Any]) -> None:
        if min(values[1], values[2]) < 1:
            raise refused("a factor below one")
        _resized(count(values[0]) * values[1] * values[2], values[0])

    return rule


def k_repeat(_row: Row) -> Rule:
    """The whole so many times."""

    def rule(values: list[Any]) -> None:
        take(count(values[0]) * max(values[1], 1), item_bytes(values[0]))

    return rule


def slow(_row: Row) -> Rule:
    """Element by element in Python where NumPy has no such function: a float is an object there."""

    def rule(values: list[Any]) -> None:
        meter.current().step(1 + count(values[0]) // 16)
        take(count(values[0]), 8, 8)

    return rule


def gelu(row: Row) -> Rule:
    """Element by element; the exact one needs `erf`, which NumPy has not."""
    quick, exact = broadcast(row), slow(row)
    at = row.position("approximate")

    def rule(values: list[Any]) -> None:
        quick(values)
        if not values[at]:
            exact(values)

    return rule


def lrn(_row: Row) -> Rule:
    """A look at the whole for each channel of the window."""

    def rule(values: list[Any]) -> None:
        total = count(values[0])
        take(total, item_bytes(values[0]), 18)
        slow = 3 * measure.SLOW_PRODUCT * measure.slowness(values[0])
        measure.labour(total * (2 * values[1] + 1), slow)

    return rule
