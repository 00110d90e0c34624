"""Rules that another rule makes needless, and those of lower layers that can never matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.authoring.checked import Name, names_of
from secure_serial.authoring.comparing.implication import allows_no_more, denies_no_less
from secure_serial.authoring.comparing.regions import (
    EVERYTHING,
    Region,
    covers,
    meet,
    regions_named,
    regions_of,
)
from secure_serial.authoring.known import head
from secure_serial.policy.conditions import KERAS
from secure_serial.policy.index import Index
from secure_serial.policy.model import CallerObjects, Effect, Mode, Rule, Waiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from secure_serial.authoring.checked import Checked
    from secure_serial.authoring.finding import Finding
    from secure_serial.authoring.known import Known
    from secure_serial.policy.reading import Path

#: Where several names of one rule have the same flaw, so many are told one by one.
_FEW = 5


class _Needless(NamedTuple):
    """A name, and the rule that leaves nothing for it to do."""

    name: Name
    by: Rule


class _Rules:
    """Some rules in their order, asked which of them mean all that a pattern means."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.order: dict[int, int] = {}
        self._exact: Index[Rule] = Index()
        self._wide: list[tuple[Region, Rule]] = []
        self._all: list[Region] = []
        for rule in rules:
            self.order[id(rule)] = len(self.order)
            self._exact.add(rule, rule.symbols, rule.registered)
            self._all += regions_of(rule)
            self._wide += [(region, rule) for region in regions_of(rule) if not region.symbol]

    def over(self, region: Region) -> list[Rule]:
        """The rules of which one pattern covers a region."""
        if region.symbol:
            return list(self._exact.find(region.symbol))
        return [rule for wide, rule in self._wide if covers(wide, region)]

    def meet(self, region: Region) -> bool:
        """Whether one of the rules names something of a region."""
        if region.symbol:
            return bool(self._exact.find(region.symbol))
        return _meet_any(region, self._all)


def check_relations(checked: Checked, known: Known) -> Iterator[Finding]:
    """Needless rules of a file, by the rules of its own layer and the denials of those above."""
    allows = _Rules(_in_order(checked, Effect.ALLOW))
    above = [r for layer in checked.above for r in layer.policy.rules if r.effect is Effect.DENY]
    denies = _Rules([*above, *_in_order(checked, Effect.DENY)])
    for rule, path in checked.rules:
        # A name that means nothing is another finding.
        names = [name for name in names_of(rule, path) if known.meant(name.pattern) != ()]
        if not (rule.symbols or rule.registered):
            names = [Name("", path, rule.effect.value)]
        yield from _doubled(checked, rule, names)
        if rule.effect is Effect.DENY:
            found = _needless(rule, names, denies, _denies_all, known)
            yield from _told(checked, rule, path, names, "redundant", found)
            continue
        found = _needless(rule, names, denies, _denies_what_is_allowed, known)
        yield from _told(checked, rule, path, names, "shadowed", found)
        shadowed = {each.name for each in found}
        found = _needless(rule, names, allows, _allows_all(checked), known)
        found = [each for each in found if each.name not in shadowed]
        yield from _told(checked, rule, path, names, "redundant", found)
    for waiver, path in checked.waivers:
        names = list(names_of(waiver, path))
        found = [
            _Needless(name, deny)
            for name in names
            for deny in denies.over(_region(name))[:1]
            if deny.on_names_alone and not (deny.kinds or deny.fields)
        ]
        yield from _told(checked, waiver, path, names, "shadowed", found)


def check_layers(checked: Checked) -> Iterator[Finding]:
    """Allow rules of a lower layer that no request reaches, or that change nothing there."""
    above = [_Above(layer, checked) for layer in checked.above]
    for rule, path in checked.rules if above else ():
        if rule.effect is Effect.DENY:
            continue
        for name in names_of(rule, path):
            region = _region(name)
            text = f"{rule.id}: {name.pattern}"
            stops = [a for a in above if not (a.may_pass(region) or a.leaves(region))]
            if stops:
                text += f" is neither allowed nor delegated by {stops[0].source}"
                yield checked.say(name.path, "outside-delegation", text)
            elif checked.policy.inherits and not any(a.leaves(region) for a in above):
                text += " is delegated by no layer above, and what they allow passes by @above"
                yield checked.say(name.path, "outside-delegation", text)
    yield from _unheeded(checked, above)


def _unheeded(checked: Checked, above: list[_Above]) -> Iterator[Finding]:
    """Waivers of a lower layer on what those above it refuse, and do not let it waive."""
    if not above or any(layer.policy.waiver_terms.below for layer in checked.above):
        return
    for waiver, path in checked.waivers:
        for name in list(names_of(waiver, path)) or [Name("", path, "waiver")]:
            region = _region(name)
            stopped = not all(a.may_pass(region) or a.leaves(region) for a in above)
            # What passes above needs no waiver below @above, but where it is delegated.
            kept = checked.policy.inherits and not any(a.leaves(region) for a in above)
            if stopped or kept:
                about = f" {name.pattern}" if name.pattern else ""
                text = f"{waiver.id}:{about} no layer above heeds waivers of those below it"
                yield checked.say(name.path, "waiver-not-heeded", text)


