"""What a marshalled code object says, as inert data."""

from __future__ import annotations

from dataclasses import dataclass, field

OPTIMIZED, NEWLOCALS, VARARGS, VARKEYWORDS, NESTED, GENERATOR = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
#: Set where a code has neither free nor cell variables (CPython before 3.11).
NOFREE = 0x40
#: `from __future__ import …`: eight bits from 0x2000 on, from 0x20000 on since 3.9. They changed
#: how the source was compiled, and change nothing in how the code runs.
FUTURES = 0x1FFE000
#: 3.13: the code has a docstring; 3.14: it is a method. Neither changes what it does.
HARMLESS = 0x4000000 | 0x8000000

#: `localspluskinds` of 3.11 and later (CPython's Include/internal/pycore_code.h). ARGUMENT's
#: three bits, new in 3.14, say which kind of argument; the counts say that, too.
KIND_ARGUMENT, KIND_HIDDEN, KIND_LOCAL, KIND_CELL, KIND_FREE = 0x0E, 0x10, 0x20, 0x40, 0x80


@dataclass(frozen=True, slots=True)
class FrozenSet:
    """A frozenset in the stream: its items as they stand there, which no hash has ordered."""

    items: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice in the stream (3.14 and later)."""

    start: object
    stop: object
    step: object


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """A code object. Two are equal only if they are the same."""

    layout: str
    argcount: int
    posonly: int
    kwonly: int
    nlocals: int
    stacksize: int
    flags: int
    code: bytes
    consts: tuple[object, ...]
    names: tuple[str, ...]
    varnames: tuple[str, ...]
    cellvars: tuple[str, ...]
    freevars: tuple[str, ...]
    filename: str
    name: str
    firstlineno: int
    linetable: bytes
    exceptiontable: bytes
    #: 3.11 and later: one numbering of all variables.
    slots: tuple[str, ...] = ()
    kinds: bytes = b""
    nested: tuple[Code, ...] = field(default=())

    @property
    def arguments(self) -> int:
        """How many of the variables are arguments."""
        stars = bool(self.flags & VARARGS) + bool(self.flags & VARKEYWORDS)
        return self.argcount + self.kwonly + stars


def names_of(code: Code) -> set[str]:
    """Every name that a code and those inside it use."""
    names: set[str] = set()
    todo = [code]
    while todo:
        each = todo.pop()
        todo += each.nested
        names.update(each.names, each.varnames, each.cellvars, each.freevars)
    return names
