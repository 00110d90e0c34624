"""Files that commands write: whole or not at all, and over nothing that is there unasked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.cli.trouble import UsageError

if TYPE_CHECKING:
    from secure_serial.authoring.writing import Content


def create(path: str, data: Content) -> None:
    """Write a new file.

    Raises:
        UsageError: there is something of that name, or it cannot be written.

    """
    from secure_serial.authoring import writing

    try:
        writing.create(Path(path), data)
    except FileExistsError:
        raise UsageError(f"{path}: is there already, and is not overwritten") from None
    except ValueError as error:  # such as no path can be
        raise UsageError(f"{path!a:.200}: cannot be written: {error}") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from None


def replace(path: str, data: Content) -> None:
    """Write what a file holds anew.

    Raises:
        UsageError: it cannot be written.

    """
    from secure_serial.authoring import writing

    try:
        writing.replace(Path(path), data)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from None


def write_json(path: str, text: str) -> None:
    """Write what is made again now and then: over an older one, over no file of another kind.

    Raises:
        UsageError: the file there is no JSON, or it cannot be written.

    """
    out = Path(path)
    try:
        there = out.exists()
        if there and not out.read_bytes()[:1] == b"{":
            raise UsageError(f"{path}: is there already, and no JSON; it is not overwritten")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    (replace if there else create)(path, text.encode())
