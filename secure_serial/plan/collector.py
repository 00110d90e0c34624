"""Where a walk writes down what it found, in document order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.plan.path import Path, pointer
from secure_serial.plan.request import Action, Objection, Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from secure_serial.artifact.document import Json
    from secure_serial.plan.catalogue import FieldSpec
    from secure_serial.plan.names import Resolution

#: One request is refused for one reason; a million of them would only cost memory.
_ENOUGH_OBJECTIONS = 20


class Visit(NamedTuple):
    """A value that is still to be looked at, and where it stands."""

    value: Json
    path: Path
    spec: FieldSpec
    depth: int
    argument: str = ""  # the argument of the enclosing class, for policies to name
    owner: int = -1  # the request whose argument this is, by its place in the list

    def objection(self, code: str, detail: str) -> Objection:
        """Something wrong with this value."""
        return Objection(code, detail, pointer(self.path), self.argument)


class Collector:
    """The requests and objections of one part of a document."""

    def __init__(self, member: str) -> None:
        self._member = member
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
    ) -> None:
        """Write down a request that the value of `visit` makes."""
        entry = resolution.entry
        name = arguments.get("name") if arguments is not None else None
        self.requests.append(
            Request(
                member=self._member,
                pointer=pointer(visit.path),
                field=visit.spec.field,
                action=action,
                symbol=resolution.symbol,
                kind=entry.kind if entry is not None else None,
                origin=resolution.origin,
                written=written,
                name=name if isinstance(name, str) else "",
                effects=entry.effects if entry is not None else (),
                objections=tuple(objections[:_ENOUGH_OBJECTIONS]),
                notes=tuple(notes),
                arguments=arguments,
                allocation=allocation,
                depth=visit.depth,
            )
        )

    def refuse(self, visit: Visit, code: str, detail: str) -> None:
        """An objection to a value, put to the request whose argument it is."""
        objection = visit.objection(code, detail)
        if visit.owner < 0:
            self.objections.append(objection)
            return
        request = self.requests[visit.owner]
        if len(request.objections) < _ENOUGH_OBJECTIONS:
            changed = request._replace(objections=(*request.objections, objection))
            self.requests[visit.owner] = changed
