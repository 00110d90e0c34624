"""Seeds of what functions draw at random, where JAX follows them."""

from __future__ import annotations

import random
from typing import Any, Final

_MOST: Final = 10**9


def drawn(keras: Any, seed: int | None) -> Any:
    """The seed to draw with: the given one, or one that is another at every run of the program.

    Keras has no seed for a function without a layer of its own while JAX follows it: the numbers
    would be drawn once, while it is traced. So the compiled program asks for one each time.
    """
    if seed is not None or keras.backend.backend() != "jax":
        return seed
    import jax
    import numpy as np
    from jax.experimental import io_callback

    if not isinstance(keras.ops.ones(()), jax.core.Tracer):
        return None
    # Keras's own seeds come from there, so that `keras.utils.set_random_seed` holds for these, too.
    source = np.random.default_rng(random.randint(1, _MOST))  # noqa: S311  # nosec B311

    def fresh() -> Any:
        return source.integers(0, 2**32, 2, dtype=np.uint32)

    return io_callback(fresh, jax.ShapeDtypeStruct((2,), np.uint32))  # type: ignore[no-untyped-call]
