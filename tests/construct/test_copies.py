"""Copies of loaded models: Keras writes their functions down and reads them back by itself."""

from __future__ import annotations

import copy
import gc
import json
import logging
import pickle
import types

import pytest

from secure_serial import SandboxError, load_model, parse_policy
from secure_serial.construct import kept
from secure_serial.construct.keras import copies
from secure_serial.lambdas import understood
from secure_serial.sandbox.restored import Restored

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
resource = pytest.importorskip("resource")
pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]

WALLED = parse_policy(
    'schema = 1\nextends = "sandbox"\nsandbox.evaluation = "process"', "walled.toml"
)
#: Static checks let it pass, since any value may have such a method; restricted, no array has.
TEXT = "lambda x: x.tofile('CANARY')"


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.CRITICAL, "secure_serial.audit")


def stored(text, **more):
    form = {"schema": 1, "source": text, **more}
    return {"class_name": "__lambda__", "config": {"secure_serial": form}}


def loaded(tmp_path, text, *, shape=(4,), policy="sandbox", output_shape=None, **more):
    path = tmp_path / "m.json"
    inner = {"name": "l", "function": stored(text, **more), "output_shape": output_shape}
    given = {"batch_shape": [None, *shape], "dtype": "float32", "name": "i"}
    stack = [
        {"class_name": "InputLayer", "module": "keras.layers", "config": given},
        {"class_name": "Lambda", "module": "keras.layers", "config": inner},
    ]
    config = {"name": "s", "layers": stack}
    path.write_text(
        json.dumps({"class_name": "Sequential", "config": config, "module": "keras"}), "utf-8"
    )
    return load_model(path, policy=policy, safe_mode=False)


@pytest.fixture
def unsafe():
    """Keras's own switch, which lets it unmarshal."""
    from keras.src.backend.common import global_state

    keras.config.enable_unsafe_deserialization()
    yield
    global_state.set_global_attribute("safe_mode_saving", None)


WAYS = {
    "clone_model": keras.models.clone_model,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "from_config": lambda model: type(model).from_config(model.get_config()),
    "json": lambda model: keras.models.model_from_json(model.to_json()),
}


@pytest.mark.usefixtures("unsafe")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("policy", ["sandbox", WALLED], ids=["in-process", "process"])
def test_a_copy_is_the_same_restricted_function(way, policy, tmp_path):
    model = loaded(tmp_path, "lambda x, k: x * k", defaults=[3], policy=policy)
    twin = WAYS[way](model)
    assert twin.layers[-1].function is model.layers[-1].function
    assert twin.predict(np.ones((1, 4)), verbose=0).tolist() == [[3.0] * 4]


@pytest.mark.usefixtures("unsafe")
@pytest.mark.parametrize("way", WAYS)
def test_a_copy_that_nobody_remembers_is_restricted_anew(way, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "_MOST", 0)
    model = loaded(tmp_path, "lambda x, k: x * k", defaults=[3])
    function = WAYS[way](model).layers[-1].function
    assert isinstance(function, Restored)
    assert function(2) == 6


@pytest.mark.usefixtures("unsafe")
@pytest.mark.parametrize("remembered", [0, 100])
def test_what_only_a_guard_refuses_is_refused_in_a_copy(remembered, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "_MOST", remembered)
    monkeypatch.chdir(tmp_path)
    config = loaded(tmp_path, TEXT, output_shape=[4]).layers[-1].get_config()
    function = keras.layers.Lambda.from_config(config).function
    with pytest.raises(SandboxError):
        function(np.ones(3, "float32"))
    assert not (tmp_path / "CANARY").exists()


@pytest.mark.usefixtures("unsafe")
def test_two_functions_of_one_code_stay_two(tmp_path):
    models = [loaded(tmp_path, "lambda x, k: x * k", defaults=[k]) for k in (2, 3)]
    configs = [model.get_config() for model in models]
    again = [keras.Sequential.from_config(config).layers[-1].function(1) for config in configs]
    assert again == [2, 3]


@pytest.mark.usefixtures("unsafe")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"kwdefaults": {"k": 2}}, {"kwdefaults": {"k": 3}}),
        ({"defaults": [2, 1]}, {"defaults": [2, True]}),
        (
            {"defaults": [2, [1]]},
            {"defaults": [2, {"class_name": "__tuple__", "items": [1]}]},
        ),
    ],
)
def test_functions_that_keras_hands_on_alike_are_told_apart(one, other, tmp_path):
    text = "lambda x, *, k: (x, k)" if "kwdefaults" in one else "lambda x, k, l: (x, k, l)"
    models = [loaded(tmp_path, text, output_shape=[4], **each) for each in (one, other)]
    configs = [model.get_config() for model in models]
    results = [keras.Sequential.from_config(each).layers[-1].function(1) for each in configs]
    assert [ascii(each) for each in results] == [
        ascii(model.layers[-1].function(1)) for model in models
    ]
    assert ascii(results[0]) != ascii(results[1])


STRICT = parse_policy(
    'schema = 1\nextends = "sandbox"\nsandbox.steps = 777\nsandbox.depth = 9', "strict.toml"
)


def strictness(function):
    """Where it runs, and its bounds on steps and depth."""
    return (
        function._walled is not None,
        function._worker.allowance.steps,
        function._worker.allowance.depth,
    )


