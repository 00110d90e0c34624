"""Restricted functions in the worker: the same as in this process, and no escape from either."""

from __future__ import annotations

import inspect
import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from secure_serial.errors import SandboxError
from secure_serial.lambdas.understood import from_own, from_source
from secure_serial.limits import MIB
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict
from secure_serial.sandbox.wall import Walled, Worker, dry_run, shared_worker

ALLOWANCE = Allowance(array_bytes=64 * MIB, memory_bytes=512 * MIB)
X = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7 - 1
#: Shapes of real ones: LAMBDA.md's and the rest of what facades have.
SOURCES = [
    "lambda x: x / 127.5 - 1",
    "lambda x: x ** 2",
    "lambda x: x[:, 1:, ::-1]",
    "lambda x: K.mean(K.square(x), axis=-1)",
    "lambda x: K.l2_normalize(x, axis=1)",
    "lambda x: tf.pad(x, [[0, 0], [1, 1], [0, 0]])",
    "lambda x: tf.reduce_max(x, axis=[1, 2])",
    "lambda x: tf.nn.softmax(x)",
    "lambda x: np.concatenate([x, x], axis=0)",
    "lambda x: {'a': [x, (x.shape, x.dtype)], 'b': x.mean()}",
    "lambda x: [i * i for i in range(5) if i % 2]",
    "lambda x, n=3, *, k=2.5: x * n + k",
    "lambda x: K.std(x, axis=0)",
    "lambda x: tf.linalg.norm(x)",
    "lambda x: x @ K.permute_dimensions(x, (0, 2, 1))",
    "lambda x: f'{x.shape[0]} of {len(x)}'",
    "lambda x: math.sqrt(2) * math.inf",
    "lambda x: -math.nan",
    "lambda x: slice(1, None)",
    "lambda x: ...",
    "lambda x: np.einsum('ijk,ilk->ijl', x, x)",
    "lambda x: np.argsort(x, axis=-1)",
    "lambda x: tf.cast(x, 'int32')",
]
FAILING = [
    "lambda x: np.percentile(x, 30)",
    "lambda x: 1 / 0",
    "lambda x: [][0]",
    "lambda x: K.reshape(x, (7,))",
    "lambda x: [0] * 10 ** 9",
    "lambda x: np.ones((10 ** 5, 10 ** 5))",
    "lambda x: 2 ** 10 ** 9",
    "lambda x: [i for i in range(10 ** 6)]",
    "lambda x: 'a' * 10 ** 9",
    "lambda x: x.tofile('/tmp/x')",
    "lambda x: x.nothing",
    "lambda x: (lambda f: f(f))(lambda f: f(f))",
    "lambda x: np.nowhere(x)",
    "lambda x: x + missing_argument_of_nobody if x is None else x['a']",
]


@pytest.fixture(scope="module")
def worker():
    with Worker(ALLOWANCE) as made:
        yield made


def outcome(make, *args):
    try:
        return make()(*args)
    except SandboxError as error:
        return (error.code, error.message)


def same(one, other):
    if isinstance(one, np.ndarray | np.generic):
        return type(one) is type(other) and one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, tuple | list):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return repr(one) == repr(other)


@pytest.mark.parametrize("source", SOURCES + FAILING)
def test_it_is_the_same_as_in_this_process(worker, source):
    understood = from_source(source)
    here = outcome(lambda: build(restrict(understood), NUMPY, ALLOWANCE), X)
    there = outcome(lambda: Walled(understood, worker), X)
    assert same(here, there), (here, there)
    if source in SOURCES:
        assert not (isinstance(here, tuple) and here and str(here[0]).startswith("SS5")), here


def test_it_has_the_face_of_its_twin(worker):
    understood = from_source("lambda x, n=2, *, k=3: x * n + k")
    here, there = build(restrict(understood), NUMPY), Walled(understood, worker)
    for name in ("__signature__", "__name__", "understood", "digest", "source"):
        assert getattr(here, name) == getattr(there, name)
    assert inspect.signature(there) == inspect.signature(here)
    assert there(2, k=1) == here(2, k=1) == 5
    assert "walled" in repr(there)


def test_defaults_and_closure_go_along(worker):
    form = {
        "schema": 1, "source": "lambda x, n: x * n + k[1]",
        "defaults": [0.5], "closure": {"k": [1, 2]},
    }  # fmt: skip
    understood = from_own(json.loads(json.dumps(form)))
    assert Walled(understood, worker)(4) == 4.0


def test_what_is_not_run_is_refused_before_the_worker_hears_of_it():
    silent = Worker(ALLOWANCE)
    with pytest.raises(SandboxError) as refused:
        Walled(from_source("lambda x: open('/etc/passwd')"), silent)
    assert refused.value.code == "SS503"
    assert silent._child is None


