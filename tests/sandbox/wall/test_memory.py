"""The shared memory: what becomes of it after calls, and of arrays that still lie in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from secure_serial.lambdas.understood import from_source
from secure_serial.limits import MIB
from secure_serial.sandbox.wall import Walled, Worker, segment, turns
from secure_serial.sandbox.wall import worker as worker_module

from .conftest import ALLOWANCE

ROOT = Path(__file__).resolve().parents[3]
#: A call in blocks that does not end in time; then somebody looks at what stood in its frames.
LOOKS = """
import traceback, numpy as np
from secure_serial.errors import SandboxError
from secure_serial.lambdas.understood import from_source
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.wall import Walled, Worker
function = Walled(from_source("lambda x: np.sin(x) ** 1.7"), Worker(Allowance(cpu_seconds=0.05)))
try:
    function(np.random.rand(8_000_000))
except SandboxError as error:
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    print(error.code, "array" in "".join(shown.format()))
"""


def test_who_looks_at_the_frames_of_an_error_looks_at_memory_that_is_there():
    found = subprocess.run(
        [sys.executable, "-c", LOOKS], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (found.returncode, found.stdout) == (0, "SS505 True\n"), found.stderr


def test_arrays_outlive_the_segment_that_they_lie_in():
    import os

    fd = segment.create(4096, 4096)
    held = segment.Segment(fd, 4096, 4096)
    os.close(fd)
    view = np.ndarray((8,), "u1", held.memory, 0)
    view[:] = 7
    held.close()
    held.close()
    assert view.tolist() == [7] * 8


@pytest.mark.parametrize("most", [1, 64 * MIB])
def test_what_a_call_in_blocks_took_up_is_given_back(monkeypatch, most):
    trimmed = []
    monkeypatch.setattr(worker_module, "_KEPT", most)
    monkeypatch.setattr(segment.Segment, "trim", lambda self, first: trimmed.append(first))
    function = Walled(from_source("lambda x: x * 2 + 1"), Worker(ALLOWANCE))
    x = np.ones(turns.PLACES * turns.ITEMS, "f4")
    assert np.array_equal(function(x), x * 2 + 1)
    assert trimmed == ([1] if most == 1 else [])
    function.worker.close()
