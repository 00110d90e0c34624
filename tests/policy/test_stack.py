"""Layers one below the other, what is delegated, waived and reported, and what is then named."""

from __future__ import annotations

from datetime import date

import pytest
from policy.rules import allow, deny, policy

from secure_serial.artifact.document import Format
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.owner import Owner
from secure_serial.plan.request import Action, Objection, Origin, Request
from secure_serial.policy.conditions import Context
from secure_serial.policy.engine import Engine, Lifted
from secure_serial.policy.model import Mode, Policy, Waiver
from secure_serial.policy.source import parse_policy

TODAY = date(2026, 11, 22)
DENSE = "keras.layers.Dense"
REPORT = 'mode = "report"\nreport_until = 2026-11-22'
A, B = "a" * 64, "b" * 64


def request(symbol=DENSE, origin=Origin.KERAS, **changes):
    made = Request("", "", Field.ROOT, Action.CONSTRUCT, symbol, Kind.LAYER, origin, symbol)
    return made._replace(**changes)


def wrong(code, argument=""):
    return Objection(code, "wrong", "/x", argument)


def layer(*tables, source="top", settings="", above=False, own=""):
    word = f'caller_objects = "{own}"' if own else ""
    head = f"schema = 1\n{word}\n{settings}\n"
    extends = 'extends = ["@above"]\n' if above else ""
    return parse_policy(head + extends + "\n".join(tables), source)


def waiver(symbol=DENSE, more="", id="w", expires="2027-01-01"):
    key = "registered" if ">" in symbol else "symbols"
    subject = f'{key} = ["{symbol}"]\n' if symbol else ""
    return f'[[waiver]]\nid = "{id}"\nwho = "ann"\nreason = "old"\nexpires = {expires}\n{subject}{more}'


def decide(asked, *layers, today=TODAY, context=None):
    top, *below = layers
    return Engine(top.over(*below), today).decide(asked, *[context] * (context is not None))


def denied(*asked, **options):
    """The code of a denial; what was waived or reported has one, too, and is none."""
    found = decide(*asked, **options)
    return "let pass" if found.allowed else found.code


# Every layer has its say.


def test_every_layer_must_let_it_pass_and_all_of_their_rules_are_named():
    top, team = layer(allow(DENSE, id="t")), layer(allow(DENSE, id="u"), source="team")
    found = decide(request(), top, team)
    assert (found.allowed, found.rules, found.layer) == (True, ("t", "u"), "top")
    assert (found.code, found.near, found.lifted) == ("", "", Lifted.NO)
    assert not decide(request(), top, layer(source="team")).allowed
    assert decide(request(), layer(), team).layer == "top"


def test_what_two_layers_share_is_named_once():
    both = allow(DENSE, id="t")
    assert decide(request(), layer(both), layer(both, source="team")).rules == ("t",)
    both = deny(DENSE, id="t")
    assert decide(request(), layer(both), layer(both, source="team")).rules == ("t",)


def test_a_layer_that_lets_pass_what_is_above_only_narrows():
    top = layer(allow("keras.layers.*", id="t"))
    team = layer(deny("keras.layers.LSTM"), allow("acme.X"), source="team", above=True)
    assert decide(request(), top, team).rules == ("t",)
    assert denied(request("keras.layers.LSTM"), top, team) == "SS302"
    assert decide(request("acme.X", Origin.UNKNOWN), top, team).layer == "top"


def test_all_deny_rules_that_match_are_named_and_the_topmost_layer():
    top = layer(allow(DENSE), source="top")
    team = layer(deny(DENSE, id="d1"), deny("keras.**", 'reason = "r"', id="d2"), source="team")
    call = layer(deny("keras.layers.*", id="d3"), source="call")
    found = decide(request(), top, team, call)
    assert found.rules == ("d1", "d2", "d3")
    assert (found.code, found.layer, found.place, found.reason) == (
        "SS302",
        "team",
        "team:4",
        "denied by rule d1",
    )


def test_a_denial_names_the_layer_and_the_file_that_the_rule_stands_in():
    extended = parse_policy(f'schema = 1\nextends = ["strict"]\n{deny(DENSE)}', "ours.toml")
    assert decide(request(), extended).layer == "ours.toml"


# Delegation.


def delegating(*patterns, more=(), **options):
    names = ", ".join(f'"{pattern}"' for pattern in patterns)
    return layer(*more, settings=f"delegate = [{names}]\n" + options.pop("settings", ""), **options)


