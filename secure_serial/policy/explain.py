"""The exact policy lines that would allow what was denied, or what came nearest to it. Pure.

It says no where no line can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from secure_serial.plan.request import Action, Origin
from secure_serial.policy.conditions import named, poses
from secure_serial.policy.model import Effect
from secure_serial.policy.patterns import problem_with

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from datetime import date

    from secure_serial.plan.request import Request
    from secure_serial.policy.engine import Decision
    from secure_serial.policy.model import Policy

#: No class of a model lives there.
_NEVER = "numpy"


#: Digits of a digest that tell functions apart for people.
_SHORT = 8


class Offer(NamedTuple):
    """What one `[[allow]]` table would let in."""

    symbol: str
    paths: tuple[str, ...] = ()  # arguments that may look like a path
    fields: tuple[str, ...] = ()  # where it may stand; empty for anywhere
    function: bool = False  # the symbol is the digest of a function in the file

    @property
    def key(self) -> str:
        """Whether it is a digest, a dotted or a registered name."""
        if self.function:
            return "lambdas"
        return "registered" if ">" in self.symbol else "symbols"

    @property
    def name(self) -> str:
        """What an id is made of."""
        return f"function {self.symbol[:_SHORT]}" if self.function else self.symbol


#: Of a name that no policy line can let in.
UNKNOWN: Final = (
    "its name tells nobody whose it is: if it is the program's own, register it there "
    "or pass it as a custom object"
)


def offer_for(decision: Decision) -> Offer | None:
    """What a rule would have to say to allow this request; None where none can.

    A path in a named argument can be permitted, and code that was understood, by its digest; a
    wrong kind of object, names that disagree and what the limits stop cannot. What reads files,
    fetches or executes is never offered: whoever means it writes the line by hand. Nor is what
    a rule names with a condition that does not hold, which a line without it would undo.
    """
    request = decision.request
    if decision.near:
        return None
    permits = [o.argument for o in request.objections if o.code == "SS320" and o.argument]
    hopeless = len(permits) != len(request.objections)
    if decision.allowed or decision.code == "SS302" or hopeless:
        return None
    if request.action is Action.LAMBDA:
        return Offer(request.digest, function=True) if request.digest else None
    if not _may_be_named(request):
        return None
    # What a person pastes comes from the file: names that need quoting in TOML are not offered.
    if not all(name.isascii() and name.isidentifier() for name in permits):
        return None
    return Offer(request.symbol, tuple(dict.fromkeys(permits)))


def table(offer: Offer, used: Container[str] = ()) -> str:
    """The `[[allow]]` table of an offer, under an id that is not in use.

    >>> print(table(Offer("acme>Block", fields=("layer",)), {"allow-acme-block"}))
    [[allow]]
    id = "allow-acme-block-2"
    registered = ["acme>Block"]
    fields = ["layer"]
    """
    lines = [
        "[[allow]]",
        f'id = "{new_id(offer.name, used)}"',
        f'{offer.key} = ["{offer.symbol}"]',
    ]
    if offer.fields:
        lines.append("fields = [" + ", ".join(f'"{field}"' for field in offer.fields) + "]")
    lines += [f'arguments."{name}" = {{ path = true }}' for name in offer.paths]
    return "\n".join(lines)


def new_id(symbol: str, used: Container[str] = ()) -> str:
    """A readable id for a rule on a symbol."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in symbol.lower()).split()
    base = new = "-".join(["allow", *words])
    number = 2
    while new in used:
        new = f"{base}-{number}"
        number += 1
    return new


def tables(offers: Iterable[Offer], used: Iterable[str] = ()) -> str:
    """The tables of several offers, each under an id of its own."""
    ids = set(used)
    blocks = []
    for offer in offers:
        blocks.append(table(offer, ids))
        ids.add(new_id(offer.name, ids))
    return "\n\n".join(blocks)


def nearest(decision: Decision, policy: Policy, today: date | None) -> str:
    """What names the symbol of a default denial and yet does not lift it; empty for nothing.

    Args:
        decision: A denial for want of a rule; its `near` tells the rule or the waiver.
        policy: What decided, with the layers below it.
        today: The day of the decision.

    """
    near = decision.near
    for waiver in (each for layer in policy.layers for each in layer.waivers):
        if not near.startswith(f"{waiver.id} ({waiver.place}): "):
            continue
        named = f"The waiver {waiver.id} ({waiver.place}) of {waiver.who}"
        if today is not None and waiver.expires < today:
            return f"{named} ended on {waiver.expires}."
        return f"{named} does not count: it {near.partition(': a waiver that ')[2]}."
    if near:
        return f"The nearest rule is {near}."
    return by_its_path(decision.request, policy) or _by_its_case(decision.request.symbol, policy)


def _by_its_case(symbol: str, policy: Policy) -> str:
    """The rule that names a symbol but for capital and small letters."""
    folded = symbol.casefold()
    for rule in (each for layer in policy.layers for each in layer.rules):
        for pattern in (*rule.symbols, *rule.registered):
            if rule.effect is Effect.ALLOW and pattern.casefold() == folded:
                return f"The rule {rule.id} ({rule.place}) names {pattern}: mind the capitals."
    return ""


def by_its_path(request: Request, policy: Policy) -> str:
    """The rule that names a registered class by its dotted path, by which no rule matches."""
    path, registered, _ = request.written.partition(" registered as ")
    if not registered or ">" not in request.symbol:
        return ""
    for rule in (each for layer in policy.layers for each in layer.rules):
        if rule.effect is Effect.ALLOW and named(rule.symbols, path):
            return (
                f"The rule {rule.id} ({rule.place}) names {path!r:.200}, and rules know what is "
                f'registered by that name alone: registered = ["{request.symbol}"].'
            )
    return ""


def _may_be_named(request: Request) -> bool:
    symbol = request.symbol
    if request.effects or not symbol.isprintable() or any(c in symbol for c in "'\"\\*"):
        return False
    if poses(request) or problem_with(symbol, registered=">" in symbol):
        return False
    if request.origin in (Origin.KERAS, Origin.LEGACY, Origin.CALLER):
        return True
    return ">" in symbol or ("." in symbol and symbol.partition(".")[0] != _NEVER)
