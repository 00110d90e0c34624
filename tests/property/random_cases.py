"""Random stacks of policies and random plans, from a number: fast enough for a million.

They are small and drawn from few names and values, so that rules meet requests often, and
that what is rare in the field (errors, waivers, delegation) is common here.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from packaging.specifiers import SpecifierSet
from plan.plans import document
from policy.specification import World

from secure_serial.artifact.document import Format
from secure_serial.limits import Limits
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.owner import Owner
from secure_serial.plan.request import Action, Objection, Origin, Plan, Request
from secure_serial.policy.model import (
    CallerObjects,
    Constraint,
    Effect,
    Evidence,
    Lambdas,
    Mode,
    Owned,
    Policy,
    Rule,
    Waiver,
    WaiverTerms,
)

TODAY = date(2026, 11, 22)
A, B = "a" * 64, "b" * 64
SYMBOLS = (
    "keras.layers.Dense", "keras.layers.LSTM", "keras.layers.Evil", "keras.losses.Hinge",
    "keras.legacy.layers.Highway", "acme.vision.Block", "acme.text.Block", "acme>Block",
    "acme>Layer", "other>Block", "keras>Dense", "os.system", "Keras.layers.Dense", "keras.layers.Lambda", "__lambda__", "__tensor__", "'a.b'",
)  # fmt: skip
DOTTED = (
    *(s for s in SYMBOLS if ">" not in s), "keras.**", "keras.layers.*", "keras.*.Dense", "acme.**",
    "acme.*.Block", "acme.vision.*", "acme.vision.**", "zzz.*",
)  # fmt: skip
REGISTERED = (*(s for s in SYMBOLS if ">" in s), "acme>*", "*>Block", "zzz>*")
ARGUMENTS = ("units", "name", "cell", "node", "node.op", "k/~")
SCALARS = (None, True, False, 0, 1, 2, 2.5, 10**30, float("nan"), "", "a", "long text")
VALUES = (*SCALARS, [], [1], [1, 2], (1, 3), [True], [[1]], ["a"], {}, {"op": 1}, {"op": "a"})  # fmt: skip
ONE_OF = ((), (1, "a"), (True,), ([1, 2], None), ({"op": 1},), (2.5, [True]))
KERAS = Owner("keras", "3.15.1")
OWNERS = (None, KERAS, Owner("acme", "1.5", A), Owner("acme", "2.0", B), Owner("acme", "odd"))  # fmt: skip
OWNED = tuple(
    Owned(name, SpecifierSet(versions))
    for name, versions in (("keras", ">=3"), ("acme", ">=1,<2"), ("acme", ""), ("acme", ">=2"))
)
DOCUMENTS = tuple(
    replace(document([]), format=format_, judged_sha256=digest)
    for format_ in (Format.KERAS, Format.HDF5, Format.DICT)
    for digest in (A, B, "")
)
FIELDS = (Field.ROOT, Field.LAYER, Field.ACTIVATION)
KINDS = (Kind.LAYER, Kind.LOSS, Kind.MODEL)
CODES = ("SS320", "SS320", "SS320", "SS303", "SS311")
#: Steps from an object to one in its arguments; some are not spelled out in a pointer.
STEPS = (
    "/config/cell", "/config/cell/0", "/config/cell/0/1", "/config/cell/items/0", "/cell", "/0",
    "/config/node/op", "/config/units", "/config/k~1~0", "/config/cell/x…/0", "/config/" + 60 * "wrapped/",
)  # fmt: skip
OFTEN, EVEN, SELDOM, RARELY = 0.7, 0.5, 0.2, 0.06


LIMITS = Limits()


class Case(NamedTuple):
    """A stack of layers, a plan, and the day on which one is asked about the other."""

    stack: Policy
    plan: Plan
    today: date | None

    @property
    def world(self) -> World:
        """What the specification is told beside the request."""
        document = self.plan.document
        digests = frozenset({document.judged_sha256} - {""})
        return World(document.format, digests, self.plan.requests, self.today)


class Maker(random.Random):
    """A source of random parts."""

    def choice(self, seq):
        """One of several; the library's own takes thrice as long."""
        return seq[int(self.random() * len(seq))]

    def maybe(self, chance, make, default):
        """Something made up, or else the default."""
        return make() if self.random() < chance else default

    def some(self, of):
        """One or two of several."""
        return (self.choice(of), self.choice(of)) if self.random() < EVEN else (self.choice(of),)

    def case(self) -> Case:
        """A whole case."""
        layers = [self.layer(number) for number in range(self.choice((1, 1, 2, 2, 3, 4)))]
        stack = replace(layers[0], below=tuple(layers[1:]))
        document, today = self.choice(DOCUMENTS), self.choice((None, *[TODAY] * 9))
        return Case(stack, Plan(document, self.requests()), today)

    def layer(self, number: int) -> Policy:
        """One layer of a stack."""
        report = self.random() < SELDOM
        rules, waivers, _ = parts()
        return Policy(
            name=f"layer {number}",
            source=f"{number}.toml",
            sha256="0" * 64,
            rules=tuple([self.choice(rules) for _ in range(self.choice(range(6)))]),
            limits=LIMITS,
            caller_objects=self.choice(tuple(CallerObjects)),
            lambdas=self.choice(tuple(Lambdas)),
            said=frozenset(
                word for word in ("lambda", "caller_objects") if self.choice((True, False))
            ),
            extends=self.maybe(EVEN, lambda: ("@above",), ()) if number else (),
            mode=Mode.REPORT if report else Mode.ENFORCE,
            report_until=TODAY + timedelta(self.choice((-1, 0, 1))) if report else None,
            delegate=self.maybe(SELDOM, lambda: self.some(DOTTED + REGISTERED), ()),
            require_evidence=self.random() < SELDOM,
            waivers=tuple([self.choice(waivers) for _ in range(self.choice((0, 0, 1, 2)))]),
            waiver_terms=WaiverTerms(self.choice((0, 1, 366)), self.random() < EVEN),
        )

    def rule(self, id: str) -> Rule:
        """One rule: mostly on names alone, at times with conditions of any kind."""
        effect = Effect.ALLOW if self.random() < 0.8 else Effect.DENY
        plain = self.random() < OFTEN
        seldom = 0 if plain else SELDOM
        return Rule(
            id=id,
            effect=effect,
            source="rule.toml",
            line=1,
            symbols=self.maybe(OFTEN, lambda: self.some(DOTTED), ()),
            registered=self.maybe(EVEN, lambda: self.some(REGISTERED), ()),
            kinds=self.maybe(SELDOM, lambda: frozenset(self.some(KINDS)), frozenset()),
            fields=self.maybe(SELDOM, lambda: frozenset(self.some(FIELDS)), frozenset()),
            arguments=() if plain else tuple(self.constraint() for _ in range(self.choice((0, 1, 2)))),
            allocation=self.maybe(seldom, lambda: Constraint("allocation", maximum=self.choice((0, 5))), None),
            owner=self.maybe(seldom, lambda: self.choice(OWNED), None),
            sha256=self.maybe(seldom, lambda: frozenset({self.choice((A, B))}), frozenset()),
            formats=self.maybe(seldom, lambda: frozenset({self.choice((Format.KERAS, Format.DICT))}), frozenset()),
            lambdas=self.maybe(RARELY, lambda: frozenset({self.choice((A, B))}), frozenset()),
            evidence=self.maybe(SELDOM, lambda: Evidence("t", self.choice((A, B)), 0, TODAY), None),
        )  # fmt: skip

    def constraint(self) -> Constraint:
        """What an argument must be; some of it cannot be told of some values."""
        return Constraint(
            argument=self.choice(ARGUMENTS),
            types=self.maybe(SELDOM, lambda: frozenset(self.some(("number", "string", "array", "null"))), frozenset()),
            minimum=self.maybe(SELDOM, lambda: self.choice((0, 1, 1.5)), None),
            maximum=self.maybe(SELDOM, lambda: self.choice((0, 1, 2.5)), None),
            max_length=self.maybe(SELDOM, lambda: self.choice((0, 1, 5)), None),
            one_of=self.maybe(SELDOM, lambda: self.choice(ONE_OF), None),
            path=self.random() < EVEN,
            symbols=self.maybe(SELDOM, lambda: self.some(DOTTED + REGISTERED), ()),
        )  # fmt: skip

    def waiver(self, id: str) -> Waiver:
        """One waiver, mostly in force."""
        return Waiver(
            id, "waiver.toml", 1, "ann", "old",
            TODAY + timedelta(self.choice((-1, 0, 1, 1, 2))),
            symbols=self.maybe(OFTEN, lambda: self.some(DOTTED), ()),
            registered=self.maybe(EVEN, lambda: self.some(REGISTERED), ()),
            sha256=self.maybe(SELDOM, lambda: frozenset({self.choice((A, B))}), frozenset()),
            codes=frozenset(self.choice((("SS301",), ("SS301", "SS320"), ("SS320",)))),
        )  # fmt: skip

    def requests(self) -> tuple[Request, ...]:
        """Some requests, each in an argument of one before it or beside it."""
        found: list[Request] = []
        for number in range(self.choice((1, 2, 3, 4, 5))):
            beside = self.choice(found).pointer if found else ""
            pointer = beside + self.choice(STEPS) if number else ""
            found.append(self.choice(parts().requests)._replace(pointer=pointer))
        return tuple(found)

    def request(self) -> Request:
        """One request for one of the symbols, of whatever origin."""
        symbol = self.choice(SYMBOLS)
        origin = self.origin(symbol)
        action = {"__lambda__": Action.LAMBDA, "__tensor__": Action.DECODE}.get(symbol)
        seldom = self.random() < SELDOM
        return Request(
            member=self.maybe(RARELY, lambda: "other.json", ""),
            pointer="",
            field=self.choice(FIELDS),
            action=action or self.choice((Action.CONSTRUCT, Action.CONSTRUCT, Action.REFER)),
            symbol=symbol,
            kind=self.choice((None, *KINDS)),
            origin=origin,
            written=symbol,
            effects=self.maybe(SELDOM, lambda: ("reads_files",), ()),
            objections=tuple(self.objection() for _ in range(self.choice((1, 2))))
            if seldom
            else (),
            arguments=self.maybe(OFTEN, self.arguments, None),
            allocation=self.choice((0, 1, 9)),
            owner=KERAS if origin is Origin.KERAS else self.choice(OWNERS),
            digest=self.choice((A, B, "")) if action is Action.LAMBDA else "",
        )

    def origin(self, symbol: str) -> Origin:
        """Where a symbol comes from, as its name lets expect, and at times anything."""
        if self.random() < RARELY:
            return self.choice(tuple(Origin))
        if symbol.startswith("__"):
            return Origin.ENCODING if symbol == "__tensor__" else Origin.UNKNOWN
        if symbol.startswith("keras.") and symbol != "keras.layers.Evil":
            return Origin.LEGACY if "legacy" in symbol else Origin.KERAS
        return self.choice((Origin.CALLER, Origin.UNKNOWN))

    def arguments(self) -> dict[str, object]:
        """Some arguments, and what stands in them."""
        return {
            name: self.choice(VALUES) for name in ("units", "name", "cell", "node", "k/~") if self.random() < EVEN
        }  # fmt: skip

    def objection(self) -> Objection:
        """Something wrong with a request."""
        return Objection(self.choice(CODES), "wrong", "/x", self.choice(("", "units", "cell")))


class Parts(NamedTuple):
    """What cases are put together of: making all of it anew for each would take most of the time."""

    rules: list[Rule]
    waivers: list[Waiver]
    requests: list[Request]


@cache
def parts() -> Parts:
    """Some thousands of each, always the same."""
    maker = Maker(0)
    return Parts(
        [maker.rule(f"r{number}") for number in range(5_000)],
        [maker.waiver(f"w{number}") for number in range(1_000)],
        [maker.request() for _ in range(5_000)],
    )


def case(number: int) -> Case:
    """The case of this number, always the same."""
    return Maker(number).case()
