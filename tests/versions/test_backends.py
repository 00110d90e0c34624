"""What only one backend has: modules of PyTorch in a file, and SavedModels of TensorFlow."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
pytest.importorskip("h5py")

from secure_serial import enforcing, parse_policy  # noqa: E402
from secure_serial.errors import LoadDenied  # noqa: E402

BACKEND = keras.backend.backend()
#: What a careless policy lets in: neither can be covered, so neither is let in.
POLICIES = {
    "keras-core": "keras-core",
    "careless": parse_policy(
        'schema = 1\nextends = "keras-core"\n[[allow]]\nid = "careless"\nsymbols = ["keras.layers.*"]',
        "careless.toml",
    ),
}

pytestmark = pytest.mark.keras
each_policy = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
each_form = pytest.mark.parametrize("form", ["keras", "h5"])


class Bomb:
    """What unpickling a module would run; it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.skipif(BACKEND != "torch", reason="a layer of PyTorch")
@pytest.mark.parametrize("hostile", [False, True])
@each_policy
@each_form
def test_a_module_of_pytorch_is_not_unpickled(tmp_path, form, policy, hostile):
    import torch

    path, trap = tmp_path / f"m.{form}", tmp_path / "sprung"
    module = torch.nn.Linear(2, 2)
    wrapper = keras.layers.TorchModuleWrapper(module)
    if isinstance(wrapper.get_config()["module"], bytes):
        pytest.skip("this Keras cannot save one; tests/attack has such files, made by hand")
    if hostile:
        module.bomb = Bomb(str(trap))
    keras.Sequential([keras.Input((2,)), wrapper]).save(path)
    with enforcing(policy), pytest.raises(LoadDenied):
        keras.models.load_model(path, safe_mode=False)
    assert not trap.exists()
    if hostile and form == "keras":  # the bomb is one
        keras.models.load_model(path, safe_mode=False)
        assert trap.exists()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a layer of TensorFlow")
@each_policy
@each_form
def test_a_saved_model_of_tensorflow_is_not_opened(tmp_path, form, policy):
    path = tmp_path / f"m.{form}"
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    inner.export(tmp_path / "exported")
    wrapper = keras.layers.TFSMLayer(str(tmp_path / "exported"), call_endpoint="serve")
    start = keras.Input((2,))
    keras.Model(start, wrapper(start)).save(path)
    with enforcing(policy), pytest.raises(LoadDenied):
        keras.models.load_model(path, safe_mode=False)
    if form == "keras":  # the file is a good one
        model = keras.models.load_model(path, safe_mode=False)
        one = np.ones((1, 2), "float32")
        np.testing.assert_allclose(model(one), inner(one), rtol=1e-6)
