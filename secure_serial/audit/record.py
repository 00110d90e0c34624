"""What a log says of a load: one record with every decision, and one with the outcome.

Records are plain JSON objects. `schema` is their version; a reader skips keys it does not
know, and a key never changes its meaning. Everything that is not the decision itself (the
clock, the process, the id) is passed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secure_serial.policy.engine import Decision, Verdict

SCHEMA = 1
Record: TypeAlias = "dict[str, object]"


def decision_record(
    verdict: Verdict, *, load: str, time: str, file_sha256: str | None, action: str
) -> Record:
    """The record that is written before anything is built.

    Args:
        verdict: What was decided.
        load: An id that joins this record and the outcome's.
        time: RFC 3339, UTC.
        file_sha256: The digest of the whole file where it was computed.
        action: "load", "deserialize" or "scan".

    """
    document, policy = verdict.plan.document, verdict.policy
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
            "file_sha256": file_sha256,
            "size": document.size,
        },
        "policy": {"name": policy.name, "version": policy.version, "sha256": policy.sha256},
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


def _decision(decision: Decision) -> Record:
    request = decision.request
    record: Record = {
        "member": request.member,
        "pointer": request.pointer,
        "field": request.field.value,
        "action": request.action.value,
        "symbol": request.symbol,
        "origin": request.origin.value,
        "effect": decision.effect.value,
        "rules": list(decision.rules),
    }
    if not decision.allowed:
        record["code"] = decision.code
        record["reason"] = decision.reason
        record["written"] = request.written
    return record
