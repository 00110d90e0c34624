"""The worker's life: values there and back, budgets of time and memory, threads, forks, ends."""

from __future__ import annotations

import gc
import math
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from secure_serial.errors import SandboxError
from secure_serial.limits import MIB
from secure_serial.sandbox.allowance import Wall
from secure_serial.sandbox.wall import worker as worker_module
from secure_serial.sandbox.wall.worker import Spec, Worker, shared_worker

from .conftest import ALLOWANCE

ROOT = Path(__file__).resolve().parents[3]
linux = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")


def refused(worker, code, *call, **options):
    with pytest.raises(SandboxError) as error:
        worker.bare(*call, **options)
    assert error.value.code == code
    return str(error.value)


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_until(condition):
    for _ in range(3000):
        if condition():
            return True
        time.sleep(0.01)
    return False


# Values.


def test_values_come_back_as_they_went(probed):
    values = (
        None, True, 3, -(2**80), 0.1, -0.0, math.inf, "ä\n\ud7ff😀", (1, [2, (3,)]), {"a": {1: None}},
        {1, 2}, frozenset({"x"}), slice(1, None, 2), ..., 1j, complex(math.inf, -0.0), [], {}, (),
    )  # fmt: skip
    back = probed.bare("same", *values)
    assert repr(back) == repr(values)
    assert [type(each) for each in back] == [type(each) for each in values]
    assert math.isnan(probed.bare("same", math.nan)[0])
    assert probed.bare("same", 1, a=[2]) == ((1,), {"a": [2]})


