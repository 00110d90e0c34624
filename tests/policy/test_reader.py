"""Everything wrong with a policy at once, and nothing ignored."""

from __future__ import annotations

import dataclasses
from math import inf

import pytest
from policy.rules import allow, deny, policy

from secure_serial.data import policy_names
from secure_serial.errors import InvalidPolicy
from secure_serial.limits import Limits
from secure_serial.plan.fields import Field, Kind
from secure_serial.policy.model import AuditDemand, CallerObjects, Constraint, Effect, Policy
from secure_serial.policy.reader import MAX_BYTES, parse
from secure_serial.policy.source import DEFAULT, load_policy, parse_policy


def problems(text):
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy(text, "p.toml")
    return list(caught.value.problems) or [caught.value.message]


def problem(rule):
    """The one problem of a rule."""
    (found,) = problems(f"schema = 1\n{rule}")
    return found


RULE = '[[allow]]\nid = "a"\nsymbols = ["a.b"]\n'


def test_a_whole_policy_is_read_as_it_is_written():
    text = """schema = 1
name = "mine"
version = 3
description = "text"
caller_objects = "allow"
audit = "required"
lambda = "deny"
limits = { depth = 7 }

[[deny]]
id = "d"
kinds = ["layer"]
fields = ["loss"]

[[allow]]
id = "a"
symbols = ["x.y", "x.*"]
registered = ["p>*"]
reason = "why"
arguments.n = { type = ["integer", "null"], min = 1, max = 2.5, max_length = 3, one_of = [1, "a"], path = true }
arguments."a.b" = { type = "string" }
"""
    read = parse_policy(text, "mine.toml")
    assert (read.name, read.source, read.version) == ("mine", "mine.toml", 3)
    assert (read.caller_objects, read.audit) == (CallerObjects.ALLOW, AuditDemand.REQUIRED)
    assert read.limits == Limits(depth=7)
    one, other = read.rules
    assert (one.effect, one.place, one.reason) == (Effect.ALLOW, "mine.toml:15", "why")
    assert (one.symbols, one.registered) == (("x.y", "x.*"), ("p>*",))
    assert one.arguments == (
        Constraint("n", frozenset({"integer", "null"}), 1, 2.5, 3, (1, "a"), path=True),
        Constraint("a.b", frozenset({"string"})),
    )
    assert (other.effect, other.place) == (Effect.DENY, "mine.toml:10")
    assert (other.kinds, other.fields) == (frozenset({Kind.LAYER}), frozenset({Field.LOSS}))


def test_what_is_not_said_is_the_strictest():
    read = parse_policy("schema = 1", "p.toml")
    assert (read.name, read.version, read.rules) == ("p.toml", 1, ())
    assert (read.caller_objects, read.audit) == (CallerObjects.LISTED, AuditDemand.OPTIONAL)
    assert read.limits == Limits()


def test_every_problem_is_reported_at_once_with_its_line():
    text = """schema = 2
nmae = "x"

[[allow]]
symbols = ["*", "a..b"]
resaon = "x"

[[deny]]
id = "d"
"""
    found = problems(text)
    assert len(found) == 7
    expected = (
        "p.toml:1:1: schema: must be 1",
        "p.toml:2:1: nmae: unknown key",
        "p.toml:4:1: id: every rule needs one",
        "p.toml:5:12: symbols: the pattern '*' would match everything",
        "p.toml:5:17: symbols: the pattern 'a..b' has an empty segment",
        "p.toml:6:1: resaon: unknown key",
        "p.toml:8:1: a rule without any condition",
    )
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start)


def test_the_error_lists_its_problems():
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy("schema = 2\nx = 1", "p.toml")
    assert str(caught.value).count("\n  - ") == 2
    assert str(caught.value).startswith("p.toml: ")
    assert caught.value.code == "SS201"


