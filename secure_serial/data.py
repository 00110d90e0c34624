"""The data that ships with the package: policies and catalogues. Read late, and once.

In a checkout they are the top-level folder `policies/`; a wheel carries the same folder
as `secure_serial/_policies/`. Nothing beside a model, in the working directory or named
by an environment variable is ever read in their place.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from secure_serial.errors import SecureSerialError
from secure_serial.plan.catalogue import Catalogue

_PACKAGE = Path(__file__).parent


@cache
def _folder() -> Path:
    for folder in (_PACKAGE / "_policies", _PACKAGE.parent / "policies"):
        if (folder / "keras-core.toml").is_file():
            return folder
    raise SecureSerialError("the shipped policies are missing: install the package again")


def policy_names() -> tuple[str, ...]:
    """The names of the shipped policies.

    >>> "keras-core" in policy_names()
    True
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def policy_text(name: str) -> str:
    """The text of a shipped policy. Raises KeyError for any other name."""
    if name not in policy_names():
        known = ", ".join(policy_names())
        raise KeyError(f"no shipped policy is called {name!r} (there are: {known})")
    return (_folder() / f"{name}.toml").read_text(encoding="utf-8")


@cache
def catalogue() -> Catalogue:
    """What is known of Keras 3.15 and of the Keras versions before it."""
    import json

    folder = _folder() / "catalogue"
    current, legacy = (
        json.loads((folder / name).read_bytes()) for name in ("keras-3.15.json", "legacy.json")
    )
    return Catalogue(current, legacy)
