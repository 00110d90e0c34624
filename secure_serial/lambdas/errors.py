"""Why a stored function is refused, as the package's errors."""

from __future__ import annotations

from secure_serial.errors import LimitExceeded, MalformedArtifact, UnsupportedFormat


class BadStream(MalformedArtifact):
    """The bytes are no marshalled code of a CPython that this package reads."""


class CannotLift(UnsupportedFormat):
    """The code is more than an expression or a simple function. `construct` names what it is."""

    def __init__(self, construct: str, instead: str = "") -> None:
        message = f"the stored function cannot be shown as source: {construct}"
        super().__init__(message, help=instead)
        self.construct = construct


class Disagree(CannotLift):
    """The bytecode and our own form beside it are two functions. `construct` says where."""

    code = "SS306"

    def __init__(self, construct: str) -> None:
        super().__init__(construct)
        self.message = f"the bytecode and the source beside it are two functions: {construct}"


class TooMuch(LimitExceeded):
    """A bound of `Bounds` was reached."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the stored function holds too much: {what}")
        self.construct = what
