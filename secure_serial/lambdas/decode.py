"""Bytecode to instructions, by the strict rules of one version.

What a version's own compiler never writes is refused, which also tells versions apart: a byte
means one thing in one of them and another in the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from secure_serial.lambdas.errors import CannotLift, TooMuch

if TYPE_CHECKING:
    from secure_serial.lambdas.bounds import Bounds
    from secure_serial.lambdas.code import Code
    from secure_serial.lambdas.tables import Table

_JUMPS = frozenset(
    [
        "FOR_ITER",
        "JUMP_FORWARD",
        "JUMP_BACKWARD",
        "JUMP_BACKWARD_NO_INTERRUPT",
        "JUMP_ABSOLUTE",
        "CONTINUE_LOOP",
        "SETUP_LOOP",
        "JUMP_IF_NOT_EXC_MATCH",
    ]
)
#: Relative in every version.
_FORWARD = frozenset({"FOR_ITER", "JUMP_FORWARD", "SETUP_LOOP"})
_WORDCODE, _CODE_UNITS, _RELATIVE, _CACHED = (3, 6), (3, 10), (3, 11), (3, 12)
_MOST_PREFIXES = 2  # arguments up to 2**24; a function with more constants is none of ours


class OtherVersion(CannotLift):
    """What this version does not write: the code is likely of another."""


@dataclass(slots=True)
class Instruction:
    """One instruction, its EXTENDED_ARG folded in. `target` is the index of another one."""

    offset: int
    name: str
    arg: int
    end: int
    target: int = -1


def is_jump(name: str) -> bool:
    """Whether the argument of an instruction is a place in the code."""
    return name in _JUMPS or (name.startswith(("POP_JUMP_", "JUMP_IF_")))


def decode(code: Code, table: Table, bounds: Bounds) -> list[Instruction]:
    """All instructions of `code`, in order. Raises `CannotLift` where a rule is broken."""
    if table.resume >= 0 and table.resume not in code.code[: 2 * len(code.slots) + 8 : 2]:
        # Only the making of cells and of a generator comes before it.
        raise OtherVersion(f"no beginning as of Python {table.version}")
    found = _old(code.code, table) if table.number < _WORDCODE else _words(code.code, table)
    if not found:
        raise CannotLift("no instructions at all")
    if len(found) > bounds.instructions:
        raise TooMuch(f"{len(found)} instructions")
    index = {each.offset: place for place, each in enumerate(found)}
    for each in found:
        if is_jump(each.name):
            target = index.get(_target(each, table))
            if target is None:
                raise OtherVersion("a jump to where no instruction begins")
            each.target = target
    return found


def _name(table: Table, opcode: int) -> str:
    name = table.names.get(opcode)
    if name is None or name in {"CACHE", "RESERVED"}:
        raise OtherVersion(f"the instruction {opcode}, which Python {table.version} does not have")
    return name


def _old(raw: bytes, table: Table) -> list[Instruction]:
    """Before 3.6: one byte, or three with an argument."""
    found: list[Instruction] = []
    at = start = extended = 0
    while at < len(raw):
        name = _name(table, raw[at])
        size = 3 if raw[at] >= table.have_argument else 1
        if at + size > len(raw):
            raise CannotLift("an instruction that is cut off")
        arg = int.from_bytes(raw[at + 1 : at + size], "little") | extended << 16
        at += size
        if name == "EXTENDED_ARG":
            if extended:
                raise CannotLift("a chain of EXTENDED_ARG")
            extended = arg
            continue
        found.append(Instruction(start, name, arg, at))
        start, extended = at, 0
    if extended:
        raise CannotLift("an EXTENDED_ARG at the end")
    return found


def _words(raw: bytes, table: Table) -> list[Instruction]:
    """From 3.6 on: two bytes each, and from 3.11 on the caches after it, which are zero."""
    found: list[Instruction] = []
    if len(raw) % 2:
        raise CannotLift("an odd number of bytes")
    at = start = extended = prefixes = 0
    while at < len(raw):
        opcode, arg = raw[at], raw[at + 1] | extended << 8
        name = _name(table, opcode)
        at += 2
        if name == "EXTENDED_ARG":
            extended, prefixes = arg, prefixes + 1
            if prefixes > _MOST_PREFIXES:
                raise CannotLift("a chain of EXTENDED_ARG")
            continue
        skip = 2 * table.caches.get(name, 0)
        if any(raw[at : at + skip]) or at + skip > len(raw):
            raise OtherVersion("a cache that is not empty")
        if opcode <= table.have_argument - 1 and arg and table.number >= _CACHED:
            raise OtherVersion(f"an argument of {name}, which has none")
        at += skip
        found.append(Instruction(start, name, arg, at))
        start, extended, prefixes = at, 0, 0
    if prefixes:
        raise CannotLift("an EXTENDED_ARG at the end")
    return found


def _target(each: Instruction, table: Table) -> int:
    unit = 2 if table.number >= _CODE_UNITS else 1
    if "BACKWARD" in each.name:
        return each.end - unit * each.arg
    if each.name in _FORWARD or table.number >= _RELATIVE:
        return each.end + unit * each.arg
    return unit * each.arg