ACME = request("acme>Block", Origin.CALLER)


def test_the_layer_below_lets_in_what_is_delegated_and_nothing_else():
    top = delegating("acme>*")
    team = layer(allow("acme>*", id="a"), allow("other>*", id="o"), source="team")
    assert decide(ACME, top, team).rules == ("a",)
    assert decide(request("other>Block", Origin.CALLER), top, team).layer == "top"


def test_what_is_delegated_must_be_let_in_by_the_layer_below():
    top = delegating("acme>*")
    assert decide(ACME, top, layer(source="team")).layer == "team"
    assert decide(ACME, top, layer(source="team", above=True)).layer == "team"


def test_what_is_delegated_to_nobody_is_denied_and_says_so():
    found = decide(ACME, delegating("acme>*"))
    assert (found.allowed, found.code, found.rules, found.layer) == (
        False,
        "SS301",
        ("builtin:default",),
        "top",
    )
    assert found.reason == (
        "no rule allows acme>Block; it is left to the layer below, and there is none that allows it"
    )
    assert (found.place, found.near, found.looked_at) == ("", "", ())
    passed_on = decide(ACME, delegating("acme>*"), delegating("acme.*", "acme>*", source="team"))
    assert (passed_on.allowed, passed_on.layer) == (False, "team")


def test_delegation_is_handed_on_by_dotted_names_and_by_registered_ones():
    top, team = delegating("acme.**"), delegating("acme.vision.*", source="team")
    own = layer(allow("acme.**", id="a"), source="own")
    assert decide(request("acme.vision.B", Origin.CALLER), top, team, own).rules == ("a",)
    assert decide(request("acme.text.B", Origin.CALLER), top, team, own).layer == "team"


def test_a_deny_above_holds_in_what_is_delegated():
    top = delegating("acme>*", more=[deny("acme>Block")])
    assert denied(ACME, top, layer(allow("acme>*"))) == "SS302"


def test_who_waived_or_reported_is_named_though_the_name_is_then_delegated():
    team, own = delegating("acme>*", source="team"), layer(allow("acme>*", id="a"), source="own")
    found = decide(ACME, layer(waiver("acme>*")), team, own)
    assert (found.allowed, found.lifted, found.rules) == (True, Lifted.WAIVED, ("w", "a"))
    found = decide(ACME, layer(settings=REPORT), team, own)
    assert (found.allowed, found.lifted) == (True, Lifted.REPORTED)
    assert found.rules == ("builtin:report-mode", "a")


def test_an_allow_above_is_no_answer_to_what_a_layer_leaves_to_the_next():
    top, team = layer(allow("acme>*", id="t")), delegating("acme>*", source="team")
    assert not decide(ACME, top, team).allowed
    assert not decide(ACME, top, team, layer(source="own", above=True)).allowed
    found = decide(ACME, top, team, layer(allow("acme>*", id="o"), source="own"))
    assert (found.rules, found.lifted) == (("t", "o"), Lifted.NO)


# Objections.


PATH = request(objections=(wrong("SS320", "vocabulary"),))


def test_each_layer_must_permit_a_path_itself():
    permit = allow(DENSE, "arguments.vocabulary = { path = true }")
    assert decide(PATH, layer(permit), layer(permit, source="team")).allowed
    assert decide(PATH, layer(permit), layer(source="team", above=True)).allowed
    found = decide(PATH, layer(permit), layer(allow(DENSE), source="team"))
    assert (found.code, found.layer, found.rules) == ("SS320", "team", ("builtin:SS320",))


def test_code_is_allowed_by_its_digest_alone():
    code = request("__lambda__", Origin.UNKNOWN, action=Action.LAMBDA, digest=A)
    approved = f'[[allow]]\nid = "l"\nlambdas = ["{A}"]'
    assert decide(code, layer(approved)).rules == ("l",)
    # What safe_mode or the reader objects to, no digest lifts.
    for fault in ("SS303", "SS305", "SS306", "SS503", "SS321"):
        assert denied(code._replace(objections=(wrong(fault),)), layer(approved)) == fault
    for rules in (
        f'[[allow]]\nid = "l"\nlambdas = ["{B}"]',
        allow("__lambda__"),
        f'{allow("__lambda__")}lambdas = ["{B}"]',
    ):
        for asked in (code, code._replace(objections=(wrong("SS305"),))):
            assert denied(asked, layer(rules)) == "SS303"
            assert decide(asked, layer(rules)).rules == ("builtin:lambda",)


