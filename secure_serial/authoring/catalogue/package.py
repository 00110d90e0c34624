"""The catalogue of one installed package: what it registers and derives from Keras's classes.

The package's modules are imported, each and all: that is how its classes come to be. It is a
command for one's own code, run by whoever would import it anyway. A module that cannot be
imported is listed with the reason, and the others are gone on with.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from secure_serial.authoring import packages
from secure_serial.authoring.catalogue import words
from secure_serial.construct.callers import describe_one
from secure_serial.construct.owners import owner_of
from secure_serial.construct.sources import (
    UnknownSourceError,
    digest_of,
    file_digest,
    file_of,
    modules_of,
    unit_of,
)
from secure_serial.errors import InvalidPolicy
from secure_serial.plan.fields import Kind
from secure_serial.plan.foreign import SCHEMA, is_taken
from secure_serial.plan.names import caller_symbol
from secure_serial.registry import get_custom_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType

    from secure_serial.artifact.document import Json
    from secure_serial.plan.catalogue import Catalogue
    from secure_serial.plan.request import CallerObject

#: What a loss takes, by Keras's convention; a metric may be called like one.
_LOSS = ("y_true", "y_pred")
#: What a failed import says of itself may be long, and is said once for each module.
_REASON_CHARS = 300


def catalogue_of(name: str, keras: Catalogue) -> dict[str, object]:
    """The catalogue of an installed package, ready for `Catalogue.with_extra`.

    Args:
        name: A distribution, or a module that can be imported.
        keras: What is known of Keras.

    Raises:
        UnknownSourceError: nothing is so called.
        InvalidPolicy: it is Keras itself, whose catalogue is shipped.

    """
    package = packages.find(name)
    for unit in package.units:
        if is_taken(unit.top.replace("/", ".")):
            raise InvalidPolicy(f"{unit.top!r:.80}: the catalogue of Keras's own names is shipped")
    names = sorted({module for unit in package.units for module in modules_of(unit)})
    modules, failed = _import_all(names)
    installed = owner_of("keras")
    head: dict[str, Json] = {
        "schema": SCHEMA,
        "distribution": package.distribution,
        "version": package.version,
        "keras": installed.version if installed is not None else "",
        "source_sha256": {unit.top: digest_of(unit) for unit in package.units},
        "failed": failed,
        "symbols": {},
    }
    entries: dict[str, dict[str, object]] = {}
    left_out: dict[str, str] = {}
    for symbol, described in _described(modules, frozenset(names), keras):
        try:
            entry = _entry(*described, keras)
            problem = _refusal(head, symbol, entry, keras)
        except Exception as error:  # noqa: BLE001 - a class may be as odd as it likes
            problem = f"{type(error).__name__}: {error}"[:_REASON_CHARS]
        if problem:
            left_out[symbol] = problem
        else:
            entries[symbol] = entry
    return {**head, "left_out": left_out, "symbols": entries}


def _refusal(
    head: Mapping[str, Json], name: str, entry: dict[str, object], keras: Catalogue
) -> str:
    """Why a catalogue may not hold this entry, so that what is written can be read."""
    try:
        keras.with_extra({**head, "symbols": {name: entry}})
    except InvalidPolicy as error:
        return "; ".join(error.problems)
    return ""


def _import_all(names: Iterable[str]) -> tuple[list[ModuleType], dict[str, str]]:
    """The modules of these names, and why the others are missing.

    What they print goes to stderr: stdout may be the catalogue.
    """
    modules, failed = [], {}
    with contextlib.redirect_stdout(sys.stderr):
        for name in names:
            if name.rpartition(".")[2] == "__main__":
                continue  # a program, which would run
            try:
                modules.append(importlib.import_module(name))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module does
                failed[name] = f"{type(error).__name__}: {error}"[:_REASON_CHARS]
    return modules, failed


def _described(
    modules: Iterable[ModuleType], inside: frozenset[str], keras: Catalogue
) -> Iterator[tuple[str, tuple[object, CallerObject, set[str]]]]:
    """Each thing of the package that a config may name, by symbol, with its public paths."""
    registered: defaultdict[int, list[str]] = defaultdict(list)
    paths: defaultdict[int, set[str]] = defaultdict(set)
    things: dict[int, object] = {}
    for key, thing in list(get_custom_objects().items()):
        if _is_of(thing, inside):
            things[id(thing)] = thing
            registered[id(thing)].append(key)
    for module in modules:
        for name, thing in list(vars(module).items()):
            if _is_of(thing, inside):
                things[id(thing)] = thing
                path = f"{module.__name__}.{name}"
                # A package offers what it holds; a module may only have imported it.
                if hasattr(module, "__path__") and "._" not in path:
                    paths[id(thing)].add(path)
    for number, thing in things.items():
        for key in registered[number] or [""]:
            known = describe_one(key, thing, "global", keras)
            if key or known.kind not in (None, Kind.CLASS):
                yield caller_symbol(known), (thing, known, paths[number])


def _is_of(thing: object, modules: frozenset[str]) -> bool:
    """Whether a class or function was defined in one of these modules."""
    if not (inspect.isclass(thing) or inspect.isfunction(thing)):
        return False
    module = getattr(thing, "__module__", None)
    return isinstance(module, str) and module in modules


def _entry(
    thing: object, known: CallerObject, paths: set[str], keras: Catalogue
) -> dict[str, object]:
    qualname = getattr(thing, "__qualname__", known.qualname)
    dotted = [] if "<" in qualname else [f"{known.module}.{qualname}"]
    entry: dict[str, object] = {
        "kind": str(_kind(thing, known)),
        "at": f"{known.module}:{qualname}",
        "type": "class" if known.is_class else "function",
        "aliases": sorted({*paths, *dotted} - {caller_symbol(known)}),
    }
    if known.name:
        entry["registered"] = known.name
    if isinstance(thing, type):
        effects = sorted({e for base in known.bases for e in keras.entry(base).effects})
        entry |= {"effects": effects} if effects else {}
        entry |= {"bases": list(known.bases), "parameters": words.arguments(thing)}
        entry["fields"] = words.fields(thing, known.bases, keras)
    return entry | _source(known.module)


def _kind(thing: object, known: CallerObject) -> Kind:
    if known.is_class:
        return known.kind or Kind.CLASS
    try:
        names = tuple(inspect.signature(thing).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        names = ()
    return Kind.LOSS if names[:2] == _LOSS else Kind.FUNCTION


def _source(module: str) -> dict[str, object]:
    """The file that a thing stands in, and its digest."""
    file, unit = file_of(module), unit_of(module)
    if file is None or unit is None:
        return {}
    try:
        digest = file_digest(file)
    except UnknownSourceError:
        return {}
    return {"file": file.relative_to(unit.root).as_posix(), "sha256": digest}
