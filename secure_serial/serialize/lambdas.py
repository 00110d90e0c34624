"""Lambdas: Keras's bytecode, with our own form of the same function beside it.

Our own form comes from the function's own code object, which is read and lifted as a stranger's
would be. A file's text is not asked: several lambdas may stand on one line, a decorator may hide
them, and the file may have changed since it was imported.
"""

from __future__ import annotations

import base64
import inspect
import marshal
import warnings
from typing import TYPE_CHECKING, Any

from secure_serial.errors import ArtifactError
from secure_serial.loaded import loaded

if TYPE_CHECKING:
    from types import CodeType, FunctionType

    from secure_serial.lambdas.understood import Understood


def lambda_config(function: FunctionType) -> tuple[tuple[Any, ...], dict[str, Any] | None]:
    """What Keras's `func_dump` makes of a function, and our own form of it if there is one.

    On Windows Keras also replaces each backslash byte of the code by a slash, which can break the
    code and is not needed to read it: that is left out.

    >>> import warnings
    >>> warnings.simplefilter("ignore")
    >>> lambda_config(lambda x, i=2: x[i])[1]["source"]
    'lambda x, i: x[i]'

    """
    cells = function.__closure__
    closure = tuple(cell.cell_contents for cell in cells) if cells else None
    try:
        understood = _understood(function, closure or ())
        form = _proved(understood)
        told = f"\n{understood.source}"
    except ArtifactError as error:
        form = None
        told = f", and nothing else: {error.message}{_written(function)}"
    warnings.warn(
        "A lambda is being serialized: its compiled code becomes part of the config, and"
        f" loading it is refused by default. Use a named function instead{told}",
        stacklevel=2,
    )
    return (_text(function.__code__), function.__defaults__, closure), form


def restored_config(function: object) -> tuple[tuple[Any, ...] | None, dict[str, Any]] | None:
    """The same of a function that was restored from a file; None for anything else.

    Its bytecode is made anew by the running Python, so that Keras can read it here whichever
    Python wrote the file; None where that is not the same function to whoever lifts it.
    """
    restored = loaded("secure_serial.sandbox.restored", "Restored")
    if restored is None or not isinstance(function, restored.Restored):
        return None
    known: Understood = function.understood
    form = known.own_form()
    content = known.content
    if content not in _bytecode:  # a proof may take a second, and wrappers write a layer often
        if len(_bytecode) >= _REMEMBERED:
            _bytecode.clear()
        _bytecode[content] = _compiled(known, form)
    made = _bytecode[content]
    if made is None:
        return None, form
    text, free = made
    closure = tuple(known.closure[name] for name in free)
    return (text, known.defaults or None, closure or None), form


#: The code of restored functions, by what they are, and the free variables; None where the code is
#: not the same function. A file may hold a hundred.
_bytecode: dict[str, tuple[str, tuple[str, ...]] | None] = {}
_REMEMBERED = 100


def _compiled(known: Understood, form: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """The bytecode of a function, if it is the same function to whoever lifts it."""
    from secure_serial.lambdas import own
    from secure_serial.lambdas.stored import Stored
    from secure_serial.lambdas.understood import understand

    try:
        code = own.live(known.tree, tuple(known.closure))
        closure = tuple(known.closure[name] for name in code.co_freevars)
        understand(Stored(marshal.dumps(code), form, known.defaults, {}, closure))
    except ArtifactError:
        return None
    # Keras hands on the code alone where it makes copies: it says which function it is of.
    code = code.replace(co_filename=f"{own.FILE} {known.content}")
    return _text(code), code.co_freevars


def _text(code: CodeType) -> str:
    return base64.encodebytes(marshal.dumps(code)).decode("ascii")


def _understood(function: FunctionType, closure: tuple[object, ...]) -> Understood:
    """A function of the running program, read as a stranger's."""
    from secure_serial.lambdas.plain import plain
    from secure_serial.lambdas.stored import Stored
    from secure_serial.lambdas.understood import understand

    given = function.__kwdefaults__ or {}
    named = {name: plain(value, "a keyword-only default") for name, value in given.items()}
    return understand(
        Stored(
            code=marshal.dumps(function.__code__),
            defaults=tuple(plain(each, "a default") for each in function.__defaults__ or ()),
            kwdefaults=named,
            closure=tuple(plain(each, "a closure's value") for each in closure),
        )
    )


def _proved(understood: Understood) -> dict[str, Any]:
    """Our own form, read again: what it says must be what was meant."""
    from secure_serial.lambdas.errors import CannotLift
    from secure_serial.lambdas.understood import from_own

    form = understood.own_form()
    if from_own(form).digest != understood.digest:
        raise CannotLift("its text reads as another function")
    return form


def _written(function: FunctionType) -> str:
    """The source as it stands in its file, if it can be had: a hint, no more."""
    try:
        return f"\n{inspect.getsource(function)}"
    except (OSError, TypeError):  # typed at a prompt, or compiled from text
        return " (its source is not known)"
