"""The places in Keras 3.15 where text or config becomes an object, and a gate at each.

A door is a function of Keras's that is replaced once, when the first gated load begins.
Its replacement looks for a session in the current context: where there is none, Keras's
own function is called as if nothing had happened; inside a gated load the session decides.
Nothing is ever put back, so there is no moment at which a door stands half open.

Each door names where it stands; if it is not there, this Keras is not one we know and
nothing is enforced half-way: `install` raises.
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from secure_serial.construct import live
from secure_serial.construct.revive import refused_lambda, revive
from secure_serial.construct.session import Session, current
from secure_serial.construct.tables import dotted_path
from secure_serial.errors import ConstructionError
from secure_serial.plan.fields import Field
from secure_serial.plan.forms import names_of
from secure_serial.plan.names import MISSING, Names

if TYPE_CHECKING:
    from collections.abc import Callable

#: The Keras versions whose doors these are.
VERSIONS = ("3.15.",)


class Door(NamedTuple):
    """One function of Keras's, where it is looked up, and what stands in for it."""

    module: str
    name: str
    gate: Callable[[Session, Callable[..., Any]], Callable[..., Any]]
    holder: str = ""  # the class whose method it is
    copies: tuple[str, ...] = ()  # modules that imported it by name


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
        for door, holder, original in found:
            _replace(door, holder, original)
        _installed.append(True)


def _check_version() -> None:
    import keras

    if not keras.__version__.startswith(VERSIONS):
        raise ConstructionError(
            f"Keras {keras.__version__} is installed, and the doors of {', '.join(VERSIONS)}x "
            "are the ones known to this release",
            help="pip install 'keras>=3.15,<3.16'",
        )


def _find(door: Door) -> tuple[Any, Callable[..., Any]]:
    module = importlib.import_module(door.module)
    holder = getattr(module, door.holder, None) if door.holder else module
    original = getattr(holder, door.name, None)
    if not callable(original):
        raise ConstructionError(f"Keras has no {door.module}.{door.name}: refusing to half-enforce")
    return holder, original


def _replace(door: Door, holder: Any, original: Callable[..., Any]) -> None:
    @functools.wraps(original)
    def gated(*args: Any, **kwargs: Any) -> Any:
        session = current()
        if session is None:
            return original(*args, **kwargs)
        return door.gate(session, original)(*args, **kwargs)

    setattr(holder, door.name, gated)
    for name in door.copies:
        copy = sys.modules.get(name)
        if copy is not None and getattr(copy, door.name, None) is original:
            setattr(copy, door.name, gated)


# The gates.


def _deserialize(session: Session, original: Callable[..., Any]) -> Callable[..., Any]:
    """Door A: nested deserialization, at every depth."""

    def deserialize_keras_object(
        config: Any,
        custom_objects: Any = None,
        safe_mode: Any = True,  # noqa: FBT002 - Keras's signature; lambdas are refused
        **kwargs: Any,
    ) -> Any:
        return revive(config, session, modules=kwargs.get("module_objects"))

    return deserialize_keras_object


def _retrieve(session: Session, original: Callable[..., Any]) -> Callable[..., Any]:
    """Door B: class and function resolution.

    Reached where a program imported Keras's own `deserialize_keras_object` by name before
    the doors were there: its classes' `from_config` still call that one.
    """

    def _retrieve_class_or_fn(
        name: Any,
        registered_name: Any,
        module: Any,
        obj_type: str,
        full_config: Any,
        custom_objects: Any = None,
    ) -> Any:
        given = full_config if isinstance(full_config, dict) else {}
        session.judge_again(given)
        names = Names(
            module if "module" in given else MISSING,
            name,
            registered_name if "registered_name" in given else MISSING,
            name,
        )
        if obj_type == "function":
            return live.find(session.resolve_function(names._replace(class_name=obj_type)), session)
        return live.find(session.resolve_class(names), session)

    return _retrieve_class_or_fn


def _registered(session: Session, original: Callable[..., Any]) -> Callable[..., Any]:
    """Door C: look-ups of registered names, from activations.get to the legacy loader."""

    def get_registered_object(
        name: Any, custom_objects: Any = None, module_objects: Any = None
    ) -> Any:
        if isinstance(name, str) and name in session.callers:
            return session.caller_object(name)
        found = module_objects.get(name) if module_objects and isinstance(name, str) else None
        # The legacy loader asks this of every text in a config, and would put a function of
        # keras.layers (`serialize`, `deserialize`, `add`) in the place of an equal text.
        if found is None or isinstance(found, FunctionType):
            return None
        return _from_module(session, name, found)

    return get_registered_object