def test_code_that_was_understood_runs_where_a_layer_says_so():
    code = request("__lambda__", Origin.UNKNOWN, action=Action.LAMBDA, digest=A)
    shell = request("keras.layers.Lambda", effects=("deserializes-code",))
    sandbox = layer('lambda = "sandbox"')
    for asked in (code, shell):
        assert decide(asked, sandbox).rules == ("builtin:sandbox",)
        assert not decide(asked, sandbox, layer(source="team")).allowed  # it must say so, too
        assert decide(asked, sandbox, layer('lambda = "sandbox"', source="team")).allowed
        assert not decide(asked, layer(), layer('lambda = "sandbox"', source="team")).allowed
    for fault in ("SS303", "SS305", "SS306", "SS503"):
        assert denied(code._replace(objections=(wrong(fault),)), sandbox) == fault
    assert denied(code._replace(digest=""), sandbox) == "SS303"  # it was not read
    approved = layer(f'[[allow]]\nid = "l"\nlambdas = ["{A}"]')
    assert decide(shell, approved).allowed  # what it holds is decided by itself
    assert not decide(shell, layer()).allowed
    assert denied(shell._replace(origin=Origin.UNKNOWN), sandbox) == "SS301"
    assert not decide(request(), sandbox).allowed
    denies = layer('lambda = "sandbox"\n[[deny]]\nid = "no"\nsymbols = ["__lambda__"]')
    assert denied(code, denies) == "SS302"


@pytest.mark.parametrize("words", ['lambda = "deny"', 'lambda = "sandbox"', ""])
def test_a_word_that_denies_code_holds_below_a_layer_that_runs_it(words):
    """`@above` passes on what nothing is said of; a team that writes "deny" means it."""
    asked = request("__lambda__", Origin.UNKNOWN, action=Action.LAMBDA, digest=A)
    top = layer(settings='lambda = "sandbox"')
    for above in (True, False):
        stack = top.over(layer(source="low", settings=words, above=above))
        decision = Engine(stack).decide(asked)
        assert decision.allowed is (words == 'lambda = "sandbox"' or (above and not words))
        if not decision.allowed:
            assert (decision.code, decision.layer) == ("SS303", "low")


@pytest.mark.parametrize("own", ["listed", "allow", ""])
def test_a_word_on_the_programs_own_objects_holds_below_one_that_lets_all_pass(own):
    asked = request("acme>Block", Origin.CALLER)
    stack = layer(own="allow").over(layer(source="low", above=True, own=own))
    assert Engine(stack).decide(asked).allowed is (own != "listed")
    named = layer(allow("acme>Block"), source="low", above=True, own=own)
    assert Engine(layer(own="allow").over(named)).decide(asked).allowed


def test_a_rule_on_lambdas_lets_in_nothing_else():
    approved = layer(f'[[allow]]\nid = "l"\nlambdas = ["{A}"]')
    assert not decide(request(), approved).allowed
    assert not decide(request("acme.X", Origin.UNKNOWN), approved).allowed


def test_the_programs_own_code_in_a_file_is_code_in_a_file():
    code = request("acme>f", Origin.CALLER, action=Action.LAMBDA)
    assert denied(code, layer(own="allow")) == "SS303"


# Waivers.


def test_a_waiver_lifts_a_default_deny_and_is_named():
    found = decide(request(), layer(waiver()))
    assert (found.allowed, found.lifted, found.rules, found.code) == (
        True,
        Lifted.WAIVED,
        ("w",),
        "SS301",
    )
    assert found.reason == "waived by ann until 2027-01-01: old"
    assert (found.place, found.layer) == ("top:4", "top")
    assert denied(request(), layer(waiver("keras.losses.*"))) == "SS301"


@pytest.mark.parametrize(
    ("expires", "days", "today", "in_force"),
    [
        ("2026-11-22", 0, TODAY, True),
        ("2026-11-21", 9, TODAY, False),
        ("2026-11-23", 1, TODAY, True),
        ("2026-11-24", 1, TODAY, False),
        ("2026-11-23", 1, None, False),
        ("9999-12-31", 3660, date(9999, 12, 31), True),
    ],
)
def test_a_waiver_holds_till_its_day_and_not_too_far_ahead(expires, days, today, in_force):
    rules = layer(waiver(expires=expires), settings=f"waivers = {{ max_days = {days} }}")
    assert decide(request(), rules, today=today).allowed is in_force


