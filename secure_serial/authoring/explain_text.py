"""An explanation as a person reads it, step by step, and as a program does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.authoring.steps import Outcome
from secure_serial.plan.request import Action, Origin
from secure_serial.policy.engine import Lifted
from secure_serial.report.model import Status
from secure_serial.report.printable import printable
from secure_serial.report.style import Style
from secure_serial.rules.catalogue import lookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from secure_serial.authoring.explain import Explained, Explanation, Settled, Spot
    from secure_serial.authoring.steps import RuleWord, Step, WaiverWord
    from secure_serial.plan.request import Objection, Request
    from secure_serial.policy.engine import Decision

_WIDTH = 400
_FEW = 6
_TIMES = "\N{MULTIPLICATION SIGN}"
_DOES = {
    Action.CONSTRUCT: "to be built",
    Action.REFER: "to be handed over",
    Action.DECODE: "a value to be decoded",
    Action.LAMBDA: "code to be run",
}
_WHOSE = {
    Origin.KERAS: "Keras's own",
    Origin.LEGACY: "of an earlier Keras",
    Origin.CALLER: "the program's own",
    Origin.ENCODING: "Keras's notation for a value",
    Origin.UNKNOWN: "a stranger's",
}
_SAYS = {
    Outcome.DENIES: "denies it",
    Outcome.PASSES: "lets it pass",
    Outcome.KEEPS: "says nothing, and keeps what the layers above let pass",
    Outcome.LEAVES: "leaves it to the layer below",
    Outcome.WAIVES: "does not let it pass, but it is waived",
    Outcome.REPORTS: "does not let it pass yet, and only reports it",
    Outcome.REFUSES: "does not let it pass",
}


def render(found: Explanation, style: Style | None = None, *, verbose: int = 0) -> str:
    """The whole explanation as lines of text."""
    style = style or Style()
    document, policy = found.verdict.plan.document, found.verdict.policy
    names = ", over ".join(printable(layer.name) for layer in policy.layers)
    lines = [f"{style.paint(printable(document.name, _WIDTH), 'bold')}  under {names}", ""]
    if not found.place:
        for objection in found.verdict.objections:
            mark = style.mark(Status.DENIED)
            lines += [f"{mark} as a whole: {objection.code} {printable(objection.detail)}", ""]
    for each in found.explained:
        lines += [*_one(each, style), ""]
    if found.more:
        lines += [f"and {found.more} more that are denied", ""]
    lines += [_settled(each, style, verbose) for each in found.settled]
    return "\n".join(lines).rstrip("\n")


def _one(each: Explained, style: Style) -> Iterator[str]:
    request = each.decision.request
    mark = style.mark(Status.ALLOWED if each.decision.allowed else Status.DENIED)
    name = f" {printable(request.name, 80)!r}" if request.name else ""
    yield f"{mark} {style.paint(printable(request.symbol), 'bold')}{name}"
    for spot in each.spots:
        yield f"    at {_place(spot)}"
    if each.times > len(each.spots):
        yield f"    and at {each.times - len(each.spots)} more places"
    yield f"    {_asked(request)}"
    yield from _tree(list(_branches(each, style)), style)
    yield from _remedy(each, style)


def _place(spot: Spot) -> str:
    text = printable(
        f"{spot.member}#{spot.pointer or '/'}" if spot.member else spot.pointer or "/", _WIDTH
    )
    return text if spot.line is None else f"{text} (line {spot.line}, column {spot.column})"


def _asked(request: Request) -> str:
    what = f"{_DOES[request.action]}, where a {request.field.value.replace('_', ' ')} stands"
    kind = f"a {request.kind.value.replace('_', ' ')}, " if request.kind is not None else ""
    text = f"{what}; it is {kind}{_WHOSE[request.origin]}"
    if request.written not in ("", request.symbol):
        text += f"; the file calls it {printable(request.written, 120)}"
    if request.effects:
        text += f"; it can do more than compute: {', '.join(request.effects)}"
    return text


# The steps, as branches of a small tree: a line, and what stands below it.


def _branches(each: Explained, style: Style) -> Iterator[tuple[str, list[str]]]:
    decision = each.decision
    for objection in decision.request.objections[:_FEW]:
        yield _objection(objection, each), []
    if each.trace.steps[0].outcome is not Outcome.DENIES:
        yield "no deny rule means it", []
    wrong = {objection.detail for objection in decision.request.objections}
    for step in each.trace.steps:
        yield _step(step, style), list(_because(step, wrong))
    colour = "green" if decision.allowed else "red"
    yield style.paint(_verdict(decision), colour), []


def _objection(objection: Objection, each: Explained) -> str:
    text = f"{objection.code} {printable(objection.detail, _WIDTH)}"
    lifted = each.decision.allowed
    return f"{text} (permitted)" if lifted else text


def _step(step: Step, style: Style) -> str:
    return f"{style.paint(printable(step.layer), 'bold')} {_SAYS[step.outcome]}"


def _because(step: Step, said: set[str]) -> Iterator[str]:
    """The rules and waivers that a layer has on it, and why each does or does not count."""
    yield from (_rule(rule, step) for rule in step.rules[:_FEW])
    if len(step.rules) > _FEW:
        yield f"and {len(step.rules) - _FEW} more rules that name it"
    by_rules = step.outcome is Outcome.PASSES and step.rules
    if step.reason in said:
        yield f"{step.code} stands against it"
    elif step.reason and not by_rules and step.outcome is not Outcome.KEEPS:
        yield printable(step.reason, _WIDTH)
    elif step.outcome is Outcome.PASSES and not step.rules:
        yield "it is a value, and runs nothing"
    yield from map(_waiver, step.waivers[:_FEW])


def _rule(rule: RuleWord, step: Step) -> str:
    name = f"{rule.effect.value} rule {printable(rule.id)} ({printable(rule.place)})"
    if not rule.why_not:
        reason = (
            f": {printable(step.reason)}" if step.reason and step.outcome is Outcome.PASSES else ""
        )
        return f"{name} means it{reason}" + (f" ({rule.note})" if rule.note else "")
    return f"{name} does not: {printable(rule.why_not, _WIDTH)}"


def _waiver(waiver: WaiverWord) -> str:
    name = f"waiver {printable(waiver.id)} ({printable(waiver.place)}) of {printable(waiver.who)}"
    return (
        f"{name} does not lift it: {printable(waiver.why_not)}"
        if waiver.why_not
        else f"{name} lifts it"
    )


def _verdict(decision: Decision) -> str:
    if decision.lifted is Lifted.WAIVED:
        return "allowed by a waiver"
    if decision.lifted is Lifted.REPORTED:
        return f"allowed for now, and reported: {decision.code} {lookup(decision.code).title}"
    if decision.allowed:
        return "allowed"
    return f"denied: {decision.code} {lookup(decision.code).title}"


def _tree(branches: Sequence[tuple[str, list[str]]], style: Style) -> Iterator[str]:
    tee, corner = style.symbol("├─ ", "|- "), style.symbol("└─ ", "`- ")
    bar = style.symbol("│  ", "|  ")
    for number, (text, below) in enumerate(branches):
        last = number == len(branches) - 1
        yield f"    {corner if last else tee}{text}"
        yield from (f"    {'   ' if last else bar}  {line}" for line in below)


def _remedy(each: Explained, style: Style) -> Iterator[str]:
    if each.misnamed:
        yield f"    {printable(each.misnamed, _WIDTH)}"
    if each.lines:
        where = "add these lines" if "# in " in each.lines else "write a policy of your own"
        yield f"    To allow it, if you trust it, {where}:"
        yield from (f"      {printable(line, None)}".rstrip() for line in each.lines.split("\n"))
    elif each.unallowable:
        arrow = style.symbol("→", "->")
        yield f"    {arrow} no line is offered: {printable(each.unallowable, _WIDTH)}"


def _settled(each: Settled, style: Style, verbose: int) -> str:
    decision = each.decision
    names = [
        printable(symbol) + (f" {style.symbol(_TIMES, 'x')}{times}" if times > 1 else "")
        for symbol, times in each.symbols.items()
    ]
    shown = names if verbose else names[:_FEW]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    rules = ", ".join(printable(rule) for rule in decision.rules)
    by = f"{rules} ({printable(decision.place)})" if decision.place else rules
    return f"{style.mark(Status.ALLOWED)} by {by}: {', '.join(shown)}{more}"


def as_object(found: Explanation) -> dict[str, object]:
    """The explanation as JSON has it."""
    verdict = found.verdict
    return {
        "file": {
            "name": verdict.plan.document.name,
            "format": verdict.plan.document.format.value,
            "judged_sha256": verdict.plan.document.judged_sha256,
        },
        "place": found.place,
        "allowed": verdict.allowed,
        "layers": [
            {"name": p.name, "source": p.source, "version": p.version, "sha256": p.sha256}
            for p in verdict.policy.layers
        ],
        "objections": [_objection_object(o) for o in verdict.objections],
        "explained": [_one_object(each) for each in found.explained],
        "explained_omitted": found.more,
        "settled": [
            {"rules": list(each.decision.rules), "place": each.decision.place,
             "layer": each.decision.layer, "symbols": each.symbols}
            for each in found.settled
        ],
    }  # fmt: skip


def _one_object(each: Explained) -> dict[str, object]:
    decision, request = each.decision, each.decision.request
    return {
        "symbol": request.symbol,
        "name": request.name,
        "written": request.written,
        "action": request.action.value,
        "field": request.field.value,
        "kind": None if request.kind is None else request.kind.value,
        "origin": request.origin.value,
        "effects": list(request.effects),
        "objections": [_objection_object(o) for o in request.objections],
        "places": [spot._asdict() for spot in each.spots],
        "times": each.times,
        "effect": decision.effect.value,
        "code": decision.code,
        "reason": decision.reason,
        "rules": list(decision.rules),
        "near": decision.near,
        "layer": decision.layer,
        "lifted": decision.lifted.value,
        "steps": [_step_object(step) for step in each.trace.steps],
        "policy_lines": each.lines,
        "policy_files": list(each.files),
        "misnamed": each.misnamed,
        "unallowable": each.unallowable,
    }


def _objection_object(objection: Objection) -> dict[str, object]:
    return {
        "code": objection.code,
        "detail": objection.detail,
        "pointer": objection.pointer,
        "argument": objection.argument,
    }


def _step_object(step: Step) -> dict[str, object]:
    return {
        "layer": step.layer,
        "outcome": step.outcome.name.lower(),
        "code": step.code,
        "reason": step.reason,
        "rules": [{**rule._asdict(), "effect": rule.effect.value} for rule in step.rules],
        "waivers": [{**each._asdict(), "expires": str(each.expires)} for each in step.waivers],
    }
