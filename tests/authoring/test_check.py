"""`policy check` finds everything at once, says where, and accuses nobody wrongly."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from authoring.tables import allow, deny, waiver
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_serial.authoring.check import check
from secure_serial.authoring.finding import SLUGS, Severity
from secure_serial.authoring.policy_file import read
from secure_serial.cli.main import main
from secure_serial.data import catalogue
from secure_serial.errors import InvalidPolicy
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.owner import Owner
from secure_serial.plan.request import Action, Origin, Request
from secure_serial.policy.engine import Engine
from secure_serial.policy.source import parse_policy

TODAY = date(2026, 11, 22)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def found(tmp_path):
    """What is found in a policy, or in a stack of them, as (slug, line, column)."""

    def run(*texts, head="schema = 1\n", **options):
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"p{number}.toml"
            path.write_text(head + text, encoding="utf-8")
            paths.append(str(path))
        report = check(paths, TODAY, **options)
        return [(f.slug, f.line, f.column) for f in report.findings]

    return run


@pytest.fixture
def messages(tmp_path):
    """What is said of a policy."""

    def run(text, **options):
        path = tmp_path / "p.toml"
        path.write_text("schema = 1\n" + text, encoding="utf-8")
        return [f.message for f in check([str(path)], TODAY, **options).findings]

    return run


# What the reader refuses.


def test_all_that_the_reader_refuses_is_found_at_once_with_its_place_and_kind(found):
    text = (
        'alow = []\nversion = "x"\n[[allow]]\nid = "a"\nsymbols = [1]\n'
        '[[deny]]\nid = "a"\nkinds = ["lair"]\n[[deny]]\nkinds = ["layer"]\n'
    )
    assert found(text) == [
        ("unknown-key", 2, 1),
        ("wrong-type", 3, 1),
        ("wrong-type", 6, 1),
        ("duplicate-id", 8, 1),
        ("invalid-value", 9, 10),
        ("missing-key", 10, 1),
    ]


def test_the_rest_of_a_policy_with_a_mistake_is_checked_all_the_same(found):
    text = allow("keras.layers.Dens", id="b") + allow("keras.layers.Dense", more="oops = 1")
    assert found(text) == [("unmatched-pattern", 4, 12), ("unknown-key", 9, 1)]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("x = ]", 1, 5),
        ("a = 1\na = 2\n", 2, 6),
        ('a = 1\nb = """', 2, 1),
        ("a = " + "[" * 10**5, 0, 0),
    ],
)
def test_what_is_no_toml_is_one_problem_where_the_parser_stopped(tmp_path, text, line, column):
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")
    (finding,) = check([str(path)], TODAY).findings
    assert (finding.slug, finding.line, finding.column) == ("not-toml", line, column)


def test_a_file_with_no_toml_does_not_hide_what_is_wrong_with_the_others(found):
    findings = found(allow("keras.layers.Dens"), "a = ", allow("keras.layers.Lstm"))
    assert [slug for slug, _, _ in findings] == [
        "unmatched-pattern",
        "not-toml",
        "unmatched-pattern",
    ]


def test_a_file_that_is_not_there_and_a_signed_bundle_are_refused(tmp_path):
    with pytest.raises(InvalidPolicy, match="cannot be read"):
        check([str(tmp_path / "none.toml")], TODAY)
    (tmp_path / "b").write_text('{"payload": ""}', encoding="utf-8")
    with pytest.raises(InvalidPolicy, match="signed bundle"):
        check([str(tmp_path / "b")], TODAY)


# Names.


