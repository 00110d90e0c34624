"""`secure-serial policy check` and `policy test`: whether policies say what they are meant to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.cli.day import today
from secure_serial.cli.exits import Exit
from secure_serial.cli.trouble import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from secure_serial.artifact.document import Json
    from secure_serial.authoring.check import Report
    from secure_serial.authoring.coverage import Coverage
    from secure_serial.authoring.finding import Finding
    from secure_serial.authoring.mutation import Mutation
    from secure_serial.authoring.testing import Outcome, Run
    from secure_serial.cli.console import Console
    from secure_serial.report.style import Style

#: A catalogue of 2,000 classes has 2 MB.
_MOST_BYTES = 1 << 26


def run_check(args: argparse.Namespace, console: Console) -> Exit:
    """List all that is wrong with policies, or dubious."""
    from secure_serial.authoring.check import check
    from secure_serial.authoring.finding import Severity

    models = args.used_by or []
    must_exist(models)
    trees = [_catalogue(path) for path in args.catalogue or []]
    report = check(args.files, today(), catalogues=trees, models=models)
    bad = len(report.findings) if args.strict else report.count(Severity.ERROR)
    code = Exit.FINDINGS if bad else Exit.CLEAN
    if args.format == "json":
        console.report("policy check", code, _report_object(report))
        return code
    for line in _report_lines(report, console.style(), quiet=bool(console.quiet)):
        console.result(line)
    return code


def run_test(args: argparse.Namespace, console: Console) -> Exit:
    """Run the tests of policies; tell what they leave out."""
    from secure_serial.authoring.coverage import coverage
    from secure_serial.authoring.mutation import mutate
    from secure_serial.authoring.testing import run_tests

    run = run_tests(args.files, today())
    failed = bool(run.failed)
    covered = coverage(run) if args.coverage else None
    mutation = mutate(run) if args.mutate and not failed else None
    code = Exit.FINDINGS if failed or (mutation and mutation.survivors) else Exit.CLEAN
    if not any(suite.tests for suite in run.suites):
        code = Exit.FINDINGS if mutation and mutation.survivors else Exit.NOTHING
    if args.format == "json":
        console.report("policy test", code, _run_object(run, covered, mutation))
        return code
    for line in _run_lines(run, console.style(), quiet=bool(console.quiet)):
        console.result(line)
    if covered is not None:
        _print(_coverage_lines(covered), console)
    if mutation is not None:
        _print(_mutation_lines(mutation), console)
    elif args.mutate:
        console.warn("no mutants were made: the tests must pass first")
    return code


# What is given.


def must_exist(paths: Iterable[str]) -> None:
    """Refuse a path that was mistyped, before it is taken for a model that says nothing."""
    import os

    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path}: there is no such file or folder")


def _catalogue(path: str) -> Json:
    import json
    from pathlib import Path

    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise UsageError(f"{path}: more than {_MOST_BYTES} bytes")
        return json.loads(data)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path}: cannot be read as a catalogue: {reason}") from None


# What is printed.


def _print(lines: Iterable[str], console: Console) -> None:
    from secure_serial.report.printable import printable

    for line in lines:
        console.result(printable(line, 500))


def _report_lines(report: Report, style: Style, *, quiet: bool) -> Iterator[str]:
    from secure_serial.authoring.finding import Severity
    from secure_serial.report.printable import printable

    for finding in report.findings:
        place = (
            f"{finding.source}:{finding.line}:{finding.column}" if finding.line else finding.source
        )
        word = style.paint(finding.severity, "red" if finding.severity == "error" else "yellow")
        message = printable(finding.message, 500)
        yield f"{place}: {word}: {message} [{finding.slug}]"
        if not quiet:
            yield f"    {style.paint(finding.help, 'dim')}"
    if report.findings and not quiet:
        yield ""
    errors, warnings = (report.count(severity) for severity in Severity)
    files = _many(len(report.files), "file")
    yield f"{files} checked: {_many(errors, 'error')}, {_many(warnings, 'warning')}"


def _run_lines(run: Run, style: Style, *, quiet: bool) -> Iterator[str]:
    from secure_serial.report.printable import printable

    tests = failed = 0
    for outcomes in _by_test(run):
        test = outcomes[0].subject.test
        wrong = [outcome for outcome in outcomes if outcome.problem]
        tests, failed = tests + 1, failed + bool(wrong)
        many = f" ({len(outcomes)} names)" if len(outcomes) > 1 else ""
        if wrong:
            mark = style.paint(style.symbol("✖", "x"), "red")
            yield f"{mark} {printable(test.id)}{many}  {printable(test.place)}"
        elif not quiet:
            yield f"{style.paint(style.symbol('✔', '+'), 'green')} {printable(test.id)}{many}"
        for outcome in wrong:
            shown = f"{outcome.subject.shown}: " if outcome.subject.shown else ""
            yield f"    {printable(shown + outcome.problem, 500)}"
    if tests and not quiet:
        yield ""
    yield f"{_many(tests, 'test')}: {tests - failed} passed, {failed} failed"


def _coverage_lines(covered: Coverage) -> Iterator[str]:
    used = covered.rules - len(covered.unused)
    yield f"coverage: {used} of {covered.rules} rules and waivers decide in some test"
    for each in covered.unused:
        yield f"  in none: {each}"
    for name, some, rules in covered.shipped:
        yield f"  of {name}, by extends: {some} of {rules} rules"


def _mutation_lines(mutation: Mutation) -> Iterator[str]:
    noticed = mutation.made - len(mutation.survivors)
    yield f"mutants: {noticed} of {mutation.made} noticed"
    for survivor in mutation.survivors:
        yield f"  no test notices: {survivor}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _by_test(run: Run) -> Iterator[list[Outcome]]:
    """The outcomes of each test, in the order of the files."""
    for suite, outcomes in zip(run.suites, run.outcomes, strict=True):
        found: dict[str, list[Outcome]] = {test.id: [] for test in suite.tests}
        for outcome in outcomes:
            found[outcome.subject.test.id].append(outcome)
        yield from found.values()


# What programs get.


def _report_object(report: Report) -> dict[str, object]:
    from secure_serial.authoring.finding import Severity

    return {
        "files": list(report.files),
        "summary": {f"{severity}s": report.count(severity) for severity in Severity},
        "problems": [_finding_object(finding) for finding in report.findings],
    }


def _finding_object(finding: Finding) -> dict[str, object]:
    return {
        "severity": finding.severity.value,
        "slug": finding.slug,
        "message": finding.message,
        "help": finding.help,
        "file": finding.source,
        "line": finding.line or None,
        "column": finding.column or None,
    }


def _run_object(run: Run, covered: Coverage | None, mutation: Mutation | None) -> dict[str, object]:
    tests = [_test_object(outcomes) for outcomes in _by_test(run)]
    failed = sum(not test["passed"] for test in tests)
    found: dict[str, object] = {
        "summary": {"tests": len(tests), "passed": len(tests) - failed, "failed": failed},
        "tests": tests,
    }
    if covered is not None:
        found["coverage"] = {
            "rules": covered.rules,
            "unused": [each._asdict() for each in covered.unused],
            "shipped": [each._asdict() for each in covered.shipped],
        }
    if mutation is not None:
        survivors = [each._asdict() for each in mutation.survivors]
        found["mutation"] = {"made": mutation.made, "survivors": survivors}
    return found


def _test_object(outcomes: Sequence[Outcome]) -> dict[str, object]:
    test = outcomes[0].subject.test
    wrong = [outcome for outcome in outcomes if outcome.problem]
    failures = [{"symbol": o.subject.shown or None, "problem": o.problem} for o in wrong]
    return {
        "id": test.id,
        "file": test.source,
        "line": test.line,
        "passed": not wrong,
        "names": len(outcomes),
        "failures": failures,
    }
