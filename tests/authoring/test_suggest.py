"""A suggested policy allows what was seen, nothing else, and holds no line of a stranger's."""

from __future__ import annotations

import json
import re
from itertools import count
from types import SimpleNamespace

import pytest
from authoring.pairs import TODAY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan.plans import BLOCK, caller_class, layer, node, plan, sequential

from secure_serial.audit.log import AuditLog
from secure_serial.audit.record import decision_record
from secure_serial.authoring.seen import in_files, in_log
from secure_serial.authoring.suggest import suggest
from secure_serial.cli.console import Console
from secure_serial.cli.exits import Exit
from secure_serial.cli.policy_explain import run_suggest
from secure_serial.cli.trouble import UsageError
from secure_serial.errors import AuditError
from secure_serial.plan.fields import Field
from secure_serial.plan.request import Origin
from secure_serial.policy.engine import decide
from secure_serial.policy.source import load_policy, parse_policy
from secure_serial.scanner.scan import scan

CORE = load_policy("keras-core")
STRICT = load_policy("strict")


NUMBERS = count()


def strange(name="Block", package="acme", **config):
    config = {"name": f"n{next(NUMBERS)}", **config}
    return node("acme.blocks", name, config, f"{package}>{name}")


@pytest.fixture
def written(tmp_path):
    def write(*layers, name="c.json", root=None):
        path = tmp_path / name
        root = root or sequential(*layers)
        path.write_text(json.dumps(root), encoding="utf-8")
        return path

    return write


def suggested(*paths, base=CORE, **options):
    return suggest(in_files(paths, base, TODAY), **options)


def rules_of(found, base=CORE):
    policy = parse_policy(found.text)
    return [rule for rule in policy.rules if rule.source != base.source and rule not in base.rules]


def statuses(paths, text):
    return [file.status.value for file in scan(paths, policy=parse_policy(text)).files]


def test_what_was_seen_is_allowed_and_nothing_else(written):
    seen = written(strange("Block"), strange("Head"), layer("Dense", name="d", units=1))
    other = written(strange("Other"), name="o.json")
    elsewhere = written(root=strange("Block"), name="e.json")
    found = suggested(seen)
    assert found.allows_all
    assert statuses([seen, other, elsewhere], found.text) == ["allowed", "denied", "denied"]
    assert [(r.registered, r.fields) for r in rules_of(found)] == [
        (("acme>Block",), frozenset({Field.LAYER})),
        (("acme>Head",), frozenset({Field.LAYER})),
    ]


def test_each_entry_says_where_it_was_seen(written):
    many = [strange("Head"), *(strange("Block") for _ in range(5))]
    first, second = written(*many), written(strange("Block"), name="d.json")
    text = suggested(first, second).text
    line = next(line for line in text.splitlines() if line.endswith("in 2 files"))
    assert f"{first}#/config/layers/1" in line
    assert " and 3 more" in line
    after = text[text.index(line) :].splitlines()[1:4]
    assert after[0] == "[[allow]]"
    assert "acme>Block" in after[2]


def test_nothing_is_added_where_nothing_is_missing(written):
    found = suggested(written(layer("Dense", name="d", units=1)), base=STRICT)
    assert not rules_of(found, STRICT)
    assert found.allows_all
    assert parse_policy(found.text).extends == ("strict",)


RISKY = [
    (layer("Lambda", name="l", function=layer("ReLU")), "keras.layers.Lambda", "deserializes-code"),
    (layer("TFSMLayer", name="l", filepath="x"), "keras.layers.TFSMLayer", "reads-files"),
    (node("keras.utils", "function", "get_file"), "keras.utils.get_file", "wrong kind"),
    (layer("Evil", name="l"), "keras.layers.Evil", "only reads like a name of Keras's"),
    (layer("StringLookup", name="l", vocabulary="/etc/passwd"), "keras.layers.StringLookup", "path"),
    (strange("Block", file="a/b"), "acme>Block", "path"),
    ({"class_name": "__lambda__", "config": {"value": "x"}}, "__lambda__", "digest"),
    (node("os", "system"), "os.system", "nobody whose it is"),
    (node("keras.layers", "Dense", {"units": 1}, "acme>Dense"), "keras.layers.Dense", "SS312"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "symbol", "why"), RISKY)