@pytest.mark.parametrize(
    "dtype",
    ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"],
)
def test_arrays_come_back_as_they_went(probed, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for given in (
        array,
        array[:, ::-1, ::2],
        array.T,
        array[:0],
        array[0, 0, 0],
        array[1, 1, 1, None],
    ):
        (back,) = probed.bare("same", given)
        assert np.array_equal(back, given)
        assert back.dtype == given.dtype
        assert type(back) is type(given)
        assert back.shape == given.shape
    (back,) = probed.bare("same", array)
    assert back.flags.writeable
    assert back.flags.owndata


def test_foreign_byte_order_is_turned(probed):
    given = np.arange(3, dtype=">f8")
    assert np.array_equal(probed.bare("same", given)[0], given)


def test_arrays_inside_containers(probed):
    (back,) = probed.bare("same", {"a": [np.ones(2), (np.zeros((0, 3)),)]})
    assert back["a"][0].tolist() == [1, 1]
    assert back["a"][1][0].shape == (0, 3)


def test_result_is_the_callers_own(probed):
    """The next call writes into the same memory."""
    first = probed.bare("scaled", np.ones(1000))
    kept = first.copy()
    probed.bare("scaled", np.full(1000, 9.0))
    assert np.array_equal(first, kept)


def test_argument_cannot_be_changed(probed, make):
    lines = "import probes\ndef change(x): x[0] = 7\nprobes.PROBES['change'] = change"
    with make(lines) as worker:
        given = np.zeros(3)
        assert "read-only" in refused(worker, "SS501", "change", given)
        assert not given.any()


@pytest.mark.parametrize(
    "value",
    [
        object(), b"bytes", len, lambda: 0, np.array(["a"]), np.array([object()]), np.dtype("f4"),
        np.zeros(1, "f4,f4"), np.datetime64("2026-01-01"), [[[object()]]], {"a": object()},
        type("Int", (int,), {})(3), np.ma.array([1]),
        np.ones(1).view(type("Sub", (np.ndarray,), {})),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_does_not_pass_is_refused_here(probed, value):
    probed.start()
    pid = probed._child.pid
    refused(probed, "SS504", "same", value)
    assert probed._child.pid == pid


def nested(value, levels):
    return nested([value], levels - 1) if levels else value


@pytest.mark.parametrize(
    "value",
    ["a" * 5_000_000, np.ones(3 * MIB), [np.ones(MIB)] * 3, nested(1, 100)],
    ids=["text", "array", "arrays", "deep"],
)
def test_what_is_too_much_is_refused_here(probed, value):
    probed.start()
    pid = probed._child.pid
    refused(probed, "SS502", "same", value)
    assert probed._child.pid == pid


def test_result_that_does_not_pass_is_refused(probed):
    assert "object" in refused(probed, "SS504", "object")
    assert "bytes of text" in refused(probed, "SS502", "text", 5_000_000)


def test_result_that_is_too_large_is_refused(probed, make):
    with make("import numpy as np, probes\nprobes.PROBES['ones'] = np.ones") as worker:
        assert "more bytes" in refused(worker, "SS502", "ones", 3 * MIB)
        assert worker.bare("ones", 2 * MIB).nbytes == 16 * MIB


def test_what_a_function_raises_is_told(probed):
    assert "ZeroDivisionError: division by zero" in refused(probed, "SS501", "fail")
    assert "no such function" in refused(probed, "SS501", "unmakeable")


def test_function_is_sent_once(probed, monkeypatch):
    spec = Spec({"probe": "pid", "bare": True})
    seen = []
    writer = worker_module.Writer

    class Seen(writer):
        def message(self, key, described, *rest):
            seen.append(described is not None)
            return super().message(key, described, *rest)

    monkeypatch.setattr(worker_module, "Writer", Seen)
    probed.close()
    pids = {probed.call(spec) for _ in range(3)}
    assert len(pids) == 1
    assert seen == [True, False, False]


def test_child_that_knows_too_many_functions_is_replaced(probed, monkeypatch):
    monkeypatch.setattr(worker_module, "_FUNCTIONS", 3)
    pids = [probed.call({"probe": "pid", "n": n}) for n in range(9)]
    assert 2 <= len(set(pids)) <= 3


@linux
def test_memory_of_large_arrays_is_given_back(make, monkeypatch):
    monkeypatch.setattr(worker_module, "_KEPT", 1 * MIB)
    with make() as worker:
        shared = lambda: int(Path(f"/proc/{os.getpid()}/statm").read_text().split()[2])  # noqa: E731
        worker.bare("scaled", np.ones(1000))
        before = shared()
        back = worker.bare("scaled", np.ones(MIB))
        assert np.array_equal(back, np.ones(MIB) / 127.5 - 1)
        assert (shared() - before) * os.sysconf("SC_PAGE_SIZE") < 3 * MIB


# Budgets.


@linux
@pytest.mark.parametrize("probe", ["memory", "arrays"])
def test_memory_above_that_of_the_idle_child_is_bounded(probed, probe, need):
    need(Wall.RLIMITS)
    probed.start()
    pid = probed._child.pid
    assert probed.bare(probe, 64 * MIB) > 0
    assert "too much" in refused(probed, "SS502", probe, 160 * MIB)
    assert probed._child.pid == pid


def test_computing_for_too_long_ends_it(make):
    with make(allowance=replace(ALLOWANCE, cpu_seconds=0.2)) as worker:
        worker.start()
        pid = worker._child.pid
        assert "0.2 s of computing" in refused(worker, "SS505", "spin")
        assert is_gone(pid)
        assert worker.bare("same", 1) == (1,)


def test_waiting_for_too_long_ends_it(make):
    with make(allowance=replace(ALLOWANCE, wall_seconds=1.5, cpu_seconds=9)) as worker:
        assert "1.5 s" in refused(worker, "SS505", "spin")
        assert worker.bare("same", 1) == (1,)


@linux
def test_sleep_is_no_computing(make):
    lines = "from secure_serial.sandbox.wall import closing\n"
    lines += "closing.close_all = lambda *given: frozenset()"
    with make(lines, allowance=replace(ALLOWANCE, cpu_seconds=0.1)) as worker:
        assert worker.bare("nap", 0.4) is None


def test_crash_is_told(probed):
    assert "SIGSEGV" in refused(probed, "SS505", "crash")
    assert "exit code 7" in refused(probed, "SS505", "exit", 7)
    assert probed.bare("same", 1) == (1,)


# Threads, forks, ends.


def test_many_threads_get_their_own_answers(probed):
    def many(n):
        given = np.full(1000 + n, n, np.float32)
        return all(
            np.array_equal(probed.bare("scaled", given), given / 127.5 - 1) for _ in range(30)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(many, range(16)))


def test_child_outlives_the_thread_that_asked_first(probed):
    """The kernel kills a child with the thread that started it; that is not this one."""
    probed.close()
    pids = []
    first = threading.Thread(target=lambda: pids.append(probed.bare("pid")))
    first.start()
    first.join()
    time.sleep(0.05)
    assert [probed.bare("pid")] == pids


def test_child_that_died_meanwhile_is_replaced_silently(probed):
    pid = probed.bare("pid")
    os.kill(pid, 9)
    assert wait_until(lambda: not probed._child.line.is_quiet())
    assert probed.bare("pid") != pid


def test_close_ends_it_and_a_call_starts_another(probed):
    pid = probed.bare("pid")
    probed.close()
    probed.close()
    assert is_gone(pid)
    assert probed.bare("pid") != pid


def test_worker_that_nobody_has_any_more_ends(make):
    worker = make()
    pid = worker.bare("pid")
    del worker
    gc.collect()
    assert is_gone(pid)


def test_shared_workers_are_shared():
    assert shared_worker(ALLOWANCE) is shared_worker(ALLOWANCE, ())
    assert shared_worker(ALLOWANCE) is not shared_worker(ALLOWANCE, ["seccomp"])
    assert shared_worker() is shared_worker()


@linux
def test_nothing_is_left_behind(make):
    def left():
        gc.collect()
        tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
        children = [Path(each, "children").read_text() for each in tasks]
        maps = Path(f"/proc/{os.getpid()}/maps").read_text().count("secure-serial")
        return len(list(Path("/proc/self/fd").iterdir())), sorted(" ".join(children).split()), maps

    main = "from hostile import main"
    with make(main=main, allowance=replace(ALLOWANCE, wall_seconds=0.1)) as worker:
        pass  # what a first use imports and opens
    before = left()
    for what in ("die", "raw", "be silent", "hang up", "answer") * 3:
        with pytest.raises(SandboxError):
            worker.call({}, (what, "\xff\xff\xff\xff"))
    for _ in range(3):
        with pytest.raises(SandboxError):
            make(main="").start()
    worker.close()
    assert left() == before


def run(code, **options):
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, **options
    )


SCRIPT = f"""
import os, signal, sys
sys.path[:0] = [{str(ROOT)!r}]
from secure_serial.sandbox.wall.worker import Worker
class Probed(Worker):
    _module, _paths = "probes", ({str(Path(__file__).parent)!r},)
worker = Probed()
def pid():
    return worker.call({{"probe": "pid"}})
"""


def test_fork_gets_a_child_of_its_own():
    code = SCRIPT + (
        "mine = pid()\n"
        "other = os.fork()\n"
        "if other == 0:\n"
        "    theirs = pid()\n"
        "    print(mine != theirs, flush=True)\n"
        "    sys.exit(0)\n"  # with all that is done at an exit
        "status = os.waitpid(other, 0)[1]\n"
        "print(status, pid() == mine)\n"
    )
    assert run(code).communicate(timeout=120)[0].split() == ["True", "0", "True"]


def test_fork_while_a_call_is_under_way_does_not_wait_for_it():
    code = SCRIPT + (
        "import threading, time\n"
        "worker.start()\n"
        "threading.Thread(target=lambda: worker.call({'probe': 'spin'}), daemon=True).start()\n"
        "while not worker._lock.locked(): time.sleep(0.01)\n"
        "other = os.fork()\n"
        "if other == 0:\n"
        "    os._exit(0 if pid() else 1)\n"
        "print(os.waitpid(other, 0)[1], flush=True)\n"
        "os._exit(0)\n"
    )
    assert run(code).communicate(timeout=120)[0].split() == ["0"]


@pytest.mark.parametrize(
    ("last", "linux_only"),
    [
        ("", False),
        ("os._exit(0)", False),
        ("os.kill(os.getpid(), signal.SIGKILL)", False),
        ("worker.call({'probe': 'spin'})", True),
    ],
)
def test_child_ends_with_its_parent(last, linux_only):
    if linux_only and sys.platform != "linux":
        pytest.skip("the end of a parent is a signal on Linux alone")
    with run(SCRIPT + f"print(pid(), flush=True)\n{last}\n") as process:
        pid = int(process.stdout.readline())
        if "spin" in last:
            process.kill()
        process.wait()
    assert wait_until(lambda: is_gone(pid))


def test_child_is_not_reached_by_what_seals_other_programs(tmp_path):
    """`secure-serial run` puts a sitecustomize on PYTHONPATH; the worker loads no models."""
    log = tmp_path / "started"
    (tmp_path / "sitecustomize.py").write_text(f"open({str(log)!r}, 'a').write('x')\n")
    with run(SCRIPT + "print(pid())", env={**os.environ, "PYTHONPATH": str(tmp_path)}) as process:
        assert process.stdout.read().strip().isdigit()
    assert log.read_text() == "x"


def test_two_processes_do_not_share_a_child():
    with run(SCRIPT + "print(pid())") as one, run(SCRIPT + "print(pid())") as two:
        assert one.stdout.read() != two.stdout.read()


def test_importing_the_wall_starts_nothing():
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; from secure_serial.sandbox.wall import Worker; Worker(); import threading; print(threading.active_count(), 'numpy' in sys.modules, 'subprocess' in sys.modules)"
    assert run(code).communicate(timeout=60)[0].split() == ["1", "False", "False"]


def test_worker_is_a_context():
    with Worker(ALLOWANCE) as worker:
        pid = worker._child.pid
    assert is_gone(pid)
