"""Bytes to `Document`: strict, bounded readers of every format that Keras configs come in.

`read_artifact` reads and closes; `open_artifact` keeps the file open for the load. Nothing
here decides anything, imports Keras or builds an object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secure_serial.artifact.opening import Opened, open_artifact, opened_stream, read_artifact

__all__ = ["Opened", "open_artifact", "opened_stream", "read_artifact"]


def __getattr__(name: str) -> object:
    # Late, so that importing one small module of this package does not load every reader.
    if name in __all__:
        from secure_serial.artifact import opening

        return getattr(opening, name)
    raise AttributeError(name)
