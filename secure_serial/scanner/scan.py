"""`scan`: paths in, a report out. Stops after the decisions; nothing is imported or built."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from secure_serial.policy.source import load_policy
from secure_serial.report.model import Report
from secure_serial.scanner.collect import Candidate, Take, collect
from secure_serial.scanner.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from secure_serial.audit.log import Sink
    from secure_serial.plan.request import Plan
    from secure_serial.policy.engine import Verdict
    from secure_serial.policy.source import Given
    from secure_serial.report.model import FileReport
    from secure_serial.scanner.records import Recorder


def scan(
    paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str],
    *,
    policy: Given = None,
    audit: Sink | str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Judge files, and the models in folders, without loading any.

    Args:
        paths: A path or several. A folder is searched; a link in it is not followed.
        policy: A `Policy`, a shipped one's name, a TOML file's path, or a list of these for
            a stack of layers; None: the system-wide file, else `keras-core`.
        audit: A log, or the path of one; None: nothing is recorded.
        progress: Called with each file's name before it is judged.

    Raises:
        InvalidPolicy: the policy cannot be used; nothing was judged.
        AuditError: the log that was asked for cannot be written.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "config.json"
    >>> _ = path.write_text('{"class_name": "Evil", "config": {}}')
    >>> [finding.code for file in scan(path).files for finding in file.findings]
    ['SS301']

    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    judge = Judge(load_policy(policy), _recorder(audit))
    files: list[FileReport] = []
    others: list[str] = []
    for candidate in collect(paths):
        if candidate.take is Take.OTHER:
            others.append(candidate.name)
            continue
        if progress is not None:
            progress(candidate.name)
        files.append(judge.judge(candidate))
    return Report(judge.ref, tuple(files), tuple(others))


def inspect(path: str | os.PathLike[str], *, policy: Given = None) -> Plan:
    """Everything that loading a file would make happen, without loading it.

    Args:
        path: A model, a config or a saved folder.
        policy: Whose limits bound the reading; as for `scan`.

    Raises:
        ArtifactError: the file cannot be read.
        InvalidPolicy: the policy cannot be used.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "config.json"
    >>> _ = path.write_text('{"class_name": "Dense", "config": {"units": 3}}')
    >>> [request.symbol for request in inspect(path).requests]
    ['keras.layers.Dense']

    """
    return verdict_on(path, policy=policy).plan


def verdict_on(
    path: str | os.PathLike[str],
    *,
    policy: Given = None,
    audit: Sink | str | os.PathLike[str] | None = None,
) -> Verdict:
    """The plan of one file with every decision on it. Raises as `inspect` does."""
    recorder = _recorder(audit)
    candidate = Candidate(os.fspath(path), explicit=True)
    verdict = Judge(load_policy(policy)).verdict(candidate.path, candidate.name)
    if recorder is not None:
        recorder.decided(verdict)
    return verdict


def _recorder(audit: Sink | str | os.PathLike[str] | None) -> Recorder | None:
    if audit is None:
        return None
    from secure_serial.audit.log import open_sink
    from secure_serial.scanner.records import Recorder, new_id, now

    return Recorder(open_sink(audit), now, new_id)
