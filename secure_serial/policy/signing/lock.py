"""An exclusive lock on an open file, on either family of systems. It never waits."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def take(descriptor: int) -> bool:
    """Whether the lock is now ours. Closing the file, or the end of the process, gives it back.

    >>> import tempfile
    >>> with tempfile.TemporaryFile() as file:
    ...     take(file.fileno())
    True
    """
    try:
        _lock(descriptor)
    except OSError:
        return False
    return True
