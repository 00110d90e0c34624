"""Requests that tell two policies apart: each name, at the edges of what any rule says of it.

They show a person what a change does. They prove nothing: no list of requests is all there are.
"""

from __future__ import annotations

from itertools import chain, combinations, islice, product
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from secure_serial.artifact.document import Format
from secure_serial.authoring.comparing.edges import argument_edges, argument_samples, owner_edges
from secure_serial.authoring.comparing.regions import Region, regions_of
from secure_serial.plan.fields import ACCEPTS, Field, Kind
from secure_serial.plan.request import Action, Objection, Origin, Request
from secure_serial.policy.conditions import KERAS, Context, named
from secure_serial.policy.index import Index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from secure_serial.artifact.document import Json
    from secure_serial.authoring.comparing.edges import Edge
    from secure_serial.plan.catalogue import Catalogue, Entry
    from secure_serial.plan.owner import Owner
    from secure_serial.policy.model import Policy, Rule, Waiver

#: Names that no policy means by accident: what a pattern lets in that nobody thought of.
STRANGERS = ("stranger.module.Class", "stranger>Class")
#: What stands for `*` in a pattern.
ANY = "Anything"
#: Requests for one name. Beyond it the edges of each two conditions are tried together.
_MOST = 300
_MOST_PAIRS = 2000
_PATH = "/any/path"
_OTHER_DIGEST = "0" * 64
#: Some allocation, since of none a rule may hold that nobody knows it.
_LITTLE = 1
#: More bytes than any bound means.
_FAR = 1 << 62


class Witness(NamedTuple):
    """A request, where it is made, and in words what about it counts."""

    request: Request
    context: Context
    told: tuple[str, ...]


class _Choice(NamedTuple):
    """One edge of one condition: what it makes of a request, and that in words."""

    told: str = ""  # empty for what goes without saying
    changes: Mapping[str, Any] = {}
    arguments: Mapping[str, Json] = {}
    inside: Mapping[str, str] = {}
    path: str = ""  # an argument that looks like one
    format: Format | None = None
    digest: str = ""


class _Subject(NamedTuple):
    """A name that a request may be about, and what the planner would say of it."""

    symbol: str
    origin: Origin
    kind: Kind | None = None
    is_class: bool = True
    effects: tuple[str, ...] = ()
    owner: Owner | None = None

    @property
    def fields(self) -> list[Field]:
        """Where it may stand, a nearer field first; the root for what may stand nowhere."""
        if self.kind is None:
            return [Field.ROOT, *(f for f in ACCEPTS if f is not Field.ROOT)]
        own = [f for f, kinds in ACCEPTS.items() if self.kind in kinds]
        return sorted(own, key=lambda f: f.value != str(self.kind)) or [Field.ROOT]


class _Known(Context):
    """A context that is told what is nested in an argument."""

    def __init__(self, format: Format, digest: str, inside: Mapping[str, str]) -> None:
        super().__init__(format, frozenset({digest}))
        self._inside = inside

    def nested(self, request: Request, argument: str) -> list[str]:  # noqa: ARG002
        """What is nested there; there is one request, so it need not be asked which."""
        return [self._inside[argument]] if argument in self._inside else []


class Group:
    """Names of which both policies say the same things: what tells of one, tells of all."""

    def __init__(
        self, subjects: list[_Subject], edges: list[list[_Choice]], *, alone: bool
    ) -> None:
        self.size = len(subjects)
        self._subjects = subjects
        self._edges = edges
        self._alone = alone

    def choices(self) -> Iterator[tuple[_Choice, ...]]:
        """What to try of one of them."""
        return _one_by_one(self._edges) if self._alone else _combined(self._edges)

    def witness(self, number: int, chosen: tuple[_Choice, ...]) -> Witness:
        """The request about one of them at these edges."""
        return _made(self._subjects[number], chosen)


