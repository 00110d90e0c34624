"""Memory that parent and child share: arrays go through it, in two halves, one each way.

It has its full size from the start, and takes up memory only where it was written to. Its
size is sealed, so that a child cannot cut it off under the parent's hands.
"""

from __future__ import annotations

import mmap
import os
import sys
from typing import Any

#: Each array begins at a multiple of this: a cache line, and more than any item needs.
ALIGNMENT = 64
#: What the system's lists of mappings show.
_NAME = "secure-serial"
#: include/uapi/linux/memfd.h: it is never to be executed.
_MFD_NOEXEC_SEAL = 8


class Segment:
    """Shared memory, by its file descriptor, which stays the caller's.

    Args:
        fd: What `create` gave.
        incoming: Bytes of the first half, which the parent writes and the child reads.
        outgoing: Bytes of the second half, for the way back.

    """

    def __init__(self, fd: int, incoming: int, outgoing: int) -> None:
        self.incoming = _rounded(incoming)
        self.size = self.incoming + _rounded(outgoing)
        self.memory = mmap.mmap(fd, self.size)

    def trim(self, first: int) -> None:
        """Give the memory from this offset to the end of the first half, and the second, back."""
        self._drop(first, self.incoming)
        self._drop(self.incoming + first, self.size)

    def _drop(self, first: int, last: int) -> None:
        first = -(-first // mmap.PAGESIZE) * mmap.PAGESIZE
        if first < last and hasattr(mmap, "MADV_REMOVE"):
            self.memory.madvise(mmap.MADV_REMOVE, first, last - first)

    def close(self) -> None:
        """Let the memory go, with the last array in it.

        Such arrays may stand in the frames of an error; to look at one must not end the process.
        """
        vars(self).pop("memory", None)


def create(incoming: int, outgoing: int) -> int:
    """The file descriptor of new shared memory that no path leads to.

    Raises:
        OSError: the system has no such memory, or not enough.

    """
    size = _rounded(incoming) + _rounded(outgoing)
    fd = _anonymous()
    try:
        os.ftruncate(fd, size)
        if sys.platform == "linux":
            import fcntl

            seals = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _anonymous() -> int:
    if hasattr(os, "memfd_create"):
        flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        try:  # some systems demand it (vm.memfd_noexec), and kernels before 6.3 do not know it
            return os.memfd_create(_NAME, flags | _MFD_NOEXEC_SEAL)
        except OSError:
            return os.memfd_create(_NAME, flags)
    return _unnamed()


def _unnamed() -> int:
    """The memory that POSIX names, its name taken away at once.

    Where this is used, macOS, its size can be set only once (ftruncate fails the second time).
    """
    import secrets
    from importlib import import_module

    posix: Any = import_module("_posixshmem")  # which `multiprocessing.shared_memory` is made of
    name = f"/ss-{secrets.token_hex(8)}"
    fd: int = posix.shm_open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode=0o600)
    posix.shm_unlink(name)
    return fd


def _rounded(size: int) -> int:
    return -(-max(size, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
