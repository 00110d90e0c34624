"""Lambdas that this Keras wrote come back restricted, by its own functions, and as saved again."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
pytest.importorskip("h5py")
np = pytest.importorskip("numpy")

from secure_serial import LoadDenied, enforcing  # noqa: E402
from secure_serial.sandbox.restored import Restored  # noqa: E402

pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("form", ["keras", "h5"])
def test_a_lambda_comes_back_restricted(tmp_path, form):
    by, path = 2.0, tmp_path / f"m.{form}"
    made = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Lambda(lambda x: x / by - keras.ops.mean(x)),
            keras.layers.Dense(2),
        ]
    )
    made.save(path)
    data = np.ones((2, 3), "float32")
    wanted = made.predict(data, verbose=0)
    with enforcing("sandbox"):
        for number in range(2):
            # Before 3.11 `.h5` files had no safe mode of Keras's; ours is on unless it is said.
            again = keras.models.load_model(path, safe_mode=False)
            assert isinstance(again.layers[0].function, Restored)
            np.testing.assert_allclose(again.predict(data, verbose=0), wanted, rtol=1e-5)
            path = tmp_path / f"{number}.keras"
            again.save(path)
        with pytest.raises(LoadDenied):
            keras.models.load_model(path)
    with enforcing("keras-core"), pytest.raises(LoadDenied):
        keras.models.load_model(path, safe_mode=False)