def groups(old: Policy, new: Policy, catalogue: Catalogue) -> Iterator[Group]:
    """All names to try, and for each the edges of all that two policies say of it.

    Of a name of which both say the same, each edge is to be tried alone where a setting
    differs; where all are the same, there is nothing to try.
    """
    speaking = _Speaking(old), _Speaking(new)
    alike = _settings(old) == _settings(new)
    patterns = [region for each in speaking for region in each.regions]
    found: dict[tuple[object, ...], list[_Subject]] = {}
    for subject in _subjects(catalogue, patterns):
        key = (*(each.key(subject.symbol) for each in speaking), subject._replace(symbol=""))
        found.setdefault(key, []).append(subject)
    for subjects in found.values():
        symbol = subjects[0].symbol
        same = speaking[0].of(symbol) == speaking[1].of(symbol)
        if not (same and alike):
            edges = _about(subjects[0], *(each.find(symbol) for each in speaking))
            yield Group(subjects, edges, alone=same)


def lambdas(old: Policy, new: Policy) -> Iterator[Witness]:
    """A lambda of each digest that a policy names."""
    rules = (rule for layer in (*old.layers, *new.layers) for rule in layer.rules)
    yield from map(_lambda, sorted({digest for rule in rules for digest in rule.lambdas}))


class _Speaking:
    """What a stack of layers says of each name."""

    def __init__(self, policy: Policy) -> None:
        self.rules = [rule for layer in policy.layers for rule in layer.rules]
        self.waivers = [waiver for layer in policy.layers for waiver in layer.waivers]
        self.regions = [region for one in self.rules for region in regions_of(one)]
        self.regions += [region for one in self.waivers for region in regions_of(one)]
        self._layers: list[Index[Rule]] = []
        self._waivers: Index[Waiver] = Index()
        self._known: dict[int, str] = {}
        self._delegates = [layer.delegate for layer in policy.layers]
        for layer in policy.layers:
            index: Index[Rule] = Index()
            for rule in layer.rules:
                index.add(rule, rule.symbols, rule.registered)
            self._layers.append(index)
        for waiver in self.waivers:
            self._waivers.add(waiver, waiver.symbols, waiver.registered)

    def key(self, symbol: str) -> object:
        """Equal for two names of which the very same rules, waivers and delegations speak."""
        rules = [tuple(map(id, index.find(symbol))) for index in self._layers]
        left = [named(delegate, symbol) for delegate in self._delegates]
        return *rules, *map(id, self._waivers.find(symbol)), *left

    def find(self, symbol: str) -> tuple[list[Rule], Sequence[Waiver]]:
        """The rules and waivers that name it."""
        rules = [rule for index in self._layers for rule in index.find(symbol)]
        return rules, self._waivers.find(symbol)

    def of(self, symbol: str) -> object:
        """What they say, equal for two stacks that say the same."""
        rules = [sorted(map(self._meaning, index.find(symbol))) for index in self._layers]
        return rules, [waiver._replace(source="", line=0) for waiver in self._waivers.find(symbol)]

    def _meaning(self, rule: Rule) -> str:
        """A rule without its names: as text, since Python takes `true` for 1."""
        if id(rule) not in self._known:
            unnamed = rule._replace(id="", source="", line=0, reason="", symbols=(), registered=())
            self._known[id(rule)] = repr((bool(rule.symbols or rule.registered), unnamed))
        return self._known[id(rule)]


def _settings(policy: Policy) -> list[object]:
    """What else decides, layer by layer."""
    return [
        (layer.caller_objects, layer.said, layer.inherits, set(layer.delegate),
         layer.require_evidence, layer.waiver_terms, layer.mode, layer.report_until)
        for layer in policy.layers
    ]  # fmt: skip


# Names.


