"""What a scan says, as immutable values: the public result, and what every format renders.

Nothing here depends on when or where a scan ran: the same files and the same policy give
equal reports. They are named tuples, since each dataclass costs a scan a millisecond.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """What became of one file."""

    ALLOWED = "allowed"  # the policy allows all that the file asks for
    DENIED = "denied"  # something in it is not allowed, or it is hostile in itself
    FAILED = "failed"  # it could not be read, so nobody knows
    SKIPPED = "skipped"  # found in a folder, and not a Keras file after all
    INTERNAL = "internal-error"  # a fault of this package; nobody knows either


class Finding(NamedTuple):
    """One thing that is wrong, and where, and what to do about it."""

    code: str
    severity: str  # "error" | "warning" | "note"
    file: str
    message: str
    help: str = ""
    member: str = ""
    pointer: str = ""
    line: int | None = None  # 1-based, where the member is a text
    column: int | None = None
    symbol: str = ""
    #: TOML that would allow exactly this; tried out before it is offered.
    policy_lines: str = ""
    #: Why no policy line can allow it; empty where one can.
    unallowable: str = ""


class FileReport(NamedTuple):
    """One file's verdict. `reason` says why it was skipped or could not be read."""

    name: str
    status: Status
    reason: str = ""
    format: str = ""
    size: int = 0
    judged_sha256: str = ""
    keras_version: str | None = None
    requests: int = 0
    layers: int = 0
    findings: tuple[Finding, ...] = ()
    omitted: int = 0  # findings beyond those listed
    policy_lines: str = ""  # all that can be allowed, as one text to paste
    waived: tuple[Finding, ...] = ()  # what passes because somebody answers for it
    reported: tuple[Finding, ...] = ()  # what the policy will deny once it is enforced
    trace: str = ""  # of an internal error


class PolicyRef(NamedTuple):
    """Which policy judged."""

    name: str
    version: int
    sha256: str


class Report(NamedTuple):
    """A whole scan, in the order of the paths given and sorted within each folder.

    `others` names the files of a folder whose first bytes are of no format that Keras reads.
    """

    policy: PolicyRef
    files: tuple[FileReport, ...] = ()
    others: tuple[str, ...] = ()

    def tally(self, status: Status) -> int:
        """How many files have this status.

        >>> Report(PolicyRef("p", 1, "")).tally(Status.DENIED)
        0
        """
        return sum(file.status is status for file in self.files)

    @property
    def scanned(self) -> int:
        """How many files were judged or should have been: all but the skipped."""
        return len(self.files) - self.tally(Status.SKIPPED)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that are listed, of all files."""
        return tuple(finding for file in self.files for finding in file.findings)
