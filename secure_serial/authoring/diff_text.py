"""What changes from one policy to another, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.authoring.comparing.settings import Way
from secure_serial.authoring.comparing.witnesses import ANY, STRANGERS
from secure_serial.plan.request import Origin
from secure_serial.policy.engine import DEFAULT_DENY, DENY_RULE, Lifted
from secure_serial.report.printable import printable
from secure_serial.report.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from secure_serial.authoring.diff import Change, Difference, ModelChange
    from secure_serial.policy.engine import Decision

#: Names listed for one change; all of them in a verbose text.
_FEW = 8
_WIDTH = 400
_COLOURS = {Way.WIDENS: "red", Way.MAY_WIDEN: "red", Way.NARROWS: "green", Way.NEITHER: "dim"}


def render(found: Difference, style: Style | None = None, *, verbose: int = 0) -> str:
    """The whole difference as lines of text, and at the end whether it widens."""
    style = style or Style()
    lines: list[str] = []
    for title, colour, changes in (
        ("becomes allowed", "red", found.allowed),
        ("becomes denied", "green", found.denied),
    ):
        if changes:
            lines += [style.paint(title, "bold"), *_changes(changes, colour, style, verbose), ""]
    if found.settings:
        lines += [style.paint("settings", "bold"), *_settings(found, style), ""]
    if found.doubts:
        title = "rule by rule: what lets in more, or cannot be shown not to"
        lines += [style.paint(title, "bold"), *_doubts(found, verbose), ""]
    if found.judged:
        lines += [style.paint("models", "bold"), *_models(found, style), ""]
    lines.append(closing(found, style))
    return "\n".join(lines)


def closing(found: Difference, style: Style) -> str:
    """One line: whether it widens."""
    if not found.widens:
        mark = style.paint(style.symbol("✔", "+"), "green")
        return f"{mark} no widening: whatever the new policy allows, the old one allows"
    shown = [
        (
            len({change.symbol for change in found.allowed}),
            "name that becomes allowed",
            "names that become allowed",
        ),
        (sum(s.lets_in for s in found.settings), "setting", "settings"),
        (len(found.doubts), "rule that may", "rules that may"),
        (sum(model.lets_in for model in found.models), "model", "models"),
    ]
    counts = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in shown if n)
    return f"{style.paint(style.symbol('✖', 'x'), 'red')} widens: {counts}"


def _changes(changes: Sequence[Change], colour: str, style: Style, verbose: int) -> Iterator[str]:
    groups: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        effects = change.after.request.effects
        key = (change.witness.told, effects, _why(change.before), _why(change.after))
        groups.setdefault(key, []).append(change)
    for several in sorted(groups.values(), key=_risk):
        told, effects = several[0].witness.told, several[0].after.request.effects
        sign = "+" if several[0].after.allowed else "-"
        names = _names(_symbols(several), verbose)
        yield style.paint(f"  {sign} {names}", colour)
        if effects:
            yield style.paint(f"      it can do more than compute: {', '.join(effects)}", "red")
        left_out = {*several[0].before.looked_at, *several[0].after.looked_at}
        if told:
            yield f"      {printable(', '.join(told), _WIDTH)}"
        elif left_out:
            yield f"      with {printable(', '.join(sorted(left_out)))} left out"
        yield f"      now {_why(several[0].after)}"
        yield f"      before {_why(several[0].before)}"


def _risk(several: list[Change]) -> tuple[bool, bool]:
    """What can do more than compute comes first, and then what is a stranger's."""
    request = several[0].after.request
    return not request.effects, request.origin is not Origin.UNKNOWN


def _symbols(several: list[Change]) -> list[str]:
    """The names, each once; whose they are, where only the program's own have changed."""
    origins: dict[str, set[Origin]] = {}
    for change in several:
        origins.setdefault(change.symbol, set()).add(change.after.request.origin)
    found = []
    for symbol, whose in origins.items():
        own = " (the program's own)" if whose == {Origin.CALLER} else ""
        found.append(_shown(symbol) + own)
    return found


def _shown(symbol: str) -> str:
    if symbol in STRANGERS:
        kind = "registered name" if ">" in symbol else "dotted name"
        return f"any {kind} that no policy has"
    return printable(symbol) + (" (for example)" if ANY in symbol else "")


