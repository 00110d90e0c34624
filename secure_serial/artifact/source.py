"""Bounded random access to bytes: a whole file, or the window that one archive member is."""

from __future__ import annotations

import os
from typing import BinaryIO

from secure_serial.errors import MalformedArtifact


class ByteSource:
    """A window of a seekable binary file; reading outside it is a malformed file.

    Nothing is read ahead and nothing is kept, so that weights cost no memory.

    >>> import io
    >>> source = ByteSource(io.BytesIO(b"headerDATA"), start=6)
    >>> source.size, source.read_at(0, 2)
    (4, b'DA')
    """

    __slots__ = ("_file", "_start", "size")

    def __init__(self, file: BinaryIO, *, start: int = 0, size: int | None = None) -> None:
        self._file = file
        self._start = start
        end = file.seek(0, os.SEEK_END)
        self.size = max(0, end - start) if size is None else size

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset` (both in bytes, relative to the window).

        Raises:
            MalformedArtifact: any of those bytes lies outside the window or the file.

        """
        if offset < 0 or length < 0 or offset + length > self.size:
            raise MalformedArtifact(
                f"{length} bytes at offset {offset} lie outside the {self.size} bytes there are"
            )
        self._file.seek(self._start + offset)
        data = self._file.read(length)
        if len(data) != length:
            raise MalformedArtifact(f"the file ends inside the {length} bytes at offset {offset}")
        return data
