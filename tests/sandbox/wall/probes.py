"""What a test's worker runs in place of restricted functions: things that walls are to stop.

Nothing that is shipped leads here: a test starts a worker with this module as its main.
"""

from __future__ import annotations

import ctypes
import encodings.idna  # noqa: F401 - sockets look for it late
import errno
import mmap
import os
import resource
import socket
import sys
import threading
import time
from pathlib import Path

import numpy as np

from secure_serial.sandbox.wall.child import run

LIBC = ctypes.CDLL(None, use_errno=True)
#: A process number that no process has (the kernel's bound is 2**22).
NOBODY = 2**30


def opened():
    if sys.platform != "linux":
        return []
    return sorted(int(each.name) for each in Path("/proc/self/fd").iterdir())


AT_START = {
    "environment": sorted(os.environ),
    "folder": str(Path.cwd()),
    "files": opened(),
    "modules": sorted(name for name in sys.modules if name.startswith(("pytest", "jax"))),
}


def named(code):
    return errno.errorcode.get(code, str(code))


def raw(result):
    return "done" if result >= 0 else named(ctypes.get_errno())


def read(path):
    with Path(path).open("rb") as file:
        file.read(1)


def write(path):
    with Path(path).open("wb") as file:
        file.write(b"x")


def save(path):
    np.save(path, np.ones(3))


def tofile(path):
    np.ones(3).tofile(path)


def listing(path):
    list(Path(path).parent.iterdir())


def connect(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def datagram(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", ("127.0.0.1", port))


def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def spawn():
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)


def thread():
    started = threading.Thread(target=lambda: None)
    started.start()
    started.join()


def system():
    status = os.system("true")
    return "done" if status == 0 else f"status {status}"


def kill(pid):
    os.kill(pid, 0)


def ptrace():
    return raw(LIBC.ptrace(16, NOBODY, None, None))  # PTRACE_ATTACH


def executable():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC).close()


def make_executable():
    with mmap.mmap(-1, 4096) as memory:
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        result = raw(LIBC.mprotect(ctypes.c_void_p(address), 4096, 5))
        del address
    return result


def raise_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def memory(size):
    return len(bytearray(size))


def arrays(size):
    return float(np.ones(size // 8).sum())


def spin():
    while True:
        pass


def crash():
    ctypes.string_at(0)


def nap(seconds):
    time.sleep(seconds)


PROBES = {
    each.__name__: each
    for each in (
        read, write, save, tofile, listing, connect, datagram, fork, spawn, thread, system, kill,
        ptrace, executable, make_executable, raise_limit, memory, arrays, spin, crash, nap,
    )
}  # fmt: skip
PROBES |= {
    "same": lambda *given, **named: (given, named) if named else given,
    "scaled": lambda x: x / 127.5 - 1,
    "pid": os.getpid,
    "start": lambda: AT_START,
    "path": lambda: list(sys.path),
    "open": lambda fd: os.fstat(fd).st_size,
    "exit": os._exit,
    "text": lambda count: "a" * count,
    "object": object,
    "fail": lambda: 1 / 0,
    "cut": lambda fd: os.ftruncate(fd, 0),
}


def made(spec):
    if spec["probe"] == "unmakeable":
        raise ValueError("no such function")
    function = PROBES[spec["probe"]]
    if spec.get("bare"):
        return function

    def probe(*given):
        try:
            result = function(*given)
        except OSError as error:
            return named(error.errno)
        except (RuntimeError, MemoryError) as error:
            return type(error).__name__
        return "done" if result is None else result

    return probe


def main(given):
    run(given, made)
