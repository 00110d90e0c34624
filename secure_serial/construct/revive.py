"""Building objects from a judged config, with Keras's own semantics (docs/semantics.md).

Every name goes through the session; nothing is imported here because a config names it.
Where Keras and safety part, this is the list:

- a string becomes a custom object only where a string identifier stands, never because
  text somewhere happens to equal a registered name;
- a `shared_object_id` stands for an earlier object only if the node is the same one again,
  class and config;
- a lambda never comes to life as bytecode: it is refused or, with `safe_mode=False` and a
  policy that lets it, restricted.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, cast

from secure_serial.artifact.document import LISTS
from secure_serial.construct import live
from secure_serial.construct.tables import asked_name, dotted_path, spell_out
from secure_serial.errors import ConstructionError, LoadDenied, SecureSerialError, Where
from secure_serial.plan.encodings import LAMBDA, PLACES, TYPE_SPEC
from secure_serial.plan.fields import Field
from secure_serial.plan.forms import names_of
from secure_serial.registry import holds
from secure_serial.sharing import record_revived

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from secure_serial.artifact.document import Json
    from secure_serial.construct.session import Session
    from secure_serial.construct.standing import Own
    from secure_serial.plan.path import Path
    from secure_serial.registry import CustomObjectScope

#: A path in the document, in a tuple of its own: the path of the root is None.
Place: TypeAlias = "tuple[Path] | None"
_PLAIN = (str, int, float, bool)
#: Errors raised over one another; one or two for each level that a constructor nests.
_CHAIN = 1000
_AS_IT_IS = nullcontext()
LAMBDA_REFUSED = (
    "Requested the deserialization of a Python lambda, which is arbitrary code execution; "
    "lambdas are refused, with safe_mode=False too"
)


class ConstructionValueError(ConstructionError, ValueError):
    """A constructor raised ValueError, which callers of Keras may expect to catch."""


def revive(
    config: Json,
    session: Session,
    *,
    field: Field = Field.ROOT,
    modules: Mapping[str, object] | None = None,
) -> Any:
    """The object that a config describes.

    Args:
        config: A copy of judged values, or what Keras's own code made of one.
        session: The load that this belongs to.
        field: Where it stands, as far as the caller knows.
        modules: Keras's `module_objects`: a closed table of names to look up in.

    Raises:
        LoadDenied: a name that the plan did not hold, or code.
        ConstructionError: a class is missing, or its constructor failed.

    """
    if isinstance(config, str) and session.is_identifier(config):
        return session.caller_object(config)
    if config not in session.handed:
        spelled = spell_out(config, modules, session.catalogue)[0] if modules else config
        session.judge_again(spelled)
    if modules is not None and config is not None and not isinstance(config, LISTS):
        name = _table_name(config, session)
        if name is not None:
            return _from_table(name, config, modules, session)
    with _surroundings(session):  # once for all that is in it
        return _value(config, session, field)


def revive_document(session: Session) -> Any:
    """The object that the document of a load describes, from a copy of it. Raises as `revive`."""
    usual = session.judgement.usual
    if usual is not None:
        session.handed.adopt(usual.given, usual.nodes, Field.OBJECT)
        return _usual(usual.root, iter(usual.outer), session)
    config = session.handed.copy(session.document.parts[0].root)
    if isinstance(config, str):
        return revive(config, session)
    with _surroundings(session):
        return _value(config, session, Field.ROOT, (None,))


def _usual(value: Json, outer: Iterator[tuple[Own, dict[str, Json]]], session: Session) -> Any:
    """The objects of a value of the usual kind, its nodes in the order that they stand in."""
    if isinstance(value, dict):
        own, given = next(outer)
        cls: Any = session.names[own.key]
        with _surroundings(session):  # a constructor may have left others
            try:
                return cls.from_config(given)
            except Exception as error:  # noqa: BLE001 - it is raised again
                _raise_in_our_words(error, cls, value)
    if value is None:
        return value
    with _surroundings(session):
        return [_usual(item, outer, session) for item in cast("list[Json]", value)]


class _Entered:
    """The scope and the safe mode of a load, for a block of code."""

    def __init__(self, scope: CustomObjectScope) -> None:
        self._scope = scope
        self._safe_mode = live.SafeMode()

    def __enter__(self) -> None:
        self._scope.__enter__()
        self._safe_mode.__enter__()

    def __exit__(self, *_: object) -> None:
        try:
            self._safe_mode.__exit__()
        finally:
            self._scope.__exit__(None, None, None)


def _surroundings(session: Session) -> AbstractContextManager[None]:
    """The scope and the safe mode that objects are built in, where they do not hold already."""
    if holds(session.scope) and live.is_safe_mode():
        return _AS_IT_IS
    return _Entered(session.scope)


def _value(config: Json, session: Session, field: Field, place: Place = None) -> Any:
    """The object of a config that stands in a field, at a place in the document if it is known."""
    if _stands_for_itself(config, session):
        return config
    if isinstance(config, LISTS):
        return [
            _value(item, session, field, place and ((*place, number),))
            for number, item in enumerate(config)
        ]
    if not isinstance(config, dict):
        raise ConstructionError(f"Could not parse config: {config!r:.200}")
    if "class_name" not in config or "config" not in config:
        return {
            key: _value(item, session, field, place and ((*place, key),))
            for key, item in config.items()
        }
    class_name = config["class_name"]
    if class_name in PLACES:
        return live.decode(str(class_name), config["config"], session)
    if class_name == LAMBDA:
        return _function_again(config, session)
    if class_name == TYPE_SPEC:
        session.refuse(f"{config.get('module')}.{config.get('spec_name')}", TYPE_SPEC)
    if place is not None:
        field = session.judgement.field_at(session.document.parts[0].member, place[0]) or field
    else:
        field = session.handed.field_of(config, field)
    if class_name == "function":
        return _function(config, session, field)
    return _object(config, session, field)


def _stands_for_itself(config: object, session: Session) -> bool:
    """A plain value, `...` from an `.h5` file, or a function that is restricted already."""
    if config is None or config is ... or isinstance(config, _PLAIN):
        return True
    return bool(session.functions) and config in session.functions


def _function_again(config: Json, session: Session) -> Any:
    """A function that a class wrote down and reads back while it is built."""
    function = session.functions.again(config)
    if function is None:
        raise refused_lambda(session)
    return function


def refused_lambda(session: Session) -> LoadDenied:
    """The refusal of code that stands in a file. `safe_mode=False` does not lift it."""
    return LoadDenied(
        LAMBDA_REFUSED,
        verdict=session.verdict,
        code="SS303",
        where=Where(session.document.name),
    )


def _function(config: Mapping[str, Json], session: Session, field: Field) -> Any:
    if not isinstance(config["config"], str):
        raise ConstructionError(
            f"Expected 'config' to be a non-null str for a function, got {config['config']!r:.100}"
        )
    names = names_of(config, function=config["config"])
    return live.find(session.resolve_function(names, field), session)


def _object(config: dict[str, Json], session: Session, field: Field) -> Any:
    inner = config["config"] if config["config"] is not None else {}
    class_name = config["class_name"]
    resolution = session.resolve_class(names_of(config), field)
    if not isinstance(inner, dict) and not isinstance(inner, list):
        raise ConstructionError(
            f"Expected 'config' to be a dict for {class_name}, got {type(inner).__name__}"
        )
    cls = live.find(resolution, session)
    if isinstance(cls, FunctionType):
        return cls
    if not hasattr(cls, "from_config"):
        raise ConstructionError(
            f"Unable to reconstruct an instance of {class_name!r} because the class is missing a "
            "`from_config()` method"
        )
    return instantiate(cls, config, inner, session)


def instantiate(cls: Any, config: Mapping[str, Json], inner: Json, session: Session) -> Any:
    """An instance of a class that was decided on, from its node; shared if it was seen."""
    shared_id = config.get("shared_object_id")
    snapshot = _copy_for_sharing(inner) if shared_id is not None else None
    if shared_id is not None:
        known = _shared(shared_id, cls, snapshot, session)
        if known is not None:
            return known
    inner = session.functions.in_places(inner)
    with _surroundings(session):
        instance = _guarded(cls, lambda: cls.from_config(inner), config)
        build_config = config.get("build_config")
        if build_config and not instance.built:
            _guarded(cls, lambda: instance.build_from_config(build_config), config)
            instance.built = True
        compile_config = config.get("compile_config")
        if compile_config:
            _guarded(cls, lambda: instance.compile_from_config(compile_config), config)
            instance.compiled = True
    if shared_id is not None:
        with suppress(TypeError):  # an unhashable id shares nothing
            session.shared[shared_id] = (instance, snapshot)
            record_revived(instance, shared_id)
    return instance


def _guarded(cls: Any, action: Any, config: Mapping[str, Json]) -> Any:
    """Run a constructor; what it raises becomes ours."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - it is raised again
        _raise_in_our_words(error, cls, config)


