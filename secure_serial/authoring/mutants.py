"""Every way in which a policy is changed a little, to see whether a test notices.

docs/policy-tools.md lists them. What would be the same policy, or one that the reader
refuses, is left out: no test could tell, or none is needed.
"""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple, cast

from secure_serial.authoring.policy_file import own
from secure_serial.limits import Limits
from secure_serial.policy.model import (
    ABOVE,
    CallerObjects,
    Constraint,
    Effect,
    Policy,
    Rule,
    Waiver,
    WaiverTerms,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.authoring.policy_file import Own, PolicyFile
    from secure_serial.policy.reading import Path

    One = Rule | Waiver

#: The keys that hold what is named.
_NAMES = ("symbols", "registered")


class Mutant(NamedTuple):
    """One change: of a rule or a waiver, or of a setting."""

    what: str
    path: Path  # where in the file
    was: One | None = None
    now: One | None = None  # None where `was` is taken out
    pattern: str = ""  # where given, only what it names is judged otherwise
    policy: Policy | None = None  # with another setting
    rereads: bool = False  # whether files and configs may be read otherwise


def mutants(
    policy: Policy, file: PolicyFile, bases: Mapping[str, Policy], *, below: bool
) -> list[Mutant]:
    """Every mutant of what a file itself says.

    Args:
        policy: What the file means.
        file: Its text.
        bases: The policies that it extends, the first of which its settings come from.
        below: Whether there are layers below it, for what only they can show.

    """
    found = [m for each in own(policy, file) for m in _of_one(each, policy)]
    first = next(iter(bases.values()), None)
    settings = [*_settings(policy, first), *_limits(policy, first, file), *_bases(policy, bases)]
    if below:
        settings += _for_below(policy)
    return found + [m for m in settings if m.policy != policy]


def _of_one(each: Own, policy: Policy) -> Iterator[Mutant]:
    one, path, _ = each
    if isinstance(one, Waiver):
        name = f"waiver {one.id}"
        yield Mutant(f"{name}: deleted", path, one)
        later = one._replace(expires=_later(one.expires))
        yield Mutant(f"{name}: expires widened to {later.expires}", (*path, "expires"), one, later)
        changes = _of_lists(each, ("sha256", "codes"))
    else:
        name = f"{one.effect} rule {one.id}"
        other = Effect.DENY if one.effect is Effect.ALLOW else Effect.ALLOW
        yield Mutant(f"{name}: deleted", path, one)
        yield Mutant(f"{name}: made {other}", path, one, one._replace(effect=other))
        changes = _of_rule(one, each, policy)
    for mutant in (*_of_names(each), *changes):
        if mutant.now is not None and _stands(mutant.now):
            yield mutant._replace(what=f"{name}: {mutant.what}")


def _stands(one: One) -> bool:
    """Whether the reader would take it."""
    if isinstance(one, Waiver):
        return bool(one.symbols or one.registered or one.sha256)
    if one.effect is Effect.ALLOW:
        return bool(one.symbols or one.registered or one.lambdas)
    return bool(one.symbols or one.registered or one.kinds or one.fields or one.sha256)


def _of_names(each: Own) -> Iterator[Mutant]:
    """Without each of the names. Without the last, a rule would name everything."""
    one, path, _ = each
    names = {key: cast("tuple[str, ...]", getattr(one, key)) for key in _NAMES}
    if sum(map(len, names.values())) < 2:  # noqa: PLR2004
        return
    for key, patterns in names.items():
        for number, pattern in enumerate(patterns):
            rest = patterns[:number] + patterns[number + 1 :]
            now = _changed(one, key, rest)
            yield Mutant(f"without {pattern}", (*path, key, number), one, now, pattern)


def _of_rule(rule: Rule, each: Own, policy: Policy) -> Iterator[Mutant]:
    path = each.path
    yield from _of_lists(each, ("kinds", "fields", "sha256", "formats", "lambdas"))
    if rule.owner is not None:
        yield Mutant("without from", (*path, "from"), rule, rule._replace(owner=None))
    if rule.evidence is not None and policy.require_evidence:
        yield Mutant("without evidence", (*path, "evidence"), rule, rule._replace(evidence=None))
    if rule.allocation is not None:
        yield from _of_constraint(rule, rule.allocation, (*path, "allocation"))
    for constraint in rule.arguments:
        yield from _of_constraint(rule, constraint, (*path, "arguments", constraint.argument))


def _of_lists(each: Own, keys: tuple[str, ...]) -> Iterator[Mutant]:
    """Without a condition that is a list, and without each of the words in it."""
    one, path, table = each
    for key in keys:
        given = cast("frozenset[str]", getattr(one, key))
        if not given or key not in table:
            continue
        if key != "codes":  # which is no condition
            yield Mutant(f"without {key}", (*path, key), one, _changed(one, key, frozenset()))
        words = table[key]
        for number, word in enumerate(words if isinstance(words, list) else ()):
            rest = given - {str(word).removeprefix("sha256:")}
            if rest and rest != given:
                now = _changed(one, key, rest)
                yield Mutant(f"{key} without {word}", (*path, key, number), one, now)


def _of_constraint(rule: Rule, constraint: Constraint, path: Path) -> Iterator[Mutant]:
    """Without each condition on an argument, with each bound widened, without each word."""
    name = ".".join(str(key) for key in path[2:])
    for key, what, changed in _changes(constraint):
        now = _with(rule, constraint, changed)
        yield Mutant(f"{name} {what}", (*path, key), rule, now)


def _changes(c: Constraint) -> Iterator[tuple[str, str, Constraint]]:
    fields = {
        "type": "types", "min": "minimum", "max": "maximum", "max_length": "max_length",
        "one_of": "one_of", "path": "path", "symbol": "symbols",
    }  # fmt: skip
    nothing = Constraint(c.argument)._asdict()
    for key, field in fields.items():
        value = getattr(c, field)
        if value == nothing[field]:
            continue
        yield key, f"without {key}", _constraint(c, field, nothing[field])
        if key in ("min", "max", "max_length"):
            wider = _widened(value, up=key != "min")
            yield key, f"with {key} = {wider:,}", _constraint(c, field, wider)
        elif key in ("type", "symbol") and len(value) > 1:
            for word in sorted(value) if key == "type" else value:
                rest = type(value)(other for other in value if other is not word)
                yield key, f"{key} without {word!r:.80}", _constraint(c, field, rest)


def _constraint(c: Constraint, field: str, value: object) -> Constraint:
    changed = {field: value}
    return c._replace(**changed)  # type: ignore[arg-type]  # a field of its own type


def _with(rule: Rule, was: Constraint, now: Constraint) -> Rule:
    """The rule with another constraint, or without it where it has no condition any more."""
    empty = now == Constraint(now.argument)
    if was is rule.allocation:
        return rule._replace(allocation=None if empty else now)
    kept = [now if each is was else each for each in rule.arguments]
    return rule._replace(arguments=tuple(each for each in kept if not (empty and each is now)))


def _widened(bound: float, *, up: bool) -> float:
    """A bound that lets in a little more: whole numbers by one, others by a tenth."""
    step = 1 if isinstance(bound, int) else abs(bound) / 10 or 0.1
    return bound + step if up else bound - step


def _later(day: date) -> date:
    return day + timedelta(days=1) if day < date.max else day


def _changed(one: One, key: str, value: object) -> One:
    changed = {key: value}
    return one._replace(**changed)  # type: ignore[arg-type]  # a field of its own type


def _settings(policy: Policy, base: Policy | None) -> Iterator[Mutant]:
    callers = CallerObjects.LISTED if base is None else base.caller_objects
    settings: dict[str, tuple[Path, object]] = {
        "caller_objects": (("caller_objects",), callers),
        "require_evidence": (("require_evidence",), False),
        "expires": (("expires",), None),
        "waiver_terms": (
            ("waivers", "max_days"), policy.waiver_terms._replace(max_days=WaiverTerms().max_days),
        ),
    }  # fmt: skip
    for field, (path, value) in settings.items():
        changed = {field: value}
        dropped = dataclasses.replace(policy, **changed)  # type: ignore[arg-type]
        yield Mutant(f"without {'.'.join(map(str, path))}", path, policy=dropped)


def _limits(policy: Policy, base: Policy | None, file: PolicyFile) -> Iterator[Mutant]:
    given = file.data.get("limits")
    before = Limits() if base is None else base.limits
    for name in cast("dict[str, Json]", given if isinstance(given, dict) else {}):
        limits = dataclasses.replace(policy.limits, **{name: getattr(before, name)})
        dropped = dataclasses.replace(policy, limits=limits)
        yield Mutant(f"without limits.{name}", ("limits", name), policy=dropped, rereads=True)


def _bases(policy: Policy, bases: Mapping[str, Policy]) -> Iterator[Mutant]:
    """Without the rules of each policy that it extends, and without what the layers above pass."""
    for number, name in enumerate(policy.extends):
        path: Path = ("extends", number)
        what = f"without extending {name}"
        if name == ABOVE:
            rest = tuple(other for other in policy.extends if other != ABOVE)
            yield Mutant(what, path, policy=dataclasses.replace(policy, extends=rest))
            continue
        others = [base.rules for other, base in bases.items() if other != name]
        kept = {rule.place for rules in others for rule in rules}
        rules = tuple(r for r in policy.rules if r.source == policy.source or r.place in kept)
        yield Mutant(what, path, policy=dataclasses.replace(policy, rules=rules))


def _for_below(policy: Policy) -> Iterator[Mutant]:
    """Without what only layers below can show."""
    for number, pattern in enumerate(policy.delegate):
        rest = policy.delegate[:number] + policy.delegate[number + 1 :]
        changed = dataclasses.replace(policy, delegate=rest)
        yield Mutant(f"without delegating {pattern}", ("delegate", number), policy=changed)
    terms = policy.waiver_terms._replace(below=False)
    changed = dataclasses.replace(policy, waiver_terms=terms)
    yield Mutant("without waivers.below", ("waivers", "below"), policy=changed)
