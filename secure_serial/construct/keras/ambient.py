"""The doors of Keras outside a gated load, where a policy is in force for a block or process.

What begins a load here begins a gated one. A config that the program hands to Keras gets a
plan of its own; a name that the program resolves by itself is decided and recorded. What
cannot be covered is refused, not ignored.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from secure_serial.artifact.json_text import parse_json
from secure_serial.construct import load as loading
from secure_serial.construct.callers import describe_one
from secure_serial.construct.keras import weights
from secure_serial.construct.keras.versions import catalogue
from secure_serial.construct.live import SAFE_MODE
from secure_serial.construct.session import plain_containers
from secure_serial.errors import LoadDenied, UnsupportedFormat
from secure_serial.loaded import keras_state
from secure_serial.plan.encodings import LAMBDA
from secure_serial.plan.fields import Field
from secure_serial.plan.forms import names_of
from secure_serial.plan.names import resolve_class, resolve_function, resolve_identifier
from secure_serial.plan.request import Origin
from secure_serial.registry import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.construct.guard import Guard
    from secure_serial.plan.request import CallerObject

    Original = Callable[..., Any]


def load_model(guard: Guard, original: Original) -> Original:
    """`keras.models.load_model`, by path."""

    def gated(
        filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: Any = True
    ) -> Any:
        if hasattr(filepath, "read"):
            return load_open(guard, original)(filepath, custom_objects, compile, safe_mode)
        return loading.load_model(
            filepath, custom_objects=custom_objects, compile=compile,
            safe_mode=safe_mode is not False,
        )  # fmt: skip

    return gated


def load_open(guard: Guard, original: Original) -> Original:
    """A `.keras` archive that is open already: what a pickled model is revived from."""

    def gated(fileobj: Any, custom_objects: Any, compile: bool, safe_mode: Any) -> Any:
        return loading.load_stream(
            fileobj, name="<open file>", custom_objects=custom_objects, compile=compile,
            safe_mode=safe_mode is not False,
        )  # fmt: skip

    return gated


def load_hdf5(guard: Guard, original: Original) -> Original:
    """A legacy `.h5` file, by path. One that h5py has open cannot be read by another reader."""

    def gated(
        filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: Any = True
    ) -> Any:
        if not isinstance(filepath, str | os.PathLike):
            raise UnsupportedFormat(
                "an open h5py.File cannot be judged while a policy is in force; give its path"
            )
        return loading.load_model(
            filepath, custom_objects=custom_objects, compile=compile,
            safe_mode=safe_mode is not False,
        )  # fmt: skip

    return gated


def deserialize(guard: Guard, original: Original) -> Original:
    """Door A: a config that the program hands to Keras has a plan of its own."""

    def gated(
        config: Any,
        custom_objects: Any = None,
        safe_mode: Any = True,
        **kwargs: Any,
    ) -> Any:
        return loading.deserialize_own(
            config, custom_objects, guard.recorded, modules=kwargs.get("module_objects"),
            safe_mode=_safe_mode(safe_mode),
        )  # fmt: skip

    return gated


def model_from_text(guard: Guard, original: Original) -> Original:
    """A model's config as text, from whichever loader Keras may add."""

    def gated(config_json: Any, custom_objects: Any, compile: bool, safe_mode: Any) -> Any:
        text = config_json.encode() if isinstance(config_json, str) else bytes(config_json)
        return loading.model_from_text(
            text, custom_objects, compile=compile, safe_mode=safe_mode is not False
        )

    return gated


def retrieve(guard: Guard, original: Original) -> Original:
    """Door B: reached by code that imported Keras's own function before the doors were there."""

    def gated(
        name: Any,
        registered_name: Any,
        module: Any,
        obj_type: str,
        full_config: Any,
        custom_objects: Any = None,
    ) -> Any:
        callers = _caller(registered_name, custom_objects) | _caller(name, custom_objects)
        names = names_of(full_config if isinstance(full_config, dict) else {"class_name": name})
        if obj_type == "function":
            found = resolve_function(
                names._replace(function=name), Field.ROOT, catalogue(), callers
            )
        else:
            found = resolve_class(names, Field.ROOT, catalogue(), callers)
        if found.code:
            raise LoadDenied(found.problem, code=found.code)
        guard.admit(found, Field.ROOT, str(name))
        return original(name, registered_name, module, obj_type, full_config, custom_objects)

    return gated


