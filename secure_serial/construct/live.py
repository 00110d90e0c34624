"""From decided symbols to live objects, and from judged encodings to live values.

A symbol of Keras is found at the place that the *catalogue* gives for it; that place is
data of ours, reviewed, and the only text that anything is ever imported by.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from secure_serial.construct.tripwire import exempt
from secure_serial.errors import ConstructionError, SecureSerialError, Where
from secure_serial.loaded import (
    BACKENDS,
    TO_INSTALL,
    is_installed,
    keras_holds,
    keras_state,
    set_keras_state,
)
from secure_serial.plan.request import Origin

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.construct.session import Session
    from secure_serial.plan.names import Resolution

#: How Keras calls its ambient safe mode.
SAFE_MODE = "safe_mode_saving"
_ON = True
_awake: list[bool] = []  # of the process, as Keras and its backend are


def find(resolution: Resolution, session: Session) -> Any:
    """The class or function that an authorised resolution means.

    Raises:
        ConstructionError: Keras is not installed, or is one that has not got it.

    """
    if resolution.caller is not None:
        return session.names[resolution.caller.name]
    entry = resolution.entry
    if entry is None or resolution.origin is not Origin.KERAS:
        raise ConstructionError(
            f"{resolution.symbol} belongs to an earlier Keras, and Keras 3 cannot build it",
            where=Where(session.document.name),
        )
    module_name, _, attribute = entry.at.partition(":")
    require_keras(f"{resolution.symbol} is Keras's", session)
    if not module_name:
        raise ConstructionError(
            f"Keras {session.catalogue.version} is installed, and has no {resolution.symbol}",
            where=Where(session.document.name),
        )
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise ConstructionError(
            f"the installed Keras has no {resolution.symbol} where version "
            f"{session.catalogue.version} has it",
            where=Where(session.document.name),
        ) from error


def require_keras(what: str, session: Session) -> None:
    """Raise a `ConstructionError` that names the extra where Keras is not installed."""
    if _awake and sys.modules.get("keras") is not None:
        return
    try:
        with exempt():  # the first import is that of a program, and no doing of the file's
            importlib.import_module("keras")
            from secure_serial.construct.keras import doors
            from secure_serial.construct.keras.backend import wake

            wake()
            # What Keras's own classes read of their arguments is to be asked for at its doors.
            doors.install()
        _awake.append(True)
    except ImportError as error:
        raise ConstructionError(
            f"{what}, and Keras cannot be imported ({error})",
            where=Where(session.document.name),
            help=_other_backend(error.name or "") or TO_INSTALL,
        ) from error


def _other_backend(missing: str) -> str:
    """What to set where Keras looks for a backend that is not there, and another one is."""
    there = [name for name in BACKENDS if is_installed(name)]
    if missing.partition(".")[0] not in BACKENDS or not there:
        return ""
    return f"set KERAS_BACKEND={there[0]}, which is installed; Keras takes TensorFlow otherwise"


class SafeMode:
    """Keras's ambient safe mode, on: whatever runs inside may not unmarshal code."""

    def __enter__(self) -> None:
        self._before = keras_state(SAFE_MODE)
        set_keras_state(SAFE_MODE, _ON)

    def __exit__(self, *_: object) -> None:
        set_keras_state(SAFE_MODE, self._before)


def is_safe_mode() -> bool:
    """Whether that holds here already."""
    return keras_holds(SAFE_MODE, _ON)


def decode(class_name: str, config: Json, session: Session) -> Any:
    """The value that one of Keras's encodings stands for; the plan has judged it."""
    try:
        return _DECODERS[class_name](config if config is not None else {}, session)
    except SecureSerialError:  # ours is a TypeError, too, and says more
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConstructionError(f"{class_name} could not be decoded: {error}") from error


def _bytes(config: Any, _session: Session) -> bytes:
    value: str = config["value"]
    return value.encode("utf-8")


def _slice(config: Any, session: Session) -> slice:
    start, stop, step = (
        decode(part["class_name"], part["config"], session) if isinstance(part, dict) else part
        for part in (config["start"], config["stop"], config["step"])
    )
    return slice(start, stop, step)


def _array(config: Any, _session: Session) -> Any:
    try:
        import numpy as np
    except ImportError as error:
        raise ConstructionError("__numpy__ needs NumPy", help=TO_INSTALL) from error
    return np.array(config["value"], dtype=config["dtype"])


def _tensor(config: Any, session: Session) -> Any:
    require_keras("__tensor__ is a tensor of Keras's backend", session)
    from secure_serial.construct.keras.tensors import tensor

    return tensor(config["value"], config["dtype"])


def _keras_tensor(config: Any, session: Session) -> Any:
    require_keras("__keras_tensor__ is Keras's", session)
    from secure_serial.construct.keras.tensors import keras_tensor

    return keras_tensor(config["shape"], config["dtype"], config["keras_history"])


_DECODERS = {
    "__bytes__": _bytes,
    "__slice__": _slice,
    "__ellipsis__": lambda _config, _session: Ellipsis,
    "__numpy__": _array,
    "__tensor__": _tensor,
    "__keras_tensor__": _keras_tensor,
}
