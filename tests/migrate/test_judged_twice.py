"""A migrated load is judged before and after, and what a policy forbids stays forbidden."""

from __future__ import annotations

import json

import pytest

import secure_serial
from secure_serial.cli.main import main
from secure_serial.errors import ConstructionError, LoadDenied
from secure_serial.migrate import CannotMigrate
from secure_serial.policy.source import load_policy

DENSE = {"class_name": "Dense", "config": {"output_dim": 2, "batch_input_shape": [None, 3]}}
MAXOUT = {"class_name": "MaxoutDense", "config": {"output_dim": 2, "nb_feature": 2}}
LAMBDA = {"class_name": "Lambda", "config": {"function": ["4wEAAAA=", None, None],
                                             "function_type": "lambda"}}  # fmt: skip
UNKNOWN = {"class_name": "Wonder", "config": {}}
MULTIPLY = {"class_name": "TFOpLambda", "name": "f", "config": {"name": "f", "function": "math.multiply"},
            "inbound_nodes": [[["a", 0, 0, {"y": 2.0, "name": None}]]]}  # fmt: skip
STRICTER = """
schema = 1
name = "stricter"
extends = ["keras-core"]
[[deny]]
id = "no-old-dense"
symbols = ["%s"]
reason = "Not here."
"""


@pytest.fixture
def file(tmp_path):
    def write(*layers, name="old.json"):
        path = tmp_path / name
        path.write_text(json.dumps({"class_name": "Sequential", "config": list(layers)}))
        return path

    return write


def graph(node):
    return {"class_name": "Model", "config": {
        "name": "m",
        "layers": [{"name": "a", "class_name": "InputLayer", "inbound_nodes": [],
                    "config": {"batch_input_shape": [None, 4], "name": "a"}}, node],
        "input_layers": [["a", 0, 0]], "output_layers": [[node["name"], 0, 0]],
    }}  # fmt: skip


def migrate(path, tmp_path, *options):
    log = tmp_path / "audit.jsonl"
    out = tmp_path / "new.json"
    code = main(["migrate", str(path), "-o", str(out), "--audit", str(log), *options])
    records = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return code, records, out


def test_both_decisions_are_on_record(file, tmp_path):
    code, records, out = migrate(file(DENSE), tmp_path)
    assert code == 0
    assert [r["action"] for r in records] == ["migrate", "migrate"]
    assert len({r["load"] for r in records}) == 1
    first, second = (r["subject"]["judged_sha256"] for r in records)
    assert first != second
    assert json.loads(out.read_text())["module"] == "keras"


@pytest.mark.parametrize("layer", [LAMBDA, UNKNOWN])
def test_what_is_dangerous_is_denied_before_anything_is_migrated(file, tmp_path, layer):
    code, records, out = migrate(file(DENSE, layer), tmp_path)
    assert code == 1
    assert [r["event"] for r in records] == ["decision", "outcome"]
    assert not out.exists()
    with pytest.raises(LoadDenied):
        secure_serial.load_model(file(DENSE, layer), migrate=True)


def test_a_failed_migration_is_on_record(file, tmp_path):
    code, records, out = migrate(file(DENSE, MAXOUT), tmp_path)
    assert code == 4
    assert [r.get("outcome", "") for r in records] == ["", "failed"]
    assert not out.exists()
    with pytest.raises(CannotMigrate, match="MaxoutDense"):
        secure_serial.load_model(file(DENSE, MAXOUT), migrate=True)


def test_an_old_class_that_no_rule_speaks_of_may_be_replaced(tmp_path):
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(graph(MULTIPLY)))
    assert main(["scan", str(path)]) == 1  # keras-core has no rule for it
    code, records, _ = migrate(path, tmp_path)
    assert [r["effect"] for r in records] == ["deny", "allow"]
    assert code == 0


@pytest.mark.parametrize(
    "symbol", ["keras.legacy.layers.TFOpLambda", "keras.src.ops.numpy.Multiply"]
)
def test_a_deny_rule_holds_for_the_old_name_and_for_the_new(tmp_path, symbol):
    policy, path = tmp_path / "policy.toml", tmp_path / "graph.json"
    policy.write_text(STRICTER % symbol)
    path.write_text(json.dumps(graph(MULTIPLY)))
    code, records, out = migrate(path, tmp_path, "--policy", str(policy))
    assert code == 1
    assert records[-1]["outcome"] == "denied"
    assert not out.exists()


def test_a_file_that_is_there_is_not_written_over(file, tmp_path):
    (tmp_path / "new.json").write_text("mine")
    code, _, out = migrate(file(DENSE), tmp_path)
    assert code == 2
    assert out.read_text() == "mine"


def test_the_config_goes_to_stdout(file, capsys):
    assert main(["migrate", str(file(DENSE))]) == 0
    assert json.loads(capsys.readouterr().out)["class_name"] == "Sequential"


def test_without_being_asked_nothing_is_migrated(file):
    pytest.importorskip("keras")
    with pytest.raises(ConstructionError):
        secure_serial.load_model(file(DENSE))


@pytest.mark.keras
def test_a_whole_model_is_saved_with_its_weights(tmp_path):
    keras = pytest.importorskip("keras")
    from pathlib import Path

    keras.ops.zeros(1)
    old, new = Path(__file__).parent / "files" / "compiled.h5", tmp_path / "new.keras"
    assert main(["migrate", str(old), "-o", str(new), "--policy", "legacy-keras2"]) == 0
    policy = load_policy("keras-core")
    assert len(secure_serial.load_model(new, policy=policy).weights) == 4
    assert main(["migrate", str(old), "-o", str(new)]) == 2  # it is there already
    assert main(["migrate", str(old), "-o", str(new.with_suffix(".H5"))]) == 2  # not written here
    assert not new.with_suffix(".H5").exists()
