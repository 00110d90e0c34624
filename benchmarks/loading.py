"""What a gated load costs beside Keras's own, and what plain objects cost to deserialize.

    python -m benchmarks.loading [--repeat N] [--objects N] [--registered N]

Keras and this package load in processes of their own, which take turns: the audit hook of a
gated load stays for good, and would slow Keras down, too. CPU times, the best of several and
the median. One pass of SHA-256 over the file is measured apart, and taken off ours before the
ratio.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")
MILLI, MICRO = 1e3, 1e6
#: What issue and documentation promise.
LOAD_BAR, OBJECTS_BAR = 1.02, 3.0
_WORKERS = ("keras", "ours")
#: What is deserialized: so many objects, by one call or by one call for each.
OBJECTS = {
    "many": "a list of {objects:,} objects of {registered:,} classes",
    "one": "a list of {objects:,} objects of one class, {registered:,} registered",
    "single": "{objects:,} calls with one object each, {registered:,} classes registered",
}


def save_models(folder: Path) -> dict[str, Path]:
    """The models that are loaded."""
    import keras

    inputs = outputs = keras.Input((32,))
    for _ in range(200):
        outputs = keras.layers.Dense(32, activation="relu")(outputs)
    models = {
        "ResNet50": keras.applications.ResNet50(weights=None),
        "EfficientNetB0": keras.applications.EfficientNetB0(weights=None),
        "200 Dense": keras.Model(inputs, outputs),
    }
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    return {name: folder / f"{name}.keras" for name in models}


class Worker:
    """A process that loads with one of the two, and says what it took."""

    def __init__(self, kind: str, options: argparse.Namespace) -> None:
        command = [sys.executable, "-m", "benchmarks.loading", "--worker", kind]
        command += ["--objects", str(options.objects), "--registered", str(options.registered)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).resolve().parents[1],
        )  # fmt: skip

    def seconds(self, what: str) -> float:
        """The CPU seconds that one load takes there."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the worker has no pipes")
        stdin.write(f"{what}\n")
        stdin.flush()
        return float(stdout.readline())

    def end(self) -> None:
        """End it."""
        self._process.communicate()


def serve(kind: str, objects: int, registered: int) -> None:
    """Load what stdin names, and print the CPU seconds that it took."""
    load, read = (_keras_actions if kind == "keras" else _our_actions)(objects, registered)
    for line in sys.stdin:
        what = line.strip()
        start = time.process_time()
        read[what]() if what in read else load(what)
        print(time.process_time() - start, flush=True)


_Actions = tuple[Callable[[str], Any], dict[str, Callable[[], Any]]]


def _keras_actions(objects: int, registered: int) -> _Actions:
    import keras

    config = _register(keras.saving, objects, registered)
    return keras.saving.load_model, _reading(keras.saving.deserialize_keras_object, config)


def _our_actions(objects: int, registered: int) -> _Actions:
    import secure_serial

    config = _register(secure_serial, objects, registered)
    policy = secure_serial.load_policy("keras-core")

    def read(config: Any) -> Any:
        return secure_serial.deserialize_keras_object(config, policy=policy)

    return secure_serial.load_model, _reading(read, config)


def _reading(read: Callable[[Any], Any], config: list[Any]) -> dict[str, Callable[[], Any]]:
    """What `OBJECTS` tells of, with one of the two functions."""
    same = [{**config[0], "config": node["config"]} for node in config]
    return {
        "many": lambda: read(config),
        "one": lambda: read(same),
        "single": lambda: [read(node) for node in config],
    }


def _register(api: Any, objects: int, registered: int) -> list[object]:
    """So many registered classes, and the config of a list of their objects."""

    class Plain:
        def __init__(self, units: int = 1, rates: tuple[float, ...] = ()) -> None:
            self.units, self.rates = units, rates

        def get_config(self) -> dict[str, object]:
            return {"units": self.units, "rates": list(self.rates)}

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Plain:
            return cls(**config)

    made = [
        api.register_keras_serializable("bench", f"Plain{number}")(
            type(f"Plain{number}", (Plain,), {})
        )
        for number in range(registered)
    ]
    some = [made[number % registered](number, (0.5, 0.25)) for number in range(objects)]
    tree: list[object] = api.serialize_keras_object(some)
    copied: list[object] = json.loads(json.dumps(tree))
    return copied


def measured(workers: dict[str, Worker], what: str, repeat: int) -> list[list[float]]:
    """What each takes, in turns."""
    for worker in workers.values():
        worker.seconds(what)  # what is made once is not what is measured
    taken = [[worker.seconds(what) for worker in workers.values()] for _ in range(repeat)]
    return [list(column) for column in zip(*taken, strict=True)]


def hashing(path: Path, repeat: int) -> float:
    """The CPU seconds of one pass of SHA-256 over a file."""
    taken = []
    for _ in range(repeat):
        start = time.process_time()
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading")
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--objects", type=int, default=1_000)
    parser.add_argument("--registered", type=int, default=1_000)
    parser.add_argument("--worker", choices=_WORKERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        serve(options.worker, options.objects, options.registered)
        return
    workers = {kind: Worker(kind, options) for kind in _WORKERS}
    _print_models(workers, options.repeat)
    _print_objects(workers, options)
    for worker in workers.values():
        worker.end()


def _print_models(workers: dict[str, Worker], repeat: int) -> None:
    print("CPU time, the best / the median.\n")
    print("| load | Keras, ms | SHA-256, ms | ours, ms | (ours - SHA-256) / Keras | bar |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, path in save_models(Path(folder)).items():
            keras, ours = measured(workers, str(path), repeat)
            digest = hashing(path, repeat)
            ratios = [(of(ours) - digest) / of(keras) for of in (min, median)]
            print(
                f"| {name} | {_both(keras, MILLI)} | {digest * MILLI:.0f} | {_both(ours, MILLI)} "
                f"| {ratios[0]:.3f} / {ratios[1]:.3f} | {LOAD_BAR} |",
                flush=True,
            )


def _print_objects(workers: dict[str, Worker], options: argparse.Namespace) -> None:
    print("\n| deserialize | Keras, µs each | ours, µs each | Keras / ours | bar |")
    print("|---|---|---|---|---|")
    for what, title in OBJECTS.items():
        keras, ours = measured(workers, what, options.repeat)
        scale = MICRO / options.objects
        ratios = [of(keras) / of(ours) for of in (min, median)]
        print(
            f"| {title.format(**vars(options))} | {_both(keras, scale, 1)} "
            f"| {_both(ours, scale, 1)} | {ratios[0]:.2f} / {ratios[1]:.2f} | {OBJECTS_BAR} |",
            flush=True,
        )


def _both(seconds: list[float], scale: float, digits: int = 0) -> str:
    return " / ".join(f"{of(seconds) * scale:,.{digits}f}" for of in (min, median))


if __name__ == "__main__":
    main()
