"""`policy test` judges as a load would, and notices what its tests do not notice."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import pytest
from authoring.tables import allow, asks, asks_file, deny, waiver
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_serial.authoring.coverage import coverage
from secure_serial.authoring.mutants import mutants
from secure_serial.authoring.mutation import mutate
from secure_serial.authoring.testing import Layers, outcome, run_tests
from secure_serial.cli.main import main
from secure_serial.data import catalogue, policy_text
from secure_serial.errors import InvalidPolicy
from secure_serial.policy.source import parse_policy

TODAY = date(2026, 11, 22)
DENSE = "keras.layers.Dense"


@pytest.fixture
def write(tmp_path):
    """Write policies; their paths."""

    def run(*texts):
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"p{number}.toml"
            path.write_text("schema = 1\n" + text, encoding="utf-8")
            paths.append(str(path))
        return paths

    return run


@pytest.fixture
def problems(write):
    """What differs from what the tests of policies expect, by test."""

    def run(*texts):
        return {o.subject.test.id: o.problem for o in run_tests(write(*texts), TODAY).failed}

    return run


@pytest.fixture
def unnoticed(write):
    """The mutants that no test of policies notices, and where; the tests must pass."""

    def run(*texts):
        done = run_tests(write(*texts), TODAY)
        assert [o.problem for o in done.failed] == []
        return [(s.line, s.column, s.what) for s in mutate(done).survivors]

    return run


# What is tested.


def test_a_name_is_judged_as_a_config_that_holds_it_would_be(problems):
    rules = allow(DENSE, "keras.activations.relu", "acme.Block") + allow("acme>Block", id="r")
    names = [DENSE, "keras.activations.relu", "acme.Block", "acme>Block"]
    assert problems(rules + asks(names, "allow")) == {}
    others = ["keras.layers.LSTM", "keras.activations.elu", "acme.Blok", "acme>Blok", "Dense"]
    assert problems(rules + asks(others, "deny", 'code = "SS301"')) == {}


def test_each_name_of_a_test_is_judged_by_itself(write):
    run = run_tests(write(allow(DENSE) + asks([DENSE, "keras.layers.LSTM"], "allow")), TODAY)
    (failed,) = run.failed
    assert failed.subject.shown == "keras.layers.LSTM"
    assert failed.problem == (
        "expected allow, and it is denied: SS301 keras.layers.LSTM: "
        "no rule allows keras.layers.LSTM"
    )


def test_every_symbol_of_the_catalogue_that_can_stand_somewhere_can_be_tested(write):
    known = catalogue()
    names = [s for s in known.symbols() if known.entry(s).kind not in ("function", "class")]
    legacy = [
        s for rule in parse_policy(policy_text("keras-core"), "k").rules for s in rule.symbols
    ]
    run = run_tests(write(asks(sorted({*names, *legacy}), "deny")), TODAY)
    assert [o.problem for o in run.failed] == []
    assert len(run.outcomes[0]) > 700


def test_a_test_by_another_name_of_a_symbol_cannot_be_run(problems):
    said = problems(allow(DENSE) + asks("keras.src.layers.core.dense.Dense", "deny"))
    assert "did you mean keras.layers.Dense?" in said["t"]


def test_arguments_are_judged_with_all_that_stands_in_them(problems):
    rules = allow(DENSE, more="arguments.units = { max = 8 }") + allow(
        "keras.activations.relu", id="r"
    )
    for arguments, expect in [
        ("{ units = 8 }", "allow"),
        ("{ units = 9 }", "deny"),
        ('{ units = 8, activation = "relu" }', "allow"),
        ('{ units = 8, activation = "elu" }', "deny"),
        ('{ units = "/etc/passwd" }', "deny"),
        ("{ units = 1979-05-27 }", ""),
    ]:
        said = problems(rules + asks(DENSE, expect or "deny", f"arguments = {arguments}"))
        assert ("cannot be run" in said.get("t", "")) is (not expect), arguments
        assert bool(said) is (not expect), arguments


def test_a_function_takes_no_arguments(problems):
    said = problems(asks("keras.activations.relu", "deny", "arguments = { x = 1 }"))
    assert "takes no arguments" in said["t"]


def test_a_field_says_where_the_object_stands(problems):
    rules = allow(DENSE, more='fields = ["layer"]')
    assert problems(rules + asks(DENSE, "allow", 'field = "layer"')) == {}
    assert problems(rules + asks(DENSE, "deny")) == {}
    assert problems(rules + asks(DENSE, "deny", 'field = "optimizer"\ncode = "SS311"')) == {}


def test_a_kind_makes_the_object_the_programs_own(problems):
    own, listed = (f'caller_objects = "{word}"\n' for word in ("allow", "listed"))
    for name in ("acme>Block", "acme.Block"):
        registered = asks(name, "allow", 'kind = "layer"\nrules = ["builtin:caller-objects"]')
        assert problems(own + registered) == {}
        assert problems(own + asks(name, "deny")) == {}
        assert problems(listed + asks(name, "deny", 'kind = "layer"')) == {}
        of_kind = allow(name, more='kinds = ["layer"]')
        assert problems(of_kind + asks(name, "allow", 'kind = "layer"')) == {}
        assert problems(of_kind + asks(name, "deny", 'kind = "loss"')) == {}
    assert problems(own + asks("acme>f", "allow", 'kind = "activation"')) == {}
    both = 'registered = "acme>Block"\nkind = "layer"'
    assert problems(allow("acme>Block") + asks("acme.layers.Block", "allow", both)) == {}
    assert "is Keras's" in problems(own + asks(DENSE, "allow", 'kind = "layer"'))["t"]


def test_the_distribution_and_the_source_may_be_told(problems):
    rules = allow(DENSE, more='from = "keras>=3.10,<3.12"')
    assert problems(rules + asks(DENSE, "allow", 'from = "keras==3.11.2"')) == {}
    assert problems(rules + asks(DENSE, "deny", 'from = "keras==3.12"')) == {}
    assert problems(rules + asks(DENSE, "deny")) == {}  # that which the catalogue is of
    evidence = f'evidence = {{ tool = "x", source_sha256 = "{"a" * 64}", findings = 0, date = 2026-01-01 }}'
    rules = "require_evidence = true\n" + allow("acme>B", more=evidence)
    own = 'kind = "layer"\nsource_sha256 = '
    assert problems(rules + asks("acme>B", "allow", f'{own}"{"a" * 64}"')) == {}
    assert problems(rules + asks("acme>B", "deny", f'{own}"{"b" * 64}"')) == {}


def test_the_format_and_the_digest_of_the_artefact_may_be_told(problems):
    rules = allow(DENSE, more=f'formats = ["keras"]\nsha256 = ["{"a" * 64}"]')
    told = f'format = "keras"\nsha256 = "{"a" * 64}"'
    assert problems(rules + asks(DENSE, "allow", told)) == {}
    assert problems(rules + asks(DENSE, "deny", told.replace("aaa", "bbb"))) == {}
    assert problems(rules + asks(DENSE, "deny", told.replace("keras", "h5"))) == {}
    config = f'[[test]]\nid = "c"\nconfig = {{ class_name = "Dense", config = {{}} }}\n{told}\n'
    assert problems(rules + config + 'expect = "allow"\n') == {}


def test_a_config_is_a_table_or_a_text_of_json(problems):
    def config(value, expect, more=""):
        return f'[[test]]\nid = "c"\nconfig = {value}\nexpect = "{expect}"\n{more}\n'

    table = '{ class_name = "Dense", config = { units = 3 } }'
    text = '\'{"class_name": "Dense", "config": {"units": null}}\''
    twice = '\'{"class_name": "Dense", "class_name": "Dense", "config": {}}\''
    assert problems(allow(DENSE) + config(table, "allow")) == {}
    assert problems(allow(DENSE) + config(text, "allow")) == {}
    assert problems(allow(DENSE) + config(twice, "deny", 'code = "SS112"')) == {}
    # A text that is no JSON would be denied by any policy.
    assert "cannot be run" in problems(config("'{'", "deny"))["c"]
    assert problems(config("'{'", "deny", 'code = "SS110"')) == {}
    assert "no JSON" in problems(config("{ x = nan }", "deny"))["c"]


def test_a_config_may_be_padded_to_show_a_limit_on_its_size(problems):
    limits = "[limits]\nconfig_bytes = 2_000\n" + allow(DENSE)
    head = '[[test]]\nid = "c"\nconfig = { class_name = "Dense", config = {} }\n'
    assert problems(limits + head + 'bytes = 2_000\nexpect = "allow"') == {}
    assert problems(limits + head + 'bytes = 2_001\nexpect = "deny"\ncode = "SS118"') == {}


def test_a_file_is_found_beside_the_policy_wherever_the_tests_are_run(problems, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.json").write_text('{"class_name": "Dense", "config": {}}')
    assert problems(allow(DENSE) + asks_file("models/m.json", "allow")) == {}
    assert problems(asks_file("models/m.json", "deny", 'code = "SS301"')) == {}


def test_a_file_that_cannot_be_read_does_not_pass_for_denied(problems, tmp_path):
    assert "cannot be run" in problems(asks_file("none.json", "deny"))["f"]
    (tmp_path / "m.json").write_text("{")
    assert "cannot be run" in problems(asks_file("m.json", "deny"))["f"]
    assert problems(asks_file("m.json", "deny", 'code = "SS110"')) == {}


@pytest.mark.parametrize(
    "path",
    ["../m.json", "/etc/passwd", "a/../../m.json", "C:\\m.json", "\\\\host\\m", "..\\m.json"],
)
def test_a_file_outside_the_policys_folder_is_refused(write, path):
    with pytest.raises(InvalidPolicy) as refused:
        run_tests(write(asks_file(path, "deny")), TODAY)
    assert any("below the policy's own folder" in p for p in refused.value.problems)


def test_a_link_out_of_the_policys_folder_is_not_followed(problems, tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "m.json"
    outside.write_text('{"class_name": "Dense", "config": {}}')
    try:
        (tmp_path / "m.json").symlink_to(outside)
    except OSError:
        pytest.skip("no links here")
    assert "leads out of" in problems(allow(DENSE) + asks_file("m.json", "allow"))["f"]


def test_a_digest_of_the_whole_file_counts_for_a_file(problems, tmp_path):
    import hashlib

    data = b'{"class_name": "Dense", "config": {}}'
    (tmp_path / "m.json").write_bytes(data)
    rules = allow(DENSE, more=f'sha256 = ["{hashlib.sha256(data).hexdigest()}"]')
    assert problems(rules + asks_file("m.json", "allow")) == {}
    (tmp_path / "m.json").write_bytes(data + b" ")
    assert problems(rules + asks_file("m.json", "deny")) == {}


# What is expected.


def test_a_code_and_rules_are_those_that_decide(problems):
    rules = allow(DENSE, id="one") + allow("keras.layers.*", id="two") + deny("acme.x")
    assert problems(rules + asks(DENSE, "allow", 'rules = ["one", "two"]')) == {}
    assert problems(rules + asks("acme.x", "deny", 'rules = ["d"]\ncode = "SS302"')) == {}
    assert problems(rules + asks(DENSE, "allow", 'rules = ["d"]')) == {
        "t": "expected the rule d to decide, and it is one, two"
    }
    said = problems(rules + asks("acme.x", "deny", 'code = "SS301"'))["t"]
    assert said.startswith("expected the code SS301, and it is SS302: ")
    said = problems(rules + asks("acme.x", "allow"))["t"]
    assert "denied by rule d (d, " in said
    assert "p0.toml:" in said


def test_what_nearly_allows_is_told(problems):
    rules = allow(DENSE, more="arguments.units = { max = 8 }", id="small")
    said = problems(rules + asks(DENSE, "allow", "arguments = { units = 9 }"))["t"]
    assert "nearest is small (" in said


def test_the_day_decides_on_waivers_and_on_the_policys_end(problems):
    rules = "expires = 2027-06-01\n" + waiver("acme.x", expires="2027-01-01")
    waived = 'rules = ["w"]\ncode = "SS301"'
    assert problems(rules + asks("acme.x", "allow", waived)) == {}
    assert problems(rules + asks("acme.x", "allow", "today = 2027-01-01")) == {}
    assert problems(rules + asks("acme.x", "deny", "today = 2027-01-02")) == {}
    allowed = "expires = 2027-06-01\n" + allow("acme.x")
    assert problems(allowed + asks("acme.x", "allow", "today = 2027-06-01")) == {}
    ended = 'today = 2027-06-02\ncode = "SS201"'
    assert problems(allowed + asks("acme.x", "deny", ended)) == {}


def test_a_policy_that_only_reports_is_tested_as_it_will_be_enforced(problems):
    report = 'mode = "report"\nreport_until = 2027-01-01\n'
    assert problems(report + asks("acme.x", "deny")) == {}


def test_the_tests_of_a_layer_are_judged_with_those_above_it_alone(problems):
    top = 'delegate = ["acme.*"]\n' + allow(DENSE) + asks(DENSE, "allow", id="top")
    below = 'extends = ["@above"]\n' + allow("acme.x") + deny(DENSE)
    assert problems(top, below + asks(["acme.x"], "allow") + asks([DENSE], "deny", id="u")) == {}
    assert list(problems(top, below + asks(["acme.y"], "allow"))) == ["t"]
    with pytest.raises(InvalidPolicy, match="nothing is above"):
        problems(below)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('symbol = "a.b"\nexpect = "allow"', "id: every test needs one"),
        ('id = "t"\nsymbol = "a.b"', "expect: "),
        ('id = "t"\nsymbol = "a.b"\nexpect = "maybe"', "expect: "),
        ('id = "t"\nexpect = "allow"', "must have one of"),
        ('id = "t"\nexpect = "allow"\nsymbol = "a.b"\nfile = "f"', "must have one of"),
        ('id = "t"\nexpect = "allow"\nfile = "f"\nkind = "layer"', "kind: means nothing beside file"),
        ('id = "t"\nexpect = "allow"\nsymbol = "a.*"', "symbol: 'a.*' must be one name"),
        ('id = "t"\nexpect = "allow"\nsymbol = []', "symbol: names nothing"),
        ('id = "t"\nexpect = "allow"\nsymbol = "a>B"\nregistered = "a>B"', "registered: goes with"),
        ('id = "t"\nexpect = "allow"\nregistered = "a>B"', "registered: a name"),
        ('id = "t"\nexpect = "allow"\nsymbol = "a.b"\nfrom = "a>=1"', "from: must be"),
        ('id = "t"\nexpect = "allow"\nsymbol = "a.b"\nfrom = "a==1.*"', "from: must be"),
        ('id = "t"\nexpect = "allow"\nsymbol = "a.b"\nsha256 = "xyz"', "sha256: must be"),
        ('id = "t"\nexpect = "allow"\nsymbol = "a.b"\nsha256 = 1', "sha256: must be"),
        ('id = "t"\nexpect = "allow"\nconfig = 1', "config: must be a table"),
        ('id = "t"\nexpect = "allow"\nconfig = {}\nbytes = 0', "bytes: must be"),
        ('id = "t"\nexpect = "allow"\nconfig = {}\nbytes = 10_000_000_000', "bytes: more than"),
        ('id = "t"\nexpect = "allow"\nsymbol = "a.b"\nfield = "shelf"', "field: must be one of"),
        ('id = "t"\nexpect = "allow"\nsymbol = "a.b"\nkinds = ["layer"]', "kinds: unknown key"),
        ('id = "t"\nexpect = "allow"\nsymbol = "a.b"\ntoday = "2027"', "today: must be a date"),
    ],
)  # fmt: skip
def test_a_test_that_cannot_be_understood_is_a_problem_with_its_place(write, table, problem):
    path, *_ = write(f"[[test]]\n{table}\n")
    with pytest.raises(InvalidPolicy) as refused:
        run_tests([path], TODAY)
    assert any(line.startswith(f"{path}:") and problem in line for line in refused.value.problems)


def test_two_tests_of_one_name_are_a_problem(write):
    with pytest.raises(InvalidPolicy) as refused:
        run_tests(write(asks("a.b", "deny") + asks("a.c", "deny")), TODAY)
    assert "'t' is also at" in refused.value.problems[0]


# Coverage.


def test_coverage_names_what_decides_in_no_test_and_counts_what_is_shipped_apart(write):
    own = allow("acme.x") + allow("acme.y", id="b") + deny("acme.z") + waiver("acme.v")
    texts = write('extends = "keras-core"\n' + own + asks(["acme.x", "acme.v", DENSE], "allow"))
    found = coverage(run_tests(texts, TODAY))
    assert found.rules == 4
    assert [(each.what, each.line, each.column) for each in found.unused] == [
        ("allow rule b", 7, 1),
        ("deny rule d", 11, 1),
    ]
    ((name, used, rules),) = found.shipped
    assert (name, used, rules > 5) == ("keras-core", 1, True)


def test_a_rule_of_a_layer_above_may_decide_in_a_test_below(write):
    texts = write(
        allow("acme.x") + deny("acme.y"), 'extends = ["@above"]\n' + asks("acme.x", "allow")
    )
    found = coverage(run_tests(texts, TODAY))
    assert [each.what for each in found.unused] == ["deny rule d"]


# Mutants.


def test_rules_that_tests_pin_down_leave_no_mutant_unnoticed(unnoticed):
    rules = (
        allow(
            DENSE,
            "acme.x",
            more='kinds = ["layer"]\narguments.units = { type = "integer", max = 8 }',
        )
        + deny("acme.*", more="arguments.n = { min = 0.5 }")
        + allow("acme>B", more='from = "acme>=2"', id="r")
    )
    tests = (
        asks(DENSE, "allow", "arguments = { units = 8 }", id="1")
        + asks(DENSE, "deny", "arguments = { units = 9 }", id="2")
        + asks(DENSE, "deny", "arguments = { units = 1.5 }", id="3")
        + asks(DENSE, "deny", "arguments = { units = 100 }", id="4")
        + asks("acme.x", "allow", 'kind = "layer"\narguments = { n = 0 }', id="5")
        + asks("acme.x", "deny", 'kind = "loss"\narguments = { n = 0 }', id="6")
        + asks("acme.x", "deny", 'kind = "layer"\narguments = { n = 0.5 }', id="7")
        + asks("acme.x", "allow", 'kind = "layer"\narguments = { n = 0.47 }', id="8")
        + asks("acme>B", "allow", 'kind = "layer"\nfrom = "acme==2.1"', id="9")
        + asks("acme>B", "deny", 'kind = "layer"\nfrom = "acme==1.9"', id="10")
    )
    assert unnoticed(rules + tests) == []


@pytest.mark.parametrize(
    ("rule", "tests", "survivors"),
    [
        (allow("a.x", "a.y"), asks("a.x", "allow"), [(4, 19, "allow rule a: without a.y")]),
        (allow("a.x"), "", [(2, 1, "allow rule a: deleted"), (2, 1, "allow rule a: made deny")]),
        (deny("a.x"), asks("a.x", "deny"), [(2, 1, "deny rule d: deleted")]),
        (deny("a.x"), asks("a.x", "deny", 'rules = ["d"]'), []),
        (
            allow("a.x", more="arguments.n = { max = 4 }"),
            asks("a.x", "allow") + asks("a.x", "deny", "arguments = { n = 6 }", id="u"),
            [(5, 17, "allow rule a: arguments.n with max = 5")],
        ),
        (
            allow("a.x", more="arguments.n = { min = 2.0, path = true }"),
            asks("a.x", "allow", "arguments = { n = 2.0 }"),
            [
                (5, 17, "allow rule a: arguments.n without min"),
                (5, 17, "allow rule a: arguments.n with min = 1.8"),
                (5, 28, "allow rule a: arguments.n without path"),
            ],
        ),
        (
            allow(DENSE, more='kinds = ["layer", "loss"]\nfields = ["root"]'),
            asks(DENSE, "allow"),
            [
                (5, 1, "allow rule a: without kinds"),
                (5, 19, "allow rule a: kinds without loss"),
                (6, 1, "allow rule a: without fields"),
            ],
        ),
        (
            waiver("a.x", more='codes = ["SS301", "SS320"]'),
            asks("a.x", "allow"),
            [
                (7, 1, "waiver w: expires widened to 2027-01-02"),
                (8, 19, "waiver w: codes without SS320"),
            ],
        ),
    ],
)
def test_mutants_that_no_test_notices_are_told_with_their_place(unnoticed, rule, tests, survivors):
    found = unnoticed(rule + tests)
    if rule.startswith("[[waiver]]"):
        survivors = [(line + 1, column, what) for line, column, what in survivors]
    assert found == survivors


def test_settings_are_mutated_too(unnoticed):
    text = 'extends = ["strict"]\ncaller_objects = "allow"\nexpires = 2027-01-01\n[limits]\nlayers = 5\n'
    rules = allow("acme.x")
    names = [what for _, _, what in unnoticed(text + rules + asks("acme.x", "allow"))]
    assert names == [
        "without caller_objects",
        "without expires",
        "without limits.layers",
        "without extending strict",
    ]
    many = ", ".join(
        f'{{ class_name = "Dense", config = {{ units = 1, name = "l{n}" }} }}' for n in range(6)
    )
    pinned = (
        asks("acme>y", "allow", 'kind = "layer"', id="1")
        + asks("acme.x", "deny", "today = 2027-01-02", id="2")
        + asks(DENSE, "allow", id="3")
        + f'[[test]]\nid = "4"\nexpect = "deny"\nconfig = {{ class_name = "Sequential", config = {{ layers = [{many}] }} }}\n'
    )
    assert unnoticed(text + rules + pinned + asks("acme.x", "allow")) == []


def test_what_only_layers_below_can_show_is_mutated_where_there_are_some(unnoticed):
    top = 'caller_objects = "listed"\ndelegate = ["acme.*"]\n[waivers]\nbelow = true\n'
    tests = allow(DENSE) + asks(DENSE, "allow")
    assert unnoticed(top + tests) == []
    below = 'extends = ["@above"]\n' + allow("acme.x", id="b") + waiver("bcme.x")
    shown = (
        asks(["acme.x"], "allow")
        + asks(["bcme.x"], "allow", id="w")
        + asks("bcme.x", "deny", "today = 2027-01-02", id="v")
    )
    assert [what for _, _, what in unnoticed(top + tests, below + shown)] == [
        "without extending @above"
    ]
    left = [what for _, _, what in unnoticed(top + tests, below)]
    assert {"without delegating acme.*", "without waivers.below"} <= set(left)


def test_a_waiver_and_a_limit_are_noticed_by_files_too(unnoticed, tmp_path):
    (tmp_path / "m.json").write_text(
        '{"class_name": "x", "module": "acme", "config": {}}' + " " * 900
    )
    text = "[limits]\nconfig_bytes = 1_000\n" + waiver("acme.x")
    tests = asks_file("m.json", "allow", "today = 2027-01-01") + asks_file(
        "m.json", "deny", "today = 2027-01-02", id="g"
    )
    assert unnoticed(text + tests) == [(3, 1, "without limits.config_bytes")]
    (tmp_path / "l.json").write_text(
        '{"class_name": "x", "module": "acme", "config": {}}' + " " * 999
    )
    assert unnoticed(text + tests + asks_file("l.json", "deny", id="h")) == []


NAMES = [DENSE, "keras.layers.LSTM", "acme.x", "acme.y", "acme.*", "keras.layers.*", "acme.**"]
MORE = [
    "", "arguments.units = { max = 4 }", 'arguments.units = { max = 9.5, type = "number" }',
    'kinds = ["layer"]', 'fields = ["layer", "root"]', "arguments.units = { path = true }",
    'from = "keras>=3"', 'formats = ["keras", "json"]', "arguments.units = { one_of = [1, 5] }",
]  # fmt: skip
TABLES = st.lists(
    st.tuples(
        st.sampled_from(["allow", "deny", "waiver"]),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
        st.sampled_from(MORE),
    ),
    min_size=1,
    max_size=4,
)
CASES = st.lists(
    st.tuples(
        st.sampled_from([DENSE, "keras.layers.LSTM", "acme.x", "acme.y", "acme.b.c"]),
        st.sampled_from(["", "1", "5", "10", "1.5", '"/etc/x"']),
        st.sampled_from(["", 'field = "layer"', "today = 2027-02-02"]),
    ),
    min_size=1,
    max_size=5,
)


def _policy(tables, cases, expected):
    text = "schema = 1\n"
    for number, (kind, names, more) in enumerate(tables):
        table = (
            waiver(*names, id=f"r{number}")
            if kind == "waiver"
            else allow(*names, more=more, id=f"r{number}")
        )
        text += table.replace("[[allow]]", f"[[{kind}]]")
    for number, (symbol, units, more) in enumerate(cases):
        arguments = f"arguments = {{ units = {units} }}\n" if units else ""
        text += asks(symbol, expected(number), arguments + more, id=f"t{number}")
    return text


def _changed(policy, mutant):
    """The whole policy that a mutant makes."""
    if mutant.policy is not None:
        return mutant.policy
    swap = {id(mutant.was): (mutant.now,) if mutant.now is not None else ()}
    rules = tuple(new for rule in policy.rules for new in swap.get(id(rule), (rule,)))
    waivers = tuple(new for one in policy.waivers for new in swap.get(id(one), (one,)))
    return dataclasses.replace(policy, rules=rules, waivers=waivers)


def _naively(run):
    """The survivors, where each mutant is a whole policy that every test is run by."""
    survivors = []
    for number, file in enumerate(suite.file for suite in run.suites):
        policy = run.suites[number].layers.policies[number]
        for mutant in mutants(policy, file, {}, below=number + 1 < len(run.suites)):
            noticed = False
            for suite in run.suites[number:]:
                policies = list(suite.layers.policies)
                policies[number] = _changed(policy, mutant)
                layers = Layers(policies)
                found = [outcome(subject, layers, TODAY) for subject in suite.subjects(layers)]
                noticed = noticed or any(each.problem for each in found)
            if not noticed:
                survivors.append((file.source, mutant.what, tuple(file.place(mutant.path))))
    return survivors


@given(TABLES, CASES, TABLES, CASES, st.sampled_from(["", 'extends = "@above"\n']))
@settings(max_examples=60, deadline=None)
def test_the_quick_way_to_judge_mutants_finds_what_the_plain_one_does(
    tmp_path_factory, above, cases_above, below, cases_below, inherits
):
    folder = tmp_path_factory.mktemp("p")
    top, low = folder / "top.toml", folder / "low.toml"

    def write(expected):
        head = 'delegate = ["acme.x", "keras.layers.LSTM"]\n[waivers]\nbelow = true\n'
        text = _policy(above, cases_above, lambda n: expected[0][n])
        top.write_text(text.replace("\n", f"\n{head}", 1), encoding="utf-8")
        text = _policy(below, cases_below, lambda n: expected[1][n])
        low.write_text(text.replace("\n", f"\n{inherits}", 1), encoding="utf-8")
        return run_tests([str(top), str(low)], TODAY)

    first = write([["allow"] * len(cases_above), ["allow"] * len(cases_below)])
    words = [["allow" if o.allowed else "deny" for o in outcomes] for outcomes in first.outcomes]
    run = write(words)
    assert run.failed == []
    found = [(s.source, s.what, (s.line, s.column)) for s in mutate(run).survivors]
    assert found == _naively(run)


# On the command line.


def test_test_ends_with_the_code_of_what_it_found(write, capsys):
    good, bad, none, broken = write(
        allow(DENSE) + asks(DENSE, "allow", 'rules = ["a"]'),
        asks(DENSE, "allow"),
        allow(DENSE),
        '[[test]]\nid = "t"\n',
    )
    assert main(["policy", "test", good]) == 0
    assert "1 test: 1 passed, 0 failed" in capsys.readouterr().out
    assert main(["policy", "test", good, "--mutate", "--coverage"]) == 0
    out = capsys.readouterr().out
    assert "mutants: 2 of 2 noticed" in out
    assert "coverage: 1 of 1 rules and waivers decide in some test" in out
    assert main(["policy", "test", bad]) == 1
    out = capsys.readouterr().out
    assert "expected allow, and it is denied: SS301" in out
    assert f"{bad}:2" in out
    assert main(["policy", "test", none]) == 3
    assert main(["policy", "test", broken]) == 2
    capsys.readouterr()


def test_a_mutant_that_survives_ends_with_1(write, capsys):
    (path,) = write(allow(DENSE, "acme.x") + asks(DENSE, "allow"))
    assert main(["policy", "test", path]) == 0
    assert main(["policy", "test", path, "--mutate"]) == 1
    assert f"no test notices: {path}:4:34: allow rule a: without acme.x" in capsys.readouterr().out


def test_no_mutants_are_made_of_a_policy_whose_tests_fail(write, capsys):
    (path,) = write(allow(DENSE) + asks(DENSE, "deny"))
    assert main(["policy", "test", path, "--mutate"]) == 1
    done = capsys.readouterr()
    assert "noticed" not in done.out
    assert "must pass first" in done.err


def test_test_tells_programs_everything(write, capsys):
    (path,) = write(allow(DENSE, "acme.x") + asks([DENSE, "acme.y"], "allow"))
    assert main(["policy", "test", path, "--coverage", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["command"], told["exit_code"]) == ("policy test", 1)
    assert told["summary"] == {"tests": 1, "passed": 0, "failed": 1}
    (table,) = told["tests"]
    assert (table["id"], table["file"], table["line"], table["names"]) == ("t", path, 6, 2)
    assert [failure["symbol"] for failure in table["failures"]] == ["acme.y"]
    assert told["coverage"] == {"rules": 1, "unused": [], "shipped": []}
    assert "mutation" not in told


def test_shipped_policies_can_be_tested_by_name_and_have_no_folder(monkeypatch):
    run = run_tests(["keras-core"], TODAY)
    assert run.failed == []
    assert run.suites[0].file.folder is None
