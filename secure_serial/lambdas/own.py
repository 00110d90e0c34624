"""The tree compiled by the running Python, as a code object to compare with; it is never run."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Any

from secure_serial.lambdas import code as c
from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.layouts import VERSIONS, make_code
from secure_serial.lambdas.tree import placed

if TYPE_CHECKING:
    from types import CodeType

#: The file that code compiled here says it is of: what tells it from others' where it is copied.
FILE = "<lifted>"


def version() -> str:
    """The running Python, as the tables call it. Raises `CannotLift` for one they do not know.

    >>> version().startswith("3.")
    True
    """
    name = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if sys.implementation.name != "cpython" or name not in VERSIONS["3.11"]:
        raise CannotLift(f"the running Python {name} is not one that trees can be checked on")
    return name


def compiled(tree: ast.expr | ast.FunctionDef, free: tuple[str, ...]) -> c.Code:
    """The code of a function's tree, `free` being the variables of the scope around it."""
    return convert(live(tree, free))


def live(tree: ast.expr | ast.FunctionDef, free: tuple[str, ...]) -> CodeType:
    """The same as a code object of this Python, which nothing here makes a function of."""
    if isinstance(tree, ast.FunctionDef):
        # Under a name that no code can say: inside, its own name is still a global one.
        made = ast.FunctionDef("<stored>", tree.args, tree.body, [], None, None)
        if sys.version_info >= (3, 12):
            made.type_params = []
        body: list[ast.stmt] = [made]
    else:
        body = [ast.Return(tree)]
    none = ast.arguments([], [ast.arg(name) for name in free], None, [], [], None, [])
    around = ast.FunctionDef("around", none, body, [], None, None)
    if sys.version_info >= (3, 12):
        around.type_params = []
    module = placed(ast.Module([around], []))
    try:
        outer = compile(module, FILE, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise CannotLift(f"the tree does not compile ({type(error).__name__})") from None
    code = _only(_only(outer))
    return code.replace(co_name=tree.name) if isinstance(tree, ast.FunctionDef) else code


def _only(code: CodeType) -> CodeType:
    inner = [value for value in code.co_consts if isinstance(value, type(code))]
    if len(inner) != 1:
        raise CannotLift("a tree of more than one function")
    return inner[0]


def convert(live: CodeType) -> c.Code:
    """A code object of this Python as inert data."""
    cells = [name for name in live.co_cellvars if name not in live.co_varnames]
    kinds = bytes(
        [
            c.KIND_LOCAL | (c.KIND_CELL if name in live.co_cellvars else 0)
            for name in live.co_varnames
        ]
        + [c.KIND_CELL] * len(cells)
        + [c.KIND_FREE] * len(live.co_freevars)
    )
    raw = {
        "ARGCOUNT": live.co_argcount,
        "POSONLY": live.co_posonlyargcount,
        "KWONLY": live.co_kwonlyargcount,
        "STACKSIZE": live.co_stacksize,
        "FLAGS": live.co_flags,
        "code": live.co_code,
        "consts": tuple(_constant(value) for value in live.co_consts),
        "names": live.co_names,
        "slots": (*live.co_varnames, *cells, *live.co_freevars),
        "kinds": kinds,
        "filename": live.co_filename,
        "name": live.co_name,
        "qualname": live.co_qualname,
        "FIRSTLINENO": live.co_firstlineno,
        "linetable": live.co_linetable,
        "exceptiontable": live.co_exceptiontable,
    }
    return make_code("3.11", raw)


def _constant(value: Any) -> Any:
    if isinstance(value, type(compiled.__code__)):
        return convert(value)
    if isinstance(value, tuple):
        return tuple(_constant(item) for item in value)
    if isinstance(value, frozenset):
        return c.FrozenSet(tuple(value))
    if isinstance(value, slice):
        return c.Slice(value.start, value.stop, value.step)
    return value
