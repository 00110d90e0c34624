"""`policy fmt` gives one form, and changes neither what a policy says nor what is said of it."""

from __future__ import annotations

import tomllib
from collections import Counter

import pytest
from authoring.toml_documents import documents
from hypothesis import given, settings

from secure_serial import InvalidPolicy
from secure_serial.authoring import fmt
from secure_serial.authoring.fmt import formatted
from secure_serial.data import policy_names, policy_text

pytest.importorskip("tomlkit")

SETS = ("symbols", "registered", "kinds", "fields", "formats", "codes", "delegate", "symbol")


def meaning(value, key=""):
    """What a text says, whatever the order of keys and of sets."""
    if isinstance(value, dict):
        return {name: meaning(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        inner = [meaning(item, key) for item in value]
        return sorted(inner, key=repr) if key in SETS else inner
    return repr(value)


BEFORE = """\
#:schema policies/policy.schema.json
# Ours.

caller_objects="listed"
# how it is called
name = 'acme'   #short
schema=1


# Whom we build on.
extends = ["strict","keras-core"]
[[allow]] # the first
reason = "computes"
arguments . units={max=100_000,type="integer"}
symbols = [ "acme.b", 'acme.a',
]
id="a"
# about units
arguments."node.op".symbol = ["z>z", "a>a"]
# on all of the above

# about d
[[ deny ]]
id = "d"
kinds = ["model", "layer"]
[deny.evidence]
date = 2026-11-22
tool = "bandit"

# --- Team B ---


# also ours
[[allow]]
id = "b"
registered = ["acme>VeryLongNameNumberOne", "acme>VeryLongNameNumberTwo", "acme>VeryLongNameNumber3", "acme>Z"]
unknown = 1
[[test]]
expect = "allow"
config = { class_name = "L", symbols = ["b", "a"], config = { b = 1, a = 2 } }
id = "t"
[limits]
layers = 3
depth = 2
# small

# The end.
"""
AFTER = """\
#:schema policies/policy.schema.json
# Ours.

schema = 1
# how it is called
name = 'acme'  #short

# Whom we build on.
extends = ["strict", "keras-core"]
caller_objects = "listed"

[limits]
depth = 2
layers = 3
# small

[[allow]]  # the first
id = "a"
reason = "computes"
symbols = ['acme.a', "acme.b"]
arguments.units = { type = "integer", max = 100_000 }
# about units
arguments."node.op".symbol = ["a>a", "z>z"]
# on all of the above

# about d
[[deny]]
id = "d"
kinds = ["layer", "model"]

[deny.evidence]
tool = "bandit"
date = 2026-11-22

# --- Team B ---

# also ours
[[allow]]
id = "b"
registered = [
  "acme>VeryLongNameNumber3", "acme>VeryLongNameNumberOne", "acme>VeryLongNameNumberTwo", "acme>Z",
]
unknown = 1

[[test]]
id = "t"
config = { class_name = "L", symbols = ["b", "a"], config = { b = 1, a = 2 } }
expect = "allow"

# The end.
"""


def test_the_one_form():
    assert formatted(BEFORE) == AFTER


@settings(max_examples=150, deadline=None)
@given(documents())
def test_any_document_keeps_its_meaning_and_its_comments_and_has_one_form(written):
    after = formatted(written.text)
    assert meaning(tomllib.loads(after)) == meaning(tomllib.loads(written.text))
    assert sorted(fmt._comments(after).elements()) == written.comments
    assert formatted(after) == after


@settings(max_examples=60, deadline=None)
@given(documents())
def test_comments_are_counted_right(written):
    """What the test above and the formatter itself rely on."""
    assert sorted(fmt._comments(written.text).elements()) == written.comments


@pytest.mark.parametrize("name", policy_names())
def test_shipped_policies_keep_their_meaning(name):
    before = policy_text(name)
    after = formatted(before)
    assert meaning(tomllib.loads(after)) == meaning(tomllib.loads(before))
    assert fmt._comments(after) == fmt._comments(before)
    assert all(len(line) <= 100 for line in after.split("\n") if line.startswith('  "'))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("\n\n", ""),
        ("# only", "# only\n"),
        ("# a\n\n\n# b\n", "# a\n\n# b\n"),
        ("a=1", "a = 1\n"),
        ("name = 1\nschema = 1", "schema = 1\nname = 1\n"),
        ("# on a\na = 1\nschema = 1", "schema = 1\n# on a\na = 1\n"),
        ("# head\n\na = 1\nschema = 1", "# head\n\nschema = 1\na = 1\n"),
        ("#:schema x\na = 1\nschema = 1", "#:schema x\n\nschema = 1\na = 1\n"),
        ("# head\n\n[[allow]]\n[limits]", "# head\n\n[limits]\n\n[[allow]]\n"),
        ("[[allow]]\n# a\n[[allow]]", "[[allow]]\n\n# a\n[[allow]]\n"),
        ("[[allow]]\n# a\n\n[[allow]]", "[[allow]]\n# a\n\n[[allow]]\n"),
        ("[[allow]]\n\n# a\n\n[[allow]]", "[[allow]]\n\n# a\n\n[[allow]]\n"),
        ("[[allow]]\n\n\nid = 1\n\n# r\n\nreason = 2", "[[allow]]\nid = 1\n# r\nreason = 2\n"),
        ("[ a . 'b' ] #c", "[a.'b']  #c\n"),
        ("a = { }\nb = [ ]\nc=[ 1,\n2 ]", "a = {}\nb = []\nc = [1, 2]\n"),
        ("a = [ # x\n# y\n]", "a = [\n  # x\n  # y\n]\n"),
        ("a = 07:32:00.5 # t", "a = 07:32:00.5  # t\n"),
        ("a = [1979-05-27 07:32:00]", "a = [1979-05-27 07:32:00]\n"),
        ("a = '''\n x\n'''\nb = '''#'''", "a = '''\n x\n'''\nb = '''#'''\n"),
    ],
)
def test_small_things(before, after):
    assert formatted(before) == after
    assert formatted(after) == after