def test_a_name_that_means_nothing_is_found_in_every_place_with_the_nearest(found, messages):
    text = (
        'delegate = ["keras.layer.*"]\n'
        + allow("keras.layers.Dense", "keras.layers.LTSM")
        + deny("keras.layers.Dens", id="d")
        + waiver("keras.layers.Dens")
        + allow("acme.Outer", more='arguments.cell = { symbol = ["keras.layers.Dens"] }', id="n")
    )
    assert [f for f in found(text) if f[0] == "unmatched-pattern"] == [
        ("unmatched-pattern", 2, 13),
        ("unmatched-pattern", 5, 34),
        ("unmatched-pattern", 9, 12),
        ("unmatched-pattern", 13, 12),
        ("unmatched-pattern", 22, 20),
    ]
    said = messages(text)
    assert any("did you mean keras.layers.LSTM?" in line for line in said)
    assert any("did you mean keras.layers.*?" in line for line in said)


def test_names_of_packages_that_no_catalogue_knows_are_not_judged(found):
    assert found(allow("acme.layers.Block", "Acme") + allow("acme>Block", id="b")) == []


def test_another_name_of_a_symbol_is_told_from_a_wrong_one(messages):
    (said,) = messages(deny("keras.src.layers.core.dense.Dense"))
    assert said == (
        "'keras.src.layers.core.dense.Dense' is another name of keras.layers.Dense, "
        "and no rule matches by it"
    )
    (said,) = messages(deny("tf.keras.layers.Dense"))
    assert "another name of keras.layers.Dense" in said


def acme_catalogue(**symbols):
    return {"schema": 1, "distribution": "acme", "version": "1.2", "symbols": symbols}


BLOCK = {"kind": "layer", "bases": ["keras.Layer"], "fields": {"units": "size"}}


def test_a_catalogue_of_an_own_package_lets_its_names_be_checked(found, messages):
    tree = acme_catalogue(**{"acme>Block": BLOCK, "acme.layers.Wide": BLOCK})
    text = allow("acme>Blok", "acme>Block") + allow("acme.layers.Wid", "acme.layers.*", id="b")
    assert found(text, catalogues=[tree]) == [
        ("unmatched-pattern", 4, 15),
        ("unmatched-pattern", 8, 12),
    ]
    assert "did you mean acme>Block?" in messages(text, catalogues=[tree])[0]


@pytest.mark.parametrize(
    ("names", "slugs"),
    [
        (["keras.layers.*"], ["effects", "wide-pattern"]),
        (["acme.**"], ["wide-pattern"]),
        (["acme.layers.**"], []),
        (["acme.*"], []),
        (["torch.nn.*"], ["wide-pattern"]),
        (["*>Block"], ["wide-pattern"]),
        (["Custom>*"], ["wide-pattern"]),
        (["acme>*"], []),
        (["keras>Block"], ["foreign-name"]),
        (["os.system"], ["foreign-name"]),
        (["KERAS.layers.Dense"], ["foreign-name"]),
    ],
)
def test_what_lets_in_more_than_its_author_can_vouch_for_is_dubious(found, names, slugs):
    assert sorted(slug for slug, _, _ in found(allow(*names))) == slugs
    assert [f for f in found(deny(*names)) if f[0] != "unmatched-pattern"] == []


def test_a_whole_package_may_be_delegated_and_not_waived(found):
    assert found('delegate = ["acme.**"]\n') == []
    assert found('delegate = ["keras.layers.**"]\n') == [("wide-pattern", 2, 13)]
    assert ("wide-pattern", 4, 12) in found(waiver("acme.**"))


def test_allowing_what_does_more_than_compute_is_told_unless_a_reason_stands_by_the_name(found):
    risky = "keras.layers.TFSMLayer"
    assert found(allow(risky)) == [("effects", 4, 12)]
    assert found(allow(risky, more='reason = "Read by J."')) == []
    assert found(allow("keras.layers.*", more='reason = "x"'))[0][0] == "wide-pattern"
    assert ("effects", 4, 12) in found(allow("keras.layers.*", more='reason = "x"'))


