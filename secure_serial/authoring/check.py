"""`policy check`: everything that is wrong with policies, or dubious, at once and with its place.

What the reader refuses comes first, then what only a look at the whole shows: by the
catalogue, by the other rules and layers, by the day and by the models it is for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.authoring import policy_file
from secure_serial.authoring.check_arguments import check_arguments
from secure_serial.authoring.check_conditions import check_conditions
from secure_serial.authoring.check_models import check_models, meet
from secure_serial.authoring.check_names import check_names
from secure_serial.authoring.check_relations import check_layers, check_relations
from secure_serial.authoring.check_settings import (
    check_evidence,
    check_settings,
    check_tests,
    check_waivers,
)
from secure_serial.authoring.checked import Checked
from secure_serial.authoring.finding import Finding, Severity, of_problems
from secure_serial.authoring.known import Known
from secure_serial.data import catalogue, policy_text
from secure_serial.errors import InvalidPolicy
from secure_serial.policy.reader import examine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from secure_serial.artifact.document import Json
    from secure_serial.authoring.policy_file import PolicyFile

#: How `tomllib` tells where it stopped.
_STOPPED = re.compile(r" \(at line (\d+), column (\d+)\)$")


class Report(NamedTuple):
    """What was checked, and what was found, in the order of the files."""

    files: tuple[str, ...]
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """How many findings are this bad.

        >>> Report(("acme.toml",), ()).count(Severity.ERROR)
        0
        """
        return sum(finding.severity is severity for finding in self.findings)


def check(
    given: Sequence[str],
    today: date,
    *,
    catalogues: Sequence[Json] = (),
    models: Sequence[str] = (),
) -> Report:
    """Everything that is wrong with policies, or dubious.

    Args:
        given: Shipped names or paths; several are layers, the first on top.
        today: The day to judge what expires by.
        catalogues: Parsed files, as `secure-serial policy catalogue` writes them.
        models: Files and folders; then rules that decide nothing in them are found, too.

    Raises:
        InvalidPolicy: a file cannot be read at all, or a catalogue cannot be used.

    >>> from datetime import date
    >>> check(["keras-core", "strict"], date(2027, 1, 1)).count(Severity.ERROR)
    0

    """
    known = Known(catalogue(), catalogues)
    files = [policy_file.read(each) for each in given]
    findings: list[Finding] = []
    stack: list[Checked] = []
    for file in files:
        try:
            policy, problems = examine(file.text, file.source, policy_text)
        except InvalidPolicy as error:
            findings.append(_not_toml(error, file))
            continue
        findings += of_problems(problems, file)
        stack.append(Checked(file, policy, problems, tuple(stack)))
    met = meet(stack, models) if models and not findings else None
    for checked in stack:
        findings += _one(checked, known, today)
        findings += check_arguments(checked, known, met)
        if len(stack) == len(files):
            findings += check_layers(checked)
    if met is not None:
        findings += check_models(stack, met)
    order = {file.source: number for number, file in enumerate(files)}
    findings.sort(key=lambda f: (order.get(f.source, len(order)), f.line, f.column))
    return Report(tuple(file.source for file in files), tuple(dict.fromkeys(findings)))


def _one(checked: Checked, known: Known, today: date) -> Iterator[Finding]:
    yield from check_settings(checked, today)
    yield from check_waivers(checked, today)
    yield from check_evidence(checked)
    yield from check_tests(checked)
    yield from check_names(checked, known)
    yield from check_conditions(checked, known)
    yield from check_relations(checked, known)


def _not_toml(error: InvalidPolicy, file: PolicyFile) -> Finding:
    """The one thing that is wrong with what is no TOML, where the parser stopped."""
    stopped = _STOPPED.search(error.message)
    if stopped is None:
        line = file.text.count("\n") + 1 if error.message.endswith("(at end of document)") else 0
        return Finding("not-toml", error.message, file.source, line, 1 if line else 0)
    message = error.message[: stopped.start()]
    return Finding("not-toml", message, file.source, int(stopped[1]), int(stopped[2]))
