"""`load` builds a real model under the policy, on the record, or says why not."""

from __future__ import annotations

import json
import re

import pytest

from secure_serial.cli.main import main


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "state"))
    return tmp_path / "state" / "secure_serial" / "audit.jsonl"


@pytest.fixture
def saved(tmp_path):
    keras = pytest.importorskip("keras")
    model = keras.Sequential(
        [keras.Input((3,), name="in"), keras.layers.Dense(2, name="wide\u3000name")], name="net"
    )
    path = tmp_path / "m.keras"
    model.save(path)
    return str(path)


def config(tmp_path, *layers):
    path = tmp_path / "c.json"
    root = {"class_name": "Sequential", "config": {"name": "net", "layers": list(layers)}}
    path.write_text(json.dumps(root))
    return str(path)


@pytest.mark.keras
def test_a_model_is_loaded_summed_up_and_recorded(saved, state, capsys):
    assert main(["load", saved]) == 0
    out, err = capsys.readouterr()
    assert "net" in out
    assert "wide\\u3000name" in out
    assert str(state) in err
    assert "all allowed by keras-core" in err
    assert "2 layers" in err
    records = [json.loads(line) for line in state.read_text().splitlines()]
    assert [r["event"] for r in records] == ["decision", "outcome"]
    assert records[1]["outcome"] == "built"


@pytest.mark.keras
def test_a_model_as_json(saved, tmp_path, capsys):
    log = tmp_path / "log.jsonl"
    assert main(["load", saved, "--format", "json", "--audit", str(log)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["loaded"] is True
    assert data["model"]["name"] == "net"
    assert data["model"]["parameters"] == 8
    assert data["model"]["input_shape"] == [None, 3]
    assert data["decisions"]["requests"] == sum(data["decisions"]["kinds"].values())
    assert log.read_text().count("\n") == 2


@pytest.mark.keras
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_denied_model_is_explained_as_a_scan_would(tmp_path, state, capsys, form):
    pytest.importorskip("keras")
    path = config(tmp_path, {"class_name": "Evil", "config": {"name": "\x1b[2J"}})
    assert main(["load", path, "--format", form]) == 1
    out, err = capsys.readouterr()
    assert re.search(r"\bSS3\d\d\b", out)
    assert "\x1b" not in out + err
    assert [json.loads(line)["event"] for line in state.read_text().splitlines()] == [
        "decision",
        "outcome",
    ]
    if form == "json":
        assert json.loads(out)["loaded"] is False


@pytest.mark.keras
def test_what_is_allowed_and_cannot_be_built_is_no_finding(tmp_path, state, capsys):
    pytest.importorskip("keras")
    path = config(tmp_path, {"class_name": "Dense", "config": {"name": "d", "units": -1}})
    assert main(["load", path, "--format", "json"]) == 4
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]
    assert "SS601" in err
    assert "Traceback" not in err


@pytest.mark.keras
@pytest.mark.parametrize(
    ("name", "text", "code"),
    [("absent.json", None, 4), ("two.json", '{"class_name": 1, "class_name": 2}', 1)],
)
def test_a_file_at_fault_ends_as_in_a_scan(tmp_path, state, capsys, name, text, code):
    pytest.importorskip("keras")
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    assert main(["load", str(path)]) == main(["scan", str(path)]) == code


def test_without_keras_the_extra_is_named(tmp_path, state, capsys, monkeypatch):
    monkeypatch.setattr("secure_serial.cli.backend.is_installed", lambda _: False)
    assert main(["load", config(tmp_path)]) == 2
    assert "pip install keras" in capsys.readouterr().err
    assert not state.exists()


def test_a_log_that_cannot_be_written_means_no_load(tmp_path, capsys):
    pytest.importorskip("keras")
    path = config(tmp_path, {"class_name": "Flatten", "config": {"name": "f"}})
    assert main(["load", path, "--audit", str(tmp_path / "no" / "log")]) == 2
    assert "SS401" in capsys.readouterr().err


def test_what_a_policy_that_is_being_introduced_would_deny_is_said(tmp_path, capsys):
    policy = tmp_path / "ours.toml"
    policy.write_text('schema = 1\nmode = "report"\nreport_until = 2099-01-01', encoding="utf-8")
    config = tmp_path / "config.json"
    config.write_text(
        '{"class_name": "Sequential", "config": {"name": "s", "layers": []}}', encoding="utf-8"
    )
    assert (
        main(["load", str(config), "--policy", str(policy), "--audit", str(tmp_path / "a.jsonl")])
        == 0
    )
    assert (
        "would be denied: /: keras.Sequential: no rule allows keras.Sequential"
        in capsys.readouterr().err
    )
    assert '"lifted":"report"' in (tmp_path / "a.jsonl").read_text("utf-8")
