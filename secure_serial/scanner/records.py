"""What a scan writes to an audit log: one record a file that was judged or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.audit.record import decision_record, outcome_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.audit.log import Sink
    from secure_serial.errors import ArtifactError
    from secure_serial.policy.engine import Verdict


class Recorder:
    """Writes records to one sink. The clock and the ids come from outside."""

    def __init__(self, sink: Sink, clock: Callable[[], str], new_id: Callable[[], str]) -> None:
        self._sink = sink
        self._clock = clock
        self._new_id = new_id

    def decided(self, verdict: Verdict) -> None:
        """A file was read and judged."""
        record = decision_record(verdict, load=self._new_id(), time=self._clock(), action="scan")
        self._sink.write(record)

    def refused(self, error: ArtifactError, *, denied: bool) -> None:
        """A file could not be read, or was hostile in itself; the error names it."""
        record = outcome_record(
            load=self._new_id(),
            time=self._clock(),
            outcome="denied" if denied else "failed",
            error=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}",
        )
        self._sink.write(record)


def now() -> str:
    """The time in UTC, as RFC 3339 writes it."""
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id() -> str:
    """An id for one load: 128 random bits."""
    import secrets

    return secrets.token_hex(16)