def test_a_comment_stays_with_its_table_where_kinds_of_tables_alternate():
    text = "[[allow]]\n\n# on the deny\n[[deny]]\n\n# on b\n[[allow]]\nid = 'b'\n"
    assert formatted(text) == text


def test_settings_move_up_with_what_is_theirs_and_rules_stay():
    text = "[[test]]\n[[deny]]\n# trust whom\n[trust]\n# end\n\n[[allow]]\n[limits]\n"
    assert formatted(text) == (
        "[limits]\n\n# trust whom\n[trust]\n# end\n\n[[test]]\n\n[[deny]]\n\n[[allow]]\n"
    )


LONG = [f'"acme.layers.SomeLayer{number:02}"' for number in range(9, 0, -1)]


def test_a_long_set_is_sorted_and_filled():
    (line,) = [x for x in formatted(f"delegate = [{', '.join(LONG)}]").split("\n") if "01" in x]
    assert line.startswith('  "acme.layers.SomeLayer01", "acme.layers.SomeLayer02", ')
    assert 70 < len(line) <= 100


def test_a_list_with_comments_keeps_its_order_and_lines():
    text = (
        "[[allow]]\n"
        "symbols = [\n"
        "  # recurrent\n"
        '  "b", "a",  # two\n'
        '  "d",\n'
        "  # other\n"
        '  "c",\n'
        "  # none left\n"
        "]  # all\n"
    )
    assert formatted(text) == text
    assert formatted(text.replace("  ", "").replace("\n# o", "\n\n\t# o")) == text


def test_lists_of_which_the_order_may_matter_keep_it():
    text = (
        'extends = ["b", "a"]\n\n'
        '[[allow]]\nsha256 = ["b", "a"]\narguments.x = { one_of = ["b", "a"], unknown = ["b", "a"] }\n'
        '\n[[test]]\nconfig = { kinds = ["b", "a"], symbols = ["b", "a"] }\nrules = ["b", "a"]\n'
    )
    assert formatted(text) == text


