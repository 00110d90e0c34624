"""One tree of errors: whatever a hostile input does, it ends in one of these.

Every error carries four things a person needs: a stable `code`, a sentence that says
what was wrong, `where` (the file, the member in it, the place in the member) and
`help` (what to do about it). Callers of Keras expect `ValueError` or `TypeError`;
the classes that stand where Keras raises one of those are that, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secure_serial.policy.engine import Verdict


@dataclass(frozen=True, slots=True)
class Where:
    """A place: a file, a member inside it, and a JSON pointer (RFC 6901) inside that.

    >>> str(Where("model.keras", "config.json", "/config/layers/3"))
    'model.keras!config.json#/config/layers/3'
    """

    file: str = ""
    member: str = ""
    pointer: str = ""

    def __str__(self) -> str:
        text = self.file
        if self.member:
            text += f"!{self.member}"
        if self.pointer:
            text += f"#{self.pointer}"
        if text.isprintable():
            return text
        # A file's name may not write lines of its own into a log.
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class SecureSerialError(Exception):
    """Root of every error that this package raises on purpose. Never raised itself."""

    code = "SS000"

    def __init__(
        self, message: str, *, code: str | None = None, where: Where | None = None, help: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.where = where if where is not None else Where()
        self.help = help

    def __str__(self) -> str:
        place = str(self.where)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} [{self.code}]" + (f"\n  help: {self.help}" if self.help else "")


class ArtifactError(SecureSerialError, ValueError):
    """The file itself is at fault. Never raised itself."""


class MalformedArtifact(ArtifactError):
    """The bytes are not what their format says: truncated, corrupt, ambiguous."""

    code = "SS101"


class UnsupportedFormat(ArtifactError):
    """Not a format that this package reads, or a variant of one that it does not."""

    code = "SS102"


class UnsafeArtifact(ArtifactError):
    """Well-formed, and asks for something that no model file may: a link out, an escape."""

    code = "SS103"


class LimitExceeded(ArtifactError):
    """A bound of `Limits` was reached before the work that would have exceeded it."""

    code = "SS104"


class PolicyError(SecureSerialError, ValueError):
    """The policy is at fault, so nothing loads. Never raised itself."""


class InvalidPolicy(PolicyError):
    """A policy that cannot be used. `problems` lists all that is wrong, not the first."""

    code = "SS201"

    def __init__(
        self, message: str, *, problems: Sequence[str] = (), where: Where | None = None
    ) -> None:
        super().__init__(message, where=where)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  - {problem}" for problem in self.problems)])


class UntrustedPolicy(PolicyError):
    """A policy that is not signed as is demanded, or older than what was seen before."""

    code = "SS202"


class LoadDenied(SecureSerialError, ValueError, TypeError):
    """The policy denies the load. `verdict` holds every decision; nothing was built.

    Keras raises TypeError for a name that it cannot find and for a config of the wrong
    type, ValueError for what it forbids; a caller of either finds this under both.
    """

    code = "SS301"

    def __init__(
        self,
        message: str,
        *,
        verdict: Verdict | None = None,
        code: str | None = None,
        where: Where | None = None,
        help: str = "",
    ) -> None:
        super().__init__(message, code=code, where=where, help=help)
        self.verdict = verdict
        self.records: tuple[dict[str, object], ...] = ()


class AuditError(SecureSerialError, OSError):
    """The audit log that was asked for cannot be written, so nothing is built."""

    code = "SS401"


class SandboxError(SecureSerialError, RuntimeError):
    """A restricted function broke its bounds (reserved for lambdas)."""

    code = "SS501"


class ConstructionError(SecureSerialError, TypeError):
    """Allowed, but it could not be built: a package is missing, or a constructor failed."""

    code = "SS601"
