"""Engines are made once for a policy and a day, and few are kept."""

from __future__ import annotations

from datetime import date

from policy.rules import allow, policy

from secure_serial.construct import engines
from secure_serial.construct.engines import engine_of
from secure_serial.plan.fields import Field
from secure_serial.plan.request import Action, Origin, Request


def asked(symbol):
    return Request("", "", Field.ROOT, Action.CONSTRUCT, symbol, None, Origin.UNKNOWN, symbol)


def test_a_policy_has_one_engine_a_day_and_no_other_policy_has_it():
    one, other = policy(allow("keras.layers.Dense")), policy(allow("keras.layers.Dense"))
    assert one == other
    today, tomorrow = date(2026, 11, 23), date(2026, 11, 24)
    assert engine_of(one, today) is engine_of(one, today)
    made = [engine_of(each, day) for each in (one, other) for day in (today, tomorrow, None)]
    assert len({id(engine) for engine in made}) == len(made)
    assert [engine.policy is (one if n < 3 else other) for n, engine in enumerate(made)]


def test_engines_are_few_and_each_decides_by_the_policy_that_it_was_made_of(monkeypatch):
    monkeypatch.setattr(engines, "_engines", {})
    for number in range(3 * engines._MOST):
        engine = engine_of(policy(allow(f"acme.A{number}")), None)  # nobody else holds it
        allowed = [engine.decide(asked(f"acme.A{n}")).allowed for n in (number, number + 1)]
        assert allowed == [True, False]
        assert len(engines._engines) <= engines._MOST