def test_a_waiver_lifts_no_deny_rule_no_code_and_only_what_it_names():
    both = 'codes = ["SS301", "SS320"]'
    assert denied(request(), layer(waiver(more=both), deny(DENSE))) == "SS302"
    code = request("__lambda__", Origin.UNKNOWN, action=Action.LAMBDA)
    for objections in ((), (wrong("SS303"),), (wrong("SS320"),), (wrong("SS303"), wrong("SS320"))):
        asked = code._replace(objections=objections)
        assert not decide(asked, layer(waiver("__lambda__", both))).allowed
    assert decide(PATH, layer(waiver(more=both))).lifted is Lifted.WAIVED
    assert denied(PATH, layer(waiver())) == "SS320"
    assert denied(PATH, layer(waiver(more='codes = ["SS320"]'))) == "SS320"
    more = request(objections=(wrong("SS320"), wrong("SS321")))
    assert denied(more, layer(waiver(more=both))) == "SS320"


def test_a_waiver_that_is_made_in_code_lifts_no_more_than_one_in_a_file():
    codes = frozenset({"SS301", "SS311"})
    made = Waiver("w", "code", 1, "ann", "old", date(2027, 1, 1), (DENSE,), codes=codes)
    engine = Engine(Policy("p", "p", "", waivers=(made,)), TODAY)
    assert engine.decide(request()).allowed
    assert not engine.decide(request(objections=(wrong("SS311"),))).allowed


def test_a_waiver_on_a_path_alone_is_enough_where_all_else_is_let_in():
    only = waiver("acme>*", 'codes = ["SS320"]')
    own = ACME._replace(objections=(wrong("SS320"),))
    assert decide(own, layer(only, own="allow")).lifted is Lifted.WAIVED
    assert decide(own, layer(only, allow("acme>*"))).lifted is Lifted.WAIVED
    assert denied(own, layer(only)) == "SS320"
    value = request("__x__", Origin.ENCODING, action=Action.DECODE, objections=(wrong("SS320"),))
    assert decide(value, layer(waiver("__x__", 'codes = ["SS320"]'))).lifted is Lifted.WAIVED


def test_a_waiver_may_be_for_one_artefact():
    rules = layer(waiver("", f'sha256 = ["{A}"]'))
    assert decide(request(), rules, context=Context(digests=frozenset({A, B}))).rules == ("w",)
    assert not decide(request(), rules, context=Context(digests=frozenset({B}))).allowed
    assert not decide(request(), rules).allowed


@pytest.mark.parametrize("subject", [("keras.**", ""), ("", f'sha256 = ["{A}"]')])
def test_no_waiver_makes_a_strangers_name_kerass(subject):
    evil = request("keras.layers.Evil", Origin.UNKNOWN)
    context = Context(digests=frozenset({A}))
    assert denied(evil, layer(waiver(*subject)), context=context) == "SS301"
    assert decide(
        evil._replace(origin=Origin.KERAS), layer(waiver(*subject)), context=context
    ).allowed


def test_layers_below_waive_where_those_above_let_them():
    team = layer(allow(DENSE, id="a"), waiver(), source="team")
    assert decide(request(), layer(), team).layer == "top"
    terms = layer(settings="waivers = { below = true }")
    found = decide(request(), terms, team)
    assert (found.lifted, found.rules, found.layer) == (Lifted.WAIVED, ("w", "a"), "team")


def test_a_layer_between_that_lets_nobody_waive_is_not_waived_by_the_one_below():
    terms = layer(settings="waivers = { below = true }")
    low = layer(allow(DENSE, id="a"), waiver(), source="low")
    assert decide(request(), terms, layer(source="mid"), low).layer == "mid"
    assert decide(request(), terms, layer(source="mid", above=True), low).allowed


def test_how_far_ahead_a_waiver_reaches_is_bounded_by_every_layer_above_it():
    far = waiver(expires="2026-12-22")
    short, long = "waivers = { max_days = 29 }", "waivers = { max_days = 30 }"
    team = layer(far, source="team", settings=long)
    assert decide(request(), layer(allow(DENSE, id="a"), settings=long), team).allowed
    assert not decide(request(), layer(allow(DENSE, id="a"), settings=short), team).allowed
    below = "waivers = { below = true, max_days = 30 }"
    mid = layer(allow(DENSE, id="m"), source="mid", settings=short)
    assert decide(request(), layer(settings=below), team).allowed
    assert not decide(request(), layer(settings=below), mid, team).allowed
    assert not decide(
        request(), layer(settings=below), layer(far, source="team", settings=short)
    ).allowed


