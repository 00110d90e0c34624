"""Functions whose code stands in the file, in real Keras: read, judged, restricted, and saved again."""

from __future__ import annotations

import base64
import json
import logging
import marshal
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest

from secure_serial import (
    LoadDenied,
    SandboxError,
    deserialize_keras_object,
    enforcing,
    load_lambda,
    load_model,
    load_result,
    parse_policy,
    serialize_keras_object,
)
from secure_serial.errors import ConstructionError

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]

ops, layers = keras.ops, keras.layers
DATA = np.linspace(-1, 1, 40, dtype="float32").reshape(2, 5, 4)
WALLED = parse_policy(
    'schema = 1\nextends = "sandbox"\nsandbox.evaluation = "process"', "walled.toml"
)
REAL = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "real" / "configs"


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.CRITICAL, "secure_serial.audit")


def model(*stack):
    return keras.Sequential([keras.Input((5, 4)), *stack])


def scaled(by=127.5):
    return model(layers.Lambda(lambda x: x / by - 1.0, name="scale"), layers.Dense(2))


def source_of(function):
    return function.understood.source.splitlines()[-1]


def saved(made, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.save(path)
    return path


def compiled():
    made = model(layers.Flatten(), layers.Dense(1))
    made.compile(
        "sgd", loss=lambda y, p: ops.mean(ops.square(y - p)), metrics=[lambda y, p: ops.mean(p)]
    )
    made.fit(DATA, np.ones((2, 1)), verbose=0)
    return made


def two_inputs():
    given = keras.Input((5, 4))
    both = layers.Lambda(lambda t: [t[0] + 1, t[1] * 2], output_shape=lambda s: s)([given, given])
    return keras.Model(given, both)


MODELS = {
    "closure": scaled,
    "output_shape": two_inputs,
    "activation": lambda: model(layers.Dense(2, activation=lambda v: ops.relu(v) * 2.0)),
    "mask": lambda: model(layers.Lambda(lambda x: x, mask=lambda i, m: ops.any(i > 0.5, axis=-1)),
                          layers.GlobalAveragePooling1D()),
    "arguments": lambda: model(layers.Lambda(lambda x, k: x * k, arguments={"k": 3.0})),
    "training": lambda: model(layers.Lambda(lambda x, training=None: x * 2 if training else x * 3)),
    "nested": lambda: model(keras.Sequential([layers.Lambda(lambda x: ops.concatenate([x, x], axis=-1))])),
    "every step": lambda: model(layers.TimeDistributed(layers.Lambda(lambda x: x * 2))),
    "initializer": lambda: model(layers.Dense(2, kernel_initializer=lambda shape, dtype=None: ops.ones(shape))),
    "loss and metric": compiled,
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("policy", ["sandbox", WALLED], ids=["in-process", "process"])
def test_a_model_computes_as_before_and_as_saved_again(name, policy, tmp_path):
    made = MODELS[name]()
    wanted = made.predict(DATA, verbose=0)
    path = saved(made, tmp_path / "m.keras")
    for number in range(2):
        again = load_model(path, policy=policy, safe_mode=False)
        for mine, theirs in zip(
            keras.tree.flatten(again.predict(DATA, verbose=0)),
            keras.tree.flatten(wanted),
            strict=True,
        ):
            np.testing.assert_allclose(mine, theirs, rtol=1e-5)
        path = saved(again, tmp_path / f"{number}.keras")
        assert b'"secure_serial"' in zipfile.ZipFile(path).read("config.json")


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.json"])
def test_every_format_may_hold_one(name, tmp_path):
    made, path = scaled(), tmp_path / name
    if name == "m.json":
        path.write_text(made.to_json(), encoding="utf-8")
    else:
        saved(made, path)
    again = load_model(path, policy="sandbox", safe_mode=False)
    assert source_of(again.layers[0].function) == "lambda x: x / by - 1.0"
    if name != "m.json":
        np.testing.assert_allclose(
            again.predict(DATA, verbose=0), made.predict(DATA, verbose=0), rtol=1e-5
        )


def test_what_is_saved_again_is_read_by_keras_alone(tmp_path):
    path = saved(
        load_model(saved(scaled(), tmp_path / "m.keras"), policy="sandbox", safe_mode=False),
        tmp_path / "n.keras",
    )
    program = (
        "import sys, keras, numpy as np\n"
        "m = keras.models.load_model(sys.argv[1], safe_mode=False)\n"
        "assert 'secure_serial' not in sys.modules\n"
        "print(m.layers[0].function(np.float32(255.0)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    assert float(run.stdout.split()[-1]) == 1.0


def test_training_sees_the_same_gradients(tmp_path):
    made = model(
        layers.Dense(3, kernel_initializer="ones"),
        layers.Lambda(lambda x: ops.tanh(x) * x + 2.0),
        layers.Dense(1),
    )
    again = load_model(saved(made, tmp_path / "m.keras"), policy="sandbox", safe_mode=False)
    for each in (made, again):
        each.compile("sgd", "mse")
        each.fit(DATA, np.ones((2, 5, 1)), epochs=3, batch_size=2, shuffle=False, verbose=0)
    for mine, theirs in zip(again.get_weights(), made.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


# Who decides.


def refusal(path, **options):
    with pytest.raises(LoadDenied) as caught:
        load_model(path, **options)
    return caught.value


def test_safe_mode_refuses_whatever_the_policy_says(tmp_path):
    path = saved(scaled(), tmp_path / "m.keras")
    error = refusal(path, policy="sandbox")
    assert error.code == "SS303"
    assert "safe_mode=False" in error.help


def test_without_safe_mode_the_policy_still_denies_and_says_what_would_allow_it(tmp_path):
    path = saved(scaled(), tmp_path / "m.keras")
    error = refusal(path, safe_mode=False)
    assert {d.code for d in error.verdict.denied} == {"SS301", "SS303"}
    lines = error.help[error.help.index("schema = 1") :]
    again = load_result(path, policy=parse_policy(lines, "pasted.toml"), safe_mode=False)
    assert again.model.layers[0].function.digest.endswith(
        next(iter(parse_policy(lines).rules[0].lambdas))
    )
    assert refusal(path, policy=parse_policy(lines, "pasted.toml")).code == "SS303"  # safe_mode


def test_the_digest_that_was_decided_on_is_recorded(tmp_path):
    result = load_result(saved(scaled(), tmp_path / "m.keras"), policy="sandbox", safe_mode=False)
    text = json.dumps(result.records[0])
    assert result.model.layers[0].function.digest.removeprefix("sha256:") in text


def test_keras_itself_is_gated(tmp_path):
    made = scaled()
    path = saved(made, tmp_path / "m.keras")
    with enforcing("sandbox"):
        again = keras.models.load_model(path, safe_mode=False)
        np.testing.assert_allclose(
            again.predict(DATA, verbose=0), made.predict(DATA, verbose=0), rtol=1e-5
        )
        with pytest.raises(LoadDenied):
            keras.models.load_model(path)
        with pytest.raises(ValueError, match=r"[Ll]ambda"):  # Keras's own safe mode, or ours
            keras.layers.deserialize(keras.layers.serialize(made.layers[0]))
    with enforcing("keras-core"), pytest.raises(LoadDenied):
        keras.models.load_model(path, safe_mode=False)


def test_enabling_unsafe_deserialization_only_lets_the_policy_choose():
    config = layers.Lambda(lambda x: x * 2).get_config()
    state = (
        keras.config.is_unsafe_deserialization_enabled
        if hasattr(keras.config, "is_unsafe_deserialization_enabled")
        else None
    )
    try:
        keras.config.enable_unsafe_deserialization()
        with enforcing("sandbox"):
            assert source_of(layers.Lambda.from_config(config).function) == "lambda x: x * 2"
        with enforcing("keras-core"), pytest.raises(LoadDenied):
            layers.Lambda.from_config(layers.Lambda(lambda x: x * 2).get_config())
    finally:
        from keras.src.backend.common import global_state

        global_state.set_global_attribute("safe_mode_saving", None)
    assert state is None or not state()


# What is refused.


def hostile(function, **parts):
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode()
    return {
        "class_name": "__lambda__",
        "config": {"code": code, "defaults": None, "closure": None, **parts},
    }


def with_function(node, tmp_path):
    path = tmp_path / "m.json"
    inner = {"name": "l", "function": node}
    path.write_text(json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": [
        {"class_name": "InputLayer", "module": "keras.layers", "config": {"batch_shape": [None, 4], "dtype": "float32", "name": "i"}},
        {"class_name": "Lambda", "module": "keras.layers", "config": inner}]}, "module": "keras"}))  # fmt: skip
    return path


