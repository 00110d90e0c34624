"""Each wall, tried from inside: what it stops alone, and that the trial would have worked."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from secure_serial.errors import SandboxError
from secure_serial.limits import MIB
from secure_serial.sandbox.allowance import Wall

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")

#: Each leaves out all walls but one.
ONLY = {
    "none": "",
    "landlock": """
machine = kernel.machine()
kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
assert landlock.close(machine)
return frozenset({"landlock"})
""",
    "seccomp": """
machine = kernel.machine()
kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
assert seccomp.close(machine)
return frozenset({"seccomp"})
""",
    "rlimits": """
assert closing.limit(closing.address_space(), memory_bytes)
return frozenset({"rlimits"})
""",
}
PATHS = ("read", "write", "save", "tofile", "listing")
PROCESSES = ("fork", "spawn", "thread", "system")
#: What each wall stops by itself. Root is not bound by the limit on processes.
STOPS = {
    "landlock": PATHS,
    "seccomp": (
        *PATHS, *PROCESSES, "connect", "datagram", "kill", "ptrace", "executable",
        "make_executable", "raise_limit",
    ),
    "rlimits": (*PATHS, "connect", "datagram", "memory", "arrays"),
}  # fmt: skip
ALL = sorted({probe for probes in STOPS.values() for probe in probes})


@pytest.fixture(scope="module")
def only(make):
    """A worker with one wall alone, or with none."""
    workers = {}

    def one(wall):
        if wall not in workers:
            body = ONLY[wall].strip() or "return frozenset()"
            lines = "\n    ".join(body.splitlines())
            workers[wall] = make(
                "from secure_serial.sandbox.wall import closing, kernel, landlock, seccomp\n"
                f"def close_all(memory_bytes, parent):\n    {lines}\n"
                "closing.close_all = close_all"
            )
        return workers[wall]

    yield one
    for worker in workers.values():
        worker.close()


@pytest.fixture
def given(tmp_path):
    """What each probe is given."""
    tmp_path.chmod(0o777)
    for name in ("read", "listing"):
        (tmp_path / name).write_bytes(b"x")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def arguments(probe):
            if probe in PATHS:
                return (str(tmp_path / probe),)
            if probe in {"memory", "arrays"}:
                return (160 * MIB,)
            return {"connect": (port,), "datagram": (port,), "kill": (os.getpid(),)}.get(probe, ())

        yield arguments


def works(result):
    # Nobody can trace a process that is not there; a filter says so before it looks.
    return result in {"ESRCH", "done"} or isinstance(result, (int, float))


@pytest.mark.parametrize("probe", ALL)
def test_without_walls_each_trial_works(only, given, probe):
    assert works(only("none").probe(probe, *given(probe)))


@pytest.mark.parametrize("probe", ALL)
def test_all_walls_stop_it(probed, given, probe, need):
    need(Wall.SECCOMP, Wall.RLIMITS)
    assert not works(probed.probe(probe, *given(probe)))
    assert probed.bare("same", 7) == (7,)  # and it lives


@pytest.mark.parametrize(("wall", "probe"), [(w, p) for w, ps in STOPS.items() for p in ps])
def test_a_wall_alone_stops_it(only, given, wall, probe, need):
    need(wall)
    assert not works(only(wall).probe(probe, *given(probe)))


@pytest.mark.parametrize("probe", PATHS)
def test_landlock_needs_no_other_wall_for_files(make, given, probe, need):
    need(Wall.LANDLOCK)
    lines = "from secure_serial.sandbox.wall import closing, seccomp\n"
    lines += "seccomp.close = lambda machine: False\nclosing.limit = lambda *given: False"
    with make(lines) as worker:
        assert worker.walls == {Wall.LANDLOCK}
        assert worker.probe(probe, *given(probe)) == "EACCES"


def test_the_child_got_nothing_of_the_parent(probed, tmp_path):
    os.environ["SECRET_OF_THE_TEST"] = "1"
    with (tmp_path / "file").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            probed.close()
            start = probed.bare("start")
        finally:
            del os.environ["SECRET_OF_THE_TEST"]
            os.set_inheritable(file.fileno(), False)
    assert not any("SECRET" in name or name in {"HOME", "PATH"} for name in start["environment"])
    assert start["folder"] == "/"
    assert len(start["files"]) <= 7  # three, two pipes, the memory, and the listing itself
    assert start["modules"] == []
    assert probed.bare("path") == []


def test_shared_memory_cannot_be_cut(make):
    """Not even by a child without walls: what the parent reads stays there."""
    lines = "from secure_serial.sandbox.wall import closing\n"
    lines += "closing.close_all = lambda *given: frozenset()"
    with make(lines) as worker:
        found = set()
        for fd in range(3, 32):
            size = worker.probe("open", fd)
            if isinstance(size, int) and size > 16 * MIB:
                found.add(worker.probe("cut", fd))
        assert found == {"EPERM"}


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ("kernel.machine = lambda: None", {Wall.RLIMITS}),
        ("landlock.version = lambda machine: 0", {Wall.RLIMITS, Wall.SECCOMP, Wall.NO_NETWORK}),
        ("closing._threads = lambda: 2", {Wall.RLIMITS, Wall.SECCOMP, Wall.NO_NETWORK}),
        ("kernel.load_filter = lambda *given: 1", {Wall.RLIMITS, Wall.LANDLOCK}),
        ("kernel.load_filter = lambda *given: 0", {Wall.RLIMITS, Wall.LANDLOCK}),
        ("landlock.ruleset = lambda version: bytes(8)", {Wall.RLIMITS, Wall.SECCOMP, Wall.NO_NETWORK}),
        ("closing.address_space = lambda: 0", {Wall.LANDLOCK, Wall.SECCOMP, Wall.NO_NETWORK}),
    ],
)  # fmt: skip
def test_a_wall_that_is_missing_is_not_reported(make, probed, lines, left):
    imports = "from secure_serial.sandbox.wall import closing, kernel, landlock, seccomp\n"
    with make(imports + lines) as worker:
        assert worker.walls == left & probed.walls
        assert worker.bare("same", 1) == (1,)


def test_a_wall_that_is_demanded_and_missing_is_refused_before_anything_runs(make, tmp_path):
    lines = "from secure_serial.sandbox.wall import kernel\nkernel.machine = lambda: None"
    worker = make(lines, demand=[Wall.SECCOMP, Wall.LANDLOCK])
    with pytest.raises(SandboxError, match="landlock, seccomp") as refused:
        worker.probe("write", str(tmp_path / "canary"))
    assert refused.value.code == "SS506"
    assert not list(tmp_path.iterdir())


def test_a_wall_that_nobody_knows_is_missing(make):
    with pytest.raises(SandboxError, match="moat"):
        make(demand=["moat"]).start()


def test_what_is_demanded_and_there_lets_it_run(make, probed):
    with make(demand=probed.walls) as worker:
        assert worker.bare("same", 1) == (1,)
