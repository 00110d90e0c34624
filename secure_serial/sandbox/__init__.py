"""Stored functions, restricted: checked before they run, budgeted while they do.

`restrict` looks at the tree and compiles it; `build` makes a callable of that. The checks stand in
`transform` and `restrict`, and `guards` holds what runs in place of Python's own operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from secure_serial.sandbox.allowance import Allowance
    from secure_serial.sandbox.function import Restricted, build
    from secure_serial.sandbox.restrict import Checked, restrict

__all__ = ["Allowance", "Checked", "Restricted", "build", "restrict"]

_HOMES = {
    "Allowance": "allowance", "Checked": "restrict", "Restricted": "function", "build": "function",
    "restrict": "restrict",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import late: checking needs no NumPy, running does."""
    from importlib import import_module

    home = _HOMES.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{home}"), name)
