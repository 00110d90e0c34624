"""Layers below narrow, but for what is delegated; waivers and report mode lift a little."""

from __future__ import annotations

from datetime import date

import pytest
from plan.plans import layer, node, plan
from policy.rules import allow, deny, policy

from secure_serial.errors import InvalidPolicy
from secure_serial.policy.engine import Engine, Lifted, decide
from secure_serial.policy.source import load_policy, parse_policy

DENSE = "keras.layers.Dense"
TODAY = date(2026, 6, 1)


def made(*tables, head=""):
    return parse_policy(f"schema = 1\n{head}\n" + "\n".join(tables), f"{len(tables)}.toml")


def decided(tree, *layers, today=TODAY, **options):
    top, *below = layers
    return decide(plan(tree), top.over(*below), today=today, **options).decisions[0]


ABOVE = 'extends = ["@above"]'


def test_a_layer_below_that_lists_other_things_narrows():
    assert not decided(
        layer("Dense"), policy(allow(DENSE)), policy(allow("keras.layers.ReLU"))
    ).allowed
    assert decided(layer("Dense"), policy(allow(DENSE)), policy(allow(DENSE))).allowed


def test_a_layer_below_never_widens():
    assert not decided(layer("Dense"), policy(), policy(allow(DENSE))).allowed
    assert not decided(layer("Dense"), policy(), made(head=ABOVE), policy(allow(DENSE))).allowed


def test_a_layer_may_leave_as_it_is_what_those_above_let_pass():
    assert decided(layer("Dense"), policy(allow(DENSE)), made(head=ABOVE)).allowed
    narrowed = decided(layer("Dense"), policy(allow(DENSE)), made(deny(DENSE), head=ABOVE))
    assert narrowed.code == "SS302"


def test_a_deny_of_any_layer_denies():
    assert decided(layer("Dense"), policy(deny(DENSE)), policy(allow(DENSE))).code == "SS302"
    assert (
        decided(layer("Dense"), policy(allow(DENSE)), policy(allow(DENSE), deny(DENSE))).code
        == "SS302"
    )


def test_a_delegated_name_is_the_next_layers_to_allow():
    top = made(head='delegate = ["acme.**"]')
    assert not decided(node("acme", "Block"), top).allowed
    assert decided(node("acme", "Block"), top, policy(allow("acme.Block"))).allowed
    assert not decided(node("acme", "Block"), top, policy()).allowed
    assert not decided(node("other", "Block"), top, policy(allow("other.Block"))).allowed


def test_what_is_delegated_is_delegated_to_one_layer_only():
    top = made(head='delegate = ["acme.**"]')
    assert not decided(node("acme", "Block"), top, policy(), policy(allow("acme.Block"))).allowed
    assert not decided(
        node("acme", "Block"), top, made(head=ABOVE), policy(allow("acme.Block"))
    ).allowed
    on = made(head='delegate = ["acme.**"]')
    assert decided(node("acme", "Block"), top, on, policy(allow("acme.Block"))).allowed


def test_a_layer_that_delegates_what_is_let_pass_above_asks_for_a_yes_below():
    top, middle = policy(allow("acme.Block")), made(head='delegate = ["acme.**"]')
    assert not decided(node("acme", "Block"), top, middle).allowed
    assert decided(node("acme", "Block"), top, middle, policy(allow("acme.Block"))).allowed


def test_a_decision_names_its_layer():
    denied = decided(layer("Dense"), policy(allow(DENSE)), made(allow("keras.layers.ReLU")))
    assert denied.layer == "1.toml"
    allowed = decided(layer("Dense"), policy(allow(DENSE)), made(allow(DENSE, id="b")))
    assert (allowed.layer, allowed.rules) == ("p.toml", ("a", "b"))


