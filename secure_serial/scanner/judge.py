"""One candidate -> one `FileReport`: read, plan, decide, record, explain.

A hostile file ends in findings and a broken one in a reason; a fault of this package is a
verdict of its own, so that it neither passes for "allowed" nor stops the other files.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from secure_serial.artifact import open_artifact, read_artifact
from secure_serial.artifact.faults import Fault
from secure_serial.data import catalogue
from secure_serial.errors import (
    ArtifactError,
    AuditError,
    LimitExceeded,
    MalformedArtifact,
    UnsafeArtifact,
    Where,
)
from secure_serial.plan.walker import make_plan
from secure_serial.policy.engine import Engine, Verdict
from secure_serial.report.model import FileReport, PolicyRef, Status
from secure_serial.scanner.collect import Candidate, Take
from secure_serial.scanner.sniff import may_be_keras

if TYPE_CHECKING:
    from secure_serial.artifact.document import Document
    from secure_serial.plan.catalogue import Catalogue
    from secure_serial.policy.model import Policy
    from secure_serial.scanner.findings import Explainer
    from secure_serial.scanner.records import Recorder

#: A file that a walk met and that says itself that it is something else.
_NO_MODEL = frozenset({Fault.NOT_A_CONFIG, Fault.OTHER_FORMAT})


class Judge:
    """Judges files under one policy; what they share is made once."""

    def __init__(self, policy: Policy, recorder: Recorder | None = None) -> None:
        self.policy = policy
        self._engine = Engine(policy, datetime.now(UTC).date())
        self._recorder = recorder
        self._catalogue: Catalogue | None = None
        self._explainer: Explainer | None = None

    @property
    def ref(self) -> PolicyRef:
        """The policy, as reports name it."""
        return PolicyRef(self.policy.name, self.policy.version, self.policy.sha256)

    def judge(self, candidate: Candidate) -> FileReport:
        """The report on one candidate. Raises nothing but AuditError."""
        name = candidate.name
        if candidate.take is Take.FAIL:
            error = MalformedArtifact(candidate.reason, code=Fault.UNREADABLE, where=Where(name))
            return self._at_fault(error, candidate)
        if candidate.take is not Take.JUDGE:
            return FileReport(name, Status.SKIPPED, candidate.reason)
        try:
            verdict = self.verdict(candidate.path, name)
            if self._recorder is not None:
                self._recorder.decided(verdict)
            return self.report(verdict, name)
        except ArtifactError as error:
            return self._at_fault(error, candidate)
        except AuditError:
            raise
        except Exception as error:  # noqa: BLE001 - the other files are still to be judged
            return _internal(error, name)

    def verdict(self, path: str, name: str) -> Verdict:
        """What the policy says to all that a file asks for.

        Raises:
            ArtifactError: the file cannot be read, or is hostile in itself.

        """
        document, digest = self._read(path, name)
        if self._catalogue is None:
            self._catalogue = catalogue()
        plan = make_plan(document, catalogue=self._catalogue, callers={}, limits=self.policy.limits)
        return self._engine.judge(plan, digest)

    def _read(self, path: str, name: str) -> tuple[Document, str | None]:
        """The document and, where the policy asks for it, the digest of the whole file."""
        if not self.policy.digests_matter:
            return read_artifact(path, self.policy.limits, name=name), None
        with open_artifact(path, self.policy.limits, name=name) as opened:
            return opened.document, opened.sha256()

    def report(self, verdict: Verdict, name: str) -> FileReport:
        """A verdict as a report, with everything that is denied explained."""
        document = verdict.plan.document
        report = FileReport(
            name=name,
            status=Status.ALLOWED,
            format=document.format.value,
            size=document.size,
            judged_sha256=document.judged_sha256,
            keras_version=document.keras_version,
            requests=len(verdict.decisions),
            layers=verdict.plan.layers,
        )
        if verdict.waived or verdict.reported:
            report = _lifted(verdict, report)
        return report if verdict.allowed else self._denied(verdict, report)

    def _denied(self, verdict: Verdict, report: FileReport) -> FileReport:
        from secure_serial.scanner.findings import Explainer

        if self._explainer is None:
            self._explainer = Explainer(self._engine)
        findings, omitted, lines = self._explainer.explain(verdict, report.name)
        return report._replace(
            status=Status.DENIED, findings=findings, omitted=omitted, policy_lines=lines
        )

    def _at_fault(self, error: ArtifactError, candidate: Candidate) -> FileReport:
        from secure_serial.scanner.findings import of_error

        name = candidate.name
        if not candidate.explicit and is_no_model(error, candidate):
            return FileReport(name, Status.SKIPPED, f"not a Keras model: {error.message}")
        status = Status.DENIED if shows_intent(error) else Status.FAILED
        if self._recorder is not None:
            self._recorder.refused(error, denied=status is Status.DENIED)
        reason = "" if status is Status.DENIED else error.message
        return FileReport(name, status, reason, findings=(of_error(error, name),))


def shows_intent(error: ArtifactError) -> bool:
    """Whether a file is hostile in itself, rather than damaged."""
    from secure_serial.rules.catalogue import lookup

    if isinstance(error, UnsafeArtifact | LimitExceeded):
        return True
    return lookup(error.code).outcome == "denied"


def _lifted(verdict: Verdict, report: FileReport) -> FileReport:
    from secure_serial.scanner.findings import MOST, of_lifted

    return report._replace(
        waived=tuple(of_lifted(d, report.name) for d in verdict.waived[:MOST]),
        reported=tuple(of_lifted(d, report.name) for d in verdict.reported[:MOST]),
    )


def is_no_model(error: ArtifactError, candidate: Candidate) -> bool:
    """Whether a file that a walk met, and that cannot be read, was no model to begin with."""
    if error.code in _NO_MODEL:
        return True
    if error.code == Fault.JSON_SYNTAX and not candidate.path.lower().endswith(".json"):
        return True  # a text that happens to begin like JSON
    try:
        with open(candidate.path, "rb") as file:  # noqa: PTH123  (no pathlib in the fast path)
            return not may_be_keras(file, candidate.kind)
    except OSError:
        return False


def _internal(error: Exception, name: str) -> FileReport:
    import traceback

    return FileReport(
        name,
        Status.INTERNAL,
        f"{type(error).__name__}: {error}",
        trace="".join(traceback.format_exception(error)),
    )
