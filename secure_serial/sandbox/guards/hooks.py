"""Every hook under the name by which `transform` calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.guards import (
    attributes,
    builtins,
    calls,
    items,
    iteration,
    operators,
    temporary,
    text,
)
from secure_serial.sandbox.names import HOOK
from secure_serial.sandbox.values import Function

if TYPE_CHECKING:
    from collections.abc import Callable

_HOOKS: dict[str, Callable[..., Any]] = operators.HOOKS | temporary.HOOKS | {
    "attribute": attributes.attribute, "method": attributes.method, "module": attributes.module,
    "call": calls.call, "fail": calls.fail, "function": Function, "item": items.item,
    "put": items.put, "slice": items.made_slice,
    "iterate": iteration.iterate, "iterate_unpacked": iteration.iterate_unpacked,
    "unpack": iteration.unpack, "star": iteration.star, "mapping": iteration.mapping,
    "generator": iteration.generator, "set": builtins.made_set, "dict": builtins.made_dict,
    "format": text.formatted, "joined": text.joined,
}  # fmt: skip


def table() -> dict[str, Callable[..., Any]]:
    """A dictionary of its own, to be the globals of one function."""
    return {HOOK + name: hook for name, hook in _HOOKS.items()}