def test_effects_of_what_a_deny_rule_takes_out_again_are_not_told(messages):
    risky = [s for s in catalogue().symbols() if s.startswith("keras.layers.")]
    risky = [s for s in risky if catalogue().entry(s).effects]
    said = messages(allow("keras.layers.*") + deny(*risky))
    assert not any("more than compute" in line for line in said)
    said = messages(allow("keras.layers.*") + deny(*risky, more='kinds = ["model"]'))
    assert any("more than compute" in line for line in said)


# Conditions.


@pytest.mark.parametrize(
    "more",
    [
        "arguments.units = { min = 2, max = 1 }",
        'arguments.units = { type = "string", max = 1 }',
        'arguments.units = { type = ["integer", "null"], max_length = 1 }',
        'arguments.kernel_initializer = { type = "boolean", symbol = "keras.layers.Dense" }',
        "arguments.units = { one_of = [] }",
        "arguments.units = { one_of = [3, 4], max = 2 }",
        'arguments.units = { one_of = ["a"], max = 2 }',
        "arguments.use_bias = { max = 1 }",
        'arguments.units = { symbol = "keras.layers.Dense" }',
        "allocation = { min = 2, max = 1 }",
        'kinds = ["optimizer"]',
        'fields = ["optimizer"]',
        'from = "torch>=2"',
    ],
)
def test_conditions_that_nothing_can_satisfy_are_found(found, more):
    assert [slug for slug, _, _ in found(allow("keras.layers.Dense", more=more))] == [
        "contradiction"
    ]


@pytest.mark.parametrize(
    "more",
    [
        "arguments.units = { min = 1, max = 1 }",
        'arguments.units = { type = ["string", "integer"], max = 1 }',
        "arguments.units = { one_of = [3, 4], max = 3 }",
        'kinds = ["optimizer", "layer"]',
        'fields = ["layer", "optimizer"]',
        'fields = ["activation"]',
        'from = "Keras>=3.15,<4"',
        'arguments.kernel_initializer = { symbol = "keras.initializers.*" }',
        "arguments.name = { max_length = 8 }",
    ],
)
def test_conditions_that_something_can_satisfy_are_not(found, more):
    assert found(allow("keras.layers.Dense", more=more)) == []


def test_versions_that_the_catalogue_is_not_of_are_told(found):
    assert found(deny("keras.layers.Dense", more='from = "keras<3.10"')) == [
        ("other-version", 5, 1)
    ]


def test_an_argument_that_nothing_takes_binds_nothing_and_is_told_with_the_nearest(messages, found):
    more = "arguments.unit = { max = 8 }"
    assert found(allow("keras.layers.Dense", more=more)) == [("unknown-argument", 5, 11)]
    assert messages(deny("keras.layers.*", more=more)) == [
        "d: nothing that it names takes 'unit'; did you mean units?"
    ]


def test_a_deny_rule_denies_whatever_lacks_the_argument_of_its_condition(found):
    more = "arguments.recurrent_dropout = { min = 0.5 }"
    both = ("keras.layers.LSTM", "keras.layers.Dense")
    assert found(deny(*both, more=more)) == [("argument-not-taken", 5, 11)]
    assert found(deny("keras.layers.LSTM", more=more)) == []
    assert found(allow(*both, more=more)) == []


# Rules by other rules.


def test_an_allow_that_a_deny_covers_is_shadowed_as_a_whole_or_by_name(found):
    dense, lstm = "keras.layers.Dense", "keras.layers.LSTM"
    assert found(allow(dense) + deny("keras.layers.*")) == [("shadowed", 2, 1)]
    assert found(allow(dense, lstm) + deny(lstm)) == [("shadowed", 4, 34)]
    assert found(allow("acme.**.x".replace("**.", "")) + deny("acme.**")) == [("shadowed", 2, 1)]
    assert found(allow("acme.*") + deny("acme.x")) == []


