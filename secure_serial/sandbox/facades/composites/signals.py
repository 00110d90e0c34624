"""Fourier transforms and frames of signals, as TensorFlow has them. See `composites`."""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.facades.composites.functions import complex_of
from secure_serial.sandbox.facades.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable


def _transformed(xp: Any, how: Callable[[Any], Any], x: Any) -> Any:
    if not xp.dtype(x).startswith("complex"):
        raise refused("a Fourier transform of something else than complex numbers")
    return complex_of(xp, *how([xp.real(x), xp.imag(x)]))


def fft_of(xp: Any, x: Any) -> Any:
    return _transformed(xp, xp.fft, x)


def fft2_of(xp: Any, x: Any) -> Any:
    return _transformed(xp, xp.fft2, x)


def ifft2_of(xp: Any, x: Any) -> Any:
    return _transformed(xp, xp.ifft2, x)


def ifft_of(xp: Any, x: Any) -> Any:
    """As the transform of what is mirrored at the real line."""
    many = xp.shape(x)[-1]
    if type(many) is not int:
        raise refused("a Fourier transform of a length that is not known")
    return xp.conj(fft_of(xp, xp.conj(x))) / many


def _length(fft_length: Any) -> Any:
    if type(fft_length) is tuple:
        if len(fft_length) != 1:
            raise refused("a length of a Fourier transform that is not one number")
        return fft_length[0]
    return fft_length


def rfft_of(xp: Any, x: Any, fft_length: Any) -> Any:
    return complex_of(xp, *xp.rfft(x, _length(fft_length)))


def irfft_of(xp: Any, x: Any, fft_length: Any) -> Any:
    if not xp.dtype(x).startswith("complex"):
        raise refused("a Fourier transform of something else than complex numbers")
    return xp.irfft([xp.real(x), xp.imag(x)], _length(fft_length))


def frames(
    xp: Any, x: Any, frame_length: Any, frame_step: Any, pad_end: Any, pad_value: Any
) -> Any:
    """Windows of a signal, one after the other."""
    many = xp.shape(x)[-1]
    if type(many) is not int or min(frame_length, frame_step) < 1:
        raise refused("frames of a signal whose length is not known, or without a length")
    count = -(-many // frame_step) if pad_end else max(1 + (many - frame_length) // frame_step, 0)
    missing = (count - 1) * frame_step + frame_length - many
    if pad_end and missing > 0:
        around = ((0, 0),) * (len(xp.shape(x)) - 1)
        x = xp.pad(x, (*around, (0, missing)), "constant", pad_value)
    places = np.arange(count)[:, None] * frame_step + np.arange(frame_length)
    return xp.take(x, places.astype("int32"), -1)


def stft_of(
    xp: Any, x: Any, frame_length: Any, frame_step: Any, fft_length: Any, pad_end: Any
) -> Any:
    """With a periodic Hann window, and a length that is a power of two if none is given."""
    turns = np.arange(frame_length) * (2 * np.pi / max(frame_length, 1))
    seen = frames(xp, x, frame_length, frame_step, pad_end, 0)
    window = (0.5 - 0.5 * np.cos(turns)).astype(xp.dtype(seen))
    wanted = 1 << max(frame_length - 1, 0).bit_length() if fft_length is None else fft_length
    return rfft_of(xp, seen * window, wanted)


SIGNALS = {
    each.__name__: each
    for each in (fft_of, fft2_of, ifft2_of, ifft_of, rfft_of, irfft_of, frames, stft_of)
}
