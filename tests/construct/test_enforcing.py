"""Code that calls Keras itself, while a policy is in force."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import pickle
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from plan.plans import layer, node, sequential

from secure_serial import deserialize_keras_object, enforcing, load_model
from secure_serial.audit.log import AuditLog
from secure_serial.construct import guard
from secure_serial.errors import (
    ArtifactError,
    AuditError,
    InvalidPolicy,
    LoadDenied,
    UnsafeArtifact,
    UnsupportedFormat,
)
from secure_serial.policy.source import parse_policy

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
pytestmark = pytest.mark.keras

from keras.models import load_model as imported_by_name  # noqa: E402

HOSTILE = node("os", "system", {"command": "true"})
NOTHING = parse_policy("schema = 1", "nothing.toml")
NO_RELU = parse_policy(
    'schema = 1\nextends = "keras-core"\n[[deny]]\nid = "no"\nsymbols = ["keras.activations.relu"]',
    "no-relu.toml",
)


@pytest.fixture(scope="module")
def model():
    made = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)]
    )
    made.compile("adam", "mse")
    return made


@pytest.fixture
def log(tmp_path):
    return tmp_path / "audit.jsonl"


def records(log):
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def same(one, other):
    return all(
        np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True)
    )


def saved(model, folder, name):
    path = folder / name
    model.save(path)
    return path


# What Keras's own functions load is gated, and benign models come back as ever.


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
@pytest.mark.parametrize(
    "load", [keras.models.load_model, keras.saving.load_model, imported_by_name]
)
def test_a_benign_model_loads_by_keras_itself_and_is_on_record(model, tmp_path, log, name, load):
    path = saved(model, tmp_path, name)
    with enforcing("keras-core", log):
        assert same(load(path), model)
        assert same(load(str(path), compile=False), model)
    events = [
        r["event"] for r in records(log) if r.get("action") == "load" or r["event"] == "outcome"
    ]
    assert events[:2] == ["decision", "outcome"]


def doors(folder):
    """Every way that a hostile config may come to Keras."""
    text = json.dumps(HOSTILE)

    def by_path():
        path = folder / "config.json"
        path.write_text(text, encoding="utf-8")
        return keras.models.load_model(path)

    inside = sequential(layer("InputLayer", batch_shape=[None, 1]), HOSTILE)
    return {
        "load_model": by_path,
        "model_from_json": lambda: keras.models.model_from_json(text),
        "nested": lambda: keras.models.model_from_json(json.dumps(inside)),
        "from_config": lambda: keras.Sequential.from_config(inside["config"]),
        "deserialize": lambda: keras.saving.deserialize_keras_object(HOSTILE),
        "layers.deserialize": lambda: keras.layers.deserialize(HOSTILE),
        "optimizers.get": lambda: keras.optimizers.get(HOSTILE),
        "losses.deserialize": lambda: keras.losses.deserialize(HOSTILE),
        "activations.get": lambda: keras.activations.get(HOSTILE),
        "legacy": lambda: keras.Sequential.from_config(
            {"name": "s", "layers": [{"class_name": "serialize", "config": {}}]}
        ),
    }


@pytest.mark.parametrize("door", sorted(doors(None)))
def test_a_hostile_config_is_refused_at_every_door(tmp_path, log, door):
    with enforcing("keras-core", log), pytest.raises(LoadDenied):
        doors(tmp_path)[door]()
    assert "deny" in [r.get("effect") for r in records(log)]


def test_code_is_not_unmarshalled_at_any_door(log):
    lambda_ = {"class_name": "__lambda__", "config": {"value": ["4wE=", None, None]}}
    from keras.src.utils import python_utils

    keras.config.enable_unsafe_deserialization()
    try:
        with enforcing("keras-core", log):
            with pytest.raises(LoadDenied, match="SS303"):
                keras.saving.deserialize_keras_object(lambda_, safe_mode=False)
            with pytest.raises(LoadDenied, match="SS303"):
                python_utils.func_load("4wE=")
    finally:
        from keras.src.saving import serialization_lib

        serialization_lib.global_state.set_global_attribute("safe_mode_saving", None)


def test_a_pickled_model_is_loaded_through_the_gate(model, log):
    data = pickle.dumps(model)
    with enforcing("keras-core", log):
        assert same(pickle.loads(data), model)
    assert "load" in [r.get("action") for r in records(log)]
    with enforcing(NOTHING), pytest.raises(LoadDenied):
        pickle.loads(data)


def test_an_open_hdf5_file_cannot_be_judged_and_is_refused(model, tmp_path):
    h5py = pytest.importorskip("h5py")
    from keras.src.legacy.saving import legacy_h5_format

    with (
        h5py.File(saved(model, tmp_path, "m.h5")) as file,
        enforcing(),
        pytest.raises(UnsupportedFormat),
    ):
        legacy_h5_format.load_model_from_hdf5(file)


def test_a_saved_folder_and_a_file_in_memory_load_through_the_gate(model, tmp_path, log):
    model.save(tmp_path / "folder", zipped=False)
    data = saved(model, tmp_path, "m.keras").read_bytes()
    from keras.src.saving import saving_lib

    with enforcing("keras-core", log):
        assert same(keras.models.load_model(tmp_path / "folder"), model)
        assert same(saving_lib.load_model(io.BytesIO(data)), model)
    assert [r.get("action") for r in records(log) if r["event"] == "decision"][:1] == ["load"]
    with enforcing(NOTHING):
        for given in (tmp_path / "folder", io.BytesIO(data)):
            with pytest.raises(LoadDenied):
                saving_lib.load_model(given)


class Backbone(keras.layers.Layer):
    """A class of the program's own that loads a model while it is built."""

    path = ""

    @staticmethod
    def how(path):
        return keras.models.load_model(
            path, compile=False
        )  # Keras alone cannot compile its .h5 again

    def __init__(self, **options):
        super().__init__(**options)
        self.inner = type(self).how(self.path)