def test_a_deny_with_conditions_of_its_own_shadows_only_what_satisfies_them(found):
    def both(allowed, denied):
        dense = "keras.layers.Dense"
        return found(allow(dense, more=allowed) + deny(dense, more=denied))

    assert both("arguments.units = { max = 9 }", "arguments.units = { max = 10 }")
    assert not both("arguments.units = { max = 10 }", "arguments.units = { max = 9 }")
    assert not both("", "arguments.units = { max = 9 }")
    assert not both("", 'from = "keras>=3"')
    assert both("", 'kinds = ["layer"]')
    assert not both("", 'fields = ["layer"]')
    assert both('fields = ["layer"]', 'fields = ["layer", "root"]')


def test_a_rule_that_another_one_outdoes_is_redundant_whatever_its_conditions(found):
    narrow = allow("keras.layers.Embedding", more="arguments.input_dim = { max = 9 }")
    assert found(narrow) == []
    assert found('extends = ["keras-core"]\n' + narrow) == [("redundant", 3, 1)]
    assert found(allow("acme.x", id="one") + allow("acme.*", id="two")) == [("redundant", 2, 1)]
    assert found(deny("acme.x", id="one") + deny("acme.*", id="two")) == [("redundant", 2, 1)]


def test_of_two_rules_that_mean_the_same_the_later_one_is_redundant(found):
    assert found(allow("acme.x", id="one") + allow("acme.x", id="two")) == [("redundant", 6, 1)]


def test_a_rule_that_permits_a_path_is_not_outdone_by_one_that_does_not(found):
    plain = allow("acme.x", id="plain")
    path = allow("acme.x", more="arguments.file = { path = true }", id="path")
    assert found(plain + path) == [("redundant", 2, 1)]
    assert found(allow("acme.*", id="plain") + path) == []


def test_names_that_a_rule_has_twice_are_found(found):
    assert found(allow("acme.x", "acme.y", "acme.x")) == [("redundant", 4, 32)]
    assert found(allow("acme.x", "acme.*")) == [("redundant", 4, 12)]


def test_many_flaws_of_one_rule_are_summed_up(found):
    names = [f"acme.n{n}" for n in range(20)]
    findings = found(allow(*names, "other.x") + deny("acme.*"))
    assert [slug for slug, _, _ in findings] == ["shadowed"] * 6


def test_a_waiver_for_what_is_denied_outright_is_shadowed(found):
    assert found(waiver("acme.x") + deny("acme.*")) == [("shadowed", 2, 1)]
    assert found(waiver("acme.x") + deny("acme.*", more="arguments.a = { min = 1 }")) == []


# Layers.


TOP = 'caller_objects = "listed"\ndelegate = ["acme.vision.*"]\n' + allow(
    "acme.x.Y", "keras.layers.Dense"
)


def test_what_no_layer_above_allows_or_delegates_can_never_be_allowed_below(found):
    below = allow("acme.vision.A", "acme.x.Y", "acme.z.Z", "acme.*.A", "keras.layers.LSTM")
    assert [f for f in found(TOP, below) if f[0] != "redundant"] == [
        ("outside-delegation", 4, 41),
        ("outside-delegation", 4, 65),
    ]


def test_below_what_passes_by_at_above_only_what_is_delegated_need_be_allowed(found):
    below = 'extends = ["@above"]\n' + allow("acme.vision.A", "acme.x.Y", "keras.layers.Dense")
    assert found(TOP, below) == [("outside-delegation", 5, 29), ("outside-delegation", 5, 41)]


def test_what_the_program_registers_a_waiver_and_a_trial_let_pass_may_be_allowed_below(found):
    below = allow("acme.z.Z")
    assert found('caller_objects = "allow"\n', below) == []
    assert found(waiver("acme.z.*"), below) == []
    assert found('mode = "report"\nreport_until = 2027-01-01\n', below) == []
    assert found("[waivers]\nbelow = true\n", below + waiver("acme.z.Z")) == []
    assert found("", below + waiver("acme.z.Z")) == [
        ("outside-delegation", 4, 12),
        ("waiver-not-heeded", 8, 12),
    ]


