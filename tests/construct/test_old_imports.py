"""Doors that only code reaches which took hold of Keras's functions before a policy was in force.

A closure or an attribute keeps Keras's own `deserialize_keras_object`; what that one calls by
a module's name is gated all the same.
"""

from __future__ import annotations

import json

import pytest
from plan.plans import layer, node, sequential

from secure_serial import LoadDenied, MalformedArtifact, enforcing
from secure_serial.policy.source import parse_policy

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

from keras.src.legacy.saving import json_utils, saving_utils, serialization  # noqa: E402
from keras.src.saving import saving_lib, serialization_lib  # noqa: E402

#: As a program would hold it that imported it into a closure long ago.
_deserialize = serialization_lib.deserialize_keras_object
while hasattr(_deserialize, "__wrapped__"):  # another test may have put the doors there
    _deserialize = _deserialize.__wrapped__

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2},
         "registered_name": None}  # fmt: skip
NO_DENSE = parse_policy(
    'schema = 1\nextends = "keras-core"\n[[deny]]\nid = "no"\nsymbols = ["keras.layers.Dense"]',
    "no-dense.toml",
)


@keras.saving.register_keras_serializable("old_imports")
class Own:
    @classmethod
    def from_config(cls, config):
        return cls()

    def get_config(self):
        return {}


def test_what_is_allowed_comes_back():
    with enforcing("keras-core"):
        assert _deserialize(DENSE).units == 2
        assert _deserialize("a name") == "a name"
        own = _deserialize({"class_name": "Own", "registered_name": "old_imports>Own",
                            "module": __name__, "config": {}})  # fmt: skip
        assert type(own) is Own
        named = {"module": "builtins", "class_name": "function", "config": "relu",
                 "registered_name": "function"}  # fmt: skip
        assert _deserialize(named) is keras.activations.relu


@pytest.mark.parametrize(
    "config",
    [
        node("os", "system", "true"),
        node("keras.utils", "get_file", {"fname": "x"}),
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "x"},
        {"module": "keras.layers", "class_name": "Dense", "registered_name": "old_imports>Own",
         "config": {}},
    ],
    ids=["module", "function-of-keras", "function", "names-disagree"],
)  # fmt: skip
def test_what_is_not_allowed_is_refused(config):
    with enforcing("keras-core"), pytest.raises(LoadDenied):
        _deserialize(config)


def test_the_policy_decides_on_each_name():
    with enforcing(NO_DENSE), pytest.raises(LoadDenied, match="no"):
        _deserialize(DENSE)


def test_the_start_of_a_model_from_any_loader_is_a_load():
    model = sequential(layer("InputLayer", batch_shape=[None, 4]), layer("Dense", units=2))
    text = json.dumps(model)
    with enforcing("keras-core"):
        loaded = saving_lib._model_from_config(text, None, True, True)
        assert loaded.output_shape == (None, 2)
        assert saving_lib._model_from_config(text.encode(), None, True, True).built
    with enforcing(NO_DENSE), pytest.raises(LoadDenied):
        saving_lib._model_from_config(text, None, True, True)


def test_the_legacy_resolver_has_a_plan_for_a_config_and_a_decision_for_a_name():
    config = {"class_name": "Dense", "config": {"units": 2}}
    own = {"mine": lambda x: x}  # other names it looks up where Keras 3 has no table any more
    with enforcing("keras-core"):
        assert saving_utils.model_from_config(config).units == 2
        assert serialization.deserialize_keras_object("mine", {}, own) is own["mine"]
        assert serialization.deserialize_keras_object(keras.activations.relu) is not None
    with enforcing("strict"), pytest.raises(LoadDenied, match="no rule allows"):
        serialization.deserialize_keras_object("mine", {}, own)
    with enforcing(NO_DENSE), pytest.raises(LoadDenied):
        saving_utils.model_from_config(config)
    with enforcing("keras-core"), pytest.raises(LoadDenied):
        saving_utils.model_from_config({"class_name": "deserialize", "config": {"config": {}}})


def test_json_of_keras_2_is_read_strictly():
    shape = {"class_name": "__tuple__", "items": [1, {"class_name": "__ellipsis__"}]}
    with enforcing("keras-core"):
        assert json_utils.decode(json.dumps({"a": shape})) == {"a": (1, ...)}
        with pytest.raises(MalformedArtifact):
            json_utils.decode('{"a": 1, "a": 2}')
        spec = {"class_name": "TypeSpec", "type_spec": "x", "serialized": []}
        assert json_utils.decode(json.dumps(spec).encode()) == spec