@pytest.mark.parametrize("name", ["inner.keras", "inner.h5"])
def test_a_model_that_a_class_loads_while_it_is_built_is_a_load_of_its_own(
    model, tmp_path, log, name, monkeypatch
):
    monkeypatch.setattr(Backbone, "path", saved(model, tmp_path, name))
    outer = saved(
        keras.Sequential([keras.Input((4,)), Backbone(name="b")]), tmp_path, "outer.keras"
    )
    for how in (keras.models.load_model, imported_by_name):
        monkeypatch.setattr(Backbone, "how", staticmethod(how))
        loaded = load_model(outer, audit=log, custom_objects={"Backbone": Backbone})
        assert same(loaded.layers[0].inner, model)
    assert len([r for r in records(log) if r.get("action") == "load"]) == 4
    monkeypatch.setattr(Backbone, "path", tmp_path / "bad.json")
    Backbone.path.write_text(json.dumps(HOSTILE), encoding="utf-8")
    with pytest.raises(LoadDenied, match=r"os\.system"):
        load_model(outer, audit=log, custom_objects={"Backbone": Backbone})
    data = pickle.dumps(model)
    monkeypatch.setattr(Backbone, "how", staticmethod(lambda _path: pickle.loads(data)))
    with pytest.raises(LoadDenied, match=r"pickle\.find_class"):
        load_model(outer, audit=log, custom_objects={"Backbone": Backbone})


# Weights.


def test_weights_are_read_by_our_reader_first(model, tmp_path):
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    twin = keras.models.clone_model(model)
    with enforcing():
        twin.load_weights(path)
        assert same(twin, model)
        path.write_bytes(path.read_bytes()[:200])
        with pytest.raises(ValueError, match="SS1"):
            twin.load_weights(path)


def test_every_shard_of_weights_is_read_by_our_reader_first(model, tmp_path):
    path = tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=6e-8)
    shards = sorted(tmp_path.glob("*.h5"))
    assert len(shards) > 1
    twin = keras.models.clone_model(model)
    with enforcing():
        twin.load_weights(path)
        assert same(twin, model)
        shards[-1].write_bytes(shards[-1].read_bytes()[:100])
        with pytest.raises(ValueError, match="SS1"):
            twin.load_weights(path)
        path.write_text('{"metadata": {}, "weight_map": {"a": "../other.h5"}}', encoding="utf-8")
        with pytest.raises(UnsafeArtifact, match="not beside it"):
            twin.load_weights(path)