@pytest.mark.parametrize(
    ("line", "word"),
    [("schema = 2", "schema"), ("schema = true", "schema"), ("schema = 1.0", "schema"), ('schema = "1"', "schema"),
     ("", "schema"), ("schema = 1\nname = 3", "name"), ("schema = 1\nversion = 0", "version"),
     ("schema = 1\nversion = true", "version"), ('schema = 1\nversion = "1"', "version"),
     ("schema = 1\ndescription = []", "description"), ('schema = 1\nlambda = "allow"', "lambda"),
     ("schema = 1\nlambda = true", "lambda"), ('schema = 1\ncaller_objects = "all"', "caller_objects"),
     ('schema = 1\naudit = "yes"', "audit"), ("schema = 1\nextends = 3", "extends"),
     ("schema = 1\nextends = [3]", "extends"), ("schema = 1\nallow = 3", "allow"), ("schema = 1\ndeny = [3]", "deny"),
     ("schema = 1\nlimits = 3", "limits"), ("schema = 1\nlimits = { dept = 3 }", "limits"),
     ("schema = 1\nlimits = { depth = 0 }", "limits"), ("schema = 1\nlimits = { depth = 1.5 }", "limits"),
     ("schema = 1\nlimits = { depth = true }", "limits"), ("schema = 1\nAllow = []", "unknown key")],
)  # fmt: skip
def test_a_setting_of_another_kind_is_a_problem_that_names_it(line, word):
    found = problems(line)
    assert all(word in p for p in found), found


@pytest.mark.parametrize(
    ("more", "word"),
    [('kinds = ["thing"]', "kinds: unknown 'thing'"), ('fields = ["thing"]', "fields: unknown 'thing'"),
     ("kinds = 3", "kinds: must be a list"), ("reason = 3", "reason: must be text"),
     ("arguments = 3", "arguments: must be tables"), ("arguments.x = 3", "arguments: must be tables"),
     ("arguments.x = { typ = 3 }", "arguments.x.typ: unknown key"),
     ('arguments.x = { type = "int" }', "type: unknown 'int'"), ("arguments.x = { type = 3 }", "type: must be a list"),
     ("arguments.x = { one_of = 3 }", "one_of: must be a list"),
     ("arguments.x = { one_of = [2026-01-01] }", "one_of: must be"), ("arguments.x = { one_of = [nan] }", "one_of: must be"),
     ("arguments.x = { one_of = [1, [{ a = [07:30:00] }]] }", "one_of: must be"), ("arguments.x = { path = 1 }", "path: must be"),
     ("arguments.x = { min = nan }", "min: must be a number"), ("arguments.x = { max = true }", "max: must be"),
     ('arguments.x = { max = "3" }', "max: must be"), ("arguments.x = { max_length = 1.5 }", "max_length"),
     ("arguments.x = { max_length = inf }", "max_length"), ("arguments.x = { max_length = -1 }", "max_length"),
     ("arguments.x = { max_length = true }", "max_length"), ('arguments."" = { path = true }', "name of an argument"),
     ('arguments."a." = { path = true }', "name of an argument"), ('symbol = ["a.b"]', "symbol: unknown key")],
)  # fmt: skip
def test_a_rule_with_a_mistake_is_a_problem_with_its_line(more, word):
    found = problem(RULE + more)
    assert word in found
    assert found.startswith("p.toml:5:")


@pytest.mark.parametrize(
    "more",
    ["registered = []", "kinds = []", "fields = []", "formats = []", "sha256 = []", "lambdas = []",
     "arguments.x = { type = [] }", "arguments.x = { symbol = [] }"],
)  # fmt: skip
def test_a_condition_on_nothing_is_a_problem_and_not_no_condition(more):
    assert "an empty list is no condition" in problem(RULE + more)


@pytest.mark.parametrize("more", ["sha256 = []", "codes = []", "registered = []"])
def test_a_waiver_of_an_empty_list_is_a_problem(more):
    waiver = (
        '[[waiver]]\nid = "w"\nwho = "a"\nreason = "r"\nexpires = 2027-01-01\nsymbols = ["a.b"]\n'
    )
    assert "an empty list is no condition" in problem(waiver + more)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400, "0x" + "f" * 5000])
def test_a_whole_number_has_64_bits(number):
    for bound in ("min", "max"):
        assert "64 bits" in problem(RULE + f"arguments.x = {{ {bound} = {number} }}")
    assert "64 bits" in problem(RULE + f"allocation = {{ max = {number} }}")
    assert all("64 bits" in p for p in problems(f"schema = 1\nversion = {number}"))
    assert all("64 bits" in p for p in problems(f"schema = 1\nlimits.depth = {number}"))


def test_a_bound_may_be_the_largest_whole_number_and_beyond_all():
    bounds = (
        policy(allow("a.b", f"arguments.x = {{ max = {2**63 - 1}, min = -inf }}"))
        .rules[0]
        .arguments
    )
    assert (bounds[0].maximum, bounds[0].minimum) == (2**63 - 1, -inf)


