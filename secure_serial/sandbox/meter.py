"""Counts what one call of a restricted function uses up. Pure: it belongs to that call alone."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from secure_serial.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.sandbox.allowance import Allowance

#: A budget was used up.
EXCEEDED = "SS502"


class Meter:
    """The account of one call. Each method raises `SandboxError` before the work it stands for.

    It holds what is left, which takes fewer look-ups than what was used.
    """

    __slots__ = (
        "_array_bytes",
        "_depth",
        "_elements",
        "_steps",
        "allowance",
        "compiled",
        "compiling",
        "forms",
    )

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self._steps = allowance.steps
        self._depth = allowance.depth
        self._elements = allowance.elements
        self._array_bytes = allowance.array_bytes
        #: What the call has paid for that a backend compiles: see `facades.charges.compiled`.
        self.forms: set[object] = set()
        #: The steps of that, and whether what is followed now is compiled in this call.
        self.compiled = 0
        self.compiling = False

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return self.allowance.steps - self._steps

    @property
    def elements(self) -> int:
        """How many elements of arrays were made."""
        return self.allowance.elements - self._elements

    @property
    def array_bytes(self) -> int:
        """How many bytes of arrays were made."""
        return self.allowance.array_bytes - self._array_bytes

    def lasts(self, times: int) -> bool:
        """Whether what was used so far can be used so many times in all."""
        allowed = self.allowance
        return (
            self.steps * times <= allowed.steps
            and self.elements * times <= allowed.elements
            and self.array_bytes * times <= allowed.array_bytes
        )

    @contextmanager
    def within(self, allowance: Allowance) -> Iterator[None]:
        """A part of the call that has bounds of its own, and no more than is left of these."""
        part = Meter(allowance)
        part._steps = min(part._steps, self._steps)
        part._depth = min(part._depth, self._depth)
        part._elements = min(part._elements, self._elements)
        part._array_bytes = min(part._array_bytes, self._array_bytes)
        part.forms, part.compiling = self.forms, self.compiling
        before = part._steps, part._elements, part._array_bytes
        opened = _meter.set(part)
        try:
            yield
        finally:
            _meter.reset(opened)
            self.compiled += part.compiled
            self._steps -= before[0] - part._steps
            self._elements -= before[1] - part._elements
            self._array_bytes -= before[2] - part._array_bytes

    def step(self, count: int = 1) -> None:
        """Operations about to be done."""
        self._steps -= count
        if self._steps < 0:
            raise exceeded("steps", self.steps, self.allowance.steps)

    def compile(self, count: int) -> None:
        """As `step`, for what is compiled, which is done once however often it runs."""
        self.compiled += count
        self._steps -= count
        if self._steps < 0:
            raise exceeded("steps", self.steps, self.allowance.steps, _COMPILED)

    def array(self, elements: int, item_bytes: int = 4) -> None:
        """An array about to be made."""
        self._elements -= elements
        self._array_bytes -= elements * item_bytes
        if self._elements < 0 or self._array_bytes < 0:
            raise self._too_much()

    def like(self, elements: int, size: int) -> None:
        """One operation that makes an array of so many elements and bytes: `step` and `array`."""
        self._steps -= 1
        self._elements -= elements
        self._array_bytes -= size
        if self._elements < 0 or self._array_bytes < 0 or self._steps < 0:
            self.step(0)
            raise self._too_much()

    def _too_much(self) -> SandboxError:
        if self._elements < 0:
            return exceeded("elements of arrays", self.elements, self.allowance.elements)
        return exceeded("bytes of arrays", self.array_bytes, self.allowance.array_bytes)

    def enter(self) -> None:
        """A call inside another; `leave` ends it."""
        if self._depth <= 0:
            allowed = self.allowance.depth
            raise exceeded("calls inside each other", allowed + 1, allowed)
        self._depth -= 1

    def leave(self) -> None:
        """The call that `enter` began has ended."""
        self._depth += 1

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


_COMPILED = "; the backend compiles each new form of an operation, which counts as many"


def exceeded(what: str, wanted: int, allowed: int, why: str = "") -> SandboxError:
    """The error for a budget that is used up."""
    return SandboxError(
        f"the restricted function needs more than the {allowed:,} {what} that one call may use "
        f"({wanted:,} wanted{why})",
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
