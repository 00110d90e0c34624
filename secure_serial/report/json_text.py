"""A report for programs: one JSON object, described in docs/report.md.

ASCII only, so that no name in it can confuse a terminal or a log. Keys may be added within
a schema version; none changes its meaning or goes away.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from secure_serial.report.model import Status

if TYPE_CHECKING:
    from secure_serial.policy.engine import Decision, Verdict
    from secure_serial.report.model import FileReport, Finding, PolicyRef, Report

SCHEMA = 1
TOOL = "secure-serial"


def dump(data: dict[str, object]) -> str:
    """The text of a report's object."""
    return json.dumps(data, indent=2, ensure_ascii=True, allow_nan=False)


def head(command: str, version: str, exit_code: int) -> dict[str, object]:
    """What every report begins with."""
    return {
        "schema": SCHEMA,
        "tool": {"name": TOOL, "version": version},
        "command": command,
        "exit_code": exit_code,
    }


def scan_object(report: Report, version: str, exit_code: int) -> dict[str, object]:
    """The object of a scan.

    >>> from secure_serial.report.model import PolicyRef, Report
    >>> scan_object(Report(PolicyRef("strict", 1, "")), "0.1.0", 3)["summary"]["scanned"]
    0
    """
    counts = {status.value.replace("-", "_"): report.tally(status) for status in Status}
    return {
        **head("scan", version, exit_code),
        "policy": policy_object(report.policy),
        "summary": {
            "scanned": report.scanned,
            **counts,
            "other": len(report.others),
            "findings": len(report.findings) + sum(file.omitted for file in report.files),
            "waived": sum(len(file.waived) for file in report.files),
            "reported": sum(len(file.reported) for file in report.files),
        },
        "files": [file_object(file) for file in report.files],
        "other": list(report.others),
    }


def policy_object(policy: PolicyRef) -> dict[str, object]:
    """Which policy judged."""
    return {"name": policy.name, "version": policy.version, "sha256": policy.sha256}


def file_object(file: FileReport) -> dict[str, object]:
    """One file of a scan."""
    return {
        "name": file.name,
        "status": file.status.value,
        "reason": file.reason,
        "format": file.format,
        "size": file.size,
        "judged_sha256": file.judged_sha256,
        "keras_version": file.keras_version,
        "requests": file.requests,
        "layers": file.layers,
        "findings": [finding_object(finding) for finding in file.findings],
        "findings_omitted": file.omitted,
        "policy_lines": file.policy_lines,
        "waived": [finding_object(finding) for finding in file.waived],
        "reported": [finding_object(finding) for finding in file.reported],
    }


def finding_object(finding: Finding) -> dict[str, object]:
    """One finding, with the slug of its rule."""
    from secure_serial.rules.catalogue import lookup

    return {
        "code": finding.code,
        "slug": lookup(finding.code).slug,
        "severity": finding.severity,
        "message": finding.message,
        "help": finding.help,
        "location": {
            "file": finding.file,
            "member": finding.member,
            "pointer": finding.pointer,
            "line": finding.line,
            "column": finding.column,
        },
        "symbol": finding.symbol,
        "policy_lines": finding.policy_lines,
        "unallowable": finding.unallowable,
    }


def plan_object(verdict: Verdict) -> dict[str, object]:
    """What a file would build, and what the policy says to each request."""
    plan = verdict.plan
    document = plan.document
    return {
        "file": {
            "name": document.name,
            "format": document.format.value,
            "size": document.size,
            "judged_sha256": document.judged_sha256,
            "keras_version": document.keras_version,
        },
        "allowed": verdict.allowed,
        "layers": plan.layers,
        "allocation": plan.allocation,
        "requests": [_request(decision) for decision in verdict.decisions],
        "objections": [
            {"code": o.code, "detail": o.detail, "pointer": o.pointer} for o in plan.objections
        ],
        "weights": [
            {"path": w.path, "shape": list(w.shape), "itemsize": w.itemsize}
            for w in document.weights
        ],
        "assets": list(document.assets),
    }


def _request(decision: Decision) -> dict[str, object]:
    request = decision.request
    return {
        "member": request.member,
        "pointer": request.pointer,
        "depth": request.depth,
        "field": request.field.value,
        "action": request.action.value,
        "symbol": request.symbol,
        "kind": None if request.kind is None else request.kind.value,
        "origin": request.origin.value,
        "name": request.name,
        "effect": decision.effect.value,
        "code": decision.code,
        "reason": decision.reason,
        "rules": list(decision.rules),
        "layer": decision.layer,
        "lifted": decision.lifted.value,
        "notes": list(request.notes),
    }