def test_a_deny_rule_of_a_layer_above_shadows_an_allow_rule_below(found):
    findings = found('delegate = ["acme.**"]\n' + deny("acme.x"), allow("acme.x"))
    assert findings == [("shadowed", 2, 1)]


def test_settings_that_a_layer_cannot_have_in_its_place_are_errors(found):
    assert found('extends = ["keras-core", "@above"]\n') == [("above-on-top", 2, 26)]
    report = 'mode = "report"\nreport_until = 2027-01-01\n'
    assert found(report, report) == [("report-below", 2, 1)]


# Days.


def test_what_has_ended_is_found(found):
    yesterday, tomorrow = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
    assert found(f"expires = {yesterday}\n") == [("expired-policy", 2, 1)]
    assert found(f"expires = {TODAY}\n") == []
    ended = f'mode = "report"\nreport_until = {yesterday}\n'
    assert found(ended) == [("report-ended", 3, 1)]
    assert found(waiver("acme.x", expires=yesterday)) == [("expired-waiver", 8, 1)]
    assert found(waiver("acme.x", expires=TODAY) + waiver("acme.y", expires=tomorrow, id="v")) == []


def test_a_waiver_may_reach_no_further_than_the_layers_above_it_let_it(found):
    far = waiver("acme.x", expires=TODAY + timedelta(days=31))
    assert found("[waivers]\nmax_days = 31\n" + far) == []
    assert found("[waivers]\nmax_days = 30\n" + far) == [("long-waiver", 10, 1)]
    assert (
        found("[waivers]\nmax_days = 30\n", "[waivers]\nmax_days = 90\n" + far)[-1][0]
        == "long-waiver"
    )


# Evidence.


def evidence(digest, findings=0):
    return (
        f'evidence = {{ tool = "bandit 1.9.4", source_sha256 = "{digest}", '
        f"findings = {findings}, date = 2026-11-01 }}"
    )


def test_own_classes_without_evidence_are_found_where_it_is_required(found):
    required = "require_evidence = true\n"
    assert found(required + allow("acme.x", "keras.layers.Dense")) == [("no-evidence", 3, 1)]
    assert found(required + allow("keras.layers.Dense") + deny("acme.y")) == []
    assert found(allow("acme.x")) == []


def test_evidence_of_another_source_is_stale(found):
    from secure_serial.construct.owners import owner_of

    digest = owner_of("yaml.nodes", with_source=True).source_sha256
    required = "require_evidence = true\n"
    assert found(required + allow("yaml.nodes.Node", more=evidence(digest))) == []
    stale = found(required + allow("yaml.nodes.Node", more=evidence("0" * 64)))
    assert [slug for slug, _, _ in stale] == ["stale-evidence"]
    assert found(required + allow("no_such_package.x", more=evidence("0" * 64))) == []


def test_evidence_that_speaks_against_a_class_is_told(found):
    assert [s for s, _, _ in found(allow("acme.x", more=evidence("0" * 64, 2)))] == [
        "evidence-findings"
    ]


# Tests and models.


def test_tests_that_cannot_be_run_or_name_no_rule_are_found(found):
    text = allow("acme.x") + (
        '[[test]]\nid = "t"\nsymbol = "acme.x"\nexpect = "allow"\nrules = ["a", "b", "builtin:default"]\n'
        '[[test]]\nid = "t"\nsymbol = "acme.*"\nfile = "../x"\n'
    )
    assert found(text) == [
        ("unknown-rule", 10, 15),
        ("missing-key", 11, 1),
        ("missing-key", 11, 1),
        ("duplicate-id", 12, 1),
        ("invalid-value", 13, 1),
        ("invalid-value", 14, 1),
    ]


