"""What an attack is: a case with an id, a file builder, and how it must be refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attack import carriers, configs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from attack.stage import Stage

#: How a config that is well-formed, and hostile, must be refused.
DENIED = ("LoadDenied",)
#: How a config that asks for too much must be refused: by a limit, or by policy.
BOUNDED = ("LimitExceeded", "LoadDenied", "MalformedArtifact")
#: How a file that is itself at fault must be refused.
ARTIFACT = ("MalformedArtifact", "UnsafeArtifact", "LimitExceeded", "UnsupportedFormat")
#: Where the format or the policy may be the one to object.
EITHER = (*ARTIFACT, *DENIED)


@dataclass(frozen=True)
class Case:
    """One hostile file.

    `errors` names the classes of secure_serial.errors it may end in. `pointer` is the place
    that a finding must be near to ("" where the file as a whole is at fault).
    """

    id: str
    advisory: str
    family: str
    build: Callable[[Stage], Path]
    errors: tuple[str, ...] = DENIED
    pointer: str = ""
    config: Callable[[Stage], object] | None = None
    #: Only building shows it (a shape that must be inferred, a graph without a beginning):
    #: a scan may pass it, a load may end in ConstructionError, and nothing more.
    at_build: bool = False

    @property
    def exits(self) -> tuple[int, ...]:
        """Exit codes of `scan`: 1 for a finding; 4 or 3 where the file cannot be read."""
        codes = [0, 1] if self.at_build else [1]
        codes += [4] if "MalformedArtifact" in self.errors else []
        codes += [3] if "UnsupportedFormat" in self.errors else []
        return tuple(codes)


@dataclass(frozen=True)
class Gadget:
    """A hostile config, before it is put in a file. `pointer` says where the harm is."""

    name: str
    advisory: str
    family: str
    make: Callable[[Stage], object]
    pointer: str = ""
    formats: tuple[str, ...] = ("keras", "json", "dict")
    errors: tuple[str, ...] = DENIED
    as_is: bool = False  # keep the top of the config as it is, in .h5, too
    at_build: bool = False

    def cases(self) -> Iterator[Case]:
        """One case for each file format; the first of them is tried as a dict, too."""
        # Old YAML holds no compile config.
        absent = ("dict", "yaml") if self.pointer.startswith("/compile_config") else ("dict",)
        files = [form for form in self.formats if form not in absent]
        for form in files:
            yield self._case(form, bare="dict" in self.formats and form == files[0])

    def _case(self, form: str, *, bare: bool) -> Case:
        def build(stage: Stage) -> Path:
            return carriers.write(form, stage.root, self.make(stage), as_is=self.as_is)

        # A legacy file splits the top of the config: what stood there moves.
        moved = form in ("h5", "tfjs", "yaml") and self.pointer.startswith("/compile_config")
        return Case(
            id=f"{self.advisory}/{self.name}.{form}",
            advisory=self.advisory,
            family=self.family,
            build=build,
            errors=self.errors,
            pointer="" if moved else self.pointer,
            config=self.make if bare else None,
            at_build=self.at_build,
        )


def expand(gadgets: Iterable[Gadget]) -> list[Case]:
    """The cases of many gadgets."""
    return [case for gadget in gadgets for case in gadget.cases()]


def pointer_of(slot: str) -> str:
    """The JSON pointer of what stands in `slot`, found by putting a mark there."""
    mark = object()
    todo: list[tuple[object, str]] = [(configs.SLOTS[slot]({"class_name": mark}), "")]
    while todo:
        node, at = todo.pop()
        if isinstance(node, dict):
            if node.get("class_name") is mark:
                return at
            todo += [(value, f"{at}/{key}") for key, value in node.items()]
        elif isinstance(node, list):
            todo += [(value, f"{at}/{index}") for index, value in enumerate(node)]
    raise AssertionError(slot)


def placed(  # noqa: PLR0917 (a row of a table)
    name: str,
    slot: str,
    advisory: str,
    family: str,
    value: Callable[[Stage], object],
    formats: tuple[str, ...] = ("keras", "dict"),
    errors: tuple[str, ...] = DENIED,
) -> Gadget:
    """A gadget that is `value`, put into `slot`."""
    return Gadget(
        name=f"{name}@{slot}",
        advisory=advisory,
        family=family,
        make=lambda stage: configs.SLOTS[slot](value(stage)),
        pointer=pointer_of(slot),
        formats=formats,
        errors=errors,
    )
