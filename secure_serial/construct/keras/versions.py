"""Where the doors of each Keras version stand: all that differs between versions is here.

A place is known from one version on, and until another; a door whose function moved has a
row for each place. Whether it fits is asked of every Keras, known or not: a function that is
not there, takes something else or no longer goes on through the names that are gated, is no
place for a gate. So a Keras newer than the newest known one gets the newest rows if all fit,
with a warning; where one does not, and for every other version that is not known, nothing is
enforced by half.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from secure_serial import data
from secure_serial.errors import ConstructionError
from secure_serial.loaded import loaded

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Iterator

    from secure_serial.plan.catalogue import Catalogue

    Version = tuple[int, int]

#: The versions whose doors and names are known; `tasks.py matrix` runs the tests on each.
KNOWN: tuple[Version, ...] = ((3, 6), (3, 8), (3, 10), (3, 12), (3, 13), (3, 14), (3, 15))
NEWEST = KNOWN[-1]
_OLDER = frozenset(KNOWN[:-1])
_DISTRIBUTIONS = ("keras", "keras-nightly")


class UnknownKerasWarning(UserWarning):
    """The installed Keras is newer than the versions that this release was tested with."""


class Place(NamedTuple):
    """Where a function stands, from `since` on and before `until`, and how it is called."""

    door: str
    module: str
    name: str
    takes: str  # the names of its parameters; those that a version adds have defaults
    holder: str = ""  # the class whose method it is
    calls: str = ""  # names that it must go on through, where it runs as Keras has it
    since: Version = KNOWN[0]
    until: Version = (4, 0)


_SERIALIZATION = "keras.src.saving.serialization_lib"
_LIBRARY = "keras.src.saving.saving_lib"
_API = "keras.src.saving.saving_api"
_LEGACY = "keras.src.legacy.saving"
_VARIABLES = "keras.src.backend.common.variables"
_LOAD = "filepath custom_objects compile safe_mode"
_INSIDE = "custom_objects compile safe_mode"
_LEGACY_NODE = "module_objects custom_objects printable_module_name"

#: The fields of the nine `X.get("name")`.
IDENTIFIERS = (
    "activations", "constraints", "dtype_policies", "initializers", "losses", "metrics",
    "optimizers", "quantizers", "regularizers",
)  # fmt: skip

PLACES = (
    Place(
        "deserialize", _SERIALIZATION, "deserialize_keras_object",
        "config custom_objects safe_mode",
    ),
    Place(
        "retrieve", _SERIALIZATION, "_retrieve_class_or_fn",
        "name registered_name module obj_type full_config custom_objects",
    ),
    Place(
        "registered", "keras.src.saving.object_registration", "get_registered_object",
        "name custom_objects module_objects",
    ),
    Place(
        "legacy class", f"{_LEGACY}.serialization", "class_and_config_for_serialized_keras_object",
        f"config {_LEGACY_NODE}",
    ),
    Place(
        "legacy", f"{_LEGACY}.serialization", "deserialize_keras_object",
        f"identifier {_LEGACY_NODE}", calls="class_and_config_for_serialized_keras_object",
    ),
    Place("legacy json", f"{_LEGACY}.json_utils", "decode", "json_string"),
    Place("model from text", _LIBRARY, "_model_from_config", f"config_json {_INSIDE}"),
    Place("json text", "keras.src.models.model", "model_from_json", "json_string custom_objects"),
    Place("code", "keras.src.utils.python_utils", "func_load", "code defaults closure globs"),
    Place(
        "torch module", "keras.src.utils.torch_utils", "from_config", "cls config",
        "TorchModuleWrapper",
    ),
    # 3.7 renamed the class.
    Place(
        "variable", _VARIABLES, "__init__", "self initializer shape dtype", "KerasVariable",
        until=(3, 7),
    ),
    Place(
        "variable", _VARIABLES, "__init__", "self initializer shape dtype", "Variable",
        since=(3, 7),
    ),
    Place("serialize", _SERIALIZATION, "serialize_keras_object", "obj"),
    Place(
        "serialize in layer", "keras.src.layers.core.lambda_layer",
        "_serialize_function_to_config", "self fn", "Lambda",
    ),
    Place("node", "keras.src.models.functional", "deserialize_node", "node_data created_layers"),
    Place("load", _API, "load_model", _LOAD),
    Place("load archive", _LIBRARY, "load_model", _LOAD),
    Place(
        "load open", _LIBRARY, "_load_model_from_fileobj", f"fileobj {_INSIDE}",
        calls="_model_from_config",
    ),
    Place("load folder", _LIBRARY, "_load_model_from_dir", f"dirpath {_INSIDE}"),
    # From 3.11 on it takes safe_mode, too; before, every .h5 file could bring code.
    Place(
        "load hdf5", f"{_LEGACY}.legacy_h5_format", "load_model_from_hdf5",
        "filepath custom_objects compile", calls="decode model_from_config",
    ),
    Place("weights", _API, "load_weights", "model filepath skip_mismatch"),
    Place("weights only", _LIBRARY, "load_weights_only", "model filepath skip_mismatch"),
    *(Place(name, f"keras.src.{name}", "get", "identifier") for name in IDENTIFIERS),
)  # fmt: skip


def installed() -> str | None:
    """The version of Keras that is loaded, or would be; None where there is none.

    Asked before Keras is imported: a denied file must not have to wait for it.
    """
    keras = loaded("keras", "__version__")
    return str(keras.__version__) if keras is not None else _distributed()


@cache
def _distributed() -> str | None:
    from importlib import metadata

    for name in _DISTRIBUTIONS:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


@lru_cache(maxsize=32)
def parsed(version: str) -> Version:
    """The two numbers that tell one Keras from another; (0, 0) for what is no version.

    >>> parsed("3.15.1"), parsed("3.16.0.dev2026112203"), parsed("main")
    ((3, 15), (3, 16), (0, 0))
    """
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def catalogue() -> Catalogue:
    """What is known of the Keras that is installed; of the newest known one, if none is."""
    version = parsed(installed() or "")
    return data.catalogue(version) if version in _OLDER else data.catalogue()


def places(version: Version) -> dict[str, Place]:
    """The place of each door in a Keras version, by the door's name.

    >>> places((3, 6))["variable"].holder, places((3, 15))["variable"].holder
    ('KerasVariable', 'Variable')
    """
    return {place.door: place for place in PLACES if place.since <= version < place.until}


def find(place: Place) -> tuple[Any, Callable[..., Any]]:
    """The module or class that holds a door's function, and the function; of a class, if it is its.

    Raises:
        ConstructionError: it is not there, or no longer the one that is known.

    """
    try:
        module = import_module(place.module)
    except ImportError as error:
        raise _moved(place, f"there is no {place.module}") from error
    holder = getattr(module, place.holder, None) if place.holder else module
    original = vars(holder).get(place.name) if place.holder and holder else None
    original = getattr(original, "__func__", original) or getattr(holder, place.name, None)
    if not callable(original):
        raise _moved(place, "it is not there")
    unfit = _unfit(original, place)
    if unfit:
        raise _moved(place, unfit)
    return holder, original


def _moved(place: Place, why: str) -> ConstructionError:
    name = ".".join(filter(None, [place.module, place.holder, place.name]))
    return ConstructionError(
        f"this Keras has no {name} as it is known to this release ({why}): "
        "refusing to half-enforce",
        help="install a Keras version that docs/keras-versions.md lists",
    )


def _unfit(original: Callable[..., Any], place: Place) -> str:
    """Why a function is not the one that is known; empty if it is."""
    import inspect

    try:
        parameters = list(inspect.signature(original).parameters.values())
    except (TypeError, ValueError):
        return "its signature cannot be told"
    taken = place.takes.split()
    if [parameter.name for parameter in parameters[: len(taken)]] != taken:
        return f"it takes ({', '.join(str(each) for each in parameters)})"
    needed = [each.name for each in parameters[len(taken) :] if _is_needed(each)]
    if needed:
        return f"it needs {', '.join(needed)}, too"
    lost = set(place.calls.split()) - set(_names_in(original))
    return f"it does not go through {', '.join(sorted(lost))}" if lost else ""


def _is_needed(parameter: inspect.Parameter) -> bool:
    gathers = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not gathers


def _names_in(function: Callable[..., Any]) -> Iterator[str]:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if code is not None:
        yield from code.co_names
