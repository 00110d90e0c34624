"""What a policy says, as immutable values. Reading TOML is elsewhere; judging is, too."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from secure_serial.limits import Limits

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.plan.fields import Field, Kind


class Effect(StrEnum):
    """What a rule does. A deny always beats an allow."""

    ALLOW = "allow"
    DENY = "deny"


class CallerObjects(StrEnum):
    """Whether objects that the program itself registered or passed must be named."""

    ALLOW = "allow"  # the program vouches for them
    LISTED = "listed"  # only those that a rule allows


class AuditDemand(StrEnum):
    """Whether a load needs a durable log."""

    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Constraint:
    """What one argument must be for a rule to match. Absent conditions hold."""

    argument: str
    types: frozenset[str] = frozenset()
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    one_of: tuple[Json, ...] | None = None
    path: bool = False  # permits what looks like a path or URL (SS320) in this argument


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[allow]]` or `[[deny]]` table. Every condition that is given must hold."""

    id: str
    effect: Effect
    source: str  # the file it stands in
    line: int
    symbols: tuple[str, ...] = ()  # canonical names, `*` for one segment, `**` for the rest
    registered: tuple[str, ...] = ()  # package>name, `*` for either side
    kinds: frozenset[Kind] = frozenset()
    fields: frozenset[Field] = frozenset()
    arguments: tuple[Constraint, ...] = ()
    reason: str = ""

    @property
    def place(self) -> str:
        """Where to find it, `file:line`."""
        return f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Policy:
    """An allowlist: what may be built, from which arguments, within which limits.

    Make one with `Policy.load` (a shipped name or a path) or `Policy.parse` (TOML text),
    in `secure_serial.policy`.
    """

    name: str
    source: str
    sha256: str
    version: int = 1
    rules: tuple[Rule, ...] = ()
    limits: Limits = field(default_factory=Limits)
    caller_objects: CallerObjects = CallerObjects.LISTED
    audit: AuditDemand = AuditDemand.OPTIONAL
    extends: tuple[str, ...] = ()
