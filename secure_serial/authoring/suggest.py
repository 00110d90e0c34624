"""The smallest policy that allows what was seen: riskiest first, each entry with where it was.

What reads files, fetches, executes or holds code is never let in by it, nor what merely reads
like a name of Keras's; both are listed in comments, with the reason. Names come from files that
strangers made, so none gets into the text that could write a line of its own, and the text is
read and tried before anybody sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.plan.request import Action, Origin
from secure_serial.policy.conditions import feigned
from secure_serial.policy.engine import DENY_RULE, Engine
from secure_serial.policy.explain import Offer, new_id, offer_for, table
from secure_serial.policy.source import parse_policy
from secure_serial.report.printable import printable
from secure_serial.rules.catalogue import lookup
from secure_serial.scanner.suggest import rule_of, why_not

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from secure_serial.authoring.seen import Seen, Sight
    from secure_serial.policy.engine import Decision

#: What can do most comes first.
_EFFECTS = (
    "executes", "deserializes-code", "fetches", "writes-files", "reads-files", "process-state",
)  # fmt: skip
_WIDTH = 160
_FEIGNED = "it only reads like a name of Keras's, and Keras has none so called"


class Refusal(NamedTuple):
    """What was seen and is not let in: why, and what would do it, for a person to judge."""

    symbol: str
    why: str
    sights: tuple[Sight, ...]
    rank: int
    lines: str = ""  # to be shown commented out, on demand


class Entry(NamedTuple):
    """One rule of the suggested policy, and what it is for."""

    offer: Offer
    sights: tuple[Sight, ...]

    @property
    def origin(self) -> Origin:
        """Whose the symbol is."""
        return self.sights[0].decision.request.origin


class Suggested(NamedTuple):
    """A policy as text, and what it does."""

    text: str
    entries: tuple[Entry, ...]
    refused: tuple[Refusal, ...]
    seen: Seen

    @property
    def allows_all(self) -> bool:
        """Whether nothing that was seen is still denied."""
        return not (self.refused or self.seen.wholes or self.seen.more)


def suggest(seen: Seen, *, include_risky: bool = False) -> Suggested:
    """The smallest policy that allows what was seen.

    Args:
        seen: What was denied by the policy to be extended, which must be a shipped one.
        include_risky: Show what it would take to allow the rest, commented out.

    >>> from secure_serial.authoring.seen import in_files
    >>> from secure_serial.policy.source import load_policy
    >>> suggest(in_files([], load_policy("strict"), None)).entries
    ()

    """
    refused: dict[int, str] = {}  # by the sight's place in the list
    while True:
        entries, rest = _sorted_out(seen.sights, refused)
        text = _text(seen, entries, rest, include_risky=include_risky)
        failed = _failing(text, seen, entries)
        if not failed:
            return Suggested(text, entries, rest, seen)
        refused |= failed


def _failing(text: str, seen: Seen, entries: Sequence[Entry]) -> dict[int, str]:
    """What the text does not let in though it should, by the sight's place, and why.

    Raises:
        AssertionError: it lets in what it should not.

    """
    policy = parse_policy(text, "suggested")
    engine = Engine(policy, seen.today)
    wanted = {id(sight) for entry in entries for sight in entry.sights}
    failed = {}
    for number, sight in enumerate(seen.sights):
        decision = engine.decide(sight.decision.request, sight.context)
        if decision.allowed and id(sight) not in wanted:
            raise AssertionError(f"the suggested policy lets in {sight.decision.request.symbol!r}")
        if not decision.allowed and id(sight) in wanted:
            failed[number] = f"a line that names it would not do: {decision.reason}"
    if len(policy.rules) != len(seen.policy.rules) + len(entries):
        raise AssertionError("the suggested policy holds another rule")
    return failed


# What to let in.


def _sorted_out(
    sights: Sequence[Sight], failed: dict[int, str]
) -> tuple[tuple[Entry, ...], tuple[Refusal, ...]]:
    wanted: dict[str, list[Sight]] = {}
    refused: dict[tuple[str, str], list[Sight]] = {}
    for number, sight in enumerate(sights):
        why = failed.get(number) or _why_not(sight)
        symbol = sight.decision.request.symbol
        if why:
            refused.setdefault((symbol, why), []).append(sight)
        else:
            wanted.setdefault(symbol, []).append(sight)
    entries = [Entry(_offer(symbol, several), tuple(several)) for symbol, several in wanted.items()]
    return tuple(sorted(entries, key=_riskier)), tuple(_refusals(refused))


def _why_not(sight: Sight) -> str:
    """Why a sight is not let in; empty where it is."""
    decision = sight.decision
    request = decision.request
    if decision.code == DENY_RULE:
        return why_not(decision, None)
    if request.action is Action.LAMBDA:
        return "it is code in the file, which is let in by its digest alone, once it was read"
    if feigned(request):
        return _FEIGNED
    hopeless = [o for o in request.objections if o.code != "SS320" or not o.argument]
    if hopeless:
        code = hopeless[0].code
        return f"{code} {lookup(code).title}: this is refused whatever a policy allows"
    if request.effects:
        return why_not(decision, None)
    if request.objections:
        names = ", ".join(dict.fromkeys(o.argument for o in request.objections))
        return f"what looks like a path stands in its argument {names}, and a file would choose it"
    offer = offer_for(decision)
    if offer is None or rule_of(offer) is None:
        return why_not(decision, None)
    return ""


def _offer(symbol: str, sights: Sequence[Sight]) -> Offer:
    fields = sorted({sight.decision.request.field.value for sight in sights})
    return Offer(symbol, fields=tuple(fields))


def _riskier(entry: Entry) -> tuple[int, str]:
    """A stranger's before the program's own, and that before Keras's."""
    order = (Origin.UNKNOWN, Origin.CALLER, Origin.LEGACY, Origin.KERAS)
    rank = order.index(entry.origin) if entry.origin in order else 0
    return rank, entry.offer.symbol


