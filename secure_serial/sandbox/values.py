"""The values that only restricted code sees, and that no attribute can be read of.

Every other value that flows there is of a plain type, an array, or comes from a facade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.errors import SandboxError
from secure_serial.sandbox.meter import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A value of a type that may not stand there.
REFUSED = "SS504"

INTEGERS = frozenset({bool, int})
NUMBERS = frozenset({bool, int, float, complex})
ATOMS = NUMBERS | {str, type(None), type(...)}
CONTAINERS = frozenset({tuple, list, set, dict})
#: Types of Python's own that may flow. Their operators are known to be harmless within bounds;
#: subclasses are not among them: a type is compared, never asked.
PLAIN = ATOMS | CONTAINERS | {range, slice}


#: Steps of one operation of a facade, or on a tensor that is not NumPy's. Keras infers the shape of
#: a symbolic one in up to half a millisecond (measured, JAX), where another step takes some
#: microseconds. 4,000 of them are left in a call; the longest of 53 real lambdas has 20.
FOREIGN = 50


def refused(message: str, help: str = "") -> SandboxError:
    """The error for a value that may not stand where it does."""
    return SandboxError(message, code=REFUSED, help=help)


def called(value: object) -> str:
    """What a value is, for a message: never its text, which may be large or reveal an address."""
    return type(value).__name__[:40]


class Function:
    """A function inside restricted code. Each call is a step and a level of depth."""

    __slots__ = ("__weakref__", "raw")  # JAX refers weakly to what it calls

    def __init__(self, raw: Callable[..., Any]) -> None:
        self.raw = raw

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Run the code, in the account of the call that is under way."""
        account = current()
        account.step()
        account.enter()
        try:
            return self.raw(*args, **kwargs)
        finally:
            account.leave()


class Stream:
    """A generator or another iterator inside restricted code. Each item is a step."""

    __slots__ = ("source",)

    def __init__(self, source: Iterator[Any]) -> None:
        self.source = source

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
        current().step()
        return next(self.source)


class Builtin:
    """A builtin function or type as restricted code knows it: to be called, or named in isinstance.

    `types` are those that it stands for in `isinstance`; `dtype_name` is what it means as the type
    of an array.
    """

    __slots__ = ("dtype_name", "function", "types")

    def __init__(
        self,
        function: Callable[..., Any],
        types: tuple[type, ...] = (),
        dtype_name: str | None = None,
    ) -> None:
        self.function = function
        self.types = types
        self.dtype_name = dtype_name

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Do it."""
        current().step()
        return self.function(*args, **kwargs)
