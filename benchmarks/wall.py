"""What a restricted function costs in this process and in the worker, against the raw function.

    python -m benchmarks.wall [--repeat N]

The three take turns on the same array. Times by the clock, since two processes work: the
median, and the best, which other work on the machine has disturbed least. Ratios of the best.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.lambdas.understood import from_source
from secure_serial.limits import MIB
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict
from secure_serial.sandbox.wall import Walled, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

#: Each as a file has it, and as NumPy does it without us.
CASES: dict[str, Callable[[Any], Any]] = {
    "lambda x: x / 127.5 - 1": lambda x: x / 127.5 - 1,
    "lambda x: K.mean(K.square(x), axis=-1)": lambda x: np.mean(np.square(x), axis=-1),
    "lambda x: K.sqrt(K.square(x) + 1.0) * K.tanh(x)": (
        lambda x: np.sqrt(np.square(x) + 1.0) * np.tanh(x)
    ),
}
SIZES = (1 * MIB, 10 * MIB)


def taking_turns(actions: list[Callable[[], object]], rounds: int) -> list[list[float]]:
    """The times of each, in milliseconds, sorted."""
    found: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for each, action in zip(found, actions, strict=True):
            start = time.perf_counter()
            result = action()
            each.append((time.perf_counter() - start) * 1000)
            del result  # or its memory would not be there for the next
    return [sorted(each) for each in found]


def row(name: str, times: list[list[float]]) -> str:
    """One line of the table."""
    raw = times[0][0]
    cells = [f"{statistics.median(each):.2f} ({each[0]:.2f})" for each in times]
    ratios = [f"{each[0] / raw:.2f}" for each in times[1:]]
    return f"| {name} | {' | '.join(cells)} | {' | '.join(ratios)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.wall", description=__doc__)
    parser.add_argument("--repeat", type=int, default=60)
    repeat = parser.parse_args().repeat
    starts = []
    with Worker() as worker:
        for _ in range(5):
            worker.close()
            start = time.perf_counter()
            worker.start()
            starts.append(time.perf_counter() - start)
        print(f"walls: {', '.join(sorted(worker.walls))}")
        print(f"start of a worker: {min(starts):.2f} s at best")
        print("| | raw, ms | in-process, ms | worker, ms | in-process, ratio | worker, ratio |")
        print("|---|---|---|---|---|---|")
        for source, raw in {"lambda: None": lambda: None, **CASES}.items():
            understood = from_source(source)
            three = [raw, build(restrict(understood), NUMPY), Walled(understood, worker)]
            if source == "lambda: None":
                print(row("an empty call", taking_turns(three, repeat * 50)))
                continue
            for size in SIZES:
                x = np.random.default_rng(0).random((size // 256, 64), dtype=np.float32)
                actions = [lambda each=each, x=x: each(x) for each in three]
                print(row(f"`{source}`, {size // MIB} MB", taking_turns(actions, repeat)))


if __name__ == "__main__":
    main()