def test_the_limits_of_a_stack_are_the_least_and_a_log_is_required_if_one_layer_says_so():
    stack = made(head="limits = { depth = 9 }").over(
        made(head='audit = "required"\nlimits = { depth = 12, layers = 3 }')
    )
    assert (stack.limits.depth, stack.limits.layers, stack.audit) == (9, 3, "required")


def waiver(more='symbols = ["acme.Old"]', expires="2026-07-01", id="w"):
    return f'[[waiver]]\nid = "{id}"\nwho = "ann"\nreason = "old"\nexpires = {expires}\n{more}'


OLD = node("acme", "Old")
REPORT = 'mode = "report"\nreport_until = 2026-12-31'


def test_a_waiver_lifts_a_default_deny_and_says_who_answers():
    found = decided(OLD, made(waiver()))
    assert (found.allowed, found.lifted, found.rules, found.code) == (
        True,
        Lifted.WAIVED,
        ("w",),
        "SS301",
    )
    assert "ann until 2026-07-01: old" in found.reason


def test_a_verdict_counts_apart_what_is_waived_and_what_is_reported():
    verdict = decide(plan([OLD, layer("Dense")]), made(waiver(), head=REPORT), today=TODAY)
    assert [d.request.symbol for d in verdict.waived] == ["acme.Old"]
    assert [d.request.symbol for d in verdict.reported] == [DENSE]
    assert verdict.symbols == {"acme.Old", DENSE}
    assert verdict.denied == ()


@pytest.mark.parametrize(
    ("today", "days"), [(date(2026, 7, 2), 366), (date(2026, 6, 1), 29), (None, 366)],
    ids=["expired", "too far ahead", "no clock"],
)  # fmt: skip
def test_a_waiver_counts_only_while_it_runs(today, days):
    assert not decided(OLD, made(waiver(), head=f"waivers.max_days = {days}"), today=today).allowed


@pytest.mark.parametrize("rules", [made(waiver()), made(head=REPORT)], ids=["waiver", "report"])
def test_without_a_day_nothing_that_ends_counts(rules):
    found = decide(plan(OLD), rules)
    assert (found.allowed, found.today, found.file_sha256) == (False, None, None)
    assert not Engine(rules).decide(found.plan.requests[0]).allowed


def test_a_waiver_runs_through_its_last_day():
    assert decided(OLD, made(waiver()), today=date(2026, 7, 1)).allowed
    assert decided(OLD, made(waiver(), head="waivers.max_days = 30")).allowed


def test_a_waiver_never_lifts_an_explicit_deny_nor_code_nor_the_wrong_kind():
    assert decided(OLD, made(deny("acme.Old"), waiver())).code == "SS302"
    code = {"class_name": "__lambda__", "config": {"value": "eA=="}}
    assert not decided(code, made(waiver('symbols = ["__lambda__"]'))).allowed
    wrong = layer("Dense", activation=node("keras.optimizers", "Adam"))
    verdict = decide(
        plan(wrong), made(waiver(f'symbols = ["{DENSE}", "keras.optimizers.Adam"]')), today=TODAY
    )
    assert [d.code for d in verdict.denied] == ["SS311"]


def test_a_waiver_of_a_layer_below_counts_only_where_the_layer_above_says_so():
    lower = made(waiver(), head=ABOVE)
    assert not decided(OLD, made(), lower).allowed
    assert decided(OLD, made(head="waivers.below = true"), lower).allowed
    far = waiver(expires="2027-03-01")
    assert not decided(
        OLD, made(head="waivers = { below = true, max_days = 90 }"), made(far, head=ABOVE)
    ).allowed


def test_a_waiver_of_a_layer_above_does_not_lift_what_the_layer_below_denies():
    assert not decided(OLD, made(waiver()), policy(allow("acme.other"))).allowed
    assert decided(OLD, made(waiver()), made(head=ABOVE)).allowed


