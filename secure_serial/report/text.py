"""A report for people: what was judged, what is wrong and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.report.model import Status
from secure_serial.report.printable import printable
from secure_serial.report.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from secure_serial.report.model import FileReport, Finding, Report

#: Places listed for findings that say the same; more only in a verbose text.
_PLACES = 3
_OTHER = "no format of Keras's"
_NAME_WIDTH = 400  # a path; its end is what tells files apart, and most are far shorter


def render(report: Report, style: Style | None = None, *, quiet: int = 0, verbose: int = 0) -> str:
    """The whole report as lines of text.

    Args:
        report: What was found.
        style: Colours and symbols.
        quiet: 1 leaves out what needs no attention, 2 all but the summary.
        verbose: 1 adds every place and digests.

    >>> from secure_serial.report.model import PolicyRef, Report
    >>> print(render(Report(PolicyRef("strict", 1, ""))))
    nothing scanned (policy strict, version 1)

    """
    style = style or Style()
    lines: list[str] = []
    for file in report.files:
        needs = file.status not in (Status.ALLOWED, Status.SKIPPED)
        if quiet < (2 if needs else 1):
            lines += file_lines(file, style, verbose=verbose)
    if verbose and not quiet:
        mark = style.mark(Status.SKIPPED)
        lines += (f"{mark} {printable(name, _NAME_WIDTH)}  {_OTHER}" for name in report.others)
    if lines:
        lines.append("")
    lines.append(summary(report, style))
    return "\n".join(lines)


def file_lines(file: FileReport, style: Style, *, verbose: int = 0) -> Iterator[str]:
    """One file's lines: its verdict, and below it what is wrong."""
    name = style.paint(printable(file.name, _NAME_WIDTH), "bold")
    yield f"{style.mark(file.status)} {name}  {_verdict(file)}"
    if verbose and file.judged_sha256:
        yield f"    {file.format}, {file.size} bytes, judged sha256 {file.judged_sha256}"
    for group in _groups(file.findings):
        yield from _finding(group, style, verbose=verbose)
    for title, lifted in (("waived", file.waived), ("would be denied", file.reported)):
        for group in _groups(lifted):
            yield from _finding(group, style, verbose=verbose, title=title)
    if file.omitted:
        yield f"  and {file.omitted} more findings"
    if file.policy_lines:
        yield "  To allow what a policy can allow here, if you trust it, add these lines to yours:"
        yield ""
        yield from (
            f"    {printable(line, None)}".rstrip() for line in file.policy_lines.split("\n")
        )
        yield ""


def summary(report: Report, style: Style) -> str:
    """One line of counts; nothing that was passed over is left out."""
    policy = f"policy {printable(report.policy.name)}, version {report.policy.version}"
    colours = {
        Status.ALLOWED: "green",
        Status.DENIED: "red",
        Status.FAILED: "yellow",
        Status.INTERNAL: "red",
    }
    parts = [
        style.paint(f"{report.tally(status)} {status.value}", colour)
        for status, colour in colours.items()
        if report.tally(status)
    ]
    scanned = f"{_count(report.scanned, 'file')} scanned: " if parts else "nothing scanned"
    passed = [f"{number} {what}" for number, what in _passed_over(report)]
    text = scanned + ", ".join(parts)
    for word, number in (
        ("waived", sum(len(file.waived) for file in report.files)),
        ("would be denied once the policy is enforced", sum(len(f.reported) for f in report.files)),
    ):
        text += f"; {number} {word}" if number else ""
    if passed:
        text += f"; skipped: {', '.join(passed)}"
    return f"{text} ({policy})"


def _passed_over(report: Report) -> Iterator[tuple[int, str]]:
    reasons: dict[str, int] = {}
    for file in report.files:
        if file.status is Status.SKIPPED:
            reason = file.reason.partition(":")[0]
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason in sorted(reasons):
        yield reasons[reason], f"({printable(reason)})"
    if report.others:
        yield len(report.others), f"({_OTHER})"


def _verdict(file: FileReport) -> str:
    if file.status is Status.ALLOWED:
        return f"allowed ({_count(file.requests, 'request')})"
    if file.status is Status.DENIED:
        return f"denied: {_count(len(file.findings) + file.omitted, 'finding')}"
    reason = printable(file.reason)
    return f"{file.status.value}: {reason}" if reason else file.status.value


def _groups(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings that say the same, together, in the order of the first of each."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.symbol, finding.message), []).append(finding)
    return list(groups.values())


def _finding(
    group: Sequence[Finding], style: Style, *, verbose: int, title: str = ""
) -> Iterator[str]:
    first = group[0]
    code = style.paint(first.code, "red" if first.severity == "error" else "yellow")
    yield f"  {code} {f'{title}: ' if title else ''}{printable(first.message)}"
    shown = len(group) if verbose else _PLACES
    for finding in group[:shown]:
        place = _place(finding)
        if place:
            yield f"      at {place}"
    if len(group) > shown:
        yield f"      and at {len(group) - shown} more places"
    if first.help:
        yield f"      {style.symbol('→', '->')} {printable(first.help, 400)}"
    if first.unallowable and verbose:
        yield f"      no policy line can allow it: {printable(first.unallowable)}"


def _place(finding: Finding) -> str:
    place = finding.member
    if finding.pointer:
        place += f"#{finding.pointer}"
    text = printable(place, 400)
    if finding.line is not None:
        text = f"{text} (line {finding.line}, column {finding.column})".lstrip()
    return text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
