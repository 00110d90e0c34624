"""Random policies, policies made from others by a small change, and requests that tell them apart.

A seed stands for each, so that a failing case is one number.
"""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

from packaging.specifiers import SpecifierSet

from secure_serial.artifact.document import Format
from secure_serial.limits import Limits
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.owner import Owner
from secure_serial.plan.request import Action, Objection, Origin, Request
from secure_serial.policy.conditions import Context
from secure_serial.policy.model import (
    AuditDemand,
    CallerObjects,
    Constraint,
    Effect,
    Evidence,
    Mode,
    Owned,
    Policy,
    Rule,
    Waiver,
    WaiverTerms,
)

TODAY = date(2026, 11, 22)
SYMBOLS = (
    "keras.layers.Dense", "keras.layers.Lambda", "keras.losses.Huber", "acme.Block",
    "acme.vision.Block", "acme>Block", "acme>Head", "other>Block", "acme.vision>Block", "zzz.Thing",
    "__lambda__",
)  # fmt: skip
DOTTED = (*SYMBOLS[:5], "zzz.Thing", "keras.**", "keras.layers.*", "acme.*", "acme.**",
          "acme.*.Block", "acme.vision.**", "acme>Block")  # fmt: skip
REGISTERED = ("acme>Block", "acme>Head", "acme>*", "*>Block", "acme.vision>*")
DIGESTS = ("a" * 64, "b" * 64)
ARGUMENTS = ("units", "name", "cell", "node.op")
VALUES = (
    None, True, False, 0, 1, 2, 3, 5, 1.0, 2.5, -1, float("nan"), "a", "bb", "", [1], [True], [1, 9], [],
    ["a"], {"op": 1}, {"op": "a"}, {},
)  # fmt: skip
VERSIONS = ("3.9", "3.10", "3.11", "4.0rc1", "4.0", "3.10+local", "nonsense")
SPECIFIERS = ("", ">=3.10", ">=3.10,<4", ">=3.11,<4", "==3.10", "<4.0rc1", "<4", "!=3.11", "~=3.10")
KINDS = (None, Kind.LAYER, Kind.LOSS, Kind.FUNCTION)
FIELDS = (Field.ROOT, Field.LAYER, Field.LOSS)


def some(random, values, odds=0.5, most=2):
    """A few of several values, or none."""
    return tuple(random.sample(values, random.randint(1, most))) if random.random() < odds else ()


def constraint(random):
    return Constraint(
        argument=random.choice(ARGUMENTS),
        types=frozenset(
            some(random, ("string", "integer", "number", "array", "null", "boolean"), 0.3)
        ),
        minimum=random.choice((0, 1, 2, 2.5)) if random.random() < 0.25 else None,
        maximum=random.choice((1, 2, 3, 5)) if random.random() < 0.4 else None,
        max_length=random.choice((0, 1, 2)) if random.random() < 0.2 else None,
        one_of=some(random, VALUES, 1, 3) if random.random() < 0.3 else None,
        path=random.random() < 0.2,
        symbols=some(random, ("acme>*", "acme>Block", "keras.layers.*", "keras.layers.Dense"), 0.2),
    )


def rule(random, effect=None, number=0):
    effect = effect or random.choice(list(Effect))
    plain = random.random() < 0.4
    lambdas = effect is Effect.ALLOW and random.random() < 0.1
    symbols = some(random, DOTTED, 0.8, 3)
    registered = some(random, REGISTERED, 0.3 if symbols else 1.0 - lambdas, 2)
    if effect is Effect.DENY and random.random() < 0.1:
        symbols = registered = ()
    rare = 0.0 if plain else 0.15
    return Rule(
        id=f"r{number}",
        effect=effect,
        source="p.toml",
        line=number,
        symbols=symbols,
        registered=registered,
        kinds=frozenset(some(random, KINDS[1:], rare)),
        fields=frozenset(some(random, FIELDS, rare)),
        arguments=() if plain else tuple(constraint(random) for _ in range(random.choice((0, 1, 1, 2)))),
        allocation=Constraint("allocation", maximum=random.choice((10, 20))) if random.random() < rare else None,
        owner=Owned(random.choice(("keras", "acme")), SpecifierSet(random.choice(SPECIFIERS)))
        if random.random() < rare else None,
        sha256=frozenset(some(random, DIGESTS, rare)),
        formats=frozenset(some(random, (Format.KERAS, Format.JSON), rare)),
        lambdas=frozenset(some(random, DIGESTS, 1.0 if lambdas else 0.0)),
        evidence=evidence(random) if random.random() < rare else None,
    )  # fmt: skip


def evidence(random):
    return Evidence("bandit 1", random.choice(DIGESTS), 0, TODAY)


def waiver(random, number=0):
    return Waiver(
        id=f"w{number}", source="p.toml", line=number, who="Jo", reason="because",
        expires=TODAY + timedelta(days=random.choice((-1, 0, 1, 30, 100))),
        symbols=some(random, DOTTED, 0.8), registered=some(random, REGISTERED, 0.3),
        sha256=frozenset(some(random, DIGESTS, 0.3)),
        codes=frozenset(some(random, ("SS301", "SS320"), 1.0)),
    )  # fmt: skip


