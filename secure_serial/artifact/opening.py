"""The way in: a path, bytes or a plain value to a Document, opened once.

What is judged and what is loaded later come from one handle: `open_artifact` keeps it open,
and nothing is ever opened again by its path. What is to be loaded is held besides (`held`).
"""

from __future__ import annotations

import io
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from secure_serial.artifact.detect import read_document
from secure_serial.artifact.dict_value import read_value
from secure_serial.artifact.faults import located
from secure_serial.artifact.files import is_folder, local_path, open_regular
from secure_serial.artifact.held import Held, sha256_of
from secure_serial.errors import MalformedArtifact
from secure_serial.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from secure_serial.artifact.document import Document

_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Opened:
    """An artifact that was read and is still open.

    `file` is the file itself (None for a folder); `weights` is the file of weights of a
    folder, as it was judged (None if there is none, or for anything but a folder). `held` is
    what `check` looks at, where the artifact was opened to be loaded.
    """

    document: Document
    file: BinaryIO | None
    size: int
    weights: BinaryIO | None = None
    held: Held | None = None

    def sha256(self) -> str | None:
        """The digest of the whole open file, read in chunks; None for a folder."""
        if self.file is None:
            return None
        if self.held is not None:
            return self.held.sha256()
        with located(self.document.name):
            digest = sha256_of(self.file)
            if self.file.tell() != self.size:
                raise MalformedArtifact("the file changed while it was read")
        return digest

    def check(self) -> None:
        """See that the file still is what was judged, if it was opened to be loaded.

        Raises:
            UnsafeArtifact: it is not.

        """
        if self.held is not None:
            self.held.check()


def read_artifact(
    source: str | os.PathLike[str] | bytes | Mapping[str, object] | list[object],
    limits: Limits = _DEFAULT,
    *,
    name: str | None = None,
) -> Document:
    """Read a model's config strictly: a path, the bytes of a file, or a plain value.

    A `str` is a path, never a config; encode a JSON text to give it.

    >>> document = read_artifact(b'{"class_name": "Dense", "config": {"units": 3}}')
    >>> document.format, document.parts[0].root["config"]
    (<Format.JSON: 'json'>, {'units': 3})

    Raises:
        ArtifactError: whatever is wrong with it; where, and what to do, stands in the error.

    """
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        return read_document(io.BytesIO(data), len(data), name or "", limits)
    if isinstance(source, str | os.PathLike):
        with open_artifact(source, limits, name=name) as opened:
            return opened.document
    return read_value(source, limits, name=name or "")


@contextmanager
def open_artifact(
    path: str | os.PathLike[str],
    limits: Limits = _DEFAULT,
    *,
    name: str | None = None,
    hold: bool = False,
) -> Iterator[Opened]:
    """Open and read a file or a folder, and keep it open for the block.

    Args:
        path: What to open.
        limits: The bounds of reading.
        name: What to call it in errors; the path if not given.
        hold: Whether it is to be loaded, and so must not change between judging and loading.

    Raises:
        ArtifactError: whatever is wrong with it.

    """
    with ExitStack() as stack:
        yield _open(path, limits, name, stack, hold=hold)


def opened_stream(file: BinaryIO, name: str, limits: Limits = _DEFAULT) -> Opened:
    """An artifact in a file that somebody else has open, such as bytes in memory, to be loaded.

    Raises:
        ArtifactError: whatever is wrong with it.

    """
    with located(name):
        held = Held(file, file.seek(0, os.SEEK_END), name)
        document = read_document(held.file, held.size, name, limits)
        return Opened(document, held.file, held.size, held=held)


def _open(
    path: str | os.PathLike[str],
    limits: Limits,
    name: str | None,
    stack: ExitStack,
    *,
    hold: bool,
) -> Opened:
    shown = name if name is not None else str(path)
    with located(shown):
        local = local_path(path)
        if is_folder(local):
            from secure_serial.artifact.directory import read_directory  # rare

            document, weights, kept = read_directory(local, shown, limits, stack, hold=hold)
            return Opened(document, None, document.size, weights, kept)
        file, info = open_regular(local)
        stack.enter_context(file)
        if not hold:
            document = read_document(file, info.st_size, shown, limits)
            return Opened(document, file, info.st_size)
        held = Held(file, info.st_size, shown)
        document = read_document(held.file, held.size, shown, limits)
        return Opened(document, held.file, held.size, held=held)
