"""Files whose bytes are held: judged, hashed and loaded is one and the same, whatever happens.

A file up to `MOST_HELD` is read into memory once, and never again: whoever writes into it
meanwhile changes nothing that is judged or loaded. A larger one is read where it lies, and
hashed before it is judged and again after it is loaded. Either way the end of a load sees
whether the file still is what was judged, and refuses the load if it is not.
"""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from secure_serial.artifact.faults import Fault, located
from secure_serial.errors import UnsafeArtifact
from secure_serial.limits import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The largest of keras.applications that is in wide use, VGG19, is 0.55 GB. Loading a model
#: takes its weights' memory twice and more; holding the file takes it once again.
MOST_HELD = GIB


class _Identity(NamedTuple):
    """What changes when a file is written. Times can be set back, but not `changed`.

    Taking a name away from a file sets `changed`, too, and harms nobody: it shows in `links`.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int
    links: int


class Held:
    """An open file, as it was when it was opened.

    >>> held = Held(io.BytesIO(b"abc"), 3, "example")
    >>> held.file.read(), held.sha256()[:6]
    (b'abc', 'ba7816')
    >>> held.check()
    """

    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        self._source = file
        self._name = name
        self._before = _identity(file)
        self._bytes: bytes | None = None
        self._digest: str | None = None
        self.file = file
        self.size = size
        with located(name):
            if size <= MOST_HELD:
                file.seek(0)
                self._bytes = file.read(size)
                self.file = io.BytesIO(self._bytes)
                self.size = len(self._bytes)
            else:
                self._digest = sha256_of(file)

    def sha256(self) -> str:
        """The digest of all that was judged."""
        if self._digest is None:
            self._digest = hashlib.sha256(self._bytes or b"").hexdigest()
        return self._digest

    def check(self) -> None:
        """See that the file still is what was judged; bytes are compared where they may differ.

        Raises:
            UnsafeArtifact: it is not.

        """
        with located(self._name):
            try:
                same = self._is_same()
            except ValueError:  # somebody closed it
                same = False
            if not same:
                raise UnsafeArtifact("the file changed while it was loaded", code=Fault.CHANGED)

    def _is_same(self) -> bool:
        after = _identity(self._source)
        if self._bytes is not None:
            return (after is not None and after == self._before) or self._has_same_bytes()
        if after is None or self._before is None:
            return sha256_of(self._source) == self._digest
        renamed = after.links != self._before.links  # and `changed` for that reason
        known = after._replace(changed=0, links=0) if renamed else after
        before = self._before._replace(changed=0, links=0) if renamed else self._before
        return known == before and sha256_of(self._source) == self._digest

    def _has_same_bytes(self) -> bool:
        kept = memoryview(self._bytes or b"")
        at = 0
        for chunk in _chunks(self._source):
            if chunk != kept[at : at + len(chunk)]:
                return False
            at += len(chunk)
        return at == len(kept)


def _identity(file: BinaryIO) -> _Identity | None:
    """What the system says of a file; None for a stream that is no file of the system's."""
    try:
        info = os.fstat(file.fileno())
    except (AttributeError, OSError):  # UnsupportedOperation is one
        return None
    return _Identity(
        info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_nlink
    )


def sha256_of(file: BinaryIO) -> str:
    """The digest of all of an open file, which is read to its end, in chunks."""
    digest = hashlib.sha256()
    for chunk in _chunks(file):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(MIB):
        yield chunk
