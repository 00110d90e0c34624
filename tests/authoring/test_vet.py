"""Looking own code over: without importing it, all of it, and not as the code itself would like."""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from datetime import UTC, date, datetime

import pytest

from secure_serial.authoring import vet as module
from secure_serial.authoring.evidence import Standing, standing
from secure_serial.authoring.vet import rules_by_unit, vet
from secure_serial.cli import policy_vet
from secure_serial.cli.console import Console
from secure_serial.cli.exits import Exit
from secure_serial.cli.trouble import UsageError
from secure_serial.construct import owners
from secure_serial.construct.sources import UnknownSourceError, digest_of, unit_of
from secure_serial.policy.model import Evidence
from secure_serial.policy.source import parse_policy

pytest.importorskip("bandit")

DAY = date(2026, 11, 22)
TRAP = "raise SystemExit('imported')\n"
PICKLE = "import pickle\n\n\ndef read(data):\n    return pickle.loads(data)\n"
SILENCED = PICKLE.replace("(data)\n", "(data)  # nosec\n").replace(
    "pickle\n\n", "pickle  # nosec\n\n"
)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that packages are imported from."""
    monkeypatch.syspath_prepend(str(tmp_path))
    owners.forget()
    yield tmp_path
    owners.forget()


def put(folder, **files):
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/').replace('INIT', '__init__')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def run(*modules, form="text", policy=None):
    args = argparse.Namespace(modules=list(modules), format=form, policy=policy)
    return policy_vet.run_vet(args, Console())


def test_what_bandit_finds_is_counted_and_told_where(site):
    put(site, ssvet_a__INIT=TRAP, ssvet_a__nn__layers=PICKLE)
    found = vet(unit_of("ssvet_a"), DAY)
    assert found.counts == {"high": 0, "medium": 1, "low": 1}
    assert [(i.path, i.line, i.test) for i in found.issues] == [
        ("ssvet_a/nn/layers.py", 5, "B301"),
        ("ssvet_a/nn/layers.py", 1, "B403"),
    ]
    assert found.evidence.tool.startswith("bandit ")
    assert found.evidence[1:] == (digest_of(unit_of("ssvet_a")), 2, DAY)
    assert not any(name.startswith("ssvet_a") for name in sys.modules)


def test_comments_and_settings_of_the_code_do_not_silence_it(site):
    put(site, ssvet_b__INIT=SILENCED)
    for name in (".bandit", "setup.cfg", "bandit.yaml", "pyproject.toml"):
        (site / "ssvet_b" / name).write_text(
            "[bandit]\nskips = B301\n[tool.bandit]\nskips = ['B301']\n"
        )
    assert vet(unit_of("ssvet_b"), DAY).counts["medium"] == 1


@pytest.mark.parametrize("folder", ["CVS", "tests", "egg"])
def test_no_part_of_a_package_is_passed_over(site, folder):
    put(site, ssvet_c__INIT="", **{f"ssvet_c__{folder}__x": PICKLE})
    assert vet(unit_of("ssvet_c"), DAY).counts["medium"] == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [("bad.py", b"def (\n"), ("bad.py", b"\xff\xfe\x00"), ("deep.py", b"-" * 200_000 + b"1"),
     ("native.so", b"\x7fELF"), ("hidden.pyc", b"\xa7\r\r\n")],
)  # fmt: skip
def test_without_a_look_at_every_file_there_is_no_evidence(site, name, data, capsys):
    put(site, ssvet_d__INIT="")
    (site / "ssvet_d" / name).write_bytes(data)
    found = vet(unit_of("ssvet_d"), DAY)
    assert [path for path, _ in found.unread] == [f"ssvet_d/{name}"]
    assert found.evidence is None
    assert run("ssvet_d") is Exit.UNREADABLE
    out, err = capsys.readouterr()
    assert tomllib.loads(out) == {}
    assert f"ssvet_d/{name}: not looked over" in err


def test_what_changes_meanwhile_was_not_looked_over(site, monkeypatch):
    put(site, ssvet_e__INIT="")
    digests = iter(["ab" * 32, "cd" * 32])
    monkeypatch.setattr(module, "digest_of", lambda _: next(digests))
    with pytest.raises(UnknownSourceError, match="changed"):
        vet(unit_of("ssvet_e"), DAY)


def test_a_finding_without_a_known_severity_is_grave():
    assert module._severity("UNDEFINED") == "high"
    assert [module._severity(word) for word in ("LOW", "Medium")] == ["low", "medium"]


# The command.


def test_stdout_is_ready_to_paste_and_the_findings_are_on_stderr(site, capsys):
    put(site, ssvet_f__INIT=PICKLE)
    assert run("ssvet_f") is Exit.FINDINGS
    out, err = capsys.readouterr()
    evidence = tomllib.loads(out)["evidence"]
    assert evidence["findings"] == 2
    assert evidence["source_sha256"] == digest_of(unit_of("ssvet_f"))
    assert evidence["date"] in (datetime.now(UTC).date(), DAY)  # or past midnight meanwhile
    assert out.startswith("# ssvet_f: 1 file; bandit found 0 high, 1 medium, 1 low\n")
    assert "ssvet_f/__init__.py:5: medium B301 " in err


def test_what_is_found_harmless_is_no_failure(site, capsys):
    put(site, ssvet_g="def f(x):\n    assert x\n")
    assert run("ssvet_g") is Exit.CLEAN
    assert tomllib.loads(capsys.readouterr().out)["evidence"]["findings"] == 1


def test_what_was_pasted_goes_stale_with_the_helper_beside_the_class(site, capsys):
    put(site, ssvet_h__INIT="", ssvet_h__layers="class Block: ...\n", ssvet_h__util="x = 1\n")
    run("ssvet_h.layers")
    evidence = Evidence(**tomllib.loads(capsys.readouterr().out)["evidence"])
    today = owners.owner_of("ssvet_h.layers", with_source=True).source_sha256
    assert standing(evidence, today) is Standing.GOOD
    put(site, ssvet_h__util="x = 2\n")
    owners.forget()
    today = owners.owner_of("ssvet_h.layers", with_source=True).source_sha256
    assert standing(evidence, today) is Standing.STALE


def test_for_programs_all_is_in_one_object(site, capsys):
    put(site, ssvet_i__INIT=PICKLE, ssvet_j="")
    assert run("ssvet_i", "ssvet_j", form="json") is Exit.FINDINGS
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert (data["command"], data["exit_code"], err) == ("policy vet", 1, "")
    first, second = data["vetted"]
    assert (first["package"], second["package"]) == ("ssvet_i", "ssvet_j")
    assert first["findings"] == {"high": 0, "medium": 1, "low": 1}
    assert first["issues"][0]["test"] == "B301"
    assert second["evidence"]["source_sha256"] == digest_of(unit_of("ssvet_j"))
    assert second["unread"] == second["issues"] == second["rules"] == []


@pytest.mark.parametrize("name", ["no_such_module_here", "", "../ssvet", "\0"])
def test_a_module_that_is_not_there_is_a_mistake_in_the_arguments(name):
    with pytest.raises(UsageError, match="can be found"):
        run(name)


def test_nothing_to_look_over_is_a_mistake_in_the_arguments():
    with pytest.raises(UsageError, match="nothing"):
        run()


def test_without_bandit_the_extra_is_named(site, monkeypatch):
    put(site, ssvet_k="")
    monkeypatch.setitem(sys.modules, "bandit", None)
    with pytest.raises(UsageError, match="pip install bandit"):
        run("ssvet_k")


# The classes that a policy lets in.

POLICY = """
schema = 1
extends = ["keras-core"]