def test_a_waiver_of_an_artefact_holds_for_it_alone():
    one = made(waiver(f'sha256 = ["{"0" * 64}"]'))
    assert decided(OLD, one).allowed  # the digest of every document of these tests
    assert not decided(OLD, made(waiver(f'sha256 = ["{"1" * 64}"]'))).allowed
    assert decided(
        OLD, made(waiver(f'sha256 = ["sha256:{"1" * 64}"]')), file_sha256="1" * 64
    ).allowed


def test_a_path_is_waived_only_where_its_code_is_named():
    symbol = "keras.layers.StringLookup"
    lookup = layer("StringLookup", vocabulary="/etc/passwd")
    top = [allow(symbol)]
    found = decide(plan(lookup), made(*top), today=TODAY).decisions[0]
    assert found.code == "SS320"
    assert not decided(lookup, made(*top, waiver(f'symbols = ["{symbol}"]'))).allowed
    named = waiver(f'symbols = ["{symbol}"]\ncodes = ["SS320"]')
    assert decided(lookup, made(*top, named)).lifted is Lifted.WAIVED
    assert not decided(lookup, made(named)).allowed  # nor is the class allowed


def test_report_mode_lets_pass_and_counts_what_no_rule_allows():
    verdict = decide(plan([layer("Dense"), OLD]), made(head=REPORT), today=TODAY)
    assert verdict.allowed
    assert [d.lifted for d in verdict.reported] == [Lifted.REPORTED] * 2
    assert {d.code for d in verdict.reported} == {"SS301"}


@pytest.mark.parametrize("today", [date(2027, 1, 1), None])
def test_report_mode_ends_on_its_day(today):
    assert not decided(OLD, made(head=REPORT), today=today).allowed
    assert decided(OLD, made(head=REPORT), today=date(2026, 12, 31)).allowed


@pytest.mark.parametrize(
    "tree",
    [{"class_name": "__lambda__", "config": {"value": "eA=="}}, layer("TFSMLayer", filepath="x"),
     layer("StringLookup", vocabulary="/etc/passwd"), node("keras.layers", "Nothing"), node("keras", "x.system")],
    ids=["code", "reads files", "a path", "looks like Keras", "looks like Keras, too"],
)  # fmt: skip
def test_report_mode_lifts_nothing_else(tree):
    assert not decide(plan(tree), made(head=REPORT), today=TODAY).allowed


def test_report_mode_lifts_no_deny_and_no_limit():
    assert decided(OLD, made(deny("acme.Old"), head=REPORT)).code == "SS302"


def test_only_the_first_layer_may_report():
    assert not decided(OLD, made(), made(head=REPORT)).allowed
    with pytest.raises(InvalidPolicy, match="only the first layer"):
        load_policy([made(), made(head=REPORT)], today=TODAY)


def test_nothing_is_above_the_first_layer():
    with pytest.raises(InvalidPolicy, match="nothing is above"):
        load_policy(made(head=ABOVE))
    assert not decided(layer("Dense"), made(head=ABOVE)).allowed
    assert not decided(layer("Dense"), made(head=ABOVE), policy(allow(DENSE))).allowed


def test_a_policy_that_has_ended_is_refused_in_any_layer():
    ended = made(head="expires = 2026-05-31")
    for given in (ended, [made(), ended]):
        with pytest.raises(InvalidPolicy, match="ended on 2026-05-31"):
            load_policy(given, today=TODAY)
    assert load_policy(ended, today=date(2026, 5, 31)) is ended


def test_no_layers_are_no_policy():
    with pytest.raises(InvalidPolicy, match="empty list"):
        load_policy([])


def test_a_denial_names_the_waiver_that_is_no_longer_in_force():
    found = decided(OLD, made(waiver()), today=date(2026, 8, 1))
    assert found.near == "w (1.toml:3): a waiver that ends on 2026-07-01, and may run for 366 days"
    far = decided(OLD, made(waiver(), head="waivers.max_days = 3"))
    assert far.near.endswith("and may run for 3 days")