def test_an_allow_rule_must_name_what_it_allows():
    found = problem('[[allow]]\nid = "a"\nkinds = ["layer"]')
    assert "must name symbols" in found


def test_a_rule_needs_an_id_and_no_two_have_the_same():
    assert "id:" in problem('[[deny]]\nsymbols = ["a.b"]')
    found = problem(RULE + RULE)
    assert found == "p.toml:6:1: id: 'a' is also at p.toml:2"


def test_an_id_of_what_is_extended_is_taken():
    found = problems(
        'schema = 1\nextends = "keras-core"\n[[allow]]\nid = "layers"\nsymbols = ["a.b"]'
    )
    assert len(found) == 1
    assert "'layers' is also at" in found[0]


@pytest.mark.parametrize(
    "text",
    ["schema = ", "schema = 1\nschema = 1", "[[allow]", "x = 2021-13-45", "a = " + "[" * 5000, "version = " + "1" * 5000,
     'name = "\ud800"', "\ufeff\ufeff", "\x00"],
)  # fmt: skip
def test_what_is_no_toml_is_an_error_of_ours(text):
    with pytest.raises(InvalidPolicy, match="not valid TOML"):
        parse_policy(text)


def test_a_policy_longer_than_any_is_not_read():
    with pytest.raises(InvalidPolicy, match="more than"):
        parse_policy("#" * (MAX_BYTES + 1))
    assert parse_policy("schema = 1 #" + "x" * (MAX_BYTES - 12))


def test_rules_written_in_line_have_the_line_of_their_brace():
    read = parse_policy(
        'schema = 1\ndeny = [{ id = "d", symbols = ["a.b"] },\n  { id = "e", symbols = ["a.b"] }]',
        "p.toml",
    )
    assert [rule.place for rule in read.rules] == ["p.toml:2", "p.toml:3"]


# Extending.


def test_a_policy_that_extends_another_has_its_rules_and_its_settings():
    base = load_policy("strict")
    read = policy(allow("a.b", id="mine"), extends="strict")
    assert read.rules[0].id == "mine"
    assert read.rules[1:] == base.rules
    plain = parse_policy('schema = 1\nextends = ["strict"]')
    assert (plain.caller_objects, plain.limits, plain.audit) == (
        base.caller_objects,
        base.limits,
        base.audit,
    )
    assert plain.extends == ("strict",)


def test_what_a_policy_says_itself_holds_before_what_it_extends():
    read = parse_policy(
        'schema = 1\nextends = "strict"\ncaller_objects = "allow"\naudit = "required"\nlimits = { depth = 9 }'
    )
    assert (read.caller_objects, read.audit) == (CallerObjects.ALLOW, AuditDemand.REQUIRED)
    assert read.limits == dataclasses.replace(load_policy("strict").limits, depth=9)


def shipped(**texts):
    def text(name):
        if name not in texts:
            raise KeyError(f"no shipped policy is called {name!r}")
        return texts[name]

    return text


def test_settings_pass_through_every_base():
    texts = shipped(
        middle='schema = 1\nextends = "bottom"',
        bottom='schema = 1\naudit = "required"\nlimits = { depth = 3 }',
    )
    read = parse('schema = 1\nextends = "middle"', "p.toml", texts)
    assert (read.audit, read.limits.depth) == (AuditDemand.REQUIRED, 3)


@pytest.mark.parametrize(
    "loop",
    [
        {"one": 'schema = 1\nextends = "one"'},
        {"one": 'schema = 1\nextends = "two"', "two": 'schema = 1\nextends = "one"'},
    ],
)
def test_a_policy_that_extends_itself_is_a_problem(loop):
    with pytest.raises(InvalidPolicy) as caught:
        parse('schema = 1\nextends = "one"', "p.toml", shipped(**loop))
    assert "extends itself" in str(caught.value)


def test_a_policy_that_extends_an_unknown_one_is_a_problem():
    (found,) = problems('schema = 1\nextends = ["no-such"]')
    assert "no shipped policy is called 'no-such'" in found


def test_a_fault_in_what_is_extended_is_a_fault():
    with pytest.raises(InvalidPolicy):
        parse('schema = 1\nextends = "bad"', "p.toml", shipped(bad="schema = 2"))


def test_the_digest_covers_what_is_extended():
    def digest(base):
        return parse('schema = 1\nextends = "base"', "p.toml", shipped(base=base)).sha256

    assert digest("schema = 1") != digest("schema = 1 # other")
    assert parse_policy("schema = 1").sha256 != parse_policy("schema = 1 ").sha256


