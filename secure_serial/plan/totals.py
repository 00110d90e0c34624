"""What a plan as a whole may take. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.plan.request import Objection

if TYPE_CHECKING:
    from secure_serial.limits import Limits


def exceeded(layers: int, requests: int, size: int, limits: Limits) -> list[Objection]:
    """What a plan as a whole takes more of than the limits let it."""
    found = []
    if layers > limits.layers:
        text = f"more than the {limits.layers} layers and calls of layers that are allowed"
        found.append(Objection("SS331", text, ""))
    if requests > limits.requests:
        text = f"more than the {limits.requests} requests that are allowed"
        found.append(Objection("SS332", text, ""))
    if size > limits.allocation_bytes:
        text = f"building it takes some {size:,} bytes, more than {limits.allocation_bytes:,}"
        found.append(Objection("SS330", text, ""))
    return found
