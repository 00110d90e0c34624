"""Starts a child, knows how it ended, and leaves nothing of it behind.

A thread of its own starts each child and waits for it: on Linux a child is killed when the
thread that started it ends, so this thread lives as long as the child does. It runs in an
empty context: what a load may do is no matter of a worker's start.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess  # nosec B404
import sys
import threading
import time
from contextvars import Context
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.wall import frames, segment

if TYPE_CHECKING:
    from collections.abc import Callable

#: Packages that the child imports, besides this one and the standard library.
_NEEDED = ("numpy", "RestrictedPython")
_BOOT = (
    "import sys, json, importlib; given = json.loads(sys.argv[1]); sys.path += given['path'];"
    "importlib.import_module(given['module']).main(given)"
)
#: All of the child's environment. One thread: the walls hold one, and memory is counted from
#: there. glibc (mallopt(3)) gives large blocks back to the system at once unless told; the
#: next call would ask for the same pages again, which costs as much as the work itself.
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # the most that it takes
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(1 << 20),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a child is to be.

    `module` has the `main` that it runs; `paths` are looked through after the standard library.
    """

    incoming: int
    outgoing: int
    memory_bytes: int
    module: str = "secure_serial.sandbox.wall.child"
    paths: tuple[str, ...] = ()


class Child:
    """A process that was started, the pipes to it, and the memory shared with it.

    Raises:
        OSError: it could not be started.

    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._begun = threading.Event()
        self._trouble: BaseException | None = None
        self.process: subprocess.Popen[bytes]
        self.line: frames.Line
        self.segment: segment.Segment
        self._thread = threading.Thread(
            target=Context().run, args=(self._live,), name="secure-serial-worker", daemon=True
        )
        self._thread.start()
        self._begun.wait()
        if self._trouble is not None:
            raise OSError(str(self._trouble)) from self._trouble

    def _live(self) -> None:
        try:
            process = self._start()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the other thread raises it
            self._trouble = error
            return
        finally:
            self._begun.set()
        process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        plan, opened = self._plan, []
        try:
            shared = segment.create(plan.incoming, plan.outgoing)
            opened.append(shared)
            theirs_in, ours_out = os.pipe()
            opened += [theirs_in, ours_out]
            ours_in, theirs_out = os.pipe()
            opened += [ours_in, theirs_out]
            self.segment = segment.Segment(shared, plan.incoming, plan.outgoing)
            given = {"segment": shared, "inlet": theirs_in, "outlet": theirs_out}
            self.process = _spawned(plan, given)
            self.line = frames.Line(ours_in, ours_out)
            opened = [shared, theirs_in, theirs_out]
        finally:
            for fd in opened:
                os.close(fd)
        return self.process

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.process.pid

    def patience(self, wall: float, cpu: float) -> Callable[[], float]:
        """How long to wait for an answer yet, by the clock and by what the child has computed.

        The child has one thread, so that it computes no longer than the clock goes. Where the
        system does not tell what another process has computed, the clock is all there is.
        """
        left = frames.clock(wall)
        if cpu >= wall or sys.platform != "linux":
            return left
        clock = (~self.pid << 3) | 2  # clock_getcpuclockid(3): all threads of a process
        end = time.clock_gettime(clock) + cpu

        def least() -> float:
            rest = end - time.clock_gettime(clock)
            if rest <= 0:
                raise TimeoutError
            return min(left(), rest)

        return least

    def end(self, moment: float = 0.0) -> str:
        """Kill it if it lives, clean up, and say in words how it ended.

        Args:
            moment: Seconds that it has to be gone by itself: it hung up.

        """
        process = self.process
        self._thread.join(moment)
        ended = process.returncode is not None
        process.kill()
        if threading.current_thread() is not self._thread:  # which may collect garbage
            self._thread.join()
        self.line.close()
        self.segment.close()
        return ended_by(process.returncode) if ended else "it was killed"

    def forget(self) -> None:
        """In a copy of the parent, made by fork: let go of it, and leave it alone."""
        self.process.returncode = 0  # not ours to wait for
        self.line.close()
        self.segment.close()


def ended_by(code: int) -> str:
    """An exit code in words.

    >>> ended_by(-9), ended_by(1)
    ('it was ended by SIGKILL', 'it ended with exit code 1')
    """
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"


def _spawned(plan: Plan, given: dict[str, Any]) -> subprocess.Popen[bytes]:
    whole = {
        **given,
        "incoming": plan.incoming,
        "outgoing": plan.outgoing,
        "memory_bytes": plan.memory_bytes,
        "parent": os.getpid(),
        "module": plan.module,
        "path": [*homes(), *plan.paths],
    }
    # Isolated: no variable, no folder of the user or the script, no `site` and what it runs.
    options = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
    # Our own code, and no shell.
    return subprocess.Popen(  # noqa: S603  # nosec B603
        [sys.executable, *options, "-c", _BOOT, json.dumps(whole)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=_ENVIRONMENT,
        pass_fds=[given["segment"], given["inlet"], given["outlet"]],
        start_new_session=True,  # the keys that stop the parent are not for it
    )


def homes() -> list[str]:
    """The folders in which this package and what the child needs are installed."""
    from importlib.util import find_spec

    found = [str(Path(__file__).resolve().parents[3])]
    for name in _NEEDED:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            found.append(str(Path(spec.origin).resolve().parents[1]))
    return list(dict.fromkeys(found))
