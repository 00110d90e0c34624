"""Which installed distribution a module belongs to. The module is not imported.

A module is a distribution's only if that distribution lists the very file: what a package is
called, anybody may choose. Where two list it, nobody knows whose it is.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from secure_serial.construct.sources import (
    Unit,
    UnknownSourceError,
    digest_of,
    file_of,
    unit_of,
)
from secure_serial.plan.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

#: Folders of installed packages: what lies there was not installed in place.
_INSTALLED = re.compile(r"/(site|dist)-packages/")

_Named = tuple[str, str]


def owner_of(module: str, *, with_source: bool = False) -> Owner | None:
    """The distribution that a module belongs to; None where that cannot be known.

    A module of no distribution, such as a file beside the program, has an owner without a
    name. What is found is kept for the life of the process, as the loaded module is.

    Args:
        module: Its dotted name, as a class's `__module__` has it. Anything may stand there.
        with_source: Whether to read the source for `source_sha256`, which takes longer; it
            is empty where there is no source to read.

    >>> owner_of("yaml.nodes").distribution
    'pyyaml'
    >>> owner_of("no such module") is None
    True

    """
    try:
        unit, found = _found(module)
    except (UnknownSourceError, TypeError):  # TypeError: no name at all
        return None
    return Owner(*found, source_sha256=_digest(unit) if with_source else "")


def forget() -> None:
    """Ask the file system again. For whoever changes packages while the process runs."""
    for kept in (_found, _digest, _installed_in, _projects):
        kept.cache_clear()


def canonical_name(distribution: str) -> str:
    """A distribution's name as PEP 503 compares it.

    >>> canonical_name("Keras_Hub")
    'keras-hub'
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


@cache
def _digest(unit: Unit) -> str:
    try:
        return digest_of(unit)
    except UnknownSourceError:
        return ""


@cache
def _found(module: str) -> tuple[Unit, _Named]:
    """What a module is a part of, and whose. What fails is not kept: it may come to be there."""
    file = file_of(module)
    unit = unit_of(module)
    if file is None or unit is None:
        raise UnknownSourceError(module)
    claims = _claims(file, unit.root, module.partition(".")[0])
    if len(claims) > 1:
        raise UnknownSourceError(module)
    return unit, claims.pop() if claims else ("", "")


def _claims(file: Path, root: str, first: str) -> set[_Named]:
    below = file.relative_to(root).as_posix()
    beside = _installed_in(root, first)
    return (
        {named for named, listed in beside if below in listed}
        or _installed_in_place(file.as_uri())
        # An older form, whose list of files is one of the sources.
        or {named for named, listed in beside if first in listed}
    )


@cache
def _installed_in(root: str, first: str) -> tuple[tuple[_Named, frozenset[str]], ...]:
    """What each distribution of a folder lists below a first name, or that it has that name."""
    found = []
    for named, each in _named(metadata.distributions(path=[root])):
        record = _text(each, "RECORD")
        lines = record.split("\n") if record else _text(each, "top_level.txt").split()
        listed = {line.partition(",")[0] for line in lines if line.startswith(first)}
        if listed:
            found.append((named, frozenset(listed)))
    return tuple(found)


@cache
def _projects() -> tuple[tuple[_Named, str], ...]:
    """The folders of the projects that are installed in place (`pip install -e`), as URLs."""
    found = []
    for named, each in _named(metadata.distributions()):
        url = _editable_url(_text(each, "direct_url.json"))
        if url:
            found.append((named, url.rstrip("/") + "/"))
    return tuple(found)


def _editable_url(text: str) -> str:
    """The folder that `direct_url.json` (PEP 610) tells of, if it was installed in place."""
    try:
        told = json.loads(text or "{}")
        editable = told["dir_info"]["editable"] is True
        url = told["url"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return url if editable and isinstance(url, str) else ""


def _installed_in_place(uri: str) -> set[_Named]:
    fitting = [
        (len(url), named)
        for named, url in _projects()
        if uri.startswith(url) and not _INSTALLED.search(uri[len(url) - 1 :])
    ]
    deepest = max((length for length, _ in fitting), default=0)
    return {named for length, named in fitting if length == deepest}


def _named(
    distributions: Iterable[metadata.Distribution],
) -> Iterator[tuple[_Named, metadata.Distribution]]:
    """Those that have a name and a version. Half an installation has neither."""
    for each in distributions:
        named = _name_and_version(each)
        if named is not None:
            yield named, each


def _name_and_version(distribution: metadata.Distribution) -> _Named | None:
    try:
        name, version = distribution.metadata["Name"], distribution.version
    except Exception:  # noqa: BLE001 - whatever a broken installation comes to
        return None
    told = isinstance(name, str) and bool(name) and isinstance(version, str)
    return (canonical_name(name), version) if told else None


def _text(distribution: metadata.Distribution, name: str) -> str:
    """A file of a distribution's metadata; empty if it has none."""
    try:
        return distribution.read_text(name) or ""
    except (OSError, ValueError):
        return ""
