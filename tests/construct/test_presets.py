"""KerasHub's presets, which load through Keras's own functions: gated where a policy is in force.

Runs where KerasHub is installed: `pip install keras-hub`.
"""

from __future__ import annotations

import json

import pytest

from secure_serial import LoadDenied, UnsafeArtifact, enforcing

pytestmark = pytest.mark.keras
keras_hub = pytest.importorskip("keras_hub")
h5py = pytest.importorskip("h5py")
np = pytest.importorskip("numpy")


@pytest.fixture(scope="module")
def backbone():
    return keras_hub.models.BertBackbone(
        vocabulary_size=50, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16,
        max_sequence_length=12,
    )  # fmt: skip


@pytest.fixture
def preset(backbone, tmp_path):
    backbone.save_to_preset(str(tmp_path / "preset"))
    return tmp_path / "preset"


def test_a_preset_loads_with_its_weights_and_is_recorded(backbone, preset, tmp_path):
    log = tmp_path / "audit.jsonl"
    with enforcing("keras-core", log):
        loaded = keras_hub.models.Backbone.from_preset(str(preset))
    for one, other in zip(loaded.get_weights(), backbone.get_weights(), strict=True):
        assert np.array_equal(one, other)
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    symbols = {each["symbol"] for record in records for each in record.get("decisions", ())}
    assert "keras_hub>BertBackbone" in symbols


def test_a_policy_that_does_not_name_it_denies_it(preset):
    with enforcing("strict"), pytest.raises(LoadDenied, match="keras_hub>BertBackbone"):
        keras_hub.models.Backbone.from_preset(str(preset))


def test_a_hostile_preset_is_denied(preset):
    config = json.loads((preset / "config.json").read_text(encoding="utf-8"))
    config["config"]["dropout"] = {"module": "os", "class_name": "system", "config": "true"}
    (preset / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with enforcing("keras-core"), pytest.raises(LoadDenied):
        keras_hub.models.Backbone.from_preset(str(preset))


def test_so_are_weights_that_lead_elsewhere(preset, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    with h5py.File(preset / "model.weights.h5", "r+") as file:
        file["elsewhere"] = h5py.ExternalLink(str(tmp_path / "secret"), "/")
    with enforcing("keras-core"), pytest.raises(UnsafeArtifact):
        keras_hub.models.Backbone.from_preset(str(preset))