def _names(names: Sequence[str], verbose: int) -> str:
    shown = names if verbose else names[:_FEW]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _why(decision: Decision) -> str:
    """What made it so, in words that are the same for all that the same rules decide."""
    place = f" ({printable(decision.place)})" if decision.place else ""
    rules = ", ".join(printable(rule) for rule in decision.rules)
    if decision.lifted is not Lifted.NO:
        return f"let pass by {decision.lifted}: {rules}{place}"
    if decision.allowed:
        own = decision.rules[0].startswith("builtin:")
        return f"allowed: {printable(decision.reason)}" if own else f"allowed by {rules}{place}"
    if decision.code == DENY_RULE:
        return f"denied by {rules}{place}"
    if decision.near:
        return f"denied; the nearest rule is {printable(decision.near, _WIDTH)}"
    if decision.code == DEFAULT_DENY:
        return "denied: no rule allows it"
    return f"denied: {decision.code} {printable(decision.reason)}"


def _settings(found: Difference, style: Style) -> Iterator[str]:
    for each in found.settings:
        arrow = style.symbol("→", "->")
        layer = f"{printable(each.layer)}: " if each.layer else ""
        text = f"  {layer}{each.name}  {printable(each.old)} {arrow} {printable(each.new)}"
        yield text + (f"  {style.paint(each.way, _COLOURS[each.way])}" if each.way else "")


def _doubts(found: Difference, verbose: int) -> Iterator[str]:
    for doubt in found.doubts:
        rule = f"{printable(doubt.rule)} " if doubt.rule else ""
        names = [printable(name) for name in doubt.symbols]
        about = f", for {_names(names, verbose)}" if names else ""
        yield f"  ? {rule}({printable(doubt.place)}): {printable(doubt.why, _WIDTH)}{about}"


def _models(found: Difference, style: Style) -> Iterator[str]:
    same = found.judged - len(found.models)
    for model in found.models:
        yield style.paint(f"  {printable(model.name, _WIDTH)}", "bold") + _turn(model, style)
        for sign, decisions in (("+", model.allowed), ("-", model.denied)):
            for decision in decisions[:_FEW]:
                request = decision.request
                place = printable(f"{request.member}#{request.pointer}", _WIDTH)
                yield f"      {sign} {printable(request.symbol)} at {place}: {_why(decision)}"
            if len(decisions) > _FEW:
                yield f"      {sign} and {len(decisions) - _FEW} more"
    yield f"  {same} judged as before"


def _turn(model: ModelChange, style: Style) -> str:
    before, after = printable(model.before), printable(model.after)
    if before == after:
        return f"  {after} by both"
    return f"  {before} {style.symbol('→', '->')} {after}"


def as_object(found: Difference) -> dict[str, object]:
    """The difference as JSON has it."""
    return {
        "old": _policy(found.old.name, found.old.version, found.old.sha256),
        "new": _policy(found.new.name, found.new.version, found.new.sha256),
        "widens": found.widens,
        "changes": [_change(change) for change in found.changes],
        "settings": [
            {"name": s.name, "layer": s.layer, "old": s.old, "new": s.new, "way": s.way.value,
             "lets_in": s.lets_in}
            for s in found.settings
        ],
        "may_widen": [
            {"rule": d.rule, "place": d.place, "why": d.why, "symbols": list(d.symbols)}
            for d in found.doubts
        ],
        "models": [
            {"name": m.name, "before": m.before, "after": m.after, "lets_in": m.lets_in,
             "allowed": [_decision(d) for d in m.allowed],
             "denied": [_decision(d) for d in m.denied]}
            for m in found.models
        ],
        "judged": found.judged,
    }  # fmt: skip


def _policy(name: str, version: int, sha256: str) -> dict[str, object]:
    return {"name": name, "version": version, "sha256": sha256}


def _change(change: Change) -> dict[str, object]:
    request = change.after.request
    return {
        "symbol": request.symbol,
        "becomes": "allowed" if change.after.allowed else "denied",
        "with": list(change.witness.told),
        "field": request.field.value,
        "kind": None if request.kind is None else request.kind.value,
        "origin": request.origin.value,
        "effects": list(request.effects),
        "before": _decision(change.before),
        "after": _decision(change.after),
    }


def _decision(decision: Decision) -> dict[str, object]:
    return {
        "symbol": decision.request.symbol,
        "member": decision.request.member,
        "pointer": decision.request.pointer,
        "effect": decision.effect.value,
        "code": decision.code,
        "rules": list(decision.rules),
        "place": decision.place,
        "layer": decision.layer,
        "reason": decision.reason,
        "near": decision.near,
        "lifted": decision.lifted.value,
    }
