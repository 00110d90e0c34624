"""Which backend Keras is to use: the user's, or else one that is installed.

Keras defaults to TensorFlow whether it is there or not, and fails late. Nothing is
imported to find out what there is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.cli.trouble import UsageError
from secure_serial.loaded import BACKENDS, TO_INSTALL, is_installed

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

VARIABLE = "KERAS_BACKEND"
#: Keras's own file is some hundred bytes; what is longer is not it.
_MOST_BYTES = 65536


def choose(
    environ: MutableMapping[str, str], has: Callable[[str], bool] | None = None
) -> tuple[str, str]:
    """Settle on a backend, set it in `environ`, and say which and why.

    Args:
        environ: The process's environment; `KERAS_BACKEND` is set where the user has not.
        has: Whether a module is installed.

    Raises:
        UsageError: Keras, or any backend for it, is missing.

    """
    has = has if has is not None else is_installed
    if not has("keras"):
        raise UsageError(f"Keras is not installed, and this needs it; {TO_INSTALL}")
    wanted = environ.get(VARIABLE)
    if wanted and wanted in BACKENDS and not has(wanted):
        raise UsageError(f"{VARIABLE} says {wanted}, which is not installed")
    if wanted:
        return wanted, f"from {VARIABLE}"
    configured = _configured(environ)
    if configured and has(configured):
        return configured, "from Keras's own settings"
    for name in BACKENDS:
        if has(name):
            environ[VARIABLE] = name
            return name, "installed here"
    raise UsageError(f"no backend of Keras is installed ({', '.join(BACKENDS)}); {TO_INSTALL}")


def _configured(environ: MutableMapping[str, str]) -> str:
    """The backend that the user's keras.json names, if it is one of ours."""
    home = environ.get("KERAS_HOME")
    try:
        folder = Path(home) if home else Path.home() / ".keras"
        with (folder / "keras.json").open("rb") as file:
            data = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RuntimeError, RecursionError):
        return ""
    name = data.get("backend") if isinstance(data, dict) else None
    return name if name in BACKENDS else ""
