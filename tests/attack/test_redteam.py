"""Ways past the gate that were found by attacking it: each test is one, headed by its technique.

A test that is marked as an expected failure is a hole that is still open: it states what
ought to hold, in a size that does no harm. Taking the mark away is part of closing the hole.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tracemalloc

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
h5py = pytest.importorskip("h5py")
np = pytest.importorskip("numpy")

from attack import carriers  # noqa: E402
from attack.configs import (  # noqa: E402
    call,
    compiled,
    dense,
    functional,
    input_layer,
    layer,
    obj,
    optimizer,
    sequential,
    tensor,
)

import secure_serial  # noqa: E402
from secure_serial.artifact.document import Document, Format, Part, Role  # noqa: E402
from secure_serial.artifact.json_text import parse_json  # noqa: E402
from secure_serial.data import catalogue  # noqa: E402
from secure_serial.errors import SecureSerialError  # noqa: E402
from secure_serial.limits import Limits  # noqa: E402
from secure_serial.plan.walker import make_plan  # noqa: E402

pytestmark = pytest.mark.keras

#: More than an honest reader of 100 KB needs, and far less than what the attack takes.
PEAK_BYTES = 12 << 20


def hole(reason):
    return pytest.mark.xfail(strict=True, reason=reason)


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL, logger="secure_serial.audit")


def policy(text, base="keras-core"):
    return secure_serial.parse_policy(f'schema = 1\nextends = ["{base}"]\n{text}', "test")


def bare(class_name, name, **config):
    """A layer as Keras 2 wrote it: without `module`, which selects Keras's legacy resolver."""
    return {"class_name": class_name, "config": {"name": name, **config}}


def without_module(*layers):
    """A whole model of Keras 2, read by the legacy loader from top to bottom."""
    first = bare("InputLayer", "in", batch_shape=[None, 4])
    return bare("Sequential", "seq", layers=[first, *layers])


# Two resolvers: the plan reads three names of a node, Keras's legacy loader one.


class Dense(keras.layers.Layer):
    """A class of the program's own, called like one of Keras's."""

    def __init__(self, units=1, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def call(self, inputs):
        return inputs


class Unlisted(Dense):
    """Another one, passed under a bare name."""


@pytest.fixture
def registered():
    before = dict(secure_serial.get_custom_objects())
    secure_serial.register_keras_serializable("acme", "Dense")(Dense)
    yield
    secure_serial.get_custom_objects().clear()
    secure_serial.get_custom_objects().update(before)


BOUNDED_DENSE = """
[[allow]]
id = "ours"
registered = ["acme>Dense"]

[[deny]]
id = "no-wide-layers"
symbols = ["keras.layers.Dense"]
arguments.units = { min = 10 }
"""
WIDE = {**bare("Dense", "wide", units=50), "registered_name": "acme>Dense"}


def write_h5(path, config):
    """A legacy file whose weights are for this model, so that nothing else refuses it."""
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(2, name="small"),
            keras.layers.Dense(50, name="wide"),
        ]
    )
    model.save(path)
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = json.dumps(config)
    return path


@pytest.mark.parametrize("base", ["keras-core", "strict"])
@pytest.mark.parametrize("form", ["json", "mixed", "h5"])
def test_registered_name_that_the_legacy_loader_does_not_read(base, form, registered, tmp_path):
    """Planned as `acme>Dense`, built as Keras's Dense with arguments that a rule denies."""
    rules = policy(BOUNDED_DENSE, base)
    whole = without_module(bare("Dense", "small", units=2), WIDE)
    if form == "h5":
        path = write_h5(tmp_path / "model.h5", whole)
    else:
        config = whole if form == "json" else sequential(dense("small"), WIDE)
        path = carriers.write("json", tmp_path, config, as_is=True)
    try:
        model = secure_serial.load_model(path, policy=rules)
    except SecureSerialError:
        return
    assert not [
        each for each in model.layers if isinstance(each, keras.layers.Dense) and each.units > 9
    ]


def test_registered_name_beside_a_custom_object_of_the_bare_name(registered, tmp_path):
    """Planned as `acme>Dense`, built as whatever was passed under the name `Dense`."""
    path = carriers.write(
        "json", tmp_path, without_module(bare("Dense", "other", units=2), WIDE), as_is=True
    )
    result = secure_serial.load_result(path, custom_objects={"Dense": Unlisted})
    wide = next(each for each in result.model.layers if each.name == "wide")
    assert type(wide) is Dense


def test_passive_serialization_in_a_field_of_another_kind(tmp_path, monkeypatch):
    """Planned as an initializer, built as the layer of that name."""
    made = []
    original = keras.layers.Identity.__init__

    def noted(self, *args, **kwargs):
        original(self, *args, **kwargs)
        made.append(self.name)

    monkeypatch.setattr(keras.layers.Identity, "__init__", noted)
    passive = {**bare("Identity", "smuggled"), "__passive_serialization__": True}
    config = without_module(
        bare("Identity", "honest"), bare("Dense", "d", units=2, kernel_initializer=passive)
    )
    path = carriers.write("json", tmp_path, config, as_is=True)
    with contextlib.suppress(SecureSerialError):
        secure_serial.load_model(path)
    assert "smuggled" not in made


