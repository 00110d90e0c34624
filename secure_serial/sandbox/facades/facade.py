"""What restricted code holds in place of a module: a table of names. It needs no NumPy."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades import rows
from secure_serial.sandbox.facades.errors import refused

if TYPE_CHECKING:
    from secure_serial.errors import SandboxError

#: Of a name that is not there, so much is shown.
_SHOWN = 60


class Facade:
    """The allowed names of a module.

    >>> root("K").has("mean"), root("K").has("function")
    (True, False)
    """

    __slots__ = ("_made", "_members", "_name")

    def __init__(self, name: str, members: dict[str, Any]) -> None:
        self._name = name
        self._members = members
        self._made: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<facade {self._name}>"

    def has(self, name: str) -> bool:
        """Whether a name is here. Nothing is made, and NumPy is not needed."""
        return name in self._members

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._members)

    def member(self, name: str) -> Any:
        """The facade, function or constant of a name.

        Raises:
            SandboxError: there is none here; it says what the name was, and what stands for it.

        """
        try:
            return self._made[name]
        except KeyError:
            pass
        if name not in self._members:
            raise self.missing(name)
        made = self._made[name] = self._make(name, self._members[name])
        return made

    def inner(self, name: str) -> Facade | None:
        """The facade of a name that is here, or None: it is something else. It needs no NumPy."""
        entry = self._members[name]
        return facade(entry["facade"]) if "facade" in entry and isinstance(entry, dict) else None

    def operation(self, name: str) -> str:
        """The operation that a function of that name does, or none. It needs no NumPy."""
        entry = self._members.get(name)
        return entry.partition("(")[0] if isinstance(entry, str) else ""

    def _make(self, name: str, entry: Any) -> Any:
        found = self.inner(name)
        if found is not None:
            return found
        from secure_serial.sandbox.facades import offered

        if isinstance(entry, str):
            return offered.offered(f"{self._name}.{name}", rows.parse(entry))
        if "math" in entry:
            return offered.plain(f"{self._name}.{name}", entry["math"])
        if "dtype" in entry:
            return offered.of_type(f"{self._name}.{name}", entry["dtype"])
        if "setting" in entry:
            return offered.setting(f"{self._name}.{name}", entry["setting"])
        if "limits" in entry:
            return offered.limits(f"{self._name}.{name}", entry["limits"])
        return _constant(entry["value"])

    def missing(self, name: str) -> SandboxError:
        """The error for a name that is not here."""
        known = rows.index()["missing"]
        said = known.get(f"{self._name}.{name}") or known.get(f"*.{name}")
        near = get_close_matches(name[:_SHOWN], self._members, n=1, cutoff=0.7)
        if near and not said:
            said = f"{self._name}.{near[0]} is close"
        shown = name[:_SHOWN]
        return refused(
            f"{self._name}.{shown} is not among the functions that restricted code may use"
            + (f": it {said}" if said and not said.endswith("close") else ""),
            help=said if said and said.endswith("close") else "",
        )


def _constant(value: Any) -> Any:
    if isinstance(value, str):
        return sys.intern(value)  # `x.dtype is tf.float32` is true
    return float(value["float"]) if isinstance(value, dict) else value


@cache
def facade(name: str) -> Facade:
    """A facade by its own name."""
    return Facade(name, rows.facades()[name])


def root(name: str) -> Facade | None:
    """The facade of a global name, or None.

    >>> root("tf"), root("os")
    (<facade tf>, None)
    """
    found = rows.index()["roots"].get(name)
    return None if found is None else facade(found)


def module(name: str) -> Facade | None:
    """The facade of a module that a `def` imports, or None."""
    found = rows.index()["modules"].get(name)
    return None if found is None else facade(found)