def test_weights_that_link_out_of_their_file_are_refused(model, tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        file["out"] = h5py.ExternalLink("/etc/passwd", "/")
    with enforcing(), pytest.raises(UnsafeArtifact):
        model.load_weights(path)


def test_weights_that_are_not_there_end_in_an_error_that_names_them(model, tmp_path):
    path = tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=6e-8)
    shard = min(tmp_path.glob("*.h5"))
    shard.unlink()
    index = tmp_path / "broken.weights.json"
    index.write_text('{"weight_map": [', encoding="utf-8")
    folder = tmp_path / "folder.weights.json"
    folder.mkdir()
    cases = {
        path: shard, index: index, folder: folder,
        tmp_path / "no.weights.json": tmp_path / "no.weights.json",
        tmp_path / "no.weights.h5": tmp_path / "no.weights.h5",
        tmp_path / "no.keras": tmp_path / "no.keras",
        "hf://acme/m.weights.json": "hf://acme/m.weights.json", "a\0b.weights.json": "a\0b",
    }  # fmt: skip
    with enforcing():
        for given, at_fault in cases.items():
            with pytest.raises(ArtifactError) as caught:
                model.load_weights(given)
            assert str(at_fault) in caught.value.where.file, given
            assert caught.value.code.startswith("SS1")
            assert caught.value.help


class Busy(keras.layers.Dense):
    """A layer that does something while its weights are loaded, and swallows the refusal."""

    at_work = False

    def load_own_variables(self, store):
        super().load_own_variables(store)
        if self.at_work:
            with contextlib.suppress(Exception):
                os.system("true")


@pytest.mark.parametrize("form", ["m.weights.h5", "m.weights.json", "m.keras"])
def test_weights_are_loaded_behind_the_tripwire(tmp_path, log, form, monkeypatch):
    path = tmp_path / form
    model = keras.Sequential([keras.Input((2,)), Busy(1)])
    if form == "m.keras":
        model.save(path)
    else:
        model.save_weights(path, **({"max_shard_size": 6e-8} if "json" in form else {}))
    with enforcing("keras-core", log):
        model.load_weights(path)
        monkeypatch.setattr(Busy, "at_work", True)
        with pytest.raises(LoadDenied, match=r"os\.system") as caught:
            model.load_weights(path)
    assert caught.value.code == "SS350"
    assert caught.value.where.file == str(path)
    wired = [each for each in records(log) if each["event"] == "tripwire"]
    assert [each["announced"] for each in wired] == ["os.system"]
    assert [each["load"] for each in caught.value.records] == [wired[0]["load"]]


# What the program does by itself.


def test_the_programs_own_names_are_decided_and_recorded_once(log):
    with enforcing("keras-core", log):
        for _ in range(3):
            keras.layers.Dense(2, activation="relu")
        keras.layers.Bidirectional(keras.layers.LSTM(3))
        keras.layers.Bidirectional(keras.layers.LSTM(3))
    own = [
        (d["symbol"], d["field"])
        for r in records(log)
        if r["event"] == "resolution"
        for d in r["decisions"]
    ]
    assert ("keras.activations.relu", "activation") in own
    assert len(own) == len(set(own))
    with enforcing(NO_RELU):
        keras.layers.Dense(2, activation="tanh")
        with pytest.raises(LoadDenied, match=r"keras\.activations\.relu"):
            keras.layers.Dense(2, activation="relu")


def test_a_program_may_pass_what_it_likes_that_names_nothing():
    with enforcing():
        assert keras.activations.get(len) is len
        assert keras.layers.Dense(2, activation=lambda x: x)
        with pytest.raises(ValueError, match="Could not interpret"):
            keras.activations.get("no such thing")


def test_training_and_cloning_go_on(model):
    with enforcing():
        twin = keras.models.clone_model(model)
        twin.compile("sgd", "mse", metrics=["mae"])
        twin.fit(np.zeros((4, 4)), np.zeros((4, 1)), verbose=0)


# Which policy holds where.


def test_outside_the_block_keras_is_as_it_was():
    with enforcing(NO_RELU):
        pass
    assert keras.layers.Dense(2, activation="relu")


