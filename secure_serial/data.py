"""The data that ships with the package: policies and catalogues. Read late, and once.

In a checkout they are the top-level folder `policies/`; a wheel carries the same folder
as `secure_serial/_policies/`. Nothing beside a model, in the working directory or named
by an environment variable is ever read in their place.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.errors import SecureSerialError
from secure_serial.plan.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Json

if TYPE_CHECKING:
    from secure_serial.migrate.tables import Tables

_PACKAGE = Path(__file__).parent
_NEWEST = "keras-3.15"


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
def catalogue(version: tuple[int, int] | None = None) -> Catalogue:
    """What is known of Keras's newest version and of the Keras versions before Keras 3.

    Args:
        version: An older version of Keras 3, to know it as that one has it. Symbols that it
            has not got stay known, with no place where they could be found.

    >>> catalogue().version, catalogue((3, 6)).version
    ('3.15.1', '3.6.0')

    """
    current, legacy = _tree(f"{_NEWEST}.json"), _tree("legacy.json")
    if version is not None:
        older = "keras-{}.{}".format(*version)
        if older != _NEWEST:
            current = patched(current, _tree(f"{older}.diff.json"))
    return Catalogue(current, legacy)


@cache
def _tree(name: str) -> dict[str, Json]:
    import json

    tree: dict[str, Json] = json.loads((_folder() / "catalogue" / name).read_bytes())
    return tree


def patched(tree: dict[str, Json], patch: Mapping[str, Json]) -> dict[str, Json]:
    """A tree with the differences of a JSON Merge Patch (RFC 7396); both stay as they are.

    >>> patched({"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"x": None}, "b": 4})
    {'a': {'y': 2}, 'b': 4}
    """
    made = dict(tree)
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        elif isinstance(value, dict):
            before = made.get(key)
            made[key] = patched(before if isinstance(before, dict) else {}, value)
        else:
            made[key] = value
    return made


@cache
def migrations() -> Tables:
    """What arguments and classes of earlier Keras are called today."""
    import json

    from secure_serial.migrate.tables import Tables

    return Tables(json.loads((_folder() / "catalogue" / "migrations.json").read_bytes()))
