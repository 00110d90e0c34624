"""Who computes: NumPy, or the provider of another kind of tensor.

An operation whose arrays are all NumPy's is done by `NumPyOps`, and needs no Keras. Otherwise the
provider that is active does it: `construct.keras.ops` maps the operations onto `keras.ops`.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable


class Ops(Protocol):
    """What a kind of tensors has to bring."""

    @property
    def compiles(self) -> bool:
        """Whether each new form of an operation is compiled: see `compiled`."""

    def find(self, name: str) -> Callable[..., Any] | None:
        """The function for an operation of `canonical.json`; None: it cannot be had."""

    def is_array(self, value: object) -> bool:
        """Whether this is one of its tensors (NumPy's arrays are known without it)."""

    def shape(self, value: Any) -> tuple[int | None, ...]:
        """The shape of a tensor; None where a dimension is not known yet."""

    def dtype(self, value: Any) -> str:
        """The name of a tensor's type."""

    def known(self, value: Any) -> Any:
        """The NumPy array of a tensor whose values are known by now, else None."""

    def item(self, value: Any, index: Any) -> Any:
        """`value[index]` of a tensor, the index checked."""

    def is_dimension(self, value: object) -> bool:
        """Whether this is an extent that is not known before the values are there."""

    def is_followed(self, value: object) -> bool:
        """Whether this tensor stands for values that come later, when a program is run."""


@cache
def _table() -> dict[str, Callable[..., Any]]:
    from secure_serial.sandbox.facades.composites import bound
    from secure_serial.sandbox.facades.in_numpy.images import table as images
    from secure_serial.sandbox.facades.in_numpy.operations import table
    from secure_serial.sandbox.facades.in_numpy.signals import table as signals

    found: dict[str, Callable[..., Any]] = {**table(), **images(), **signals()}
    namespace = SimpleNamespace(**found)
    every = bound(namespace) | found
    vars(namespace).update(every)  # composites build upon composites, too
    return every


class NumPyOps:
    """The operations in NumPy alone.

    >>> int(NumPyOps().find("square")(3))
    9
    """

    compiles = False

    def find(self, name: str) -> Callable[..., Any] | None:
        """See `Ops`."""
        return _table().get(name)

    def is_array(self, value: object) -> bool:
        """See `Ops`."""
        return type(value) is np.ndarray or isinstance(value, np.generic)

    def shape(self, value: Any) -> tuple[int | None, ...]:
        """See `Ops`."""
        return tuple(value.shape)

    def dtype(self, value: Any) -> str:
        """See `Ops`."""
        return str(value.dtype.name)

    def known(self, value: Any) -> Any:
        """See `Ops`."""
        return value

    def item(self, value: Any, index: Any) -> Any:
        """See `Ops`."""
        return value[index]

    def is_dimension(self, value: object) -> bool:  # noqa: ARG002 - NumPy's are all known
        """See `Ops`."""
        return False

    def is_followed(self, value: object) -> bool:  # noqa: ARG002 - as above
        """See `Ops`."""
        return False


NUMPY = NumPyOps()

#: The provider for what is not NumPy's, in the call that is under way. `sandbox.build` sets it.
active: ContextVar[Ops] = ContextVar("secure_serial_ops", default=NUMPY)


def is_native(value: object) -> bool:
    """Whether NumPy computes with this: its own arrays and scalars, and plain numbers."""
    return type(value) in NATIVE or isinstance(value, np.generic)


#: Types of values that are no tensor of a provider.
NATIVE = frozenset({np.ndarray, bool, int, float, complex, type(None), np.float32, np.bool_})
