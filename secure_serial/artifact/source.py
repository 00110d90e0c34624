"""Bounded random access to bytes: a whole file, or the window that one archive member is."""

from __future__ import annotations

import io
import os
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

from secure_serial.artifact.faults import Fault
from secure_serial.errors import MalformedArtifact
from secure_serial.limits import KIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed import WriteableBuffer

    from secure_serial.artifact.document import Stretch

#: Pieces that a checksum is taken of: they stay in a core's cache, which a whole file does not.
_PIECE = 256 * KIB


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


def verified(chunks: Iterable[bytes], size: int, crc: int) -> Iterator[bytes]:
    """The chunks of a content, up to its size.

    Raises:
        MalformedArtifact: (at the end) they have not this size and this CRC-32.

    >>> list(verified([b"DA", b"TA"], 4, zlib.crc32(b"DATA")))
    [b'DA', b'TA']

    """
    found = read = 0
    for chunk in chunks:
        read += len(chunk)
        if read > size:
            break
        found = zlib.crc32(chunk, found)
        yield chunk
    if read != size or found != crc:
        raise MalformedArtifact(
            "the content does not match its checksum and size", code=Fault.CHECKSUM
        )


class Window(io.RawIOBase):
    """A stretch of a file as a file of its own, to be read. Closing it leaves the other open.

    >>> from secure_serial.artifact.document import Stretch
    >>> window = Window(io.BytesIO(b"headerDATAtail"), Stretch(6, 4, zlib.crc32(b"DATA")))
    >>> window.check()
    >>> window.seek(1), window.read(), window.read()
    (1, b'ATA', b'')
    """

    def __init__(self, file: BinaryIO, stretch: Stretch) -> None:
        self._file = cast("io.BufferedIOBase", file)
        self._stretch = stretch
        self._at = 0

    def check(self) -> None:
        """See that the bytes are those that their checksum was taken of.

        Raises:
            MalformedArtifact: they are not.

        """
        self.seek(0)
        chunks = iter(lambda: self.read(_PIECE), b"")
        for _ in verified(chunks, self._stretch.size, self._stretch.crc):
            pass
        self.seek(0)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another place, which may lie behind the end."""
        self._at = max(0, offset + (0, self._at, self._stretch.size)[whence])
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill a buffer with what there is, and tell how much that was."""
        into = memoryview(buffer).cast("B")
        count = min(len(into), max(0, self._stretch.size - self._at))
        self._file.seek(self._stretch.start + self._at)
        count = self._file.readinto(into[:count])
        self._at += count
        return count
