"""Functions that are called for one item of an array after the other. See `composites`.

The loop is run here, and so is bounded by the steps of the call, whatever computes the items.
"""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from typing import Any

from secure_serial.sandbox import meter
from secure_serial.sandbox.facades import kinds, measure
from secure_serial.sandbox.facades.charges import compiled
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.values import FOREIGN


def _items(xp: Any, elems: Any, initializer: Any, *, backwards: bool) -> tuple[Any, list[Any]]:
    """Where to begin, and the items that follow."""
    shape = xp.shape(elems)
    if not shape or type(shape[0]) is not int or shape[0] < (initializer is None):
        raise refused("a loop over items whose number is not known, or none")
    account = meter.current()
    account.container(shape[0])
    account.step(shape[0] * FOREIGN)
    compiled.charge("items", [elems], kernels=compiled.iterated(elems))
    order = range(shape[0] - 1, -1, -1) if backwards else range(shape[0])
    items = [elems[index] for index in order]
    return (items[0], items[1:]) if initializer is None else (initializer, items)


def fold_items(xp: Any, f: Any, elems: Any, initializer: Any, backwards: Any) -> Any:
    made, items = _items(xp, elems, initializer, backwards=backwards)
    for each in items:
        made = kinds.tensor(f(made, each))
    return made


def scan_of(xp: Any, f: Any, elems: Any, initializer: Any, backwards: Any) -> Any:
    """All that a fold makes on its way; backwards, in the order of the items."""
    made, items = _items(xp, elems, initializer, backwards=backwards)
    several = [made] if initializer is None else []
    for each in items:
        made = kinds.tensor(f(made, each))
        several.append(made)
    # All become of the widest type.
    measure.take(sum(map(measure.count, several)), measure.widest(several))
    compiled.charge("stack", [several], kernels=1 + len(several) // compiled.OPERANDS)
    return xp.stack(several[::-1] if backwards else several, 0)


LOOPS = {each.__name__: each for each in (fold_items, scan_of)}
