"""The names of each facade, from the data files in `names`, and nowhere else. Pure.

A member is a text that says which operation it is, as in

    mean(x:input_tensor axis:axis|reduction_indices keepdims=false -name)

In brackets stand its parameters in their order: the operation's name for it, after a colon the
name that it has here and others that mean the same, after `=` a default of its own; after `==`
one that None stands for, too. `!x=1` is fixed and cannot be given, `-name` is taken and has no
bearing, `^name=x` is taken where it is what stands there, `*x` takes what is left, and `~` before
one says that it goes by its name alone. Without brackets they are the operation's. Or it is an
object: a `value`, a `dtype`, a `facade`, a function of `math`, a `setting` of Keras, `limits` of
NumPy's types. The member `*` names a facade all of whose other members are here, too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from secure_serial.sandbox.facades.canonical import MISSING, literal, row

_FOLDER = Path(__file__).parent / "names"


@dataclass(frozen=True, slots=True)
class Taken:
    """A parameter of a member: what it is called here, and where it goes in the operation."""

    names: tuple[str, ...]
    goes_to: str | None
    default: Any
    rest: bool = False
    keyword: bool = False
    #: The one value that it may have, where it goes nowhere.
    only: Any = MISSING
    #: Whether None stands for the default, too.
    none: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """A function of a facade.

    >>> spec = parse("mean(x:input_tensor axis:axis|reduction_indices !keepdims=true -name)")
    >>> spec.op, [taken.names for taken in spec.takes], spec.fixed
    ('mean', [('input_tensor',), ('axis', 'reduction_indices'), ('name',)], {'keepdims': True})
    """

    op: str
    takes: tuple[Taken, ...]
    fixed: dict[str, Any]


def parse(text: str) -> Spec:
    """Read one member."""
    op, given, inner = text.removesuffix(")").partition("(")
    if not given:
        return Spec(op, tuple(Taken((p.name,), p.name, MISSING) for p in row(op).parameters), {})
    takes = []
    fixed = {}
    for word in inner.split():
        head, has_default, default = word.partition("=")
        none = default.startswith("=")
        value = literal(default.removeprefix("=")) if has_default else MISSING
        goes_to, _, names = head.lstrip("!-*~^").partition(":")
        if word.startswith("!"):
            fixed[goes_to] = value
        elif "^" in head[:2]:
            takes.append(Taken((goes_to,), None, None, keyword=head.startswith("~"), only=value))
        elif "-" in head[:2]:
            takes.append(Taken((goes_to,), None, None, keyword=head.startswith("~")))
        else:
            called = tuple((names or goes_to).split("|"))
            rest, keyword = head.startswith("*"), head.startswith("~")
            takes.append(Taken(called, goes_to, value, rest, keyword, none=none))
    return Spec(op, tuple(takes), fixed)


@cache
def facades() -> dict[str, dict[str, Any]]:
    """Every facade by its name, with its members as the files write them."""
    made: dict[str, dict[str, Any]] = {}
    for path in sorted(_FOLDER.glob("*.json")):
        made |= json.loads(path.read_text(encoding="utf-8"))
    for name, members in made.items():
        made[name] = _with_others(made, members)
    return made


def _with_others(facades: dict[str, dict[str, Any]], members: dict[str, Any]) -> dict[str, Any]:
    """The members of a facade, and those of the one that it says it has, too."""
    own = {name: entry for name, entry in members.items() if name != "*"}
    return {**facades[members["*"]], **own} if "*" in members else own


@cache
def index() -> dict[str, Any]:
    """Which names and modules are facades, and what is known of names that are in none."""
    found: dict[str, Any] = json.loads((_FOLDER.parent / "index.json").read_text(encoding="utf-8"))
    return found
