"""No widening is shown only where there is none; and where it plainly is none, it is shown."""

from __future__ import annotations

import base64
import dataclasses
from datetime import timedelta
from random import Random

import pytest
from authoring import pairs
from authoring.pairs import TODAY
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from secure_serial.authoring.comparing.implication import versions_within
from secure_serial.authoring.comparing.settings import changed_settings
from secure_serial.authoring.comparing.widening import doubts
from secure_serial.policy.engine import Engine
from secure_serial.policy.model import Constraint, Effect, Policy, Rule, Waiver, WaiverTerms
from secure_serial.policy.signing.trust import Trust
from secure_serial.policy.source import parse_policy

SEEDS = st.integers(0, 2**40)


def may_widen(old, new, today=TODAY):
    """Whether a check for widening refuses."""
    lets_in = any(setting.lets_in for setting in changed_settings(old, new, today))
    return lets_in or bool(doubts(old, new, today))


def widening_request(old, new, random, tries):
    """A request that the old one denies and the new one allows, if one is met."""
    before, after = Engine(old, TODAY), Engine(new, TODAY)
    for _ in range(tries):
        request, context = pairs.request(random)
        if after.decide(request, context).allowed and not before.decide(request, context).allowed:
            return request
    return None


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_what_is_shown_not_to_widen_allows_no_request_that_was_denied(seed):
    random = Random(seed)
    old = pairs.policy(random)
    new = pairs.changed(random, old)
    if not may_widen(old, new):
        assert widening_request(old, new, random, 60) is None


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_the_same_holds_for_stacks_of_layers(seed):
    random = Random(seed)
    old = [pairs.policy(random) for _ in range(random.randint(1, 3))]
    new = list(old)
    at = random.randrange(len(new))
    if random.random() < 0.3:
        new.insert(random.randint(0, len(new)), pairs.policy(random))
    elif len(new) > 1 and random.random() < 0.3:
        new.pop(at)
    else:
        new[at] = pairs.changed(random, new[at])
    before, after = old[0].over(*old[1:]), new[0].over(*new[1:])
    if not may_widen(before, after):
        assert widening_request(before, after, random, 60) is None


def test_the_random_pairs_do_widen_now_and_then_and_are_then_refused():
    widened = 0
    for seed in range(150):
        random = Random(seed)
        old = pairs.policy(random)
        new = pairs.changed(random, old)
        if widening_request(old, new, random, 60) is not None:
            widened += 1
            assert may_widen(old, new)
    assert widened > 5


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_what_is_plainly_no_wider_is_shown_to_be_none(seed):
    random = Random(seed)
    old = pairs.policy(random)
    rules = list(old.rules)
    random.shuffle(rules)
    denies = [pairs.rule(random, Effect.DENY, 91)]
    gone = [rule for rule in rules if rule.effect is Effect.DENY or random.random() < 0.5]
    for new in (rules, gone, rules + denies):
        assert not may_widen(old, dataclasses.replace(old, rules=tuple(new)))


def made(*tables, head=""):
    return parse_policy(f"schema = 1\n{head}\n" + "\n".join(tables), "p.toml")


def allow(more="", symbol="acme.Block", id="a"):
    key = "registered" if ">" in symbol else "symbols"
    return f'[[allow]]\nid = "{id}"\n{key} = ["{symbol}"]\n{more}'


def deny(more="", symbol="acme.Block", id="d"):
    return allow(more, symbol, id).replace("[[allow]]", "[[deny]]")