@pytest.mark.parametrize(
    ("function", "code"),
    [(lambda x: __import__("os").system("true"), "SS305"),
     (lambda x: eval("1"), "SS503"),
     (lambda x: compile(x) + 1, "SS503"),
     (lambda x: x.__class__.__base__, "SS305"),
     (lambda x: np.load("/etc/passwd"), "SS503"),
     (lambda x: keras.utils.get_file("a", "http://x"), "SS503"),
     (lambda x: (yield x), "SS305")],
)  # fmt: skip
def test_what_reaches_for_more_is_refused_before_anything_is_built(function, code, tmp_path):
    error = refusal(with_function(hostile(function), tmp_path), policy="sandbox", safe_mode=False)
    (denied,) = error.verdict.denied
    assert denied.request.objections[0].code == code


def test_two_forms_that_differ_are_refused(tmp_path):
    node = hostile(lambda x: x * 3, secure_serial={"schema": 1, "source": "lambda x: x * 2"})
    assert refusal(with_function(node, tmp_path), policy="sandbox", safe_mode=False).code == "SS306"
    node["config"]["secure_serial"]["source"] = "lambda x: x * 3"
    assert load_model(with_function(node, tmp_path), policy="sandbox", safe_mode=False).predict(
        np.ones((1, 4)), verbose=0).tolist() == [[3.0] * 4]  # fmt: skip


