"""`secure-serial scan` and `inspect`: judge without loading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.cli.exits import Exit, of_report
from secure_serial.errors import ArtifactError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from secure_serial.cli.console import Console


def run_scan(args: argparse.Namespace, console: Console) -> Exit:
    """Judge the paths and report."""
    from secure_serial.scanner.scan import scan

    report = scan(args.paths, policy=args.policy, audit=args.audit, progress=console.progress)
    code = of_report(report)
    if args.format == "json":
        from secure_serial.cli.version import version
        from secure_serial.report import json_text

        console.result(json_text.dump(json_text.scan_object(report, version(), code)))
    else:
        from secure_serial.report import text

        shown = text.render(report, console.style(), quiet=console.quiet, verbose=console.verbose)
        console.result(shown)
    _tell_internal([file.trace for file in report.files if file.trace], console)
    return code


def run_inspect(args: argparse.Namespace, console: Console) -> Exit:
    """Draw what one file would build."""
    from secure_serial.scanner.scan import verdict_on

    try:
        verdict = verdict_on(args.file, policy=args.policy, audit=args.audit)
    except ArtifactError as error:
        return tell_fault(error, args.file, args.format, "inspect", console)
    code = Exit.CLEAN if verdict.allowed else Exit.FINDINGS
    if args.format == "json":
        from secure_serial.cli.version import version
        from secure_serial.report import json_text

        head = json_text.head("inspect", version(), code)
        console.result(json_text.dump({**head, **json_text.plan_object(verdict)}))
    else:
        from secure_serial.report import tree

        options = tree.Options(depth=args.depth, everything=args.all)
        console.result(tree.render(verdict, console.style(), options))
    return code


def tell_fault(
    error: ArtifactError,
    path: str,
    form: str,
    command: str,
    console: Console,
    fields: Mapping[str, object] | None = None,
) -> Exit:
    """Report a file that could not be read: a scan of it says all there is to say.

    `fields` are further keys of the JSON form.
    """
    from secure_serial.report.model import FileReport, PolicyRef, Report, Status
    from secure_serial.scanner.findings import of_error
    from secure_serial.scanner.judge import shows_intent

    denied = shows_intent(error)
    status = Status.DENIED if denied else Status.FAILED
    reason = "" if denied else error.message
    file = FileReport(path, status, reason, findings=(of_error(error, path),))
    code = of_report(Report(PolicyRef("", 0, ""), (file,)))
    if form == "json":
        from secure_serial.cli.version import version
        from secure_serial.report import json_text

        head = json_text.head(command, version(), code)
        console.result(
            json_text.dump({**head, **(fields or {}), "file": json_text.file_object(file)})
        )
    else:
        from secure_serial.report import text

        console.result("\n".join(text.file_lines(file, console.style(), verbose=console.verbose)))
    return code


def _tell_internal(traces: list[str], console: Console) -> None:
    if not traces:
        return
    from secure_serial.cli.trouble import REPORT

    console.warn(f"internal error while judging {len(traces)} files. {REPORT}")
    if console.verbose:
        for trace in traces:
            console.warn(trace)