def test_the_first_waiver_in_force_that_lifts_it_all_is_named():
    rules = layer(
        waiver(id="old", expires="2026-01-01"),
        waiver(id="other", more=f'sha256 = ["{A}"]'),
        waiver(id="path", more='codes = ["SS320"]'),
        waiver(id="good"),
        waiver(id="spare"),
    )
    assert decide(request(), rules).rules == ("good",)


# Report mode.


def test_what_no_rule_allows_is_reported_till_the_day():
    found = decide(request(), layer(settings=REPORT))
    assert (found.allowed, found.lifted, found.rules, found.code) == (
        True,
        Lifted.REPORTED,
        ("builtin:report-mode",),
        "SS301",
    )
    assert (found.reason, found.layer, found.place) == (f"no rule allows {DENSE}", "top", "")
    late = layer(settings=REPORT.replace("11-22", "11-21"))
    assert not decide(request(), late).allowed
    assert not decide(request(), layer(settings=REPORT), today=None).allowed
    assert decide(request(), layer(allow(DENSE), settings=REPORT)).lifted is Lifted.NO
    near = decide(request(), layer(allow(DENSE, 'kinds = ["loss"]'), settings=REPORT)).near
    assert near == "a (top:5): it is for loss"


@pytest.mark.parametrize(
    "asked",
    [
        request(effects=("fetches",)),
        request("keras.layers.Evil", Origin.UNKNOWN),
        request("__lambda__", Origin.UNKNOWN, action=Action.LAMBDA),
        request(objections=(wrong("SS320"),)),
        request(objections=(wrong("SS321"),)),
    ],
)
def test_what_is_dangerous_is_denied_while_a_policy_is_introduced(asked):
    assert not decide(asked, layer(settings=REPORT)).allowed
    assert not decide(
        asked, layer(allow(asked.symbol, 'fields = ["layer"]'), settings=REPORT)
    ).allowed


def test_an_explicit_deny_holds_while_a_policy_is_introduced():
    assert denied(request(), layer(deny(DENSE), settings=REPORT)) == "SS302"


def test_a_stranger_of_another_name_and_the_programs_own_are_reported():
    for origin in (Origin.UNKNOWN, Origin.CALLER):
        assert decide(request("acme.X", origin), layer(settings=REPORT)).lifted is Lifted.REPORTED
    own = request("keras.acme.X", Origin.CALLER)
    assert decide(own, layer(settings=REPORT)).lifted is Lifted.REPORTED


def test_a_policy_made_in_code_reports_only_in_that_mode_and_till_a_day():
    assert (
        Engine(Policy("p", "p", "", mode=Mode.REPORT, report_until=TODAY), TODAY)
        .decide(request())
        .allowed
    )
    assert not Engine(Policy("p", "p", "", report_until=TODAY), TODAY).decide(request()).allowed
    assert not Engine(Policy("p", "p", "", mode=Mode.REPORT), TODAY).decide(request()).allowed


def test_only_the_top_layer_introduces():
    below = layer(source="team", settings=REPORT)
    assert decide(request(), layer(allow(DENSE)), below).layer == "team"
    assert decide(request(), layer(settings=REPORT), layer(source="team")).layer == "team"
    found = decide(request(), layer(settings=REPORT), layer(allow(DENSE), source="team"))
    assert (found.lifted, found.rules) == (Lifted.REPORTED, ("builtin:report-mode", "a"))


def test_a_waiver_is_used_before_anything_is_reported():
    assert decide(request(), layer(waiver(), settings=REPORT)).lifted is Lifted.WAIVED


def test_of_several_that_were_lifted_the_first_is_shown_and_all_are_named():
    found = decide(request(), layer(settings=REPORT), layer(waiver(), source="team"))
    assert (found.lifted, found.rules) == (Lifted.REPORTED, ("builtin:report-mode", "w"))
    found = decide(request(), layer(allow(DENSE)), layer(waiver(), source="team"))
    assert (found.lifted, found.rules, found.layer) == (Lifted.WAIVED, ("a", "w"), "team")


# Evidence.


