"""An explanation says what the engine decides, by which lines, and what would change it."""

from __future__ import annotations

import json
from random import Random
from types import SimpleNamespace

import pytest
from authoring import pairs
from authoring.pairs import TODAY
from hypothesis import given, settings
from hypothesis import strategies as st
from plan.plans import layer, node, plan, sequential

from secure_serial.authoring.explain import explain
from secure_serial.authoring.explain_text import as_object, render
from secure_serial.authoring.places import NoSuchPlaceError
from secure_serial.authoring.steps import Outcome, Tracer
from secure_serial.cli.console import Console
from secure_serial.cli.exits import Exit
from secure_serial.cli.policy_explain import run_explain
from secure_serial.cli.trouble import UsageError
from secure_serial.policy.engine import Engine, Lifted, decide
from secure_serial.policy.source import load_policy, parse_policy
from secure_serial.report.style import Style

CORE = load_policy("keras-core")
BLOCK = node("acme.blocks", "Block", {"name": "b"}, "acme>Block")
OTHER = node("acme.blocks", "Block", {"name": "c"}, "acme>Block")
TREE = sequential(layer("Dense", name="d", units=1), BLOCK, OTHER)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**40))
def test_the_steps_lead_where_the_engine_ends(seed):
    random = Random(seed)
    layers = [pairs.policy(random) for _ in range(random.randint(1, 3))]
    policy = layers[0].over(*layers[1:])
    engine, tracer = Engine(policy, TODAY), Tracer(policy, TODAY)
    for _ in range(10):
        request, context = pairs.request(random)
        decision, trace = engine.decide(request, context), tracer.trace(request, context)
        assert trace.allowed is decision.allowed
        outcomes = [step.outcome for step in trace.steps]
        if decision.lifted is Lifted.WAIVED:
            (waiver,) = decision.rules[-1:] if len(decision.rules) == 1 else [None]
            lifting = [w.id for step in trace.steps for w in step.waivers if not w.why_not]
            assert lifting
            assert waiver is None or waiver in lifting
        assert (Outcome.WAIVES in outcomes) >= (decision.lifted is Lifted.WAIVED)
        assert (Outcome.REPORTS in outcomes) >= (decision.lifted is Lifted.REPORTED)
        if not decision.allowed:
            last = trace.steps[-1]
            assert last.ends or outcomes[-1] is Outcome.LEAVES
            assert not last.ends or last.code == decision.code
        for step, own in zip(trace.steps, layers, strict=False):
            if step.outcome is Outcome.PASSES and not decision.rules[0].startswith("builtin"):
                matching = {rule.id for rule in step.rules if not rule.why_not}
                assert matching & {rule.id for rule in own.rules} == matching


def stack(*texts):
    top, *below = [parse_policy(f"schema = 1\n{t}", f"{n}.toml") for n, t in enumerate(texts)]
    return top.over(*below)


def explained(tree=TREE, policy=CORE, place=None):
    return explain(decide(plan(tree), policy, today=TODAY), place)


def text_of(*given, **options):
    return render(explained(*given, **options))


def test_the_text_says_what_was_asked_why_not_and_what_to_add():
    assert (
        text_of()
        == """\
<test>  under keras-core

✖ acme>Block 'b'
    at /config/layers/1
    at /config/layers/2
    to be built, where a layer stands; it is a stranger's; the file calls it acme.blocks.Block registered as 'acme>Block'
    ├─ no deny rule means it
    ├─ keras-core does not let it pass
    │    'acme>Block' is not known, and no rule allows it
    └─ denied: SS301 No rule allows it
    To allow it, if you trust it, write a policy of your own:
      schema = 1
      extends = ["keras-core"]

      [[allow]]
      id = "allow-acme-block"
      registered = ["acme>Block"]

✔ by models ({models}): keras.Sequential
✔ by layers ({layers}): keras.layers.Dense""".format(
            **{rule.id: rule.place for rule in CORE.rules if rule.id in ("models", "layers")}
        )
    )


def test_the_lines_do_what_they_say():
    (each,) = explained().explained
    assert decide(plan(TREE), parse_policy(each.lines)).allowed


NAMING = '[[allow]]\nid = "b"\nregistered = ["acme>Block"]'
EXTENDS = 'extends = ["keras-core"]'
ABOVE = 'extends = ["@above"]'


