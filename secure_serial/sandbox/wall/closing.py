"""Closes the walls round this process, in the order in which each still lets the next be built.

Nothing here can be taken back. Each wall that is reported was tried, and held; one that the
system lacks is left out of the report, and the parent decides whether that will do.
"""

from __future__ import annotations

import mmap
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from secure_serial.limits import MIB
from secure_serial.sandbox.allowance import Wall
from secure_serial.sandbox.wall import kernel, landlock, seccomp

if sys.platform != "win32":
    import resource

#: The user that nobody is, on every Linux (Documentation/admin-guide/sysctl/fs.rst, overflowuid).
_NOBODY = 65534
#: include/uapi/linux/capability.h
_CAP_KILL = 1 << 5


def close_all(memory_bytes: int, parent: int) -> frozenset[Wall]:
    """Close what there is, and say what holds.

    Args:
        memory_bytes: What this process may take above what it has now.
        parent: The process with which this one ends.

    """
    if sys.platform == "win32":  # it has none of these, and nothing that stands for them
        return frozenset()
    idle = address_space()  # which this process may not ask later
    give_up_root()
    machine = kernel.machine()
    walls = set()
    if sys.platform == "linux":
        with suppress(OSError):  # the walls that need the first say so by not holding
            kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
            kernel.prctl(kernel.PR_SET_DUMPABLE, 0)  # no other process of this user looks in
        end_with(parent)
    # A landlock holds the thread that closes it; those that it starts later inherit it.
    if machine is not None and _threads() == 1 and landlock.close(machine):
        walls.add(Wall.LANDLOCK)
    if limit(idle, memory_bytes):
        walls.add(Wall.RLIMITS)
    if machine is not None and seccomp.close(machine):
        walls |= {Wall.SECCOMP, Wall.NO_NETWORK}  # it names no call that makes a socket
    return frozenset(walls)


def give_up_root() -> None:
    """Become nobody, if this is root: limits on processes and files' owners do not bind root."""
    if os.geteuid() != 0 or not _may_kill():
        return
    try:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except (OSError, AttributeError):
        return  # macOS, or a namespace where nobody else is known; the other walls still close


def _may_kill() -> bool:
    """Whether root, as it is here, can end the process of another user: the parent will have to."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        (rights,) = [line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")]
        return bool(int(rights, 16) & _CAP_KILL)
    except (OSError, ValueError):
        return False


def end_with(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    with suppress(OSError):  # it also ends when the parent hangs up
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that
        os._exit(0)


def limit(idle: int, memory_bytes: int) -> bool:
    """Set the limits of the system's own accounts. Whether the one on memory holds."""
    try:
        if idle:
            _set(resource.RLIMIT_AS, idle + memory_bytes)
        # No new file, process, byte in a file, or image of the memory when it dies.
        for kind in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_NOFILE"):
            _set(getattr(resource, kind), 0)
    except (OSError, ValueError):
        return False
    try:
        mmap.mmap(-1, memory_bytes + 16 * MIB).close()
    except (OSError, ValueError, OverflowError):
        return bool(idle)
    return False


def _set(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    least = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (least, least))


def address_space() -> int:
    """Bytes of address space that this process has; 0 where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    except OSError:
        return 0
    return int(pages) * mmap.PAGESIZE


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - names are enough
    except OSError:
        return 0
