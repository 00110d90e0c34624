"""What two policies say beside their rules, and whether a change of it lets in more. Pure."""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.authoring.comparing.regions import covered, regions_named
from secure_serial.policy.model import AuditDemand, CallerObjects, Evaluation, Lambdas, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from secure_serial.limits import Limits
    from secure_serial.policy.model import Policy, Sandbox
    from secure_serial.sandbox.allowance import Allowance


class Way(StrEnum):
    """Where a change leads."""

    WIDENS = "widens"
    MAY_WIDEN = "may widen"  # it hangs on layers or files that are not here
    NARROWS = "narrows"
    NEITHER = ""


class Setting(NamedTuple):
    """One setting that differs, as text."""

    name: str
    old: str
    new: str
    way: Way
    layer: str = ""  # the file, where there are several layers

    @property
    def lets_in(self) -> bool:
        """Whether something that was denied may become allowed by it."""
        return self.way in (Way.WIDENS, Way.MAY_WIDEN)


def changed_settings(old: Policy, new: Policy, today: date | None) -> list[Setting]:
    """The settings that differ, of two stacks of layers, the layers taken one by one."""
    found = [*_of_the_whole(old, new)]
    several = bool(old.below or new.below)
    for number, (mine, other) in enumerate(zip(old.layers, new.layers, strict=False)):
        layer = other.source if several else ""
        changes = [*_of_a_layer(mine, other), *_of_layers_below(mine, other)]
        changes += _mode(mine, other, today) if number == 0 else ()
        found += [change._replace(layer=layer) for change in changes]
    return found


def _of_the_whole(old: Policy, new: Policy) -> Iterator[Setting]:
    if old.audit is not new.audit:
        required = new.audit is AuditDemand.REQUIRED
        yield Setting("audit", old.audit, new.audit, Way.NARROWS if required else Way.WIDENS)
    yield from _bounds("limits", old.limits, new.limits)
    yield from _sandbox(old.sandbox, new.sandbox)


def _bounds(table: str, old: Limits | Allowance, new: Limits | Allowance) -> Iterator[Setting]:
    for each in fields(old):
        mine, other = getattr(old, each.name), getattr(new, each.name)
        if mine != other:
            way = Way.WIDENS if other > mine else Way.NARROWS
            yield Setting(f"{table}.{each.name}", f"{mine:,}", f"{other:,}", way)


def _sandbox(old: Sandbox, new: Sandbox) -> Iterator[Setting]:
    """How functions run whose code stands in the file."""
    if old.evaluation is not new.evaluation:
        apart = new.evaluation is Evaluation.PROCESS
        way = Way.NARROWS if apart else Way.WIDENS
        yield Setting("sandbox.evaluation", old.evaluation, new.evaluation, way)
    if old.demand != new.demand:
        way = Way.NARROWS if old.demand < new.demand else Way.WIDENS
        mine, other = (_list(tuple(sorted(each.demand))) for each in (old, new))
        yield Setting("sandbox.demand", mine, other, way)
    yield from _bounds("sandbox", old.allowance, new.allowance)


def _of_a_layer(old: Policy, new: Policy) -> Iterator[Setting]:
    if old.version != new.version:
        yield Setting("version", str(old.version), str(new.version), Way.NEITHER)
    if old.caller_objects is not new.caller_objects:
        allow = new.caller_objects is CallerObjects.ALLOW
        way = Way.WIDENS if allow else Way.NARROWS
        yield Setting("caller_objects", old.caller_objects, new.caller_objects, way)
    if old.lambdas is not new.lambdas:
        way = Way.WIDENS if new.lambdas is Lambdas.SANDBOX else Way.NARROWS
        yield Setting("lambda", old.lambdas, new.lambdas, way)
    yield from _of_words(old, new)
    if old.expires != new.expires:
        later = old.expires is not None and (new.expires is None or new.expires > old.expires)
        way = Way.WIDENS if later else Way.NARROWS
        yield Setting("expires", _day(old.expires), _day(new.expires), way)
    if old.require_evidence != new.require_evidence:
        way = Way.NARROWS if new.require_evidence else Way.WIDENS
        asked = str(old.require_evidence).lower(), str(new.require_evidence).lower()
        yield Setting("require_evidence", *asked, way)
    if set(old.extends) != set(new.extends):
        above = new.inherits and not old.inherits
        way = Way.MAY_WIDEN if above else Way.NEITHER  # what it extends is compared rule by rule
        yield Setting("extends", _list(old.extends), _list(new.extends), way)


