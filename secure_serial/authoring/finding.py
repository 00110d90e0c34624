"""What `policy check` finds: every kind of problem by a short name that stays."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.policy.reader import located

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_serial.authoring.policy_file import PolicyFile
    from secure_serial.policy.reading import Path, Problem


class Severity(StrEnum):
    """How bad a problem is."""

    ERROR = "error"  # refused by the reader, or certainly not what its author means
    WARNING = "warning"  # it works, and is needless or dangerous


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
#: Every slug with its severity and what to do. docs/policy-tools.md explains each.
SLUGS = {
    "not-toml": (_ERROR, "Correct the syntax; nothing else can be checked before."),
    "unknown-key": (_ERROR, "Remove it, or write one that is known."),
    "wrong-type": (_ERROR, "Write a value of the type that the key takes."),
    "missing-key": (_ERROR, "Add the key."),
    "duplicate-id": (_ERROR, "Give each rule, waiver and test an id of its own."),
    "invalid-value": (_ERROR, "Write a value that the key takes; docs/policy.md lists them."),
    "unmatched-pattern": (_ERROR, "Correct the name; `secure-serial inspect` shows a file's."),
    "not-canonical": (_ERROR, "Write the canonical name: rules mean no other."),
    "foreign-name": (_WARNING, "Name the class as its own package registers it, or remove this."),
    "wide-pattern": (_WARNING, "Write the names out, or narrow it to what you have looked at."),
    "effects": (_WARNING, "Remove it; or name it without `*`, and say why in `reason`."),
    "contradiction": (_ERROR, "Correct the conditions: the rule can never match."),
    "other-version": (_WARNING, "Correct the versions in `from`, or remove the rule."),
    "unknown-argument": (_ERROR, "Correct the argument's name."),
    "argument-not-taken": (_WARNING, "Name only what takes the argument."),
    "argument-not-given": (_WARNING, "Correct the argument's name: what is not given is no bound."),
    "unverified-argument": (_WARNING, "Give its `--catalogue`, so that a slip shows."),
    "shadowed": (_WARNING, "Remove it, or narrow the deny rule: a deny always wins."),
    "redundant": (_WARNING, "Remove it: its conditions narrow nothing that the other allows."),
    "outside-delegation": (_WARNING, "Remove it, or have the layer above allow or delegate it."),
    "above-on-top": (_ERROR, "Give the files of the layers above first, or remove it."),
    "report-below": (_ERROR, "Only the first file may report instead of denying."),
    "expired-policy": (_ERROR, "Review it, and set another day; it is refused until then."),
    "report-ended": (_WARNING, "Remove `mode` and `report_until`: it is enforced already."),
    "expired-waiver": (_ERROR, "Remove it, or have somebody answer for it anew."),
    "long-waiver": (_ERROR, "Let it end sooner: it has no effect as it is."),
    "waiver-not-heeded": (
        _WARNING, "Have it stand in the layer above, or say `below = true` in its [waivers].",
    ),
    "no-evidence": (_ERROR, "Run `secure-serial policy vet` and add what it prints."),
    "stale-evidence": (_ERROR, "Look at the source anew: `secure-serial policy vet`."),
    "evidence-findings": (_WARNING, "Settle what was found, or say in `reason` why it is fine."),
    "unknown-rule": (_ERROR, "Correct the id, or remove it from the test."),
    "unused-rule": (_WARNING, "Remove it if no other model needs it."),
    "unread-model": (_WARNING, "Correct the path, or leave the file out."),
}  # fmt: skip


class Finding(NamedTuple):
    """One problem of a policy, and where. Lines and columns are 1-based; 0 where there is none."""

    slug: str
    message: str
    source: str
    line: int = 0
    column: int = 0

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return SLUGS[self.slug][0]

    @property
    def help(self) -> str:
        """What to do."""
        return SLUGS[self.slug][1]


def at(file: PolicyFile, path: Path, slug: str, message: str) -> Finding:
    """A finding on what stands at a path of keys."""
    return Finding(slug, message, file.source, *file.place(path))


def of_problems(problems: Iterable[Problem], file: PolicyFile) -> list[Finding]:
    """What the reader says of a file, as findings."""
    found = located(problems, file.text, file.source)
    return [Finding(each.slug, each.text, each.source, each.line, each.column) for each in found]
