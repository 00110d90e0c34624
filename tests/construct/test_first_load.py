"""The first load of a process: what a backend does when it wakes up is no doing of a load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.keras
pytest.importorskip("keras")

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "examples" / "models" / "benign" / "mlp.keras"
DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}}
DOUBLED = {
    "schema": 1,
    "source": "lambda x: x * 2",
    "defaults": [],
    "kwdefaults": {},
    "closure": {},
}
LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"function": {"class_name": "__lambda__", "config": {"secure_serial": DOUBLED}}},
}


@pytest.mark.parametrize(
    "code",
    [
        "import secure_serial as s; s.load_model({path!r})",
        "import secure_serial as s, keras\nwith s.enforcing(): keras.saving.load_model({path!r})",
        "import secure_serial as s; s.deserialize_keras_object({dense!r})",
    ],
    ids=["load_model", "enforcing", "deserialize"],
)
def test_a_backend_may_look_for_processors_and_drivers(code):
    # A program's environment seldom says that there is nothing but a CPU; these tests' does.
    environ = {key: value for key, value in os.environ.items() if key != "JAX_PLATFORMS"}
    done = subprocess.run(
        [sys.executable, "-c", code.format(path=str(MODEL), dense=DENSE)],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_layer_alone_is_built_behind_the_doors():
    code = (
        "import secure_serial as s\n"
        f"layer = s.deserialize_keras_object({LAMBDA}, policy='sandbox', safe_mode=False)\n"
        "assert layer.function(3) == 6\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
