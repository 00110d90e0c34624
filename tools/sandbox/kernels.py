"""What JAX compiles against what is charged for it: `python -m tools.sandbox.kernels`.

Each operation is called with the sample arguments of the tests, nothing of it compiled before.
Printed is each that takes the processor longer than its `kernels` in `canonical.json` allow for,
with the number that would. Run it with another JAX again.
"""

from __future__ import annotations

import sys
import time
from math import ceil
from pathlib import Path
from typing import Any

import jax
import numpy as np

from secure_serial.construct.keras.ops import KerasOps
from secure_serial.errors import SandboxError
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades import kinds, ops
from secure_serial.sandbox.facades.canonical import Row, rows
from secure_serial.sandbox.facades.charges.compiled import KERNEL, kernels
from secure_serial.sandbox.facades.offered import operation
from secure_serial.sandbox.meter import Meter, _meter

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from sandbox.facades.cases import CASES

#: Seconds of the processor for one kernel: the steps of a call stand for two.
_SECONDS = 2.0 * KERNEL / Allowance().steps
#: What a first call takes beside compiling, and what measuring it is wrong by.
_LOOSE = 2.0
_BOUNDLESS = Allowance(steps=10**12, elements=10**15, array_bytes=10**18)


def seconds(name: str, values: list[Any]) -> float:
    """What a first call takes of the processor; the least of three."""
    taken = []
    for _ in range(3):
        jax.clear_caches()
        start = time.process_time()
        jax.block_until_ready(operation(name)(name, values, narrow=True))
        taken.append(time.process_time() - start)
    return min(taken)


def values_of(row: Row, case: tuple[Any, ...]) -> list[Any]:
    """The arguments of a call as an operation takes them, its arrays JAX's."""
    given = [*case, *(each.default for each in row.parameters[len(case) :])]
    checked = (kinds.check(p.kind)(v) for p, v in zip(row.parameters, given, strict=True))
    return [_tensor(each) for each in checked]


def _tensor(value: Any) -> Any:
    if type(value) is list:
        return [_tensor(each) for each in value]
    return jax.numpy.asarray(value) if type(value) is np.ndarray else value


def main() -> int:
    """Print what costs more than it is charged; the exit code says whether anything does."""
    ops.active.set(KerasOps())
    _meter.set(Meter(_BOUNDLESS))
    jax.numpy.ones(3).block_until_ready()
    found = 0
    for name, row in rows().items():
        worst = 0.0
        for case in CASES.get(name, []):
            try:
                values = values_of(row, case)
                worst = max(worst, seconds(name, values) / kernels(row, values))
            except (SandboxError, ValueError, TypeError):
                continue  # the backend has none, or takes other arguments
        if worst > _SECONDS * _LOOSE:
            found += 1
            print(f'{name:24} {1e3 * worst:6.0f} ms   "kernels": {ceil(worst / _SECONDS)}')
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main())