def legacy(guard: Guard, original: Original) -> Original:
    """Door E: the legacy resolver. A config is judged and built as any other."""

    def gated(
        identifier: Any,
        module_objects: Any = None,
        custom_objects: Any = None,
        printable_module_name: Any = "object",
    ) -> Any:
        if isinstance(identifier, dict):
            return loading.deserialize_own(
                identifier, custom_objects, guard.recorded, safe_mode=_safe_mode(None)
            )
        if isinstance(identifier, str):
            _admit(guard, identifier, Field.OBJECT, custom_objects)
        return original(identifier, module_objects, custom_objects, printable_module_name)

    return gated


def legacy_json(guard: Guard, original: Original) -> Original:
    """Door F: Keras 2's JSON, read strictly; no TypeSpec and no tensor is made of it."""

    def gated(json_string: Any) -> Any:
        text = json_string.encode() if isinstance(json_string, str) else bytes(json_string)
        return plain_containers(parse_json(text, guard.policy.limits))

    return gated


def load_weights(guard: Guard, original: Original) -> Original:
    """Weights alone."""

    def gated(model: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        with weights.watched(filepath, guard):
            return original(model, filepath, *args, **kwargs)

    return gated


def registered(guard: Guard, original: Original) -> Original:
    """Door C: a registered name that the program looks up."""

    def gated(name: Any, custom_objects: Any = None, module_objects: Any = None) -> Any:
        if isinstance(name, str):
            _admit(guard, name, Field.OBJECT, custom_objects)
        return original(name, custom_objects, module_objects)

    return gated


def identifier(field: Field) -> Callable[[Guard, Original], Original]:
    """The door `X.get(text)` of one field."""

    def door(guard: Guard, original: Original) -> Original:
        def gated(given: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(given, str):
                _admit(guard, given, field, None)
            return original(given, *args, **kwargs)

        return gated

    return door


def function(guard: Guard, original: Original) -> Original:
    """Door G: code that Keras would unmarshal. It is read, judged and restricted instead.

    Keras asks for it where its safe mode is off.
    """

    def gated(code: Any, defaults: Any = None, closure: Any = None, globs: Any = None) -> Any:
        value = code if isinstance(code, list | tuple) else [code, defaults, closure]
        node = {"class_name": LAMBDA, "config": {"value": value}}
        safe_mode = _safe_mode(given=False)
        return loading.deserialize_own(node, None, guard.recorded, safe_mode=safe_mode)

    return gated


def torch_module(guard: Guard, original: Original) -> Original:
    """Door J: a module of PyTorch, which is a pickle. A class is asked here, and no resolver."""

    def from_config(cls: type, config: Any, *args: Any, **kwargs: Any) -> Any:
        node = {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": config}
        return loading.deserialize_own(node, None, guard.recorded, safe_mode=_safe_mode(given=None))

    return from_config


def _safe_mode(given: Any) -> bool:
    """What holds here, as Keras has it: the scope's, else what the call says; None is safe."""
    scope = keras_state(SAFE_MODE)
    return (given if scope is None else scope) is not False


def _admit(guard: Guard, text: str, field: Field, custom_objects: Any) -> None:
    """Decide on what a text names; one that names nothing is Keras's to complain about."""
    found = resolve_identifier(text, field, catalogue(), _caller(text, custom_objects))
    if found is not None and found.origin is not Origin.UNKNOWN:
        guard.admit(found, field, text)


def _caller(name: Any, custom_objects: Any) -> dict[str, CallerObject]:
    """The description of the program's object of this name, if there is one."""
    names = snapshot(custom_objects, whole=False)
    if not isinstance(name, str) or name not in names:
        return {}
    return {name: describe_one(name, names[name], str(names.origin(name)), catalogue())}
