"""Looks over the source of one's own classes with bandit, without importing it.

What is looked over is what the digest covers: the whole package that a class stands in. The
source cannot change how: comments that silence bandit are not heeded, and no settings of the
package's are read.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.construct.sources import UnknownSourceError, digest_of, files_of, unit_of
from secure_serial.plan.foreign import is_taken
from secure_serial.policy.model import Effect, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from secure_serial.construct.sources import Unit
    from secure_serial.policy.model import Policy, Rule

#: The gravest first.
SEVERITIES = ("high", "medium", "low")


class Issue(NamedTuple):
    """One thing that bandit found."""

    path: str  # below the folder that the package is imported from
    line: int
    severity: str
    confidence: str
    test: str  # bandit's code, such as B301
    text: str


class Vetted(NamedTuple):
    """What came of looking over one package. Without evidence, it was not all looked at."""

    unit: Unit
    files: int
    issues: tuple[Issue, ...]
    unread: tuple[tuple[str, str], ...]  # path and reason
    evidence: Evidence | None

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        counted = Counter(issue.severity for issue in self.issues)
        return {severity: counted[severity] for severity in SEVERITIES}


def vet(unit: Unit, today: date) -> Vetted:
    """Look over one package.

    Args:
        unit: Its source.
        today: The date that the evidence is to bear.

    Raises:
        ImportError: bandit is not installed.
        UnknownSourceError: the source cannot be read, or changed meanwhile.

    """
    from bandit import __version__
    from bandit.core.config import BanditConfig
    from bandit.core.manager import BanditManager

    before = digest_of(unit)
    paths = files_of(unit)
    manager = BanditManager(BanditConfig(), "file", quiet=True, ignore_nosec=True)
    manager.files_list = [str(Path(unit.root, p)) for p in paths if p.endswith(".py")]
    with _silent(logging.getLogger("bandit")):  # what it skips is told below
        manager.run_tests()
    if digest_of(unit) != before:
        raise UnknownSourceError(f"{unit.top} changed while it was looked over")
    issues = tuple(sorted((_issue(found, unit) for found in manager.get_issue_list()), key=_grave))
    unread = [(_below(name, unit), str(why)) for name, why in manager.get_skipped()]
    unread += [(path, "compiled") for path in paths if not path.endswith(".py")]
    evidence = Evidence(f"bandit {__version__}", before, len(issues), today)
    return Vetted(unit, len(paths), issues, tuple(sorted(unread)), None if unread else evidence)


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def rules_by_unit(policy: Policy) -> tuple[dict[Unit, list[Rule]], list[Rule]]:
    """The allow rules on classes that are not Keras's, by the package that they let in.

    Returns:
        The rules by package; and those whose package cannot be told: a registered name does
        not say where its class stands.

    """
    found: dict[Unit, list[Rule]] = {}
    lost: list[Rule] = []
    for layer in policy.layers:
        for rule in layer.rules:
            if rule.effect is Effect.ALLOW and _is_on_others(rule):
                units = {unit for symbol in rule.symbols if (unit := _unit_of(symbol)) is not None}
                for unit in sorted(units):
                    found.setdefault(unit, []).append(rule)
                if not units:
                    lost.append(rule)
    return found, lost


def fitting(rules: Iterable[Rule], vetted: Sequence[Vetted]) -> dict[Unit, list[Rule]]:
    """Rules on registered names, by the package that their evidence is of.

    Args:
        rules: Those whose names do not say where their classes stand.
        vetted: The packages that they may be on. What fits none of them is listed with each.

    """
    found: dict[Unit, list[Rule]] = {}
    for rule in rules:
        source = rule.evidence.source_sha256 if rule.evidence is not None else ""
        same = [v for v in vetted if v.evidence is not None and v.evidence.source_sha256 == source]
        for each in same or vetted:
            found.setdefault(each.unit, []).append(rule)
    return found


def _is_on_others(rule: Rule) -> bool:
    names = (*rule.symbols, *rule.registered)
    return any(not is_taken(name) for name in names)


def _unit_of(symbol: str) -> Unit | None:
    """The package of the longest part of a pattern that is a module."""
    parts = symbol.split(".")
    while parts and not is_taken(symbol):
        unit = unit_of(".".join(parts))
        if unit is not None:
            return unit
        parts.pop()
    return None


def _issue(found: object, unit: Unit) -> Issue:
    return Issue(
        path=_below(getattr(found, "fname", ""), unit),
        line=int(getattr(found, "lineno", 0) or 0),
        severity=_severity(getattr(found, "severity", "")),
        confidence=str(getattr(found, "confidence", "")).lower(),
        test=str(getattr(found, "test_id", "")),
        text=str(getattr(found, "text", "")),
    )


def _severity(word: str) -> str:
    """As bandit has it; one that a plugin does not tell is taken for the gravest."""
    return word.lower() if word.lower() in SEVERITIES else SEVERITIES[0]


def _grave(issue: Issue) -> tuple[int, Issue]:
    return SEVERITIES.index(issue.severity), issue


def _below(name: str, unit: Unit) -> str:
    return Path(name).relative_to(unit.root).as_posix()


def names_of(units: Iterable[Unit]) -> list[str]:
    """What people call these packages.

    >>> from secure_serial.construct.sources import Unit
    >>> names_of([Unit("/site", "acme/nn"), Unit("/site", "six.py")])
    ['acme.nn', 'six']
    """
    return [unit.top.removesuffix(".py").replace("/", ".") for unit in units]