def test_a_block_in_a_block_can_only_narrow():
    with enforcing(NOTHING), enforcing("keras-core"), pytest.raises(LoadDenied):
        keras.layers.deserialize(layer("Dense", units=1))
    with enforcing("keras-core"), enforcing(NO_RELU), pytest.raises(LoadDenied):
        keras.activations.get("relu")


def test_our_own_functions_obey_the_block_too(tmp_path):
    from secure_serial import deserialize_keras_object

    with enforcing(NOTHING):
        for policy in (None, "keras-core"):
            with pytest.raises(LoadDenied):
                deserialize_keras_object(layer("Dense", units=1), policy=policy)


def test_every_log_on_the_way_has_the_record(tmp_path, log):
    inner = tmp_path / "inner.jsonl"
    with enforcing("keras-core", log), enforcing("keras-core", AuditLog(inner)):
        keras.layers.deserialize(layer("Dense", units=1))
    assert records(inner)
    assert [r["event"] for r in records(inner)] == [r["event"] for r in records(log)]


def test_a_policy_that_demands_a_log_is_not_in_force_without_one():
    demanding = parse_policy('schema = 1\naudit = "required"')
    with pytest.raises(AuditError), enforcing(demanding):
        pytest.fail("it must not come so far")
    with pytest.raises(InvalidPolicy), enforcing("no-such-policy"):
        pytest.fail("it must not come so far")


def test_a_log_that_cannot_be_written_means_no_load(tmp_path):
    with enforcing("keras-core", tmp_path / "no" / "log"), pytest.raises(AuditError):
        keras.layers.deserialize(layer("Dense", units=1))


def allowed():
    try:
        keras.activations.get("relu")
    except LoadDenied:
        return False
    return True


def test_threads_and_tasks_have_policies_of_their_own():
    found = {}

    def in_thread(name, policy, barrier):
        with enforcing(policy):
            barrier.wait(10)
            found[name] = allowed()
            barrier.wait(10)

    barrier = threading.Barrier(2)
    threads = [
        threading.Thread(target=in_thread, args=(name, policy, barrier))
        for name, policy in (("core", "keras-core"), ("none", NO_RELU))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def in_task(name, policy):
        with enforcing(policy):
            await asyncio.sleep(0.01)
            found[name] = allowed()
            await asyncio.sleep(0.01)

    async def both():
        await asyncio.gather(in_task("task", "keras-core"), in_task("other task", NO_RELU))

    asyncio.run(both())
    assert found == {"core": True, "none": False, "task": True, "other task": False}


SEALED = """
import threading
import keras, secure_serial
from secure_serial import enforcing, seal, parse_policy, LoadDenied
deny = parse_policy('schema = 1\\nextends = "keras-core"\\n[[deny]]\\nid = "no"\\nsymbols = ["keras.activations.relu"]')
def check(name):
    try:
        keras.activations.get("relu")
    except LoadDenied:
        print(name, "denied")
    else:
        print(name, "allowed")
with enforcing("keras-core"):
    check("before")
    seal(deny)
    check("in an older block")
check("after")
with enforcing("keras-core"):
    check("in a newer block")
seal("keras-core")
check("sealed again")
thread = threading.Thread(target=check, args=("thread",))
thread.start(); thread.join()
"""


def test_a_seal_holds_for_the_process_and_nothing_lifts_it():
    done = subprocess.run(
        [sys.executable, "-c", SEALED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "before allowed", "in an older block denied", "after denied", "in a newer block denied",
        "sealed again denied", "thread denied",
    ]  # fmt: skip


# A policy that ends while it is in force.


@pytest.mark.parametrize(
    "load",
    [
        lambda: keras.layers.Dense(1, activation="relu"),
        lambda: keras.saving.deserialize_keras_object(node("keras.layers", "Dense", {"units": 1})),
        lambda: deserialize_keras_object(node("keras.layers", "Dense", {"units": 1})),
    ],
    ids=["name", "config", "ours"],
)
def test_nothing_is_let_in_by_a_policy_that_has_ended_since(load, monkeypatch):
    today = guard._today()
    policy = parse_policy(f'schema = 1\nextends = "keras-core"\nexpires = {today}', "ends.toml")
    with enforcing(policy):
        load()
        monkeypatch.setattr(guard, "_today", lambda: today + timedelta(days=1))
        with pytest.raises(InvalidPolicy, match="ended on"):
            load()
