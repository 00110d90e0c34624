"""How much memory building a layer takes, estimated before anything is built. Pure.

The estimate serves the scanner, which cannot build; the loader also counts each variable
as Keras makes it. Where an input's shape is stored (`build_config`) it is used; elsewhere
the width of the layer before stands in for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.artifact.document import LISTS
from secure_serial.plan.fields import Field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from secure_serial.artifact.document import Json
    from secure_serial.limits import Limits
    from secure_serial.plan.catalogue import Entry

#: Variables are float32 unless a policy says otherwise; halves would only be smaller.
ITEM_BYTES = 4
#: More than any machine's memory: from here on, multiplying tells nothing new.
_ENOUGH = 1 << 63
#: Where a list's numbers multiply to something that may be allocated.
_SIZES = frozenset({Field.GRAPH_CALL, Field.SIZE, Field.SHAPE})
_SIZE = Field.SIZE  # asked of each argument of each layer
#: LSTM has four gates.
_GATES = 4


def estimate(entry: Entry, config: Mapping[str, Json], build_config: Json, before: int) -> int:
    """Bytes of the variables of one layer, roughly and rather too many.

    Args:
        entry: What the catalogue knows of its class.
        config: Its arguments.
        build_config: Its `build_config`, or None.
        before: The width of the layer before it, 1 if unknown.

    """
    sizes, fields = 1, entry.fields
    for name, value in config.items():
        spec = fields.get(name)
        if spec is not None and spec.field is _SIZE:
            sizes *= extent(value)
    if sizes == 1:
        return 0
    # Hostile sizes have 400 digits each; above any memory, their product tells nothing new.
    sizes = min(sizes, _ENOUGH)
    width = min(_input_width(build_config) or before, _ENOUGH)
    if "recurrent_initializer" in entry.fields:
        return sizes * (sizes + width) * _GATES * ITEM_BYTES
    if "embeddings_initializer" in entry.fields:
        return sizes * ITEM_BYTES
    if "kernel_initializer" in entry.fields or "init" in config:
        return sizes * width * ITEM_BYTES
    return sizes * ITEM_BYTES


def width_after(entry: Entry, config: Mapping[str, Json], before: int) -> int:
    """The width that a layer hands to the next one, as far as its arguments tell."""
    for name in ("units", "filters", "output_dim", "nb_filter"):
        value = config.get(name)
        if name in entry.fields and isinstance(value, int):
            return max(1, value)
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    if isinstance(shape, LISTS) and shape and isinstance(shape[-1], int):
        return max(1, shape[-1])
    return before


def extent(value: Json) -> int:
    """The product of the positive integers in a size: 3 -> 3, [3, 4] -> 12, "same" -> 1."""
    product = 1
    stack = [value]
    while stack and product < _ENOUGH:  # hostile lists of large numbers make larger ones
        item = stack.pop()
        if isinstance(item, LISTS):
            stack.extend(item)
        elif isinstance(item, int) and item > 1:
            product *= item
    return product


def too_large(items: Sequence[Json], field: Field, limits: Limits) -> int:
    """The elements that a list of sizes in a field comes to, if they are too many; else 0."""
    if field not in _SIZES:
        return 0
    sizes = [item for item in items if isinstance(item, int)]
    size = extent(sizes) if sizes else 0
    return size if size * ITEM_BYTES > limits.allocation_bytes else 0


def _input_width(build_config: Json) -> int:
    if not isinstance(build_config, dict):
        return 0
    shape = build_config.get("input_shape")
    if isinstance(shape, LISTS) and shape and isinstance(shape[-1], int):
        return max(1, shape[-1])
    return 0
