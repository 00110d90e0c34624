"""Every hostile file is refused when it comes through Keras's own `load_model`."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
pytest.importorskip("h5py", reason="hostile HDF5 files are made with h5py")
pytest.importorskip("yaml")

from attack.builders import CASES  # noqa: E402
from attack.stage import Stage  # noqa: E402
from attack.test_refused import staged  # noqa: E402, F401 (a fixture)

from secure_serial import enforcing  # noqa: E402
from secure_serial.errors import SecureSerialError  # noqa: E402

pytestmark = pytest.mark.keras


def params(cases):
    """Each case; what differs from another one in the place alone is left to the matrix task."""
    seen = set()
    for case in cases:
        name, _, form = case.id.rpartition(".")
        kind = (name.partition("@")[0], form)
        yield pytest.param(case, id=case.id, marks=[pytest.mark.matrix] if kind in seen else [])
        seen.add(kind)


class Kept:
    """A log in memory: 7,000 records on disk would take longer than all the rest."""

    durable = True

    def __init__(self):
        self.records = []

    def write(self, record):
        self.records.append(record)


@pytest.fixture
def log():
    return Kept()


@pytest.mark.parametrize("case", params(CASES))
def test_load_model_refuses_it(case, staged, log):  # noqa: F811
    """With safe mode off, too: what Keras would then run is not asked."""
    with (
        staged(case) as (_, path),
        enforcing("keras-core", log),
        pytest.raises(SecureSerialError) as caught,
    ):
        keras.models.load_model(path, safe_mode=False)
    assert "built" not in {record.get("outcome") for record in log.records}
    meant = {*case.errors, *(["ConstructionError"] if case.at_build else [])}
    assert {kind.__name__ for kind in type(caught.value).__mro__} & meant, repr(caught.value)


@pytest.mark.matrix
@pytest.mark.parametrize("case", params(case for case in CASES if case.config is not None))
def test_deserialize_refuses_it(case, tmp_path, log):
    stage = Stage(tmp_path / "stage")
    config = case.config(stage)
    stage.arm()
    try:
        with enforcing("keras-core", log), pytest.raises(SecureSerialError):
            keras.saving.deserialize_keras_object(config, safe_mode=False)
        assert stage.fired() == []
    finally:
        stage.close()
