"""Random rules, policies and requests."""

from __future__ import annotations

import dataclasses

from hypothesis import strategies as st
from property.trees import SYMBOLS, scalars

from secure_serial.limits import Limits
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.request import Action, Objection, Origin, Request
from secure_serial.policy.model import AuditDemand, CallerObjects, Constraint, Effect, Policy, Rule

ARGUMENTS = ("units", "name", "vocabulary", "node.op")
PATTERNS = ("keras.layers.*", "keras.**", "acme.*", "zzz.**")
REGISTERED = ("acme>*", "*>Block", "other>Block")

# Some of these fail while they are evaluated: a bound on what has no order, a length of a number.
constraints = st.builds(
    Constraint,
    argument=st.sampled_from(ARGUMENTS),
    types=st.frozensets(st.sampled_from(("string", "integer", "array", "null")), max_size=2),
    minimum=st.none() | st.integers(-5, 5),
    maximum=st.none() | st.floats(allow_nan=False),
    max_length=st.none() | st.integers(0, 5),
    one_of=st.none() | st.lists(scalars, max_size=3).map(tuple),
    path=st.booleans(),
)


@st.composite
def rules(draw, effect=None):
    """One rule with any conditions."""
    return Rule(
        id=draw(st.text("abc", min_size=1, max_size=6)),
        effect=draw(st.sampled_from(Effect)) if effect is None else effect,
        source="p.toml",
        line=draw(st.integers(1, 99)),
        symbols=tuple(draw(st.lists(st.sampled_from(SYMBOLS + PATTERNS), min_size=1, max_size=4))),
        registered=tuple(draw(st.lists(st.sampled_from(REGISTERED), max_size=2))),
        kinds=draw(st.frozensets(st.sampled_from(Kind), max_size=2)),
        fields=draw(st.frozensets(st.sampled_from(Field), max_size=2)),
        arguments=tuple(draw(st.lists(constraints, max_size=2))),
        reason=draw(st.sampled_from(("", "because"))),
    )


policies = st.builds(
    Policy,
    name=st.just("random"),
    source=st.just("p.toml"),
    sha256=st.just("0" * 64),
    rules=st.lists(rules(), max_size=6).map(tuple),
    limits=st.just(Limits()),
    caller_objects=st.sampled_from(CallerObjects),
    audit=st.just(AuditDemand.OPTIONAL),
)
objections = st.builds(
    Objection,
    code=st.sampled_from(("SS320", "SS320", "SS311", "SS303")),
    detail=st.just("wrong"),
    pointer=st.just("/x"),
    argument=st.sampled_from((*ARGUMENTS, "")),
)
requests = st.builds(
    Request,
    member=st.just(""),
    pointer=st.sampled_from(("", "/a")),
    field=st.sampled_from(Field),
    action=st.sampled_from(Action),
    symbol=st.sampled_from(SYMBOLS),
    kind=st.none() | st.sampled_from(Kind),
    origin=st.sampled_from(Origin),
    written=st.just("written"),
    objections=st.lists(objections, max_size=2).map(tuple),
    arguments=st.none() | st.dictionaries(st.sampled_from(("units", "name", "node")), scalars),
)


def with_rules(policy, *more):
    """The policy with these rules added."""
    return dataclasses.replace(policy, rules=(*policy.rules, *more))
