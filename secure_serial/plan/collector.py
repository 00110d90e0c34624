"""Where a walk writes down what it found, in document order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.plan.path import Path, pointer
from secure_serial.plan.request import Action, Objection, Origin, Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from secure_serial.artifact.document import Json
    from secure_serial.plan.catalogue import FieldSpec
    from secure_serial.plan.fields import Kind
    from secure_serial.plan.names import Resolution
    from secure_serial.plan.owner import Owner

#: One request is refused for one reason; a million of them would only cost memory.
_ENOUGH_OBJECTIONS = 20
#: A policy may permit paths in some arguments, so that of every code and argument one is
#: kept, up to this many in all; what comes then is kept once and cannot be permitted.
_AT_MOST = 200


class Visit(NamedTuple):
    """A value that is still to be looked at, and where it stands."""

    value: Json
    path: Path
    spec: FieldSpec
    depth: int
    argument: str = ""  # the argument of the enclosing class, for policies to name
    owner: int = -1  # the request whose argument this is, by its place in the list
    times: int = 1  # how often what stands here is called: a model's calls are its layers'

    def objection(self, code: str, detail: str) -> Objection:
        """Something wrong with this value."""
        return Objection(code, detail, pointer(self.path), self.argument)


class Collector:
    """The requests and objections of one part of a document."""

    def __init__(self, member: str, keras: Owner) -> None:
        self._member = member
        self._keras = keras
        self._kinds: dict[int, set[tuple[str, str]]] = {}
        self.requests: list[Request] = []
        self.objections: list[Objection] = []

    def request(
        self,
        visit: Visit,
        action: Action,
        resolution: Resolution,
        written: str,
        *,
        objections: Sequence[Objection] = (),
        notes: Sequence[str] = (),
        arguments: Mapping[str, Json] | None = None,
        allocation: int = 0,
    ) -> Request:
        """Write down a request that the value of `visit` makes."""
        entry = resolution.entry
        name = arguments.get("name") if arguments is not None else None
        owner = len(self.requests)
        kept: tuple[Objection, ...] = ()
        for objection in objections:
            kept = self._kept(owner, kept, objection)
        request = Request(  # in their order, which is quicker than by their names
            self._member,
            pointer(visit.path),
            visit.spec.field,
            action,
            resolution.symbol,
            _kind(resolution),
            resolution.origin,
            written,
            name if isinstance(name, str) else "",
            entry.effects if entry is not None else (),
            kept,
            tuple(notes),
            arguments,
            allocation,
            visit.depth,
            self._owner(resolution),
            resolution.digest,
        )
        self.requests.append(request)
        return request

    def _owner(self, resolution: Resolution) -> Owner | None:
        if resolution.caller is not None:
            return resolution.caller.owner
        return self._keras if resolution.origin is Origin.KERAS else None

    def refuse(self, visit: Visit, code: str, detail: str) -> None:
        """An objection to a value, put to the request whose argument it is."""
        objection = visit.objection(code, detail)
        if visit.owner < 0:
            self.objections.append(objection)
            return
        request = self.requests[visit.owner]
        kept = self._kept(visit.owner, request.objections, objection)
        if kept is not request.objections:
            self.requests[visit.owner] = request._replace(objections=kept)

    def _kept(
        self, owner: int, before: tuple[Objection, ...], new: Objection
    ) -> tuple[Objection, ...]:
        """The objections to one request with one more, unless it says nothing new."""
        kinds = self._kinds.setdefault(owner, set())
        kind = (new.code, new.argument)
        count = len(before)
        if count > _AT_MOST or (count >= _ENOUGH_OBJECTIONS and kind in kinds):
            return before
        kinds.add(kind)
        return (*before, new if count < _AT_MOST else new._replace(argument=""))


def _kind(resolution: Resolution) -> Kind | None:
    if resolution.entry is not None:
        return resolution.entry.kind
    return resolution.caller.kind if resolution.caller is not None else None
