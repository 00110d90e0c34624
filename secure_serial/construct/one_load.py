"""One load from its policy to its outcome: plan, decide, record, and only then build."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from secure_serial.audit.log import LoggerSink, is_denial
from secure_serial.audit.record import decision_record, outcome_record, tripwire_record
from secure_serial.construct.callers import Callers
from secure_serial.construct.denial import denial, tripped
from secure_serial.construct.engines import engine_of
from secure_serial.construct.guard import in_force
from secure_serial.construct.keras.versions import catalogue
from secure_serial.construct.revive import ConstructionValueError, behind
from secure_serial.construct.session import Session
from secure_serial.construct.tripwire import Wire, exempt
from secure_serial.errors import (
    AuditError,
    ConstructionError,
    LoadDenied,
    SecureSerialError,
    Where,
)
from secure_serial.plan.fields import Field
from secure_serial.plan.walker import make_plan
from secure_serial.policy.model import AuditDemand
from secure_serial.policy.source import DEFAULT

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from secure_serial.artifact import Opened
    from secure_serial.artifact.document import Document
    from secure_serial.audit.log import Sink
    from secure_serial.audit.record import Record
    from secure_serial.policy.engine import Verdict
    from secure_serial.policy.source import Given
    from secure_serial.registry import Snapshot


#: A record, or what makes it once it is asked for: it says the same whenever that is.
_Made: TypeAlias = "Callable[[], Record]"


@dataclass(slots=True)
class LoadResult:
    """A loaded model with everything that was decided and recorded on the way."""

    model: Any
    verdict: Verdict
    _load: Load

    @property
    def records(self) -> list[Record]:
        """What was recorded, in its order."""
        return self._load.records


class Load:
    """One load from its policy to its outcome."""

    def __init__(
        self,
        policy: Given,
        audit: Sink | str | os.PathLike[str] | None,
        names: Snapshot,
        recorded: set[tuple[str, str]] | None = None,
        *,
        safe_mode: bool,
        default: str = DEFAULT,
    ) -> None:
        self.policy, self._sink = in_force(policy, audit, default)
        self._safe_mode = safe_mode
        self._recorded = recorded  # what need not be recorded again; None: everything must be
        self._held: list[_Made] | None = None  # records that only matter if something fails
        self._written: list[_Made] = []
        self._names = names
        self._id = uuid.uuid4().hex
        if self.policy.audit is AuditDemand.REQUIRED and not self._sink.durable:
            raise AuditError(
                f"the policy {self.policy.name} demands an audit log, and none was given",
                help="pass audit= with the path of a log",
            )

    def model(self, opened: Opened, *, compile: bool, migrate: bool = False) -> LoadResult:
        """Judge an open artifact and build the model that it holds."""
        digest = opened.sha256()
        if migrate:
            from secure_serial.construct.migration import migrated

            opened = migrated(self, opened, compile=compile, file_sha256=digest)
        session = self.judge(opened.document, action="load", file_sha256=digest)
        with self.outcome(session):
            from secure_serial.construct.live import require_keras

            require_keras("this is a Keras model", session)
            from secure_serial.construct.keras import loader

            model = loader.load(opened, session, compile=compile)
            opened.check()
        return LoadResult(model, session.verdict, self)

    def judge(
        self,
        document: Document,
        *,
        action: str,
        file_sha256: str | None,
        unless: Callable[[Verdict], bool] | None = None,
        root: Field = Field.ROOT,
    ) -> Session:
        """Plan, decide and record; raises `LoadDenied` unless it is allowed, or `unless` holds."""
        known = catalogue()
        callers = Callers(self._names, known, self.policy)
        plan = make_plan(
            document, catalogue=known, callers=callers, limits=self.policy.limits,
            root=root, safe_mode=self._safe_mode,
        )  # fmt: skip
        today = datetime.now(UTC).date()
        verdict = engine_of(self.policy, today).judge(plan, file_sha256)
        self._held = [] if self._is_old(verdict) else None
        made = partial(decision_record, verdict, load=self._id, time=_now(), action=action)
        self._put(made, denied=not verdict.allowed)
        if not verdict.allowed and (unless is None or not unless(verdict)):
            self._write(outcome_record(load=self._id, time=_now(), outcome="denied"))
            denied = denial(verdict)
            denied.records = tuple(self.records)
            raise denied
        return Session(
            verdict, names=self._names, callers=callers, catalogue=known, sink=self._sink
        )

    @contextmanager
    def outcome(self, session: Session) -> Iterator[None]:
        """Build inside; whatever happens is recorded, and only our errors come out."""

        def report(event: str, detail: str, caller: str) -> LoadDenied:
            return self._tripped(session, event, detail, caller)

        try:
            with session, Wire(report):
                yield
        except SecureSerialError as error:
            self.failed(session, error)
            raise
        except Exception as error:
            ours = behind(error)
            if ours is not None:
                self.failed(session, ours)
                raise ours from None
            kind = ConstructionValueError if isinstance(error, ValueError) else ConstructionError
            wrapped = kind(
                f"it is allowed, and it could not be built: {type(error).__name__}: {error}",
                where=Where(session.document.name),
            )
            self.failed(session, wrapped)
            raise wrapped from error
        except BaseException as error:  # a signal, or a class that ends the program
            self.failed(session, ConstructionError(f"interrupted by {type(error).__name__}"))
            raise
        self._write(outcome_record(load=self._id, time=_now(), outcome="built"))

    def _is_old(self, verdict: Verdict) -> bool:
        """Whether all that was decided was decided and recorded before."""
        if self._recorded is None or not verdict.allowed:
            return False
        made = {(d.request.symbol, d.request.field.value) for d in verdict.decisions}
        old = made <= self._recorded
        self._recorded |= made
        return old

    def _tripped(self, session: Session, event: str, detail: str, caller: str) -> LoadDenied:
        """Record what the tripwire refused, and say so."""
        error = tripped(session.verdict, event, detail, caller)
        session.refused.append({"symbol": event, "written": detail, "code": error.code})
        self._release()
        self._write(
            tripwire_record(
                load=self._id, time=_now(), announced=event, detail=detail, caller=caller
            )
        )
        return error

    def _release(self) -> None:
        """Write the records that were held: something did not go well."""
        held, self._held = self._held, None
        for made in held or ():
            self._put(made)

    def failed(self, session: Session, error: SecureSerialError) -> None:
        """Record that what was judged was not built."""
        self._release()
        text = f"{type(error).__name__}: {error.message}"[:2000]
        self._write(
            outcome_record(
                load=self._id, time=_now(), outcome="failed", error=text, refused=session.refused
            )
        )
        if isinstance(error, LoadDenied):
            error.records = tuple(self.records)

    @property
    def records(self) -> list[Record]:
        """What was recorded so far, in its order."""
        return [made() for made in self._written]

    def _write(self, record: Record) -> None:
        self._put(lambda: record, denied=is_denial(record))

    def _put(self, made: _Made, *, denied: bool = False) -> None:
        """Write a record. That of a decision is long, and is not made where nobody takes it."""
        if self._held is not None:
            self._held.append(made)
            return
        sink = self._sink
        if not isinstance(sink, LoggerSink) or sink.takes(denied=denied):
            with exempt():  # a load within a load writes, too
                sink.write(made())
        self._written.append(made)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