@pytest.mark.parametrize("include", [False, True])
def test_what_may_do_more_than_compute_is_never_let_in(written, tree, symbol, why, include):
    path = written(tree)
    found = suggested(path, include_risky=include)
    assert not rules_of(found)
    assert not found.allows_all
    assert statuses([path], found.text) == ["denied"]
    line = next(line for line in found.text.splitlines() if line.startswith(f"# {symbol}: "))
    assert why in line


@pytest.mark.parametrize(("tree", "symbol", "why"), RISKY)
def test_what_would_let_it_in_is_shown_on_demand_commented_out(written, tree, symbol, why):
    path = written(tree)
    assert "[[allow]]" not in suggested(path).text
    text = suggested(path, include_risky=True).text
    shown = re.sub(
        r"^#   (?=\[\[|id|symbols|registered|fields|arguments)", "", text, flags=re.MULTILINE
    )
    hopeless = symbol in ("__lambda__", "os.system", "keras.utils.get_file", "keras.layers.Evil")
    if hopeless or "SS312" in why:
        assert shown == text
    else:
        (rule,) = rules_of(SimpleNamespace(text=shown))
        assert (*rule.symbols, *rule.registered) == (symbol,)


def test_the_riskiest_comes_first(written):
    path = written(
        strange("Block"), layer("StringLookup", name="s", vocabulary="/x"), layer("Lambda", name="l"),
        layer("TFSMLayer", name="t", filepath="x"), {"class_name": "__lambda__", "config": {}},
    )  # fmt: skip
    text = suggested(path).text
    order = ["# __lambda__:", "# keras.layers.TFSMLayer", "# keras.layers.Lambda",
             "# keras.layers.StringLookup", "acme>Block"]  # fmt: skip
    places = [text.index(each) for each in order]
    assert places == sorted(places)


def test_one_symbol_may_be_let_in_here_and_refused_there(written):
    path = written(strange("Block"), strange("Block", file="a/b"))
    found = suggested(path)
    assert [rule.registered for rule in rules_of(found)] == [("acme>Block",)]
    assert "# acme>Block: what looks like a path" in found.text
    assert not found.allows_all


def test_a_bound_of_the_base_is_not_undone(written):
    path = written(layer("SpectralNormalization", name="s", power_iterations=10**6))
    found = suggested(path)
    assert not rules_of(found)
    assert "power_iterations" in found.text


def test_a_file_that_is_too_large_as_a_whole_is_named(written):
    huge = [layer("Dense", name=f"d{n}", units=1 << 23) for n in range(1200)]
    found = suggested(written(*huge))
    assert "as a whole: SS330" in found.text
    assert not found.allows_all


def test_a_file_that_cannot_be_read_is_named(written, tmp_path):
    path = tmp_path / "bad.keras"
    path.write_bytes(b"PK\x03\x04 nothing")
    found = suggested(path, written(strange()))
    assert "bad.keras cannot be read" in found.text
    assert found.seen.unread


