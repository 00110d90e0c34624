"""Why each thing in a model is allowed or denied: by which rules, and what to add to which file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.authoring.places import select
from secure_serial.authoring.steps import Trace, Tracer
from secure_serial.policy.engine import DEFAULT_DENY, Lifted
from secure_serial.policy.explain import by_its_path
from secure_serial.scanner.findings import spans
from secure_serial.scanner.suggest import Suggestions, why_not

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from secure_serial.artifact.positions import Span
    from secure_serial.policy.engine import Decision, Verdict

#: Different things that are explained at length; nobody reads more, and each takes a trace.
_MOST = 100
#: Places that are listed for one of them.
_PLACES = 5


class Spot(NamedTuple):
    """One place in a model; line and column where it stands in a text."""

    member: str
    pointer: str
    line: int | None = None
    column: int | None = None


class Explained(NamedTuple):
    """A decision with all that led to it."""

    decision: Decision
    trace: Trace
    spots: tuple[Spot, ...]  # the first places where the same is asked for
    times: int
    lines: str = ""  # what would allow it
    files: tuple[str, ...] = ()  # where the lines belong
    unallowable: str = ""  # why there are none
    misnamed: str = ""  # a rule that means it, and names it by a path that no rule matches by


class Settled(NamedTuple):
    """What the same rules allow, by how often each symbol is asked for."""

    decision: Decision  # the first of them
    symbols: dict[str, int]


class Explanation(NamedTuple):
    """A model, or a part of it, explained under a policy."""

    verdict: Verdict
    explained: tuple[Explained, ...]
    settled: tuple[Settled, ...]
    more: int = 0  # different denials beyond those explained
    place: str = ""


def explain(verdict: Verdict, place: str | None = None) -> Explanation:
    """Why each thing is allowed or denied.

    Args:
        verdict: What a policy says to a model.
        place: A place in the model: what stands there is explained at length, and of what is
            below it what is denied. None: all that is denied in the model.

    Raises:
        NoSuchPlaceError: the model has no such place.

    """
    meant: Sequence[Decision] = ()
    below: Sequence[Decision] = verdict.decisions
    if place is not None:
        meant, below = select(verdict.plan.document, verdict.decisions, place)
    at_length = [[decision] for decision in meant]
    known = {id(decision) for decision in meant}
    others = [decision for decision in below if id(decision) not in known]
    at_length += _alike(d for d in others if not d.allowed or d.lifted is not Lifted.NO)
    settled = _settled(d for d in others if d.allowed and d.lifted is Lifted.NO)
    return Explanation(
        verdict,
        tuple(_explained(verdict, at_length[:_MOST])),
        settled,
        max(len(at_length) - _MOST, 0),
        place or "",
    )


def _alike(decisions: Iterable[Decision]) -> list[list[Decision]]:
    """Decisions that say the same of the same thing, together."""
    found: dict[tuple[object, ...], list[Decision]] = {}
    for decision in decisions:
        request = decision.request
        flaws = tuple((o.code, o.detail) for o in request.objections)
        key = (request.symbol, request.field, decision.code, decision.reason, decision.near, flaws)
        found.setdefault(key, []).append(decision)
    return list(found.values())


def _settled(decisions: Iterable[Decision]) -> tuple[Settled, ...]:
    found: dict[tuple[str, ...], Settled] = {}
    for decision in decisions:
        settled = found.setdefault((*decision.rules, decision.layer), Settled(decision, {}))
        symbol = decision.request.symbol
        settled.symbols[symbol] = settled.symbols.get(symbol, 0) + 1
    return tuple(found.values())


def _explained(verdict: Verdict, several: list[list[Decision]]) -> Iterable[Explained]:
    context = verdict.context
    suggestions = Suggestions(verdict.policy, verdict.today)
    tracer = Tracer(verdict.policy, verdict.today)
    first = [decision.request for group in several for decision in group[:_PLACES]]
    found = spans(verdict.plan.document, [(each.member, each.pointer) for each in first])
    for group in several:
        decision = group[0]
        spots = tuple(_spot(each, found) for each in group[:_PLACES])
        steps = tracer.trace(decision.request, context)
        misnamed = ""
        if decision.code == DEFAULT_DENY:
            misnamed = by_its_path(decision.request, verdict.policy)
        whole = Explained(decision, steps, spots, len(group), misnamed=misnamed)
        line = None if decision.allowed else suggestions.suggest(decision, context)
        if line is not None:
            lines, files = suggestions.lines([line]), tuple(suggestions.files(line))
            yield whole._replace(lines=lines, files=files)
        elif not decision.allowed:
            objections = decision.request.objections
            standing = next((o for o in objections if o.code == decision.code), None)
            yield whole._replace(unallowable=why_not(decision, standing))
        else:
            yield whole


def _spot(decision: Decision, found: dict[tuple[str, str], Span]) -> Spot:
    member, pointer = decision.request.member, decision.request.pointer
    span = found.get((member, pointer))
    return Spot(member, pointer, *((span.line, span.column) if span is not None else ()))