class _Above:
    """A layer above another one, asked what may come down from it."""

    def __init__(self, layer: Checked, lowest: Checked) -> None:
        policy = layer.policy
        self.source = layer.file.source
        self._allows = _Rules(r for r in policy.rules if r.effect is Effect.ALLOW)
        lifting = lowest.stack if policy.waiver_terms.below else (layer,)
        self._waived = [r for each in lifting for w in each.policy.waivers for r in regions_of(w)]
        self._delegated = regions_named(policy.delegate)
        self._anything = policy.mode is Mode.REPORT or (bool(layer.above) and policy.inherits)
        self._callers = policy.caller_objects is CallerObjects.ALLOW

    def may_pass(self, region: Region) -> bool:
        """Whether it may let something of a region pass, be it by a waiver."""
        if self._anything or (self._callers and head(str(region)) not in KERAS):
            return True
        return self._allows.meet(region) or _meet_any(region, self._waived)

    def leaves(self, region: Region) -> bool:
        """Whether it leaves something of a region to the layer below."""
        return _meet_any(region, self._delegated)


def _meet_any(region: Region, others: Iterable[Region]) -> bool:
    return any(meet(other, region) is not None for other in others)


def _in_order(checked: Checked, effect: Effect) -> list[Rule]:
    """The rules that the file extends, then its own: of two that mean the same, the first stays."""
    rules = [rule for rule in checked.policy.rules if rule.effect is effect]
    return sorted(rules, key=lambda rule: rule.source == checked.file.source)


def _region(name: Name) -> Region:
    return next(iter(regions_named((name.pattern,) if name.pattern else ())), EVERYTHING)


def _needless(
    rule: Rule,
    names: list[Name],
    others: _Rules,
    outdoes: Callable[[Rule, Rule], bool],
    known: Known,
) -> list[_Needless]:
    """The names of a rule for which another rule does all that it does."""
    found = []
    mine = others.order.get(id(rule))
    for name in names:
        region = _region(name)
        for other in others.over(region):
            if other is rule or not _same_places(other, rule, region, known):
                continue
            if not outdoes(other, rule):
                continue
            # Of two that mean the same, the later one is needless.
            later = mine is None or others.order[id(other)] < mine
            if later or not (outdoes(rule, other) and _is_over(rule, other, region, known)):
                found.append(_Needless(name, other))
                break
    return found


def _is_over(rule: Rule, other: Rule, region: Region, known: Known) -> bool:
    """Whether a rule in turn covers the pattern by which another covers a region."""
    theirs = [r for r in regions_of(other) if covers(r, region)]
    return all(any(covers(m, r) for m in regions_of(rule)) for r in theirs) and _same_places(
        rule, other, region, known
    )


def _same_places(wide: Rule, narrow: Rule, region: Region, known: Known) -> bool:
    """Whether a rule is for every kind and field that another one is for."""
    entry = known.entry(region.symbol) if region.symbol else None
    kinds = narrow.kinds or (frozenset({entry.kind}) if entry is not None else frozenset())
    return (not wide.kinds or (bool(kinds) and kinds <= wide.kinds)) and (
        not wide.fields or (bool(narrow.fields) and narrow.fields <= wide.fields)
    )


def _denies_all(wide: Rule, narrow: Rule) -> bool:
    return not denies_no_less(narrow, wide)


def _denies_what_is_allowed(deny: Rule, allow: Rule) -> bool:
    """Whether every request that satisfies an allow rule satisfies a deny rule."""
    return not allows_no_more(_bare(allow), _bare(deny))


def _bare(rule: Rule) -> Rule:
    """A rule without what it permits."""
    arguments = tuple(constraint._replace(path=False) for constraint in rule.arguments)
    return rule._replace(arguments=arguments, lambdas=frozenset())


def _allows_all(checked: Checked) -> Callable[[Rule, Rule], bool]:
    vetted = checked.policy.require_evidence

    def outdoes(wide: Rule, narrow: Rule) -> bool:
        counts = not vetted or wide.evidence is not None or narrow.evidence is None
        return counts and not allows_no_more(narrow, wide)

    return outdoes


def _told(
    checked: Checked,
    one: Rule | Waiver,
    path: Path,
    names: list[Name],
    slug: str,
    found: list[_Needless],
) -> Iterator[Finding]:
    """What is needless, as one finding where that is all that a rule or a waiver names."""
    done = "denied" if slug == "shadowed" else "done already"
    if found and len(found) == len(names):
        by = ", ".join(dict.fromkeys(f"{each.by.id} ({each.by.place})" for each in found))
        yield checked.say(path, slug, f"{one.id}: all that it means is {done} by {by}")
        return
    for each in found[:_FEW]:
        text = f"{one.id}: {each.name.pattern} is {done} by {each.by.id} ({each.by.place})"
        yield checked.say(each.name.path, slug, text)
    if len(found) > _FEW:
        text = f"{one.id}: {len(found) - _FEW} more of its names are {done} by other rules"
        yield checked.say(path, slug, text)


def _doubled(checked: Checked, rule: Rule, names: list[Name]) -> Iterator[Finding]:
    """Names of a rule that another of its own patterns means."""
    exact: set[str] = set()
    wide = [name for name in names if "*" in name.pattern]
    for name in names:
        over = [w for w in wide if w is not name and covers(_region(w), _region(name))]
        first = [w for w in over if not covers(_region(name), _region(w)) or w.path < name.path]
        by = first[0].pattern if first else name.pattern if name.pattern in exact else ""
        if by:
            text = f"{rule.id}: {name.pattern} is meant by its own pattern {by!r} already"
            yield checked.say(name.path, "redundant", text)
        if "*" not in name.pattern:
            exact.add(name.pattern)
