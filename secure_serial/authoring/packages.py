"""What a name on the command line means: a module, or an installed distribution.

Nothing is imported to find out.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.construct.owners import canonical_name, owner_of
from secure_serial.construct.sources import SUFFIXES, UnknownSourceError, unit_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.construct.sources import Unit

_HELP = "install it (pip install -e . for your own), or set PYTHONPATH to the folder it is in"


class Package(NamedTuple):
    """What a name means: some source, and whose it is."""

    name: str
    distribution: str  # empty where it was not installed
    version: str
    units: tuple[Unit, ...]


def find(name: str) -> Package:
    """The distribution of this name, or else the module, with all that belongs to it.

    Raises:
        UnknownSourceError: there is neither.

    >>> [find(name).distribution for name in ("yaml", "PyYAML")]
    ['pyyaml', 'pyyaml']

    """
    unit = unit_of(name)
    if unit is not None:
        owner = owner_of(name)
        if owner is None:
            raise UnknownSourceError(
                f"{name!r:.80} belongs to more than one installed distribution"
            )
        if owner.distribution != canonical_name(name):
            return Package(name, owner.distribution, owner.version, (unit,))
    try:
        distribution = metadata.distribution(name)
        units = tuple(dict.fromkeys(_units(distribution)))
        if units:
            return Package(name, canonical_name(name), distribution.version, units)
    except (ImportError, ValueError, OSError):  # none of that name, or half of one
        pass
    raise UnknownSourceError(f"no module or distribution {name!r:.80} can be found: {_HELP}")


def _units(distribution: metadata.Distribution) -> Iterator[Unit]:
    """The packages that a distribution lists; else those that its `top_level.txt` names."""
    modules = []
    for file in distribution.files or ():
        *folders, last = file.parts
        parts = folders if last.startswith("__init__.") else [*folders, last.partition(".")[0]]
        if last.endswith(SUFFIXES) and all(map(str.isidentifier, parts)):
            modules.append(".".join(parts))
    modules = [m for m in modules if not m.startswith("__editable__")]
    listed = (distribution.read_text("top_level.txt") or "").split()
    guess = canonical_name(distribution.metadata["Name"] or "").replace("-", "_")
    for module in dict.fromkeys([*modules, *listed, guess]):
        unit = unit_of(module)
        owner = owner_of(module)
        # What else can be found by such a name may be another's.
        if unit is not None and owner is not None and _same(owner.distribution, distribution):
            yield unit


def _same(name: str, distribution: metadata.Distribution) -> bool:
    return name == canonical_name(distribution.metadata["Name"] or "")
