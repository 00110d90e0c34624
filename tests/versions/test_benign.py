"""Benign models that this Keras wrote come back by its own functions, and nothing else is built.

What is built is seen by a witness that knows nothing of the gate (`versions.witness`). It must
lie within what the plan allowed, what the allowed classes resolve by default, and what Keras's
own source constructs (`tools.catalogue.hardcoded`, read from the Keras that is installed).
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
pytest.importorskip("h5py")
np = pytest.importorskip("numpy")

from models import zoo  # noqa: E402
from versions.witness import Witness, named  # noqa: E402

from secure_serial import enforcing  # noqa: E402
from secure_serial.artifact import read_artifact  # noqa: E402
from secure_serial.construct.callers import describe_one  # noqa: E402
from secure_serial.construct.keras import versions  # noqa: E402
from secure_serial.construct.keras.versions import catalogue  # noqa: E402
from secure_serial.limits import Limits  # noqa: E402
from secure_serial.plan.request import Origin  # noqa: E402
from secure_serial.plan.walker import make_plan  # noqa: E402
from secure_serial.registry import snapshot  # noqa: E402

pytestmark = pytest.mark.keras
ROOT = Path(__file__).resolve().parents[2]

for family in (Path(__file__).parents[1] / "models").glob("zoo_*.py"):
    importlib.import_module(f"models.{family.stem}")

#: What each way of writing a model is tried with: a model of each kind, and quick to build.
PICKED = (
    "bidirectional", "compiled_functions", "compiled_objects", "compiled_strings", "custom_activation",
    "custom_cell", "custom_loss", "dict_inputs_outputs", "functional_in_sequential", "masked_embedding",
    "mixed_precision", "nested_functional", "operations_in_graph", "registered_layer",
    "sequential_in_functional", "shared_layers", "stacked_cells", "subclassed_model",
    "time_distributed", "trained", "two_outputs_compiled",
)  # fmt: skip
#: What the classes of the zoo build and resolve in their own code.
OWN = {
    "custom_cell": {"keras.layers.Dense"},
    "subclassed_model": {"keras.layers.Dense", "keras.activations.relu"},
}
#: What Keras before 3.9 writes and cannot read: a layer in the place of an activation.
UNREADABLE = {"arguments_as_objects"}
FORMS = ("keras", "h5", "pickle")


@functools.cache
def made(name):
    """The specimen, and what it predicts."""
    specimen = zoo.ZOO[name]()
    return specimen, predicted(specimen.model, specimen)


def predicted(model, specimen):
    """One call, step by step where the backend can: compiling would take nearly all the time."""
    inputs = keras.tree.map_structure(keras.ops.convert_to_tensor, specimen.inputs)
    with uncompiled():
        outputs = keras.tree.flatten(model(inputs))
    return [keras.ops.convert_to_numpy(each) for each in outputs]


def uncompiled():
    if keras.backend.backend() != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.disable_jit()


def same(one, other):
    return len(one) == len(other) and all(
        map(functools.partial(np.allclose, equal_nan=True), one, other)
    )


def records(log):
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def planned(records):
    """The symbols that a log says were allowed."""
    return {
        decision["symbol"]
        for record in records
        if record["event"] in ("decision", "resolution")
        for decision in record["decisions"]
        if decision["effect"] == "allow"
    }


@functools.cache
def constructed():
    """Of Keras as it is installed, and not as the gates left it: so in a process of its own."""
    told = [sys.executable, "-m", "tools.catalogue.hardcoded"]
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def reachable(symbols):
    """What Keras may build for classes: their defaults, what it hard-codes, and theirs in turn."""
    known, tables = catalogue(), constructed()
    # `activations.get(None)` is linear: no name is looked up.
    found, todo = set(), {*symbols, *tables["*"], *known.implied("*"), "keras.activations.linear"}
    while todo:
        symbol = todo.pop()
        found.add(symbol)
        more = {*tables.get(symbol, ()), *known.implied(symbol)}
        if symbol in known:
            more |= set(known.entry(symbol).defaults.values())
        todo |= more - found
    return found


def assert_nothing_else(witness, log, name):
    """All that was seen is planned, a default or hard-coded."""
    seen = witness.symbols(catalogue())
    assert seen, "the witness was asleep"
    allowed = planned(records(log))
    helpers = {s for s in seen if s.endswith("bias_initializer")}  # the LSTM's own inner function
    assert seen - helpers - reachable(allowed) - OWN.get(name, set()) == set()


def in_its_file(path, custom):
    """What a plan of the file, made apart from the load, asks for."""
    objects = snapshot(custom)
    known = catalogue()
    callers = {
        key: describe_one(key, objects[key], str(objects.origin(key)), known) for key in objects
    }
    document = read_artifact(path, Limits())
    plan = make_plan(document, catalogue=known, callers=callers, limits=Limits())
    return [[r.member, r.pointer, r.action.value, r.symbol] for r in plan.requests]


@pytest.mark.parametrize(
    ("name", "form"),
    [(name, form) for name in PICKED for form in FORMS if form != "h5" or name not in zoo.NO_H5],
)
def test_a_model_comes_back_and_nothing_else_is_built(tmp_path, name, form):
    specimen, expected = made(name)
    path, log = tmp_path / f"model.{form}", tmp_path / "audit.jsonl"
    if form == "pickle":
        path.write_bytes(pickle.dumps(specimen.model))
    else:
        specimen.model.save(tmp_path / "first.keras")  # saving as .h5 takes the optimizer apart
        specimen.model.save(path)
    own = specimen.custom_objects
    with keras.saving.custom_object_scope(own), enforcing("keras-core", log), Witness() as witness:
        if form == "pickle":
            model = pickle.loads(path.read_bytes())
        else:
            model = keras.models.load_model(path, custom_objects=own)
    assert type(model) is type(specimen.model)
    assert model.compiled == specimen.model.compiled
    assert same(predicted(model, specimen), expected)
    assert_nothing_else(witness, log, name)
    first, last = (r for r in records(log) if r.get("load") == records(log)[0]["load"])
    assert (first["event"], first["action"], first["effect"]) == ("decision", "load", "allow")
    assert (last["event"], last["outcome"], last["refused"]) == ("outcome", "built", [])
    if form != "pickle":
        told = [[d["member"], d["pointer"], d["action"], d["symbol"]] for d in first["decisions"]]
        assert told == in_its_file(path, specimen.custom_objects)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(zoo.ZOO.keys() - set(PICKED) - zoo.SLOW))
def test_nothing_else_is_built_of_any_other_model(tmp_path, name):
    """That they come back equal is for tests/models to show."""
    try:
        specimen = zoo.ZOO[name]()
    except (AttributeError, TypeError, ValueError):
        if versions.parsed(keras.__version__) == versions.NEWEST:
            raise
        pytest.skip("this Keras has not got all that it is made of")
    for form in FORMS[:1] if name in zoo.NO_H5 else FORMS[:2]:
        path, log = tmp_path / f"model.{form}", tmp_path / f"audit.{form}"
        specimen.model.save(path)
        if name in UNREADABLE and versions.parsed(keras.__version__) < (3, 9):
            with pytest.raises(TypeError):
                keras.models.load_model(path, custom_objects=specimen.custom_objects)
            continue
        with enforcing("keras-core", log), Witness() as witness:
            keras.models.load_model(path, custom_objects=specimen.custom_objects)
        assert_nothing_else(witness, log, name)


@pytest.mark.parametrize("form", ["weights.h5", "keras"])
def test_weights_come_back(tmp_path, form):
    specimen, expected = made("nested_functional")
    path = tmp_path / f"w.{form}"
    (specimen.model.save_weights if form == "weights.h5" else specimen.model.save)(path)
    other = keras.models.clone_model(specimen.model)
    assert not same(predicted(other, specimen), expected)
    with enforcing("keras-core", tmp_path / "audit.jsonl"):
        other.load_weights(path)
    assert same(predicted(other, specimen), expected)


def test_a_config_comes_back(tmp_path):
    specimen, _ = made("functional_in_sequential")
    log = tmp_path / "audit.jsonl"
    with enforcing("keras-core", log), Witness() as witness:
        model = keras.models.model_from_json(specimen.model.to_json())
    assert json.loads(model.to_json()) == json.loads(specimen.model.to_json())
    assert_nothing_else(witness, log, "functional_in_sequential")


def test_the_witness_sees_what_is_built_and_what_is_handed_out():
    with Witness() as witness:
        keras.layers.Dense(2, activation="relu")
    assert {"keras.layers.Dense", "keras.activations.relu"} <= witness.symbols(catalogue())
    assert "keras.layers.Dense" not in reachable({"keras.layers.Flatten"})
    assert named(keras.layers.Dense, catalogue()) == "keras.layers.Dense"


@pytest.mark.skipif(
    "use_gate" not in keras.layers.MultiHeadAttention.__init__.__code__.co_varnames,
    reason="this Keras has no gated attention",
)
def test_what_a_class_names_in_its_own_source_is_no_surprise(tmp_path):
    """The gate of an attention layer is a sigmoid that no config names."""
    inputs = keras.Input((3, 4))
    layer = keras.layers.MultiHeadAttention(1, 2, use_gate=True)
    keras.Model(inputs, layer(inputs, inputs)).save(tmp_path / "m.keras")
    with enforcing("keras-core", tmp_path / "audit.jsonl"), Witness() as witness:
        keras.models.load_model(tmp_path / "m.keras")
    assert "keras.activations.sigmoid" in witness.symbols(catalogue())


def test_a_name_of_the_programs_own_is_on_record(tmp_path):
    specimen, _ = made("registered_layer")
    specimen.model.save(tmp_path / "m.keras")
    log = tmp_path / "audit.jsonl"
    with enforcing("keras-core", log):
        keras.models.load_model(tmp_path / "m.keras", custom_objects=specimen.custom_objects)
    (load,) = (r for r in records(log) if r.get("action") == "load")
    own = [d["symbol"] for d in load["decisions"] if d["origin"] == Origin.CALLER.value]
    assert own == ["zoo>Scale"]
