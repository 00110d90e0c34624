"""What a file stores besides its config, in one line each."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from secure_serial.report.printable import printable

if TYPE_CHECKING:
    from secure_serial.artifact.document import Document

_KIB = 1024
_ASSETS_SHOWN = 5


def size(count: int) -> str:
    """A number of bytes for people.

    >>> size(512), size(1536), size(3 * 1024**3)
    ('512 B', '1.5 KiB', '3.0 GiB')
    """
    number = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if number < _KIB:
            return f"{count} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= _KIB
    return f"{number:.1f} PiB"


def stored_bytes(document: Document) -> int:
    """The declared bytes of all stored weights."""
    return sum(prod(array.shape) * array.itemsize for array in document.weights)


def weights_line(document: Document) -> str:
    """How many arrays of weights there are, and their declared size."""
    if not document.weights:
        return ""
    values = sum(prod(array.shape) for array in document.weights)
    return (
        f"weights: {len(document.weights)} arrays, {values:,} values, "
        f"{size(stored_bytes(document))}"
    )


def assets_line(document: Document) -> str:
    """Which assets there are."""
    if not document.assets:
        return ""
    shown = ", ".join(printable(name, 80) for name in document.assets[:_ASSETS_SHOWN])
    more = len(document.assets) - _ASSETS_SHOWN
    return f"assets: {shown}" + (f" and {more} more" if more > 0 else "")