def _refusals(refused: dict[tuple[str, str], list[Sight]]) -> Iterator[Refusal]:
    found = [
        Refusal(symbol, why, tuple(sights), _rank(sights[0]), _lines(symbol, sights))
        for (symbol, why), sights in refused.items()
    ]
    yield from sorted(found, key=lambda each: (each.rank, each.symbol))


def _rank(sight: Sight) -> int:
    """How bad it may be: code first, then by what it can do, then what is only wrong."""
    request = sight.decision.request
    if request.action is Action.LAMBDA:
        return 0
    ranks = [_EFFECTS.index(effect) + 1 for effect in request.effects if effect in _EFFECTS]
    if ranks:
        return min(ranks)
    last = len(_EFFECTS) + 1
    return last if feigned(request) or request.objections else last + 1


def _lines(symbol: str, sights: Sequence[Sight]) -> str:
    """What would let it in, for somebody who knows better; empty where nothing does."""
    request = sights[0].decision.request
    if request.action is Action.LAMBDA:
        digests = sorted({s.decision.request.digest for s in sights if s.decision.request.digest})
        named = ", ".join(f'"{digest}"' for digest in digests)
        return f'[[allow]]\nid = "allow-lambda"\nlambdas = [{named}]' if digests else ""
    offers = [_offer_but_for_its_effects(sight.decision) for sight in sights]
    if not all(offers):
        return ""
    paths = {path for offer in offers if offer is not None for path in offer.paths}
    offer = _offer(symbol, sights)._replace(paths=tuple(sorted(paths)))
    return table(offer) if rule_of(offer) is not None else ""


def _offer_but_for_its_effects(decision: Decision) -> Offer | None:
    return offer_for(decision._replace(request=decision.request._replace(effects=())))


# The text.


def _text(
    seen: Seen, entries: Sequence[Entry], refused: Sequence[Refusal], *, include_risky: bool
) -> str:
    base = seen.policy.source
    lines = [
        f"# Allows what {_count(seen.files, 'file')} asked for and {base} does not let in.",
        "# Look at each class before you use it: a file chooses the arguments that it gets.",
        "schema = 1",
        f'extends = ["{base}"]',
    ]
    if refused or seen.wholes or seen.more or seen.unread:
        lines += ["", "# ---- Seen, and not let in:", *_left_out(seen, refused, include_risky)]
    used = {rule.id for rule in seen.policy.rules}
    groups = {
        "Classes and functions that are not Keras's": (Origin.UNKNOWN, Origin.ENCODING),
        "What the program itself registered or passed": (Origin.CALLER,),
        f"Keras's own, which {base} leaves out": (Origin.KERAS, Origin.LEGACY),
    }
    for title, origins in groups.items():
        group = [entry for entry in entries if entry.origin in origins]
        lines += ["", f"# ---- {title}:"] * bool(group)
        for entry in group:
            lines += ["", *_where(entry.sights), table(entry.offer, used)]
            used.add(new_id(entry.offer.symbol, used))
    return "\n".join(lines) + "\n"


def _left_out(seen: Seen, refused: Sequence[Refusal], include_risky: bool) -> Iterator[str]:  # noqa: FBT001
    for name, why in seen.unread:
        yield f"# {_plain(name)} cannot be read: {_plain(why)}"
    for name, why in seen.wholes:
        yield f"# {_plain(name)} as a whole: {_plain(why)}"
    if seen.more:
        yield f"# and {seen.more} more requests: too many different ones to list"
    for each in refused:
        yield "#"
        yield f"# {_plain(each.symbol)}: {_plain(each.why)}"
        yield from _where(each.sights)
        if include_risky and each.lines:
            yield "# What would let it in, if you answer for it:"
            yield from (f"#   {line}" for line in each.lines.split("\n"))


def _where(sights: Iterable[Sight]) -> Iterator[str]:
    """Where something was seen: the first places, and how many more there are."""
    sights = list(sights)
    places = [place for sight in sights for place in sight.places][:3]
    times = sum(sight.times for sight in sights)
    files = len(set().union(*(sight.files for sight in sights)))
    more = f" and {times - len(places)} more" if times > len(places) else ""
    in_all = f", in {_count(files, 'file')}" if files > 1 or more else ""
    shown = ", ".join(_plain(str(place)) for place in places)
    yield f"# seen at {shown}{more}{in_all}"


def _plain(text: str) -> str:
    """A text from a file on one line, fit for a comment."""
    return printable(text, _WIDTH)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
