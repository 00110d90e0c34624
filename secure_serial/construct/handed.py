"""Copies of the judged tree, for code that takes its config apart; they are known again.

What Keras's own code or a class hands back to be revived is told by its identity: a copy
that was made here was judged, and where it stood says in which field the plan saw it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from secure_serial.artifact.document import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_serial.artifact.document import Json
    from secure_serial.construct.judgement import Judgement
    from secure_serial.construct.restricted import Made
    from secure_serial.plan.fields import Field
    from secure_serial.plan.path import Path

#: Values that are handed out as they are. A text may be a function, where there are any.
_NO_TEXTS = frozenset({int, float, bool, type(None)})
_ATOMS = _NO_TEXTS | {str}


class Handed:
    """What one load has handed out.

    Args:
        judgement: What was decided, and where what it was decided on stands.
        functions: The functions that stand restricted in the place of their code.

    """

    def __init__(self, judgement: Judgement, functions: Made) -> None:
        self._judgement = judgement
        self._functions = functions
        # To ask for an identity is announced to audit hooks, which takes long, and most copies
        # are never asked about: they are told apart when the first one is.
        self._waiting: list[Json] = []
        self._nodes: list[tuple[Json, str, Path]] = []  # those of them that may be nodes
        self._known: dict[int, Json] = {}  # by id; holding them keeps the ids theirs
        self._places: dict[int, tuple[str, Path]] = {}
        self._fields: dict[int, Field] = {}  # of those that have no place

    def copy(self, value: Json, member: str = "", path: Path = None, *, whole: bool = True) -> Json:
        """A copy of a part of the judged tree. The reader bounded the depth, and the recursion.

        Functions stand in it restricted if it is `whole`.
        """
        functions = self._functions if whole and self._functions else None
        return self._copy(value, member, path, functions)

    def _copy(self, value: Json, member: str, path: Path, functions: Made | None) -> Json:
        if functions is not None:
            function = functions.at(member, path)
            if function is not None:
                return cast("Json", function)
        new: Json
        atoms = _ATOMS if functions is None else _NO_TEXTS
        if isinstance(value, dict):
            new = {
                key: item
                if type(item) in atoms
                else self._copy(item, member, (path, key), functions)
                for key, item in value.items()
            }
            if "class_name" in new or "name" in new:  # no other dict can be a node
                self._nodes.append((new, member, path))
        elif isinstance(value, LISTS):
            new = [
                item if type(item) in atoms else self._copy(item, member, (path, key), functions)
                for key, item in enumerate(value)
            ]
            if isinstance(value, tuple):
                return tuple(new)
        else:
            return value
        self._waiting.append(new)
        return new

    def adopt(self, copies: Iterable[Json], nodes: Iterable[Json], field: Field) -> None:
        """Hand out copies that were made elsewhere. Those that are nodes stand in one field."""
        self._waiting += copies
        self._fields.update((id(node), field) for node in nodes)

    def __contains__(self, value: object) -> bool:
        """Whether a dict or list is one that was handed out."""
        while self._waiting:
            new = self._waiting.pop()
            self._known[id(new)] = new
        return self._known.get(id(value)) is value

    def field_of(self, node: object, otherwise: Field) -> Field:
        """The field that the plan saw a node in, so that its names mean here what they did."""
        if node not in self:
            return otherwise
        while self._nodes:
            new, member, path = self._nodes.pop()
            self._places[id(new)] = member, path
        which = id(node)
        place = self._places.get(which)
        if place is None:
            return self._fields.get(which, otherwise)
        return self._judgement.field_at(*place) or otherwise

    def fresh(self, value: object) -> Json:
        """What of a value nobody has judged yet; None stands for what was, and for live objects."""
        if value in self:
            return None
        if isinstance(value, dict):
            return {key: self.fresh(item) for key, item in value.items() if isinstance(key, str)}
        if isinstance(value, LISTS):
            return [self.fresh(item) for item in value]
        return value if isinstance(value, str | int | float) else None