@pytest.mark.parametrize(
    ("texts", "said"),
    [((f"{EXTENDS}\n{NAMING}\narguments.n = {{ min = 1 }}",),
      ["0.toml lets it pass", "allow rule b (0.toml:3) means it"]),
     ((f'{EXTENDS}\n{NAMING}\nkinds = ["loss"]',),
      ["0.toml does not let it pass", "allow rule b (0.toml:3) does not: it is for loss"]),
     ((f"{EXTENDS}\n{NAMING}", '[[deny]]\nid = "d"\nregistered = ["acme>*"]\nreason = "Not that."'),
      ["1.toml denies it", "deny rule d (1.toml:2) means it", "Not that.", "denied: SS302"]),
     ((f"{EXTENDS}\n{NAMING}", ABOVE),
      ["0.toml lets it pass", "1.toml says nothing, and keeps what the layers above let pass"]),
     ((f'{EXTENDS}\ndelegate = ["acme>*"]', f"{EXTENDS}\n{NAMING}"),
      ["0.toml leaves it to the layer below", "1.toml lets it pass"]),
     ((f'{EXTENDS}\ndelegate = ["acme>*"]',), ["0.toml leaves it to the layer below", "denied: SS301"]),
     ((f'{EXTENDS}\nmode = "report"\nreport_until = 2026-12-01',),
      ["0.toml does not let it pass yet, and only reports it", "allowed for now"])],
)  # fmt: skip
def test_each_layer_has_its_word(texts, said):
    lines = text_of(policy=stack(*texts), place="/config/layers/1").splitlines()
    found = [next((n for n, line in enumerate(lines) if each in line), None) for each in said]
    assert None not in found
    assert found == sorted(found)


WAIVER = '[[waiver]]\nid = "w"\nwho = "Jo"\nreason = "a demo"\nregistered = ["acme>Block"]\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [("expires = 2026-11-22", "waiver w (0.toml:3) of Jo lifts it"),
     ("expires = 2026-11-21", "does not lift it: it ended on 2026-11-21"),
     ("expires = 2028-11-21", "more than the 366 days ahead that are allowed"),
     (f'expires = 2026-12-01\nsha256 = ["{"a" * 64}"]', "it is for other artefacts"),
     ('expires = 2026-12-01\ncodes = ["SS320"]', "it does not lift SS301")],
)  # fmt: skip
def test_a_waiver_says_whether_it_lifts_and_why_not(more, said):
    text = text_of(policy=stack(f"{EXTENDS}\n{WAIVER}{more}"))
    assert said in text
    assert ("allowed by a waiver" in text) is ("lifts it" in said and "not" not in said)


def test_a_waiver_below_counts_only_where_the_layer_above_says_so():
    lower = f"{EXTENDS}\n{WAIVER}expires = 2026-12-01"
    assert "may waive nothing that 0.toml denies" in text_of(policy=stack(EXTENDS, lower))
    text = text_of(policy=stack(f"{EXTENDS}\nwaivers.below = true", lower))
    assert "of Jo lifts it" in text


def test_lines_name_the_file_that_they_belong_into():
    (each,) = explained(policy=stack(f"{EXTENDS}\n{NAMING}", EXTENDS)).explained
    assert each.files == ("1.toml",)
    assert each.lines.startswith("# in 1.toml:")


@pytest.mark.parametrize(
    ("place", "symbols"),
    [("/config/layers/0", ["keras.layers.Dense"]),
     ("#/config/layers/0", ["keras.layers.Dense"]),
     ("/config/layers/0/", ["keras.layers.Dense"]),
     ("/config/layers/0/config/units", ["keras.layers.Dense"]),
     ("/config/layers/0/config", ["keras.layers.Dense"]),
     ("/config/layers", ["acme>Block"]),  # below it, what is denied
     ("/", ["keras.Sequential", "acme>Block"])],
)  # fmt: skip
def test_a_place_may_be_an_object_an_argument_or_a_beginning(place, symbols):
    found = explained(place=place)
    assert [each.decision.request.symbol for each in found.explained] == symbols


def test_the_place_of_a_finding_leads_to_what_it_is_about():
    tree = sequential(layer("StringLookup", name="s", vocabulary="/x"))
    (each,) = explained(tree, place="/config/layers/0/config/vocabulary").explained
    assert each.decision.request.symbol == "keras.layers.StringLookup"


@pytest.mark.parametrize(
    ("place", "hint"),
    [("/config/layer/1", "did you mean /config/layers/1?"),
     ("/config/layer/9", "did you mean /config/layers?"),
     ("/config/layers/9", "/config/layers is a list of 3: 0 to 2"),
     ("/config/layers/x", "is a list of 3"),
     ("/config/zzz", "/config has name, layers"),
     ("/config/name/x", "/config/name is a plain value"),
     ("config", "begins with a slash: /config/layers/0"),
     ("nope.json#/config", "no member is called nope.json")],
)  # fmt: skip
def test_a_wrong_place_gets_a_hint(place, hint):
    with pytest.raises(NoSuchPlaceError) as caught:
        explained(place=place)
    assert hint in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30), st.text(max_size=20))
