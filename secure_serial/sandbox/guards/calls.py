"""Calls: of restricted functions, of what a facade offers, of builtins, of nothing else.

Whatever takes a function to call back (`max(key=…)`, `map`) takes one of these, too.
"""

from __future__ import annotations

import builtins
from functools import partial
from typing import Any

from secure_serial.sandbox.facades.about_types import Limits
from secure_serial.sandbox.facades.numbers import Number, Setting
from secure_serial.sandbox.facades.offered import Offered, OfferedType
from secure_serial.sandbox.meter import current
from secure_serial.sandbox.names import ERRORS
from secure_serial.sandbox.values import FOREIGN, Builtin, Function, called, refused

#: By exact type: what may be called.
CALLABLE: frozenset[type] = frozenset({
    Function, Builtin, Offered, OfferedType, Number, Setting, Limits,
})  # fmt: skip

#: By name: what may be raised, and of what is said then so many characters.
_ERRORS: dict[str, type[Exception]] = {name: getattr(builtins, name) for name in ERRORS}
_TEXT = 200


def call(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)`."""
    return callee(function)(*args, **kwargs)


def callback(value: Any) -> Any:
    """A function for Python to call again and again, each call of which is one of ours."""
    if type(value) not in CALLABLE:
        raise refused(f"a call of a value of type {called(value)}")
    return partial(call, value)


def callee(value: Any) -> Any:
    """A value that may be called, as it is."""
    if type(value) not in CALLABLE:
        raise refused(f"a call of a value of type {called(value)}")
    current().step(1 if type(value) is Function or type(value) is Builtin else FOREIGN)
    return value


def fail(name: str, said: Any = "", /) -> None:
    """`raise name(said)`; of what is no text only the type is told."""
    current().step()
    raise _ERRORS[name](said[:_TEXT] if type(said) is str else f"a {called(said)}")