def test_budget_is_of_each_call(worker):
    small = Worker(replace(ALLOWANCE, steps=300))
    with small:
        function = Walled(from_source("lambda n: [i for i in range(n)]"), small)
        assert [len(function(50)) for _ in range(20)] == [50] * 20
        with pytest.raises(SandboxError) as refused:
            function(5000)
    assert refused.value.code == "SS502"


def test_function_as_a_result_stays_there(worker):
    with pytest.raises(SandboxError, match="Inner"):
        Walled(from_source("lambda x: lambda y: y"), worker)(1)


class Tensor:
    """Of some backend."""

    def __init__(self, array):
        self._array = array

    def __array__(self, dtype=None, copy=None):
        if self._array is None:
            raise TypeError("no values while tracing")
        return np.asarray(self._array, dtype)


def test_tensors_are_handed_over_as_arrays(worker):
    function = Walled(from_source("lambda xs, *, y: xs[0]['a'] + y"), worker)
    given = [{"a": Tensor(X)}]
    assert np.array_equal(function(given, y=Tensor(X)), X + X)


def test_tensors_without_values_say_what_to_do(worker):
    with pytest.raises(SandboxError, match="in-process"):
        Walled(from_source("lambda x: x"), worker)(Tensor(None))


def test_dry_run_gives_shapes(worker):
    def shapes(source, *given, dtypes=None):
        return dry_run(from_source(source), given, dtypes or ["float32"] * len(given), worker)

    assert shapes("lambda x: x[:, :3] / x[0, :3]", (None, 5)) == (2, 3)
    assert shapes("lambda a, b: (a @ b, {'n': a.mean()})", (3, 4), (4, 2)) == ((3, 2), {"n": ()})
    assert shapes("lambda xs: K.concatenate(xs, axis=-1)", [(None, 3), (None, 4)]) == (2, 7)
    assert shapes("lambda x: np.ones(3)[x]", (4,), dtypes=["int32"]) == (4,)


def test_dry_run_refuses_what_a_call_would(worker):
    with pytest.raises(SandboxError):
        dry_run(from_source("lambda x: K.reshape(x, (7,))"), [(None, 5)], ["float32"], worker)


@pytest.mark.parametrize("shape", [(10**9, 10**9), (-1, 2), [(4 * MIB,)] * 5])
def test_dry_run_refuses_shapes_that_are_too_large(worker, shape):
    with pytest.raises(SandboxError) as refused:
        dry_run(from_source("lambda x: x"), [shape], ["float32"], worker)
    assert refused.value.code == "SS502"


def test_shared_worker_serves_all_functions():
    worker = shared_worker(ALLOWANCE)
    try:
        assert Walled(from_source("lambda x: x + 1"), worker)(1) == 2
        assert Walled(from_source("lambda x: x + 2"), worker)(1) == 3
    finally:
        worker.close()


def test_a_number_of_too_many_digits_is_refused_and_the_worker_lives():
    """Python writes no more than 4,300 of them: sys.set_int_max_str_digits."""
    with Worker(ALLOWANCE) as worker:
        scaled = Walled(from_source("lambda x, n: x * n"), worker)
        assert scaled(np.ones(3, "f4"), 2).tolist() == [2.0] * 3
        pid = worker._child.pid
        for size in (3, 1 << 20):
            with pytest.raises(SandboxError, match="digits") as refused:
                scaled(np.ones(size, "f4"), 10**5000)
            assert refused.value.code == "SS502"
        assert worker._child.pid == pid


def test_another_thread_may_end_the_worker_when_a_call_has_just_ended():
    """What the child knew, its successor does not."""
    with Worker(ALLOWANCE) as worker:
        first, second = (Walled(from_source(f"lambda x: x + {n}"), worker) for n in (1, 2))
        let_go = worker._lock

        class Lock:
            def __enter__(self):
                return let_go.__enter__()

            def __exit__(self, *given):
                let_go.__exit__(*given)
                worker._lock = let_go
                other = threading.Thread(target=lambda: (worker.close(), second(1)))
                other.start()
                other.join()

        worker._lock = Lock()
        assert [first(1), first(1), second(1)] == [2, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: {x[0]: 1}",  # a number of NumPy's
        "lambda x: {x[0]}",
        "lambda x: {(1, 2, 3, 4, 5, 6, 7, 8, 9): x}",
        "lambda x: '\\ud800'",
        "lambda x: [{i: 1 for i in range(999)} for _ in range(9)]",
    ],
)
def test_results_that_do_not_pass_are_said_by_the_worker_itself(worker, text):
    """Each ended the worker, which had said what no worker says."""
    with pytest.raises(SandboxError) as refused:
        Walled(from_source(text), worker)(np.ones(3, "f4"))
    assert refused.value.code in {"SS502", "SS504"}
