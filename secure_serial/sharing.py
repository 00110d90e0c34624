"""Sharing scopes: inside one, an object that occurs twice is written, and revived, as one.

Nothing is shared outside a scope. A scope holds a reference to every object it has seen:
the marks are `id()`s, and the id of an object that is gone is given to the next one.
(Keras's own scope holds none, and so marks distinct objects as shared.)

Where Keras is loaded, its functions and ours take part in the same scope, whichever of the
two opened it. A scope belongs to the context that entered it, as a custom object scope does.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from secure_serial.loaded import keras_state, set_keras_state

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_CONFIGS_ATTRIBUTE = "shared_objects/id_to_config_map"
_OBJECTS_ATTRIBUTE = "shared_objects/id_to_obj_map"
#: Keras's map has integers for keys only, so this one is out of its way. Keeping the
#: references in the map itself lets them live exactly as long as it does.
_HELD = "secure_serial/held"

_Node = dict[str, Any]


class _Map(dict[Any, Any]):
    """A map of ours where Keras looks for its own; the type is the mark, as for scopes."""

    closed = False  # the scope it belongs to was left


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    owner: ObjectSharingScope
    outer: _Frame | None
    before: tuple[object, object]  # what Keras's state held
    configs: _Map = field(default_factory=_Map)
    objects: _Map = field(default_factory=_Map)


_current: ContextVar[_Frame | None] = ContextVar("secure_serial_sharing", default=None)


def _shared(attribute: str) -> dict[Any, Any] | None:
    """The map of the innermost scope, None outside one: Keras's own if Keras opened it."""
    seen = keras_state(attribute)
    if isinstance(seen, dict) and not isinstance(seen, _Map):
        return seen
    frame = _current.get()  # what is marked may be another task's
    if frame is None:
        return None
    return frame.configs if attribute == _CONFIGS_ATTRIBUTE else frame.objects


class ObjectSharingScope:
    """Within it, objects that occur more than once stay one object.

    Scopes nest: leaving an inner one leaves the outer one as it was.

    >>> with ObjectSharingScope():
    ...     record_revived("object", 7)
    ...     revived(7)
    'object'
    >>> revived(7) is None
    True
    """

    def __enter__(self) -> Self:
        before = keras_state(_CONFIGS_ATTRIBUTE), keras_state(_OBJECTS_ATTRIBUTE)
        frame = _Frame(self, _current.get(), before)
        _current.set(frame)
        set_keras_state(_CONFIGS_ATTRIBUTE, frame.configs)
        set_keras_state(_OBJECTS_ATTRIBUTE, frame.objects)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        frame = _current.get()
        while frame is not None and frame.owner is not self:
            _unmirror(frame)
            frame = frame.outer
        if frame is not None:
            _unmirror(frame)
            _current.set(frame.outer)


def _unmirror(frame: _Frame) -> None:
    """Take a scope's maps out of Keras's state, if they still stand there.

    What stood there before may be the maps of another task, which has left its scope since:
    those do not come back, or this thread would share for ever.
    """
    frame.configs.closed = True
    if keras_state(_CONFIGS_ATTRIBUTE) is frame.configs:
        configs, objects = frame.before
        if isinstance(configs, _Map) and configs.closed:
            configs = objects = None
        set_keras_state(_CONFIGS_ATTRIBUTE, configs)
        set_keras_state(_OBJECTS_ATTRIBUTE, objects)


def record_serialized(obj: object, node: _Node) -> None:
    """Note that `obj` was written as `node`; on the second sight mark both nodes."""
    configs = _shared(_CONFIGS_ATTRIBUTE)
    if configs is None:
        return
    configs.setdefault(_HELD, []).append(obj)
    number = id(obj)
    first = configs.setdefault(number, node)
    if first is not node:
        node["shared_object_id"] = number
        first["shared_object_id"] = number


def revived(shared_object_id: object) -> object:
    """The object that was built under this id in the current scope, else None."""
    objects = _shared(_OBJECTS_ATTRIBUTE)
    if objects is not None:
        with contextlib.suppress(TypeError):  # a list from a file: no id, so nothing shared
            return objects.get(shared_object_id)
    return None


def record_revived(obj: object, shared_object_id: object) -> None:
    """Note that `obj` was built under this id; what cannot be a key is no id."""
    objects = _shared(_OBJECTS_ATTRIBUTE)
    if objects is not None:
        with contextlib.suppress(TypeError):
            objects[shared_object_id] = obj
