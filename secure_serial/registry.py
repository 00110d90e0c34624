"""Names of custom objects: registration, scopes and lookup, with Keras's own semantics.

What this file promises:

- It works without Keras and never imports it. Where Keras is loaded there is one store:
  Keras's two global dictionaries, into which earlier registrations are moved.
- A scope replaces the one around it, and it belongs to the context that entered it: no
  other thread or asyncio task sees it. Keras keeps its scope per thread only; what we put
  there is marked, so that we never take another task's scope for our own.
- A name is looked up in the scope, then among the global names, then in the argument.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from secure_serial.loaded import keras_holds, keras_state, loaded, set_keras_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

_T = TypeVar("_T")
_K = TypeVar("_K")
_Names = Mapping[str, object]

_REGISTRATION = "keras.src.saving.object_registration"
_SCOPE_ATTRIBUTE = "custom_objects_scope_dict"
_NOTHING: _Names = MappingProxyType({})
_MISSING = object()

_lock = threading.RLock()
if hasattr(os, "register_at_fork"):  # a child would have a lock that nobody lets go
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )
_objects: dict[str, object] = {}
_names: dict[object, str] = {}


class Origin(StrEnum):
    """Where a custom name was found, in order of precedence."""

    SCOPE = "scope"
    GLOBAL = "global"
    ARGUMENT = "argument"


class _Mirror(dict[str, object]):
    """A scope of ours as Keras's thread-local state holds it.

    The type is the mark by which reading tells it from a scope of Keras's own. Keras copies
    the dict to restore it later; what it keeps must stay marked, and must be the very dict
    that leaving our scope empties.
    """

    def copy(self) -> Self:
        return self


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """One entered scope of this context."""

    owner: CustomObjectScope
    objects: _Names
    outer: _Frame | None
    mirror: _Mirror
    before: object  # what Keras's state held


_current: ContextVar[_Frame | None] = ContextVar("secure_serial_custom_objects", default=None)


def _store() -> tuple[dict[str, object], dict[object, str]]:
    """The global names and their inverse: Keras's, where it is loaded."""
    keras = loaded(_REGISTRATION, "GLOBAL_CUSTOM_OBJECTS", "GLOBAL_CUSTOM_NAMES")
    if keras is None:
        return _objects, _names
    objects, names = keras.GLOBAL_CUSTOM_OBJECTS, keras.GLOBAL_CUSTOM_NAMES
    if _objects or _names:
        with _lock:
            _move(_objects, objects)
            _move(_names, names)
    return objects, names


def _move(source: dict[_K, _T], target: dict[_K, _T]) -> None:
    """Move all items; a key that Keras has already is the newer registration, and stays."""
    for key in list(source):
        target.setdefault(key, source.pop(key))


def _scope() -> _Names:
    """The custom objects of the innermost scope of this context, Keras's own included."""
    seen = keras_state(_SCOPE_ATTRIBUTE)
    # An unmarked dict was put there by Keras, inside whatever scope of ours there is, or we
    # would see our mark. Keras leaves an empty one behind on leaving its outermost scope.
    if isinstance(seen, Mapping) and seen and not isinstance(seen, _Mirror):
        return seen
    frame = _current.get()
    return _NOTHING if frame is None else frame.objects


class CustomObjectScope:
    """Makes custom classes and functions known, by name, inside a `with` block.

    The names of an outer scope do not hold inside an inner one: a scope replaces, as in
    Keras. The mapping is copied on entering.

    Args:
        custom_objects: names and what they stand for, or None for none.

    >>> with CustomObjectScope({"double": len}):
    ...     get_registered_object("double") is len
    True
    >>> get_registered_object("double") is None
    True

    """

    def __init__(self, custom_objects: _Names | None) -> None:
        self.custom_objects: _Names = custom_objects or {}

    def __enter__(self) -> Self:
        objects = dict(self.custom_objects)
        mirror = _Mirror(objects)
        before = keras_state(_SCOPE_ATTRIBUTE)
        _current.set(_Frame(self, objects, _current.get(), mirror, before))
        set_keras_state(_SCOPE_ATTRIBUTE, mirror)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        frame = _current.get()
        # Not always the innermost: a generator or an exit stack may leave out of order.
        while frame is not None and frame.owner is not self:
            _unmirror(frame)
            frame = frame.outer
        if frame is not None:
            _unmirror(frame)
            _current.set(frame.outer)


def _unmirror(frame: _Frame) -> None:
    """Take a scope out of Keras's state, if it still stands there.

    It may not: another task of this thread has entered a scope since, or Keras's state was
    cleared. The mirror is emptied in any case, since that other one will put it back.
    """
    if keras_state(_SCOPE_ATTRIBUTE) is frame.mirror:
        set_keras_state(_SCOPE_ATTRIBUTE, frame.before)
    frame.mirror.clear()


custom_object_scope = CustomObjectScope


def holds(scope: CustomObjectScope) -> bool:
    """Whether a scope is the innermost one here, for this package and for Keras alike."""
    frame = _current.get()
    if frame is None or frame.owner is not scope:
        return False
    return keras_holds(_SCOPE_ATTRIBUTE, frame.mirror)