# Text that becomes an object which the plan never held.


def danger(*args):
    """A function of the program's own that no file has asked for by name."""
    raise AssertionError


def test_text_in_a_plain_field_of_a_legacy_layer(tmp_path):
    """The program's function stands in the model; neither verdict nor log names it."""
    path = carriers.write(
        "json", tmp_path, without_module(bare("ELU", "e", alpha="danger")), as_is=True
    )
    try:
        result = secure_serial.load_result(path, custom_objects={"danger": danger})
    except SecureSerialError:
        return
    assert result.model.layers[0].alpha is not danger


def test_text_in_a_plain_field_that_keras_revives_alone():
    """`Constant.value` holds numbers for the planner, and whatever is registered for Keras."""
    config = obj("keras.initializers", "Constant", {"value": "danger"})
    try:
        made = secure_serial.deserialize_keras_object(config, {"danger": danger})
    except SecureSerialError:
        return
    assert made.value is not danger


# Work that the plan counts as little or nothing.

EVIL_PATTERN = "(.+)+!"


def _dtype_map():
    float32 = obj("keras", "DTypePolicy", {"name": "float32"})
    mapped = obj(
        "keras.dtype_policies",
        "DTypePolicyMap",
        {"default_policy": float32, "policy_map": {EVIL_PATTERN: float32}},
    )
    return sequential(dense("a" * 8, dtype=mapped))


def _built(config):
    return {**config, "build_config": {"input_shape": [None, 4]}}


def _optimizer_map():
    sgd = optimizer("SGD")
    rules = {"default_optimizer": sgd, "optimizer_map": {EVIL_PATTERN: sgd}}
    mapped = obj("keras.optimizers", "OptimizerMap", rules)
    return _built(
        compiled(optimizer=obj("keras.optimizers", "MultiOptimizer", {"optimizer_map": mapped}))
    )


def _muon():
    return _built(compiled(optimizer=optimizer("Muon", exclude_layers=[EVIL_PATTERN])))


@pytest.mark.parametrize("base", ["keras-core", "strict"])
@pytest.mark.parametrize("make", [_dtype_map, _optimizer_map, _muon])
def test_catastrophic_regular_expression(make, base, tmp_path):
    """Matched against the layers' paths, which the file chooses, too: 2**length steps."""
    path = carriers.write("json", tmp_path, make(), as_is=True)
    with pytest.raises(SecureSerialError):
        secure_serial.load_model(path, policy=base)


def _named_input(name, shape):
    return {**input_layer(name, shape), "name": name}


def _graph(inputs, nodes, output, name):
    """A Functional model; `output` is [layer, node, tensor]."""
    config = {
        "name": name,
        "trainable": True,
        "layers": [inputs, *nodes],
        "input_layers": [[inputs["name"], 0, 0]],
        "output_layers": [output],
    }
    return {**obj("keras.src.models.functional", "Functional", config, "Functional"), "name": name}


def _doubling(levels):
    """A model that calls a model twice that calls a model twice …: 2**levels calls."""
    first = {**layer("Identity", "leaf"), "name": "leaf"}
    first["inbound_nodes"] = [call(tensor("i0", (None, None)))]
    inner = _graph(_named_input("i0", (None, None)), [first], ["leaf", 0, 0], "m0")
    for level in range(1, levels + 1):
        width = 4 if level == levels else None
        before = f"m{level - 1}"
        inner["inbound_nodes"] = [
            call(tensor(f"i{level}", (None, width))),
            call(tensor(before, (None, width))),
        ]
        source = _named_input(f"i{level}", (None, width))
        inner = _graph(source, [inner], [before, 2, 0], f"m{level}")
    return inner


def test_model_that_is_called_twice_at_every_level(tmp_path):
    """256 calls under a limit of 100 layers; at 40 levels and 25 KB it never ends."""
    path = carriers.write("json", tmp_path, _doubling(8), as_is=True)
    with pytest.raises(SecureSerialError):
        secure_serial.load_model(path, policy=policy("[limits]\nlayers = 100\n"))


def _constant(values):
    return {"class_name": "__tensor__", "config": {"value": values, "dtype": "float32"}}


def _arange():
    entry = obj("keras.src.ops.numpy", "Arange", {"name": "op"})
    return {**entry, "name": "op", "inbound_nodes": [call(0.0, 1e6, 1.0)]}


def _concatenated():
    """Sixteen doublings of a constant, in a model that is called with it."""
    nodes = []
    before = "small"
    for index in range(16):
        part = tensor(before, (1,))
        node = {**layer("Concatenate", f"c{index}", axis=0), "name": f"c{index}"}
        nodes.append({**node, "inbound_nodes": [call([part, part])]})
        before = f"c{index}"
    inner = _graph(_named_input("small", (1,)), nodes, [before, 0, 0], "inner")
    return {**inner, "inbound_nodes": [call(_constant([1.0]))]}


