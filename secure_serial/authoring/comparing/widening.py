"""What keeps one policy from being provably no wider than another. Pure.

The claim, where nothing is found here and no setting lets in more: whatever the new policy
allows, from today on, the old one allows, too. It is shown rule by rule. Each layer makes of
what those above it say one of three things (denied, left open, passed), the more the more
they let pass; so it is enough that no layer of the new stack makes more of anything than its
counterpart in the old one:

- what an allow rule of the new one lets in, one of the old one does, with all it permits;
- what a deny rule of the old one stops, one of the new one does, or nothing lets it pass there;
- what a waiver of the new one lifts, one of the old one does, on the same days.

A waiver that ends earlier is compared by the terms of the layers that are here.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from secure_serial.authoring.comparing.implication import allows_no_more, denies_no_less
from secure_serial.authoring.comparing.regions import (
    EVERYTHING,
    Region,
    covered,
    meets,
    regions_named,
    regions_of,
)
from secure_serial.authoring.comparing.settings import reports_until
from secure_serial.plan.encodings import PLACES
from secure_serial.plan.fields import Field, Kind
from secure_serial.policy.index import Index
from secure_serial.policy.model import CallerObjects, Effect, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from secure_serial.policy.model import Policy, Waiver

    Cell: TypeAlias = "tuple[Kind | None, Field]"

T = TypeVar("T")
_KINDS: tuple[Kind | None, ...] = (None, *Kind)
_LEFT = "layers below may let in what is left to them"


class _Found(NamedTuple):
    """One thing that cannot be shown, of one region."""

    rule: str
    place: str
    why: str
    region: Region


class Doubt(NamedTuple):
    """Something by which the new policy may let in more than the old one."""

    rule: str  # the id, of a rule or a waiver
    place: str
    why: str
    symbols: tuple[str, ...]  # the symbols or patterns that it concerns


def doubts(old: Policy, new: Policy, today: date | None) -> list[Doubt]:
    """All that keeps `new` from being provably no wider than `old`.

    Args:
        old: What holds now, with its layers.
        new: What is to hold.
        today: Days before it do not count; None where all do.

    """
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for number, (mine, other) in enumerate(zip(old.layers, new.layers, strict=False)):
        days = [
            min(layer.waiver_terms.max_days for layer in stack.layers[: number + 1])
            for stack in (old, new)
        ]
        pair = _Pair(mine, other, today, top=number == 0)
        for each in (*pair.allows(), *pair.denies(), *pair.waivers(*days)):
            key = (each.rule, each.place, each.why)
            found.setdefault(key, {})[str(each.region)] = None
    several = [Doubt(*key, tuple(symbols)) for key, symbols in found.items()]
    return several + list(_of_the_stack(old, new))


def _of_the_stack(old: Policy, new: Policy) -> Iterator[Doubt]:
    """Layers more or fewer: one more below narrows, where nothing is left to it."""
    if len(new.layers) < len(old.layers):
        gone = old.layers[len(new.layers)]
        yield Doubt("", gone.source, "this layer is gone, and what it denied with it", ())
    if len(new.layers) > len(old.layers):
        for layer in new.layers[: len(old.layers)]:
            if layer.delegate or layer.waiver_terms.below:
                yield Doubt("", layer.source, f"there are more layers below it, and {_LEFT}", ())


class _Side:
    """The rules of one layer, by what they speak of."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._index: Index[Rule] = Index()
        self._wide: dict[int, list[Region]] = {}  # by the rule's identity
        for rule in policy.rules:
            self._index.add(rule, rule.symbols, rule.registered)
            self._wide[id(rule)] = [each for each in regions_of(rule) if not each.symbol]

    def covering(self, region: Region, effect: Effect) -> list[Rule]:
        """The rules that surely speak of all of a region."""
        if region.symbol:
            return [rule for rule in self._index.find(region.symbol) if rule.effect is effect]
        # A pattern that holds another one fits its text, too: the index leaves few to look at.
        texts = [pattern for pattern in region if pattern is not None] or [""]
        near = {id(rule): rule for text in texts for rule in self._index.find(text)}
        return [
            rule
            for rule in near.values()
            if rule.effect is effect and covered(region, self._wide[id(rule)])
        ]

    def touched(self, region: Region, effect: Effect) -> Iterator[Region]:
        """What a region shares with the rules of one effect."""
        if region.symbol:
            yield from [region] * bool(self.covering(region, effect))
            return
        for rule in self.policy.rules:
            if rule.effect is effect:
                yield from meets(region, regions_of(rule))