def test_tests_may_name_rules_of_layers_above_and_of_what_is_extended(found):
    test = '[[test]]\nid = "t"\nsymbol = "acme.x"\nexpect = "deny"\nrules = ["d", "layers"]\n'
    assert found('extends = ["keras-core"]\n' + deny("acme.x"), test) == []


def test_rules_and_waivers_that_decide_nothing_in_the_models_are_unused(found, tmp_path):
    model = tmp_path / "models" / "m.json"
    model.parent.mkdir()
    node = {"module": "acme", "class_name": "x", "config": {}, "registered_name": None}
    model.write_text(json.dumps(node), encoding="utf-8")
    text = allow("acme.x") + allow("acme.z", id="b") + deny("acme.y") + waiver("acme.v")
    assert found(text, models=[str(model.parent)]) == [
        ("unused-rule", 6, 1),
        ("unused-rule", 10, 1),
        ("unused-rule", 14, 1),
    ]


def test_a_model_that_cannot_be_read_is_told_of(found, tmp_path):
    model = tmp_path / "m.json"
    model.write_text("{", encoding="utf-8")
    slugs = [slug for slug, _, _ in found(allow("acme.x"), models=[str(model)])]
    assert slugs == ["unused-rule", "unread-model"]


# All of it.


def test_the_shipped_policies_have_no_error():
    assert check(["keras-core", "strict"], TODAY).count(Severity.ERROR) == 0


def test_every_kind_of_finding_is_explained_in_the_documentation():
    page = (ROOT / "docs" / "policy-tools.md").read_text(encoding="utf-8")
    missing = [
        slug for slug, (severity, _) in SLUGS.items() if f"| `{slug}` | {severity} |" not in page
    ]
    assert missing == []


NAMES = [
    "keras.layers.Dense",
    "keras.layers.LSTM",
    "acme.x",
    "acme.y",
    "acme.*",
    "acme.**",
    "keras.layers.*",
]
MORE = [
    "", "arguments.units = { max = 4 }", "arguments.units = { max = 9 }", 'kinds = ["layer"]',
    'fields = ["layer"]', "arguments.units = { path = true }", 'from = "keras>=3"',
    'formats = ["keras"]', "arguments.units = { one_of = [1, 2] }", 'arguments.units = { type = "integer" }',
]  # fmt: skip
TABLES = st.lists(
    st.tuples(st.sampled_from(["allow", "deny"]), st.lists(st.sampled_from(NAMES), min_size=1, max_size=2), st.sampled_from(MORE)),
    min_size=1,
    max_size=4,
)  # fmt: skip


def _requests():
    for symbol in ("keras.layers.Dense", "keras.layers.LSTM", "acme.x", "acme.y"):
        keras = symbol.startswith("keras")
        origin = Origin.KERAS if keras else Origin.UNKNOWN
        for units in (None, 1, 4, 5, 10, 1.5, "/etc/x", [], [4, 10]):
            for field in (Field.LAYER, Field.ROOT):
                yield Request(
                    "", "", field, Action.CONSTRUCT, symbol, Kind.LAYER if keras else None, origin, symbol,
                    arguments={} if units is None else {"units": units},
                    owner=Owner("keras", "3.15.1") if keras else None,
                )  # fmt: skip


REQUESTS = list(_requests())


@given(TABLES)
@settings(max_examples=300, deadline=None)
def test_a_rule_that_is_called_needless_can_go_and_nothing_changes(tmp_path_factory, tables):
    text = "schema = 1\n" + "".join(
        f'[[{effect}]]\nid = "r{n}"\nsymbols = {json.dumps(names)}\n{more}\n'
        for n, (effect, names, more) in enumerate(tables)
    )
    path = tmp_path_factory.mktemp("p") / "p.toml"
    path.write_text(text, encoding="utf-8")
    policy = parse_policy(text, str(path))
    places = read(path).places
    for finding in check([str(path)], TODAY).findings:
        header = [r for r in policy.rules if r.line == finding.line]
        if finding.slug not in ("redundant", "shadowed") or finding.column != 1 or not header:
            continue
        assert places
        rest = tuple(rule for rule in policy.rules if rule is not header[0])
        before, after = (
            Engine(policy, TODAY),
            Engine(dataclasses.replace(policy, rules=rest), TODAY),
        )
        for request in REQUESTS:
            if request.arguments.get("units") == [] and finding.slug == "shadowed":
                continue  # no number of none is denied, and all of none are allowed
            assert before.decide(request).allowed == after.decide(request).allowed, (text, request)


