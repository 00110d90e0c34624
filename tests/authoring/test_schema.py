"""The schema for editors says what the reader says, as far as a schema can."""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from secure_serial import InvalidPolicy, parse_policy
from secure_serial.authoring import cases
from secure_serial.authoring.policy_file import PolicyFile
from secure_serial.authoring.schema import key_order, schema, schema_text
from secure_serial.data import policy_names, policy_text
from secure_serial.limits import Limits
from secure_serial.policy import reader, rules
from secure_serial.policy.patterns import problem_with

jsonschema = pytest.importorskip("jsonschema")
tomlkit = pytest.importorskip("tomlkit")

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "policies/*.md")
    for path in ROOT.glob(pattern)
    if "```toml" in path.read_text(encoding="utf-8")
)
#: A block of TOML, and whether it is to be written, or appended, to which file (test_docs.py).
BLOCK = re.compile(
    r"(?:^<!-- (file|append): (\S+) -->\n)?^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
VALIDATOR = jsonschema.Draft202012Validator(
    schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
DIGEST = "0123456789abcdef" * 4
KEY = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # of RFC 8032's first test


def as_editors_see_it(value):
    """TOML as JSON: a date is a text."""
    if isinstance(value, dict):
        return {key: as_editors_see_it(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_editors_see_it(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def fits(text):
    return VALIDATOR.is_valid(as_editors_see_it(tomllib.loads(text)))


def is_read(text):
    try:
        parse_policy(text)
    except InvalidPolicy:
        return False
    return True


def test_shipped_schema_is_the_one_that_the_code_makes():
    """If not: `secure-serial policy schema > policies/policy.schema.json`."""
    shipped = (ROOT / "policies" / "policy.schema.json").read_text(encoding="utf-8")
    assert shipped == schema_text()
    assert json.loads(shipped) == schema()


def test_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (reader.KEYS, ()),
        (rules._RULE, ("allow",)),
        (rules._RULE - {"lambdas"}, ("deny",)),
        (rules._WAIVER, ("waiver",)),
        (rules._CONSTRAINT, ("condition",)),
        (cases._KEYS, ("test",)),
    ],
)
def test_keys_are_those_of_the_reader(keys, names):
    assert set(key_order(*names)) == keys


def test_limits_are_those_of_the_code():
    limits = schema()["properties"]["limits"]["properties"]
    assert {name: limit["default"] for name, limit in limits.items()} == {
        name: getattr(Limits(), name) for name in Limits.__slots__
    }


def walk(value):
    yield value
    inner = value.values() if isinstance(value, dict) else value
    for item in inner if isinstance(value, dict | list) else ():
        yield from walk(item)


def test_every_table_is_closed_and_every_reference_leads_somewhere():
    whole = schema()
    parts = [part for part in walk(whole) if isinstance(part, dict)]
    tables = [part for part in parts if part.get("type") == "object" and "properties" in part]
    assert (
        len(tables) == 13
    )  # the file, limits, sandbox, waivers, trust, two allocations, six of $defs
    assert all(table["additionalProperties"] is False for table in tables)
    references = {part["$ref"] for part in parts if "$ref" in part}
    assert references == {f"#/$defs/{name}" for name in whole["$defs"]}


@pytest.mark.parametrize("name", policy_names())
def test_shipped_policies_fit(name):
    VALIDATOR.validate(as_editors_see_it(tomllib.loads(policy_text(name))))


@pytest.mark.parametrize("page", PAGES)
def test_policies_on_a_page_fit(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    files = {}
    for action, name, block in BLOCK.findall(text):
        files[name] = (files[name] if action == "append" else "") + block
        VALIDATOR.validate(as_editors_see_it(tomllib.loads(files[name])))
    assert files


FULL = f"""
schema = 1
name = "acme"
version = 2
description = "ours"
expires = 2030-01-31
extends = ["keras-core", "@above"]
delegate = ["acme.**", "acme>*"]
caller_objects = "listed"
audit = "required"
lambda = "deny"
mode = "report"
report_until = 2030-01-31
require_evidence = true
[limits]
layers = 10
[sandbox]
evaluation = "process"
demand = ["landlock"]
wall_seconds = 2.5
steps = 1_000
[waivers]
max_days = 90
below = true
[trust]
keys = ["{KEY}"]
threshold = 1
minimum_version = 7
[[allow]]
id = "a"
symbols = ["acme.layers.*", "keras.layers.Dense"]
registered = ["acme>*", "*>Block"]
kinds = ["layer"]
fields = ["layer", "graph_node"]
from = "acme-layers[x]>=3.10,<4"
sha256 = ["{DIGEST}", "sha256:{DIGEST}"]
formats = ["keras", "h5"]
lambdas = ["{DIGEST}"]
allocation = {{ max = 1_000 }}
evidence = {{ tool = "bandit 1.9.4", source_sha256 = "{DIGEST}", findings = 0, date = 2026-11-22 }}
arguments.units = {{ type = ["integer", "null"], min = 1, max = 2.5, one_of = [1, "a", {{ b = [] }}] }}
arguments."node.op" = {{ type = "string", max_length = 3, path = true, symbol = "acme>Cell" }}
reason = "read"
[[deny]]
id = "d"
kinds = ["layer"]
[[waiver]]
id = "w"
who = "J. Doe"
reason = "for a while"
expires = 2027-01-01
sha256 = ["{DIGEST}"]
codes = ["SS301", "SS320"]
""".replace("[x]", "")
TESTS = f"""
schema = 1
[[test]]
id = "f"
file = "models/a.keras"
expect = "allow"
rules = ["a"]
today = 2026-01-01
[[test]]
id = "c"
config = {{ class_name = "Dense", config = {{ units = 3 }} }}
format = "json"
bytes = 100
expect = "deny"
code = "SS302"
[[test]]
id = "s"
symbol = "acme.layers.Block"
registered = "acme>Block"
kind = "layer"
field = "layer"
arguments = {{ units = 3 }}
from = "acme==1.0"
source_sha256 = "{DIGEST}"
expect = "allow"
[[test]]
id = "m"
symbol = ["acme>Block", "keras.layers.Dense"]
expect = "allow"
"""


def test_a_policy_with_every_key_fits():
    assert is_read(FULL)
    VALIDATOR.validate(as_editors_see_it(tomllib.loads(FULL)))
    assert reads_tests(TESTS)
    VALIDATOR.validate(as_editors_see_it(tomllib.loads(TESTS)))
    data = tomllib.loads(FULL)
    assert set(data) | {"test"} == set(key_order())
    assert set(data["allow"][0]) == set(key_order("allow"))
    tests = tomllib.loads(TESTS)["test"]
    assert set().union(*tests) | {"sha256"} == set(key_order("test"))


RULE = 'schema = 1\n[[allow]]\nid = "a"\nsymbols = ["a.b"]\n'
WAIVER = (
    'schema = 1\n[[waiver]]\nid = "w"\nwho = "J"\nreason = "r"\n'
    "expires = 2027-01-01\nsymbols = ['a.b']\n"
)
WRONG = [
    "",
    "schema = 2",
    'schema = "1"',
    "schema = 1\nalow = []",
    "schema = 1\nname = 3",
    "schema = 1\nversion = 0",
    "schema = 1\nversion = true",
    "schema = 1\nextends = [1]",
    'schema = 1\naudit = "yes"',
    'schema = 1\nlambda = "allow"',
    'schema = 1\nmode = "report"',
    "schema = 1\nreport_until = 2030-01-01",
    'schema = 1\nmode = "enforce"\nreport_until = 2030-01-01',
    'schema = 1\nexpires = "soon"',
    "schema = 1\nexpires = 2030-01-01T00:00:00Z",
    "schema = 1\nexpires = 07:32:00",
    "schema = 1\nrequire_evidence = 1",
    'schema = 1\ndelegate = ["**"]',
    "schema = 1\n[limits]\nlayer = 1",
    "schema = 1\n[limits]\nlayers = 0",
    "schema = 1\n[limits]\nlayers = 1.5",
    "schema = 1\nlimits = 3",
    "schema = 1\n[waivers]\nmax_days = 9999",
    "schema = 1\n[waivers]\nbelow = 1",
    "schema = 1\n[trust]\nthreshold = 1",
    "schema = 1\n[trust]\nkeys = []",
    'schema = 1\n[trust]\nkeys = ["ed25519:AAAA"]',
    "schema = 1\n[allow]",
    'schema = 1\n[[allow]]\nsymbols = ["a.b"]',
    'schema = 1\n[[allow]]\nid = " "\nsymbols = ["a.b"]',
    'schema = 1\n[[allow]]\nid = "a"',
    'schema = 1\n[[allow]]\nid = "a"\nsymbols = []',
    'schema = 1\n[[allow]]\nid = "a"\nkinds = ["layer"]',
    'schema = 1\n[[deny]]\nid = "a"\narguments.x = { max = 1 }',
    f'schema = 1\n[[deny]]\nid = "a"\nsymbols = ["a.b"]\nlambdas = ["{DIGEST}"]',
    RULE + "simbols = []",
    RULE + 'kinds = ["layers"]',
    RULE + 'fields = ["Layer"]',
    RULE + 'formats = ["hdf5"]',
    RULE + f'sha256 = ["{DIGEST.upper()}"]',
    RULE + 'sha256 = ["abc"]',
    RULE + 'registered = ["Block"]',
    RULE + 'from = ">=3"',
    RULE + "arguments = 3",
    RULE + "arguments.x = 3",
    RULE + 'arguments."a..b" = { max = 3 }',
    RULE + 'arguments.x = { type = "int" }',
    RULE + 'arguments.x = { max = "3" }',
    RULE + "arguments.x = { max = true }",
    RULE + "arguments.x = { max_length = -1 }",
    RULE + "arguments.x = { one_of = 3 }",
    RULE + "arguments.x = { path = 1 }",
    RULE + 'arguments.x = { symbol = ["*"] }',
    RULE + "arguments.x = { maximum = 3 }",
    RULE + "allocation = {}",
    RULE + "allocation = { most = 3 }",
    RULE + f'evidence = {{ source_sha256 = "{DIGEST}", date = 2026-01-01 }}',
    RULE + f'evidence = {{ tool = "x", source_sha256 = "{DIGEST}" }}',
    RULE + 'evidence = { tool = "x", source_sha256 = "x", date = 2026-01-01 }',
    WAIVER.replace('who = "J"\n', ""),
    WAIVER.replace('reason = "r"', 'reason = ""'),
    WAIVER.replace("expires = 2027-01-01\n", ""),
    WAIVER.replace("symbols", "kinds"),
    WAIVER.replace("symbols = ['a.b']\n", ""),
    WAIVER + 'codes = ["SS302"]',
]


@pytest.mark.parametrize("text", WRONG)
def test_wrong_policies_fit_neither_the_schema_nor_the_reader(text):
    assert not fits(text)
    assert not is_read(text)


@pytest.mark.parametrize("text", [RULE, WAIVER])
def test_what_the_wrong_ones_are_made_of_is_right(text):
    assert fits(text)
    assert is_read(text)


def reads_tests(text):
    return not cases.examine_tests(PolicyFile("p.toml", text))[1]


@pytest.mark.parametrize(
    "text",
    [
        'id = "t"\nexpect = "allow"',
        'id = "t"\nsymbol = "a.b"',
        'id = "t"\nsymbol = "a.b"\nexpect = "maybe"',
        'id = "t"\nsymbol = "a.*"\nexpect = "allow"',
        'id = "t"\nsymbol = "a.b"\nfile = "x"\nexpect = "allow"',
        'id = "t"\nsymbol = "a.b"\nfile = "x"\nexpect = "allow"\nregistered = "a>b"',
        'id = "t"\nfile = "x"\nkind = "layer"\nexpect = "allow"',
        'id = "t"\nsymbol = "a.b"\nbytes = 3\nexpect = "allow"',
        'id = "t"\nsymbol = "a.b"\nfrom = "acme>=1"\nexpect = "allow"',
        'id = "t"\nconfig = 3\nexpect = "allow"',
    ],
)
def test_wrong_tests_fit_neither_the_schema_nor_their_reader(text):
    text = f"schema = 1\n[[test]]\n{text}"
    assert not fits(text)
    assert not reads_tests(text)


@pytest.mark.parametrize(
    "text",
    [
        "schema = 1\nversion = 2.0",  # a JSON number has no kind
        'schema = 1\nexpires = "2030-01-01"',  # an editor shows both as text
        "schema = 1\nname = 2030-01-01",
        RULE + RULE.removeprefix("schema = 1\n"),  # one id twice
        'schema = 1\nextends = ["no-such-policy"]',
    ],
)
def test_what_only_the_reader_can_tell(text):
    """Known differences; if one goes away, the schema's docstring is to be changed."""
    assert fits(text)
    assert not is_read(text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "keras", "*", "**", ".", ">", "é"]), max_size=6).map("".join))
def test_patterns_are_those_of_the_engine(pattern):
    for key, registered in (("symbols", False), ("registered", True)):
        text = f'schema = 1\n[[allow]]\nid = "a"\n{key} = ["{pattern}"]'
        assert fits(text) == (not problem_with(pattern, registered=registered))


#: Values that are right for some keys and wrong for others; no `2.0`.
TEXTS = st.sampled_from([
    0, 1, 7, -1, 2.5, True, False, "", "a", "a.b", "a>b", "layer", "allow", "deny", "listed",
    "report", "enforce", "required", "integer", "keras", DIGEST, [], ["a.b"], ["a>b"], ["*"], [1], ["layer"], [DIGEST],
    ["keras"], ["SS301"], ["string"], [KEY], {}, {"max": 1}, {"a": {"max": 1}}, {"layers": 3},
    {"below": True}, {"keys": [KEY]},
])  # fmt: skip
#: No days elsewhere: to an editor they are texts.
ANY = TEXTS | st.sampled_from([dt.date(2030, 1, 1), dt.datetime(2030, 1, 1, 1, 1, 1)])  # noqa: DTZ001
DAYS = ("expires", "report_until")
BASES = {
    "allow": {"id": "x", "symbols": ["a.b"]},
    "deny": {"id": "y", "kinds": ["layer"]},
    "waiver": tomllib.loads(WAIVER)["waiver"][0],
}


@st.composite
def policies(draw):
    """A policy with a few values that may be right or wrong, and keys that may be missing."""

    def changed(base, keys):
        table = dict(base)
        for key in draw(st.lists(st.sampled_from([*keys, "zzz"]), max_size=3)):
            table[key] = draw(ANY if key in DAYS else TEXTS)
        for key in draw(st.lists(st.sampled_from(sorted(base)), max_size=1)):
            table.pop(key, None)
        return table

    top = [key for key in key_order() if key not in {"extends", "test", *BASES}]
    policy = changed({"schema": 1, "name": "x"}, top)
    for name in draw(st.lists(st.sampled_from(sorted(BASES)), max_size=2, unique=True)):
        # What belongs to a distribution is a language of its own, which the schema only outlines.
        keys = [key for key in key_order(name) if key != "from"]
        policy[name] = [changed(BASES[name], keys)]
    return policy


@settings(max_examples=400, deadline=None)
@given(policies())
def test_the_schema_and_the_reader_agree(policy):
    text = tomlkit.dumps(policy)
    assert fits(text) == is_read(text)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_schema_and_the_reader_of_tests_agree(data):
    ways = ({"file": "a.keras"}, {"config": {}}, {"config": "{}"}, {"symbol": "a.b"})
    test = {"id": "x", "expect": "deny", **data.draw(st.sampled_from(ways))}
    # How a path may lead out and what a version is, only the reader tells.
    keys = [key for key in key_order("test") if key not in {"file", "from", "today"}]
    for key in data.draw(st.lists(st.sampled_from([*keys, "zzz"]), max_size=3)):
        test[key] = data.draw(TEXTS)
    # What goes with which form of a name, only the reader tells.
    assume("registered" not in test or test.get("symbol", "a.b") == "a.b")
    text = tomlkit.dumps({"schema": 1, "test": [test]})
    assert fits(text) == reads_tests(text)
