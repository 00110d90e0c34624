"""Instructions of any version to one small set of stack operations.

An operation is a tuple: its name, then its operands. Jumps hold indices of operations. What has
no entry here is refused by its name, and that is most of what CPython has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from secure_serial.lambdas import code as c
from secure_serial.lambdas import dead, shortcuts
from secure_serial.lambdas.decode import Instruction, OtherVersion, decode, is_jump
from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.instructions import Instructions
from secure_serial.lambdas.values import Const

if TYPE_CHECKING:
    from secure_serial.lambdas.bounds import Bounds
    from secure_serial.lambdas.simple import Op
    from secure_serial.lambdas.tables import Table


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A code object as operations. `sources` says from which instruction each one comes."""

    code: c.Code
    table: Table
    ops: tuple[Op, ...]
    sources: tuple[int, ...]
    #: The class of comprehension that the code is the body of, or "".
    kind: str


#: PEP 572: `{k: v for …}` works out the key before the value.
KEY_FIRST = (3, 8)
#: Before 3.8 a return or a `break` took the values of the loop off the stack by itself.
KEEPS = (3, 8)
#: What asks for no more than the truth. Elsewhere `bool` of a value is another value: since 3.13
#: `not not x` is TO_BOOL alone.
_ASKS_TRUTH = {"POP_JUMP_IF_TRUE", "POP_JUMP_IF_FALSE", "UNARY_NOT"}
#: What gives True or False; since 3.13 jumps and `not` compare with these by identity.
_BOOLEAN = {"TO_BOOL", "CONTAINS_OP", "IS_OP", "UNARY_NOT"}
_TAKES_BOOLEAN = {"POP_JUMP_IF_TRUE", "POP_JUMP_IF_FALSE", "UNARY_NOT"}
#: The bit of COMPARE_OP that asks for no more than the truth.
_TO_BOOL = 16
#: What stands before RESUME at the start, and nowhere else.
_FIRST = {"COPY_FREE_VARS", "RETURN_GENERATOR"}
_GENERATES = [("RETURN_GENERATOR", 0), ("POP_TOP", 0)]
#: 3.15 asks for the iterator before the generator is returned.
_GENERATES_LATE = [("RESUME", 4), ("LOAD_FAST", 0), ("GET_ITER", 0), *_GENERATES]
_KINDS = {"<listcomp>": "list", "<setcomp>": "set", "<dictcomp>": "dict", "<genexpr>": "gen"}


def kind_of(code: c.Code) -> str:
    """Whether a code is a comprehension's body: it takes one argument called `.0`."""
    if code.name in _KINDS and code.arguments == 1 and code.varnames[:1] == (".0",):
        return _KINDS[code.name]
    return ""


class Reading:
    """Code objects by the rules of one version, each translated once."""

    def __init__(self, table: Table, bounds: Bounds, spent: list[int] | None = None) -> None:
        self.table = table
        self.bounds = bounds
        #: Steps of lifting and proving so far, which all attempts at one stream share.
        self.spent = [0] if spent is None else spent
        self.known: dict[int, Program] = {}
        #: The same by their own ids.
        self.programs: dict[int, Program] = {}

    def __call__(self, code: c.Code) -> Program:
        """The operations of `code`, which the program keeps alive, so that its id is its own."""
        program = self.known.get(id(code))
        if program is None:
            program = self.known[id(code)] = translate(code, self.table, self.bounds)
            self.programs[id(program)] = program
        return program

    def meaning(self, code: c.Code) -> list[object]:
        """What lift and proof look at: two readings that agree on it give one tree."""
        found: list[object] = [self.table.number < KEY_FIRST]
        todo = [code]
        while todo:
            inner = todo.pop()
            todo += inner.nested
            program = self(inner)
            found.append(program.kind)
            # Constants are the stream's own objects, in each reading of it.
            found += [
                ("push", id(op[1].value)) if op[0] == "push" and isinstance(op[1], Const) else op
                for op in program.ops
            ]
        return found


def translate(code: c.Code, table: Table, bounds: Bounds) -> Program:
    """The operations of `code`, read by the rules of one version."""
    _check_flags(code, table)
    _check_lines(code, table)
    instructions = shortcuts.without(decode(code, table, bounds), code, table)
    alive = dead.check(instructions, code, table)
    _check_calls(instructions)
    _check_loops(instructions, alive)
    _check_jumps(instructions, table)
    _check_beginning(instructions, code, table)
    _check_cells(instructions, code)
    context = Instructions(code, table)
    starts: list[int] = []
    ops: list[Op] = []
    sources: list[int] = []
    for place, each in enumerate(instructions):
        starts.append(len(ops))
        made = context.ops(each) if place in alive else []
        if ("bool",) in made:
            following = [one.name for one in instructions[place + 1 : place + 2]]
            if following and following[0] in _ASKS_TRUTH:
                made = [op for op in made if op != ("bool",)]
        ops += made
        sources += [place] * len(made)
    starts.append(len(ops))
    done = tuple(_placed(op, instructions, starts, table) for op in ops)
    return Program(code, table, done, tuple(sources), kind_of(code))


