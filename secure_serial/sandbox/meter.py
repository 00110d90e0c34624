"""Counts what one call of a restricted function uses up. Pure: it belongs to that call alone."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from secure_serial.errors import SandboxError

if TYPE_CHECKING:
    from secure_serial.sandbox.allowance import Allowance

#: A budget was used up.
EXCEEDED = "SS502"


class Meter:
    """The account of one call. Each method raises `SandboxError` before the work it stands for."""

    __slots__ = ("allowance", "array_bytes", "depth", "elements", "steps")

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self.steps = 0
        self.depth = 0
        self.elements = 0
        self.array_bytes = 0

    def step(self, count: int = 1) -> None:
        """Operations about to be done."""
        self.steps += count
        if self.steps > self.allowance.steps:
            raise exceeded("steps", self.steps, self.allowance.steps)

    def array(self, elements: int, item_bytes: int = 4) -> None:
        """An array about to be made."""
        self.elements += elements
        self.array_bytes += elements * item_bytes
        if self.elements > self.allowance.elements:
            raise exceeded("elements of arrays", self.elements, self.allowance.elements)
        if self.array_bytes > self.allowance.array_bytes:
            raise exceeded("bytes of arrays", self.array_bytes, self.allowance.array_bytes)

    def container(self, items: int) -> None:
        """A tuple, list, set or dict about to be made; its items count as steps, too."""
        if items > self.allowance.items:
            raise exceeded("items", items, self.allowance.items)
        self.step(items)

    def text(self, characters: int) -> None:
        """A text about to be made; some hundred characters take as long as a step."""
        if characters > self.allowance.characters:
            raise exceeded("characters", characters, self.allowance.characters)
        self.step(1 + characters // 128)

    def integer(self, bits: int) -> None:
        """A whole number about to be computed."""
        if bits > self.allowance.integer_bits:
            raise exceeded("bits of a whole number", bits, self.allowance.integer_bits)


def exceeded(what: str, wanted: int, allowed: int) -> SandboxError:
    """The error for a budget that is used up."""
    return SandboxError(
        f"the restricted function needs more than the {allowed:,} {what} that one call may use "
        f"({wanted:,} wanted)",
        code=EXCEEDED,
        help="raise the bound in the policy's [sandbox] table if the function is meant to do so",
    )


#: The call that is under way in this context; None outside of one.
_meter: ContextVar[Meter | None] = ContextVar("secure_serial_meter", default=None)


def current() -> Meter:
    """The account of the call that is under way.

    Raises:
        SandboxError: there is none: something of a call outlived it.

    """
    meter = _meter.get()
    if meter is None:
        raise SandboxError("a part of a restricted function was used outside of its call")
    return meter
