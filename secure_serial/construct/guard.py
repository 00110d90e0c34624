"""What holds outside a gated load: for a block of code, or for the rest of the process.

`enforcing` and `seal` put a policy in force for code that knows nothing of this package and
calls Keras itself. Every load that it begins becomes a gated one. What the program resolves
by itself (`Dense(activation="relu")`) is its own code and not a stranger's file: it is
decided by the same policy, and recorded once per symbol.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from secure_serial.audit.log import Both, open_sink
from secure_serial.audit.record import resolution_record, tripwire_record
from secure_serial.construct.setup_lock import SETUP
from secure_serial.errors import AuditError, ConstructionError, LoadDenied
from secure_serial.loaded import TO_INSTALL
from secure_serial.plan.request import Action, Request
from secure_serial.policy.engine import Engine
from secure_serial.policy.model import AuditDemand
from secure_serial.policy.source import DEFAULT, check, load_policy

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from datetime import date

    from secure_serial.audit.log import Sink
    from secure_serial.audit.record import Record
    from secure_serial.plan.fields import Field
    from secure_serial.plan.names import Resolution
    from secure_serial.policy.model import Policy
    from secure_serial.policy.source import Given

_current: ContextVar[Guard | None] = ContextVar("secure_serial_guard", default=None)
_seal: list[Guard] = []  # of the process; the last one holds, and is narrower than those before
#: Symbols that were recorded; Keras has some 1,500.
_REMEMBERED = 20_000


class Guard:
    """A policy and a log that are in force."""

    def __init__(self, policy: Policy, sink: Sink, sealed: Guard | None = None) -> None:
        if policy.audit is AuditDemand.REQUIRED and not sink.durable:
            raise AuditError(
                f"the policy {policy.name} demands an audit log, and none was given",
                help="pass audit= with the path of a log",
            )
        self.policy = policy
        self.sink = sink
        self._engine = Engine(policy, _today())
        self.recorded: set[tuple[str, str]] = set()  # symbol and field
        self._sealed = sealed
        self._later: Guard | None = None

    def under(self, seal: Guard | None) -> Guard:
        """What the process's seal, which may have come later, leaves of it."""
        if seal is None or seal is self._sealed:
            return self
        if self._later is None or self._later._sealed is not seal:  # noqa: SLF001 - its own kind
            self._later = Guard(*seal.narrowed(self.policy, self.sink), sealed=seal)
        return self._later

    def narrowed(self, policy: Policy, sink: Sink | None) -> tuple[Policy, Sink]:
        """What holds where a policy and a log are given under this one: never less."""
        together = self.policy.over(policy) if policy is not self.policy else policy
        return together, self.sink if sink is None else Both(self.sink, sink)

    def admit(self, resolution: Resolution, field: Field, written: str) -> None:
        """Decide on a name that the program itself resolves; recorded once per symbol.

        Raises:
            LoadDenied: the policy denies it.
            InvalidPolicy: the policy has ended since it was put in force.

        """
        request = Request(
            "", "", field, Action.REFER, resolution.symbol, None, resolution.origin, written
        )  # fmt: skip
        if resolution.entry is not None:
            request = request._replace(kind=resolution.entry.kind, effects=resolution.entry.effects)
        elif resolution.caller is not None:
            request = request._replace(kind=resolution.caller.kind, owner=resolution.caller.owner)
        decision = self._today_engine().decide(request)
        key = (resolution.symbol, field.value)
        if key not in self.recorded:
            load = uuid.uuid4().hex
            self.sink.write(resolution_record(decision, load=load, time=_now(), policy=self.policy))
            if len(self.recorded) < _REMEMBERED:
                self.recorded.add(key)
        if not decision.allowed:
            raise LoadDenied(
                f"denied by the policy {self.policy.name}: {resolution.symbol}: {decision.reason}",
                code=decision.code,
            )

    def trip(self, load: str, announced: str, detail: str, caller: str) -> Record:
        """Record what the tripwire refused where no `Session` is, and give the record."""
        record = tripwire_record(
            load=load, time=_now(), announced=announced, detail=detail, caller=caller
        )
        self.sink.write(record)
        return record

    def _today_engine(self) -> Engine:
        """The engine of today: a process may run for longer than a waiver, or than a policy."""
        if self._engine.today != _today():
            check(self.policy, _today())
            self._engine = Engine(self.policy, _today())
        return self._engine


def current_guard() -> Guard | None:
    """What is in force here: the block's, as narrow as the process's, or the process's alone."""
    seal = _seal[-1] if _seal else None
    guard = _current.get()
    return seal if guard is None else guard.under(seal)


@contextmanager
def enforcing(
    policy: Given = None, audit: Sink | str | os.PathLike[str] | None = None
) -> Iterator[None]:
    """A block in which Keras's own loading functions obey a policy.

    It holds for the code that runs in this context, and so not for threads that the block
    starts; `seal` holds for those, too. Within another block or under a seal, the policy is
    a layer below that one's: it can only narrow it.

    Args:
        policy: As for `load_model`.
        audit: As for `load_model`.

    Raises:
        InvalidPolicy: the policy cannot be used.
        ConstructionError: this Keras is not one whose doors are known; nothing is enforced.

    """
    token = _current.set(_made(policy, audit))
    try:
        yield
    finally:
        _current.reset(token)


def seal(policy: Given = None, audit: Sink | str | os.PathLike[str] | None = None) -> None:
    """Put a policy in force for the rest of the process. Nothing of this package lifts it.

    A second call narrows the first. It binds data, not code: Python code in the same
    process can undo anything, this too.

    Args:
        policy: As for `load_model`.
        audit: As for `load_model`.

    Raises:
        InvalidPolicy: the policy cannot be used.
        ConstructionError: this Keras is not one whose doors are known; nothing is enforced.

    """
    with SETUP:
        _seal.append(_made(policy, audit))


def seal_ahead(policy: Policy, audit: str) -> None:
    """Seal a process in which Keras may not be imported yet.

    Whoever calls it sees to it that the doors are installed as soon as Keras is.
    """
    with SETUP:
        _seal.append(_guard(policy, audit))


def in_force(
    given: Given, audit: Sink | str | os.PathLike[str] | None, default: str = DEFAULT
) -> tuple[Policy, Sink]:
    """The policy and the log of a load, from what the caller gives and what is in force.

    `default` is the shipped policy of a load for which nobody chose any.
    """
    guard = current_guard()
    if guard is None:
        return load_policy(given, default=default), open_sink(audit)
    policy = guard.policy if given is None else load_policy(given)
    policy, sink = guard.narrowed(policy, None if audit is None else open_sink(audit))
    check(policy, _today())  # it may have ended since it was put in force
    return policy, sink


def _made(policy: Given, audit: Sink | str | os.PathLike[str] | None) -> Guard:
    guard = _guard(policy, audit)
    try:
        from secure_serial.construct.keras import doors

        doors.install()
    except ImportError as error:
        raise ConstructionError(
            f"a policy is enforced within Keras, and Keras cannot be imported ({error})",
            help=TO_INSTALL,
        ) from error
    return guard


def _guard(policy: Given, audit: Sink | str | os.PathLike[str] | None) -> Guard:
    return Guard(*in_force(policy, audit), sealed=_seal[-1] if _seal else None)


def _today() -> date:
    return datetime.now(UTC).date()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
