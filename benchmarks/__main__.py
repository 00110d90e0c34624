"""What safety costs: plain `zipfile` and `json`, Keras, and this package, side by side.

    python -m benchmarks [--files N] [--layers N] [--repeat N]

Prints CPU times, which a busy machine distorts less than wall times, as medians, and the
ratio of each to its baseline. Baselines and ours are measured in turn, not one after all of
the other, so that both see the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

os.environ.setdefault("KERAS_BACKEND", "jax")

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
SMALL = ROOT / "examples" / "models" / "benign" / "text_classifier.keras"
MILLI = 1e3


class Case(NamedTuple):
    """One row: what is compared, and how often."""

    title: str
    baseline: str
    plain: Callable[[], object]
    ours: Callable[[], object]
    repeat: int
    clock: Callable[[], float] = time.process_time


def children() -> float:
    """The CPU time of all child processes so far."""
    times = os.times()
    return times.children_user + times.children_system


def measure(case: Case) -> None:
    """Run a case and print its row."""
    plain, ours = [], []
    for _ in range(case.repeat):
        for action, taken in ((case.plain, plain), (case.ours, ours)):
            start = case.clock()
            action()
            taken.append(case.clock() - start)
    first, second = statistics.median(plain), statistics.median(ours)
    print(
        f"| {case.title} | {case.baseline} | {first * MILLI:,.1f} | {second * MILLI:,.1f} "
        f"| {second / first:.2f} |",
        flush=True,
    )


def read_plain(path: Path) -> object:
    """What a loader without any check does first."""
    if path.suffix == ".json":
        return json.loads(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


def deep_config(layers: int) -> dict[str, object]:
    """A Functional model of many equal layers, as Keras writes one."""
    nodes: list[dict[str, object]] = [_node("InputLayer", "in", {"batch_shape": [None, 8]}, None)]
    before = "in"
    for number in range(layers):
        config = {"units": 8, "activation": "relu", "use_bias": True}
        nodes.append(_node("Dense", f"dense_{number}", config, before))
        before = f"dense_{number}"
    config = {
        "name": "deep", "trainable": True, "layers": nodes,
        "input_layers": [["in", 0, 0]], "output_layers": [[before, 0, 0]],
    }  # fmt: skip
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": config,
        "registered_name": "Functional",
    }


def _node(name: str, own: str, config: dict[str, object], before: str | None) -> dict[str, object]:
    tensor = {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 8], "dtype": "float32", "keras_history": [before, 0, 0]},
    }
    calls = [] if before is None else [{"args": [tensor], "kwargs": {}}]
    return {
        "module": "keras.layers",
        "class_name": name,
        "config": {"name": own, "trainable": True, "dtype": "float32", **config},
        "registered_name": None,
        "name": own,
        "inbound_nodes": calls,
    }


def run(code: str, *arguments: str) -> Callable[[], object]:
    """An action that runs a Python of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return lambda: subprocess.run(command, check=True, cwd=ROOT, capture_output=True)


def scans(folder: Path, options: argparse.Namespace) -> list[Case]:
    """The cases that load nothing."""
    from secure_serial import scan

    many = folder / "many"
    many.mkdir()
    for number in range(options.files):
        shutil.copyfile(SMALL, many / f"{number:05}.keras")
    deep = folder / "deep.json"
    deep.write_text(json.dumps(deep_config(options.layers)), encoding="utf-8")
    if any(file.findings for file in scan([SMALL, deep]).files):
        raise SystemExit("a file that is to be measured is not allowed")
    reads = "import zipfile,json,sys;json.loads(zipfile.ZipFile(sys.argv[1]).read('config.json'))"
    ours = "import sys;from secure_serial.cli.main import main;main(['scan',sys.argv[1]])"
    reader = "`zipfile`, `json`"
    return [
        Case("start a process, one small file", reader,
             run(reads, str(SMALL)), run(ours, str(SMALL)), options.repeat, children),
        Case("one small file", reader,
             lambda: read_plain(SMALL), lambda: scan(SMALL), options.repeat * 5),
        Case(f"{options.files} small files", reader,
             lambda: [read_plain(path) for path in sorted(many.iterdir())],
             lambda: scan(many), options.repeat),
        Case(f"{options.layers} layers, {deep.stat().st_size / 1e6:.1f} MB", "`json`",
             lambda: read_plain(deep), lambda: scan(deep), options.repeat),
    ]  # fmt: skip


def loads(folder: Path, options: argparse.Namespace) -> list[Case]:
    """The cases that build a model."""
    import logging

    import keras

    import secure_serial

    logging.getLogger("secure_serial.audit").addHandler(logging.NullHandler())
    wide = folder / "wide.keras"
    inputs = keras.Input((32,))
    outputs = inputs
    for _ in range(100):
        outputs = keras.layers.Dense(32, activation="relu")(outputs)
    keras.Model(inputs, outputs).save(wide)
    net = folder / "mobilenet.keras"
    keras.applications.MobileNetV2(weights=None).save(net)
    log = folder / "audit.jsonl"

    def plain(path: Path) -> Callable[[], object]:
        return lambda: keras.saving.load_model(path)

    def ours(path: Path) -> Callable[[], object]:
        return lambda: secure_serial.load_model(path, audit=log)

    cases = [("small LSTM", SMALL), ("100 Dense", wide), ("MobileNetV2", net)]
    for _, path in cases:  # what is made once is not what is measured
        plain(path)()
        ours(path)()
    return [
        Case(f"load: {title}", "`keras.saving.load_model`", plain(path), ours(path), options.repeat)
        for title, path in cases
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--layers", type=int, default=5000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    print("| case | baseline | baseline, CPU ms | ours, CPU ms | ratio |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in scans(folder, options):
            measure(case)
        for case in loads(folder, options):
            measure(case)


if __name__ == "__main__":
    main()
