"""Every operation that facades have works behind the walls: nothing is imported too late."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from secure_serial.errors import SandboxError
from secure_serial.sandbox.facades.ops import NUMPY

from .test_walled import same

MAIN = """
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.wall import evaluator
from secure_serial.sandbox.wall.child import run

def main(given):
    evaluator.prepare()
    run(given, lambda spec: NUMPY.find(spec["probe"]))
"""


def _cases():
    path = Path(__file__).parents[1] / "facades" / "cases.py"
    spec = importlib.util.spec_from_file_location("wall_cases", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.CASES


CASES = _cases()


@pytest.fixture(scope="module")
def worker(make):
    with make(main=MAIN) as made:
        yield made


def outcome(call):
    try:
        with np.errstate(all="ignore"):
            return call()
    except SandboxError as error:
        return error.message.removeprefix("the restricted function failed: ")[:60]
    except Exception as error:  # noqa: BLE001 - both sides are to fail alike
        return f"{type(error).__name__}: {error}"[:60]


@pytest.mark.parametrize("name", sorted(CASES))
def test_operation_gives_the_same_behind_the_walls(worker, name):
    for arguments in CASES[name]:
        here = outcome(lambda given=arguments: NUMPY.find(name)(*given))
        there = outcome(lambda given=arguments: worker.bare(name, *given))
        assert same(here, there), (arguments, here, there)
