"""The content of a zip archive's members: bounded, and checked against their checksums.

Stored members are read in place, through a window; deflated ones are expanded up to their
declared size and no further.
"""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from secure_serial.artifact.document import Stretch
from secure_serial.artifact.faults import Fault
from secure_serial.artifact.source import ByteSource, verified
from secure_serial.artifact.zip_layout import DEFLATED, Member, read_members
from secure_serial.errors import LimitExceeded, MalformedArtifact
from secure_serial.limits import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.limits import Limits

_CHUNK = MIB
# Keras stores its members. Somebody may pack a small model again; what is expanded goes to
# the temporary folder, which is memory on many systems.
MAX_SPOOL_BYTES = 2 * GIB


class ZipReader:
    """An archive that lies in a file, from `start` on; all of it is judged at once.

    >>> import io, zipfile
    >>> from secure_serial.limits import Limits
    >>> file = io.BytesIO()
    >>> with zipfile.ZipFile(file, "w") as archive:
    ...     archive.writestr("config.json", "{}")
    >>> reader = ZipReader(file, Limits())
    >>> [member.name for member in reader.members], reader.read("config.json", 100)
    (['config.json'], b'{}')
    """

    def __init__(
        self, file: BinaryIO, limits: Limits, *, start: int = 0, size: int | None = None
    ) -> None:
        self._file = file
        self._start = start
        self._source = ByteSource(file, start=start, size=size)
        self.members = read_members(self._source, limits)
        self._by_name = {member.name: member for member in self.members}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def read(self, name: str, limit: int) -> bytes:
        """The whole of a member, its checksum verified.

        Raises:
            LimitExceeded: it has more than `limit` bytes.
            MalformedArtifact: it is not what its header says.

        """
        member = self._by_name[name]
        if member.size > limit:
            raise LimitExceeded(
                f"{member.size} bytes; the limit is {limit}", code=Fault.LARGE_CONFIG
            )
        return b"".join(self._chunks(member))

    def head(self, member: Member, length: int) -> bytes:
        """The first bytes of a member, `length` of them or fewer; no checksum covers those."""
        taken = b""
        for chunk in self._chunks(member, piece=max(1, length)):
            taken += chunk
            if len(taken) >= length:
                break
        return taken[:length]

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[BinaryIO, int, int]]:
        """A file, and where in it the member starts and how long it is.

        A stored member is not copied; a deflated one is expanded into an anonymous file.
        """
        member = self._by_name[name]
        if member.method != DEFLATED:
            yield self._file, self._start + member.start, member.size
            return
        if member.size > MAX_SPOOL_BYTES:
            raise LimitExceeded(
                f"{member.size} bytes, compressed; the limit is {MAX_SPOOL_BYTES}",
                code=Fault.BOMB,
            )
        from tempfile import TemporaryFile  # rare, and slow to import

        with TemporaryFile() as spool:
            for chunk in self._chunks(member):
                spool.write(chunk)
            yield spool, 0, member.size

    def stretch(self, name: str) -> Stretch | None:
        """Where a member lies in the file as it is; None if there is none, or it is packed."""
        member = self._by_name.get(name)
        if member is None or member.method == DEFLATED:
            return None
        return Stretch(self._start + member.start, member.size, member.crc)

    def raw(self, member: Member) -> Iterator[bytes]:
        """The bytes of a member as they are stored; they are not checked."""
        return self._raw(member, _CHUNK)

    def _chunks(self, member: Member, piece: int = _CHUNK) -> Iterator[bytes]:
        raw = self._raw(member, piece)
        chunks = _inflate(raw, piece) if member.method == DEFLATED else raw
        return verified(chunks, member.size, member.crc)

    def _raw(self, member: Member, piece: int) -> Iterator[bytes]:
        for at in range(0, member.stored, piece):
            yield self._source.read_at(member.start + at, min(piece, member.stored - at))


def _inflate(raw: Iterator[bytes], piece: int) -> Iterator[bytes]:
    """What a deflate stream expands to, piece by piece; the stream must end with its bytes."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for data in raw:
            pending = data
            while pending or not stream.eof:
                chunk = stream.decompress(pending, piece)
                pending = stream.unconsumed_tail
                if chunk:
                    yield chunk
                elif not pending:
                    break
                if stream.eof:
                    break
    except zlib.error as error:
        raise MalformedArtifact("not a deflate stream", code=Fault.CHECKSUM) from error
    if not stream.eof or stream.unused_data:
        raise MalformedArtifact("the deflate stream has no proper end", code=Fault.CHECKSUM)
