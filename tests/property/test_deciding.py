"""What holds for every policy and every request."""

from __future__ import annotations

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st
from property.policies import policies, requests, rules, with_rules
from property.trees import SYMBOLS

from secure_serial.data import policy_names
from secure_serial.plan.fields import Field
from secure_serial.plan.request import Action, Origin, Request
from secure_serial.policy.engine import Engine
from secure_serial.policy.model import CallerObjects, Constraint, Effect, Policy, Rule
from secure_serial.policy.source import load_policy

QUICK = settings(max_examples=100, deadline=None)
EMPTY = Policy("empty", "p.toml", "0" * 64)


@QUICK
@given(policies, requests, st.randoms(use_true_random=False))
def test_the_order_of_rules_never_matters(policy, request_, random):
    shuffled = list(policy.rules)
    random.shuffle(shuffled)
    one = Engine(policy).decide(request_)
    other = Engine(dataclasses.replace(policy, rules=tuple(shuffled))).decide(request_)
    assert one.effect == other.effect
    if one.allowed:
        assert sorted(one.rules) == sorted(other.rules)
    else:
        assert one.code == other.code


@QUICK
@given(policies, requests, rules(effect=Effect.DENY))
def test_adding_a_deny_never_allows(policy, request_, deny):
    if Engine(with_rules(policy, deny)).decide(request_).allowed:
        assert Engine(policy).decide(request_).allowed


@QUICK
@given(policies, requests, rules(effect=Effect.ALLOW))
def test_adding_an_allow_never_denies(policy, request_, allow):
    if Engine(policy).decide(request_).allowed:
        assert Engine(with_rules(policy, allow)).decide(request_).allowed


@QUICK
@given(requests)
def test_a_policy_without_rules_allows_value_encodings_only(request_):
    decision = Engine(EMPTY).decide(request_)
    assert decision.allowed == (request_.action is Action.DECODE and not request_.objections)


@QUICK
@given(requests)
def test_vouching_for_the_programs_objects_lets_in_nothing_else(request_):
    policy = dataclasses.replace(EMPTY, caller_objects=CallerObjects.ALLOW)
    if Engine(policy).decide(request_).allowed:
        assert request_.origin is Origin.CALLER or request_.action is Action.DECODE


@QUICK
@given(policies, requests)
def test_the_same_request_gets_the_same_decision(policy, request_):
    engine = Engine(policy)
    assert engine.decide(request_) == engine.decide(request_) == Engine(policy).decide(request_)


@QUICK
@given(policies, requests)
def test_code_in_a_file_is_never_allowed(policy, request_):
    assert not Engine(policy).decide(request_._replace(action=Action.LAMBDA)).allowed


@QUICK
@given(policies, requests)
def test_every_denial_says_why_and_every_decision_by_what(policy, request_):
    decision = Engine(policy).decide(request_)
    assert decision.rules
    assert decision.allowed or (decision.code and decision.reason)


def _failing(effect, symbol):
    # A length of a number: evaluating this fails for any request that has the argument.
    broken = Constraint("units", max_length=1)
    return Rule("broken", effect, "p.toml", 1, symbols=(symbol,), arguments=(broken,))


@QUICK
@given(policies, requests, st.sampled_from(SYMBOLS))
def test_a_deny_that_fails_denies(policy, request_, symbol):
    request_ = request_._replace(symbol=symbol, arguments={"units": 3})
    decision = Engine(with_rules(policy, _failing(Effect.DENY, symbol))).decide(request_)
    assert decision.code == "SS302"


@QUICK
@given(requests, st.sampled_from(SYMBOLS))
def test_an_allow_that_fails_does_not_allow(request_, symbol):
    request_ = request_._replace(symbol=symbol, arguments={"units": 3}, action=Action.CONSTRUCT)
    policy = with_rules(EMPTY, _failing(Effect.ALLOW, symbol))
    assert not Engine(policy).decide(request_).allowed


@QUICK
@given(st.text(min_size=1), st.sampled_from(Field), st.sampled_from([None, {}]))
def test_a_stranger_is_never_allowed_by_a_shipped_policy(name, field, arguments):
    for policy in map(load_policy, policy_names()):
        for symbol in (name, f"{name}>Dense", f"keras.layers.{name}", "keras.layers.Dense"):
            stranger = Request(
                "", "", field, Action.CONSTRUCT, symbol, None, Origin.UNKNOWN, name,
                arguments=arguments,
            )  # fmt: skip
            assert not Engine(policy).decide(stranger).allowed