# On the command line.


def test_check_ends_with_1_for_errors_and_strictly_for_warnings(tmp_path, capsys):
    good, dubious, bad = (tmp_path / name for name in ("good.toml", "dubious.toml", "bad.toml"))
    good.write_text("schema = 1\n" + allow("acme.x"), encoding="utf-8")
    dubious.write_text("schema = 1\n" + allow("acme.**"), encoding="utf-8")
    bad.write_text("schema = 1\n" + allow("keras.layers.Dens"), encoding="utf-8")
    assert main(["policy", "check", str(good), "--strict"]) == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out
    assert main(["policy", "check", str(dubious)]) == 0
    assert main(["policy", "check", str(dubious), "--strict"]) == 1
    assert main(["policy", "check", str(bad)]) == 1
    assert f"{bad}:4:12: error: " in capsys.readouterr().out


def test_check_tells_programs_everything(tmp_path, capsys):
    path = tmp_path / "p.toml"
    path.write_text("schema = 1\n" + allow("keras.layers.Dens"), encoding="utf-8")
    assert main(["policy", "check", str(path), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["command"], told["exit_code"]) == ("policy check", 1)
    assert told["summary"] == {"errors": 1, "warnings": 0}
    (problem,) = told["problems"]
    assert (problem["slug"], problem["line"], problem["column"]) == ("unmatched-pattern", 4, 12)
    assert problem["file"] == str(path)
    assert problem["help"]


def test_what_check_cannot_be_run_on_ends_with_2(tmp_path, capsys):
    (tmp_path / "c.json").write_text("{", encoding="utf-8")
    (tmp_path / "d.json").write_text('{"schema": 7}', encoding="utf-8")
    assert main(["policy", "check", str(tmp_path / "none.toml")]) == 2
    for name in ("c.json", "d.json", "none.json"):
        assert main(["policy", "check", "strict", "--catalogue", str(tmp_path / name)]) == 2
    assert main(["policy", "check", "strict", "--used-by", str(tmp_path / "none")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_names_of_a_policy_cannot_reach_the_terminal_as_they_are(tmp_path, capsys):
    path = tmp_path / "p.toml"
    path.write_text('schema = 1\n"\\u001b[2J" = 1\n', encoding="utf-8")
    assert main(["policy", "check", str(path)]) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_a_waiver_that_no_layer_above_heeds_is_told(found):
    below = 'extends = ["@above"]\n' + waiver("acme>Block")
    told = [("waiver-not-heeded", 5, 15)]
    assert found("", below) == told
    assert found("[waivers]\nbelow = true\n", below) == []
    assert found('delegate = ["acme>*"]\n', below) == []
    assert found(allow("acme>Block"), below) == told  # there is nothing to lift
    assert found("", waiver("acme>Block")) == [("waiver-not-heeded", 4, 15)]
    # A layer with a list of its own may waive what it refuses itself.
    assert found(allow("acme>Block"), waiver("acme>Block")) == []
    assert found(below.replace('extends = ["@above"]\n', "")) == []
    by_digest = 'extends = ["@above"]\n' + waiver("x>Y").replace(
        'registered = ["x>Y"]', f'sha256 = ["{"ab" * 32}"]'
    )
    assert found("", by_digest) == [("waiver-not-heeded", 3, 1)]