def _raise_in_our_words(error: Exception, cls: Any, config: Mapping[str, Json]) -> NoReturn:
    """Raise what a constructor raised as an error of ours, with Keras's meaning kept."""
    ours = behind(error)
    if ours is error:
        raise error
    if ours is not None:  # Keras says of every error in a constructor that it is a TypeError
        raise ours from None
    kind = ConstructionValueError if isinstance(error, ValueError) else ConstructionError
    name = config.get("class_name")
    raise kind(
        f"{cls} could not be deserialized properly. Please ensure that components that are "
        "Python object instances (layers, models, etc.) returned by `get_config()` are "
        "explicitly deserialized in the model's `from_config()` method.\n\n"
        f"class_name={name!r}. Exception encountered: {type(error).__name__}: {error}"
    ) from error


def behind(error: BaseException) -> SecureSerialError | None:
    """The refusal of ours that an error was raised over, if it was."""
    seen: BaseException | None = error
    for _ in range(_CHAIN):
        if seen is None or isinstance(seen, SecureSerialError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _shared(shared_id: Json, cls: Any, inner: Json, session: Session) -> Any:
    try:
        known = session.shared.get(shared_id)
    except TypeError:
        return None
    if known is None:
        return None
    instance, config = known
    return instance if type(instance) is cls and config == inner else None


def _copy_for_sharing(inner: Json) -> Json:
    """Keras's classes take their config apart, so what is compared later is a copy.

    The marks of what is shared inside are left out: Keras sets them on the second sight,
    so the first of two equal nodes has fewer.
    """
    if isinstance(inner, dict):
        return {
            key: _copy_for_sharing(item) for key, item in inner.items() if key != "shared_object_id"
        }
    if isinstance(inner, LISTS):
        return [_copy_for_sharing(item) for item in inner]
    return inner


# Keras's X.deserialize(config) with a closed table of built-ins.


def _table_name(config: Json, session: Session) -> str | None:
    """The name to look up in a table; None where the node says all by itself."""
    if not isinstance(config, dict):
        return asked_name(config)
    if "class_name" not in config:
        raise ConstructionValueError(f"Unknown `config` as a `dict`, config={config!r:.200}")
    class_name = config["class_name"]
    for name in (class_name, config.get("registered_name"), config.get("config")):
        if isinstance(name, str) and name in session.callers:
            return None
    if class_name != "function" and config.get("module", "") is None:
        raise ConstructionError(
            f"Cannot deserialize object of type `{class_name}`. If it is a custom class, "
            "please register it using the `@keras.saving.register_keras_serializable()` decorator."
        )
    # As Keras reads it, which asks for a function under either of two names.
    key = "config" if config.get("module") == "builtins" else "registered_name"
    return asked_name(config, function=key)


def _from_table(name: str, config: Json, modules: Mapping[str, object], session: Session) -> Any:
    """What a closed table has under a name; the name itself where it has none, as Keras."""
    if name not in modules:
        return name
    found = modules[name]
    symbol = session.catalogue.canonical(dotted_path(found))
    if symbol is None:
        session.refuse(name, f"a table's {name!r}")
    session.require(symbol, name)
    if isinstance(found, FunctionType):
        return found
    node = cast("dict[str, Json]", config) if isinstance(config, dict) else {}
    inner = node.get("config") if isinstance(node.get("config"), dict) else {}
    kept = {key: node[key] for key in ("shared_object_id",) if key in node}
    return instantiate(found, {"class_name": name, "config": inner, **kept}, inner, session)
