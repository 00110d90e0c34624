"""The start-up hook, piece by piece: what it watches, and that nothing goes on without a seal."""

from __future__ import annotations

import importlib
import sys

import pytest

from secure_serial.construct import guard
from secure_serial.errors import InvalidPolicy
from secure_serial.policy.source import load_policy
from secure_serial.startup import sitecustomize as hook
from secure_serial.startup import told


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that is watched, and the list of seals that it brought about."""
    (tmp_path / "watched_here.py").write_text("value = 1", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(hook, "_WATCHED", {"watched_here"})
    seals = []
    monkeypatch.setattr(hook, "seal", seals.append)
    monkeypatch.setattr(sys, "meta_path", [hook.Watch(), *sys.meta_path])
    yield seals
    sys.modules.pop("watched_here", None)


def test_a_watched_package_is_sealed_after_it_ran(package):
    module = importlib.import_module("watched_here")
    assert package == ["watched_here"]
    assert type(module.__loader__).__name__ == type(module.__spec__.loader).__name__ != "_Then"
    importlib.reload(module)
    assert package == ["watched_here"] * 2


def test_a_folder_that_is_no_package_is_sealed_too(package, tmp_path, monkeypatch):
    (tmp_path / "watched_folder").mkdir()
    monkeypatch.setattr(hook, "_WATCHED", {"watched_folder"})
    importlib.import_module("watched_folder")
    sys.modules.pop("watched_folder")
    assert package == ["watched_folder"]


def test_one_that_fails_to_import_seals_nothing(package, tmp_path):
    (tmp_path / "watched_here.py").write_text("1/0", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("watched_here")
    assert not package


class Old:
    """A finder of the kind before PEP 451, which Python 3.11 still asks."""

    def find_module(self, *_):
        return None


@pytest.mark.filterwarnings("ignore::ImportWarning")
def test_what_is_not_there_is_not_found(package, monkeypatch):
    monkeypatch.setattr(hook, "_WATCHED", {"no_such_package"})
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Old()])
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_package")


def test_a_barred_package(package):
    with pytest.raises(ImportError, match="no policy holds"):
        importlib.import_module("tf_keras")


def test_a_seal_that_fails_ends_the_process(monkeypatch, capsys):
    monkeypatch.setattr(hook.os, "_exit", sys.exit)
    monkeypatch.setattr(told, "obey", lambda *_, **__: 1 / 0)
    with pytest.raises(SystemExit) as end:
        hook.seal("keras")
    assert end.value.code == 2
    assert "cannot be sealed" in capsys.readouterr().err


@pytest.fixture
def unsealed(monkeypatch):
    monkeypatch.setattr(guard, "_seal", [])
    monkeypatch.setattr(told, "_sealed", [])


def prepared(tmp_path, policies=("strict",)):
    return told.prepare(
        tmp_path / "run", policies, load_policy(policies), str(tmp_path / "audit.jsonl")
    )


def test_what_is_told_is_obeyed_once(unsealed, tmp_path):
    folder = prepared(tmp_path)
    told.obey(str(folder), keras=False)
    told.obey(str(folder), keras=False)
    assert [each.policy.name for each in guard._seal] == ["strict"]


def test_the_doors_are_closed_when_keras_is_there(unsealed, tmp_path):
    saving = pytest.importorskip("keras").saving
    told.obey(str(prepared(tmp_path)), keras=True)
    assert saving.load_model.is_gate


def test_equal_runs_share_a_folder(tmp_path):
    assert prepared(tmp_path) == prepared(tmp_path)
    assert prepared(tmp_path, ("keras-core", "strict")) != prepared(tmp_path)


def test_another_run_may_write_the_same_meanwhile(tmp_path):
    place = prepared(tmp_path)
    files = {name: (place / name).read_bytes() for name in ("seal.json", "sitecustomize.py")}
    told._write(place, files)  # as if it had not been there when it was looked for
    assert [each.name for each in place.parent.iterdir()] == [place.name]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "run").write_text("in the way", encoding="utf-8")
    with pytest.raises(InvalidPolicy, match="cannot be written"):
        prepared(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, '{"policies": 1, "sha256": 2}'])
def test_what_cannot_be_read_is_not_obeyed(unsealed, tmp_path, text):
    (tmp_path / "seal.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidPolicy):
        told.obey(str(tmp_path), keras=False)
    assert not guard._seal
