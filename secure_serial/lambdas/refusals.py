"""What is always refused, by the word for it in source, and what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.lambdas import code as c
from secure_serial.lambdas.decode import Instruction, decode
from secure_serial.lambdas.errors import CannotLift, TooMuch
from secure_serial.lambdas.micro import kind_of

if TYPE_CHECKING:
    from secure_serial.lambdas.bounds import Bounds
    from secure_serial.lambdas.code import Code
    from secure_serial.lambdas.tables import Table

#: Flags of a coroutine and of an asynchronous generator (Include/cpython/code.h).
_ASYNC = 0x80 | 0x200
_LOCAL = "keep the value in a local variable and return it"
#: What it is called, and what to do instead. In this order: a `with` holds what a `try` holds.
_WORDS: dict[str, str] = {
    "a class": "write functions, or make it a registered class of the program",
    "async": "write a plain function",
    "a with statement": "leave out what only names or places operations, such as tf.name_scope",
    "a try statement": "test for what may fail with `if`, or choose one way before saving",
    "a while statement": "write `for … in range(…)` with a `break`, or an operation of Keras",
    "a match statement": "write `if` and `elif`",
    "an assignment to an attribute": _LOCAL,
    "a global statement": _LOCAL,
    "a del statement": "leave it out: the variable ends with the call",
    "a star-import": "import the names that are used, or the module",
    "a yield": "append to a list and return that",
    "a print statement of Python 2": "leave it out",
    "an exec statement of Python 2": "write what it runs",
    "a raise of two values of Python 2, or with `from`": "raise one exception",
}
_FOUND: dict[str, str] = {
    "LOAD_BUILD_CLASS": "a class", "BUILD_CLASS": "a class",
    "GET_AWAITABLE": "async", "BEFORE_ASYNC_WITH": "async", "SETUP_ASYNC_WITH": "async",
    "GET_AITER": "async", "GET_ANEXT": "async",
    "SETUP_WITH": "a with statement", "BEFORE_WITH": "a with statement",
    "WITH_EXCEPT_START": "a with statement", "WITH_CLEANUP": "a with statement",
    "WITH_CLEANUP_START": "a with statement",
    "SETUP_EXCEPT": "a try statement", "SETUP_FINALLY": "a try statement",
    "PUSH_EXC_INFO": "a try statement", "CHECK_EXC_MATCH": "a try statement",
    "JUMP_IF_NOT_EXC_MATCH": "a try statement",
    "MATCH_CLASS": "a match statement", "MATCH_MAPPING": "a match statement",
    "MATCH_SEQUENCE": "a match statement", "MATCH_KEYS": "a match statement",
    "STORE_ATTR": "an assignment to an attribute", "DELETE_ATTR": "a del statement",
    "STORE_GLOBAL": "a global statement", "DELETE_GLOBAL": "a global statement",
    "DELETE_FAST": "a del statement", "DELETE_NAME": "a del statement",
    "DELETE_SUBSCR": "a del statement", "DELETE_DEREF": "a del statement",
    "IMPORT_STAR": "a star-import", "YIELD_FROM": "a yield",
    "PRINT_ITEM": "a print statement of Python 2", "PRINT_NEWLINE": "a print statement of Python 2",
    "PRINT_ITEM_TO": "a print statement of Python 2", "EXEC_STMT": "an exec statement of Python 2",
}  # fmt: skip
_FOUND |= {f"DELETE_SLICE+{n}": "a del statement" for n in range(4)}


def refusal(code: Code, table: Table, bounds: Bounds) -> CannotLift | None:
    """The error that names a construct which no lift takes; none, if there is no such."""
    found: set[str] = set()
    todo = [code]
    while todo:
        inner = todo.pop()
        todo += inner.nested
        try:
            instructions = decode(inner, table, bounds)
        except (CannotLift, TooMuch):
            instructions = []  # another version's; the flags are the same in all
        if not inner.flags & c.GENERATOR:
            found |= _loops(instructions)
        elif not kind_of(inner):
            found.add("a yield")
        found |= {_FOUND[each.name] for each in instructions if each.name in _FOUND}
        if inner.flags & _ASYNC:
            found.add("async")
        if any(each.name == "RAISE_VARARGS" and each.arg > 1 for each in instructions):
            found.add("a raise of two values of Python 2, or with `from`")
    for word, instead in _WORDS.items():
        if word in found:
            return CannotLift(word, instead)
    return None


def _loops(instructions: list[Instruction]) -> set[str]:
    """Whether a jump leads back to what is no `for`."""
    for place, each in enumerate(instructions):
        target = each.target
        if 0 <= target <= place and instructions[target].name != "FOR_ITER":
            return {"a while statement"}
    return set()