def get_custom_objects() -> dict[str, object]:
    """The global dictionary of registered names itself, not a copy; scopes are not in it.

    >>> get_custom_objects()["triple"] = len
    >>> get_registered_object("triple") is len
    True
    >>> _ = get_custom_objects().pop("triple")
    """
    return _store()[0]


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[_T], _T]:
    """Decorate a class or function to be known as `package>name`.

    Args:
        package: what the name belongs to.
        name: the name in the package; the object's own where this is None.

    Returns:
        The decorator. It gives back what it decorates.

    Raises:
        ValueError: (the decorator) for a class that has no `get_config` method.

    >>> @register_keras_serializable("mine")
    ... class Part:
    ...     def get_config(self):
    ...         return {}
    >>> get_registered_name(Part)
    'mine>Part'

    """

    def decorate(target: _T) -> _T:
        own_name = name if name is not None else target.__name__  # type: ignore[attr-defined]
        if isinstance(target, type) and not hasattr(target, "get_config"):
            raise ValueError("Cannot register a class that does not have a get_config() method.")
        objects, names = _store()
        key = f"{package}>{own_name}"
        with _lock:
            # The one that can fail (an unhashable object) comes first: all or nothing.
            names[target] = key
            objects[key] = target
        return target

    return decorate


def get_registered_name(obj: object) -> str:
    """The name under which `obj` was registered, else its own `__name__`.

    Raises:
        TypeError: the object is not hashable.
        AttributeError: it was not registered, and it has no name.

    >>> get_registered_name(len)
    'len'

    """
    name = _store()[1].get(obj)
    return name if name is not None else obj.__name__  # type: ignore[attr-defined]


def get_registered_object(
    name: str,
    custom_objects: _Names | None = None,
    module_objects: _Names | None = None,
) -> Any:
    """What `name` stands for: in the scope, globally, or in either argument; else None.

    Args:
        name: the name to look up.
        custom_objects: the caller's own names.
        module_objects: names of a library, looked at last.

    >>> get_registered_object("size", {"size": len}) is len
    True

    """
    for table in (_scope(), _store()[0], custom_objects or _NOTHING, module_objects or _NOTHING):
        found = table.get(name, _MISSING)
        if found is not _MISSING:
            return found
    return None


class Snapshot(Mapping[str, object]):
    """The custom names of one load, with where each one came from.

    The registered names are by far the most, and many a load asks for one. They are copied when
    somebody wants all of them, and none changes after that; until then each stays what it was
    when it was first asked for. So what was decided on is what is built.
    """

    __slots__ = ("_argument", "_asked", "_registered", "_scope", "_table")

    def __init__(self, scope: _Names, registered: _Names, argument: _Names) -> None:
        self._scope = dict(scope) if scope else _NOTHING
        self._argument = dict(argument) if argument else _NOTHING
        self._registered = registered  # the process's own, until they are copied
        self._asked: dict[str, object] = {}  # what they were
        self._table: _Names | None = None

    def origin(self, name: str) -> Origin | None:
        """Where `name` is found first; None if it is no custom name."""
        if name in self._scope:
            return Origin.SCOPE
        if self._of_process(name) is not _MISSING:
            return Origin.GLOBAL
        return Origin.ARGUMENT if name in self._argument else None

    @property
    def passing(self) -> Collection[str]:
        """The names of a scope or an argument: the rest is registered for the whole process."""
        if not self._argument:
            return self._scope.keys()
        return [name for name in self if self.origin(name) is not Origin.GLOBAL]

    @property
    def table(self) -> _Names:
        """All of it as a table of Python's own, which is quicker to look up in."""
        if self._table is None:
            registered = dict(self._registered)
            for name, was in list(self._asked.items()):
                if was is _MISSING:
                    registered.pop(name, None)
                else:
                    registered[name] = was
            self._registered = registered
            passing = self._scope or self._argument
            whole = {**self._argument, **registered, **self._scope} if passing else registered
            self._table = MappingProxyType(whole)
        return self._table

    @property
    def names(self) -> Collection[str]:
        """The names alone. Those that are registered may be those of now, and not of then."""
        return self.table if self._scope or self._argument else self._registered

    def only(self, names: Iterable[str]) -> Snapshot:
        """As this one, of the registered names only these."""
        kept = {name: self._of_process(name) for name in names}
        registered = {name: each for name, each in kept.items() if each is not _MISSING}
        return Snapshot(self._scope, registered, self._argument)

    def _of_process(self, name: str) -> object:
        return self._asked.setdefault(name, self._registered.get(name, _MISSING))

    def __getitem__(self, name: str) -> object:
        found = self._scope.get(name, _MISSING)
        if found is _MISSING:
            found = self._of_process(name)
        return self._argument[name] if found is _MISSING else found

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __len__(self) -> int:
        return len(self.table)


def snapshot(custom_objects: _Names | None = None, *, whole: bool = True) -> Snapshot:
    """All custom names that are known here and now; the caller's argument comes last.

    Those that are registered are copied later, if ever, where the `whole` is not wanted.

    >>> names = snapshot({"size": len})
    >>> names["size"] is len, str(names.origin("size"))
    (True, 'argument')
    """
    names = Snapshot(_scope(), _store()[0], custom_objects or _NOTHING)
    if whole:
        _ = names.table
    return names
