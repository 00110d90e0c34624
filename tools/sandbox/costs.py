"""What operations cost against what they are charged: `python -m tools.sandbox.costs [NAME …]`.

Each operation is called with arrays of every type and of several shapes, with values that are known
to be slow among them. What a call takes, divided by the part of the budget that it used, is what a
whole budget could be made to take: printed where that is more than two seconds of the processor, or
more memory than the project promises. Run it with nothing beside it, and with another NumPy again.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from secure_serial.errors import SandboxError
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.canonical import MISSING, Row, rows
from secure_serial.sandbox.facades.offered import operation
from secure_serial.sandbox.meter import Meter, _meter
from secure_serial.sandbox.values import FOREIGN

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 2.0
#: Bytes for each byte of a budget of 384 MiB, that all may stay within 512 MiB.
_HELD = 512 / 384
_ITEMS = 1_000_000
_ALLOWANCE = Allowance()
#: What a parameter that is no array is tried with.
_VALUES: dict[str, tuple[Any, ...]] = {
    "int": (0, 1, 7), "number": (1, 0.5, 1j), "dtype": ("float16", "complex128"), "axis": (0,),
    "degree": (1, 16), "size": (2,), "sizes": (2,), "radius": (5,), "flag": (True,),
}  # fmt: skip


class Cost(NamedTuple):
    """What one call took."""

    seconds: float
    bytes: int
    used: float  # the part of the budget
    charged: int  # bytes
    refused: bool

    @property
    def outlier(self) -> str:
        """Why it is one; empty if it is none."""
        whole = self.seconds / max(self.used, 1e-9)
        held = self.bytes / max(self.charged, 1)
        if not self.refused and self.seconds > 1e-3 and whole > _SECONDS:  # noqa: PLR2004 - noise
            return f"{whole:8.1f} s"
        if not self.refused and self.bytes > 16 << 20 and held > _HELD:
            return f"{held:8.1f} times the bytes"
        return ""


def arrays(items: int) -> dict[str, np.ndarray[Any, Any]]:
    """Values that are slow to compute with, of every type."""
    random = np.random.default_rng(1)
    plain = random.normal(size=items)
    made = {
        "float64": plain,
        "float64 large": np.full(items, 1.5e308),
        "float64 denormal": np.full(items, 3e-310),
        "float64 nan": np.full(items, np.nan),
        "float64 angle": np.full(items, 1e22),
        "float32": plain.astype("f4"),
        "float32 denormal": np.full(items, 1e-42, "f4"),
        "float16": plain.astype("f2"),
        "float16 denormal": np.full(items, 1e-7, "f2"),
        "int64": np.full(items, 7_540_113_804_746_346_429),
        "int32": random.integers(-(2**31), 2**31 - 1, items).astype("i4"),
        "int8": np.full(items, 77, "i1"),
        "bool": random.integers(0, 2, items).astype(bool),
        "complex128": plain + 1j * plain[::-1],
        "complex64": (plain + 1j * plain[::-1]).astype("c8"),
    }
    try:
        from ml_dtypes import bfloat16
    except ImportError:
        return made
    return made | {"bfloat16": plain.astype(bfloat16)}


def cost(name: str, values: list[Any]) -> Cost:
    """Call an operation once."""
    account = Meter(_ALLOWANCE)
    opened = _meter.set(account)
    gc.collect()
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
    start = time.process_time()
    refused = False
    try:
        account.step(FOREIGN)
        operation(name)(name, values, narrow=False)
    except SandboxError:
        refused = True
    except (ValueError, TypeError, IndexError, ArithmeticError):
        pass  # that costs something, too
    finally:
        _meter.reset(opened)
    seconds = time.process_time() - start
    used = max(
        account.steps / _ALLOWANCE.steps,
        account.elements / _ALLOWANCE.elements,
        account.array_bytes / _ALLOWANCE.array_bytes,
    )
    return Cost(seconds, _status("VmHWM") - before, used, account.array_bytes, refused)


def _status(key: str) -> int:
    """Bytes, as the kernel counts them."""
    text = Path("/proc/self/status").read_text("ascii")
    return int(text.partition(f"{key}:")[2].split()[0]) << 10


def cases(row: Row, items: int) -> Iterator[tuple[str, list[Any]]]:
    """Values for every parameter that has no default, and what they are called."""
    known = arrays(items)
    shapes = ((items,), (items // 4, 4), (4, items // 4), (items // 10_000, 100, 100))
    for (name, array), shape in itertools.product(known.items(), shapes):
        choices: list[tuple[Any, ...]] = []
        for parameter in row.parameters:
            if parameter.default is not MISSING and parameter.name != "axis":
                choices.append((parameter.default,))
            elif parameter.kind.startswith("tensors"):
                choices.append(([array.reshape(shape), known["float64"].reshape(shape)],))
            elif parameter.kind.startswith("tensor"):
                choices.append((array.reshape(shape),))
            elif parameter.kind.startswith("shape"):
                choices.append((shape,))
            else:
                kind = parameter.kind.rstrip("?")
                default = parameter.default
                more = () if default is MISSING else (default,)
                choices.append((*more, *_VALUES.get(kind, ())) or (1,))
        for values in itertools.product(*choices):
            others = [v for v in values if not isinstance(v, np.ndarray | list)]
            yield f"{name} {shape} {others}", list(values)


def main() -> int:
    """Print what costs more than it is charged; the exit code says whether anything does."""
    parser = argparse.ArgumentParser(prog="python -m tools.sandbox.costs")
    parser.add_argument("names", nargs="*", help="of operations (default: all of them)")
    parser.add_argument("--items", type=int, default=_ITEMS)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    found = 0
    for name, row in rows().items():
        if given.names and name not in given.names:
            continue
        worst: dict[str, str] = {}
        for case, values in cases(row, given.items):
            outlier = cost(name, values).outlier
            # Once more: what a first call sets up is nothing that repeating it would cost.
            if outlier and (again := cost(name, values).outlier):
                worst[again] = case
        for outlier, case in sorted(worst.items(), reverse=True)[:3]:
            print(f"{name:24} {outlier}   {case}", flush=True)
        found += bool(worst)
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main())