# From what a caller gives.


def test_a_policy_a_name_a_path_or_nothing_may_be_given(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('schema = 1\nname = "mine"', encoding="utf-8")
    read = load_policy(path)
    assert load_policy(read) is read
    assert load_policy(str(path)) == read
    assert load_policy().name == DEFAULT
    assert load_policy("strict").name == "strict"


def test_a_file_cannot_stand_in_for_a_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strict").write_text('schema = 1\nname = "mine"', encoding="utf-8")
    assert load_policy("strict").name == "strict"
    assert load_policy("./strict").name == "mine"


@pytest.mark.parametrize("given", ["no-such", "", "a\0b", "x" * 5000, "."])
def test_what_cannot_be_read_is_an_error_that_lists_the_shipped_names(given):
    with pytest.raises(InvalidPolicy) as caught:
        load_policy(given)
    assert ", ".join(policy_names()) in str(caught.value)


def test_a_file_that_is_no_text_is_an_error(tmp_path):
    path = tmp_path / "p.toml"
    path.write_bytes(b'schema = 1\nname = "\xff"')
    with pytest.raises(InvalidPolicy, match="cannot be read"):
        load_policy(path)


def test_a_part_of_a_file_is_never_taken_for_the_whole(tmp_path):
    path = tmp_path / "p.toml"
    # Fewer characters than bytes: the count of characters alone would let it pass.
    path.write_text("schema = 1\n#" + "é" * (MAX_BYTES // 2) + "\n" + deny("a.b"), encoding="utf-8")
    with pytest.raises(InvalidPolicy, match="more than"):
        load_policy(path)


def test_a_policy_made_in_code_is_default_deny():
    assert Policy("p", "p", "").caller_objects is CallerObjects.LISTED


def test_what_many_extend_is_read_once():
    texts = {"p0": "schema = 1"} | {
        f"p{n}": f"schema = 1\nextends = {[f'p{m}' for m in range(n)]}" for n in range(1, 25)
    }
    asked = []

    def shipped(name):
        asked.append(name)
        return texts[name]

    parse('schema = 1\nextends = "p24"', "p.toml", shipped)
    assert len(asked) == 25


def test_a_key_that_would_keep_tomllib_busy_is_refused():
    with pytest.raises(InvalidPolicy, match="too many parts"):
        parse_policy("schema = 1\n" + "a." * 40_000 + "a = 1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('schema = 1\n[[allow]]\nid = "a"\nregistered = "a>b"',
         ['p.toml:4:1: registered: must be a list of texts: write ["a>b"]']),
        ('schema = 1\n[[deny]]\nid = "a"\nkinds = 3', ["p.toml:4:1: kinds: must be a list of texts"]),
        ("schema = 1\naudit = true", ["p.toml:2:1: audit: must be one of 'optional', 'required'"]),
        ('schema = 1\nmode = "report"',
         ['p.toml:2:1: mode: "report" must end on a day: report_until = 2027-01-31']),
        ('schema = 1\n[[allow]]\nid = "a"\nregistered = ["a.b"]',
         [("p.toml:4:15: registered: the pattern 'a.b' is not of the form package>name; a dotted "
           "name goes into symbols")]),
        ('schema = 1\n[[allow]]\nid = "a"\nregistered = ["a>B*"]',
         [("p.toml:4:15: registered: the pattern 'a>B*' has a * that does not stand for a whole side"
           "; write a>*, or each name")]),
    ],
)  # fmt: skip
def test_one_mistake_is_told_once_with_what_to_write(text, said):
    assert problems(text) == said


def test_an_unknown_key_is_told_with_the_one_that_was_meant():
    found = problem(RULE + 'registred = ["a>b"]')
    assert "registred: unknown key; did you mean registered? (known: " in found
    assert "did you mean" not in problem(RULE + "zzz = 1")
    many = problems("schema = 1\n" + "".join(f"nam{n} = 1\n" for n in range(9)))
    assert not any("did you mean" in each for each in many)


@pytest.mark.parametrize("day", ["31.01.2027", "2027-1-31", "2027/01/31", "2027-02-30"])
def test_a_date_in_another_form_is_told_how_it_is_written(day):
    with pytest.raises(InvalidPolicy, match=r"a date is written 2027-01-31 \(at line 2, column"):
        parse_policy(f"schema = 1\nexpires = {day}\n")
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy("schema = 1\nexpires = =\n")
    assert "a date is written" not in str(caught.value)
