"""What stored functions cost: to read and restrict, to call here and in the worker, in a model.

    python -m benchmarks.lambdas [--part reading|calls|model] [--repeat N] [--streams FILE]

Raw and restricted functions take turns on the same arrays, so that what else the machine does
meets both. CPU times, by the clock where two processes work or JAX's threads: the median, and the
best, which other work has disturbed least. Ratios are those of the best. `--streams` names a JSON
file of rows with `python`, `source` and `code_b64`: functions that other versions of Python stored
are read, too.
"""

from __future__ import annotations

import argparse
import base64
import json
import marshal
import os
import statistics
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np

from secure_serial.lambdas.stored import Stored, stored
from secure_serial.lambdas.understood import from_source, understand
from secure_serial.limits import MIB
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict
from secure_serial.sandbox.wall import Walled, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Action = Callable[[], object]

#: What the documentation aims at: milliseconds to have a function, and ratios to the raw one.
READ_BAR, CALL_BAR, WORKER_BAR = 2.0, 1.05, 1.5
#: What Lambda layers hold, most of it found in published models.
TYPICAL = (
    "lambda x: x / 127.5 - 1.0",
    "lambda x: x ** 2",
    "lambda x: x[:, ::2]",
    "lambda x: K.l2_normalize(x, axis=1)",
    "lambda x: tf.nn.relu(x) * 0.5",
    "lambda x: K.mean(x, axis=[1, 2], keepdims=True)",
    "lambda x: tf.reshape(x, (-1, x.shape[1], x.shape[2] * 2))",
    "lambda xs: K.sqrt(K.sum(K.square(xs[0] - xs[1]), axis=1, keepdims=True))",
    "lambda x, scale=2.0: x * scale if scale > 1 else x",
    "lambda x: K.concatenate([x[:, :1], x[:, 1:] * 2], axis=-1)",
    "lambda x: tf.image.resize(x, (64, 64))",
    "lambda x: sum([x[:, i] for i in range(4)])",
)


def _normalized(x: Any) -> Any:
    return x / np.sqrt(np.maximum(np.sum(np.square(x), axis=1, keepdims=True), 1e-12))


#: Each as a file has it, and as NumPy does it without us.
CALLS: dict[str, Callable[[Any], Any]] = {
    "lambda x: x / 127.5 - 1": lambda x: x / 127.5 - 1,
    "lambda x: x ** 2": lambda x: x**2,
    "lambda x: x[:, ::2]": lambda x: x[:, ::2],
    "lambda x: x * 2 + x / 3": lambda x: x * 2 + x / 3,
    "lambda x: (x - 0.5) * (x + 0.5) / (x * x + 1)": lambda x: (x - 0.5) * (x + 0.5) / (x * x + 1),
    "lambda x: K.l2_normalize(x, axis=1)": _normalized,
    "lambda x: tf.tanh(x) * x": lambda x: np.tanh(x) * x,
    "lambda x: K.mean(K.square(x), axis=-1)": lambda x: np.mean(np.square(x), axis=-1),
}
EMPTY = "lambda: None"
SIZES = (1 * MIB, 10 * MIB)


def taking_turns(
    actions: Sequence[Action], rounds: int, clock: Callable[[], float] = time.thread_time
) -> list[list[float]]:
    """The milliseconds of each, sorted."""
    found: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for each, action in zip(found, actions, strict=True):
            start = clock()
            result = action()
            each.append((clock() - start) * 1000)
            del result  # or its memory would not be there for the next
    return [sorted(each) for each in found]


def row(name: str, *pairs: list[list[float]]) -> None:
    """Print one line: of each pair the medians and the bests, and the ratio of these."""
    cells = []
    for raw, ours in pairs:
        cells += [f"{statistics.median(each):.3f} ({each[0]:.3f})" for each in (raw, ours)]
        cells.append(f"{ours[0] / raw[0]:.2f}")
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


# Reading.


def as_file(code: bytes, defaults: Sequence[object] = ()) -> Any:
    """The form in which Keras 3 stores a function."""
    config = {
        "code": base64.b64encode(code).decode("ascii"),
        "defaults": list(defaults) or None,
        "closure": None,
    }
    return {"class_name": "__lambda__", "config": config, "module": "builtins"}


def compiled(source: str) -> Any:
    """A function of this Python, as a file has it. It is our own text that is evaluated."""
    function = eval(source)  # noqa: S307 - one of the texts above
    return as_file(marshal.dumps(function.__code__), function.__defaults__ or ())


def other_streams(path: Path, versions: int = 3) -> dict[str, Any]:
    """Some stored functions of other versions: of each, the same few."""
    found: dict[str, Any] = {}
    taken: dict[str, int] = {}
    for each in json.loads(path.read_text(encoding="utf-8")):
        if each["defaults"] or each["closure"] or taken.get(each["python"], 0) >= versions:
            continue
        taken[each["python"]] = taken.get(each["python"], 0) + 1
        code = base64.b64decode(each["code_b64"])
        found[f"{each['python']}: {each['source'][:60]}"] = as_file(code)
    return found


