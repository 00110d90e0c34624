"""What every function has in common that was restored from a file, however it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import inspect

    from secure_serial.lambdas.understood import Understood


class Restored:
    """A stored function, ready to be called.

    Args:
        understood: What it is.
        signature: Keras looks there for `mask` and `training`.

    """

    def __init__(self, understood: Understood, signature: inspect.Signature) -> None:
        self.understood = understood
        self.__signature__ = signature
        self.__name__: str = getattr(understood.tree, "name", "<lambda>")

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call it; how, says the class below."""
        raise NotImplementedError

    @property
    def digest(self) -> str:
        """Of the function's tree: what a policy approves."""
        return self.understood.digest

    @property
    def source(self) -> str:
        """The function as a person reads it."""
        return self.understood.source

    def __copy__(self) -> Restored:
        """Itself: nothing of it changes."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Restored:
        """Itself, as a function of Python's own is."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} function {self.__name__}>"
