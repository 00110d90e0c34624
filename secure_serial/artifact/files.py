"""Opening what a path names: a regular file or a folder, never anything that could block.

A pipe, a socket or a device is refused before it is opened; the file that was opened is
checked again by its handle, so that an exchange in between changes nothing.
"""

from __future__ import annotations

import os
import re
import stat
from typing import BinaryIO

from secure_serial.artifact.faults import Fault
from secure_serial.errors import MalformedArtifact, UnsupportedFormat

# Two letters at least: a single one is a drive of Windows.
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
# O_NONBLOCK: should the file be exchanged for a pipe, opening it must not wait.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def local_path(path: str | os.PathLike[str] | os.PathLike[bytes]) -> str:
    """The path as text, if it names something on this machine."""
    try:
        text = os.fsdecode(path)
    except (TypeError, UnicodeError) as error:
        raise MalformedArtifact("not a path", code=Fault.UNREADABLE) from error
    if _REMOTE.match(text):
        raise UnsupportedFormat(f"a remote location: {text!r:.120}", code=Fault.REMOTE)
    return text


def is_folder(path: str) -> bool:
    """Whether the path is a folder; what is neither that nor a regular file is refused."""
    mode = _stat(path, follow=True).st_mode
    if not stat.S_ISDIR(mode):
        _check_regular(mode)
    return stat.S_ISDIR(mode)


def open_regular(path: str, *, follow: bool = True) -> tuple[BinaryIO, os.stat_result]:
    """An open regular file and the metadata of its handle."""
    _check_regular(_stat(path, follow=follow).st_mode)
    descriptor = os.open(path, _FLAGS if follow else _FLAGS | _NO_FOLLOW)
    try:
        info = os.fstat(descriptor)
        _check_regular(info.st_mode)
        return os.fdopen(descriptor, "rb"), info
    except BaseException:
        os.close(descriptor)
        raise


def _stat(path: str, *, follow: bool) -> os.stat_result:
    try:
        return os.stat(path, follow_symlinks=follow)  # noqa: PTH116  (a path as plain text)
    except ValueError as error:  # a NUL in the path
        raise MalformedArtifact("not a path", code=Fault.UNREADABLE) from error


def _check_regular(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kinds = (
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISLNK, "a link"),
        (stat.S_ISDIR, "a folder"),
    )
    what = next((name for test, name in kinds if test(mode)), "no regular file")
    raise UnsupportedFormat(f"this is {what}", code=Fault.NOT_A_FILE)
