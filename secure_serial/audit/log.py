"""Where records go: a file that is durable when `write` returns, or memory and a logger.

A log that was asked for and cannot be written means no load: `write` raises, and nothing
has been built by then. Records are appended one line each, under a lock where the
platform has one, and synced to the disk before `write` returns.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from secure_serial.errors import AuditError, Where

if TYPE_CHECKING:
    from secure_serial.audit.record import Record

try:
    import fcntl
except ImportError:  # Windows: appends of one small buffer are not interleaved there either
    fcntl = None  # type: ignore[assignment]

LOGGER = logging.getLogger("secure_serial.audit")
LOGGER.addHandler(logging.NullHandler())  # a program that sets up no logging sees no records


class Sink(Protocol):
    """Takes records. `durable` tells a policy that demands a log whether this is one."""

    durable: bool

    def write(self, record: Record) -> None:
        """Take one record; on return it is as safe as this sink makes it."""


class LoggerSink:
    """No log was asked for: records go to the logger `secure_serial.audit` alone."""

    durable = False

    def takes(self, *, denied: bool) -> bool:
        """Whether anybody listens to a record; what nobody does need not be made."""
        return LOGGER.isEnabledFor(_level(denied))

    def write(self, record: Record) -> None:
        """Log one record at INFO, and a denial at WARNING."""
        denied = is_denial(record)
        if self.takes(denied=denied):
            LOGGER.log(_level(denied), "%s", encode(record).decode("ascii").rstrip())


def is_denial(record: Record) -> bool:
    """Whether a record says that something was refused."""
    return record.get("effect") == "deny" or record.get("outcome") == "denied"


def _level(denied: bool) -> int:  # noqa: FBT001 - all that there is to say
    return logging.WARNING if denied else logging.INFO


class AuditLog:
    r"""An append-only file of records, one JSON object a line.

    Args:
        path: The file; it is created if absent, readable by its owner alone. Its folder
            must exist.

    Raises:
        AuditError: (from `write`) the record could not be made durable.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "audit.jsonl"
    >>> AuditLog(path).write({"event": "note"})
    >>> path.read_text()
    '{"event":"note"}\n'

    """

    durable = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def write(self, record: Record) -> None:
        """Append one record and sync it to the disk."""
        line = encode(record)
        try:
            self._append(line)
        except OSError as error:
            raise AuditError(
                f"the audit log cannot be written: {error.strerror or error}",
                where=Where(str(self.path)),
                help="nothing was built; give a path that can be written, or none",
            ) from error

    def _append(self, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self.path, flags | getattr(os, "O_BINARY", 0), 0o600)
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            start = os.fstat(descriptor).st_size
            if start and self._is_torn(start):
                line = b"\n" + line  # what somebody else left is one broken line, and this whole
            written = os.write(descriptor, line)
            if written != len(line):
                # A full disk may take a part of a line; half a record must not stay.
                os.ftruncate(descriptor, start)
                raise OSError(errno.ENOSPC, "no space left for the whole record")
            os.fsync(descriptor)
        finally:
            if fcntl is not None:
                # A child that was forked meanwhile has the lock, too, until somebody lets it go.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def _is_torn(self, size: int) -> bool:
        """Whether the log ends within a line. One that may not be read is taken to be whole."""
        try:
            with self.path.open("rb") as file:
                file.seek(size - 1)
                return file.read(1) != b"\n"
        except OSError:
            return False


class Both:
    """Two sinks: what is recorded, both have, or the load does not go on."""

    def __init__(self, first: Sink, second: Sink) -> None:
        self._sinks = (first, second)
        self.durable = first.durable or second.durable

    def write(self, record: Record) -> None:
        """Give the record to both."""
        for sink in self._sinks:
            sink.write(record)


def encode(record: Record) -> bytes:
    """The line that a record is written as: ASCII, so that no name can start a line of its own."""
    text = json.dumps(record, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def open_sink(audit: Sink | str | os.PathLike[str] | None) -> Sink:
    """The sink that a caller means by `audit=`: a log, a path of one, or None."""
    if audit is None:
        return LoggerSink()
    if isinstance(audit, str | os.PathLike):
        return AuditLog(audit)
    if not hasattr(audit, "write"):
        raise TypeError(f"audit is the path of a log, an AuditLog or None, not {audit!r:.60}")
    return audit