def test_any_place_ends_in_an_explanation_or_a_printable_hint(place, key):
    tree = {"class_name": "Sequential", "config": {key: {"a": [1]}, "layers": [BLOCK]}}
    for text in (place, f"/config/{place}", f"/{key}/{place}"):
        assert shown_or_hint(tree, text)


def shown_or_hint(tree, place):
    try:
        return render(explained(tree, place=place))
    except NoSuchPlaceError as error:
        return str(error).isprintable()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_no_name_in_a_file_writes_a_line_of_its_own(name, key):
    tree = sequential(node(name, name, {"name": name, key: "/x"}, name))
    for text in (text_of(tree), text_of(tree, place="/config/layers/0")):
        assert all(line.isprintable() for line in text.splitlines())
        assert len(text.splitlines()) == text.count("\n") + 1


def test_many_denials_are_cut_off_and_counted():
    tree = sequential(*(node("acme", f"B{n}", {"name": f"b{n}"}) for n in range(150)))
    found = explained(tree)
    assert len(found.explained) == 100
    assert found.more == 50
    assert "and 50 more that are denied" in render(found)


def test_a_plain_terminal_gets_plain_signs_and_a_colourful_one_colours():
    found = explained()
    assert render(found, Style(unicode=False)).isascii()
    assert "\x1b[31m" in render(found, Style(colour=True))
    assert "\x1b" not in render(found)


def test_json_has_the_same():
    data = json.loads(json.dumps(as_object(explained(policy=stack(EXTENDS, EXTENDS)))))
    (each,) = data["explained"]
    assert [layer["source"] for layer in data["layers"]] == ["0.toml", "1.toml"]
    assert (each["symbol"], each["times"], each["code"]) == ("acme>Block", 2, "SS301")
    assert each["policy_files"] == ["0.toml", "1.toml"]
    assert each["steps"][0]["outcome"] == "refuses"
    assert [row["symbols"] for row in data["settled"]] == [
        {"keras.Sequential": 1},
        {"keras.layers.Dense": 1},
    ]


def namespace(file, **given):
    return SimpleNamespace(
        **{"file": str(file), "pointer": None, "policy": None, "format": "text"} | given
    )


def test_the_command_ends_as_a_scan_does(tmp_path, capsys):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(TREE))
    assert run_explain(namespace(path), Console()) is Exit.FINDINGS
    assert "(line 1, column" in capsys.readouterr().out
    assert run_explain(namespace(path, pointer="/config/layers/0"), Console()) is Exit.CLEAN
    assert run_explain(namespace(path, pointer="/config/layers/1"), Console()) is Exit.FINDINGS
    own = tmp_path / "own.toml"
    own.write_text(f"schema = 1\n{EXTENDS}\n{NAMING}")
    assert run_explain(namespace(path, policy=[str(own), "keras-core"]), Console()) is Exit.FINDINGS
    assert run_explain(namespace(path, policy=[str(own)]), Console()) is Exit.CLEAN
    capsys.readouterr()
    assert run_explain(namespace(path, format="json"), Console()) is Exit.FINDINGS
    assert json.loads(capsys.readouterr().out)["exit_code"] == 1


def test_the_command_says_what_is_wrong_with_a_file_or_a_place(tmp_path, capsys):
    path = tmp_path / "bad.keras"
    path.write_bytes(b"PK\x03\x04")
    assert run_explain(namespace(path), Console()) is Exit.UNREADABLE
    path = tmp_path / "c.json"
    path.write_text(json.dumps(TREE))
    with pytest.raises(UsageError, match="did you mean"):
        run_explain(namespace(path, pointer="/config/layer/1"), Console())


def test_evidence_that_a_file_alone_cannot_be_held_against_is_said_to_be_unchecked():
    evidence = f'{{ tool = "b", source_sha256 = "{"ab" * 32}", findings = 0, date = 2026-11-22 }}'
    rule = f'[[allow]]\nid = "a"\nregistered = ["acme>Block"]\nevidence = {evidence}\n'
    note = "(its evidence is not checked here; a load compares it with the source)"
    text = render(explained(BLOCK, stack("require_evidence = true\n" + rule), ""))
    assert f"means it {note}" in text
    assert note not in render(explained(BLOCK, stack(rule), ""))  # nothing requires it