EVIDENCE = f'evidence = {{ tool = "t 1", source_sha256 = "{A}", findings = 0, date = 2026-11-22 }}'
VETTED = "require_evidence = true"


def owned(digest, origin=Origin.CALLER):
    return ACME._replace(origin=origin, owner=Owner("acme", "1", digest))


def test_an_own_class_needs_evidence_of_the_very_source_where_it_is_required():
    strict = layer(allow("acme>*", EVIDENCE), settings=VETTED)
    assert decide(owned(A), strict).allowed
    for other in (owned(B), owned(""), ACME):
        assert "another source" in decide(other, strict).near
    assert "requires evidence" in decide(owned(A), layer(allow("acme>*"), settings=VETTED)).near
    assert decide(owned(B), layer(allow("acme>*", EVIDENCE))).allowed


def test_kerass_own_needs_no_evidence_and_a_stranger_is_judged_by_its_name():
    for origin in (Origin.KERAS, Origin.LEGACY):
        assert decide(request(origin=origin), layer(allow(DENSE), settings=VETTED)).allowed
    strict = layer(allow("acme>*", EVIDENCE), settings=VETTED)
    assert decide(owned("", Origin.UNKNOWN), strict).allowed
    assert not decide(owned("", Origin.UNKNOWN), layer(allow("acme>*"), settings=VETTED)).allowed


# What is remembered.


def test_nothing_is_remembered_that_hangs_on_more_than_names():
    rules = layer(
        allow("keras.layers.A", "arguments.units = { max = 1 }", id="a"),
        allow("keras.layers.B", 'formats = ["keras"]', id="b"),
        allow("keras.layers.C", f'sha256 = ["{A}"]', id="c"),
        allow("keras.layers.D", 'from = "keras"', id="d"),
        allow("keras.layers.E", "allocation = { max = 1 }", id="e"),
        waiver("keras.layers.F", f'sha256 = ["{A}"]', id="f"),
        allow("acme>G", EVIDENCE, id="g"),
        settings=VETTED,
    )
    good = Context(Format.KERAS, frozenset({A}))
    bad = Context(Format.HDF5, frozenset({B}))
    engine = Engine(rules, TODAY)
    for name in "ABCDEF":
        first = request(f"keras.layers.{name}", arguments={"units": 1}, owner=Owner("keras", "3"))
        other = request(
            f"keras.layers.{name}", arguments={"units": 2}, owner=Owner("acme", "3"), allocation=2
        )
        assert engine.decide(first, good).allowed
        assert not engine.decide(other, bad).allowed
        assert engine.decide(first, good).allowed
    vetted = owned(A)._replace(symbol="acme>G")
    assert engine.decide(vetted).allowed
    assert not engine.decide(vetted._replace(owner=None)).allowed


def test_a_waiver_of_one_artefact_is_not_remembered_though_another_is_for_all():
    rules = layer(waiver(more=f'sha256 = ["{A}"]'), waiver(id="old", expires="2026-01-01"))
    engine = Engine(rules, TODAY)
    assert engine.decide(request(), Context(digests=frozenset({A}))).allowed
    assert not engine.decide(request(), Context(digests=frozenset({B}))).allowed


def test_what_is_remembered_hangs_on_all_names():
    rules = layer(
        allow("keras.layers.A", 'kinds = ["layer"]\nfields = ["root"]', id="a"), settings=REPORT
    )
    engine = Engine(rules, date(2030, 1, 1))
    first = request("keras.layers.A")
    assert engine.decide(first).allowed
    for other in (
        first._replace(kind=Kind.LOSS),
        first._replace(field=Field.LAYER),
        first._replace(action=Action.LAMBDA),
        first._replace(origin=Origin.UNKNOWN),
        first._replace(objections=(wrong("SS321"),)),
    ):
        assert not engine.decide(other).allowed
    assert engine.decide(first).allowed
    reporting = Engine(rules, TODAY)
    assert reporting.decide(request()).allowed
    assert not reporting.decide(request(effects=("reads",))).allowed


def test_a_decision_of_old_is_given_with_the_request_of_today():
    engine = Engine(layer(allow(DENSE)))
    assert engine.decide(request()).request.pointer == ""
    assert engine.decide(request(pointer="/b")).request.pointer == "/b"