@pytest.mark.usefixtures("unsafe")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("order", [1, -1])
def test_a_copy_is_as_strict_as_the_strictest_that_anybody_asked_for(way, order, tmp_path):
    """The same function, loaded under two policies: Keras does not tell which one it copies."""
    policies = [WALLED, STRICT, "sandbox"][::order]
    models = [loaded(tmp_path, "lambda x: x * 2", policy=policy) for policy in policies]
    for model in models:
        assert strictness(WAYS[way](model).layers[-1].function) == (True, 777, 9)


@pytest.mark.usefixtures("unsafe")
def test_what_nobody_remembers_is_as_strict_as_all_there_was(tmp_path, monkeypatch):
    config = loaded(tmp_path, "lambda x: x * 3", policy=WALLED).layers[-1].get_config()
    loaded(tmp_path, "lambda x: x * 4", policy=STRICT)
    monkeypatch.setattr(kept, "_kept", type(kept._kept)())
    function = keras.layers.Lambda.from_config(config).function
    assert type(function).__name__ == "Walled"
    assert function.worker.allowance.steps == 777


@pytest.mark.usefixtures("unsafe")
def test_the_programs_own_lambdas_are_left_to_keras():
    layer = keras.layers.Lambda(lambda x: x + 1, output_shape=(4,))
    twin = keras.layers.Lambda.from_config(layer.get_config())
    assert isinstance(twin.function, types.FunctionType)
    for code in (None, 5, "!", "\u20ac", []):
        assert copies.function(lambda *given: given)(code)[0] == code


def test_shapes_of_a_file_make_nothing_in_this_process(tmp_path):
    """A rehearsal of a large shape: the worker has bounds, this process has none."""
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for policy in ("sandbox", WALLED):
        with pytest.raises(SandboxError):
            loaded(tmp_path, "lambda x: x * 2", shape=(20_000, 10_000), policy=policy)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 512 * 1024


# While it is built.


def test_what_wrappers_copy_while_they_are_built_is_read_once(tmp_path, monkeypatch):
    """A proof may take a second, a file may have thousands of layers, and each is copied often."""
    asked = []
    reads = understood.understand
    monkeypatch.setattr(understood, "understand", lambda *a, **k: asked.append(a) or reads(*a, **k))
    given = {"batch_shape": [None, 3, 4], "dtype": "float32", "name": "i"}
    stack = [{"class_name": "InputLayer", "module": "keras.layers", "config": given}]
    for number in range(4):
        cell = {"units": 2, "activation": stored("lambda x: x * 2"), "return_sequences": True}
        inner = {"class_name": "SimpleRNN", "module": "keras.layers", "config": cell}
        config = {"name": f"b{number}", "layer": inner}
        stack.append({"class_name": "Bidirectional", "module": "keras.layers", "config": config})
    path = tmp_path / "m.json"
    top = {"name": "s", "layers": stack}
    path.write_text(json.dumps({"class_name": "Sequential", "config": top, "module": "keras"}))
    load_model(path, policy="sandbox", safe_mode=False)
    # Once for the plan, once as Keras writes it, and a proof for each place of it.
    assert len(asked) <= 6


@pytest.mark.parametrize("policy", ["sandbox", WALLED], ids=["in-process", "process"])
def test_a_wrapper_copies_a_layer_with_a_function_while_it_is_built(policy, tmp_path):
    cell = {"units": 2, "activation": stored("lambda x: x * 2"), "name": "c"}
    inner = {"class_name": "LSTM", "module": "keras.layers", "config": cell}
    config = {"name": "b", "layer": inner}
    path = tmp_path / "m.json"
    given = {"batch_shape": [None, 3, 4], "dtype": "float32", "name": "i"}
    stack = [
        {"class_name": "InputLayer", "module": "keras.layers", "config": given},
        {"class_name": "Bidirectional", "module": "keras.layers", "config": config},
    ]
    top = {"name": "s", "layers": stack}
    path.write_text(json.dumps({"class_name": "Sequential", "config": top, "module": "keras"}))
    layer = load_model(path, policy=policy, safe_mode=False).layers[-1]
    assert isinstance(layer.forward_layer.activation, Restored)
    assert isinstance(layer.backward_layer.activation, Restored)


@pytest.mark.parametrize("text", ["lambda x: 'a'", "lambda x: {1}", "lambda x: (lambda y: y)"])
def test_a_result_that_is_no_array_is_refused_where_jax_calls_the_worker(text, tmp_path):
    if keras.backend.backend() != "jax":
        pytest.skip("another backend")
    jax = pytest.importorskip("jax")
    function = loaded(tmp_path, text, policy=WALLED, output_shape=[4]).layers[-1].function
    with pytest.raises(SandboxError):
        jax.jit(function)(np.ones(4, "float32"))


def test_results_of_64_bits_pass_to_jax_as_it_has_them(tmp_path):
    model = loaded(tmp_path, "lambda x: np.ones((2, 3)) * 0.5", policy=WALLED)
    assert model.predict(np.ones((2, 4)), verbose=0).tolist() == [[0.5] * 3] * 2


def test_what_was_made_while_it_became_stricter_is_not_kept(tmp_path):
    """Two threads: one makes a copy anew, the other loads the same function in a stricter way."""
    for policy in (WALLED, STRICT):
        function = loaded(tmp_path, "lambda x: x * 5", policy=policy).layers[-1].function
    known = kept.known(function.understood.content)
    assert known.function is None
    loose = known._replace(sandbox=type(known.sandbox)())
    assert kept.remade(loose, function) is function
    assert kept.known(function.understood.content).function is None
    assert kept.remade(known, function) is kept.known(function.understood.content).function
