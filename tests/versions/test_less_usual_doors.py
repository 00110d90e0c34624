"""Ways into Keras that few programs take, each with a benign and a hostile input."""

from __future__ import annotations

import json
import os
import re

import pytest

from secure_serial import enforcing
from secure_serial.errors import LoadDenied, SecureSerialError, UnsafeArtifact

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
pytestmark = pytest.mark.keras

GIVEN = []


@keras.saving.register_keras_serializable("ssdoors")
class Told(keras.layers.Layer):
    """Of the program's own, and told what stands beside its config."""

    def build_from_config(self, config):
        GIVEN.append(config)

    def compile_from_config(self, config):
        GIVEN.append(config)

    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("key", ["build_config", "compile_config"])
@pytest.mark.parametrize(
    "value",
    [
        "/etc/passwd", "http://a.example/x", ["/etc/passwd"], [["hf://a/b"]], {"a": "/etc/passwd"},
        "QUJD" * 1000,
    ],
)  # fmt: skip
def test_a_path_beside_a_config_reaches_no_class(key, value):
    node = {
        "module": "m", "class_name": "Told", "config": {"name": "t"},
        "registered_name": "ssdoors>Told", key: value,
    }  # fmt: skip
    GIVEN.clear()
    with enforcing("keras-core"), pytest.raises(LoadDenied) as denied:
        keras.saving.deserialize_keras_object(node)
    assert {"SS320", "SS321"} & set(re.findall(r"SS\d{3}", f"{denied.value}"))
    with enforcing("keras-core"):
        keras.saving.deserialize_keras_object({**node, key: {"sizes": [1, 2]}})
    assert GIVEN == [{"sizes": [1, 2]}]


@keras.saving.register_keras_serializable("ssdoors")
class CompilesItself(keras.Model):
    """As Keras's guide to customized saving has it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)

    def compile(self, mine, penalty):
        super().compile(optimizer=mine, loss=penalty)
        self.mine, self.penalty = mine, penalty

    def get_compile_config(self):
        kept = {"mine": self.mine, "penalty": self.penalty}
        return {name: keras.saving.serialize_keras_object(each) for name, each in kept.items()}

    def compile_from_config(self, config):
        made = {n: keras.saving.deserialize_keras_object(each) for n, each in config.items()}
        self.compile(**made)


def test_a_model_that_compiles_itself_is_loaded(tmp_path):
    path = tmp_path / "m.keras"
    model = CompilesItself()
    model.compile(keras.optimizers.SGD(0.25), keras.losses.Huber(2.0))
    x = np.ones((1, 3), "float32")
    expected = model(x)
    model.save(path)
    with enforcing("keras-core"):
        loaded = keras.models.load_model(path)
        np.testing.assert_array_equal(loaded(x), expected)
        assert (type(loaded.mine), type(loaded.penalty)) == (
            keras.optimizers.SGD,
            keras.losses.Huber,
        )
        config = keras.saving.serialize_keras_object(model)
        config["compile_config"]["mine"] = {"module": "os", "class_name": "system", "config": {}}
        with pytest.raises(LoadDenied):
            keras.saving.deserialize_keras_object(config)


@pytest.mark.skipif(not hasattr(keras.layers, "GroupQueryAttention"), reason="of a later Keras")
def test_a_class_that_keras_exports_by_another_name_comes_from_hdf5(tmp_path):
    pytest.importorskip("h5py")
    start = keras.Input((3, 8))
    model = keras.Model(start, keras.layers.GroupQueryAttention(4, 4, 2)(start, start))
    model.save(tmp_path / "m.h5")
    x = np.ones((1, 3, 8), "float32")
    with enforcing("keras-core"):
        np.testing.assert_allclose(keras.models.load_model(tmp_path / "m.h5")(x), model(x))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000, "{", "{} {}", "{}\0", "\ufeff{}", "{} // no", '{"a": 1, "a": 2}', b"\xff{}",
        '{"class_name": "Dense"}'.encode("utf-16"), '{"a": "\ud800"}', bytearray(b"{"),
    ],
    ids=range(11),
)  # fmt: skip
def test_text_that_is_no_strict_json_ends_in_an_error_of_ours(text):
    with enforcing("keras-core"), pytest.raises(SecureSerialError):
        keras.models.model_from_json(text)


def test_what_is_no_text_is_keras_own_error():
    with enforcing("keras-core"):
        for value in (None, 10**15):
            with pytest.raises(TypeError):
                keras.models.model_from_json(value)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        for text in (model.to_json(), model.to_json().encode()):
            assert keras.models.model_from_json(text).count_params() == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="asks for a named pipe")
def test_the_first_shard_is_judged_though_the_index_does_not_name_it(tmp_path):
    h5py = pytest.importorskip("h5py")
    if not hasattr(keras.src.saving.saving_lib, "ShardedH5IOStore"):
        pytest.skip("this Keras has no shards")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])
    model.save_weights(tmp_path / "m_00001.weights.h5")
    index, first = tmp_path / "m.weights.json", tmp_path / "m_00000.weights.h5"

    def load(shards):
        index.write_text(json.dumps({"metadata": {}, "weight_map": {"/layers/dense/vars": shards}}))
        with enforcing("keras-core"):
            model.load_weights(index)

    with pytest.raises(SecureSerialError):
        load("m_00001.weights.h5")  # it is not there
    with h5py.File(first, "w") as file:
        file["out"] = h5py.ExternalLink("/etc/passwd", "/")
    with pytest.raises(UnsafeArtifact):
        load("m_00001.weights.h5")
    first.unlink()
    os.mkfifo(first)
    with pytest.raises(SecureSerialError):
        load("m_00001.weights.h5")
    for odd in ([["x"]], [{"a": 1}], 7):
        with pytest.raises(SecureSerialError):
            load(odd)


@pytest.mark.parametrize("policy", ["keras-core", "legacy-keras2"])
def test_a_pickled_module_is_refused_by_its_class_too(policy):
    wrapper = keras.layers.TorchModuleWrapper

    class Named(wrapper):
        pass

    for kind in (wrapper, Named):
        with enforcing(policy), pytest.raises(LoadDenied):
            kind.from_config({"name": "t", "module": "QUJDREVGR0g="})
