"""Landlock: from here on this process opens no file, and no TCP connection where that is known.

Files that are open stay so. The kernel says which of the rights below it knows; handling a
right without a rule that gives it denies it.
"""

from __future__ import annotations

import errno
import os
import struct

from secure_serial.sandbox.wall import kernel

# include/uapi/linux/landlock.h, and Documentation/userspace-api/landlock.rst for the versions.
_CREATE_RULESET_VERSION = 1
#: Rights on files, by the version of the interface that brought them: the number of bits.
_FILE_BITS = {1: 13, 2: 14, 3: 15, 5: 16}
_NET_SINCE, _NET_BITS = 4, 2  # bind and connect, TCP
_SCOPE_SINCE, _SCOPE_BITS = 6, 2  # abstract Unix sockets, and signals, out of the domain


def ruleset(version: int) -> bytes:
    """The `struct landlock_ruleset_attr` that denies all that this version of Landlock can.

    >>> ruleset(1).hex(), len(ruleset(4)), len(ruleset(7))
    ('ff1f000000000000', 16, 24)
    """
    bits = max(count for since, count in _FILE_BITS.items() if since <= version)
    fields = [(1 << bits) - 1]
    if version >= _NET_SINCE:
        fields.append((1 << _NET_BITS) - 1)
    if version >= _SCOPE_SINCE:
        fields.append((1 << _SCOPE_BITS) - 1)
    return struct.pack(f"<{len(fields)}Q", *fields)


def version(machine: kernel.Machine) -> int:
    """The version of Landlock's interface that this kernel offers; 0: none."""
    try:
        create = machine.ours["landlock_create_ruleset"]
        return kernel.syscall(create, None, 0, _CREATE_RULESET_VERSION)
    except OSError:
        return 0


def close(machine: kernel.Machine) -> bool:
    """Close this wall, and see that it holds. It needs PR_SET_NO_NEW_PRIVS."""
    found = version(machine)
    if found < 1:
        return False
    wanted = ruleset(found)
    try:
        rules = kernel.syscall(machine.ours["landlock_create_ruleset"], wanted, len(wanted), 0)
        try:
            kernel.syscall(machine.ours["landlock_restrict_self"], rules, 0)
        finally:
            os.close(rules)
    except OSError:
        return False
    return _holds()


def _holds() -> bool:
    try:
        os.close(os.open("/", os.O_RDONLY))
    except OSError as error:
        return error.errno == errno.EACCES
    return False