class _Pair:
    """A layer of the old policy, and the one in its place."""

    def __init__(self, old: Policy, new: Policy, today: date | None, *, top: bool) -> None:
        self._old, self._new = _Side(old), _Side(new)
        self._today = today
        self._top = top
        self._known: dict[tuple[int, int], str] = {}

    def allows(self) -> Iterator[_Found]:
        """The allow rules that no old one, and no deny, stands behind."""
        for rule in self._new.policy.rules:
            if rule.effect is Effect.ALLOW:
                for region in regions_of(rule):
                    why = self._allows(rule, region)
                    if why:
                        yield _Found(rule.id, rule.place, why, region)

    def _allows(self, rule: Rule, region: Region) -> str:
        known = self._old.covering(region, Effect.ALLOW)
        if any(_everywhere(each) and not self._wider(rule, each) for each in known):
            return ""
        blunt = [r for r in self._new.covering(region, Effect.DENY) if r.on_names_alone]
        for cell in _cells(rule, [*known, *blunt]):
            if any(_is_in(each, cell) for each in blunt):
                continue
            reasons = [self._wider(rule, each) for each in known if _is_in(each, cell)]
            if not reasons:
                return "no rule of the old policy allows it" + _where(cell, rule, known)
            if all(reasons):
                return reasons[0]
        return ""

    def _wider(self, new: Rule, old: Rule) -> str:
        key = (id(new), id(old))
        if key not in self._known:
            self._known[key] = allows_no_more(new, old) or self._unvetted(new, old)
        return self._known[key]

    def _unvetted(self, new: Rule, old: Rule) -> str:
        if not self._old.policy.require_evidence or new.evidence is None:
            return ""  # without evidence, where it is required, a rule is for Keras's own alone
        if old.evidence is None:
            return "the old one has no evidence"
        same = new.evidence.source_sha256 == old.evidence.source_sha256
        return "" if same else "its evidence is of another source"

    def denies(self) -> Iterator[_Found]:
        """The deny rules that no new one stands in for, where something would let pass."""
        for rule in self._old.policy.rules:
            if rule.effect is Effect.DENY:
                for region in regions_of(rule):
                    yield from self._denies(rule, region)

    def _denies(self, rule: Rule, region: Region) -> Iterator[_Found]:
        if not self._undenied(rule, region):
            return
        for part in dict.fromkeys(self._let_pass(region)):
            why = self._undenied(rule, part)
            if why:
                yield _Found(rule.id, rule.place, why, part)

    def _undenied(self, rule: Rule, region: Region) -> str:
        """Why not all that a deny rule of the old policy stops in a region is stopped."""
        known = self._new.covering(region, Effect.DENY)
        for cell in _cells(rule, known):
            reasons = [denies_no_less(rule, each) for each in known if _is_in(each, cell)]
            if not reasons:
                return "no rule of the new policy denies it" + _where(cell, rule, known)
            if all(reasons):
                return reasons[0]
        return ""

    def _let_pass(self, region: Region) -> Iterator[Region]:
        """The parts of a region in which the new layer may let something pass."""
        policy = self._new.policy
        if (
            policy.caller_objects is CallerObjects.ALLOW
            or policy.inherits
            or policy.waiver_terms.below
            or self._reports()
        ):
            yield region
            return
        yield from self._new.touched(region, Effect.ALLOW)
        yield from meets(region, regions_named(policy.delegate))
        yield from meets(region, (r for waiver in policy.waivers for r in regions_of(waiver)))
        # A value encoding passes unless it is denied; the planner makes these of no other name.
        yield from meets(region, (Region(dotted=name) for name in PLACES))

    def _reports(self) -> bool:
        return self._top and reports_until(self._new.policy, self._today) is not None

    def waivers(self, old_days: int, new_days: int) -> Iterator[_Found]:
        """The waivers that no old one stands behind, and what a delegation held back."""
        today = self._today.toordinal() if self._today is not None else 0
        before = [(w, _days(w, old_days, today)) for w in self._old.policy.waivers]
        for waiver in self._new.policy.waivers:
            days = _days(waiver, new_days, today)
            for region in regions_of(waiver) if days else ():
                if not any(_waives(w, d, waiver, days, region) for w, d in before):
                    text = "no waiver of the old policy lifts it on the same days"
                    yield _Found(waiver.id, waiver.place, text, region)
        yield from self._freed()

    def _freed(self) -> Iterator[_Found]:
        """What was left to the layers below and no longer is, where it could now be lifted."""
        policy = self._new.policy
        still = regions_named(policy.delegate)
        lifted = [region for waiver in policy.waivers for region in regions_of(waiver)]
        if policy.waiver_terms.below or self._reports():
            lifted.append(EVERYTHING)
        for freed in regions_named(self._old.policy.delegate):
            for region in meets(freed, lifted):
                if not covered(region, still):
                    text = "it was left to the layers below, and is now lifted here"
                    yield _Found("", policy.source, text, region)


