"""What a policy says, as immutable values. Reading TOML is elsewhere; judging is, too."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.lazy import lazy
from secure_serial.limits import Limits, least
from secure_serial.sandbox.allowance import Allowance, Wall, tightest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from packaging.specifiers import SpecifierSet

    from secure_serial.artifact.document import Format, Json
    from secure_serial.plan.fields import Field, Kind
    from secure_serial.policy.signing.trust import Trust


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


class Lambdas(StrEnum):
    """What becomes of functions whose code stands in the file."""

    DENY = "deny"  # but for those that a rule approves, by their digests
    SANDBOX = "sandbox"  # whatever can be read and restricted runs restricted


class Evaluation(StrEnum):
    """Where restricted functions run."""

    IN_PROCESS = "in-process"
    PROCESS = "process"  # in a worker behind the walls that the system has


class Mode(StrEnum):
    """Whether what no rule allows is denied, or let pass and reported."""

    ENFORCE = "enforce"
    REPORT = "report"  # for the time in which an organisation introduces its policy


#: What a person may answer for by a waiver: a default deny, and a path where none should be.
WAIVABLE = ("SS301", "SS320")
#: The name, in `extends`, of what the layers above let pass.
ABOVE = "@above"


class Constraint(NamedTuple):
    """What one argument must be for a rule to match. Absent conditions hold."""

    argument: str
    types: frozenset[str] = frozenset()
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    one_of: tuple[Json, ...] | None = None
    path: bool = False  # permits what looks like a path or URL (SS320) in this argument
    symbols: tuple[str, ...] = ()  # patterns for the object that is nested there


class Owned(NamedTuple):
    """The distribution that must own a symbol, and its versions (PEP 440)."""

    distribution: str  # normalised as PEP 503 has it
    versions: SpecifierSet


class Evidence(NamedTuple):
    """What was found when the source of a class was looked over."""

    tool: str
    source_sha256: str
    findings: int
    date: date


class Rule(NamedTuple):
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
    allocation: Constraint | None = None  # bytes of variables
    owner: Owned | None = None
    sha256: frozenset[str] = frozenset()  # of the artefact
    formats: frozenset[Format] = frozenset()
    lambdas: frozenset[str] = frozenset()  # digests of normalised trees
    evidence: Evidence | None = None
    reason: str = ""

    @property
    def place(self) -> str:
        """Where to find it, `file:line`."""
        return f"{self.source}:{self.line}"

    @property
    def on_names_alone(self) -> bool:
        """Whether its verdict hangs on the symbol, its kind and its field alone."""
        return not (
            self.arguments
            or self.allocation
            or self.owner
            or self.sha256
            or self.formats
            or self.lambdas
            or self.evidence
        )


class Waiver(NamedTuple):
    """A named person's answer for something that is denied by default, for a time."""

    id: str
    source: str
    line: int
    who: str
    reason: str
    expires: date
    symbols: tuple[str, ...] = ()
    registered: tuple[str, ...] = ()
    sha256: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset({"SS301"})

    @property
    def place(self) -> str:
        """Where to find it, `file:line`."""
        return f"{self.source}:{self.line}"


class WaiverTerms(NamedTuple):
    """What an organisation lets waivers do."""

    max_days: int = 366  # how far ahead one may expire
    below: bool = False  # whether layers below may waive what this layer denies by default


@dataclass(frozen=True)
class Sandbox:
    """How restricted functions run."""

    evaluation: Evaluation = Evaluation.IN_PROCESS
    demand: frozenset[Wall] = frozenset()  # walls without which nothing runs
    allowance: Allowance = field(default_factory=Allowance)


@dataclass(frozen=True)
class Policy:
    """An allowlist: what may be built, from which arguments, within which limits.

    Make one with `load_policy` (a shipped name, a path, or several for a stack of layers)
    or `parse_policy` (TOML text). The layers below it narrow it; `limits` and `audit` are
    those of the whole stack.
    """

    name: str
    source: str
    sha256: str
    version: int = 1
    rules: tuple[Rule, ...] = ()
    limits: Limits = field(default_factory=Limits)
    caller_objects: CallerObjects = CallerObjects.LISTED
    audit: AuditDemand = AuditDemand.OPTIONAL
    lambdas: Lambdas = Lambdas.DENY
    sandbox: Sandbox = field(default_factory=Sandbox)
    #: The settings that the file itself has, none of a policy that it extends: what it says there
    #: holds against the layers above, too.
    said: frozenset[str] = frozenset()
    extends: tuple[str, ...] = ()
    expires: date | None = None
    mode: Mode = Mode.ENFORCE
    report_until: date | None = None
    delegate: tuple[str, ...] = ()
    require_evidence: bool = False
    waivers: tuple[Waiver, ...] = ()
    waiver_terms: WaiverTerms = field(default_factory=WaiverTerms)
    trust: Trust | None = None  # demanded of the files of the layers below
    below: tuple[Policy, ...] = ()

    @property
    def layers(self) -> tuple[Policy, ...]:
        """Every layer, the first file's on top."""
        return (self, *self.below)

    @property
    def inherits(self) -> bool:
        """Whether, as a layer below others, it lets pass what they do."""
        return ABOVE in self.extends

    @lazy
    def digests_matter(self) -> bool:
        """Whether a rule or a waiver asks for the digest of the artefact."""
        rules = (rule.sha256 for layer in self.layers for rule in layer.rules)
        waivers = (waiver.sha256 for layer in self.layers for waiver in layer.waivers)
        return any(rules) or any(waivers)

    @lazy
    def owners_matter(self) -> bool:
        """Whether a rule asks whose a class is."""
        rules = (rule.owner for layer in self.layers for rule in layer.rules)
        return self.sources_matter or any(owner is not None for owner in rules)

    @property
    def sources_matter(self) -> bool:
        """Whether an allow counts only for the very source that was looked over."""
        return any(layer.require_evidence for layer in self.layers)

    def over(self, *lower: Policy) -> Policy:
        """The stack of this with layers below it, which narrow it where it does not delegate.

        Limits are the least of all, and a log is required if one of them requires it. What is
        restricted runs in the strictest way that one of them asks for.
        """
        if not lower:
            return self
        below = (*self.below, *(layer for each in lower for layer in each.layers))
        layers = (self, *below)
        required = any(layer.audit is AuditDemand.REQUIRED for layer in layers)
        return replace(
            self,
            below=below,
            limits=least([layer.limits for layer in layers]),
            audit=AuditDemand.REQUIRED if required else AuditDemand.OPTIONAL,
            sandbox=strictest([layer.sandbox for layer in layers]),
            sha256=sha256("".join(layer.sha256 for layer in layers).encode()).hexdigest(),
        )


def strictest(several: Sequence[Sandbox]) -> Sandbox:
    """Every wall and the worker that one of them demands, and the least of each bound."""
    apart = any(each.evaluation is Evaluation.PROCESS for each in several)
    return Sandbox(
        Evaluation.PROCESS if apart else Evaluation.IN_PROCESS,
        frozenset().union(*(each.demand for each in several)),
        tightest([each.allowance for each in several]),
    )
