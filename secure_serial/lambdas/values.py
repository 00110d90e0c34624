"""What stands on the stack while bytecode is followed without running it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from secure_serial.lambdas.code import FrozenSet, Slice

if TYPE_CHECKING:
    from secure_serial.lambdas.code import Code


@dataclass(frozen=True, slots=True)
class Null:
    """The mark that a call takes no `self`."""


NULL = Null()


@dataclass(frozen=True, slots=True)
class Block:
    """How high the stack was when a loop began, which before 3.8 its end brings back."""


BLOCK = Block()


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A constant. Compare with `key_of`: 1, 1.0 and True are equal to Python."""

    value: object


@dataclass(frozen=True, slots=True)
class Cell:
    """The cell of a variable that a nested function shares."""

    name: str


@dataclass(frozen=True, slots=True)
class Saved:
    """A local that an inlined comprehension hides, until it is put back."""

    name: str
    value: object = None


@dataclass(frozen=True, slots=True)
class Iter:
    """`iter(of)`; 3.15 keeps two values on the stack for it."""

    of: object


@dataclass(frozen=True, slots=True)
class Not:
    """`not of`, of which a jump needs only the other leg."""

    of: object


@dataclass(frozen=True, slots=True, eq=False)
class Build:
    """A display under construction: its parts are ("item", v), ("star", v) or ("pair", k, v)."""

    kind: str
    parts: tuple[tuple[object, ...], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function just made."""

    code: Code
    defaults: tuple[object, ...] = ()
    kwdefaults: tuple[tuple[str, object], ...] = ()
    closure: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Module:
    """What an import has found, and which of its `names` were bound so far, to what."""

    name: str
    names: tuple[str, ...]
    taken: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """What an import has found in a module, step by step."""

    module: Module
    path: tuple[str, ...]


def key_of(value: object) -> object:
    """What tells one constant from another, its type and the sign of a zero included.

    >>> key_of(0.0) == key_of(-0.0), key_of((1,)) == key_of((True,))
    (False, False)
    """
    if isinstance(value, tuple):
        return ("tuple", tuple(key_of(item) for item in value))
    if isinstance(value, FrozenSet):
        return ("set", frozenset(key_of(item) for item in value.items))
    if isinstance(value, Slice):
        return ("slice", key_of(value.start), key_of(value.stop), key_of(value.step))
    if isinstance(value, (int, float, complex, str, bytes)) or value is None or value is ...:
        return (type(value).__name__, repr(value))
    return ("other", id(value))
