"""The places in Keras where text or config becomes an object, and a gate at each.

A door is a function of Keras's that is replaced once, when the first gated load begins or a
policy is put in force. Its replacement looks who is in charge here: inside a gated load the
session decides (`gates`); else, where a policy is in force, that one does (`ambient`); else
Keras's own function is called as if nothing had happened. Nothing is ever put back, so
there is no moment at which a door stands half open.

Where each door stands, `versions` says; if it is not there, this Keras is not one we know and
nothing is enforced half-way: `install` raises.
"""

from __future__ import annotations

import functools
import importlib
import sys
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from secure_serial.construct.guard import Guard, current_guard
from secure_serial.construct.keras import ambient, copies, gates, versions
from secure_serial.construct.session import Session, current
from secure_serial.construct.setup_lock import SETUP
from secure_serial.errors import ConstructionError
from secure_serial.plan.fields import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    Original = Callable[..., Any]


class Door(NamedTuple):
    """A place in Keras, by its name in `versions`, and what stands in for the function there."""

    name: str
    inside: Callable[[Session, Original], Original] | None = None  # a gated load
    outside: Callable[[Guard, Original], Original] | None = None  # where a policy is in force
    always: Callable[[Original], Original] | None = None  # here, there and elsewhere


_installed: list[ModuleType] = []  # the Keras whose doors these are: it may be imported afresh


def install() -> None:
    """Put a gate at every door. Done once for each Keras; later calls return at once.

    Raises:
        ConstructionError: this Keras is not one whose doors are known.

    """
    with SETUP:
        keras = importlib.import_module("keras")
        if keras in _installed:
            return
        version = _checked_version()
        places = versions.places(version)
        found = [(door, places[door.name], *versions.find(places[door.name])) for door in DOORS]
        if version > versions.NEWEST:
            _warn(version)
        gated = {id(original): _gated(door, original) for door, _, _, original in found}
        for _, place, holder, original in found:
            _put(holder, place.name, gated[id(original)])
        _replace_copies({id(original): original for _, _, _, original in found}, gated)
        _installed[:] = [keras]


def _put(holder: Any, name: str, gated: Original) -> None:
    of_class = isinstance(vars(holder).get(name), classmethod)
    setattr(holder, name, classmethod(gated) if of_class else gated)


def behind(gated: Any) -> Original:
    """Keras's own function behind a gate: for the loader, which has judged what it gives it."""
    original: Original = gated.__wrapped__
    return original


def _checked_version() -> versions.Version:
    import keras

    told = str(getattr(keras, "__version__", "of no version"))  # a folder may be so called
    version = versions.parsed(told)
    if version in versions.KNOWN or version > versions.NEWEST:
        return version
    known = ", ".join(f"{major}.{minor}" for major, minor in versions.KNOWN)
    raise ConstructionError(
        f"Keras {told} is installed, and this release knows the doors of {known}",
        help="install one of these versions, or a newer one",
    )


def _warn(version: versions.Version) -> None:
    newest = ".".join(map(str, versions.NEWEST))
    warnings.warn(
        f"Keras {'.'.join(map(str, version))} is newer than {newest}, the newest that this release "
        "was tested with: all doors are where they were, and what it added is refused",
        versions.UnknownKerasWarning,
        stacklevel=4,
    )


def _gated(door: Door, original: Original) -> Original:
    everywhere = original if door.always is None else door.always(original)

    @functools.wraps(original)
    def gated(*args: Any, **kwargs: Any) -> Any:
        session = current()
        if session is not None:
            inside = door.inside
            return (everywhere if inside is None else inside(session, original))(*args, **kwargs)
        guard = current_guard()
        if guard is not None and door.outside is not None:
            return door.outside(guard, original)(*args, **kwargs)
        return everywhere(*args, **kwargs)

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


def _identifiers() -> Iterable[Door]:
    """`activations.get("relu")` and its siblings, which look into tables of their own."""
    fields = (
        Field.ACTIVATION, Field.CONSTRAINT, Field.DTYPE_POLICY, Field.INITIALIZER, Field.LOSS,
        Field.METRIC, Field.OPTIMIZER, Field.QUANTIZATION, Field.REGULARIZER,
    )  # fmt: skip
    for name, field in zip(versions.IDENTIFIERS, fields, strict=True):
        yield Door(name, gates.identifier(field), ambient.identifier(field))


DOORS = (
    Door("deserialize", gates.deserialize, ambient.deserialize),
    Door("retrieve", gates.retrieve, ambient.retrieve),
    Door("registered", gates.registered, ambient.registered),
    Door("legacy class", gates.legacy_class),
    Door("legacy", None, ambient.legacy),
    Door("legacy json", gates.legacy_json, ambient.legacy_json),
    Door("model from text", gates.model_from_text, ambient.model_from_text),
    Door("json text", gates.json_text, gates.json_text),
    Door("code", gates.refuse_code, ambient.function, copies.function),
    Door("torch module", None, ambient.torch_module),
    Door("serialize", always=gates.serialize),
    Door("serialize in layer", always=gates.serialize_in_layer),
    Door("variable", gates.variable),
    Door("node", gates.node, gates.node),
    Door("load", gates.load_model, ambient.load_model),
    Door("load archive", gates.load_model, ambient.load_model),
    Door("load open", gates.load_open, ambient.load_open),
    Door("load folder", gates.load_model, ambient.load_model),
    Door("load hdf5", gates.load_model, ambient.load_hdf5),
    Door("weights", None, ambient.load_weights),
    Door("weights only", None, ambient.load_weights),
    *_identifiers(),
)
