"""What no path reaches: handlers that only raise again, and what old compilers left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.lambdas import handlers
from secure_serial.lambdas.decode import Instruction, is_jump
from secure_serial.lambdas.errors import CannotLift

if TYPE_CHECKING:
    from secure_serial.lambdas.code import Code
    from secure_serial.lambdas.tables import Table

_ENDS = frozenset({"RETURN_VALUE", "RETURN_CONST", "RERAISE", "RAISE_VARARGS"})
_ALWAYS = frozenset({"JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD", "BREAK_LOOP"})
#: A handler of an inlined comprehension puts the hidden variables back and raises again; one
#: of a generator expression turns StopIteration into RuntimeError.
_HANDLER = frozenset({
    "SWAP", "POP_TOP", "STORE_FAST", "STORE_FAST_STORE_FAST", "RERAISE", "CALL_INTRINSIC_1", "NOP",
})  # fmt: skip


def reached(instructions: list[Instruction]) -> set[int]:
    """The instructions that some path from the start reaches, if nothing raises."""
    seen: set[int] = set()
    _aim_breaks(instructions)
    todo = [0]
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        if place >= len(instructions):
            raise CannotLift("code that runs over its end")
        seen.add(place)
        each = instructions[place]
        if (is_jump(each.name) or each.name == "BREAK_LOOP") and each.name != "SETUP_LOOP":
            todo.append(each.target)
        if goes_on(each.name):
            todo.append(place + 1)
    return seen


def goes_on(name: str) -> bool:
    """Whether the next instruction may come after one of this name."""
    return name not in _ENDS and name not in _ALWAYS


def _aim_breaks(instructions: list[Instruction]) -> None:
    """Before 3.8: `break` leads behind the innermost loop around it, a `for` without `else`."""
    for place, each in enumerate(instructions):
        if each.name != "BREAK_LOOP":
            continue
        around = [
            one.target
            for one in instructions[:place]
            if one.name == "SETUP_LOOP" and one.target > place
        ]
        end = around[-1] if around else 0
        before = instructions[end - 1]
        walked = any(one.name == "FOR_ITER" and one.target == end - 1 for one in instructions)
        if not around or before.name != "POP_BLOCK" or not walked:
            raise CannotLift("a break out of what is no for statement")
        each.target = end


def check(instructions: list[Instruction], code: Code, table: Table) -> set[int]:
    """The instructions that count. Refuses dead code that no compiler writes, and handlers.

    Before 3.10 compilers left code behind returns and constant conditions; nothing reaches it.
    """
    alive = reached(instructions)
    rest = {instructions[place].name for place in range(len(instructions)) if place not in alive}
    rest.discard("NOP")
    if table.number >= (3, 11):
        if rest - _HANDLER or (rest and not code.exceptiontable):
            raise CannotLift("code that is never reached")
        handlers.check(instructions, code, alive, table)
    elif table.number >= (3, 10) and rest:
        raise CannotLift("code that is never reached")
    return alive
