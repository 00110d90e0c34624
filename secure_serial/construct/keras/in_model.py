"""A restricted function where Keras calls it: with tensors, symbols and tracers.

Before a function is first called in this process it is rehearsed in the worker, with arrays of
the shapes that the model has there. Where the policy wants every call in the worker, its results
come back as tensors, and a symbolic call is answered from rehearsals.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from secure_serial.construct.keras.unknown import EXTENTS, inferred, promised, terms
from secure_serial.construct.tripwire import exempt
from secure_serial.errors import SandboxError
from secure_serial.sandbox.restored import Restored
from secure_serial.sandbox.wall.walled import Walled
from secure_serial.sandbox.wall.worker import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.sandbox.wall import Worker

#: What says nothing of the function: an operation that NumPy has not, an error on made-up values.
_NO_VERDICT = frozenset({"SS501", "SS504"})
#: A dimension that is not known is rehearsed with both: where the results differ, it is not known.
_EXTENTS = (2, 3)


class InModel(Restored):
    """A function as layers call it.

    Args:
        function: A `Restricted`, or a `Walled` whose calls all go to the worker.
        worker: Where it is rehearsed.

    """

    def __init__(self, function: Restored, worker: Worker) -> None:
        super().__init__(function.understood, function.__signature__)
        self._function = function
        self._walled = function if isinstance(function, Walled) else None
        self._call: Callable[..., Any] = function if self._walled is None else self._in_worker
        self._worker = worker
        self._rehearsed = self._walled is not None  # every call is one
        #: What ended a call. Keras takes any error while it infers shapes for a want of knowledge.
        self.failure: SandboxError | None = None

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call it as Keras does.

        Raises:
            SandboxError: as `Restricted` and `Walled` do.

        """
        try:
            args, kwargs = _values(args), _values(kwargs)
            if not self._rehearsed:
                self._rehearse(args, kwargs)
            return self._answer(args, kwargs)
        except SandboxError as error:
            if error.code not in _NO_VERDICT:
                self.failure = error
            raise

    def __repr__(self) -> str:
        return repr(self._function)

    def _answer(self, args: Any, kwargs: Any) -> Any:
        """The results, or what Keras asks of them where a dimension is not known yet."""
        try:
            return self._call(*args, **kwargs)
        except SandboxError as error:
            if error.code not in _NO_VERDICT or self._walled is not None or not _on_jax():
                raise
            made = inferred(self._call, args, kwargs)
            if made is None:
                raise
            return made

    def _rehearse(self, args: Any, kwargs: Any) -> None:
        """Call it in the worker first, with arrays like those that it is about to be given."""
        with exempt():  # the worker is ours: starting it is no doing of the file's
            try:
                self._worker.start()
            except SandboxError as error:
                if error.code == MISSING or self._worker.demand:
                    raise
                warnings.warn(f"a function from a file is not rehearsed: {error}", stacklevel=4)
                self._rehearsed = True
                return
            try:
                self._result(args, kwargs, _EXTENTS[0])
            except SandboxError as error:
                # NumPy may lack an operation, or fail at ones where a real batch does not.
                if error.code not in _NO_VERDICT:
                    raise
            self._rehearsed = True

    def _result(self, args: Any, kwargs: Any, extent: int) -> Any:
        """What the worker gives for arrays like these."""
        walled = self._walled or Walled(self.understood, self._worker)
        return walled(*like(args, extent), **like(kwargs, extent))

    def _in_worker(self, /, *args: Any, **kwargs: Any) -> Any:
        """Every call in the worker: of symbols, of tracers and of tensors."""
        import keras

        flat = keras.tree.flatten((args, kwargs))
        with exempt():
            if any(isinstance(each, keras.KerasTensor) for each in flat):
                return _operation(self._in_worker, self._symbols)(*args, **kwargs)
            if _on_jax() and _traced(flat):
                return self._called_back(args, kwargs)
            if keras.backend.backend() == "tensorflow" and _in_graph(flat):
                return self._called_by_graph(args, kwargs)
            if any(getattr(each, "is_meta", False) for each in flat):  # PyTorch infers shapes so
                made = self._result(args, kwargs, _EXTENTS[0])
            else:
                made = self._walled(*args, **kwargs)  # type: ignore[misc]  # there in this mode
        return keras.tree.map_structure(_tensor, made)

    def _symbols(self, /, *args: Any, **kwargs: Any) -> Any:
        """What the results will be like, as Keras asks it of an operation of its graph."""
        import keras

        made = (self._result(args, kwargs, extent) for extent in _EXTENTS)
        return keras.tree.map_structure(_symbol, *made)

    def _called_back(self, args: Any, kwargs: Any) -> Any:
        """JAX calls the worker when the compiled program comes to it. It has no gradient there."""
        import jax

        unknown = terms((args, kwargs))
        extents = EXTENTS if unknown else EXTENTS[:1]
        made = [self._result(args, kwargs, extent) for extent in extents]
        shapes = jax.tree.map(lambda *each: promised(each, *unknown[:1]), *made)

        def called(given: Any) -> Any:
            return jax.pure_callback(self._cast_as(shapes), shapes, given)

        followed = jax.custom_vjp(called)
        followed.defvjp(lambda given: (called(given), None), _no_gradient)
        return followed((args, kwargs))

    def _cast_as(self, shapes: Any) -> Callable[..., Any]:
        import jax

        def call(given: Any) -> Any:
            made = self._walled(*given[0], **given[1])  # type: ignore[misc]  # there in this mode
            return jax.tree.map(_cast, made, shapes)

        return call

    def _called_by_graph(self, args: Any, kwargs: Any) -> Any:
        """TensorFlow calls the worker when its graph comes to it; no gradient there, either."""
        import tensorflow as tf

        flat = tf.nest.flatten((args, kwargs))
        places = [place for place, each in enumerate(flat) if tf.is_tensor(each)]
        made = [self._result(args, kwargs, extent) for extent in _EXTENTS]
        one, other = map(tf.nest.flatten, made)
        if not all(hasattr(each, "dtype") for each in one):
            raise SandboxError("a result that is no array where TensorFlow wants one")

        def call(*arrays: Any) -> list[Any]:
            filled = [*flat]  # TensorFlow may call from several threads at once
            for place, array in zip(places, arrays, strict=True):
                filled[place] = array
            positional, named = tf.nest.pack_sequence_as((args, kwargs), filled)
            try:
                given = tf.nest.flatten(self._walled(*positional, **named))  # type: ignore[misc]
            except SandboxError as error:
                self.failure = error
                raise
            return [_cast(value, promised) for value, promised in zip(given, one, strict=True)]

        results = tf.numpy_function(call, [flat[p] for p in places], [each.dtype for each in one])
        for result, mine, its in zip(results, one, other, strict=True):
            result.set_shape(_common(mine, its))
        return tf.nest.pack_sequence_as(made[0], results)