NASTY = st.text(
    st.sampled_from("a.>\"'\\\n\r\t#[]{}=*\u2028\u202e\x00\x7fé") | st.characters(), max_size=12
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(NASTY, NASTY, NASTY, NASTY, st.booleans())
def test_no_name_in_a_file_writes_a_line_of_its_own(tmp_path, module, name, package, key, risky):
    tree = sequential(node(module, name, {key: "/x", "name": "n"}, f"{package}>{name}"))
    verdict = decide(plan(tree), CORE, today=TODAY)
    log = AuditLog(tmp_path / "log.jsonl")
    record = decision_record(verdict, load="1", time="2026-11-22T00:00:00Z", action="scan")
    record["subject"]["name"] = f"{name}\n[[allow]]"
    log.path.unlink(missing_ok=True)
    log.write(record)
    found = suggest(in_log(log.path, CORE, TODAY), include_risky=risky)
    asked = {decision.request.symbol for decision in verdict.denied}
    for line in found.text.splitlines():
        assert line.isprintable()
        assert (
            line.startswith(
                ("#", "schema", "extends", "[[allow]]", "id", "symbols", "registered", "fields")
            )
            or not line
        )
    for rule in rules_of(found):
        assert (*rule.symbols, *rule.registered)[0] in asked


def logged(tmp_path, *trees, callers=(), policy=STRICT):
    log = AuditLog(tmp_path / "audit.jsonl")
    for tree in trees:
        verdict = decide(plan(tree, *callers), policy, today=TODAY)
        log.write(decision_record(verdict, load="1", time="2026-11-22T00:00:00Z", action="load"))
        log.write({"event": "outcome", "load": "1", "outcome": "denied"})
    return log.path


def test_a_log_tells_what_the_program_registered(tmp_path):
    tree = sequential(node("acme.blocks", "Block", {}, "acme>Block"))
    path = logged(tmp_path, tree, tree, callers=(BLOCK,))
    seen = in_log(path, STRICT, TODAY)
    assert seen.files == 2
    found = suggest(seen)
    (entry,) = found.entries
    assert (entry.origin, entry.sights[0].times) == (Origin.CALLER, 2)
    policy = parse_policy(found.text)
    assert decide(plan(tree, BLOCK), policy, today=TODAY).allowed
    other = caller_class("acme>Other")
    assert not decide(
        plan(sequential(node(None, "Other", {}, "acme>Other")), other), policy
    ).allowed


def test_a_log_says_the_same_as_the_files(tmp_path, written):
    trees = [sequential(tree) for tree, *_ in RISKY] + [
        sequential(strange("Block"), strange("Head"))
    ]
    files = [written(root=tree, name=f"{n}.json") for n, tree in enumerate(trees)]
    by_files = suggested(*files)
    by_log = suggest(in_log(logged(tmp_path, *trees, policy=CORE), CORE, TODAY))
    assert [entry.offer for entry in by_log.entries] == [entry.offer for entry in by_files.entries]
    assert [(r.symbol, r.why) for r in by_log.refused] == [
        (r.symbol, r.why) for r in by_files.refused
    ]


@pytest.mark.parametrize(
    "line",
    ["nothing", "[]", "{", '{"event": "decision"}', '{"event": "decision", "decisions": 3}',
     '{"event": "decision", "decisions": [{"symbol": "a.b"}]}', '"\\ud800"', "[" * 5000],
)  # fmt: skip
def test_what_is_no_log_is_one_error_that_names_the_line(tmp_path, line):
    path = tmp_path / "log"
    path.write_text(f'{{"event": "outcome"}}\n{line}\n')
    with pytest.raises(AuditError, match="line 2"):
        in_log(path, CORE, TODAY)


def test_a_log_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(AuditError):
        in_log(tmp_path / "none", CORE, TODAY)
    with pytest.raises(AuditError):
        in_log("a\0b", CORE, TODAY)


def namespace(**given):
    return SimpleNamespace(
        **{
            "files": [],
            "from_audit": None,
            "base": "keras-core",
            "include_risky": False,
            "out": None,
        }
        | given
    )


def test_the_command_prints_the_policy_and_says_how_it_went(written, tmp_path, capsys):
    fine = str(written(strange("Block")))
    assert run_suggest(namespace(files=[fine]), Console()) is Exit.CLEAN
    assert parse_policy(capsys.readouterr().out).rules
    risky = str(written(layer("Lambda", name="l"), name="r.json"))
    assert run_suggest(namespace(files=[risky]), Console()) is Exit.FINDINGS
    bad = tmp_path / "bad.keras"
    bad.write_bytes(b"PK\x03\x04")
    assert run_suggest(namespace(files=[str(bad), fine]), Console()) is Exit.UNREADABLE
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run_suggest(namespace(files=[str(empty)]), Console()) is Exit.NOTHING


def test_the_command_writes_a_new_file_and_never_over_another(written, tmp_path, capsys):
    given = namespace(files=[str(written(strange("Block")))], out=str(tmp_path / "ours.toml"))
    assert run_suggest(given, Console()) is Exit.CLEAN
    assert capsys.readouterr().out == ""
    assert parse_policy((tmp_path / "ours.toml").read_text()).rules
    with pytest.raises(UsageError):
        run_suggest(given, Console())


@pytest.mark.parametrize(
    "given", [{}, {"files": ["x"], "from_audit": "y"}, {"files": ["x"], "base": "./keras-core"}]
)
def test_the_command_wants_files_or_a_log_and_a_shipped_base(given):
    with pytest.raises(UsageError):
        run_suggest(namespace(**given), Console())