def policy(random):
    report = random.random() < 0.15
    return Policy(
        name="p", source="p.toml", sha256="0" * 64,
        rules=tuple(rule(random, number=n) for n in range(random.randint(0, 5))),
        limits=Limits(layers=random.choice((10, 20))) if random.random() < 0.1 else Limits(),
        caller_objects=random.choice(list(CallerObjects)),
        audit=random.choice(list(AuditDemand)) if random.random() < 0.1 else AuditDemand.OPTIONAL,
        mode=Mode.REPORT if report else Mode.ENFORCE,
        report_until=TODAY + timedelta(days=random.choice((-1, 0, 5))) if report else None,
        delegate=some(random, ("acme.**", "acme>*", "acme.vision.*", "zzz.Thing"), 0.2),
        require_evidence=random.random() < 0.15,
        waivers=tuple(waiver(random, n) for n in range(random.choice((0, 0, 0, 1, 2)))),
        waiver_terms=WaiverTerms(random.choice((0, 30, 366)), below=random.random() < 0.2)
        if random.random() < 0.2 else WaiverTerms(),
        extends=("@above",) if random.random() < 0.1 else (),
    )  # fmt: skip


def changed_rule(random, before):
    """A rule with one of its conditions another, gone, or new."""
    other = rule(random, before.effect)
    name = random.choice(
        ("symbols", "registered", "kinds", "fields", "arguments", "allocation", "owner", "sha256",
         "formats", "lambdas", "evidence", "arguments", "arguments", "symbols")
    )  # fmt: skip
    if name == "lambdas" and before.effect is Effect.DENY:
        return before
    if name == "arguments" and before.arguments and random.random() < 0.7:
        several = list(before.arguments)
        several[random.randrange(len(several))] = changed_constraint(random, random.choice(several))
        return before._replace(arguments=tuple(several))
    gone = random.random() < 0.4
    empty = None if name in ("allocation", "owner", "evidence") else type(getattr(before, name))()
    after = before._replace(**{name: empty if gone else getattr(other, name)})
    named = after.symbols or after.registered or after.lambdas
    return after if named or after.effect is Effect.DENY else before


def changed_constraint(random, before):
    name = random.choice(Constraint._fields[1:])
    return before._replace(**{name: getattr(constraint(random), name)})


def changed(random, before):
    """A policy that differs from another by one or two small things."""
    after = before
    for _ in range(random.choice((1, 1, 2))):
        rules = list(after.rules)
        what = random.random()
        if what < 0.15:
            rules.insert(random.randint(0, len(rules)), rule(random, number=90))
        elif what < 0.3 and rules:
            rules.pop(random.randrange(len(rules)))
        elif what < 0.4:
            random.shuffle(rules)
        elif what < 0.8 and rules:
            at = random.randrange(len(rules))
            rules[at] = changed_rule(random, rules[at])
        else:
            other = policy(random)
            name = random.choice(
                ("caller_objects", "delegate", "require_evidence", "waivers", "waiver_terms", "extends")
            )  # fmt: skip
            after = dataclasses.replace(after, **{name: getattr(other, name)})
            continue
        after = dataclasses.replace(after, rules=tuple(rules))
    return after


class KnownContext(Context):
    """A context in which what is nested is known, or not."""

    def __init__(self, format, digests, nested):
        super().__init__(format, digests)
        self._inside = nested

    def nested(self, request, argument):
        if self._inside is None:
            return super().nested(request, argument)
        return self._inside


def request(random):
    """Any request that the planner might make, and the context it is made in."""
    symbol = random.choice(SYMBOLS)
    action = (
        Action.LAMBDA if symbol == "__lambda__" else random.choice((Action.CONSTRUCT, Action.REFER))
    )
    origin = random.choice((Origin.KERAS, Origin.LEGACY, Origin.CALLER, Origin.UNKNOWN))
    if random.random() < 0.05:
        symbol, action, origin = "__tensor__", Action.DECODE, Origin.ENCODING
    codes = ["SS320", "SS320", "SS311"] + ["SS303"] * (action is Action.LAMBDA)
    found = [Objection(random.choice(codes), "x", "", random.choice(("units", "name", "")))
             for _ in range(random.choice((0, 0, 0, 1, 2)))]  # fmt: skip
    if action is Action.LAMBDA:
        found.append(Objection("SS303", "code", "", ""))
    arguments = {
        n.partition(".")[0]: random.choice(VALUES) for n in some(random, ARGUMENTS, 0.9, 3)
    }
    owner = Owner(
        random.choice(("keras", "acme")), random.choice(VERSIONS), random.choice(("", *DIGESTS))
    )
    made = Request(
        "", "", random.choice(FIELDS), action, symbol, random.choice(KINDS), origin, "x",
        effects=random.choice(((), (), ("reads-files",))),
        objections=tuple(found),
        arguments=random.choice((arguments, arguments, arguments, None)),
        allocation=random.choice((0, 10, 15, 25)),
        owner=random.choice((owner, owner, None)),
        digest=random.choice(DIGESTS) if action is Action.LAMBDA else "",
    )  # fmt: skip
    nested = random.choice(
        (None, [], ["acme>Block"], ["keras.layers.Dense"], ["acme>Block", "zzz.Thing"])
    )
    digests = random.choice((frozenset(), frozenset(DIGESTS[:1]), frozenset(DIGESTS)))
    return made, KnownContext(random.choice((None, Format.KERAS, Format.JSON)), digests, nested)
