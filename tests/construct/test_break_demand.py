"""Technique: reach a function of a config by a door that forgets what its policy demands.

`test_demanded_walls` tries the ways that are ours. These are Keras's own, in a block of
`enforcing`, where the worker has every wall but one.
"""

import importlib
import logging

import pytest

from secure_serial import SandboxError, enforcing, parse_policy
from secure_serial.sandbox.wall import worker as workers

keras = pytest.importorskip("keras")
pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]

POLICY = parse_policy(
    'schema = 1\nextends = "sandbox"\nsandbox.demand = ["landlock"]\n', "demanding.toml"
)


def func_load(function):
    code = importlib.import_module("keras.src.utils.python_utils")
    return code.func_load(function["value"][0], None, None)


#: Each is given a function as Keras writes it for a layer, and the node of that layer.
DOORS = {
    "activations.deserialize": lambda function, layer: keras.activations.deserialize(function),
    "activations.get": lambda function, layer: keras.activations.get(function),
    "losses": lambda function, layer: keras.losses.deserialize(function),
    "metrics": lambda function, layer: keras.metrics.deserialize(function),
    "initializers": lambda function, layer: keras.initializers.get(function),
    "regularizers": lambda function, layer: keras.regularizers.get(function),
    "func_load": lambda function, layer: func_load(function),
    "layers.deserialize": lambda function, layer: keras.layers.deserialize(layer),
    "saving": lambda function, layer: keras.saving.deserialize_keras_object(layer, safe_mode=False),
    "from_config": lambda function, layer: keras.layers.Activation.from_config(layer["config"]),
    "legacy": lambda function, layer: importlib.import_module(
        "keras.src.legacy.saving.serialization"
    ).deserialize_keras_object(layer),
}


@pytest.fixture(autouse=True)
def _a_wall_too_few(monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL, "secure_serial.audit")

    def made(allowance, demand=frozenset()):
        return workers.Worker(allowance, {*demand, "moat"} if demand else ())

    monkeypatch.setattr(workers, "shared_worker", made)


@pytest.fixture
def _unsafe():
    from keras.src.backend.common import global_state

    keras.config.enable_unsafe_deserialization()
    yield
    global_state.set_global_attribute("safe_mode_saving", None)


@pytest.mark.usefixtures("_unsafe")
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_no_door_gives_the_function(door):
    layer = keras.saving.serialize_keras_object(keras.layers.Activation(lambda x: x + 1))
    function = layer["config"]["activation"]
    # Keras makes a TypeError of whatever ends a `from_config`.
    with enforcing(POLICY), pytest.raises((SandboxError, TypeError), match="SS506"):
        door(function, layer)
