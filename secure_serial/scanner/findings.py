"""From a verdict, or an error of a reader, to findings: what, where, why and what to do."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from secure_serial.policy.engine import DEFAULT_DENY, DENY_RULE, LAMBDA
from secure_serial.policy.explain import nearest
from secure_serial.report.model import Finding
from secure_serial.rules.catalogue import lookup
from secure_serial.scanner.suggest import Suggestions, why_not

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from secure_serial.artifact.document import Document
    from secure_serial.artifact.positions import Span
    from secure_serial.errors import SecureSerialError
    from secure_serial.plan.request import Objection
    from secure_serial.policy.conditions import Context
    from secure_serial.policy.engine import Decision, Engine, Verdict
    from secure_serial.scanner.suggest import Suggestion

#: Findings listed for one file. A hostile config can earn millions, and nobody reads them.
MOST = 1000
#: Texts longer than this are not searched for lines: it takes a second for each 10 MB.
_LOCATE_BYTES = 16 * 1024 * 1024


def of_error(error: SecureSerialError, name: str) -> Finding:
    """The finding that an error of a reader is."""
    text = lookup(error.code)
    return Finding(
        code=error.code,
        severity=text.severity or "error",
        file=name,
        message=error.message,
        help=error.help or text.fix,
        member=error.where.member,
        pointer=error.where.pointer,
        unallowable="the file itself is at fault",
    )


def of_lifted(decision: Decision, name: str) -> Finding:
    """What passes though the rules do not let it: by a waiver, or until a policy is enforced."""
    request = decision.request
    return Finding(
        code=decision.code,
        severity="note",
        file=name,
        message=f"{request.symbol}: {decision.reason}",
        help=f"{decision.rules[0]} ({decision.place})" if decision.place else "",
        member=request.member,
        pointer=request.pointer,
        symbol=request.symbol,
    )


#: Denials that are no objection's: no rule, a deny rule, a policy that runs no code.
_BY_THE_WHOLE = (DEFAULT_DENY, DENY_RULE, LAMBDA)


class Explainer:
    """Makes findings of verdicts under one policy."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._suggestions = Suggestions(engine.policy, engine.today)

    def explain(self, verdict: Verdict, name: str) -> tuple[tuple[Finding, ...], int, str]:
        """Findings, how many more there are, and the lines that allow what can be allowed."""
        context = verdict.context
        causes = [
            *((None, o) for o in verdict.objections),
            *((d, o) for d in verdict.denied for o in self._objections(d, context)),
        ]
        listed = causes[:MOST]
        spans = _spans(verdict.plan.document, listed)
        allowing: list[Suggestion] = []
        findings = []
        for decision, objection in listed:
            line = self._suggestions.suggest(decision, context) if decision is not None else None
            if line is not None:
                allowing.append(line)
            findings.append(self._finding(name, decision, objection, line, spans))
        return tuple(findings), len(causes) - len(listed), self._suggestions.lines(allowing)

    def _objections(self, decision: Decision, context: Context) -> Iterator[Objection | None]:
        """Every objection that stands against a request; None where a rule or none decided.

        The engine names the first. Which of the others an allow rule lifts is its decision
        too, so it is asked about each alone.
        """
        if decision.code in _BY_THE_WHOLE or not decision.request.objections:
            yield None
            return
        for objection in islice(decision.request.objections, MOST):
            alone = decision.request._replace(objections=(objection,))
            if self._engine.decide(alone, context).code == objection.code:
                yield objection

    def _finding(
        self,
        name: str,
        decision: Decision | None,
        objection: Objection | None,
        line: Suggestion | None,
        spans: dict[tuple[str, str], Span],
    ) -> Finding:
        code, message, pointer = _cause(decision, objection)
        member = decision.request.member if decision is not None else ""
        span = spans.get((member, pointer))
        text = lookup(code)
        unallowable = ""
        if line is None:
            unallowable = "" if decision is None else why_not(decision, objection)
            unallowable = unallowable or "this is refused whatever the policy allows"
        return Finding(
            code=code,
            severity=text.severity,
            file=name,
            message=message,
            help=self._help(text.fix, decision, unallowable),
            member=member,
            pointer=pointer,
            line=span.line if span is not None else None,
            column=span.column if span is not None else None,
            symbol=decision.request.symbol if decision is not None else "",
            policy_lines=self._suggestions.lines([line]) if line is not None else "",
            unallowable=unallowable,
        )

    def _help(self, fix: str, decision: Decision | None, unallowable: str) -> str:
        if decision is None or decision.code != DEFAULT_DENY:
            return fix
        near = nearest(decision, self._engine.policy, self._engine.today)
        if near:
            return near
        return f"No policy line is offered: {unallowable}." if unallowable else fix


def _cause(decision: Decision | None, objection: Objection | None) -> tuple[str, str, str]:
    if objection is not None:
        return objection.code, objection.detail, objection.pointer
    if decision is None:
        raise AssertionError("a cause is a decision, an objection or both")
    reason = decision.reason
    if decision.code == LAMBDA:  # what it does, or why nobody can say
        request = decision.request
        said = (*request.notes, *(objection.detail for objection in request.objections))
        reason = f"{reason}: {said[0]}" if said else reason
    return decision.code, reason, decision.request.pointer


def _spans(
    document: Document, causes: Iterable[tuple[Decision | None, Objection | None]]
) -> dict[tuple[str, str], Span]:
    """Line and column of every cause that stands in a text."""
    return spans(
        document,
        (
            (d.request.member, o.pointer if o is not None else d.request.pointer)
            for d, o in causes
            if d is not None
        ),
    )


def spans(document: Document, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Span]:
    """Line and column of places, given by member and pointer, as far as they stand in a text."""
    wanted: dict[str, set[str]] = {}
    for member, pointer in places:
        wanted.setdefault(member, set()).add(pointer)
    found: dict[tuple[str, str], Span] = {}
    for part in document.parts:
        pointers = wanted.get(part.member)
        if not pointers or not part.text or len(part.text) > _LOCATE_BYTES:
            continue
        from secure_serial.artifact.positions import locate_many

        for pointer, span in locate_many(part.text, pointers).items():
            found[part.member, pointer] = span
    return found
