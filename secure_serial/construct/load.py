"""The enforcement point: read, plan, decide, record, and only then build.

Both entries share it, the seed's `deserialize_keras_object` and `load_model`, so the
verdict of one cannot differ from the other's, nor either from the scanner's.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from secure_serial.audit.record import decision_record, outcome_record, tripwire_record
from secure_serial.construct.callers import describe
from secure_serial.construct.denial import denial, tripped
from secure_serial.construct.guard import in_force
from secure_serial.construct.keras.versions import catalogue
from secure_serial.construct.revive import ConstructionValueError, behind, revive
from secure_serial.construct.session import Session, current
from secure_serial.construct.tables import spell_out
from secure_serial.construct.tripwire import Wire, exempt
from secure_serial.errors import (
    AuditError,
    ConstructionError,
    LoadDenied,
    SecureSerialError,
    Where,
)
from secure_serial.plan.walker import make_plan
from secure_serial.policy.engine import decide
from secure_serial.policy.model import AuditDemand
from secure_serial.registry import snapshot

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from secure_serial.artifact import Opened
    from secure_serial.artifact.document import Document
    from secure_serial.audit.log import Sink
    from secure_serial.audit.record import Record
    from secure_serial.plan.request import CallerObject
    from secure_serial.policy.engine import Verdict
    from secure_serial.policy.model import Policy
    from secure_serial.policy.source import Given
    from secure_serial.registry import Snapshot


@dataclass(slots=True)
class LoadResult:
    """A loaded model with everything that was decided and recorded on the way."""

    model: Any
    verdict: Verdict
    records: list[Record] = field(default_factory=list)


def load_model(
    path: str | os.PathLike[str],
    *,
    policy: Given = None,
    audit: Sink | str | os.PathLike[str] | None = None,
    custom_objects: Mapping[str, object] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    migrate: bool = False,
) -> Any:
    """A real Keras model from a file, behind a policy.

    Args:
        path: A `.keras` archive or directory, a legacy `.h5` file, or a bare config
            (which gives a model with fresh weights).
        policy: A shipped name ("keras-core", "strict"), the path of a TOML file, a
            `Policy`, or a list of these for a stack of layers, the first on top; None is
            the system-wide file or, where there is none, "keras-core".
        audit: The path of an audit log or an `AuditLog`; None keeps the records in memory
            and sends them to the logger `secure_serial.audit`.
        custom_objects: The program's own classes and functions, by name.
        compile: Whether to compile the model as the file says.
        safe_mode: As in Keras. Lambdas are refused either way in this release.
        migrate: Whether to bring a config of Keras 0 to 2 into today's form, and judge it again.

    Raises:
        LoadDenied: the policy denies something that the file asks for; nothing was built.
        CannotMigrate: (a ConstructionError) something has no exact form of today.
        ArtifactError: the file cannot be read, or misuses its format.
        InvalidPolicy: the policy cannot be used.
        AuditError: the audit log cannot be written; nothing was built.
        ConstructionError: it is allowed, and Keras could not build it.

    """
    return load_result(
        path,
        policy=policy,
        audit=audit,
        custom_objects=custom_objects,
        compile=compile,
        safe_mode=safe_mode,
        migrate=migrate,
    ).model


def load_result(
    path: str | os.PathLike[str],
    *,
    policy: Given = None,
    audit: Sink | str | os.PathLike[str] | None = None,
    custom_objects: Mapping[str, object] | None = None,
    compile: bool = True,
    safe_mode: bool = True,  # noqa: ARG001 - Keras's signature
    migrate: bool = False,
) -> LoadResult:
    """As `load_model`, with the verdict and the records beside the model."""
    from secure_serial.artifact import open_artifact

    load = _Load(policy, audit, snapshot(custom_objects))
    with open_artifact(path, load.policy.limits, hold=True) as opened:
        return load.model(opened, compile=compile, migrate=migrate)


def load_stream(
    file: BinaryIO,
    *,
    name: str,
    custom_objects: Mapping[str, object] | None,
    compile: bool,
    within: Session | None = None,
) -> Any:
    """As `load_model`, from a file that is open already. Raises as it does.

    `within` is the load that this one is a part of: its policy and its log hold.
    """
    from secure_serial.artifact import opened_stream

    load = _Load(*_of(within), snapshot(custom_objects))
    return load.model(opened_stream(file, name, load.policy.limits), compile=compile).model


def model_from_text(
    text: bytes,
    custom_objects: Mapping[str, object] | None,
    *,
    compile: bool,
    within: Session | None = None,
) -> Any:
    """The model of a config in text, with fresh weights. Raises as `load_model` does."""
    from secure_serial.artifact import Opened, read_artifact

    load = _Load(*_of(within), snapshot(custom_objects))
    document = read_artifact(text, load.policy.limits, name="<config>")
    return load.model(Opened(document, None, len(text)), compile=compile).model


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, object] | None = None,
    safe_mode: bool = True,  # noqa: ARG001, FBT001, FBT002 - Keras's signature
    *,
    policy: Given = None,
    audit: Sink | str | os.PathLike[str] | None = None,
    **kwargs: Any,
) -> Any:
    """The object that a config dictionary describes, behind a policy.

    Drop-in for `keras.saving.deserialize_keras_object`; works without Keras for classes
    that the program registered. Called while a gated load builds (from a class's own
    `from_config`), it takes part in that load, whatever `policy` says.

    Args:
        config: What `serialize_keras_object` gave: a dict, or a plain value.
        custom_objects: The program's own classes and functions, by name.
        safe_mode: As in Keras. Lambdas are refused either way in this release.
        policy: As for `load_model`.
        audit: As for `load_model`.
        **kwargs: `module_objects`, as in Keras; others are ignored, as Keras does.

    Raises:
        LoadDenied: (a ValueError) the policy denies something; nothing was built.
        ConstructionError: (a TypeError) a class is missing, or its constructor failed.
        ArtifactError: (a ValueError) it is no config, or exceeds the limits.

    >>> from secure_serial import register_keras_serializable
    >>> @register_keras_serializable("doc")
    ... class Point:
    ...     def __init__(self, x): self.x = x
    ...     def get_config(self): return {"x": self.x}
    ...     @classmethod
    ...     def from_config(cls, config): return cls(**config)
    >>> node = {"class_name": "Point", "config": {"x": 3}, "registered_name": "doc>Point"}
    >>> deserialize_keras_object(node).x
    3

    """
    return _deserialize(
        config,
        lambda names: _Load(policy, audit, names),
        custom_objects,
        kwargs.get("module_objects"),
    )


def deserialize_own(
    config: Any,
    custom_objects: Mapping[str, object] | None,
    recorded: set[tuple[str, str]],
    *,
    modules: Mapping[str, object] | None = None,
) -> Any:
    """As `deserialize_keras_object`, for what a program does by itself, dozens of times a layer.

    It has a plan of its own under the policy that is in force. It is recorded if it is
    denied or fails, or if a symbol in it was not recorded before.
    """
    return _deserialize(
        config, lambda names: _Load(None, None, names, recorded), custom_objects, modules
    )


def _deserialize(
    config: Any,
    begin: Callable[[Snapshot], _Load],
    custom_objects: Mapping[str, object] | None,
    modules: Mapping[str, object] | None,
) -> Any:
    session = current()
    if session is not None:
        return revive(config, session, modules=modules)
    own: dict[str, object] = dict(custom_objects or {})
    if modules:
        config, found = spell_out(config, modules, catalogue())
        own = {**found, **own}
    names = snapshot(own)
    if config is None or isinstance(config, bool | int | float):
        return config
    if isinstance(config, str) and config not in names:
        return config
    from secure_serial.artifact.dict_value import read_value

    load = begin(names)
    document = read_value(config, load.policy.limits, name="<config>")
    session = load.judge(document, action="deserialize", file_sha256=None)
    with load.outcome(session):
        return revive(session.hand_out(document.parts[0].root), session)


def _of(session: Session | None) -> tuple[Policy | None, Sink | None]:
    return (None, None) if session is None else (session.verdict.policy, session.sink)


class _Load:
    """One load from its policy to its outcome."""

    def __init__(
        self,
        policy: Given,
        audit: Sink | str | os.PathLike[str] | None,
        names: Snapshot,
        recorded: set[tuple[str, str]] | None = None,
    ) -> None:
        self.policy, self._sink = in_force(policy, audit)
        self._recorded = recorded  # what need not be recorded again; None: everything must be
        self._held: list[Record] | None = None  # records that only matter if something fails
        self.records: list[Record] = []
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
        return LoadResult(model, session.verdict, self.records)

    def judge(
        self,
        document: Document,
        *,
        action: str,
        file_sha256: str | None,
        unless: Callable[[Verdict], bool] | None = None,
    ) -> Session:
        """Plan, decide and record; raises `LoadDenied` unless it is allowed, or `unless` holds."""
        known = catalogue()
        callers: dict[str, CallerObject] = dict(describe(self._names, known, self.policy))
        plan = make_plan(document, catalogue=known, callers=callers, limits=self.policy.limits)
        today = datetime.now(UTC).date()
        verdict = decide(plan, self.policy, today=today, file_sha256=file_sha256)
        self._held = [] if self._is_old(verdict) else None
        self._write(decision_record(verdict, load=self._id, time=_now(), action=action))
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
        # A class may have swallowed a refusal and been built without what it asked for.
        built = outcome_record(load=self._id, time=_now(), outcome="built", refused=session.refused)
        if session.refused:
            self._release()
        self._write(built)

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
        for record in held or ():
            self._write(record)

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

    def _write(self, record: Record) -> None:
        if self._held is not None:
            self._held.append(record)
            return
        with exempt():  # a load within a load writes, too
            self._sink.write(record)
        self.records.append(record)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
