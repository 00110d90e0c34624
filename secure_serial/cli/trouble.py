"""What a command says when it cannot do its work, and the exit code of each such trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.cli.exits import Exit
from secure_serial.errors import (
    ArtifactError,
    AuditError,
    ConstructionError,
    LoadDenied,
    PolicyError,
    SecureSerialError,
)
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    from secure_serial.cli.console import Console

REPORT = "Please report this, with what -v prints and, if you can, the file."

_CODES: tuple[tuple[type[SecureSerialError], Exit], ...] = (
    (PolicyError, Exit.USAGE),
    (AuditError, Exit.USAGE),
    (LoadDenied, Exit.FINDINGS),
    (ArtifactError, Exit.UNREADABLE),
    (ConstructionError, Exit.UNREADABLE),
)


class UsageError(Exception):
    """The arguments or the environment do not allow what was asked for."""


def tell(error: Exception, console: Console) -> Exit:
    """Say on stderr what went wrong; the exit code that goes with it."""
    if isinstance(error, UsageError):
        _say(console, str(error))
        return Exit.USAGE
    for kind, code in _CODES:
        if isinstance(error, kind):
            _say(console, str(error))
            return code
    _say(console, f"internal error: {type(error).__name__}: {error}")
    _say(console, REPORT)
    if console.verbose:
        import traceback

        console.warn("".join(traceback.format_exception(error)).rstrip())
    return Exit.INTERNAL


def _say(console: Console, text: str) -> None:
    """A message of several lines, each made printable: it may quote a file."""
    lines = [printable(line, 2000) for line in text.split("\n")]
    console.warn("\n".join([f"secure-serial: {lines[0]}", *lines[1:]]))
