"""Policy lines that are offered work when pasted, allow nothing else, and hold no trick."""

from __future__ import annotations

import json
from itertools import count

import pytest

from secure_serial.data import policy_text
from secure_serial.policy.source import parse_policy
from secure_serial.report.model import Status
from secure_serial.scanner.scan import scan

NUMBERS = count()


def node(name, module="acme.layers", package="acme", **config):
    return {
        "module": module,
        "class_name": name,
        "config": {"name": f"n{next(NUMBERS)}", **config},
        "registered_name": f"{package}>{name}",
    }


@pytest.fixture
def scanned(tmp_path):
    def run(*layers, policy=None):
        path = tmp_path / "c.json"
        root = {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}
        path.write_text(json.dumps(root))
        (file,) = scan(path, policy=policy).files
        return file

    return run


def test_pasted_lines_allow_the_file(scanned):
    layers = node("Block"), node("Block"), node("Head")
    denied = scanned(*layers)
    assert denied.status is Status.DENIED
    text = denied.policy_lines
    assert text.count("[[allow]]") == 2
    assert text.count("schema = 1") == 1
    assert scanned(*layers, policy=parse_policy(text)).status is Status.ALLOWED
    assert scanned(node("Other"), policy=parse_policy(text)).status is Status.DENIED


def test_each_finding_has_its_own_lines(scanned):
    file = scanned(node("Block"), node("Head"))
    assert [f.policy_lines.count("[[allow]]") for f in file.findings] == [1, 1]
    assert not any(f.unallowable for f in file.findings)


def test_lines_for_a_policy_of_the_users_own_name_it(scanned):
    own = parse_policy('schema = 1\nextends = "keras-core"', "mine.toml")
    text = scanned(node("Block"), policy=own).policy_lines
    assert text.startswith("# in mine.toml:")
    assert "extends" not in text


def test_ids_do_not_collide(scanned):
    file = scanned(node("A.B"), node("A-B"))
    text = file.policy_lines
    if text.count("[[allow]]") == 2:
        parse_policy(text)
    first = scanned(node("Block"))
    own = parse_policy(first.policy_lines, "keras-core")
    second = scanned(node("Block", package="acme-"), policy=own)
    ids = [line for line in second.policy_lines.splitlines() if line.startswith("id")]
    assert ids
    assert not set(ids) & {f'id = "{rule.id}"' for rule in own.rules}


@pytest.mark.parametrize(
    "name",
    [
        'B"]\n[[allow]]\nid="x"\nsymbols=["os.**',
        "*",
        "Block*",
        "**",
        "B\\u002a",
        "B'",
        "B\u202e",
        "B\x1b[2J",
        "B\n",
    ],
)
def test_a_hostile_name_gets_no_lines(scanned, name):
    file = scanned(node(name))
    assert file.status is Status.DENIED
    assert file.policy_lines == ""
    assert all(finding.unallowable for finding in file.findings)


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "Lambda", "config": {"name": "l", "function": ["4wE=", None, None]}},
        {"class_name": "__lambda__", "config": {"value": "x"}},
        {"class_name": "Dense", "config": {"name": "..", "units": 1}},
    ],
)
def test_what_no_policy_can_allow_says_so(scanned, layer):
    file = scanned(layer)
    assert file.status is Status.DENIED
    assert file.policy_lines == ""
    assert all(finding.unallowable for finding in file.findings)


def test_a_deny_rule_is_named(scanned):
    text = 'schema = 1\nextends = "keras-core"\n[[deny]]\nid = "no-dense"\nsymbols = ["keras.layers.Dense"]'
    layer = {"class_name": "Dense", "config": {"name": "d", "units": 1}}
    (finding,) = scanned(layer, policy=parse_policy(text, "ours.toml")).findings
    assert finding.code == "SS302"
    assert "no-dense at ours.toml:3" in finding.unallowable


def stack(*texts):
    top, *below = [parse_policy(f"schema = 1\n{text}", f"{n}.toml") for n, text in enumerate(texts)]
    return top.over(*below)


BLOCK = '[[allow]]\nid = "b"\nregistered = ["acme>Block"]'
CORE = 'extends = ["keras-core"]'
ABOVE = 'extends = ["@above"]'


@pytest.mark.parametrize(
    ("texts", "files"),
    [((CORE, ABOVE), ["0.toml"]),
     ((f"{CORE}\n{BLOCK}", CORE), ["1.toml"]),
     ((CORE, CORE), ["0.toml", "1.toml"]),
     ((f'{CORE}\ndelegate = ["acme>*"]', CORE), ["1.toml"]),
     ((f'{CORE}\ndelegate = ["acme>*"]',), ["0.toml"])],
)  # fmt: skip
def test_lines_go_into_each_layer_that_denies(scanned, texts, files):
    denied = scanned(node("Block"), policy=stack(*texts))
    assert denied.status is Status.DENIED
    heads = [line for line in denied.policy_lines.splitlines() if line.startswith("#")]
    assert heads == [f"# in {file}:" for file in files]
    parts = denied.policy_lines.split("# in ")[1:]
    assert all(part.count("[[allow]]") == 1 for part in parts)
    pasted = list(texts)
    for file, part in zip(files, parts, strict=True):
        pasted[int(file[0])] += "\n" + part.partition(":")[2].replace("allow-acme-block", "new")
    assert scanned(node("Block"), policy=stack(*pasted)).status is Status.ALLOWED


def test_a_shipped_layer_is_to_be_extended(scanned):
    policy = parse_policy(policy_text("strict"), "strict")
    text = scanned(node("Block"), policy=policy.over(stack(ABOVE))).policy_lines
    assert text.startswith("# in a policy of your own, in place of strict:\nschema = 1")


def test_a_name_that_a_layer_below_denies_gets_no_lines(scanned):
    deny = '[[deny]]\nid = "d"\nregistered = ["acme>*"]'
    assert scanned(node("Block"), policy=stack(CORE, f"{ABOVE}\n{deny}")).policy_lines == ""


@pytest.mark.parametrize(
    ("rule", "config"),
    [("arguments.n = { max = 3 }", {"n": 4}),
     ("arguments.n = { max = 3 }", {"n": 3, "file": "a/b"}),
     ('from = "acme>=2"', {})],
)  # fmt: skip
def test_a_line_that_would_undo_the_condition_of_a_rule_is_not_offered(scanned, rule, config):
    own = parse_policy(f"schema = 1\n{CORE}\n{BLOCK}\n{rule}", "own.toml")
    file = scanned(node("Block", **config), policy=own)
    assert file.status is Status.DENIED
    assert file.policy_lines == ""


def test_a_path_beside_a_rule_that_permits_another_is_offered(scanned):
    own = parse_policy(
        f"schema = 1\n{CORE}\n{BLOCK}\narguments.one = {{ path = true }}", "own.toml"
    )
    file = scanned(node("Block", one="a/b", other="c/d"), policy=own)
    assert 'arguments."other" = { path = true }' in file.policy_lines