NARROWER = [
    (allow(), ""),
    (allow(), allow('reason = "another"', id="renamed")),
    (allow(), allow() + "\n" + deny()),
    (allow(symbol="acme.**"), allow()),
    (allow(symbol="acme>*"), allow(symbol="acme>Block")),
    (allow(), allow('kinds = ["layer"]')),
    (allow('kinds = ["layer", "model"]'), allow('kinds = ["layer"]')),
    (allow(), allow('fields = ["layer"]', id="b") + "\n" + allow('fields = ["loss"]', id="c")),
    (allow('fields = ["layer"]', id="b") + "\n" + allow('fields = ["loss"]', id="c"),
     allow('fields = ["layer", "loss"]')),
    (allow("arguments.n = { max = 9 }"), allow("arguments.n = { max = 8 }")),
    (allow("arguments.n = { max = 9 }"), allow("arguments.n = { min = 1, max = 9 }")),
    (allow("arguments.n = { max = 9, min = 1 }"), allow("arguments.n = { one_of = [1, 9] }")),
    (allow('arguments.n = { type = "number" }'), allow('arguments.n = { type = "integer" }')),
    (allow('arguments.n = { type = "string" }'), allow('arguments.n = { one_of = ["a"] }')),
    (allow('arguments.n = { one_of = ["a", "b"] }'), allow('arguments.n = { one_of = ["b"] }')),
    (allow("arguments.n = { max_length = 3 }"), allow("arguments.n = { max_length = 2 }")),
    (allow("arguments.n = { path = true }"), allow()),
    (allow(), allow("arguments.n = { max = 3 }")),
    (allow('arguments.n = { symbol = ["keras.layers.*"] }'),
     allow('arguments.n = { symbol = ["keras.layers.Dense"] }')),
    (allow("allocation = { max = 9 }"), allow("allocation = { max = 8 }")),
    (allow('from = "acme>=1"'), allow('from = "acme>=2,<3"')),
    (allow('from = "acme>=1,<3"'), allow('from = "acme==2.1"')),
    (allow('formats = ["keras", "h5"]'), allow('formats = ["keras"]')),
    (allow(), allow(f'sha256 = ["{"a" * 64}"]')),
    (f'[[allow]]\nid = "l"\nlambdas = ["{"a" * 64}", "{"b" * 64}"]',
     f'[[allow]]\nid = "l"\nlambdas = ["{"a" * 64}"]'),
    (deny("arguments.n = { min = 9 }"), deny("arguments.n = { min = 8 }")),
    (deny("arguments.n = { min = 9 }"), deny()),
    (deny('kinds = ["layer"]'), deny()),
    (deny(), deny(symbol="acme.**")),
    (deny(), deny('kinds = ["layer"]', id="b")),  # nothing lets it pass, of any kind
    (deny("arguments.n = { one_of = [1] }\narguments.m = { max = 2 }"),
     deny("arguments.m = { max = 3 }")),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), NARROWER)
def test_a_narrower_rule_is_shown_to_be_one(old, new):
    assert not may_widen(made(old), made(new))


