"""seccomp: from here on the kernel does for this process what a short list names, and no more.

The list is data (syscalls.json, with the reason for each entry). All else fails with EPERM,
as if this process lacked a right, so that a library that merely asks goes on. A call in
another machine's numbering ends the process.
"""

from __future__ import annotations

import errno
import struct

from secure_serial.sandbox.wall import kernel

# include/uapi/linux/seccomp.h
_SET_MODE_FILTER = 1
_FLAG_TSYNC = 1  # all threads of the process
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM
_KILL_PROCESS = 0x80000000
# include/uapi/linux/filter.h and bpf_common.h: load a word, jump if equal, if any bit is set.
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
# Offsets in `struct seccomp_data`; the third argument of mmap and mprotect is the protection.
_NUMBER, _MACHINE, _THIRD_ARGUMENT = 0, 4, 16 + 2 * 8
_PROT_EXEC = 4

Step = tuple[int, int, int, int]  # operation, jump if true, jump if false, operand


def program(machine: kernel.Machine) -> list[Step]:
    """The filter, as steps of the kernel's packet filter.

    >>> program(kernel.tables()["x86_64"])[0]
    (32, 0, 0, 4)
    """
    guarded = [machine.allowed[name] for name in sorted(machine.unless_executable)]
    plain = sorted(set(machine.allowed.values()) - set(guarded))
    looks = [(number, True) for number in plain] + [(number, False) for number in guarded]
    # After the looks: refuse; look at the protection: refuse; allow.
    refuse, protection, allow = 0, 1, 4
    steps: list[Step] = [
        (_LOAD, 0, 0, _MACHINE),
        (_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for place, (number, always) in enumerate(looks, 1):
        far = len(looks) - place + (allow if always else protection) - refuse
        steps.append((_EQUAL, far, 0, number))
    return [
        *steps,
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _THIRD_ARGUMENT),
        (_ANY_BIT, 0, 1, _PROT_EXEC),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]


def close(machine: kernel.Machine) -> bool:
    """Close this wall, and see that it holds. It needs PR_SET_NO_NEW_PRIVS."""
    steps = b"".join(struct.pack("<HBBI", *step) for step in program(machine))
    call = machine.ours["seccomp"]
    try:
        stray = kernel.load_filter(call, _SET_MODE_FILTER, _FLAG_TSYNC, steps)
    except OSError:
        return False
    # Not zero: a thread that could not be taken along.
    return stray == 0 and _holds(machine)


def _holds(machine: kernel.Machine) -> bool:
    try:
        kernel.syscall(machine.ours["getppid"])
    except OSError as error:
        return error.errno == errno.EPERM
    return False
