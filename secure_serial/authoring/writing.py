"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    #: What a file is to hold, or what writes it into the open file, where it is long.
    Content: TypeAlias = bytes | Callable[[BinaryIO], object]


def create(path: Path, data: Content) -> None:
    """Write a new file.

    Raises:
        OSError: it cannot be written; FileExistsError: there is something of that name.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a"
    >>> create(path, b"1")
    >>> path.read_bytes()
    b'1'

    """
    # The name is taken first, so that of two writers one fails.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        replace(path, data)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def replace(path: Path, data: Content) -> None:
    """Write what a file holds anew; its mode stays, and a link to it stays one.

    Raises:
        OSError: it cannot be written; it is as it was.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a"
    >>> create(path, b"1"); replace(path, b"2")
    >>> path.read_bytes()
    b'2'

    """
    target = Path(os.path.realpath(path))
    mode = stat.S_IMODE(target.stat().st_mode)
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            if isinstance(data, bytes):
                file.write(data)
            else:
                data(file)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(mode)
        new.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise
