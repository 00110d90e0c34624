"""Evaluates restricted functions in another process, behind what walls the system has.

`worker` is the parent's side: it starts a process (`process`), shares memory with it
(`segment`) and speaks with it (`codec`), and believes nothing that comes back. `child` is
the other side: it imports what it needs, closes the walls (`closing`, which has the limits,
`landlock` and `seccomp`), and then evaluates. Both sides are this package's; what is
assumed is that the function has taken the child over.

`walled` has the callable that stands for a restricted function.

This package alone starts a process or calls the C library by `ctypes`: see docs/sandbox.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from secure_serial.sandbox.wall.walled import Walled, dry_run
    from secure_serial.sandbox.wall.worker import Worker, shared_worker

__all__ = ["Walled", "Worker", "dry_run", "shared_worker"]

_HOMES = {"Walled": "walled", "Worker": "worker", "dry_run": "walled", "shared_worker": "worker"}


def __getattr__(name: str) -> Any:
    """Import late: the child needs the half of it."""
    from importlib import import_module

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