def test_a_function_where_none_is_called_is_refused():
    node = hostile(lambda x: x)
    wrong = {"class_name": "Dense", "module": "keras.layers", "config": {"units": node}}
    with pytest.raises(LoadDenied):
        deserialize_keras_object(wrong, policy="sandbox", safe_mode=False)


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: [0 for _ in range(10 ** 9)]",
        "lambda x: keras.ops.zeros((10 ** 6, 10 ** 6))",
        "lambda x: 'a' * 10 ** 9",
    ],
)
@pytest.mark.parametrize("policy", ["sandbox", WALLED], ids=["in-process", "process"])
def test_a_function_that_takes_too_much_ends_the_load(text, policy, tmp_path):
    node = {"class_name": "__lambda__", "config": {"secure_serial": {"schema": 1, "source": text}}}
    with pytest.raises((SandboxError, ConstructionError)):
        load_model(with_function(node, tmp_path), policy=policy, safe_mode=False)


def test_a_demanded_wall_that_is_missing_ends_the_load(tmp_path, monkeypatch):
    from secure_serial.sandbox.wall import worker

    monkeypatch.setattr(
        worker.Worker, "start", lambda self: (_ for _ in ()).throw(worker.lacking(["landlock"]))
    )
    with pytest.raises((SandboxError, ConstructionError)):
        load_model(saved(scaled(), tmp_path / "m.keras"), policy="sandbox", safe_mode=False)


# One function alone.


def dumped(function):
    return base64.encodebytes(marshal.dumps(function.__code__)).decode()


@pytest.mark.parametrize(
    "config",
    [serialize_keras_object(lambda x, k=2: x * k),
     {"class_name": "__lambda__", "config": {"code": dumped(lambda x, k: x * k), "defaults": [2], "closure": None}},
     {"code": dumped(lambda x, k: x * k), "defaults": [2], "closure": None},
     [dumped(lambda x, k: x * k), [2], None],
     (dumped(lambda x, k: x * k), (2,), None),
     {"function": [dumped(lambda x, k: x * k), [2], None], "function_type": "lambda"},
     {"class_name": "Lambda", "config": {"name": "l", "function": [dumped(lambda x, k: x * k), [2], None]}},
     dumped(lambda x: x * 2),
     "lambda x, k=2: x * k",
     "def twice(x, k=2):\n    y = x * k\n    return y",
     {"schema": 1, "source": "lambda x, k: x * k", "defaults": [2]}],
)  # fmt: skip
@pytest.mark.parametrize("sandbox", ["in-process", "process"])
def test_any_form_alone(config, sandbox):
    assert load_lambda(config, sandbox=sandbox)(21) == 42


