"""The places in Keras 3.15 where text or config becomes an object, and a gate at each.

A door is a function of Keras's that is replaced once, when the first gated load begins or a
policy is put in force. Its replacement looks who is in charge here: inside a gated load the
session decides (`gates`); else, where a policy is in force, that one does (`ambient`); else
Keras's own function is called as if nothing had happened. Nothing is ever put back, so
there is no moment at which a door stands half open.

Each door names where it stands; if it is not there, this Keras is not one we know and
nothing is enforced half-way: `install` raises.
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from secure_serial.construct.guard import Guard, current_guard
from secure_serial.construct.keras import ambient, gates
from secure_serial.construct.session import Session, current
from secure_serial.errors import ConstructionError
from secure_serial.plan.fields import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Original = Callable[..., Any]

#: The Keras versions whose doors these are.
VERSIONS = ("3.15.",)


class Door(NamedTuple):
    """One function of Keras's, where it is looked up, and what stands in for it."""

    module: str
    name: str
    inside: Callable[[Session, Original], Original] | None = None  # a gated load
    outside: Callable[[Guard, Original], Original] | None = None  # where a policy is in force
    holder: str = ""  # the class whose method it is


_lock = threading.Lock()
_installed: list[bool] = []  # the doors are of the process, as Keras's own modules are


def install() -> None:
    """Put a gate at every door. Done once; later calls return at once.

    Raises:
        ConstructionError: this Keras is not one whose doors are known.

    """
    with _lock:
        if _installed:
            return
        _check_version()
        found = [(door, *_find(door)) for door in DOORS]
        gated = {id(original): _gated(door, original) for door, _, original in found}
        for door, holder, original in found:
            setattr(holder, door.name, gated[id(original)])
        _replace_copies({id(original): original for _, _, original in found}, gated)
        _installed.append(True)


def behind(gated: Any) -> Original:
    """Keras's own function behind a gate: for the loader, which has judged what it gives it."""
    original: Original = gated.__wrapped__
    return original


def _check_version() -> None:
    import keras

    if not keras.__version__.startswith(VERSIONS):
        raise ConstructionError(
            f"Keras {keras.__version__} is installed, and the doors of {', '.join(VERSIONS)}x "
            "are the ones known to this release",
            help="pip install 'keras>=3.15,<3.16'",
        )


def _find(door: Door) -> tuple[Any, Original]:
    module = importlib.import_module(door.module)
    holder = getattr(module, door.holder, None) if door.holder else module
    original = getattr(holder, door.name, None)
    if not callable(original):
        raise ConstructionError(f"Keras has no {door.module}.{door.name}: refusing to half-enforce")
    return holder, original


def _gated(door: Door, original: Original) -> Original:
    @functools.wraps(original)
    def gated(*args: Any, **kwargs: Any) -> Any:
        session = current()
        if session is not None:
            inside = door.inside
            return (original if inside is None else inside(session, original))(*args, **kwargs)
        guard = current_guard()
        if guard is not None and door.outside is not None:
            return door.outside(guard, original)(*args, **kwargs)
        return original(*args, **kwargs)

    gated.is_gate = True  # type: ignore[attr-defined]  # so that tests can tell
    return gated


def _replace_copies(originals: dict[int, Original], gated: dict[int, Original]) -> None:
    """Replace what modules, the program's own too, imported by name before the doors were there."""
    for module in list(sys.modules.values()):
        for name, value in _attributes(module):
            if value is not None and originals.get(id(value)) is value:
                setattr(module, name, gated[id(value)])


def _attributes(module: object) -> Iterable[tuple[str, object]]:
    try:
        return list(vars(module).items())
    except TypeError:  # something else than a module stands there
        return ()


_SERIALIZATION = "keras.src.saving.serialization_lib"
_LIBRARY = "keras.src.saving.saving_lib"
_LEGACY = "keras.src.legacy.saving"


def _identifiers() -> Iterable[Door]:
    """`activations.get("relu")` and its siblings, which look into tables of their own."""
    fields = {
        "activations": Field.ACTIVATION,
        "constraints": Field.CONSTRAINT,
        "dtype_policies": Field.DTYPE_POLICY,
        "initializers": Field.INITIALIZER,
        "losses": Field.LOSS,
        "metrics": Field.METRIC,
        "optimizers": Field.OPTIMIZER,
        "quantizers": Field.QUANTIZATION,
        "regularizers": Field.REGULARIZER,
    }
    for module, field in fields.items():
        inside, outside = gates.identifier(field), ambient.identifier(field)
        yield Door(f"keras.src.{module}", "get", inside, outside)


DOORS = (
    Door(
        _SERIALIZATION, "deserialize_keras_object", gates.deserialize, ambient.deserialize
    ),
    Door(_SERIALIZATION, "_retrieve_class_or_fn", gates.retrieve, ambient.retrieve),
    Door(
        "keras.src.saving.object_registration", "get_registered_object",
        gates.registered, ambient.registered,
    ),
    Door(
        f"{_LEGACY}.serialization", "class_and_config_for_serialized_keras_object",
        gates.legacy_class,
    ),
    Door(f"{_LEGACY}.serialization", "deserialize_keras_object", None, ambient.legacy),
    Door(f"{_LEGACY}.json_utils", "decode", gates.legacy_json, ambient.legacy_json),
    Door(_LIBRARY, "_model_from_config", gates.model_from_text, ambient.model_from_text),
    Door("keras.src.utils.python_utils", "func_load", gates.refuse_code, ambient.refuse_code),
    Door("keras.src.backend.common.variables", "__init__", gates.variable, holder="Variable"),
    Door("keras.src.saving.saving_api", "load_model", gates.load_model, ambient.load_model),
    Door(_LIBRARY, "load_model", gates.load_model, ambient.load_model),
    Door(_LIBRARY, "_load_model_from_fileobj", gates.load_open, ambient.load_open),
    Door(_LIBRARY, "_load_model_from_dir", gates.load_model, ambient.load_model),
    Door(
        f"{_LEGACY}.legacy_h5_format", "load_model_from_hdf5", gates.load_model, ambient.load_hdf5
    ),
    Door("keras.src.saving.saving_api", "load_weights", None, ambient.load_weights),
    Door(_LIBRARY, "load_weights_only", None, ambient.load_weights),
    *_identifiers(),
)  # fmt: skip
