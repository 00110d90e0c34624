"""Seals this Python as soon as it imports Keras. `secure-serial run` put a copy first on the path.

It imports nothing of the package before it must: most of the Pythons that a program starts
never see a model. It stands in for any other `sitecustomize`, so it runs that one, too.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is not loaded yet
_WATCHED = frozenset({"keras", "secure_serial"})
#: Keras 2 under a name of its own, whose doors nobody gates.
_BARRED = frozenset({"tf_keras"})
#: As the command line has it where the environment is at fault.
_EXIT = 2


class Watch:
    """Finds the watched packages as Python would, and has the process sealed once one is there."""

    def __init__(self) -> None:
        self._looking: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the other finders find, with a loader that has a word when it is done."""
        if name in _BARRED:
            raise ImportError(f"{name} has doors that no policy holds; this process is sealed")
        if name not in _WATCHED or name in self._looking:
            return None
        self._looking.add(name)
        try:
            spec = _found(name, path, target)
        finally:
            self._looking.discard(name)
        if spec is not None:
            spec.loader = _Then(spec, spec.loader)  # type: ignore[assignment]  # it has what is used
        return spec


class _Then:
    """A loader that seals after the package was loaded by its own.

    A folder without an `__init__` has none: whatever it is, a program can put its parts there.
    """

    def __init__(self, spec: ModuleSpec, loader: Any) -> None:
        self._spec, self._loader = spec, loader

    def create_module(self, spec: ModuleSpec) -> Any:
        return None if self._loader is None else self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._spec.loader = module.__loader__ = self._loader  # as others expect to find it
        if self._loader is not None:
            self._loader.exec_module(module)
        seal(self._spec.name)


def _found(name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(name, path, target) if find is not None else None
        if spec is not None:
            return spec
    return None


def seal(package: str) -> None:
    """Seal now that a package is there; without a seal, this process ends."""
    try:
        from secure_serial.startup.told import obey

        obey(_HERE, keras=package == "keras")
    except BaseException as error:  # noqa: BLE001 - whatever it is, nothing may go on unsealed
        _end(error)


def _end(error: BaseException) -> NoReturn:
    """End at once: an exception could be caught, and the program would run without a seal."""
    sys.stderr.write(f"secure-serial run: this process cannot be sealed, and ends: {error}\n")
    sys.stderr.flush()
    os._exit(_EXIT)


def _run_the_other() -> None:
    """Run the `sitecustomize` that this one hides, as Python would have."""
    places = [place for place in sys.path if os.path.abspath(place) != _HERE]  # noqa: PTH100
    spec = PathFinder.find_spec("sitecustomize", places)
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


if __name__ == "sitecustomize":  # the copy: imported by the name that Python looks for
    sys.meta_path.insert(0, Watch())
    for _name in _WATCHED & sys.modules.keys():
        seal(_name)
    _run_the_other()
