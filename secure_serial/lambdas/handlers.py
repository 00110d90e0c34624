"""Handlers of exceptions since 3.11: compilers write them where source has no `try`, too.

Those of an inlined comprehension put the hidden variables back, that of a generator expression
makes RuntimeError of StopIteration, and both raise again. What does anything else is a `try`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.lambdas import code as c
from secure_serial.lambdas.errors import CannotLift

if TYPE_CHECKING:
    from secure_serial.lambdas.code import Code
    from secure_serial.lambdas.decode import Instruction
    from secure_serial.lambdas.tables import Table

#: INTRINSIC_STOPITERATION_ERROR (Include/internal/pycore_intrinsics.h).
_STOP = 3
#: Since when a generator's own code, and not the interpreter, makes that RuntimeError.
_GUARDED = (3, 12)
#: What raises nothing, so that it may stand outside. RESUME polls for signals, no more.
_SILENT = frozenset({
    "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "POP_TOP", "RESUME", "NOP", "NOT_TAKEN",
    "RETURN_VALUE", "RETURN_CONST", "LOAD_CONST", "LOAD_FAST", "JUMP_FORWARD", "JUMP_BACKWARD",
    "END_FOR", "POP_ITER", "LOAD_COMMON_CONSTANT",
})  # fmt: skip
_JUMPS = {"POP_JUMP_IF_TRUE", "POP_JUMP_IF_FALSE", "POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE"}
#: How many values those take that a handler drops, or puts back into variables.
_POPS = {"NOP": 0, "POP_TOP": 1, "STORE_FAST": 1, "STORE_FAST_STORE_FAST": 2}
_TRY = "a try statement"
_ERROR, _PLACE = "error", "place"


class Entry(NamedTuple):
    """Instructions from `start` to before `end`, by offset, and what an exception in them meets."""

    start: int
    end: int
    target: int
    depth: int
    keeps_place: bool


def check(instructions: list[Instruction], code: Code, alive: set[int], table: Table) -> None:
    """Refuse every handler but those that only raise again."""
    entries = _entries(code.exceptiontable)
    places = {each.offset: place for place, each in enumerate(instructions)}
    places[instructions[-1].end] = len(instructions)
    last = 0
    stops: set[int] = set()
    for entry in entries:
        # One after the other, each before its handler: no handler is ever its own.
        whole = {entry.start, entry.end, entry.target} <= places.keys()
        deep = entry.depth > code.stacksize
        if deep or not whole or not last <= entry.start < entry.end <= entry.target:
            raise CannotLift(_TRY)
        last = entry.end
        stops |= _follow(instructions, places[entry.target], alive, entry, code)
    if code.flags & c.GENERATOR and table.number >= _GUARDED:
        # Since 3.13 jumps take True or False itself, and ask for nothing.
        silent = _SILENT | (_JUMPS if table.number > _GUARDED else set())
        loud = {place for place in alive if instructions[place].name not in silent}
        _check_guard(instructions, loud, stops, entries)


def _follow(
    instructions: list[Instruction], place: int, alive: set[int], entry: Entry, code: Code
) -> set[int]:
    """Where a handler raises again, if it made an error of StopIteration before."""
    stack: list[object] = [*range(entry.depth), *([_PLACE] if entry.keeps_place else ()), _ERROR]
    stops = False
    while place < len(instructions) and place not in alive:
        each = instructions[place]
        if each.name == "RERAISE":
            if stack[-1:] != [_ERROR] or each.arg not in {0, 1}:
                break
            if each.arg and stack[-2:-1] != [_PLACE]:
                break
            return {place} if stops else set()
        if each.name == "CALL_INTRINSIC_1":
            stops = each.arg == _STOP and stack[-1] == _ERROR and bool(code.flags & c.GENERATOR)
            if not stops:
                break
        elif not _moves(each, stack):
            break
        place += 1
    raise CannotLift(_TRY)


def _moves(each: Instruction, stack: list[object]) -> bool:
    """Do what an instruction of a handler does to the stack, if it does no more."""
    if each.name == "SWAP" and 1 <= each.arg <= len(stack):
        stack[-each.arg], stack[-1] = stack[-1], stack[-each.arg]
        return True
    count = _POPS.get(each.name, len(stack))
    del stack[len(stack) - count :]
    return bool(stack)


def _check_guard(
    instructions: list[Instruction], loud: set[int], stops: set[int], entries: list[Entry]
) -> None:
    """A StopIteration within a generator ends it with an error, wherever it is raised."""
    begun = next((n for n, each in enumerate(instructions) if each.name == "RETURN_GENERATOR"), 0)
    for place, each in enumerate(instructions[begun:], begun):
        # Handlers too: what they raise again must come there.
        if place not in loud and (each.name != "RERAISE" or place in stops):
            continue
        if not any(entry.start <= each.offset < entry.end for entry in entries):
            raise CannotLift("a generator that lets StopIteration out")


def _entries(table: bytes) -> list[Entry]:
    """The entries of an exception table (Objects/exception_handling_notes.txt)."""
    at, numbers = 0, list[int]()
    while at < len(table):
        value = table[at] & 0x3F
        while table[at] & 0x40:
            at += 1
            if at >= len(table):
                raise CannotLift("an exception table that is cut off")
            value = value << 6 | table[at] & 0x3F
        at += 1
        numbers.append(value)
    if len(numbers) % 4:
        raise CannotLift("an exception table that is cut off")
    return [
        Entry(2 * start, 2 * (start + size), 2 * target, depth >> 1, bool(depth & 1))
        for start, size, target, depth in zip(*[iter(numbers)] * 4, strict=True)
    ]