WIDER = [
    ("", allow()),
    (allow(), allow(symbol="acme.*")),
    (allow(symbol="acme.*"), allow(symbol="acme.**")),
    (allow(), allow(symbol="acme>Block")),
    (allow('kinds = ["layer"]'), allow()),
    (allow('fields = ["layer"]'), allow('fields = ["layer", "loss"]')),
    (allow("arguments.n = { max = 8 }"), allow("arguments.n = { max = 9 }")),
    (allow("arguments.n = { max = 8 }"), allow("arguments.n = { min = 1 }")),
    (allow("arguments.n = { max = 8 }"), allow("arguments.m = { max = 8 }")),
    (allow("arguments.n = { max = 8 }"), allow("arguments.n = { one_of = [8, 9] }")),
    (allow("arguments.n = { one_of = [true] }"), allow("arguments.n = { one_of = [1] }")),
    (allow('arguments.n = { type = "integer" }'), allow("arguments.n = { one_of = [1] }")),  # 1.0
    (allow('arguments.n = { type = "integer" }'), allow('arguments.n = { type = "number" }')),
    (allow('arguments."n.m" = { path = true }'), allow()),  # where "m" is missing
    (allow(), allow("arguments.n = { path = true }")),
    (allow('arguments.n = { symbol = ["keras.layers.Dense"] }'),
     allow('arguments.n = { symbol = ["keras.layers.*"] }')),
    (allow("allocation = { max = 8 }"), allow("allocation = { max = 9 }")),
    (allow('from = "acme>=2"'), allow('from = "acme>=1"')),
    (allow('from = "acme>=2"'), allow('from = "other>=2"')),
    (allow('from = "acme<3"'), allow('from = "acme<3rc2"')),
    (allow('formats = ["keras"]'), allow('formats = ["keras", "h5"]')),
    (allow(f'sha256 = ["{"a" * 64}"]'), allow(f'sha256 = ["{"b" * 64}"]')),
    (allow('formats = ["keras"]'), allow()),
    (allow(f'sha256 = ["{"a" * 64}"]'), allow()),
    (allow("allocation = { max = 8 }"), allow()),
    (allow('from = "acme"'), allow()),
    (allow("arguments.n = { max_length = 2 }"), allow("arguments.n = { max_length = 3 }")),
    (allow('arguments.n = { symbol = ["acme.*"] }'), allow()),
    (allow('arguments.n = { max = 3, symbol = ["acme.*"] }'), allow("arguments.n = { max = 3 }")),
    (allow('kinds = ["layer"]'), allow('kinds = ["loss"]')),
    ("", f'[[allow]]\nid = "l"\nlambdas = ["{"a" * 64}"]'),
    (f'[[allow]]\nid = "l"\nlambdas = ["{"a" * 64}"]',
     f'[[allow]]\nid = "l"\nlambdas = ["{"b" * 64}"]'),
    ("", allow() + "\n" + deny('kinds = ["layer"]')),
    ("", allow() + "\n" + deny("arguments.n = { max = 9 }")),
    (allow() + "\n" + deny(), allow()),
    (allow(symbol="acme.**") + "\n" + deny(symbol="acme.*"), allow(symbol="acme.**")),
    (allow(symbol="acme.**") + "\n" + deny(symbol="acme.*"),
     allow(symbol="acme.**") + "\n" + deny()),
    (allow() + "\n" + deny('formats = ["keras", "h5"]'), allow() + "\n" + deny('formats = ["h5"]')),
    (allow() + "\n" + deny("arguments.n = { max = 1 }"),
     allow() + "\n" + deny("allocation = { max = 1 }")),
    # What has no length is denied by the first; in the second nothing is nested there.
    (allow() + "\n" + deny('arguments.n = { max_length = 2, symbol = ["acme.*"] }'),
     allow() + "\n" + deny('arguments.n = { symbol = ["acme.*"] }')),
    (allow() + "\n" + deny(), allow() + "\n" + deny('kinds = ["layer"]')),
    (allow() + "\n" + deny("arguments.n = { min = 8 }"),
     allow() + "\n" + deny("arguments.n = { min = 9 }")),
    # Nine letters have no order, so that the first denies them; the second looks at the length.
    (allow() + "\n" + deny("arguments.n = { min = 8 }"),
     allow() + "\n" + deny("arguments.n = { max_length = 9, min = 8 }")),
    (allow() + "\n" + deny("arguments.n = { max_length = 9, min = 8 }"),
     allow() + "\n" + deny("arguments.n = { min = 8 }")),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), WIDER)
def test_a_wider_rule_is_refused(old, new):
    assert doubts(made(old), made(new), TODAY)


@pytest.mark.parametrize(
    "head",
    ['caller_objects = "allow"', 'extends = ["@above"]', "waivers.below = true",
     'mode = "report"\nreport_until = 2026-12-01', 'delegate = ["acme.*"]'],
)  # fmt: skip
def test_a_deny_rule_that_is_gone_is_refused_where_anything_may_let_pass(head):
    assert doubts(made(deny(), head=head), made(head=head), TODAY)
    assert not doubts(made(deny()), made(), TODAY)


def test_a_deny_rule_that_is_gone_is_refused_where_a_waiver_or_an_encoding_passes():
    lifted = waiver("2026-12-01")
    assert doubts(made(deny(), lifted), made(lifted), TODAY)
    assert doubts(made(deny(symbol="__tensor__")), made(), TODAY)


def test_a_deny_rule_may_stand_in_for_a_part_where_the_rest_passes_nowhere():
    before = made(allow(symbol="acme.vision.*"), deny(symbol="acme.**"))
    assert not doubts(
        before, made(allow(symbol="acme.vision.*"), deny(symbol="acme.vision.**")), TODAY
    )
    assert doubts(before, made(allow(symbol="acme.vision.*"), deny(symbol="acme.vision.A")), TODAY)


