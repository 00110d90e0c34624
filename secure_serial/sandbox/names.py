"""The names that restricted code knows without a facade, and how its own names may look."""

from __future__ import annotations

from secure_serial.errors import SandboxError
from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.machine import DIVIDE
from secure_serial.lambdas.nodes import identifier

#: A construct or a name that is not let through, found before anything runs.
FORBIDDEN = "SS503"
#: No identifier begins so: a hook is out of reach of every parameter, variable and attribute
#: (CVE-2026-55830: a parameter named `_getattr_` took the place of RestrictedPython's own hook).
HOOK = "%"
#: The function that a module of ours defines.
RESULT = HOOK + "result"

#: Builtins; `guards.builtins` holds what stands for each. Those that read or make types, names,
#: code or files are not among them, nor is `print`.
BUILTINS = frozenset(
    {
        "abs", "all", "any", "bool", "complex", "dict", "divmod", "enumerate", "filter", "float",
        "int", "isinstance", "len", "list", "map", "max", "min", "pow", "range", "reversed",
        "round", "set", "slice", "sorted", "str", "sum", "tuple", "xrange", "zip", DIVIDE,
    }
)  # fmt: skip

#: What a function may raise by itself. Those by which bounds end a call are not among them.
ERRORS = frozenset(
    {
        "ArithmeticError", "AssertionError", "AttributeError", "Exception", "IndexError",
        "KeyError", "LookupError", "NotImplementedError", "OverflowError", "RuntimeError",
        "TypeError", "ValueError", "ZeroDivisionError",
    }
)  # fmt: skip

#: RestrictedPython guards these by name, too; here no object has them, and they say what is tried.
_TELLING = {
    "eval": "runs text as code",
    "exec": "runs text as code",
    "compile": "makes code of text",
    "open": "opens a file",
    "getattr": "reads an attribute by a computed name",
    "setattr": "writes an attribute",
    "globals": "shows the program's variables",
    "locals": "shows variables",
    "vars": "shows variables",
    "type": "hands out types",
    "object": "hands out types",
    "super": "hands out types",
    "print": "writes to the program's output",
    "os": "is a module of the operating system",
    "sys": "is a module of the interpreter",
}


def forbidden(message: str, help: str = "") -> SandboxError:
    """The error for what is refused before anything runs."""
    return SandboxError(message, code=FORBIDDEN, help=help)


def checked(name: object, what: str = "the name") -> str:
    """A name of the code's own, if it may be one: a plain identifier without leading underscore.

    >>> checked("x"), checked("_")
    ('x', '_')
    """
    if type(name) is not str:
        raise forbidden(f"{what} of type {type(name).__name__}")
    try:
        identifier(name)
    except CannotLift as error:
        raise forbidden(f"{what} that is not allowed: {error.construct}") from None
    if name.startswith("_") and name != "_":
        raise forbidden(f"{what} {name}, which begins with an underscore")
    return name


def unknown(name: str) -> SandboxError:
    """The error for a name that nothing stands for."""
    told = _TELLING.get(name)
    return forbidden(
        f"the name {name}, which {told}" if told else f"the name {name}, which nothing stands for",
        help="restricted functions know their parameters, plain values of their closure, some "
        "builtins, and the pure parts of math, NumPy, TensorFlow and Keras",
    )
