"""Where the source of a module stands, and its digest. Nothing is imported to find out.

The digest is what the `evidence` of a policy is held to (docs/catalogue.md). It covers the
whole package that a module belongs to: a class runs what the modules beside it hold, and a
list of what it imports would miss whatever is imported by name, or only sometimes. What it
takes from other packages is theirs, and is pinned by `from`.
"""

from __future__ import annotations

import hashlib
import os
import pkgutil
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What an import statement would run. Fixed, so that the digest is the same on each platform.
SUFFIXES = (".py", ".pyc", ".so", ".pyd")
#: TensorFlow, the largest package around, has some 10,000 files.
MOST_FILES = 50_000
#: Longer than the dotted name of any real module.
_MOST_CHARS = 512


class UnknownSourceError(LookupError):
    """A source of which no digest can be taken."""


class Unit(NamedTuple):
    """The files that stand or fall together: a package with all its modules, or one file."""

    root: str  # the folder that it is imported from
    top: str  # the package's folder or the file, below the root, `/` between the parts


def file_of(module: str) -> Path | None:
    """The file of a module; None where there is none, or no module can be so called.

    A module that is loaded is asked where it came from. Others are looked for on the path,
    without importing the packages around them.

    >>> file_of("json.decoder").name
    'decoder.py'
    >>> file_of("../../etc/passwd") is None
    True
    """
    if not _is_dotted(module) or module == "__main__":
        return None
    spec = _loaded(module) or _sought(module)
    if spec is None or not spec.has_location or not isinstance(spec.origin, str):
        return None
    file = Path(os.path.abspath(spec.origin))  # noqa: PTH100 - links stay: they are how it is named
    return file if file.is_file() else None


def unit_of(module: str) -> Unit | None:
    """What the digest of a module covers; None where its file cannot be found.

    The topmost folder with an `__init__` file that the module is in; where no folder has
    one, that of its first name; and for a module that is in no package its file alone.

    >>> unit_of("json.decoder").top
    'json'
    """
    file = file_of(module)
    if file is None:
        return None
    names = module.split(".")
    if not file.name.startswith("__init__."):
        names.pop()
    here = file.parent
    folders: list[Path] = []
    for name in reversed(names):
        if here.name != name:  # laid out by hand: nothing is known of what is beside it
            return Unit(str(file.parent), file.name)
        folders.insert(0, here)
        here = here.parent
    if not folders:
        return Unit(str(file.parent), file.name)
    top = next((folder for folder in folders if _is_regular(folder)), folders[0])
    return Unit(str(here), top.relative_to(here).as_posix())


def files_of(unit: Unit) -> list[str]:
    """The files that a digest covers, as paths below the unit's root, in the order of bytes.

    Raises:
        UnknownSourceError: they cannot be listed.

    """
    start = Path(unit.root, unit.top)
    if start.is_file():
        return [unit.top]
    found: list[str] = []
    try:
        for folder, names in _walk(start):
            below = Path(folder).relative_to(unit.root).as_posix()
            found += [f"{below}/{name}" for name in names if name.endswith(SUFFIXES)]
            if len(found) > MOST_FILES:
                raise UnknownSourceError(f"{unit.top} has more than {MOST_FILES} files")
    except OSError as error:
        raise UnknownSourceError(f"{unit.top} cannot be listed: {error.strerror}") from error
    if not found:
        raise UnknownSourceError(f"{unit.top} has no source")
    return sorted(found, key=os.fsencode)


def digest_of(unit: Unit) -> str:
    """SHA-256 over a line for each file, its own SHA-256 and its path, as `sha256sum` writes it.

    Raises:
        UnknownSourceError: a file cannot be read, or is none.

    """
    whole = hashlib.sha256()
    for path in files_of(unit):
        if "\n" in path or "\\" in path:  # could be taken for another list of files
            raise UnknownSourceError(f"{path!r} cannot stand in a list of files")
        line = f"{file_digest(Path(unit.root, path))}  ".encode() + os.fsencode(path) + b"\n"
        whole.update(line)
    return whole.hexdigest()


def file_digest(file: Path) -> str:
    """SHA-256 of one file.

    Raises:
        UnknownSourceError: it cannot be read, or is none.

    """
    try:
        if not file.is_file():  # opening a pipe would wait for ever
            raise UnknownSourceError(f"{file.name} is not a file")
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UnknownSourceError(f"{file.name} cannot be read: {error.strerror}") from error


def modules_of(unit: Unit) -> list[str]:
    """The dotted names of the modules in a unit, by their files.

    >>> "json.decoder" in modules_of(unit_of("json"))
    True
    """
    found: set[str] = set()
    for path in files_of(unit):
        *folders, file = path.split("/")
        name = file.partition(".")[0]  # what follows tells the platform
        parts = folders if name == "__init__" else [*folders, name]
        if parts and all(map(str.isidentifier, parts)):
            found.add(".".join(parts))
    return sorted(found)


def _is_dotted(module: object) -> bool:
    return (
        isinstance(module, str)
        and len(module) <= _MOST_CHARS
        and all(part.isidentifier() for part in module.split("."))
    )


def _loaded(module: str) -> ModuleSpec | None:
    """How a loaded module was found. A module may be any object; none of its code is run."""
    try:
        spec = vars(sys.modules[module]).get("__spec__")
    except (KeyError, TypeError, AttributeError):
        return None
    # `python -m acme.train` is __main__, and says that it is acme.train.
    return spec if isinstance(spec, ModuleSpec) and spec.name == module else None


def _sought(module: str) -> ModuleSpec | None:
    """How a module would be found, as far as that runs nothing of the packages around it."""
    first, *rest = module.split(".")
    spec = _loaded(first) or _first_found(first)
    name = first
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = _below(list(spec.submodule_search_locations), name)
    return spec


def _first_found(name: str) -> ModuleSpec | None:
    """What Python's finders say, those of packages that are installed in place among them."""
    specs = (_asked(finder, name, None) for finder in list(sys.meta_path))
    return next((spec for spec in specs if spec is not None), None)


def _below(folders: Iterable[str], name: str) -> ModuleSpec | None:
    """A module in a package's folders, whose own finder would need the package to be loaded."""
    parts: list[str] = []
    for folder in folders:
        spec = _asked(pkgutil.get_importer(folder), name)
        if spec is not None and spec.loader is not None:
            return spec
        if spec is not None:  # a folder without an __init__ file
            parts += spec.submodule_search_locations or ()
    if not parts:
        return None
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = parts
    return spec


def _asked(finder: object, *question: object) -> ModuleSpec | None:
    """What a finder says. It may be anybody's: one that fails has found nothing."""
    try:
        spec = finder.find_spec(*question)  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - whatever it raises
        return None
    return spec if isinstance(spec, ModuleSpec) else None


def _is_regular(folder: Path) -> bool:
    return any((folder / f"__init__{suffix}").is_file() for suffix in SUFFIXES)


def _walk(start: Path) -> Iterator[tuple[str, list[str]]]:
    """Each folder that modules can be imported from, once, and its files."""

    def fail(error: OSError) -> None:
        raise error  # what cannot be listed must not be left out

    seen: set[str] = set()
    for folder, folders, names in os.walk(start, onerror=fail, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link to where we have been
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(n for n in folders if n.isidentifier() and n != "__pycache__")
        yield folder, names