KEYS = tuple(f"ed25519:{base64.b64encode(bytes([n] * 32)).decode()}" for n in (2, 5, 7))


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [('caller_objects = "listed"', 'caller_objects = "allow"'),
     ('audit = "required"', 'audit = "optional"'),
     ("limits.layers = 9", "limits.layers = 10"),
     ("limits.layers = 9", ""),
     ("expires = 2027-01-01", "expires = 2027-01-02"),
     ("expires = 2027-01-01", ""),
     ("require_evidence = true", "require_evidence = false"),
     ("", 'mode = "report"\nreport_until = 2026-11-22'),
     ('mode = "report"\nreport_until = 2026-11-22', 'mode = "report"\nreport_until = 2026-11-23'),
     ('lambda = "deny"', 'lambda = "sandbox"'),
     ('sandbox.evaluation = "process"', ""),
     ('sandbox.demand = ["landlock", "seccomp"]', 'sandbox.demand = ["landlock"]'),
     ("sandbox.steps = 9", "sandbox.steps = 10"),
     ("", 'delegate = ["acme.**"]'),
     ('delegate = ["acme.vision.*"]', 'delegate = ["acme.**"]'),
     ("", 'extends = ["@above"]'),
     ("waivers.below = false", "waivers.below = true"),
     ("waivers.max_days = 30", "waivers.max_days = 31")],
)  # fmt: skip
def test_a_setting_that_lets_in_more_is_refused_and_its_undoing_is_not(narrow, wide):
    base = allow()
    assert may_widen(made(base, head=narrow), made(base, head=wide))
    assert not may_widen(made(base, head=wide), made(base, head=narrow))


def test_a_report_that_has_ended_lets_in_nothing():
    over = 'mode = "report"\nreport_until = 2026-11-21'
    assert not may_widen(made(), made(head=over))


def test_demanding_less_of_the_files_below_is_refused():
    strict = Trust(KEYS[:2], threshold=2, minimum_version=3, policies=("acme",))
    policy = made(allow())

    def demanding(demand):
        return dataclasses.replace(policy, trust=demand)

    for lax in (
        None,
        dataclasses.replace(strict, threshold=1),
        dataclasses.replace(strict, minimum_version=2),
        dataclasses.replace(strict, policies=()),
        dataclasses.replace(strict, policies=("acme", "other")),
        dataclasses.replace(strict, keys=KEYS),
    ):
        assert may_widen(demanding(strict), demanding(lax))
        assert not may_widen(demanding(lax), demanding(strict))


def waiver(expires, more='symbols = ["acme.Block"]'):
    return f'[[waiver]]\nid = "w"\nwho = "Jo"\nreason = "r"\nexpires = {expires}\n{more}'


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [("2026-12-01", "2026-12-01", False),
     ("2026-12-01", "2026-11-30", False),
     ("2026-12-01", "2026-12-02", True),
     ("2099-01-01", "2026-12-01", True),  # too far ahead, so it lifted nothing yet
     ("2026-12-01", "2026-11-21", False)],  # has ended
)  # fmt: skip
def test_a_waiver_is_compared_by_the_days_on_which_it_holds(old, new, refused):
    assert may_widen(made(waiver(old)), made(waiver(new))) is refused


def test_a_waiver_for_more_is_refused():
    day = "2026-12-01"
    some = made(waiver(day, f'symbols = ["acme.Block"]\nsha256 = ["{"a" * 64}"]'))
    assert may_widen(made(), some)
    assert may_widen(some, made(waiver(day)))
    assert not may_widen(made(waiver(day)), some)
    assert may_widen(made(waiver(day)), made(waiver(day, 'symbols = ["acme.Other"]')))
    assert may_widen(
        made(waiver(day)), made(waiver(day, 'symbols = ["acme.Block"]\ncodes = ["SS301", "SS320"]'))
    )


def test_what_is_no_longer_left_to_layers_below_may_be_lifted_by_a_waiver():
    left = 'delegate = ["acme.**"]'
    held = made(waiver("2026-12-01"), head=left)
    assert may_widen(held, made(waiver("2026-12-01")))
    assert not may_widen(held, held)
    other = waiver("2026-12-01", 'symbols = ["other.Block"]')
    assert not may_widen(made(other, head=left), made(other))
    for head in ("waivers.below = true", 'mode = "report"\nreport_until = 2026-12-01'):
        assert may_widen(made(head=f"{left}\n{head}"), made(head=head))


