"""How much Fourier transforms and frames of signals make, and what they cost."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades import measure
from secure_serial.sandbox.facades.charges.sizes import not_negative
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.measure import dims, item_bytes, take

if TYPE_CHECKING:
    from secure_serial.sandbox.facades.canonical import Row
    from secure_serial.sandbox.facades.charges.sizes import Rule

#: What an item takes for each binary digit of the length; a prime length takes several transforms.
_TURN = 150
#: Bytes of a complex number of 64 bits, and how many arrays there are on the way.
_COMPLEX, _TIMES = 16, 6
_PICKED = 100


def _transform(samples: int, length: int) -> None:
    take(samples * length, _COMPLEX, _TIMES)
    measure.labour(samples, length * length.bit_length() * _TURN)


def fourier(row: Row) -> Rule:
    """The items of the last axis, or the last two, or as many as are asked for."""
    both = "2" in row.name
    at = next((i for i, p in enumerate(row.parameters) if p.name == "fft_length"), None)

    def rule(values: list[Any]) -> None:
        parts = values[0] if type(values[0]) is list else [values[0]]
        shape = measure.joined([dims(each) for each in parts])
        if len(shape) < 1 + both:
            raise refused("a Fourier transform of an array of too few dimensions")
        wanted = values[at] if at is not None else None
        if type(wanted) is tuple:
            wanted = max(wanted, default=0)
        if wanted is not None:
            not_negative(wanted)
        length = max(wanted or 1, 2 * shape[-1])  # of an inverse real one, twice as many
        for axis in (-1, -2)[: 1 + both]:
            each = length if axis == -1 else shape[axis]
            _transform(prod(shape) // shape[axis], max(each, 2))

    return rule


def frames(row: Row) -> Rule:
    """A frame at each step; and the transform of each."""
    places = {parameter.name: i for i, parameter in enumerate(row.parameters)}

    def rule(values: list[Any]) -> None:
        shape = dims(values[0])
        length, step = values[places["frame_length"]], values[places["frame_step"]]
        if not shape or min(length, step) < 1:
            raise refused("frames without a length, or of something else than a signal")
        many = -(-shape[-1] // step)
        samples = prod(shape[:-1]) * many
        take(prod(shape[:-1]) * (shape[-1] + length + step), item_bytes(values[0]))
        take(samples * length, max(8, item_bytes(values[0])), 3)
        measure.labour(samples * length, measure.visit(values[0]) + _PICKED)
        if row.name == "stft_of":
            wanted = values[places["fft_length"]] or 2 * length
            not_negative(wanted)
            _transform(samples, max(wanted, 2 * length))

    return rule
