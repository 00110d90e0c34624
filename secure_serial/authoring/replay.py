"""Decisions made again from their records: under the same policy to audit it, or another to try it.

A record holds all that its policy looked at. Another policy may look at an argument that was
not recorded, and one that is too long is recorded by its digest alone: what then cannot be
told is said so, and never guessed. Limits are not replayed, for a record holds no file.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple, cast

from secure_serial.artifact.document import Document, Format
from secure_serial.errors import MalformedArtifact
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.owner import Owner
from secure_serial.plan.request import Action, Objection, Origin, Plan, Request
from secure_serial.policy.conditions import Context, context_of
from secure_serial.policy.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.policy.engine import Decision
    from secure_serial.policy.model import Policy

_SHA256 = 64
#: What reading something else than a record runs into.
_UNLIKE = (AttributeError, LookupError, TypeError, ValueError, OverflowError)


class Outcome(NamedTuple):
    """What became of a request, and who made it so."""

    effect: str
    code: str
    rules: frozenset[str]
    layer: str
    lifted: str


class Difference(NamedTuple):
    """A decision that is another one today; `now` is None where that cannot be told."""

    request: Request
    was: Outcome
    now: Outcome | None
    why: str = ""


def replay(record: Mapping[str, Json], policy: Policy) -> tuple[Difference, ...]:
    """Every decision of a record that this policy would not have made so, on that day.

    Args:
        record: The parsed record of a decision, from an audit log.
        policy: The policy to decide by; the record's own should differ in nothing.

    Raises:
        MalformedArtifact: it is no record of decisions.

    >>> from secure_serial.policy.source import load_policy
    >>> record = {"event": "decision", "time": "2026-11-22T12:00:00.000Z", "keras": "3.15.1",
    ...     "decisions": [{"symbol": "keras.layers.Dense", "kind": "layer", "origin": "keras",
    ...                    "field": "layer", "action": "construct", "effect": "deny",
    ...                    "code": "SS301", "rules": ["builtin:default"]}]}
    >>> [now.effect for request, was, now, why in replay(record, load_policy("keras-core"))]
    ['allow']

    """
    try:
        return _replayed(record, policy)
    except _UNLIKE as error:
        raise MalformedArtifact(f"no record of decisions: {type(error).__name__}") from None


def asked_for(record: Mapping[str, Json]) -> tuple[tuple[Request, ...], Context]:
    """The requests that a record is about, and what they have in common.

    Raises:
        MalformedArtifact: it is no record of decisions.

    """
    try:
        return _restored(record)
    except _UNLIKE as error:
        raise MalformedArtifact(f"no record of decisions: {type(error).__name__}") from None


def _restored(record: Mapping[str, Json]) -> tuple[tuple[Request, ...], Context]:
    if record["event"] not in ("decision", "resolution"):
        raise ValueError("another event")
    rows = cast("list[dict[str, Json]]", record["decisions"])
    requests = tuple([_request(row, str(record.get("keras") or "")) for row in rows])
    return requests, _context(record, requests)


def _replayed(record: Mapping[str, Json], policy: Policy) -> tuple[Difference, ...]:
    rows = cast("list[dict[str, Json]]", record["decisions"])
    requests, context = _restored(record)
    engine = Engine(policy, _today(record))
    same = _digests(record) == [layer.sha256 for layer in policy.layers]
    found = []
    for row, request in zip(rows, requests, strict=True):
        was, decision = _recorded(row), engine.decide(request, context)
        untold = [name for name in decision.looked_at if not _told(row, name, whole=same)]
        if untold:
            why = f"the record does not hold the argument {untold[0]!r:.80} in full"
            found.append(Difference(request, was, None, why))
        elif outcome(decision) != was:
            found.append(Difference(request, was, outcome(decision), decision.reason))
    return tuple(found)


def outcome(decision: Decision) -> Outcome:
    """A decision without its wording."""
    return Outcome(
        decision.effect.value,
        decision.code,
        frozenset(decision.rules),
        decision.layer,
        decision.lifted.value,
    )


def _recorded(row: Mapping[str, Json]) -> Outcome:
    return Outcome(
        str(row["effect"]),
        str(row.get("code", "")),
        frozenset(cast("list[str]", row["rules"])),
        str(row.get("layer", "")),
        str(row.get("lifted", "")),
    )


def _told(row: Mapping[str, Json], name: str, *, whole: bool) -> bool:
    """Whether the record says what an argument was, be it that the file did not give it."""
    arguments = cast("dict[str, Json]", row.get("arguments", {}))
    if name not in arguments:
        return whole or name in cast("list[str]", row.get("looked_at", []))
    value = arguments[name]
    by_digest = isinstance(value, dict) and value.keys() == {"sha256"}
    return not by_digest or len(str(cast("dict[str, Json]", value)["sha256"])) != _SHA256


def _digests(record: Mapping[str, Json]) -> list[Json]:
    layers = cast("list[dict[str, Json]]", record.get("layers", []))
    return [layer["sha256"] for layer in layers]


def _today(record: Mapping[str, Json]) -> date | None:
    """The day of the decision; a record without one was made on the day it was written."""
    day = record.get("today", str(record["time"])[:10])
    return date.fromisoformat(str(day)) if day is not None else None


def _context(record: Mapping[str, Json], requests: tuple[Request, ...]) -> Context:
    subject = cast("dict[str, Json] | None", record.get("subject"))
    if subject is None:  # a name that a program resolved by itself
        return Context()
    document = Document(
        str(subject["name"]),
        Format(str(subject["format"])),
        str(subject["judged_sha256"]),
        parts=(),
    )
    file_sha256 = subject["file_sha256"]
    return context_of(
        Plan(document, requests), str(file_sha256) if file_sha256 is not None else None
    )


def _request(row: Mapping[str, Json], keras: str) -> Request:
    """The request as rules see it; what is for people alone is not recorded for each."""
    origin = Origin(str(row["origin"]))
    kind = row["kind"]
    objections = cast("list[dict[str, str]]", row.get("objections", []))
    return Request(
        member=str(row.get("member", "")),
        pointer=str(row.get("pointer", "")),
        field=Field(str(row["field"])),
        action=Action(str(row["action"])),
        symbol=str(row["symbol"]),
        kind=Kind(str(kind)) if kind is not None else None,
        origin=origin,
        written=str(row.get("written", row["symbol"])),
        effects=tuple(cast("list[str]", row.get("effects", []))),
        objections=tuple([Objection(o["code"], "", "", o["argument"]) for o in objections]),
        arguments=cast("dict[str, Json]", row.get("arguments", {})),
        allocation=int(cast("int", row.get("allocation", 0))),
        owner=_owner(row, origin, keras),
        digest=str(row.get("digest", "")),
    )


def _owner(row: Mapping[str, Json], origin: Origin, keras: str) -> Owner | None:
    if origin is Origin.KERAS:
        return Owner("keras", keras) if keras else None
    owner = cast("list[str]", row.get("owner", []))
    return Owner(*owner) if owner else None
