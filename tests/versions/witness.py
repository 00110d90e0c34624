"""Sees which classes of Keras are really built, and which functions handed out, by itself.

It asks neither the gates nor the plan: `sys.setprofile` is told of every call of a Python
function, and those that count are the `from_config` and `__init__` of modelling classes and
what Keras's nine `get` functions return.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any, Self

import keras

if TYPE_CHECKING:
    from types import FrameType

    from secure_serial.plan.catalogue import Catalogue

_MODULES = frozenset(
    f"keras.src.{name}"
    for name in (
        "activations", "constraints", "dtype_policies", "initializers", "losses", "metrics",
        "optimizers", "quantizers", "regularizers",
    )
)  # fmt: skip


def _bases() -> tuple[type, ...]:
    from keras.src.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
    from keras.src.saving.keras_saveable import KerasSaveable

    return (
        KerasSaveable, keras.Operation, keras.Initializer, keras.Regularizer,
        keras.constraints.Constraint, LearningRateSchedule, keras.DTypePolicy, keras.Quantizer,
    )  # fmt: skip


class Witness:
    """While it is entered: the modelling classes that are built and the functions resolved."""

    def __init__(self) -> None:
        self.classes: set[type] = set()
        self.functions: set[FunctionType] = set()
        self._bases = _bases()

    def __enter__(self) -> Self:
        self._before = sys.getprofile()
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)

    def _seen(self, frame: FrameType, event: str, given: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_name in ("__init__", "from_config") and code.co_argcount:
            first = frame.f_locals.get(code.co_varnames[0])
            cls = first if isinstance(first, type) else type(first)
            if issubclass(cls, self._bases):
                self.classes.add(cls)
        elif (
            event == "return"
            and code.co_name == "get"
            and isinstance(given, FunctionType)
            and frame.f_globals.get("__name__") in _MODULES
        ):
            self.functions.add(given)

    def symbols(self, catalogue: Catalogue) -> set[str]:
        """The names of all that was seen, as policies have them."""
        return {named(thing, catalogue) for thing in (*self.classes, *self.functions)}


def named(thing: Any, catalogue: Catalogue) -> str:
    """The canonical name of what is Keras's, the registered name of what is not, or its path."""
    path = f"{thing.__module__}.{thing.__qualname__}"
    registered = keras.saving.get_registered_name(thing)
    return catalogue.canonical(path) or (registered if ">" in registered else path)