def _split():
    entry = obj(
        "keras.src.ops.numpy", "Split", {"name": "op", "indices_or_sections": 5000, "axis": 1}
    )
    wide = {**layer("RepeatVector", "wide", n=5000), "name": "wide"}
    wide["inbound_nodes"] = [call(tensor())]
    return wide, {**entry, "name": "op", "inbound_nodes": [call(tensor("wide", (None, 5000, 4)))]}


def _with_tail(*nodes):
    """Beside a node that is fed from the input, and that is the output."""
    return functional(*nodes, layer("Identity", "tail"), output="tail")


@pytest.mark.parametrize(
    "make",
    [
        lambda: _with_tail(_arange()),
        lambda: _with_tail(_concatenated()),
        lambda: _with_tail(*_split()),
    ],
    ids=["arange-of-floats", "doubling-a-constant", "tensors-without-number"],
)
def test_memory_that_is_no_variable(make, tmp_path):
    """A few kilobytes that take gigabytes: here some megabytes, of 100 KB that are allowed."""
    path = carriers.write("json", tmp_path, make(), as_is=True)
    with pytest.raises(SecureSerialError):
        secure_serial.load_model(path, policy=policy("[limits]\nallocation_bytes = 100_000\n"))


def test_weight_names_that_repeat_one_dataset(tmp_path, monkeypatch):
    """A file of 1 MB whose 64,000 names mean one dataset of 1 MB takes 64 GB."""
    from keras.src.legacy.saving import legacy_h5_format

    path = tmp_path / "model.h5"
    keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, name="d")]).save(path)
    with h5py.File(path, "a") as file:
        group = file["model_weights"]["d"]
        group.create_dataset("w", data=np.zeros(8, "float32"))
        group.attrs["weight_names"] = np.array([b"w"] * 1000)
    read = []
    original = legacy_h5_format.safe_get_h5_dataset

    def counted(*args):
        read.append(args[-1])
        return original(*args)

    monkeypatch.setattr(legacy_h5_format, "safe_get_h5_dataset", counted)
    with pytest.raises(SecureSerialError):
        secure_serial.load_model(path)
    assert len(read) <= 4


@hole("Keras tries the nodes of a graph in the order of the file, over and over")
def test_graph_in_reverse_order(tmp_path, monkeypatch):
    """N layers, each fed by the one behind it: N * N / 2 tries (2 MB take minutes)."""
    from keras.src.models import functional as module

    tried = []
    original = module.deserialize_node

    def counted(*args):
        tried.append(1)
        return original(*args)

    monkeypatch.setattr(module, "deserialize_node", counted)
    count = 40
    nodes = []
    for index in range(count):
        source = f"n{index - 1}" if index else "in"
        nodes.append({**layer("Identity", f"n{index}"), "inbound_nodes": [call(tensor(source))]})
    path = carriers.write(
        "json", tmp_path, functional(*reversed(nodes), output=f"n{count - 1}"), as_is=True
    )
    with contextlib.suppress(SecureSerialError):
        secure_serial.load_model(path)
    assert len(tried) <= 3 * count


# Work of our own that is not linear in the file.


def peak_of(action):
    tracemalloc.start()
    try:
        action()
    except SecureSerialError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


def plan_of(root):
    document = Document("", Format.JSON, "", (Part(Role.MODEL, "", root),))
    return make_plan(document, catalogue=catalogue(), callers={}, limits=Limits())


def test_long_key_above_many_nodes():
    """1.1 MB took 6 GB in a scan: the long key was copied for each of the nodes below it."""
    nodes = [{"class_name": "X", "config": {}} for _ in range(1000)]
    root = {"class_name": "Dense", "config": {"units": 1, "k" * 50_000: nodes}}
    catalogue()
    assert peak_of(lambda: plan_of(root)) < PEAK_BYTES


def test_long_key_above_many_texts_with_surrogates():
    """4 MB take 6 GB and end in an internal error: any escaped emoji starts the search."""
    text = json.dumps({"class_name": "Dense", "config": {"k" * 50_000: ["😀"] * 1000}})
    assert peak_of(lambda: parse_json(text.encode(), Limits())) < PEAK_BYTES


class Quoted(list):
    """A list that counts how often it is spelled out."""

    times = 0

    def __repr__(self):
        type(self).times += 1
        return "[]"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: {"class_name": "function", "module": inner, "config": "f"},
        lambda inner: {"class_name": "__typespec__", "module": inner, "config": []},
    ],
    ids=["function", "typespec"],
)
def test_objects_nested_in_a_name(wrap):
    """3 MB inside 190 levels of `module` take minutes in a scan."""
    root = Quoted()
    Quoted.times = 0
    for _ in range(30):
        root = wrap(root)
    plan_of({"class_name": "Dense", "config": {"activation": root}})
    assert Quoted.times <= 2


def test_control_characters_in_a_key(tmp_path):
    """A key writes a line of its own into every log that an error is printed to."""
    key = "a\n2026-01-01 INFO load allowed \x1b[2J"
    path = carriers.write(
        "json", tmp_path, sequential(dense(**{key: {"class_name": "Evil"}})), as_is=True
    )
    with pytest.raises(SecureSerialError) as caught:
        secure_serial.load_model(path)
    message = caught.value.message
    assert message.isprintable()
