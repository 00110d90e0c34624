"""What a restricted function may use up, each with its reason. Checked before the work."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from secure_serial.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Sequence


class Wall(StrEnum):
    """What keeps the worker in, as far as the system has it."""

    RLIMITS = "rlimits"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"
    NO_NETWORK = "no-network"


@dataclass(frozen=True, slots=True)
class Allowance:
    """Every bound on one call of a restricted function.

    >>> Allowance().depth
    50
    """

    # Calls, rounds of loops and operations. The longest of 53 lambdas in real files takes 40;
    # a guarded step takes about a microsecond, so this is a second at most.
    steps: int = 200_000
    # Calls inside each other. CPython's own stack ends near 1,000 frames of Python, and each
    # guarded call takes a handful.
    depth: int = 50
    # Elements of all arrays that one call makes, summed: a batch of 256 images of 224 x 224 x 3
    # in float32 has 39 million, and a lambda makes two or three of them.
    elements: int = 1 << 28
    # Bytes of the same: two such batches in float32. What a call holds at once, with what NumPy
    # holds beside it, stays below 512 MiB (tests/sandbox/test_attacks.py measures it).
    array_bytes: int = 384 * MIB
    # Items of one tuple, list, set or dict, and characters of one text.
    items: int = 100_000
    characters: int = 100_000
    # Bits of one integer: far beyond every shape, and arithmetic on it still takes no time.
    integer_bits: int = 4_096
    # In the worker alone: seconds by the clock and of the processor, and bytes of memory above
    # those of the idle worker. What the bounds above let pass stays within the last two.
    wall_seconds: float = 10.0
    cpu_seconds: float = 2.0
    memory_bytes: int = 512 * MIB


def tightest(several: Sequence[Allowance]) -> Allowance:
    """The least of each bound.

    >>> tightest([Allowance(depth=9), Allowance(steps=7)]).depth
    9
    """
    return Allowance(
        **{e.name: min(getattr(one, e.name) for one in several) for e in fields(Allowance)}
    )
