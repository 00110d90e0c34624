"""Workers whose children are the tests' own: built of the same parts, with other mains."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from secure_serial.limits import MIB
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.wall import turns
from secure_serial.sandbox.wall.worker import Worker

from .talking import Talking

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # it has no worker

HERE = str(Path(__file__).parent)
#: Small, so that what is left behind would show.
ALLOWANCE = Allowance(array_bytes=16 * MIB, memory_bytes=128 * MIB, wall_seconds=60.0)
_numbers = itertools.count()


class Probed(Worker):
    """Runs the probes by name."""

    _module = "probes"
    _paths = (HERE,)

    def probe(self, name, *given):
        return self.call({"probe": name}, given)

    def bare(self, name, *given, **named):
        """As a restricted function would be: what it raises comes back as an error."""
        return self.call({"probe": name, "bare": True}, given, named)


@pytest.fixture(scope="session")
def make(tmp_path_factory):
    """A worker whose child runs some lines first: to leave a wall out, or to be hostile."""
    folder = tmp_path_factory.mktemp("mains")

    def made(lines="", *, main="from probes import main", allowance=ALLOWANCE, demand=()):
        name = f"main_{next(_numbers)}"
        (folder / f"{name}.py").write_text(f"{lines}\n{main}\n", encoding="utf-8")
        kind = type("Made", (Probed,), {"_module": name, "_paths": (HERE, str(folder))})
        return kind(allowance, demand)

    return made


@pytest.fixture(scope="module")
def probed():
    with Probed(ALLOWANCE) as worker:
        yield worker


@pytest.fixture
def need(probed):
    """Skip where the kernel lacks a wall."""

    def needed(*walls):
        missing = set(walls) - probed.walls
        if missing:
            pytest.skip(f"this kernel lacks {', '.join(sorted(missing))}")

    return needed


@pytest.fixture(scope="module")
def talking():
    found = Talking()
    yield found
    found.close()


@pytest.fixture
def short(monkeypatch, request):
    """Blocks of as few items as the module says, so that there are many."""
    monkeypatch.setattr(turns, "ITEMS", request.module.BLOCK)