[[allow]]
id = "one-class"
symbols = ["ssvet_l.nn.layers.Block"]

[[allow]]
id = "all-of-a-module"
symbols = ["ssvet_l.nn.layers.*", "ssvet_m.**"]
evidence = { tool = "bandit 1.9.4", source_sha256 = "DIGEST", findings = 0, date = 2026-11-22 }

[[allow]]
id = "registered"
registered = ["ssvet>*"]

[[allow]]
id = "keras"
symbols = ["keras.layers.Lambda"]

[[deny]]
id = "never"
symbols = ["ssvet_n.Thing"]
"""


@pytest.fixture
def policy(site):
    put(site, ssvet_l__INIT=TRAP, ssvet_l__nn__INIT=TRAP, ssvet_l__nn__layers=TRAP)
    put(site, ssvet_m="x = 1\n", ssvet_n=TRAP)
    file = site / "ours.toml"
    file.write_text(POLICY.replace("DIGEST", digest_of(unit_of("ssvet_l"))))
    return file


def test_the_packages_are_those_of_the_classes_that_are_not_kerass(policy):
    found, lost = rules_by_unit(parse_policy(policy.read_text()))
    assert {unit.top: [rule.id for rule in rules] for unit, rules in found.items()} == {
        "ssvet_l": ["one-class", "all-of-a-module"],
        "ssvet_m.py": ["all-of-a-module"],
    }
    assert [rule.id for rule in lost] == ["registered"]


def test_each_package_is_told_with_the_rules_on_it_and_what_their_evidence_is_worth(policy, capsys):
    assert run(policy=str(policy)) is Exit.CLEAN
    out, err = capsys.readouterr()
    whole, other = out.split("\n# ssvet_m")
    assert f"# for the rule one-class ({policy}:5), evidence missing there" in whole
    assert f"# for the rule all-of-a-module ({policy}:9), evidence good there" in whole
    assert "evidence stale there" in other
    assert f"rule registered ({policy}:14): no module is found by its names" in err
    run(policy=str(policy), form="json")
    vetted = json.loads(capsys.readouterr().out)["vetted"]
    assert [rule["evidence"] for rule in vetted[0]["rules"]] == ["missing", "good"]


def test_rules_on_registered_names_are_held_against_the_modules_that_are_given(policy, capsys):
    evidence = (
        'evidence = { tool = "b", source_sha256 = "DIGEST", findings = 0, date = 2026-11-22 }\n'
    )
    digest = digest_of(unit_of("ssvet_n"))
    for worth, found in (("good", digest), ("stale", "ab" * 32), ("missing", "")):
        line = evidence.replace("DIGEST", found) if found else ""
        policy.write_text(f'[[allow]]\nid = "r"\nregistered = ["ssvet>*"]\n{line}'.join(
            ["schema = 1\n", ""]))  # fmt: skip
        assert run("ssvet_n", policy=str(policy)) is Exit.CLEAN
        out, err = capsys.readouterr()
        assert f"# for the rule r ({policy}:2), evidence {worth} there" in out
        assert "no module is found" not in err


def test_evidence_that_is_of_one_of_several_modules_is_told_with_that_one(policy, capsys):
    policy.write_text(POLICY.replace("DIGEST", digest_of(unit_of("ssvet_l"))).replace(
        'registered = ["ssvet>*"]', 'registered = ["ssvet>*"]\nevidence = { tool = "b", '
        f'source_sha256 = "{digest_of(unit_of("ssvet_n"))}", findings = 0, date = 2026-11-22 }}'
    ))  # fmt: skip
    run("ssvet_m", "ssvet_n", policy=str(policy), form="json")
    vetted = {
        each["package"]: each["rules"] for each in json.loads(capsys.readouterr().out)["vetted"]
    }
    assert [rule["id"] for rule in vetted["ssvet_n"]] == ["registered"]
    assert [rule["evidence"] for rule in vetted["ssvet_n"]] == ["good"]
    assert [rule["id"] for rule in vetted["ssvet_m"]] == ["all-of-a-module"]
    assert "registered" not in [rule["id"] for rule in vetted["ssvet_l"]]
