"""One load from its policy to its outcome: plan, decide, record, and only then build."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from secure_serial.artifact.dict_value import document_of
from secure_serial.audit.log import LoggerSink
from secure_serial.audit.record import decision_record, outcome_record, tripwire_record
from secure_serial.construct.callers import Callers
from secure_serial.construct.denial import denial, tripped
from secure_serial.construct.engines import engine_of, standing_of
from secure_serial.construct.guard import in_force
from secure_serial.construct.judgement import Judge, Judgement
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
from secure_serial.lazy import lazy
from secure_serial.plan.fields import Field
from secure_serial.plan.usual import read_usual
from secure_serial.policy.model import AuditDemand
from secure_serial.policy.source import DEFAULT

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from secure_serial.artifact import Opened
    from secure_serial.artifact.document import Document
    from secure_serial.audit.log import Sink
    from secure_serial.audit.record import Record
    from secure_serial.construct.standing import Own
    from secure_serial.plan.usual import Usual
    from secure_serial.policy.engine import Verdict
    from secure_serial.policy.source import Given
    from secure_serial.registry import Snapshot


_T = TypeVar("_T")


class _Made(Protocol):
    """What makes a record once somebody takes it; it says the same whenever that is."""

    def __call__(self, *, load: str) -> Record: ...


_MIGRATE = (
    "the file is of an earlier Keras: load_model(…, migrate=True) brings it into today's form, "
    "and so does `secure-serial migrate`"
)


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
        self._recorded = recorded  # what need not be recorded again; None: everything must be
        self._held: list[_Made] | None = None  # records that only matter if something fails
        self._written: list[_Made] = []
        self._names = names
        known = catalogue()
        engine = engine_of(self.policy, datetime.now(UTC).date())
        self._judge = Judge(engine, known, Callers(names, known, self.policy), safe_mode)
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

        def load() -> Any:
            from secure_serial.construct.live import require_keras

            require_keras("this is a Keras model", session)
            from secure_serial.construct.keras import loader

            model = loader.load(opened, session, compile=compile)
            opened.check()
            return model

        try:
            return LoadResult(self.built(session, load), session.verdict, self)
        except ConstructionError as error:
            from secure_serial.migrate import is_of_earlier_keras

            if not migrate and not error.help and is_of_earlier_keras(opened.document):
                error.help = _MIGRATE
            raise

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
        verdict = self._judge.verdict(document, file_sha256=file_sha256, root=root)
        self._held = [] if self._is_old(verdict) else None
        made = partial(decision_record, verdict, time=_now(), action=action)
        self._put(made, denied=not verdict.allowed)
        if not verdict.allowed and (unless is None or not unless(verdict)):
            self._put(partial(outcome_record, time=_now(), outcome="denied"), denied=True)
            denied = denial(verdict)
            denied.records = tuple(self.records)
            raise denied
        return self._session(Judgement(lambda: verdict))

    def at_once(self, value: object, *, name: str, action: str) -> Session | None:
        """As `judge`, for a value of the usual kind whose record nobody takes; else None.

        It is allowed then. What `judge` would have made of it is found if it is needed.
        """
        if self._recorded is None and self._is_heard(denied=False):
            return None
        judge, time = self._judge, _clock()
        standing = standing_of(judge.engine, judge.catalogue)
        if standing is None:
            return None
        find = standing.finder(self._names, judge.callers)
        usual = read_usual(value, find, self._names.names, self.policy.limits)
        if usual is None or not self._was_recorded(usual):
            return None

        # It may not hold this load, which holds it: cycles are left to the collector.
        judgement = Judgement(partial(_at_length, usual, judge, self._names, name), usual)

        def made(*, load: str) -> Record:
            return decision_record(judgement.verdict, load=load, time=time(), action=action)

        self._held = [made]
        return self._session(judgement)

    def _was_recorded(self, usual: Usual[Own]) -> bool:
        """Whether what a value asks for was recorded before, or need not be."""
        if self._recorded is None:
            return True
        asked = {(own.symbol, Field.ROOT.value) for own, _ in usual.outer}
        return not usual.nodes and asked <= self._recorded

    def _session(self, judgement: Judgement) -> Session:
        return Session(judgement, self._judge, self._names, self._sink)

    @lazy
    def _id(self) -> str:
        return uuid.uuid4().hex

    def built(self, session: Session, build: Callable[[], _T]) -> _T:
        """What `build` makes; whatever happens is recorded, and only our errors come out."""
        try:
            with session, Wire(partial(self._tripped, session)):
                made = build()
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
        time = _clock()
        self._put(lambda *, load: outcome_record(load=load, time=time(), outcome="built"))
        return made

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
        self._put(
            partial(tripwire_record, time=_now(), announced=event, detail=detail, caller=caller),
            denied=True,
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
        refused = tuple(session.refused)
        self._put(
            partial(outcome_record, time=_now(), outcome="failed", error=text, refused=refused)
        )
        if isinstance(error, LoadDenied):
            error.records = tuple(self.records)

    @property
    def records(self) -> list[Record]:
        """What was recorded so far, in its order."""
        return [made(load=self._id) for made in self._written]

    def _put(self, made: _Made, *, denied: bool = False) -> None:
        """Write a record. That of a decision is long, and is not made where nobody takes it."""
        if self._held is not None:
            self._held.append(made)
            return
        if self._is_heard(denied=denied):
            with exempt():  # a load within a load writes, too
                self._sink.write(made(load=self._id))
        self._written.append(made)

    def _is_heard(self, *, denied: bool) -> bool:
        """Whether anybody takes a record."""
        return not isinstance(self._sink, LoggerSink) or self._sink.takes(denied=denied)


def _at_length(usual: Usual[Own], judge: Judge, names: Snapshot, document: str) -> Verdict:
    """The verdict on a value that was told at once."""
    # By the names that it was judged by: others may have been registered since.
    by = names.only(own.key for own in usual.means)
    callers = Callers(by, judge.catalogue, judge.engine.policy)
    return judge._replace(callers=callers).verdict(document_of(usual.root, name=document))


def _now() -> str:
    return _clock()()


def _clock() -> Callable[[], str]:
    """Spells out the time that it is now. To do so takes longer than to look at the clock."""
    now = datetime.now(UTC)
    return lambda: now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