def _check_lines(code: c.Code, table: Table) -> None:
    """3.8 to 3.10 share a layout. A line table of 3.10 covers all of the code, an older one less.

    Old ones say where each line begins (Objects/lnotab_notes.txt), 3.10's where it ends (PEP 626).
    """
    if code.layout != "3.8":
        return
    covered = sum(code.linetable[::2])
    whole = covered == len(code.code) and len(code.linetable) % 2 == 0
    if whole is not (table.number == (3, 10)) or covered > len(code.code):
        raise OtherVersion("a line table of another version")


def _check_jumps(instructions: list[Instruction], table: Table) -> None:
    """Since 3.13 jumps and `not` take True or False itself, which must stand right before them."""
    if table.number < (3, 13):
        return
    targets = {each.target for each in instructions}
    for place, each in enumerate(instructions):
        if each.name not in _TAKES_BOOLEAN:
            continue
        before = instructions[place - 1]
        asked = before.name == "COMPARE_OP" and before.arg & _TO_BOOL
        if place in targets or not (asked or before.name in _BOOLEAN):
            raise CannotLift("a test of what is neither True nor False")


def _check_calls(instructions: list[Instruction]) -> None:
    """What makes a call ready stands right before it, no jump comes between, and counts alike."""
    targets = {each.target for each in instructions}
    for place, each in enumerate(instructions):
        after = [(one.name, one.arg) for one in instructions[place + 1 : place + 2]]
        if each.name == "PRECALL" and after != [("CALL", each.arg)]:
            raise CannotLift("half a call")
        if each.name in {"KW_NAMES", "PRECALL"} and place + 1 in targets:
            raise CannotLift("a jump into a call")


def _check_loops(instructions: list[Instruction], alive: set[int]) -> None:
    """Only heads of loops lead to END_FOR, which they skip: whoever comes otherwise pops by it."""
    ends = {place for place, each in enumerate(instructions) if each.name == "END_FOR"}
    for place in sorted(alive):
        each = instructions[place]
        leads = {each.target} if is_jump(each.name) and each.name != "FOR_ITER" else set()
        if dead.goes_on(each.name):
            leads.add(place + 1)
        if leads & ends:
            raise CannotLift("a way to the end of a loop from elsewhere than its head")


def _check_beginning(instructions: list[Instruction], code: c.Code, table: Table) -> None:
    """From 3.11 on every cell is made at the start, once, before RESUME (Python/compile.c)."""
    if table.number < (3, 11):
        return
    words = [(each.name, each.arg) for each in instructions]
    place = 0
    if code.freevars:
        if words[0] != ("COPY_FREE_VARS", len(code.freevars)):
            raise CannotLift("free variables that are not copied at the start")
        place = 1
    made: list[int] = []
    while words[place : place + 1] and words[place][0] == "MAKE_CELL":
        made.append(words[place][1])
        place += 1
    if made != [slot for slot, kind in enumerate(code.kinds) if kind & c.KIND_CELL]:
        raise CannotLift("cells that are not made at the start")
    if code.flags & c.GENERATOR:
        begins = _GENERATES if table.number < (3, 15) else _GENERATES_LATE
        if words[place : place + len(begins)] != begins:
            raise CannotLift("a generator that does not begin as one")
        place += len(begins)
    if words[place : place + 1] != [("RESUME", 0)]:
        raise CannotLift("no beginning of a function")
    if any(name in _FIRST for name, _ in words[place + 1 :]):
        raise CannotLift("a second beginning of a function")


def _check_cells(instructions: list[Instruction], code: c.Code) -> None:
    """A hidden variable that is a cell gets a new cell; no other cell is made but at the start."""
    body = False
    for place, each in enumerate(instructions):
        before = instructions[place - 1] if place else each
        if each.name == "MAKE_CELL":
            hidden = before.name == "LOAD_FAST_AND_CLEAR" and before.arg == each.arg
            if body and not hidden:
                raise CannotLift("a cell made anew")
        elif before.name == "LOAD_FAST_AND_CLEAR" and (
            before.arg >= len(code.kinds) or code.kinds[before.arg] & c.KIND_CELL
        ):
            raise CannotLift("a hidden cell that is not made anew")
        elif each.name not in {"COPY_FREE_VARS", "RESUME", "NOP"}:
            body = True


def _check_flags(code: c.Code, table: Table) -> None:
    is_generator = bool(code.flags & c.GENERATOR)
    if is_generator is not (kind_of(code) == "gen"):
        raise CannotLift("a generator function")
    known = 0x7F | c.FUTURES | 0x1000
    if table.number >= (3, 13):
        known |= c.HARMLESS
    if code.flags & ~known or not code.flags & c.OPTIMIZED or not code.flags & c.NEWLOCALS:
        raise CannotLift("a coroutine, a class body or another unusual kind of code")
    if table.number >= (3, 11) and code.flags & c.NOFREE:
        raise CannotLift("flags that this version does not write")


def _placed(op: Op, instructions: list[Instruction], starts: list[int], table: Table) -> Op:
    """The operation with the index of an operation for that of an instruction."""
    if op[0] == "for":
        place = op[1]
        if table.number >= (3, 12):
            if instructions[place].name != "END_FOR":
                raise CannotLift("a loop without its end")
            place += 1
            if table.number >= (3, 13):
                closer = "POP_TOP" if table.number == (3, 13) else "POP_ITER"
                if place >= len(instructions) or instructions[place].name != closer:
                    raise CannotLift("a loop without its end")
                place += 1
        return ("for", starts[place])
    if op[0] in {"jump", "test", "test_none"}:
        return (*op[:-1], starts[op[-1]])
    return op
