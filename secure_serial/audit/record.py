"""What a log says of a load: one record with every decision, and one with the outcome.

Records are plain JSON objects. `schema` is their version; a reader skips keys it does not
know, and a key never changes its meaning. Everything that is not the decision itself (the
clock, the process, the id) is passed in.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, TypeAlias

from secure_serial.plan.request import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secure_serial.policy.engine import Decision, Verdict
    from secure_serial.policy.model import Policy

SCHEMA = 1
#: Of one argument, as JSON; what rules look at is numbers, names and shapes.
_ARGUMENT_CHARS = 4096
Record: TypeAlias = "dict[str, object]"


def decision_record(verdict: Verdict, *, load: str, time: str, action: str) -> Record:
    """The record that is written before anything is built.

    Args:
        verdict: What was decided.
        load: An id that joins this record and the outcome's.
        time: RFC 3339, UTC.
        action: "load", "deserialize", "migrate" or "scan".

    """
    document, policy = verdict.plan.document, verdict.policy
    today = verdict.today.isoformat() if verdict.today is not None else None
    return {
        "schema": SCHEMA,
        "event": "decision",
        "load": load,
        "time": time,
        "action": action,
        "subject": {
            "name": document.name,
            "format": document.format.value,
            "judged_sha256": document.judged_sha256,
            "file_sha256": verdict.file_sha256,
            "size": document.size,
        },
        "policy": {"name": policy.name, "version": policy.version, "sha256": policy.sha256},
        "layers": [
            {"source": layer.source, "version": layer.version, "sha256": layer.sha256}
            for layer in policy.layers
        ],
        "today": today,
        "keras": _keras(verdict),
        "effect": "allow" if verdict.allowed else "deny",
        "decisions": [_decision(decision) for decision in verdict.decisions],
        "objections": [
            {"code": o.code, "detail": o.detail, "pointer": o.pointer} for o in verdict.objections
        ],
    }


def outcome_record(
    *, load: str, time: str, outcome: str, error: str = "", refused: Sequence[Record] = ()
) -> Record:
    """The record of what became of a load.

    Args:
        load: The id of the decision record.
        time: RFC 3339, UTC.
        outcome: "built", "denied" (nothing was built) or "failed" (building ended in an error).
        error: The error's class and message.
        refused: Resolutions that the plan did not hold and that were refused while building.

    """
    return {
        "schema": SCHEMA,
        "event": "outcome",
        "load": load,
        "time": time,
        "outcome": outcome,
        "error": error,
        "refused": list(refused),
    }


def tripwire_record(*, load: str, time: str, announced: str, detail: str, caller: str) -> Record:
    """The record of something that building made the interpreter do, and that was refused.

    Args:
        load: The id of the decision record.
        time: RFC 3339, UTC.
        announced: Python's name of the audit event.
        detail: Its arguments, cut.
        caller: The module whose code it was.

    """
    return {
        "schema": SCHEMA,
        "event": "tripwire",
        "load": load,
        "time": time,
        "announced": announced,
        "detail": detail,
        "caller": caller,
        "effect": "deny",
        "code": "SS350",
    }


def resolution_record(decision: Decision, *, load: str, time: str, policy: Policy) -> Record:
    """The record of a name that a program resolved by itself while a policy was in force.

    Args:
        decision: What was decided.
        load: An id of its own.
        time: RFC 3339, UTC.
        policy: What decided.

    """
    return {
        "schema": SCHEMA,
        "event": "resolution",
        "load": load,
        "time": time,
        "policy": {"name": policy.name, "version": policy.version, "sha256": policy.sha256},
        "effect": decision.effect.value,
        "decisions": [_decision(decision)],
    }


def _decision(decision: Decision) -> Record:
    """One decision with what it rests on, so that it can be made again from the record."""
    request = decision.request
    record: Record = {
        "member": request.member,
        "pointer": request.pointer,
        "field": request.field.value,
        "action": request.action.value,
        "symbol": request.symbol,
        "kind": request.kind.value if request.kind is not None else None,
        "origin": request.origin.value,
        "effect": decision.effect.value,
        "rules": list(decision.rules),
    }
    if not decision.allowed or decision.lifted:
        record["code"] = decision.code
        record["reason"] = decision.reason
        record["written"] = request.written
        if decision.near:
            record["near"] = decision.near
    record.update(_rests_on(decision))
    return record


def _keras(verdict: Verdict) -> str:
    """The version of Keras that Keras's own symbols were judged as; empty without any."""
    requests = verdict.plan.requests
    owners = (r.owner for r in requests if r.origin is Origin.KERAS and r.owner is not None)
    return next((owner.version for owner in owners), "")


def _rests_on(decision: Decision) -> Record:
    """What else a rule may have looked at; left out where there is nothing."""
    request = decision.request
    arguments = request.arguments or {}
    more: Record = {
        "layer": decision.layer,
        "lifted": decision.lifted.value,
        "effects": list(request.effects),
        "objections": [{"code": o.code, "argument": o.argument} for o in request.objections],
        "allocation": request.allocation,
        "digest": request.digest,
        "owner": list(request.owner or ()) if request.origin is not Origin.KERAS else None,
        "arguments": {
            name: _short(arguments[name]) for name in decision.looked_at if name in arguments
        },
    }
    return {key: value for key, value in more.items() if value}


def _short(value: object) -> object:
    """An argument as JSON has it; what JSON has not, or is too long, by the digest of its text."""
    try:
        text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError):  # NaN, or what only a passed value can hold
        text = ""
    if text and len(text) <= _ARGUMENT_CHARS:
        return json.loads(text)
    return {"sha256": hashlib.sha256((text or repr(value)).encode()).hexdigest()}
