"""The laws of `laws.py` on twenty thousand cases, and the index against single patterns."""

from __future__ import annotations

import collections

import pytest
from property.laws import check_all
from property.random_cases import Maker, case

from secure_serial.policy.conditions import context_of
from secure_serial.policy.engine import Engine
from secure_serial.policy.index import Index
from secure_serial.policy.patterns import registered_matches, symbol_matches

BLOCK = 2_000
SEGMENTS = ("a", "b", "c", "ab", "*", "**", "", "A")
SIDES = (*SEGMENTS, "a.b", "a.*")


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_every_law_holds_for_random_policies_and_plans(block):
    assert check_all(range(block * BLOCK, (block + 1) * BLOCK)) == BLOCK


def test_the_random_cases_reach_every_outcome():
    seen = collections.Counter()
    for number in range(1_000):
        given = case(number)
        engine, context = Engine(given.stack, given.today), context_of(given.plan)
        for request in given.plan.requests:
            decision = engine.decide(request, context)
            seen[decision.effect, decision.code, decision.lifted] += 1
            failed = "could not be evaluated" in decision.reason + decision.near
            seen["failed", decision.effect] += failed
            seen["delegated"] += "left to the layer below" in decision.reason
            seen["several"] += len(decision.rules) > 1
    for outcome in (
        ("allow", "", ""), ("allow", "SS301", "waiver"), ("allow", "SS301", "report"),
        ("deny", "SS301", ""), ("deny", "SS302", ""), ("deny", "SS303", ""), ("deny", "SS320", ""),
        ("deny", "SS311", ""), ("failed", "deny"), "several",
    ):  # fmt: skip
        assert seen[outcome] > 20, outcome
    assert seen["allow", "SS320", "waiver"]
    assert seen["delegated"]


@pytest.mark.parametrize("number", range(100))
def test_the_index_finds_what_each_pattern_means_by_itself(number):
    maker = Maker(number)
    dotted = [_name(maker) for _ in range(25)]
    sided = [f"{maker.choice(SIDES)}>{maker.choice(SIDES)}" for _ in range(10)]
    index = Index()
    things = []
    for at in range(40):
        thing = (at, maker.some(dotted) if at % 3 else (), maker.some(sided) if at % 2 else ())
        things.append(thing)
        index.add(thing, *thing[1:])
    for symbol in [*dotted, *sided, "a>b>c", ">", "a>", "_"]:
        wanted = [thing for thing in things if _names(thing, symbol)]
        assert list(index.find(symbol)) == wanted
        assert list(index.find(symbol)) == wanted, "found again"


def _name(maker):
    return ".".join(maker.choice(SEGMENTS) for _ in range(maker.choice((1, 2, 2, 3, 4))))


def _names(thing, symbol):
    _, symbols, registered = thing
    return (
        not (symbols or registered)
        or any(symbol_matches(pattern, symbol) for pattern in symbols)
        or any(registered_matches(pattern, symbol) for pattern in registered)
    )