def test_a_long_condition_breaks_its_list_alone():
    text = f"[[allow]]\narguments.x = {{ one_of = [{', '.join(LONG)}], type = 'string' }}\n"
    after = formatted(text)
    lines = after.split("\n")
    assert lines[1] == "arguments.x = { type = 'string', one_of = ["
    assert lines[-2] == "] }"
    assert all(len(line) <= 100 for line in lines)
    assert tomllib.loads(after) == tomllib.loads(text)


def test_a_list_of_tables_has_one_a_line():
    text = "a = [{ b = 1, c = [1, 2] }, { b = " + "1" * 80 + " }]\n"
    assert formatted(text) == "a = [\n  { b = 1, c = [1, 2] },\n  { b = " + "1" * 80 + " },\n]\n"


def test_windows_line_ends_stay():
    assert formatted("b=1\r\nschema=1\r\n") == "schema = 1\r\nb = 1\r\n"
    assert formatted("b=1\nschema=1\r\n") == "schema = 1\nb = 1\n"


@pytest.mark.parametrize(
    "text", ["a =", "a = 1\na = 2", "a = \ud800", "[" * 5000, "a = { b = 1,\n}"]
)
def test_what_is_no_toml_is_refused(text):
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        with pytest.raises(InvalidPolicy):
            formatted(text)
    else:  # TOML 1.1, from Python 3.15 on
        assert formatted(text) == "a = { b = 1 }\n"


def test_what_cannot_be_read_that_deep_is_refused():
    text = "a = " + "[" * 200 + "]" * 200
    try:
        assert formatted(text) == text + "\n"
    except InvalidPolicy as error:
        assert "cannot be formatted" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "loss",
    [
        lambda lines: [line.partition("  #")[0] for line in lines],
        lambda lines: [line.replace("1", "2") for line in lines],
        lambda lines: [line.replace("1", "1.0") for line in lines],
        lambda lines: lines[:-1],
        lambda lines: [*lines, "# more"],
        lambda lines: [*lines, "="],
    ],
)
def test_a_loss_is_noticed_and_refused(monkeypatch, loss):
    written = fmt._written
    text = "a = 0\nb = 1  # one\n"
    assert formatted(text) == text
    monkeypatch.setattr(fmt, "_written", lambda block: loss(written(block)))
    with pytest.raises(InvalidPolicy):
        formatted(text)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ('delegate = ["a", "b"]', 'delegate = ["b", "a"]', True),
        ('extends = ["a", "b"]', 'extends = ["b", "a"]', False),
        ("delegate = [1, 2]", "delegate = [2, 1]", False),
        ('delegate = ["a", "b"]', 'delegate = ["a", "b", "b"]', False),
        ("a = nan", "a = nan", True),
        ("a = { b = 1, c = 2 }", "a.c = 2\na.b = 1", True),
    ],
)
def test_only_sets_mean_the_same_in_another_order(monkeypatch, before, after, same):
    monkeypatch.setattr(fmt, "_formatted", lambda text: after)
    if same:
        assert formatted(before) == after
    else:
        with pytest.raises(InvalidPolicy, match="loss"):
            formatted(before)


def test_tables_in_tables_stay_behind_theirs():
    text = "[[allow]]\n[allow.evidence]\n[limits]\n[[deny]]\n[allow.arguments.x]\n[limits.y]\n"
    assert formatted(text).split("\n\n") == [
        "[limits]", "[limits.y]", "[[allow]]", "[allow.evidence]", "[[deny]]",
        "[allow.arguments.x]\n",
    ]  # fmt: skip


def test_comments_of_the_generator_are_various():
    """Or the properties above would show little."""
    seen = Counter()

    @settings(max_examples=50, deadline=None, database=None)
    @given(documents())
    def collect(written):
        seen.update(written.comments)

    collect()
    assert len(seen) >= 10