@pytest.mark.parametrize(
    "config",
    [
        1,
        None,
        "relu",
        "no lambda",
        [],
        {},
        {"function": "relu"},
        "lambda x: x.__class__",
        "lambda x: os",
    ],
)
def test_what_is_no_function_is_refused_on_the_record(config, tmp_path):
    with pytest.raises(LoadDenied):
        load_lambda(config, audit=tmp_path / "log.jsonl")
    lines = (tmp_path / "log.jsonl").read_text("ascii").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["decision", "outcome"]


def test_a_place_that_there_is_not_is_answered_with_those_that_there_are():
    with pytest.raises(ValueError, match="in-process, process"):
        load_lambda("lambda x: x", sandbox="worker")


def test_alone_a_policy_holds_too():
    with pytest.raises(LoadDenied) as caught:
        load_lambda("lambda x: x", policy="keras-core")
    assert caught.value.code == "SS303"
    with enforcing("keras-core"), pytest.raises(LoadDenied):
        load_lambda("lambda x: x")
    with pytest.raises(ValueError, match="nowhere"):
        load_lambda("lambda x: x", sandbox="nowhere")


def test_a_lambda_of_an_old_backend_runs_on_todays():
    function = load_lambda("lambda x: tf.reduce_mean(K.square(x), axis=-1, keep_dims=True)")
    for given in (DATA, ops.convert_to_tensor(DATA)):
        np.testing.assert_allclose(function(given), (DATA**2).mean(-1, keepdims=True), rtol=1e-5)


# Real files.

FILES = {
    "4e9753ebb9571ea5.json": {"lambda x: x[:, ::-1, ::-1]", "lambda x: tf.reduce_max(x, axis=1)[:, 0]", "lambda x: (None, 1)"},
    "849b97b2710a41f4.json": {"lambda x: x ** 2", "lambda x: x * 9", "lambda x: K.sqrt(x)"},
    "bac0a2bd5cb5553d.json": set(),
    "cad4f7c3b837e2b3.json": {"lambda x: x / 127.5 - 1.0"},
    "e759f962f7265382.json": {"lambda x: x / 127.5 - 1.0"},
}  # fmt: skip


@pytest.mark.skipif(not REAL.exists(), reason="the shared corpus is not here")
@pytest.mark.parametrize("name", FILES)
def test_a_real_file_comes_to_life_and_predicts(name):
    result = load_result(REAL / name, policy="sandbox", safe_mode=False, migrate=True)
    functions = {source_of(checked) for checked in result.verdict.plan.functions.values()}
    assert functions >= FILES[name]
    made = result.model
    shapes = [
        tuple(64 if extent is None else extent for extent in each.shape[1:]) for each in made.inputs
    ]
    given = [np.ones((1, *shape), "float32") for shape in shapes]
    for each in keras.tree.flatten(made(given if len(given) > 1 else given[0])):
        assert np.isfinite(np.asarray(keras.ops.convert_to_numpy(each))).all()


@pytest.mark.parametrize("values", [{"defaults": [[1.0]]}, {"closure": {"k": [1.0]}}])
def test_lists_beside_a_function_are_made_anew_for_each_call_also_while_it_is_built(
    values, tmp_path
):
    """Keras writes every tuple among the defaults as a list; making a function is announced."""
    text = "lambda x, k: x * k[0]" if "defaults" in values else "lambda x: x * k[0]"
    form = {"schema": 1, "source": text, **values}
    node = {"class_name": "__lambda__", "config": {"secure_serial": form}}
    inner = {
        "class_name": "Lambda",
        "module": "keras.layers",
        "config": {"name": "l", "function": node},
    }
    given = {
        "class_name": "InputLayer",
        "module": "keras.layers",
        "config": {"batch_shape": [None, 4]},
    }
    config = {"name": "s", "layers": [given, inner]}
    path = tmp_path / "m.json"
    path.write_text(json.dumps({"class_name": "Sequential", "module": "keras", "config": config}))
    model = load_model(path, policy="sandbox", safe_mode=False)
    assert model.predict(np.ones((1, 4)), verbose=0).tolist() == [[1.0] * 4]
