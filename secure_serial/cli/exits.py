"""Exit codes: the same for every command and every format, and documented in docs/report.md."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from secure_serial.report.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_serial.report.model import Report


class Exit(IntEnum):
    """What a process ends with."""

    CLEAN = 0  # everything was judged, and is allowed
    FINDINGS = 1  # something is denied
    USAGE = 2  # the arguments, the policy or the environment is at fault; nothing was judged
    NOTHING = 3  # there was nothing to judge
    UNREADABLE = 4  # some input could not be read, or not built
    INTERNAL = 101  # our own fault
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it
    PIPE = 141  # 128 + SIGPIPE: whoever read the output went away


#: Where several are true, the first of these is the one. A finding outranks an unreadable
#: file: it is certain, and a pipeline that treats 4 mildly must not miss it.
PRECEDENCE = (Exit.INTERNAL, Exit.USAGE, Exit.FINDINGS, Exit.UNREADABLE, Exit.NOTHING, Exit.CLEAN)

_BY_STATUS = {
    Status.INTERNAL: Exit.INTERNAL,
    Status.DENIED: Exit.FINDINGS,
    Status.FAILED: Exit.UNREADABLE,
    Status.ALLOWED: Exit.CLEAN,
}


def of_report(report: Report) -> Exit:
    """The exit code of a scan.

    >>> from secure_serial.report.model import PolicyRef, Report
    >>> of_report(Report(PolicyRef("strict", 1, "")))
    <Exit.NOTHING: 3>
    """
    if report.scanned == 0:
        return Exit.NOTHING
    return first(_BY_STATUS[f.status] for f in report.files if f.status in _BY_STATUS)


def first(codes: Iterable[Exit]) -> Exit:
    """The code that outranks the others; CLEAN where there is none."""
    return min(codes, key=PRECEDENCE.index, default=Exit.CLEAN)
