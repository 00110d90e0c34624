"""How the facades refuse."""

from __future__ import annotations

from secure_serial.errors import SandboxError

#: Not in the facade, or a value of a type that may not stand there.
REFUSED = "SS504"
#: The operation itself failed: shapes that do not fit, an axis that is not there.
FAILED = "SS501"


def refused(message: str, help: str = "") -> SandboxError:
    """The error for a name or a value that is not let through."""
    return SandboxError(message, code=REFUSED, help=help)


def failed(name: str, error: BaseException) -> SandboxError:
    """The error for an operation that could not be done; the reason is shown, bounded."""
    reason = str(error).partition("\n")[0][:200]
    return SandboxError(f"{name} failed: {type(error).__name__}: {reason}", code=FAILED)


def kind_of(value: object) -> str:
    """The type of a value, for a message: never its text, which may be large."""
    return type(value).__name__[:40]