def _operation(call: Callable[..., Any], spec: Callable[..., Any]) -> Any:
    """A node of Keras's graph, so that what comes of a symbol stays joined to it."""
    import keras

    class InWorker(keras.Operation):  # type: ignore[misc]  # Keras has no types
        def call(self, *args: Any, **kwargs: Any) -> Any:
            return call(*args, **kwargs)

        def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
            return spec(*args, **kwargs)

    return InWorker()


def _traced(flat: list[Any]) -> bool:
    import jax

    return any(isinstance(each, jax.core.Tracer) for each in flat)


def _in_graph(flat: list[Any]) -> bool:
    import tensorflow as tf

    return any(tf.is_symbolic_tensor(each) for each in flat)


def _no_gradient(_kept: Any, _wanted: Any) -> Any:
    """JAX asks for this where a gradient is really needed: not of a metric, say."""
    raise SandboxError(
        "a function that runs in the worker has no gradient",
        help='to train, let the policy say `[sandbox] evaluation = "in-process"`',
    )


def _cast(value: Any, promised: Any) -> Any:
    return value.astype(promised.dtype, copy=False)


def _symbol(one: Any, other: Any) -> Any:
    """A symbol for two results of which the dimensions that differ are not known."""
    import keras

    if not hasattr(one, "shape") or not hasattr(other, "shape"):
        return one
    return keras.KerasTensor(_common(one, other), str(one.dtype))


def _common(one: Any, other: Any) -> tuple[int | None, ...]:
    """The shape of two results; where they differ, it is not known."""
    return tuple(m if m == n else None for m, n in zip(one.shape, other.shape, strict=True))


def _on_jax() -> bool:
    import keras

    return bool(keras.backend.backend() == "jax")


def _values(given: Any) -> Any:
    """What Keras gives, with the values of variables in their place, as it has them now."""
    import keras

    if isinstance(given, keras.Variable):
        return keras.ops.convert_to_tensor(given)
    if type(given) in (list, tuple):
        return type(given)(_values(each) for each in given)
    return {key: _values(each) for key, each in given.items()} if type(given) is dict else given


def _tensor(value: Any) -> Any:
    import keras

    return keras.ops.convert_to_tensor(value) if hasattr(value, "dtype") else value


def like(value: Any, extent: int) -> Any:
    """NumPy arrays in the place of tensors, with `extent` for dimensions that are not known."""
    if isinstance(value, list | tuple):
        return type(value)(like(each, extent) for each in value)
    if isinstance(value, dict):
        return {key: like(each, extent) for key, each in value.items()}
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        return value
    import numpy as np
    from keras import backend

    shape = tuple(each if isinstance(each, int) else extent for each in value.shape)
    dtype = np.dtype(_plain(backend.standardize_dtype(value.dtype)))
    # One number, seen at every place: a file chooses the shape, and the worker's memory is bounded.
    return np.broadcast_to(np.asarray(1 if dtype.kind in "fc" else 0, dtype), shape)


def _plain(dtype: str) -> str:
    """A type that NumPy has by itself, of like kind."""
    return "float32" if dtype.startswith(("bfloat", "float8")) else dtype
