"""Fourier transforms in NumPy. Complex numbers are pairs, as in `keras.ops`."""

# ruff: noqa: D103 - they are what `keras.ops` documents under the same names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.facades.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable


def table() -> dict[str, Callable[..., Any]]:
    """The functions by the names of `canonical.json`."""
    return {"fft": fft, "fft2": fft2, "ifft2": ifft2, "rfft": rfft, "irfft": irfft}


def _together(parts: Any) -> Any:
    if len(parts) != 2:  # noqa: PLR2004 - a real and an imaginary one
        raise refused(f"{len(parts)} parts of complex numbers")
    real, imag = map(np.asarray, parts)
    kind = np.result_type(real, imag)
    if kind.kind != "f" or kind.itemsize < 4 or real.shape != imag.shape:  # noqa: PLR2004
        raise refused("parts of complex numbers that are no floats of one shape")
    made = np.empty(real.shape, np.result_type(kind, np.complex64))
    made.real, made.imag = real, imag
    return made


def _apart(made: Any, like: Any) -> Any:
    kind = np.float64 if like.dtype.itemsize > 8 else np.float32  # noqa: PLR2004 - two floats
    return made.real.astype(kind), made.imag.astype(kind)


def fft(x: Any) -> Any:
    given = _together(x)
    return _apart(np.fft.fft(given), given)


def fft2(x: Any) -> Any:
    given = _together(x)
    return _apart(np.fft.fft2(given), given)


def ifft2(x: Any) -> Any:
    given = _together(x)
    return _apart(np.fft.ifft2(given), given)


def rfft(x: Any, fft_length: Any) -> Any:
    x = np.asarray(x)
    if x.dtype.name not in ("float32", "float64"):
        raise refused("a Fourier transform of something else than floats")
    like = np.empty(0, np.result_type(x, np.complex64))
    return _apart(np.fft.rfft(x, fft_length), like)


def irfft(x: Any, fft_length: Any) -> Any:
    given = _together(x)
    made = np.fft.irfft(given, fft_length)
    return made.astype(np.float64 if given.dtype.itemsize > 8 else np.float32)  # noqa: PLR2004
