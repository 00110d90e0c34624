"""The shipped policies: their own tests, every mutant of them, and what ties them together.

Each policy is tested as a layer above the files here: what these expect, `secure-serial policy
test NAME tests/policies/….toml --mutate` shows by hand.
"""

from __future__ import annotations

import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from secure_serial.authoring.check import check
from secure_serial.authoring.coverage import coverage
from secure_serial.authoring.mutation import mutate
from secure_serial.authoring.testing import run_tests
from secure_serial.cli.main import main
from secure_serial.data import policy_names, policy_text
from secure_serial.policy.source import load_policy
from secure_serial.report.model import Status
from secure_serial.scanner.scan import scan

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REAL = ROOT / ".." / "shared" / "corpus" / "real"
#: The files of tests of each policy. What keras-core says to names, those that only extend it
#: must say, too.
TESTS = {
    "inference-only": ["inference-only", "names/inference-only", "names/left-out"],
    "keras-core": ["keras-core", "names/let-in", "names/left-out"],
    "legacy-keras2": ["legacy-keras2", "names/let-in", "names/left-out"],
    "sandbox": ["sandbox", "names/let-in"],
    "strict": ["strict", "names/let-in", "names/left-out"],
}
TODAY = date(2026, 11, 22)


def stack(policy):
    return [policy, *(str(HERE / f"{name}.toml") for name in TESTS[policy])]


@pytest.fixture(scope="module")
def runs():
    return {policy: run_tests(stack(policy), TODAY) for policy in TESTS}


@pytest.fixture(scope="module")
def names():
    """The script that writes the tests of names: it lives beside the package, not in it."""
    sys.path.insert(0, str(ROOT))
    try:
        from tools.policies import names

        return names
    finally:
        sys.path.remove(str(ROOT))


def test_every_shipped_policy_is_tested():
    assert set(TESTS) == set(policy_names())


@pytest.mark.parametrize("policy", TESTS)
def test_tests_pass(policy, runs):
    assert [outcome.problem for outcome in runs[policy].failed] == []
    assert len(runs[policy].outcomes[1]) > 5


@pytest.mark.parametrize("policy", TESTS)
def test_every_mutant_is_noticed(policy, runs):
    found = mutate(runs[policy])
    assert [str(survivor) for survivor in found.survivors] == []
    assert found.made >= 3


@pytest.mark.parametrize("policy", TESTS)
def test_every_rule_decides_in_a_test(policy, runs):
    assert coverage(runs[policy]).unused == ()


@pytest.mark.parametrize("policy", TESTS)
def test_the_checker_has_nothing_to_say(policy):
    assert [finding.message for finding in check([policy], TODAY).findings] == []


@pytest.mark.parametrize("policy", TESTS)
def test_a_policy_has_its_usual_form(policy):
    pytest.importorskip("tomlkit")
    from secure_serial.authoring.fmt import formatted

    for text in [policy_text(policy), *(Path(p).read_text("utf-8") for p in stack(policy)[1:])]:
        assert formatted(text) == text


# Names.


def test_tests_of_names_are_up_to_date(names):
    written = names.files()
    assert {f"names/{name}" for name in written} == {
        f"{name}.toml" for files in TESTS.values() for name in files if name.startswith("names/")
    }
    for name, text in written.items():
        assert (HERE / "names" / name).read_text(encoding="utf-8") == text


def test_keras_core_names_what_was_reviewed_and_nothing_else(names):
    """A function on the list would still be denied, for its kind: it must not be there at all."""
    tables = names.reviewed()
    public = {name.symbol for name in names.names() if name.kind in names.PUBLIC}
    reviewed = {name.symbol for name in names.names()} - public
    reviewed -= set(tables["left_out"]) | set(tables["only_legacy_keras2"])
    policy = load_policy("keras-core")
    assert {symbol for rule in policy.rules for symbol in rule.symbols} == reviewed
    assert all(not rule.registered for rule in policy.rules)


def test_each_reason_to_leave_something_out_is_in_the_documentation(names):
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    told = page[page.index("## The shipped policies") :]
    left_out = names.reviewed()["left_out"]
    assert [name for name in left_out if f"`{name.rpartition('.')[2]}`" not in told] == []


def test_what_is_let_in_for_some_arguments_has_effects(names):
    effects = {name.symbol for name in names.names() if name.effects}
    tables = names.reviewed()
    assert {*tables["by_arguments"], *tables["only_legacy_keras2"]} <= effects


# One policy and another.


@pytest.mark.parametrize("policy", ["strict", "inference-only"])
def test_a_narrower_policy_lets_in_nothing_that_keras_core_does_not(policy, capsys):
    assert main(["policy", "diff", "keras-core", policy, "--no-widening"]) == 0, (
        capsys.readouterr().out
    )


def test_no_rule_of_a_policy_repeats_one_of_what_it_extends():
    for policy in policy_names():
        own = tomllib.loads(policy_text(policy))
        for name in own.get("extends", ()):
            base = {rule.symbols for rule in load_policy(name).rules}
            rules = [rule for rule in own.get("allow", ()) if not rule.get("arguments")]
            assert not [rule["id"] for rule in rules if tuple(rule["symbols"]) in base]


# Real files.


@pytest.mark.skipif(not REAL.is_dir(), reason="the corpus of real files is not here")
def test_legacy_keras2_says_of_real_files_what_keras_core_says():
    """They are all of Keras 1 and 2."""
    ours, cores = (
        {file.name: file.status for file in scan(REAL / "configs", policy=policy).files}
        for policy in ("legacy-keras2", "keras-core")
    )
    assert ours == cores
    assert list(ours.values()).count(Status.ALLOWED) > 200


@pytest.mark.keras
def test_a_model_gets_past_inference_only_without_its_training(tmp_path, monkeypatch):
    """As the policy's own comment, and policies/README.md, tell people to do it."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    pytest.importorskip("h5py")
    from secure_serial import LoadDenied, load_model

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), keras.layers.Dropout(0.5)])
    model.compile("adam", "mse", metrics=["mae"])
    for name in ("trained.keras", "trained.h5"):
        model.save(tmp_path / name)
        for compiled in (True, False):
            with pytest.raises(LoadDenied) as caught:
                load_model(tmp_path / name, policy="inference-only", compile=compiled)
            assert caught.value.code == "SS302"
        load_model(tmp_path / name, compile=False).save(tmp_path / "for-inference.keras")
        loaded = load_model(tmp_path / "for-inference.keras", policy="inference-only")
        assert not loaded.compiled
        assert (keras.ops.convert_to_numpy(loaded(keras.ops.ones((1, 4)))).shape) == (1, 2)
