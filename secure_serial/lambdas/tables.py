"""The opcode facts of each CPython, from the data files beside this one, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "opcodes"


@dataclass(frozen=True, slots=True)
class Table:
    """One version's opcodes.

    >>> table("3.11").names[151]
    'RESUME'
    """

    version: str
    number: tuple[int, int]
    names: dict[int, str]
    have_argument: int
    caches: dict[str, int]
    comparisons: tuple[str, ...]
    operators: tuple[str, ...]
    intrinsics: tuple[str, ...]
    commons: tuple[str, ...]
    #: The opcode that every function has at its beginning, or -1 before 3.11.
    resume: int


@cache
def table(version: str) -> Table:
    """The facts of one version that `layouts.VERSIONS` names."""
    raw = json.loads((_FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    major, _, minor = version.partition(".")
    return Table(
        version,
        (int(major), int(minor)),
        {code: name for name, code in raw["codes"].items()},
        raw["have_argument"],
        raw["caches"],
        tuple(raw["comparisons"]),
        tuple(raw["operators"]),
        tuple(raw["intrinsics"]),
        tuple(raw["commons"]),
        raw["codes"].get("RESUME", -1),
    )
