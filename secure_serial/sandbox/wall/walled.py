"""A restricted function that a worker evaluates: the twin of `sandbox.function.Restricted`."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from secure_serial.errors import SandboxError
from secure_serial.sandbox.restored import Restored
from secure_serial.sandbox.wall.worker import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secure_serial.lambdas.understood import Understood
    from secure_serial.sandbox.wall.worker import Worker

    Shape = Sequence["int | None"]
    Shapes = Shape | Sequence["Shapes"]

#: What stands for a dimension that is not known: batches of one hide what batches do.
_UNKNOWN = 2


class Walled(Restored):
    """A stored function, called in a worker. Its arrays are NumPy's, and so are its results.

    It is checked here, before the worker hears of it.

    Raises:
        SandboxError: something in it is not run (SS503), or is not in a facade (SS504).

    """

    def __init__(self, understood: Understood, worker: Worker) -> None:
        from secure_serial.sandbox.division import Division
        from secure_serial.sandbox.restrict import restrict

        super().__init__(understood, restrict(understood).signature)
        self.worker = worker
        self._spec = Spec(
            {"own_form": understood.own_form(), "allowance": asdict(worker.allowance)},
            Division(understood),
        )

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the function in the worker.

        Raises:
            SandboxError: as `Restricted` does; and if the worker dies or takes too long (SS505),
                or a wall is missing (SS506).

        """
        given = [_array(value) for value in args]
        return self.worker.call(
            self._spec, given, {name: _array(value) for name, value in kwargs.items()}
        )


def _array(value: Any) -> Any:
    """A tensor of a backend as an array; what is in a container, too."""
    kind = type(value)
    if kind is list or kind is tuple:
        return kind(_array(each) for each in value)
    if kind is dict:
        return {name: _array(each) for name, each in value.items()}
    if hasattr(value, "__array__"):
        import numpy as np

        if isinstance(value, np.ndarray | np.generic):
            return value
        try:
            return np.asarray(value)
        except Exception as error:
            raise SandboxError(
                f"a {kind.__name__} has no values that could be handed to a worker",
                help="a model that is traced or compiled needs sandbox = 'in-process'; with"
                " 'process', set run_eagerly",
            ) from error
    return value


def dry_run(
    understood: Understood, shapes: Sequence[Shapes], dtypes: Sequence[str], worker: Worker
) -> Any:
    """Evaluate once in a worker, with arrays of these shapes, and give the shapes of the result.

    Args:
        understood: The function.
        shapes: One for each argument: a shape, or a list of shapes for a list of arrays.
            What is not known (None) is taken to be 2.
        dtypes: One for each argument.
        worker: Where to.

    Raises:
        SandboxError: whatever comes of it; also if the arrays would be too large.

    """
    budget = [worker.allowance.array_bytes]
    args = [_filled(shape, dtype, budget) for shape, dtype in zip(shapes, dtypes, strict=True)]
    return _shapes(Walled(understood, worker)(*args))


def _filled(shape: Shapes, dtype: str, budget: list[int]) -> Any:
    import numpy as np

    if any(isinstance(each, list | tuple) for each in shape):
        return [_filled(each, dtype, budget) for each in shape]  # type: ignore[arg-type]
    whole = tuple(_UNKNOWN if each is None else int(each) for each in shape)  # type: ignore[arg-type]
    kind = np.dtype(dtype)
    budget[0] -= math.prod(whole) * kind.itemsize
    if min(whole, default=0) < 0 or budget[0] < 0:
        raise SandboxError(f"arrays of shape {whole} are more than a dry run may use", code="SS502")
    # A whole number may be an index, of which 0 is in most; a float may be divided by.
    return np.ones(whole, kind) if kind.kind in "fc" else np.zeros(whole, kind)


def _shapes(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_shapes, value))
    if isinstance(value, dict):
        return {name: _shapes(each) for name, each in value.items()}
    return getattr(value, "shape", ())
