"""Where a log goes that nobody gave a place: a file of the user's, by the platform's custom."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.errors import AuditError, Where

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = "secure_serial"
_FILE = "audit.jsonl"
_RUNS = "run"


def default_log(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The audit log of this user. Nothing is created.

    >>> default_log({"XDG_STATE_HOME": "/state"}, "linux").as_posix()
    '/state/secure_serial/audit.jsonl'
    """
    return _state_folder(environ, platform) / _FOLDER / _FILE


def run_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where `run` keeps what its programs obey. Nothing is created.

    >>> run_folder({"XDG_STATE_HOME": "/state"}, "linux").as_posix()
    '/state/secure_serial/run'
    """
    return _state_folder(environ, platform) / _FOLDER / _RUNS


def make_folder(log: Path) -> None:
    """Create the folder of a default log, readable by its owner alone.

    Raises:
        AuditError: it cannot be created, so nothing may be loaded.

    """
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise AuditError(
            f"the folder of the audit log cannot be made: {error.strerror or error}",
            where=Where(str(log.parent)),
            help="nothing was built; give --audit a path that can be written",
        ) from error


def _state_folder(environ: Mapping[str, str], platform: str) -> Path:
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return Path(local) if local else _home() / "AppData" / "Local"
    # The XDG base directory specification: a relative path is to be ignored.
    state = environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):  # noqa: PTH117  (asked of a text)
        return Path(state)
    if platform == "darwin":
        return _home() / "Library" / "Application Support"
    return _home() / ".local" / "state"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise AuditError(
            "no home folder to keep an audit log in",
            help="nothing was built; give --audit a path",
        ) from error
