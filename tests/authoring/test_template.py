"""`policy init` gives a policy that holds, and each of its examples can be used as it stands."""

from __future__ import annotations

import datetime as dt
import re
import tomllib

import pytest

from secure_serial import parse_policy
from secure_serial.authoring.check import check
from secure_serial.authoring.finding import Severity
from secure_serial.authoring.mutation import mutate
from secure_serial.authoring.schema import key_order
from secure_serial.authoring.template import template
from secure_serial.authoring.testing import run_tests

TODAY = dt.date(2026, 11, 22)
KEY = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#: Lines that belong together: an example is what starts with # and no blank behind it.
EXAMPLE = re.compile(r"(?:^#(?:[^ \n].*)?\n)+", re.MULTILINE)


def examples(text):
    return [m for m in EXAMPLE.finditer(text) if re.search(r"^#\S", m[0], re.MULTILINE)]


def uncommented(text, *which):
    """The policy with these examples made part of it."""
    for match in sorted(which, key=lambda match: match.start(), reverse=True):
        plain = re.sub(r"^#", "", match[0], flags=re.MULTILINE)
        text = text[: match.start()] + plain + text[match.end() :]
    return text.replace("ed25519:PUT-THE-PUBLIC-KEY-HERE", KEY)


def named(start):
    (found,) = [m for m in examples(template(TODAY)) if m[0].startswith(start)]
    return found


def errors(text, folder):
    path = folder / "p.toml"
    path.write_text(text, encoding="utf-8")
    found = check([str(path)], TODAY).findings
    return [str(each) for each in found if each.severity is Severity.ERROR]


def failed(text, folder):
    path = folder / "p.toml"
    path.write_text(text, encoding="utf-8")
    run = run_tests([str(path)], TODAY)
    assert sum(len(suite.tests) for suite in run.suites) >= 3
    return list(run.failed)


def test_starter_can_be_used_and_its_tests_hold(tmp_path):
    text = template(TODAY)
    policy = parse_policy(text)
    assert (policy.name, policy.extends) == ("our-models", ("keras-core",))
    assert errors(text, tmp_path) == []
    assert failed(text, tmp_path) == []


def test_tests_of_the_starter_can_fail(tmp_path):
    text = template(TODAY).replace('extends = ["keras-core"]', "extends = []")
    assert len(failed(text, tmp_path)) == 2  # both names of the first
    rule = '\n[[allow]]\nid = "x"\nregistered = ["stranger>*"]\n'
    assert len(failed(template(TODAY) + rule, tmp_path)) == 2  # registered or not


@pytest.mark.parametrize(
    "example",
    # The tests need a rule, or a model.
    [m for m in examples(template(TODAY)) if not m[0].startswith("#[[test]]")],
    ids=lambda match: match[0].split("\n")[0] + match[0].split("\n")[1],
)
def test_each_example_can_be_used_by_itself(example, tmp_path):
    text = uncommented(template(TODAY), example)
    assert text != template(TODAY)
    assert errors(text, tmp_path) == []
    assert failed(text, tmp_path) == []


def test_tests_of_the_example_rule_hold(tmp_path):
    tests = [m for m in examples(template(TODAY)) if "our-layer" in m[0] or "any-mode" in m[0]]
    text = uncommented(template(TODAY), named('#[[allow]]\n#id = "our-attention"'), *tests)
    assert text.count("\n[[test]]") == 6
    assert errors(text, tmp_path) == []
    assert failed(text, tmp_path) == []


def test_starter_shows_every_key_there_is():
    text = template(TODAY)
    data = tomllib.loads(uncommented(text, *examples(text)))
    assert tuple(data) == tuple(key for key in key_order() if key in data)
    assert set(data) == set(key_order())
    rules = [*data["allow"], *data["deny"]]
    assert set().union(*rules) == set(key_order("allow"))
    conditions = [each for rule in rules for each in rule.get("arguments", {}).values()]
    assert set().union(*conditions) == set(key_order("condition"))
    assert set().union(*(rule.get("evidence", {}) for rule in rules)) == set(key_order("evidence"))
    assert set(data["waiver"][0]) | {"symbols", "sha256"} == set(key_order("waiver"))
    assert {"file", "config", "symbol"} <= set().union(*data["test"])
    for table in ("waivers", "trust"):
        assert (
            set(data[table])
            == {
                "waivers": {"max_days", "below"},
                "trust": {"keys", "threshold", "minimum_version"},
            }[table]
        )


def test_days_of_the_examples_are_ahead():
    text = template(dt.date(2031, 5, 1))
    years = {int(year) for year in re.findall(r"(?:expires|report_until) = (\d+)-", text)}
    assert years == {2031, 2032}


def test_starter_is_formatted():
    pytest.importorskip("tomlkit")
    from secure_serial.authoring.fmt import formatted

    text = template(TODAY)
    assert formatted(text) == text
    assert max(len(line) for line in text.split("\n")) <= 200


@pytest.mark.parametrize("name", ["acme", "ä b", 'a"b', "a\\b", "a#b", "our-models"])
def test_any_name_is_kept(name):
    assert parse_policy(template(TODAY, name)).name == name


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[2J", "\ud800"])
def test_what_cannot_be_a_name_is_refused(name):
    with pytest.raises(ValueError, match="name"):
        template(TODAY, name)


def test_the_starters_own_tests_notice_every_mutant_of_it(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text(template(TODAY), encoding="utf-8")
    found = mutate(run_tests([str(path)], TODAY))
    assert found.made
    assert [str(each) for each in found.survivors] == []
