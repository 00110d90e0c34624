"""The example models are what their script makes, and what their README says of them."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest

import secure_serial

FOLDER = Path(__file__).resolve().parents[2] / "examples"
MODELS = FOLDER / "models"
FILES = sorted(path for path in MODELS.rglob("*") if path.is_file())


def names(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("make_models", FOLDER / "make_models.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(maker, tmp_path_factory):
    pytest.importorskip("keras")
    folder = tmp_path_factory.mktemp("examples")
    maker.make(folder)
    return folder


def content(path):
    """What a file says; the bytecode in it belongs to one release of Python."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            text = archive.read("config.json").decode()
        return json.loads(re.sub(r'"code": "[^"]*"', '"code": ""', text))
    if path.suffix == ".h5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(path) as file:
            return json.loads(file.attrs["model_config"])
    return path.read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_verdict_is_as_the_readme_says(path):
    """Benign passes; hostile is refused, or cannot be read at all."""
    statuses = {str(file.status) for file in secure_serial.scan([path]).files}
    assert statuses <= ({"allowed"} if path.parent.name == "benign" else {"denied"})
    assert statuses


def test_readme_names_every_file():
    text = (FOLDER / "README.md").read_text()
    assert all(f"`{path.name}`" in text for path in FILES)
    assert FILES


def test_they_are_small():
    assert sum(path.stat().st_size for path in FILES) < 300_000


@pytest.mark.keras
def test_script_makes_the_same_models(made):
    """The files here are the script's work."""
    assert names(made) == names(MODELS)
    for name in names(made):
        assert content(made / name) == content(MODELS / name), name


@pytest.mark.keras
def test_script_is_deterministic(maker, made, tmp_path):
    """Twice made, the same bytes."""
    maker.make(tmp_path)
    for name in names(made):
        assert (made / name).read_bytes() == (tmp_path / name).read_bytes(), name


@pytest.mark.keras
@pytest.mark.parametrize(
    "path", [path for path in FILES if path.parent.name == "benign"], ids=lambda path: path.name
)
def test_benign_ones_load(path):
    pytest.importorskip("keras")
    assert secure_serial.load_model(path).count_params() > 0


def test_hostile_bytecode_names_no_machine():
    """The payload carries the name of a file: not one of the machine that made it."""
    raw = (MODELS / "hostile" / "lambda_layer.keras").read_bytes()
    assert sys.prefix.encode() not in raw