def _subjects(catalogue: Catalogue, regions: Iterable[Region]) -> Iterator[_Subject]:
    """Every name of the catalogue, every name in a policy, one for each pattern, and strangers."""
    mentioned = dict.fromkeys(chain((_example(region) for region in regions), STRANGERS))
    listed = dict.fromkeys((*catalogue.symbols(), *catalogue.foreign_symbols()))
    for symbol in (*listed, *(name for name in mentioned if name and name not in listed)):
        if symbol in catalogue:
            yield _of_keras(catalogue.entry(symbol))
            continue
        entry = catalogue.foreign(symbol)
        for origin in (Origin.UNKNOWN, Origin.CALLER):
            if origin is Origin.UNKNOWN and symbol.partition(".")[0] in KERAS:
                continue  # it only reads like one of Keras's, and is never let in
            if entry is None:
                yield _Subject(symbol, origin)
            else:
                yield _of_a_package(entry, origin)


def _of_keras(entry: Entry) -> _Subject:
    origin = Origin.LEGACY if entry.legacy else Origin.KERAS
    return _Subject(entry.symbol, origin, entry.kind, entry.is_class, entry.effects, entry.owner)


def _of_a_package(entry: Entry, origin: Origin) -> _Subject:
    return _Subject(entry.symbol, origin, entry.kind, entry.is_class, entry.effects, entry.owner)


def _example(region: Region) -> str:
    """A name that a pattern means."""
    pattern = region.symbol or region.dotted or region.registered or ""
    if ">" in pattern:
        return ">".join(ANY if side == "*" else side for side in pattern.split(">"))
    return ".".join(ANY if segment in ("*", "**") else segment for segment in pattern.split("."))


# The edges of what is said of one name.


def _about(subject: _Subject, *said: tuple[list[Rule], Sequence[Waiver]]) -> list[list[_Choice]]:
    """The edges of each condition, the plainest first."""
    rules = [rule for rules, _ in said for rule in rules]
    waivers = [waiver for _, waivers in said for waiver in waivers]
    several = [
        _fields(subject, rules), _kinds(subject, rules), *_arguments(rules),
        _owners(subject, rules), _formats(rules), _digests([*rules, *waivers]),
        _allocations(rules), _paths(rules, waivers),
    ]  # fmt: skip
    return [each for each in several if each]


def _one_by_one(several: list[list[_Choice]]) -> Iterator[tuple[_Choice, ...]]:
    plain = [each[0] for each in several]
    yield tuple(plain)
    for number, each in enumerate(several):
        yield from ((*plain[:number], choice, *plain[number + 1 :]) for choice in each[1:])


def _combined(several: list[list[_Choice]]) -> Iterator[tuple[_Choice, ...]]:
    """All together where these are not too many, else each two."""
    if prod(map(len, several)) <= _MOST:
        return product(*several)
    return islice(_two_by_two(several), _MOST_PAIRS)


def _two_by_two(several: list[list[_Choice]]) -> Iterator[tuple[_Choice, ...]]:
    plain = [each[0] for each in several]
    yield tuple(plain)
    for one, other in combinations(range(len(several)), 2):
        for mine, its in product(several[one], several[other]):
            chosen = [*plain]
            chosen[one], chosen[other] = mine, its
            yield tuple(chosen)


def _fields(subject: _Subject, rules: Iterable[Rule]) -> list[_Choice]:
    sets = [rule.fields for rule in rules if rule.fields]
    sorts = {tuple(f in each for each in sets): f for f in reversed(subject.fields)}
    several = sorted(sorts.values(), key=subject.fields.index)
    return [_Choice(f"in the field {f}" if sets else "", {"field": f}) for f in several]


def _kinds(subject: _Subject, rules: Iterable[Rule]) -> list[_Choice]:
    """The kinds that a class of the program's own may be of; the others' are known."""
    named = {kind for rule in rules for kind in rule.kinds} if subject.kind is None else set()
    return [_Choice(), *(_Choice(f"of the kind {k}", {"kind": k}) for k in sorted(named))]


def _arguments(rules: Iterable[Rule]) -> list[list[_Choice]]:
    found: dict[str, dict[str, _Choice]] = {}
    for rule in rules:
        for constraint in rule.arguments:
            name = constraint.argument.partition(".")[0]
            choices = found.setdefault(name, {"": _Choice()})
            _add(choices, name, argument_edges(constraint))
    for rule in rules:
        for constraint in rule.arguments:
            name = constraint.argument.partition(".")[0]
            _add(found[name], name, argument_samples(constraint))
    return [list(choices.values()) for choices in found.values()]


