"""What is wrong with a node by its names and its place alone, whatever its arguments. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.plan.fields import ACCEPTS
from secure_serial.plan.names import Resolution, accepted
from secure_serial.plan.request import Objection, Origin

if TYPE_CHECKING:
    from secure_serial.plan.collector import Visit


def wrong_with(resolution: Resolution, visit: Visit) -> list[Objection]:
    """What is wrong with the names of a node, and with its standing where it does."""
    found = []
    if resolution.code:
        found.append(visit.objection(resolution.code, resolution.problem))
    return found + misplaced(resolution, visit)


def misplaced(resolution: Resolution, visit: Visit) -> list[Objection]:
    """What is wrong with a thing of this kind standing in this field."""
    field = visit.spec.field
    kinds = ACCEPTS.get(field)
    if resolution.symbol in visit.spec.also and resolution.origin is Origin.KERAS:
        return []
    if kinds is None:
        text = f"{resolution.symbol} in a field that holds {field}, where no object may stand"
        return [visit.objection("SS313", text)]
    if accepted(resolution, kinds):
        return []
    kind = resolution.entry.kind if resolution.entry is not None else "another kind"
    wanted = " or ".join(sorted(kinds))
    text = f"{resolution.symbol} ({kind}) in a field that holds {field}: it takes {wanted}"
    return [visit.objection("SS311", text)]
