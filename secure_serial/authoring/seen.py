"""What models asked for and a policy does not let in: from the models, or from an audit log.

Requests that a rule cannot tell apart are kept once, with their number and the first places
where they were seen, so that a log of millions fits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.errors import ArtifactError, AuditError, Where
from secure_serial.policy.engine import Engine

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date

    from secure_serial.artifact.document import Json
    from secure_serial.plan.request import Objection
    from secure_serial.policy.conditions import Context
    from secure_serial.policy.engine import Decision
    from secure_serial.policy.model import Policy

#: Places that are kept of each sight.
_PLACES = 3
#: Different sights: more are no oversight in a policy, and nobody reads as many rules.
_MOST = 5000
#: One record holds the decisions on one file; the limits let a file make half a million.
_MOST_LINE = 1 << 30


@dataclass
class Sight:
    """One thing that was denied: the first such decision, and where it was met."""

    decision: Decision
    context: Context
    places: list[Where] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    times: int = 0

    def add(self, place: Where) -> None:
        """Note another place."""
        self.times += 1
        self.files.add(place.file)
        if len(self.places) < _PLACES:
            self.places.append(place)


@dataclass
class Seen:
    """Everything that was seen under a policy."""

    policy: Policy
    today: date | None
    sights: list[Sight] = field(default_factory=list)
    files: int = 0
    wholes: list[tuple[str, str]] = field(default_factory=list)  # files refused as a whole, and why
    unread: list[tuple[str, str]] = field(default_factory=list)
    more: int = 0  # sights beyond those kept
    _known: dict[tuple[object, ...], Sight] = field(default_factory=dict)

    def add(self, decision: Decision, context: Context, file: str) -> None:
        """Note a decision, if it denies."""
        if decision.allowed:
            return
        request = decision.request
        flaws = tuple((o.code, o.argument) for o in request.objections)
        key = (
            request.symbol, request.field, request.action, request.origin, request.effects,
            request.digest, flaws, decision.code, bool(decision.near),
        )  # fmt: skip
        sight = self._known.get(key)
        if sight is None:
            if len(self._known) >= _MOST:
                self.more += 1
                return
            sight = self._known[key] = Sight(decision, context)
            self.sights.append(sight)
        sight.add(Where(file, request.member, request.pointer))

    def refuse(self, file: str, objections: Iterable[Objection]) -> None:
        """Note what is wrong with a file as a whole."""
        self.wholes += [(file, f"{o.code} {o.detail}") for o in objections]


def in_files(
    paths: Iterable[str | os.PathLike[str]],
    policy: Policy,
    today: date | None,
    progress: Callable[[str], None] | None = None,
) -> Seen:
    """What models ask for, in the order of the paths and, in folders, of the names."""
    from secure_serial.scanner.collect import Take, collect
    from secure_serial.scanner.judge import Judge, is_no_model

    seen = Seen(policy, today)
    judge = Judge(policy)
    for candidate in collect(paths):
        if candidate.take is Take.FAIL:
            seen.unread.append((candidate.name, candidate.reason))
        if candidate.take is not Take.JUDGE:
            continue
        if progress is not None:
            progress(candidate.name)
        try:
            verdict = judge.verdict(candidate.path, candidate.name)
        except ArtifactError as error:
            if candidate.explicit or not is_no_model(error, candidate):
                seen.unread.append((candidate.name, error.message))
            continue
        seen.files += 1
        seen.refuse(candidate.name, verdict.objections)
        for decision in verdict.denied:
            seen.add(decision, verdict.context, candidate.name)
    return seen


def in_log(path: str | os.PathLike[str], policy: Policy, today: date | None) -> Seen:
    """What an audit log saw asked for, judged by this policy.

    Raises:
        AuditError: it cannot be read, or is no audit log.

    """
    from secure_serial.authoring.replay import asked_for

    seen = Seen(policy, today)
    engine = Engine(policy, today)
    for number, record in _records(Path(path)):
        if record.get("event") not in ("decision", "resolution"):
            continue
        try:
            requests, context = asked_for(record)
        except ArtifactError as error:
            raise _no_log(path, number, error.message) from None
        subject = record.get("subject")
        name = str(subject["name"]) if isinstance(subject, dict) else "(by the program)"
        seen.files += 1
        for request in requests:
            seen.add(engine.decide(request, context), context, name)
        objections = record.get("objections")
        for each in objections if isinstance(objections, list) else ():
            if isinstance(each, dict):
                seen.wholes.append((name, f"{each.get('code')} {each.get('detail')}"))
    return seen


def _records(path: Path) -> Iterator[tuple[int, dict[str, Json]]]:
    from secure_serial.artifact.json_text import parse_json
    from secure_serial.limits import Limits

    # A record is as large as what it tells of, and no larger nested.
    limits = Limits(config_bytes=_MOST_LINE, string_bytes=_MOST_LINE, nodes=_MOST_LINE)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_MOST_LINE), b""), start=1):
                if not line.strip():
                    continue
                try:
                    record = parse_json(line, limits)
                except ArtifactError as error:
                    raise _no_log(path, number, error.message) from None
                if not isinstance(record, dict):
                    raise _no_log(path, number, "not an object")
                yield number, record
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        if isinstance(error, AuditError | ArtifactError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise AuditError(f"cannot be read: {reason}", where=Where(str(path))) from None


def _no_log(path: str | os.PathLike[str], number: int, why: str) -> AuditError:
    text = f"line {number} is no record of an audit log: {why}"
    return AuditError(text, where=Where(str(path)))