def test_the_arguments_that_rules_look_at_are_named():
    rules = policy(
        allow("keras.**", "arguments.units = { max = 9 }"),
        deny("keras.layers.*", 'arguments."node.op" = { max = 9 }', id="e"),
        deny("keras.losses.*", "arguments.x = { max = 9 }", id="f"),
    )
    below = layer(allow(DENSE, "arguments.name = { max_length = 9 }"))
    assert decide(request(), rules, below).looked_at == ("name", "node", "units")
    assert decide(request("keras.losses.Hinge"), rules, below).looked_at == ("units", "x")
    assert decide(request("acme.X", Origin.UNKNOWN), rules, below).looked_at == ()


# A policy that is being introduced, and names that are nobody's.

POSING = [
    "os.system", "builtins.eval", "subprocess>Popen", "Keras.layers.Dense", "KERAS>Dense",
    "keras.layers.Evil", "keras>Evil", "tf.Module", "k\u0435ras.layers.Dense", "'relu'", '"it\'s"', "",
]  # fmt: skip


@pytest.mark.parametrize("symbol", POSING)
def test_report_mode_lets_pass_nothing_that_no_package_would_be_called(symbol):
    engine = Engine(layer(settings=REPORT), TODAY)
    assert not engine.decide(request(symbol, Origin.UNKNOWN, kind=None)).allowed


@pytest.mark.parametrize(
    "symbol", ["acme.vision.Block", "acme>Block", "keras_hub>Bert", "my-own>B"]
)
def test_it_lets_pass_and_reports_what_a_team_may_have(symbol):
    engine = Engine(layer(settings=REPORT), TODAY)
    assert engine.decide(request(symbol, Origin.UNKNOWN, kind=None)).lifted is Lifted.REPORTED
    assert engine.decide(request("os.system", Origin.CALLER)).lifted is Lifted.REPORTED


@pytest.mark.parametrize("symbol", ["keras>Evil", "keras.layers.Evil"])
def test_no_rule_lets_in_a_strangers_name_that_reads_like_keras(symbol):
    rule = allow(symbol)
    assert not Engine(layer(rule)).decide(request(symbol, Origin.UNKNOWN)).allowed
    assert Engine(layer(rule)).decide(request(symbol, Origin.CALLER)).allowed


# A kind that nobody knows.


def denying_kinds(*kinds, more=""):
    names = ", ".join(f'"{kind}"' for kind in kinds)
    return f'[[allow]]\nid = "a"\nregistered = ["acme>*"]\n[[deny]]\nid = "d"\nkinds = [{names}]\n{more}'


@pytest.mark.parametrize(
    ("kinds", "field", "allowed"),
    [
        (["layer"], Field.LAYER, False),
        (["optimizer", "layer"], Field.ACTIVATION, False),
        (["optimizer"], Field.ROOT, False),
        (["optimizer"], Field.LAYER, True),  # there it would be in the wrong place, and denied
        (["layer"], Field.VALUE, True),  # no object may stand there at all
    ],
)
def test_a_kind_is_denied_where_something_unknown_may_be_of_it(kinds, field, allowed):
    engine = Engine(layer(denying_kinds(*kinds)))
    asked = request("acme>Block", Origin.UNKNOWN, kind=None, field=field)
    assert engine.decide(asked).allowed is allowed
    assert engine.decide(asked).allowed is allowed
    if not allowed:
        assert "its kind is not known" in engine.decide(asked).reason
        assert engine.decide(asked._replace(origin=Origin.CALLER)).allowed, "known to be of no kind"


def test_another_condition_that_surely_does_not_hold_is_enough():
    engine = Engine(layer(denying_kinds("layer", more='fields = ["loss"]')))
    assert engine.decide(request("acme>B", Origin.UNKNOWN, kind=None, field=Field.LAYER)).allowed
    engine = Engine(layer(denying_kinds("layer", more="arguments.units = { min = 9 }")))
    asked = request("acme>B", Origin.UNKNOWN, kind=None, field=Field.LAYER)
    assert engine.decide(asked._replace(arguments={"units": 3})).allowed
    assert not engine.decide(asked._replace(arguments={"units": 10})).allowed


def test_an_allow_of_a_kind_lets_in_nothing_whose_kind_is_not_known():
    engine = Engine(layer(allow("acme>*", 'kinds = ["layer"]')))
    asked = request("acme>Block", Origin.UNKNOWN, field=Field.LAYER)
    assert engine.decide(asked).allowed
    assert not engine.decide(asked._replace(kind=None)).allowed
