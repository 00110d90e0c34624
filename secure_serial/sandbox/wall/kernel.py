"""Calls of the kernel that Python has no name for. Linux on the machines of syscalls.json alone."""

from __future__ import annotations

import ctypes
import json
import os
import struct
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLES = Path(__file__).parent / "syscalls.json"

# include/uapi/linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38


@dataclass(frozen=True, slots=True)
class Machine:
    """What the kernel calls things on one kind of processor."""

    audit: int
    allowed: dict[str, int]
    unless_executable: frozenset[str]
    ours: dict[str, int]


@cache
def tables() -> dict[str, Machine]:
    """Every machine of the data file.

    >>> tables()["x86_64"].allowed["read"]
    0
    """
    raw = json.loads(_TABLES.read_text(encoding="utf-8"))
    guarded = frozenset(raw["unless_executable"])
    return {
        name: Machine(each["audit"], each["allowed"], guarded, each["ours"])
        for name, each in raw["machines"].items()
    }


def machine() -> Machine | None:
    """The one that this is; None where its numbers are not known: another system, or 32 bits."""
    if sys.platform != "linux" or sys.maxsize < 1 << 32 or sys.byteorder != "little":
        return None
    return tables().get(os.uname().machine)


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """One system call, with numbers and with pointers: to bytes, or to nothing.

    Raises:
        OSError: the kernel refuses.

    """
    call = _library().syscall
    call.restype = ctypes.c_long
    given = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) for a in arguments]
    return _checked(call(ctypes.c_long(number), *given))


def load_filter(number: int, mode: int, flags: int, steps: bytes) -> int:
    """The system call seccomp with `struct sock_fprog`: how many steps there are, and where.

    Raises:
        OSError: the kernel refuses.

    """
    code = ctypes.create_string_buffer(steps, len(steps))
    return syscall(number, mode, flags, struct.pack("@HP", len(steps) // 8, ctypes.addressof(code)))


def prctl(option: int, value: int) -> None:
    """Change something of this process.

    Raises:
        OSError: the kernel refuses.

    """
    zero = ctypes.c_ulong(0)
    _checked(_library().prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero))
