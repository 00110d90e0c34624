"""`any(x for …)` and the like since 3.14: a loop beside the call, taken if `any` is the built-in.

The loop is dropped, after a check that it is the one that the compiler writes: the same
generator, walked for the same answer. The ordinary call stays, and says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.lambdas.decode import Instruction, is_jump
from secure_serial.lambdas.errors import CannotLift

if TYPE_CHECKING:
    from secure_serial.lambdas.code import Code
    from secure_serial.lambdas.tables import Table

_GUARD = ("COPY", "LOAD_COMMON_CONSTANT", "IS_OP", "POP_JUMP_IF_FALSE", "NOT_TAKEN", "POP_TOP")
_EMPTY = {"tuple": "BUILD_LIST", "list": "BUILD_LIST", "set": "BUILD_SET"}


def without(instructions: list[Instruction], code: Code, table: Table) -> list[Instruction]:
    """The instructions, each such loop made a jump over it."""
    if table.number < (3, 14):
        return instructions
    for place in range(len(instructions) - len(_GUARD)):
        names = tuple(each.name for each in instructions[place : place + len(_GUARD)])
        if names == _GUARD and instructions[place].arg == 1:
            _drop(instructions, place, code, table)
    return instructions


def _drop(code: list[Instruction], place: int, owner: Code, table: Table) -> None:
    which = code[place + 1].arg
    builtin = table.commons[which] if which < len(table.commons) else ""
    ordinary = code[place + 3].target
    if builtin not in {"any", "all", *_EMPTY} or code[place + 2].arg or ordinary <= place:
        raise CannotLift("a test for a built-in")
    loop = code[place + len(_GUARD) : ordinary]
    call = code[ordinary : ordinary + len(loop) + 1]
    start = place + len(_GUARD)
    heads = [n for n, each in enumerate(loop) if each.name == "FOR_ITER"]
    if not any(
        _same(loop, call, builtin, (start, ordinary, head), table, code)
        and _answers(loop[head:], builtin, owner, table)
        for head in heads
    ):
        raise CannotLift(f"a loop in place of {builtin}()")
    inside = range(place + 1, ordinary)
    for at, each in enumerate(code):
        if at not in inside and each.target in inside:
            raise CannotLift("a jump into a loop")
    jump = code[place]
    code[place] = Instruction(jump.offset, "JUMP_FORWARD", 0, jump.end, ordinary)
    for at in range(place + 1, ordinary):
        # Never reached, so never read.
        code[at] = Instruction(code[at].offset, "NOP", 0, code[at].end)


def _same(
    loop: list[Instruction],
    call: list[Instruction],
    builtin: str,
    places: tuple[int, int, int],
    table: Table,
    whole: list[Instruction],
) -> bool:
    """Whether the loop whose FOR_ITER stands at `head` walks what the call is given."""
    start, ordinary, head = places
    at = 0
    if builtin in _EMPTY:
        if loop[0].name != _EMPTY[builtin] or loop[0].arg:
            return False
        at = 1
    pushed = int(table.number >= (3, 15))
    size = head - at - pushed
    if size < 1 or (pushed and loop[at + size].name != "PUSH_NULL"):
        return False
    made, asked = loop[at : at + size], call[1 : 1 + size]
    after = ordinary + 1 + size
    if call[0].name != "PUSH_NULL" or not _equal(made, asked):
        return False
    inside = range(start + at, start + at + size)
    if any(is_jump(each.name) and each.target not in inside for each in made):
        return False
    last = call[1 + size : 2 + size]
    if [(each.name, each.arg) for each in last] != [("CALL", 1)]:
        return False
    return _tail(loop[at + size + pushed :], builtin, after + 1, ordinary, whole)


def _answers(loop: list[Instruction], builtin: str, owner: Code, table: Table) -> bool:
    """Whether the loop gives what the built-in gives: True and False, or all the items."""
    found: list[object] = []
    depth = 3 if table.number >= (3, 15) else 2
    for each in loop:
        if each.name == "LOAD_CONST":
            found.append(owner.consts[each.arg] if each.arg < len(owner.consts) else None)
        elif each.name == "LOAD_COMMON_CONSTANT":
            name = table.commons[each.arg] if each.arg < len(table.commons) else ""
            found.append({"True": True, "False": False}.get(name))
        elif each.name in {"LIST_APPEND", "SET_ADD"}:
            if each.arg != depth:
                return False
        elif each.name == "CALL_INTRINSIC_1" and not _makes_tuple(each, table):
            return False
    wanted = {"any": [True, False], "all": [False, True]}.get(builtin, [])
    return len(found) == len(wanted) and all(a is b for a, b in zip(found, wanted, strict=True))


def _makes_tuple(each: Instruction, table: Table) -> bool:
    return table.intrinsics[each.arg : each.arg + 1] == ("INTRINSIC_LIST_TO_TUPLE",)


def _equal(one: list[Instruction], other: list[Instruction]) -> bool:
    """The same code twice; jumps are relative here."""
    return [(each.name, each.arg) for each in one] == [(each.name, each.arg) for each in other]


def _tail(
    loop: list[Instruction], builtin: str, after: int, end: int, whole: list[Instruction]
) -> bool:
    """Whether the loop is the compiler's, and each of its ends returns or goes on at `after`."""
    first = end - len(loop)
    shown = [each.name for each in loop]
    if builtin in _EMPTY:
        want = ["FOR_ITER", "SET_ADD" if builtin == "set" else "LIST_APPEND", "JUMP_BACKWARD"]
        want += ["END_FOR", "POP_ITER"]
        want += ["CALL_INTRINSIC_1"] if builtin == "tuple" else []
        targets = {0: first + 3, 2: first}
        ends = [loop[len(want) :]]
    else:
        stop = "POP_JUMP_IF_TRUE" if builtin == "any" else "POP_JUMP_IF_FALSE"
        want = ["FOR_ITER", "TO_BOOL", stop, "NOT_TAKEN", "JUMP_BACKWARD", "POP_ITER"]
        middle = next((n for n, name in enumerate(shown) if name == "END_FOR"), 0)
        targets = {0: first + middle, 2: first + 5, 4: first}
        ends = [loop[7:middle], loop[middle + 3 :]]
        if shown[middle : middle + 2] != ["END_FOR", "POP_ITER"] or middle < len(want):
            return False
    if shown[: len(want)] != want:
        return False
    if any(loop[place].target != target for place, target in targets.items()):
        return False
    return all(_leaves(part, whole, after) for part in ends)


def _leaves(part: list[Instruction], whole: list[Instruction], after: int) -> bool:
    """Whether an end of the loop goes on where the call does, or is a copy of what is there."""
    names = [each.name for each in part]
    if names == ["JUMP_FORWARD"]:
        return part[0].target == after
    straight = not any(is_jump(name) for name in names)
    return (
        names[-1:] == ["RETURN_VALUE"]
        and straight
        and _equal(part, whole[after : after + len(part)])
    )
