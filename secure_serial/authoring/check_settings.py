"""Days that are past, evidence that is not there, and settings in a layer that cannot have them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from secure_serial.authoring.cases import examine_tests
from secure_serial.authoring.evidence import Standing, standing
from secure_serial.authoring.finding import of_problems
from secure_serial.authoring.known import head
from secure_serial.policy.conditions import KERAS
from secure_serial.policy.model import ABOVE, Effect, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from secure_serial.authoring.checked import Checked
    from secure_serial.authoring.finding import Finding
    from secure_serial.policy.model import Rule
    from secure_serial.policy.reading import Path


def check_settings(checked: Checked, today: date) -> Iterator[Finding]:
    """What is wrong with the settings of a file, in its place and on this day."""
    policy = checked.policy
    if policy.expires is not None and policy.expires < today:
        yield checked.say(("expires",), "expired-policy", f"the policy ended on {policy.expires}")
    if policy.mode is Mode.REPORT:
        if checked.above:
            yield checked.say(("mode",), "report-below", "a lower layer cannot report instead")
        if policy.report_until is not None and policy.report_until < today:
            text = f"reporting ended on {policy.report_until}"
            yield checked.say(("report_until",), "report-ended", text)
    if policy.inherits and not checked.above:
        path = ("extends", policy.extends.index(ABOVE))
        yield checked.say(path, "above-on-top", f"nothing is above the first layer for {ABOVE}")


def check_waivers(checked: Checked, today: date) -> Iterator[Finding]:
    """Waivers that have no effect, since they have ended or reach too far ahead."""
    most = min(layer.policy.waiver_terms.max_days for layer in checked.stack)
    for waiver, path in checked.waivers:
        here = (*path, "expires")
        if waiver.expires < today:
            text = f"{waiver.id}: ended on {waiver.expires} ({waiver.who})"
            yield checked.say(here, "expired-waiver", text)
        elif waiver.expires > today + timedelta(days=most):
            begins = waiver.expires - timedelta(days=most)
            text = f"{waiver.id}: more than {most} days ahead; it would count from {begins} on"
            yield checked.say(here, "long-waiver", text)


def check_evidence(checked: Checked) -> Iterator[Finding]:
    """Own classes that are allowed without the evidence that the policy requires."""
    required = checked.policy.require_evidence
    for rule, path in checked.rules:
        if rule.effect is Effect.DENY:
            continue
        if rule.evidence is not None and rule.evidence.findings:
            text = f"{rule.id}: {rule.evidence.tool} found {rule.evidence.findings} problems"
            yield checked.say((*path, "evidence", "findings"), "evidence-findings", text)
        others = [p for p in (*rule.symbols, *rule.registered) if not _is_keras(p)]
        if not (required and others):
            continue
        if rule.evidence is None:
            text = f"{rule.id}: allows {others[0]} without evidence, so it does not count"
            yield checked.say(path, "no-evidence", text)
        else:
            yield from _stale(checked, rule, (*path, "evidence"), others)


def _stale(checked: Checked, rule: Rule, path: Path, patterns: list[str]) -> Iterator[Finding]:
    """Evidence of another source than what is installed, where that can be told by the name."""
    from secure_serial.construct.owners import owner_of

    modules = dict.fromkeys(_module(pattern) for pattern in patterns if ">" not in pattern)
    for module in modules:
        owner = owner_of(module, with_source=True)
        source = owner.source_sha256 if owner is not None else ""
        if source and standing(rule.evidence, source) is Standing.STALE:
            text = f"{rule.id}: its evidence is of another source than that of {module} here"
            yield checked.say((*path, "source_sha256"), "stale-evidence", text)


def check_tests(checked: Checked) -> Iterator[Finding]:
    """What is wrong with the `[[test]]` tables, as far as it shows without running them."""
    tests, problems = examine_tests(checked.file)
    yield from of_problems(problems, checked.file)
    ids = {rule.id for layer in checked.stack for rule in layer.policy.rules}
    ids |= {waiver.id for layer in checked.stack for waiver in layer.policy.waivers}
    for number, test in enumerate(tests):
        for item, rule in enumerate(test.rules):
            if rule not in ids and not rule.startswith("builtin:"):
                path = ("test", number, "rules", item)
                yield checked.say(path, "unknown-rule", f"{test.id}: no rule is called {rule!r}")


def _is_keras(pattern: str) -> bool:
    return ">" not in pattern and head(pattern) in KERAS


def _module(pattern: str) -> str:
    """The module that a dotted pattern's names are in, as far as it says so."""
    segments = pattern.split(".")[:-1] or [pattern]
    return ".".join(segments[: segments.index("*")] if "*" in segments else segments)
