"""Whether what was found on a class's source still speaks of that source. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secure_serial.policy.model import Evidence


class Standing(StrEnum):
    """What an entry's evidence is worth today."""

    GOOD = "good"
    STALE = "stale"  # the source has changed since, or cannot be read
    MISSING = "missing"


def standing(evidence: Evidence | None, source_sha256: str) -> Standing:
    """What evidence is worth, given the digest of the source as it is today.

    Args:
        evidence: Of a policy's entry, if it has any.
        source_sha256: As `construct.owners.owner_of` tells it; empty where nobody can.

    >>> standing(None, "ab" * 32)
    <Standing.MISSING: 'missing'>

    """
    if evidence is None:
        return Standing.MISSING
    same = bool(source_sha256) and evidence.source_sha256 == source_sha256
    return Standing.GOOD if same else Standing.STALE


def toml(evidence: Evidence) -> str:
    """The line of a policy that holds the evidence.

    >>> from datetime import date
    >>> from secure_serial.policy.model import Evidence
    >>> toml(Evidence("bandit 1.9.4", "ab", 2, date(2026, 11, 22)))
    'evidence = { tool = "bandit 1.9.4", source_sha256 = "ab", findings = 2, date = 2026-11-22 }'
    """
    return (
        f'evidence = {{ tool = "{evidence.tool}", source_sha256 = "{evidence.source_sha256}", '
        f"findings = {evidence.findings}, date = {evidence.date.isoformat()} }}"
    )
