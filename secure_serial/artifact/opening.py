"""The way in: a path, bytes or a plain value to a Document, opened once.

What is judged and what is loaded later come from one handle: `open_artifact` keeps it open,
and nothing is ever opened again by its path.
"""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from secure_serial.artifact.detect import read_document
from secure_serial.artifact.dict_value import read_value
from secure_serial.artifact.faults import located
from secure_serial.artifact.files import is_folder, local_path, open_regular
from secure_serial.errors import MalformedArtifact
from secure_serial.limits import MIB, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from secure_serial.artifact.document import Document

_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Opened:
    """An artifact that was read and is still open.

    `file` is the file itself (None for a folder); `weights` is the file of weights of a
    folder, as it was judged (None if there is none, or for anything but a folder).
    """

    document: Document
    file: BinaryIO | None
    size: int
    weights: BinaryIO | None = None

    def sha256(self) -> str | None:
        """The digest of the whole open file, read in chunks; None for a folder."""
        if self.file is None:
            return None
        with located(self.document.name):
            self.file.seek(0)
            digest = _sha256(self.file)
            if self.file.tell() != self.size:
                raise MalformedArtifact("the file changed while it was read")
        return digest


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(MIB):
        digest.update(chunk)
    return digest.hexdigest()


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
    path: str | os.PathLike[str], limits: Limits = _DEFAULT, *, name: str | None = None
) -> Iterator[Opened]:
    """Open and read a file or a folder, and keep it open for the block.

    Raises:
        ArtifactError: whatever is wrong with it.

    """
    with ExitStack() as stack:
        yield _open(path, limits, name, stack)


def opened_stream(file: BinaryIO, name: str, limits: Limits = _DEFAULT) -> Opened:
    """An artifact in a file that somebody else has open, such as bytes in memory.

    Raises:
        ArtifactError: whatever is wrong with it.

    """
    with located(name):
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        return Opened(read_document(file, size, name, limits), file, size)


def _open(
    path: str | os.PathLike[str], limits: Limits, name: str | None, stack: ExitStack
) -> Opened:
    shown = name if name is not None else str(path)
    with located(shown):
        local = local_path(path)
        if is_folder(local):
            from secure_serial.artifact.directory import read_directory  # rare

            document, weights = read_directory(local, shown, limits, stack)
            return Opened(document, None, document.size, weights)
        file, info = open_regular(local)
        stack.enter_context(file)
        document = read_document(file, info.st_size, shown, limits)
        return Opened(document, file, info.st_size)