def test_evidence_for_another_source_is_refused():
    def vetted(digest):
        table = f'{{ tool = "t", source_sha256 = "{digest * 64}", date = 2026-01-01 }}'
        return made(allow(f"evidence = {table}"), head="require_evidence = true")

    assert not may_widen(vetted("a"), vetted("a"))
    assert may_widen(vetted("a"), vetted("b"))
    assert may_widen(made(allow(), head="require_evidence = true"), vetted("a"))


def test_a_layer_more_narrows_unless_something_is_left_to_it():
    top, below = made(allow()), made(allow())
    assert not may_widen(top, top.over(below))
    assert may_widen(top.over(below), top)
    for head in ('delegate = ["acme.**"]', "waivers.below = true"):
        leaving = made(allow(), head=head)
        assert may_widen(leaving, leaving.over(below))


def test_how_far_ahead_a_waiver_reaches_is_bounded_by_the_layers_above_it_alone():
    top = made(head="extends = ['keras-core']")
    short, long = (made(head=f"waivers.max_days = {days}") for days in (1, 30))
    lifting = made(waiver("2026-12-01"))
    later = made(waiver("2026-12-02"))
    assert not may_widen(top.over(lifting, short), top.over(lifting, short))
    assert not may_widen(top.over(later, short), top.over(lifting, short))
    assert may_widen(top.over(short, lifting, short), top.over(short, later, short))
    assert may_widen(top.over(lifting, long), top.over(later, long))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_demand_on_versions_is_narrower_only_if_every_version_that_fits_it_fits_the_other(data):
    numbers = ("1", "1.5", "2.0rc1", "2.0", "2.0.post1", "2.1", "3", "3.0.dev1")
    part = st.builds("{}{}".format, st.sampled_from((">=", "<", "<=", ">", "==", "!=")),
                     st.sampled_from(numbers))  # fmt: skip
    sets = st.lists(part, max_size=2).map(",".join).map(SpecifierSet)
    new, old = data.draw(sets), data.draw(sets)
    if versions_within(new, old):
        for text in (*numbers, "2.0+local", "1.9.9", "2.0rc2", "3.1", "0"):
            version = Version(text)
            if new.contains(version, prereleases=True):
                assert old.contains(version, prereleases=True), text


def test_days_before_today_do_not_count():
    early = made(waiver("2026-12-01"), head="waivers.max_days = 5")
    late = made(waiver("2026-12-01"), head="waivers.max_days = 4")
    assert not may_widen(early, late)
    assert may_widen(made(waiver(TODAY + timedelta(9))), made(waiver(TODAY + timedelta(8))), None)


def test_every_part_of_a_policy_is_compared():
    """Whoever adds a part says here that the comparison knows it, or need not."""
    told = {"name", "source", "sha256", "version", "extends", "below"}
    settings_ = {"limits", "caller_objects", "audit", "expires", "mode", "report_until", "delegate",
                 "require_evidence", "waiver_terms", "trust", "lambdas", "sandbox", "said"}  # fmt: skip
    assert {f.name for f in dataclasses.fields(Policy)} == told | settings_ | {"rules", "waivers"}
    named = {"id", "effect", "source", "line", "reason"}
    conditions = {"symbols", "registered", "kinds", "fields", "arguments", "allocation", "owner",
                  "sha256", "formats", "lambdas", "evidence"}  # fmt: skip
    assert set(Rule._fields) == named | conditions
    assert set(Constraint._fields) == {
        "argument", "types", "minimum", "maximum", "max_length", "one_of", "path", "symbols",
    }  # fmt: skip
    assert set(Waiver._fields) == {
        "id", "source", "line", "who", "reason", "expires", "symbols", "registered", "sha256", "codes",
    }  # fmt: skip
    assert {f.name for f in dataclasses.fields(Trust)} == {
        "keys", "threshold", "minimum_version", "policies",
    }  # fmt: skip
    assert WaiverTerms._fields == ("max_days", "below")
