"""To show and to convert the functions of hostile files runs nothing of them."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("h5py", reason="hostile HDF5 files are made with h5py")
pytest.importorskip("yaml")

from attack.builders import CASES
from attack.stage import Stage

from secure_serial.cli.main import main

#: Each has the same few functions in another place.
HOLDING = [case for case in CASES if "lambda" in case.id][::5]


def test_nothing_of_a_hostile_function_runs_where_it_is_shown(tmp_path, capsys):
    codes = set()
    for number, case in enumerate(HOLDING):
        stage = Stage(tmp_path / str(number))
        path = case.build(stage)
        stage.arm()
        try:
            code = main(["lambda", "show", str(path)])
            codes.add(code)
            assert code in {0, 1, 3, 4}, case.id
            written = str(tmp_path / f"{number}.out")
            assert main(["lambda", "convert", str(path), "-o", written]) in {0, 1, 2, 3, 4}, case.id
            assert stage.fired() == [], case.id
        finally:
            stage.close()
    assert len(HOLDING) > 60
    assert 4 in codes
    out = capsys.readouterr().out
    assert "the name __import__" in out
