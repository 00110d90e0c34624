"""What a function gives for tensors of which a dimension is not known yet, as JAX asks it.

While Keras infers shapes on JAX, one term stands for every such dimension, and much that a function
does with a number it does not do with a term. So it is asked with several numbers in its place, and
where the extents of the results lie on one polynomial of them, that is what they are of the term.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from secure_serial.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

#: The numbers. Three of them tell a polynomial of the second degree, and the fourth that it is one.
EXTENTS: Final = (2, 3, 4, 5)


def terms(value: Any) -> list[Any]:
    """The extents of arrays that are no numbers yet."""
    import jax

    shapes = (getattr(each, "shape", ()) for each in jax.tree.leaves(value))
    return [extent for shape in shapes for extent in shape if not isinstance(extent, int)]


def inferred(call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Zeros like the results, for Keras to take their shapes from: nothing is computed.

    None where this is no question for shapes, and where its answer cannot be told.
    """
    import jax
    from keras import ops, tree
    from keras.src.backend.common.symbolic_scope import in_symbolic_scope

    # Elsewhere the values count: JAX exports programs with such terms, too.
    unknown = terms((args, kwargs)) if in_symbolic_scope() else []
    if not unknown:
        return None

    def like(extent: int) -> Any:
        def known(value: Any) -> Any:
            if not terms(value):
                return value
            shape = tuple(each if isinstance(each, int) else extent for each in value.shape)
            return jax.numpy.zeros(shape, value.dtype)

        # Nothing but shapes goes in and out of this: JAX makes no array of any extent.
        return jax.eval_shape(
            lambda: call(*tree.map_structure(known, args), **tree.map_structure(known, kwargs))
        )

    try:
        shapes = jax.tree.map(
            lambda *each: promised(each, unknown[0]), *(like(extent) for extent in EXTENTS)
        )
    except (SandboxError, ValueError):  # the trees or ranks of the results differ, too
        return None
    return jax.tree.map(lambda each: ops.zeros(each.shape, each.dtype), shapes)


def promised(results: tuple[Any, ...], term: Any = None) -> Any:
    """What JAX is told of a result before it is there, by what it is for each of the extents."""
    import jax

    for each in results:
        if not hasattr(each, "shape"):
            raise SandboxError(f"a result of type {type(each).__name__} where JAX wants an array")
    shape = [_extent(found, term) for found in zip(*(each.shape for each in results), strict=True)]
    # JAX has no numbers of 64 bits unless it is told to have them.
    dtype = jax.dtypes.canonicalize_dtype(results[0].dtype)
    return jax.ShapeDtypeStruct(tuple(shape), dtype)  # type: ignore[no-untyped-call]


def _extent(found: tuple[int, ...], term: Any) -> Any:
    """The extent that is so many for each of `EXTENTS`, as a number or of the term.

    >>> _extent((5, 5, 5, 5), 10), _extent((7, 10, 13, 16), 10), _extent((4, 9, 16, 25), 10)
    (5, 31, 100)
    """
    if len(set(found)) == 1:
        return found[0]
    a, b, c = EXTENTS[:3]
    first, rest = divmod(found[1] - found[0], b - a)
    second, over = divmod(found[2] - found[0] - first * (c - a), (c - a) * (c - b))

    def of(n: Any) -> Any:
        made = first * (n - a) + found[0]
        return made + second * (n - a) * (n - b) if second else made

    if rest or over or found[3] != of(EXTENTS[3]):
        raise SandboxError(
            "the shape of the result cannot be told beforehand",
            help='give the layer an output_shape, or let the policy say "in-process"',
        )
    return of(term)