def _days(waiver: Waiver, most: int, today: int) -> range:
    """The days, from today on, on which a waiver is in force."""
    ends = waiver.expires.toordinal()
    return range(max(today, ends - most), ends + 1)


def _waives(old: Waiver, had: range, new: Waiver, has: range, region: Region) -> bool:
    """Whether the old waiver lifts all that the new one does in a region."""
    return (
        covered(region, regions_of(old))
        and new.codes <= old.codes
        and (not old.sha256 or (bool(new.sha256) and new.sha256 <= old.sha256))
        and has[0] in had
        and has[-1] in had
    )


# Kinds and fields: few, so each that rules tell apart is looked at.


def _everywhere(rule: Rule) -> bool:
    return not rule.kinds and not rule.fields


def _is_in(rule: Rule, cell: Cell) -> bool:
    kind, field = cell
    return (not rule.kinds or kind in rule.kinds) and (not rule.fields or field in rule.fields)


def _cells(rule: Rule, others: list[Rule]) -> Iterator[Cell]:
    """One kind and field of each sort that a rule means and the others tell apart."""
    kinds = _sorts(
        [k for k in _KINDS if not rule.kinds or k in rule.kinds], [o.kinds for o in others]
    )
    fields = _sorts(
        [f for f in Field if not rule.fields or f in rule.fields], [o.fields for o in others]
    )
    return product(kinds, fields)


def _sorts(values: list[T], sets: Sequence[frozenset[object]]) -> list[T]:
    """One value of each sort, of those that no set tells apart."""
    sets = [each for each in sets if each]
    if not sets:
        return values[:1]
    found: dict[tuple[bool, ...], T] = {}
    for value in values:
        found.setdefault(tuple(value in each for each in sets), value)
    return list(found.values())


def _where(cell: Cell, rule: Rule, known: list[Rule]) -> str:
    """Of which kind or in which field, where the rules tell these apart."""
    kind, field = cell
    words = []
    if rule.kinds or any(each.kinds for each in known):
        words.append(f" of the kind {kind}" if kind is not None else " of no known kind")
    if rule.fields or any(each.fields for each in known):
        words.append(f" in the field {field}")
    return "".join(words)