def _add(choices: dict[str, _Choice], name: str, edges: Iterable[Edge]) -> None:
    for edge in edges:
        choice = _Choice(edge.told, arguments={name: edge.value}, inside=edge.inside)
        choices.setdefault(edge.told, choice)


def _owners(subject: _Subject, rules: Iterable[Rule]) -> list[_Choice]:
    found = [_Choice("", {"owner": subject.owner})]
    for owner in owner_edges(rules, keras=subject.origin in (Origin.KERAS, Origin.LEGACY)):
        told = f"of {owner.distribution} {owner.version}"
        if owner.source_sha256:
            told = f"with the source {owner.source_sha256}"
        found.append(_Choice(told, {"owner": owner}))
    return found


def _formats(rules: Iterable[Rule]) -> list[_Choice]:
    named = sorted({form for rule in rules for form in rule.formats})
    other = next((form for form in Format if form not in named), Format.DICT)
    several = [_Choice(f"in a file of the format {f}", format=f) for f in named]
    return [_Choice("", format=other), *several]


def _digests(several: Iterable[Rule | Waiver]) -> list[_Choice]:
    named = sorted({digest for one in several for digest in one.sha256})
    found = [_Choice(f"in the artefact {digest}", digest=digest) for digest in named]
    return [_Choice("", digest=_OTHER_DIGEST), *found]


def _allocations(rules: Iterable[Rule]) -> list[_Choice]:
    bounds = {
        int(edge)
        for rule in rules
        if rule.allocation is not None
        for bound, over in ((rule.allocation.minimum, -1), (rule.allocation.maximum, 1))
        if bound is not None and abs(bound) < _FAR
        for edge in (bound, bound + over)
    }
    several = sorted(bound for bound in bounds if bound > 0)
    return [
        _Choice("", {"allocation": _LITTLE if several else 0}),
        *(_Choice(f"allocating {b:,} bytes", {"allocation": b}) for b in several),
    ]


def _paths(rules: Iterable[Rule], waivers: Iterable[Waiver]) -> list[_Choice]:
    named = {c.argument for rule in rules for c in rule.arguments if c.path}
    if any("SS320" in waiver.codes for waiver in waivers):
        named.add("filename")
    return [_Choice(), *(_Choice(f"with a path in {name!r}", path=name) for name in sorted(named))]


# From choices to a request.


def _made(subject: _Subject, chosen: tuple[_Choice, ...]) -> Witness:
    arguments: dict[str, Json] = {}
    inside: dict[str, str] = {}
    changes: dict[str, Any] = {}
    for choice in chosen:
        arguments |= choice.arguments
        inside |= choice.inside
        changes |= choice.changes
    path = next((choice.path for choice in chosen if choice.path), "")
    request = Request(
        "", "", Field.ROOT, Action.CONSTRUCT if subject.is_class else Action.REFER, subject.symbol,
        subject.kind, subject.origin, subject.symbol, effects=subject.effects,
        objections=(Objection("SS320", "a path", "", path),) if path else (),
        arguments={path: _PATH, **arguments} if path else arguments,
    )._replace(**changes)  # fmt: skip
    form = next((choice.format for choice in chosen if choice.format), Format.DICT)
    digest = next((choice.digest for choice in chosen if choice.digest), _OTHER_DIGEST)
    told = tuple(choice.told for choice in chosen if choice.told)
    return Witness(request, _Known(form, digest, inside), told)


def _lambda(digest: str) -> Witness:
    request = Request(
        "", "", Field.FUNCTION, Action.LAMBDA, "__lambda__", None, Origin.UNKNOWN, "a lambda",
        digest=digest,
    )  # fmt: skip
    return Witness(
        request, Context(Format.KERAS, frozenset({_OTHER_DIGEST})), (f"digest {digest}",)
    )