def _from_module(session: Session, name: str, found: Any) -> Any:
    path = dotted_path(found)
    symbol = session.catalogue.canonical(path)
    if symbol is None:
        session.refuse(path, name)
    session.require(symbol, name)
    return found


def _legacy_class(session: Session, original: Callable[..., Any]) -> Callable[..., Any]:
    """Door E: the legacy resolver, which a config without `module` reaches.

    Keras's own looks for `class_name` alone, among all that keras.layers imports, and puts
    functions in the place of equal texts. Here the node means what it meant to the plan.
    """

    def class_and_config_for_serialized_keras_object(
        config: Any, module_objects: Any = None, custom_objects: Any = None, *_: Any, **__: Any
    ) -> Any:
        from keras.src.legacy.saving import serialization

        if not isinstance(config, dict) or not {"class_name", "config"} <= config.keys():
            raise ValueError(f"Improper config format for {type(config).__name__}")
        field = session.field_of(config, Field.LAYER)
        cls = live.find(session.resolve_class(names_of(config), field), session)
        if isinstance(cls, FunctionType) or not hasattr(cls, "from_config"):
            session.refuse(str(config["class_name"]), "a function where a class is named")
        inner = config["config"]
        for key, item in inner.items() if isinstance(inner, dict) else ():
            if isinstance(item, dict) and "__passive_serialization__" in item:
                inner[key] = serialization.deserialize_keras_object(
                    item, module_objects, custom_objects, "config_item"
                )
        return cls, inner

    return class_and_config_for_serialized_keras_object


def _model_from_text(session: Session, original: Callable[..., Any]) -> Callable[..., Any]:
    """The start of a `.keras` file: the judged tree, not the bytes again."""

    def _model_from_config(
        config_json: Any, custom_objects: Any, compile: bool, safe_mode: Any
    ) -> Any:
        return revive(session.root(compile=compile), session)

    return _model_from_config


def _legacy_json(session: Session, original: Callable[..., Any]) -> Callable[..., Any]:
    """Door F: JSON in an `.h5` file, as it was judged; no TypeSpec, no tensor, no second parse."""

    def decode(json_string: Any) -> Any:
        return session.legacy_part(json_string)

    return decode


def _func_load(session: Session, original: Callable[..., Any]) -> Callable[..., Any]:
    """Door G: code that is unmarshalled. Nothing may be."""

    def func_load(*args: Any, **kwargs: Any) -> Any:
        raise refused_lambda(session)

    return func_load


def _variable(session: Session, original: Callable[..., Any]) -> Callable[..., Any]:
    """Every variable is counted before its memory is taken."""

    def make(
        self: Any, initializer: Any, shape: Any = None, dtype: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        count = 1
        for extent in shape if isinstance(shape, list | tuple) else ():
            count *= extent if isinstance(extent, int) and extent > 0 else 1
        session.count(count * _item_bytes(dtype))
        original(self, initializer, shape, dtype, *args, **kwargs)

    return make


def _item_bytes(dtype: Any) -> int:
    text = str(dtype)
    return next((size for end, size in _ITEM_BYTES.items() if text.endswith(end)), 4)


_ITEM_BYTES = {"64": 8, "16": 2, "int8": 1, "bool": 1}

_SERIALIZATION = "keras.src.saving.serialization_lib"
#: Where Keras exports its saving functions to programs.
_PUBLIC = (
    "keras.saving",
    "keras.utils",
    "keras._tf_keras.keras.saving",
    "keras._tf_keras.keras.utils",
)
DOORS = (
    Door(
        _SERIALIZATION,
        "deserialize_keras_object",
        _deserialize,
        copies=(
            "keras.src.saving",
            "keras.src.saving.saving_lib",
            "keras.src.layers.core.masking",
            *_PUBLIC,
        ),
    ),
    Door(_SERIALIZATION, "_retrieve_class_or_fn", _retrieve),
    Door(
        "keras.src.saving.object_registration",
        "get_registered_object",
        _registered,
        copies=_PUBLIC,
    ),
    Door(
        "keras.src.legacy.saving.serialization",
        "class_and_config_for_serialized_keras_object",
        _legacy_class,
    ),
    Door("keras.src.saving.saving_lib", "_model_from_config", _model_from_text),
    Door("keras.src.legacy.saving.json_utils", "decode", _legacy_json),
    Door("keras.src.utils.python_utils", "func_load", _func_load),
    Door("keras.src.backend.common.variables", "__init__", _variable, holder="Variable"),
)
