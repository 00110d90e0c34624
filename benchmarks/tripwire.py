"""What the tripwire costs a process that has loaded once.

    python -m benchmarks.tripwire [--repeat N]

The hook cannot be taken out again, so each state is measured in a process of its own, and
the processes take turns: four of them, some two minutes of CPU for each `--repeat`, nearly all
of it Keras's compiling. CPU times, the best of all; ratios to a process without the hook.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("KERAS_BACKEND", "jax")

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
#: Without the hook; with it and no load; with a load in another thread; within a load.
STATES = ("none", "idle", "beside", "within")
_IMPORTED = "colorsys"  # small, pure Python, and imported by nobody else
NANO = 1e9


def best(action: Callable[[], object], times: int, rounds: int = 7) -> float:
    """The CPU seconds of one call, the best of several rounds."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(times):
            action()
        found.append((time.process_time() - start) / times)
    return min(found)


def import_once() -> None:
    """Import a module that is not loaded."""
    sys.modules.pop(_IMPORTED, None)
    importlib.import_module(_IMPORTED)


def measured(folder: Path | None) -> dict[str, float]:
    """Each figure in the state that this process is in."""
    import keras
    import numpy as np

    thing, null = object(), os.devnull
    model = keras.Sequential(
        [keras.Input((32,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(1)]
    )
    model.compile("adam", "mse")
    batch, truth = np.zeros((32, 32), "float32"), np.zeros((32, 1), "float32")
    model.train_on_batch(batch, truth)
    found = {
        "`id`": best(lambda: id(thing), 20_000),
        "open and close a file": best(lambda: Path(null).open().close(), 500),
        "import a module": best(import_once, 30),
        "one step of training": best(lambda: model.train_on_batch(batch, truth), 20),
    }
    if folder is not None:
        path = folder / "net.keras"
        keras.saving.load_model(path)
        found["Keras loads MobileNetV2"] = best(lambda: keras.saving.load_model(path), 1, 5)
    return found


def child(state: str, folder: Path) -> None:
    """Print the figures of one state."""
    from contextvars import copy_context

    import keras

    from secure_serial.construct.tripwire import Wire
    from secure_serial.errors import LoadDenied

    keras.ops.zeros(1)  # Keras and its backend wake up before a load begins, here as there

    wire = Wire(lambda event, *_: LoadDenied(event))
    if state == "none":
        figures = measured(folder)
    elif state == "within":
        with wire:
            figures = measured(None)  # a load opens its file before, and Keras may not here
    else:
        context = copy_context()  # of somebody else, as a thread would have it
        if state == "idle":
            with wire:
                pass
        else:
            context.run(wire.__enter__)
        figures = measured(folder)
    print(json.dumps(figures))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tripwire")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--state", choices=STATES)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.state:
        child(options.state, options.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        import keras

        keras.applications.MobileNetV2(weights=None).save(Path(name, "net.keras"))
        found: dict[str, dict[str, float]] = {state: {} for state in STATES}
        for _ in range(options.repeat):
            for state in STATES:
                print(f"measuring: {state}", file=sys.stderr, flush=True)
                command = [sys.executable, "-m", "benchmarks.tripwire", "--state", state]
                done = subprocess.run(
                    [*command, "--folder", name], check=True, cwd=ROOT, capture_output=True
                )
                for title, seconds in json.loads(done.stdout.splitlines()[-1]).items():
                    known = found[state].get(title, seconds)
                    found[state][title] = min(known, seconds)
        print("| | no hook, ns | no load runs | a load runs beside | within a load |")
        print("|---|---|---|---|---|")
        for title, seconds in found["none"].items():
            ratios = [
                f"{found[state][title] / seconds:.2f}" if title in found[state] else "-"
                for state in STATES[1:]
            ]
            print(f"| {title} | {seconds * NANO:,.0f} | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()
