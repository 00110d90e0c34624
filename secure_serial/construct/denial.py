"""The errors that say why a load was refused, and what would allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.data import policy_names
from secure_serial.errors import LoadDenied, Where
from secure_serial.plan.request import Origin
from secure_serial.policy.engine import DEFAULT_DENY
from secure_serial.policy.explain import UNKNOWN, nearest, offer_for, tables

if TYPE_CHECKING:
    from secure_serial.policy.engine import Decision, Verdict

#: More denials than this in one message would not be read; all are in `verdict`.
_SHOWN = 5
TRIPPED = "SS350"
CODE_REFUSED = "SS303"
_CODE = (
    "the file holds functions as code, which safe_mode=True refuses; `secure-serial lambda show` "
    "prints them, and with safe_mode=False the policy decides and what it lets pass runs restricted"
)


def tripped(verdict: Verdict, event: str, detail: str, caller: str) -> LoadDenied:
    """The error that ends a load which made the interpreter do what no load needs."""
    error = tripped_by(verdict.plan.document.name, event, detail, caller)
    error.verdict = verdict
    return error


def tripped_by(name: str, event: str, detail: str, caller: str) -> LoadDenied:
    """The same for a file of weights, on which there is no verdict."""
    return LoadDenied(
        f"the tripwire was touched: {event}({detail}), by {caller}; no load needs that",
        code=TRIPPED,
        where=Where(name),
        help="if a class of your own did it, have it import and read what it needs before the "
        "load, or when it is called",
    )


def denial(verdict: Verdict) -> LoadDenied:
    """The error that says why a verdict denies: each reason, and what would allow it."""
    denied = verdict.denied
    lines = [f"{d.request.pointer or '/'}: {d.request.symbol}: {d.reason}" for d in denied[:_SHOWN]]
    lines += [f"{o.pointer or '/'}: {o.detail}" for o in verdict.objections[:_SHOWN]]
    more = len(denied) - _SHOWN
    if more > 0:
        lines.append(f"… and {more} more")
    document = verdict.plan.document
    first = denied[0] if denied else None
    where = Where(document.name)
    if first is not None:
        where = Where(document.name, first.request.member, first.request.pointer)
    code = first.code if first is not None else verdict.objections[0].code
    message = f"denied by the policy {verdict.policy.name}: " + "; ".join(lines)
    remedy = _remedy(denied, verdict) if denied else ""
    return LoadDenied(message, verdict=verdict, code=code, where=where, help=remedy)


def _remedy(denied: tuple[Decision, ...], verdict: Verdict) -> str:
    """The rule that nearly allowed it, or lines to write: into the layer that denied, or anew."""
    first = denied[0]
    near = ""
    if first.code == DEFAULT_DENY:
        near = nearest(first, verdict.policy, verdict.today)
    offers = [offer_for(each) for each in denied[:_SHOWN] if each.layer == first.layer]
    text = tables(dict.fromkeys(offer for offer in offers if offer is not None))
    where = first.layer or verdict.policy.source
    if text and where in policy_names():
        text = f'schema = 1\nextends = ["{where}"]\n\n{text}'
        where = f"a policy of your own in the place of {where}"
    lines = f"to allow it, put this into {where}:\n{text}" if text else ""
    if not near and not lines and first.code == DEFAULT_DENY:
        lines = f"of {first.request.symbol!r}, {UNKNOWN}" if _is_unknown(first) else ""
    asked = (o.code for each in denied for o in each.request.objections)
    return "\n".join(filter(None, [near, lines, _CODE if CODE_REFUSED in asked else ""]))


def _is_unknown(decision: Decision) -> bool:
    return decision.request.origin is Origin.UNKNOWN and not decision.request.effects