def _of_words(old: Policy, new: Policy) -> Iterator[Setting]:
    """A word of denial that was taken back, or given, while nothing else of it changed.

    It matters below other layers alone, to what those let pass.
    """
    for word, mine, other, denies in (
        ("lambda", old.lambdas, new.lambdas, Lambdas.DENY),
        ("caller_objects", old.caller_objects, new.caller_objects, CallerObjects.LISTED),
    ):
        was, now = word in old.said, word in new.said
        if mine is other is denies and was != now:
            way = Way.WIDENS if was else Way.NARROWS
            below = old.inherits and new.inherits
            before, after = (str(denies) if said else "nothing" for said in (was, now))
            yield Setting(word, before, after, way if below else Way.NEITHER)


def _of_layers_below(old: Policy, new: Policy) -> Iterator[Setting]:
    """What a layer leaves to those below it, which may say anything."""
    if set(old.delegate) != set(new.delegate):
        outers = regions_named(old.delegate)
        within = all(covered(region, outers) for region in regions_named(new.delegate))
        way = Way.NARROWS if within else Way.MAY_WIDEN
        yield Setting("delegate", _list(old.delegate), _list(new.delegate), way)
    mine, other = old.waiver_terms, new.waiver_terms
    if mine.max_days != other.max_days:
        way = Way.MAY_WIDEN if other.max_days > mine.max_days else Way.NARROWS
        yield Setting("waivers.max_days", str(mine.max_days), str(other.max_days), way)
    if mine.below != other.below:
        way = Way.MAY_WIDEN if other.below else Way.NARROWS
        yield Setting("waivers.below", str(mine.below).lower(), str(other.below).lower(), way)
    yield from _trust(old, new)


def _trust(old: Policy, new: Policy) -> Iterator[Setting]:
    """Who must have signed the files below: fewer demands let in files that were refused."""
    mine, other = old.trust, new.trust
    if mine is None or other is None:
        if mine is not other:
            way = Way.NARROWS if mine is None else Way.MAY_WIDEN
            yield Setting("trust", _demanded(mine), _demanded(other), way)
        return
    if set(mine.keys) != set(other.keys):
        way = Way.NARROWS if set(other.keys) <= set(mine.keys) else Way.MAY_WIDEN
        yield Setting("trust.keys", _list(mine.keys), _list(other.keys), way)
    if set(mine.policies) != set(other.policies):  # none means that any name will do
        within = bool(other.policies) and (
            not mine.policies or set(other.policies) <= set(mine.policies)
        )
        way = Way.NARROWS if within else Way.MAY_WIDEN
        yield Setting("trust.policies", _list(mine.policies), _list(other.policies), way)
    for name in ("threshold", "minimum_version"):
        before, after = getattr(mine, name), getattr(other, name)
        if before != after:
            way = Way.NARROWS if after > before else Way.MAY_WIDEN
            yield Setting(f"trust.{name}", str(before), str(after), way)


def reports_until(policy: Policy, today: date | None) -> date | None:
    """The last day on which a policy lets pass and reports; None where it enforces."""
    until = policy.report_until
    if policy.mode is not Mode.REPORT or until is None or (today is not None and until < today):
        return None
    return until


def _mode(old: Policy, new: Policy, today: date | None) -> Iterator[Setting]:
    mine, other = reports_until(old, today), reports_until(new, today)
    if mine != other:
        longer = other is not None and (mine is None or other > mine)
        way = Way.WIDENS if longer else Way.NARROWS
        yield Setting("mode", _mode_text(mine), _mode_text(other), way)


def _mode_text(until: date | None) -> str:
    return "enforce" if until is None else f"report until {until}"


def _demanded(trust: object) -> str:
    return "nobody" if trust is None else "demanded"


def _day(day: date | None) -> str:
    return "never" if day is None else str(day)


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
