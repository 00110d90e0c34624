"""The doors of Keras inside a gated load: the session decides, and builds what was judged."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from secure_serial.artifact.json_text import parse_json
from secure_serial.construct import live
from secure_serial.construct import load as loading
from secure_serial.construct.revive import refused_lambda, revive
from secure_serial.construct.tables import dotted_path
from secure_serial.construct.tripwire import exempt
from secure_serial.errors import ConstructionError
from secure_serial.plan.fields import Field
from secure_serial.plan.forms import names_of
from secure_serial.plan.functions import may_be_function
from secure_serial.plan.names import MISSING, Names, resolve_identifier
from secure_serial.serialize.special import restored_node

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.construct.guard import Guard
    from secure_serial.construct.session import Session

    Original = Callable[..., Any]


def deserialize(session: Session, original: Original) -> Original:
    """Door A: nested deserialization, at every depth."""

    def deserialize_keras_object(
        config: Any,
        custom_objects: Any = None,
        safe_mode: Any = True,
        **kwargs: Any,
    ) -> Any:
        return revive(config, session, modules=kwargs.get("module_objects"))

    return deserialize_keras_object


def retrieve(session: Session, original: Original) -> Original:
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


def registered(session: Session, original: Original) -> Original:
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


def legacy_class(session: Session, original: Original) -> Original:
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
        field = session.handed.field_of(config, Field.LAYER)
        cls = live.find(session.resolve_class(names_of(config), field), session)
        if isinstance(cls, FunctionType) or not hasattr(cls, "from_config"):
            session.refuse(str(config["class_name"]), "a function where a class is named")
        inner = config["config"]
        for key, item in inner.items() if isinstance(inner, dict) else ():
            if isinstance(item, dict) and "__passive_serialization__" in item:
                inner[key] = serialization.deserialize_keras_object(
                    item, module_objects, custom_objects, "config_item"
                )
        given = inner.values() if isinstance(inner, dict) and session.functions else ()
        return (_Shell(cls, session) if any(map(may_be_function, given)) else cls), inner

    return class_and_config_for_serialized_keras_object


class _Shell:
    """A class whose arguments get their functions last: Keras before 3.11 makes JSON of them."""

    def __init__(self, cls: Any, session: Session) -> None:
        self._cls = cls
        self._session = session

    def from_config(self, config: Any) -> Any:
        """As the class does."""
        return self._cls.from_config(self._session.functions.in_places(config))


def model_from_text(session: Session, original: Original) -> Original:
    """The start of a `.keras` file: the judged tree, not the bytes again.

    Another text is a model of its own, which a class of the program's own loads meanwhile.
    """

    def _model_from_config(
        config_json: Any, custom_objects: Any, compile: bool, safe_mode: Any
    ) -> Any:
        text = config_json.encode() if isinstance(config_json, str) else bytes(config_json)
        if text == session.document.parts[0].text:
            return revive(session.root(compile=compile), session)
        return loading.model_from_text(
            text, custom_objects, compile=compile, safe_mode=safe_mode is not False, within=session
        )

    return _model_from_config


def load_model(session: Session, original: Original) -> Original:
    """A model that a class of the program's own loads while it is built: a load of its own."""

    def gated(
        filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: Any = True
    ) -> Any:
        if hasattr(filepath, "read"):
            return load_open(session, original)(filepath, custom_objects, compile, safe_mode)
        policy, audit = session.policy, session.sink
        return loading.load_model(
            filepath, policy=policy, audit=audit, custom_objects=custom_objects, compile=compile,
            safe_mode=safe_mode is not False,
        )  # fmt: skip

    return gated


def load_open(session: Session, original: Original) -> Original:
    """The same from a file that is open. The load's own archive comes by another way."""

    def gated(fileobj: Any, custom_objects: Any, compile: bool, safe_mode: Any) -> Any:
        return loading.load_stream(
            fileobj, name="<open file>", custom_objects=custom_objects, compile=compile,
            safe_mode=safe_mode is not False, within=session,
        )  # fmt: skip

    return gated


def legacy_json(session: Session, original: Original) -> Original:
    """Door F: JSON in an `.h5` file, as it was judged; no TypeSpec, no tensor, no second parse."""

    def decode(json_string: Any) -> Any:
        return session.legacy_part(json_string)

    return decode


def json_text(authority: Session | Guard, original: Original) -> Original:
    """`model_from_json`: the text is read strictly and within limits, before Keras reads it."""

    def model_from_json(json_string: Any, custom_objects: Any = None) -> Any:
        given = json_string
        if isinstance(given, str):
            given = given.encode("utf-8", "surrogatepass")
        if isinstance(given, (bytes, bytearray)):  # what is none of these Keras refuses
            parse_json(bytes(given), authority.policy.limits)
        return original(json_string, custom_objects)

    return model_from_json


def refuse_code(session: Session, original: Original) -> Original:
    """Door G: code that is unmarshalled. Nothing may be."""

    def func_load(*args: Any, **kwargs: Any) -> Any:
        raise refused_lambda(session)

    return func_load


def serialize(original: Original) -> Original:
    """A restricted function is written down in our own form, wherever it is saved.

    Keras would write the name of its class, which nobody could read back.
    """

    def serialize_keras_object(obj: Any) -> Any:
        with exempt():  # whether the code that is written is the same function is proved by ours
            node = restored_node(obj)
        return original(obj) if node is None else node

    return serialize_keras_object


def serialize_in_layer(original: Original) -> Original:
    """The same for a function of a `Lambda` layer, whose parts Keras reads by other names."""

    def _serialize_function_to_config(self: Any, fn: Any) -> Any:
        with exempt():  # as above
            node = restored_node(fn, in_layer=True)
        return original(self, fn) if node is None else node

    return _serialize_function_to_config


def variable(session: Session, original: Original) -> Original:
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


#: Where a graph that is being joined keeps its tries; no layer can be called so.
_TRIES = object()


def node(authority: Session | Guard, original: Original) -> Original:
    """Joining a node of a graph, which Keras tries again and again until it can be done.

    3.8, 3.10 and 3.13 do so for ever, if the graph has a loop. In each round at least one
    node must have been joined, and all that are joined were tried: so none is tried more
    often than there are nodes that were.
    """

    def deserialize_node(node_data: Any, created_layers: Any) -> Any:
        tries = created_layers.setdefault(_TRIES, {})
        which = id(node_data)
        tries[which] = tries.get(which, 0) + 1
        if tries[which] > len(tries) + 1:
            raise ConstructionError(
                "the graph of a model has a loop, or a node that nothing leads to"
            )
        return original(node_data, created_layers)

    return deserialize_node


def identifier(field: Field) -> Callable[[Session, Original], Original]:
    """The door `X.get(text)` of one field: what it looks up was planned, or is a class's own."""

    def door(session: Session, original: Original) -> Original:
        def get(given: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(given, str):
                found = resolve_identifier(given, field, session.catalogue, session.callers)
                if found is not None and found.entry is not None:
                    session.require_default(found, field, given)
            return original(given, *args, **kwargs)

        return get

    return door
