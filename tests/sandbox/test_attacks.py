"""Hostile functions: each ends in one of our errors, soon, with little memory, and touches nothing.

Each runs twice: as `from_source` understands it, which refuses some at once, and straight from
Python's own parser, so that `restrict` must hold alone.
"""

import ast
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from secure_serial.errors import SecureSerialError
from secure_serial.lambdas.understood import Understood, from_source
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict

resource = pytest.importorskip("resource")

#: Of the processor; a tracer for coverage takes far more.
SECONDS = 2.0 if sys.gettrace() is None else 60.0
MEMORY = 512 * 1024  # kilobytes above what the process takes when the first case begins
#: Half of the arrays that are allowed where nobody says otherwise: 512 MiB are for all there is.
BOUNDS = Allowance(array_bytes=384 << 20)


def cases():
    technique = ""
    for line in Path(__file__).with_name("attacks.txt").read_text("utf-8").splitlines():
        if line.startswith("== "):
            technique = line[3:]
        elif line and not line.startswith("#"):
            yield pytest.param(re.sub(r"\\n", "\n", line), id=f"{technique[:12]}: {line[:60]!a}")


def parsed(text):
    """As an attacker would wish it: without a look by `lambdas`."""
    module = ast.parse(text)
    node = module.body[0]
    tree = node.value if isinstance(node, ast.Expr) else node
    kwdefaults = {}
    tree.args.kw_defaults = [None] * len(tree.args.kwonlyargs)
    tree.args.defaults = []
    return Understood(tree, (), kwdefaults, {}, (), "sha256:0", "source")


class TooLong(BaseException):
    """Not one that the sandbox could take for an error of the function."""


@pytest.fixture(scope="module")
def before():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A canary, a clock of the processor's time, and doors that must stay shut."""
    touched = []
    monkeypatch.chdir(tmp_path)
    for owner, name in [(os, "system"), (os, "popen"), (subprocess, "Popen")]:
        monkeypatch.setattr(owner, name, lambda *a, **k: touched.append(a))

    def rung(*_):
        raise TooLong

    old = signal.signal(signal.SIGPROF, rung)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    yield touched
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, old)
    assert touched == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("understand", [from_source, parsed], ids=["understood", "parsed"])
@pytest.mark.parametrize("text", list(cases()))
def test_attack_ends_in_one_of_our_errors(text, understand, trap, before):
    x = np.arange(6, dtype="float32").reshape(2, 3)
    with pytest.raises(SecureSerialError):
        build(restrict(understand(text)), NUMPY, BOUNDS)(x)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY
    assert np.array_equal(x, np.arange(6, dtype="float32").reshape(2, 3))


def test_there_are_many_attacks():
    assert len(list(cases())) >= 400
