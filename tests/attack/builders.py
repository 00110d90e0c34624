"""All hostile files, family by family. Each advisory and each rule has at least one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attack import (
    archives,
    classes,
    code,
    functions,
    hdf5,
    hdf5_files,
    identity,
    labels,
    legacy,
    paths,
    sizes,
    text,
)

if TYPE_CHECKING:
    from attack.case import Case

FAMILIES = (
    code,
    functions,
    classes,
    identity,
    paths,
    sizes,
    labels,
    legacy,
    text,
    archives,
    hdf5,
    hdf5_files,
)

#: Every case there is.
CASES: list[Case] = [case for family in FAMILIES for case in family.CASES]


def count() -> Counter[str]:
    """How many cases each family has."""
    return Counter(case.family for case in CASES)