def reading(repeat: int, streams: Path | None) -> None:
    """Print what it takes to have a callable of what a file holds."""
    files = {source: compiled(source) for source in TYPICAL}
    if streams is not None:
        files |= other_streams(streams)
    print("| read, lift, prove, restrict, build | all, ms | lift | restrict | build | bar |")
    print("|---|---|---|---|---|---|")
    best = []
    for name, value in files.items():
        parts = _steps(value)
        every = taking_turns([partial(have, value), *parts], repeat)
        cells = [f"{statistics.median(each):.2f} ({each[0]:.2f})" for each in every]
        best.append(every[0][0])
        print(f"| `{name}` | {' | '.join(cells)} | {READ_BAR} |", flush=True)
    print(f"| the best of the median one | {statistics.median(best):.2f} | | | | {READ_BAR} |\n")


def have(value: Any) -> object:
    """A callable of what a file holds."""
    return build(restrict(understand(_stored(value))), NUMPY)


def _stored(value: Any) -> Stored:
    found = stored(value)
    if found is None:
        raise ValueError(value)
    return found


def _steps(value: Any) -> list[Action]:
    understood = understand(_stored(value))
    checked = restrict(understood)
    return [
        lambda: understand(_stored(value)),
        lambda: restrict(understood),
        lambda: build(checked, NUMPY),
    ]


# Calls.


def calls(repeat: int) -> None:
    """Print what calls cost."""
    with Worker() as worker:
        print(f"start of a worker: {_start(worker):.2f} s at best; walls: ", end="")
        print(", ".join(sorted(worker.walls)))
        print(
            "| | raw, CPU ms | in-process, CPU ms | ratio | raw, ms | worker, ms | ratio |\n"
            "|---|---|---|---|---|---|---|"
        )
        row("100 empty calls", *_pairs(EMPTY, lambda: None, worker, (), repeat, 100))
        for size in SIZES:
            x = np.random.default_rng(0).random((size // 256, 64), dtype=np.float32) + 0.5
            for source, raw in CALLS.items():
                row(f"`{source}`, {size // MIB} MB", *_pairs(source, raw, worker, (x,), repeat))
    print(f"| bar: 1 MB in-process, 10 MB worker | | | {CALL_BAR} | | | {WORKER_BAR} |\n")


def _start(worker: Worker) -> float:
    taken = []
    for _ in range(5):
        worker.close()
        start = time.perf_counter()
        worker.start()
        taken.append(time.perf_counter() - start)
    return min(taken)


def _pairs(
    source: str, raw: Callable[..., Any], worker: Worker, args: Any, repeat: int, times: int = 1
) -> list[list[list[float]]]:
    """The raw function with the restricted one, and with the one in the worker."""
    understood = from_source(source)
    here, there = build(restrict(understood), NUMPY), Walled(understood, worker)
    first, second, third = (partial(_done, each, args, times) for each in (raw, here, there))
    return [
        taking_turns([first, second], 5 * repeat),
        taking_turns([first, third], repeat, time.perf_counter),
    ]


def _done(function: Callable[..., Any], args: Any, times: int) -> Any:
    result = None
    for _ in range(times):
        result = function(*args)
    return result


# In a model.

IN_MODEL = "lambda x: K.tanh(x / 127.5 - 1) * x[:, ::-1] + K.l2_normalize(x ** 2, axis=1)"


def _raw_in_model(x: Any) -> Any:
    from keras import ops

    squared = x**2
    least = ops.maximum(ops.sum(ops.square(squared), axis=1, keepdims=True), 1e-12)
    return ops.tanh(x / 127.5 - 1) * x[:, ::-1] + squared / ops.sqrt(least)


def model(repeat: int) -> None:
    """Print what a Lambda layer costs in a model of Keras, eager and compiled."""
    from secure_serial.construct.keras.ops import KerasOps

    functions: list[Callable[..., Any]] = [
        _raw_in_model,
        build(restrict(from_source(IN_MODEL)), KerasOps()),
    ]
    x = np.random.default_rng(0).random((256, 64), dtype=np.float32)
    y = x[:, :1]
    print("| two Dense and a Lambda, 256 x 64 | raw, ms | restricted, ms | ratio |")
    print("|---|---|---|---|", flush=True)
    for eager in (True, False):
        models = [_model(function, eager=eager) for function in functions]
        clock = time.perf_counter
        word = "eager" if eager else "compiled"
        steps = [partial(each.train_on_batch, x, y) for each in models]
        row(f"step of training, {word}", taking_turns(steps, repeat, clock))
        steps = [partial(each.predict_on_batch, x) for each in models]
        row(f"predict, {word}", taking_turns(steps, repeat, clock))


def _model(function: Callable[..., Any], *, eager: bool) -> Any:
    import keras

    inputs = keras.Input((64,))
    inner = keras.layers.Dense(64)(inputs)
    outputs = keras.layers.Dense(1)(keras.layers.Lambda(function)(inner))
    made = keras.Model(inputs, outputs)
    made.compile(keras.optimizers.SGD(1e-6), "mse", run_eagerly=eager)
    for _ in range(3):  # what is traced once is not what is measured
        made.train_on_batch(np.ones((256, 64), "f4"), np.ones((256, 1), "f4"))
        made.predict_on_batch(np.ones((256, 64), "f4"))
    return made


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lambdas")
    parser.add_argument("--part", choices=("reading", "calls", "model"))
    parser.add_argument("--repeat", type=int, default=60)
    parser.add_argument("--streams", type=Path)
    options = parser.parse_args()
    if options.part in {None, "reading"}:
        reading(options.repeat, options.streams)
    if options.part in {None, "calls"}:
        calls(options.repeat)
    if options.part in {None, "model"}:
        model(options.repeat)


if __name__ == "__main__":
    main()
