"""Reads within budgets: all that the walk does to the file goes through one `Reader`.

It promises that every address lies inside the file, that a structure is entered once, and
that the bytes, the checksummed bytes and the small steps of one walk are bounded, however the
structures of a hostile file overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.artifact.hdf5.checksum import lookup3
from secure_serial.errors import LimitExceeded, MalformedArtifact, UnsupportedFormat
from secure_serial.limits import KIB, MIB

if TYPE_CHECKING:
    from secure_serial.artifact.source import ByteSource
    from secure_serial.limits import Limits

#: The format's mark for "no such thing here": all bits of an address set.
UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF

# A dataset of h5py has about 1.5 KiB of metadata: this is room for 85,000 of them, and small
# enough that a file made of nothing but metadata is walked in bounded time and memory.
METADATA_BYTES = 128 * MIB
# Structures of an honest file do not overlap, and the walk reads a byte at most twice (a
# prefix, then the whole). More than that is a file whose structures stand in each other.
READS_PER_BYTE = 3
SLACK_BYTES = 64 * KIB
# Checksums cost some 0.2 microseconds a byte here. Only files of the "latest" format have any.
CHECKSUM_BYTES = 32 * MIB
# Messages a walk may look at, for each object it may meet. h5py's datasets have 7.
STEPS_PER_OBJECT = 16
# Structures and tree records a walk may remember, for each object it may meet. h5py's old-style
# groups have 6: a header, its block, a tree, a heap, a table and its place in the parent's.
KEPT_PER_OBJECT = 8
KEPT_BASE = 1024  # the superblock's structures, and a limit of very few objects
# h5py lays the parts of a group side by side in some kilobytes: one read for most of them.
# It is also the most that is ever read of the weights behind a structure, and thrown away.
_WINDOW = 2 * KIB
CHECKSUM = 4


class Reader:
    """Bounded reads of one walk, and the counters that bound it.

    >>> import io
    >>> from secure_serial.artifact.source import ByteSource
    >>> from secure_serial.limits import Limits
    >>> Reader(ByteSource(io.BytesIO(b"abcdef")), Limits()).read(2, 3)
    b'cde'
    """

    __slots__ = (
        "_bytes_left",
        "_checksum_left",
        "_claimed",
        "_kept_left",
        "_objects_left",
        "_source",
        "_steps_left",
        "_window",
        "_window_at",
        "limits",
        "size",
    )

    def __init__(self, source: ByteSource, limits: Limits) -> None:
        self._source = source
        self.limits = limits
        self.size = source.size
        self._bytes_left = min(READS_PER_BYTE * source.size + SLACK_BYTES, METADATA_BYTES)
        self._checksum_left = CHECKSUM_BYTES
        self._objects_left = limits.hdf5_objects
        self._steps_left = STEPS_PER_OBJECT * limits.hdf5_objects
        self._kept_left = KEPT_PER_OBJECT * limits.hdf5_objects + KEPT_BASE
        self._claimed: set[int] = set()
        self._window = b""
        self._window_at = 0

    def read(self, address: int, length: int) -> bytes:
        """Exactly `length` bytes at `address`, charged to the walk's budget."""
        self._bytes_left -= length
        if self._bytes_left < 0:
            self.charge(0)
        start = address - self._window_at
        if start < 0 or start + length > len(self._window):
            if address == UNDEFINED:
                raise MalformedArtifact("a needed structure has no address")
            if length > _WINDOW or address + _WINDOW > self.size:
                return self._source.read_at(address, length)
            self._window = self._source.read_at(address, _WINDOW)
            self._window_at, start = address, 0
        return self._window[start : start + length]

    def read_checked(self, address: int, length: int, signature: bytes) -> bytes:
        """A structure with `signature` first and its checksum last; returned without it.

        Raises:
            MalformedArtifact: the signature or the checksum is not the right one.

        """
        data = self.read(address, length)
        require_signature(data, signature)
        self.verify(data)
        return data[:-CHECKSUM]

    def verify(self, data: bytes) -> None:
        """Require that the last four bytes are the checksum of the ones before."""
        body, stored = data[:-CHECKSUM], data[-CHECKSUM:]
        if self.checksum(body) != int.from_bytes(stored, "little"):
            raise MalformedArtifact("a metadata checksum is wrong")

    def checksum(self, data: bytes) -> int:
        """The format's checksum of `data`, charged to the walk's budget."""
        self._checksum_left -= len(data)
        if self._checksum_left < 0:
            raise LimitExceeded(f"more than {CHECKSUM_BYTES} bytes of checksummed HDF5 metadata")
        return lookup3(data)

    def charge(self, length: int) -> None:
        """Take `length` bytes off what the walk may still read or keep."""
        self._bytes_left -= length
        if self._bytes_left < 0:
            raise LimitExceeded(
                "the HDF5 metadata is larger than a model's, or its structures overlap"
            )

    def step(self, count: int = 1) -> None:
        """Count small pieces of work that leave nothing in memory: messages."""
        self._steps_left -= count
        if self._steps_left < 0:
            raise LimitExceeded("more HDF5 messages than hdf5_objects allows for")

    def keep(self, count: int = 1) -> None:
        """Count what the walk remembers: structures, tree records, chunks."""
        self._kept_left -= count
        if self._kept_left < 0:
            raise LimitExceeded("more HDF5 structures than hdf5_objects allows for")

    def count_objects(self, count: int = 1) -> None:
        """Count groups, datasets and attributes against `Limits.hdf5_objects`."""
        self._objects_left -= count
        if self._objects_left < 0:
            raise LimitExceeded(
                f"more than {self.limits.hdf5_objects} groups, datasets and attributes"
            )

    def claim(self, address: int) -> None:
        """Enter the structure at `address`, for the first and only time."""
        if address in self._claimed:
            raise MalformedArtifact(f"the structure at offset {address} is used twice")
        self.keep()
        self._claimed.add(address)


def require_signature(data: bytes, signature: bytes) -> None:
    """Require that `data` begins with `signature`."""
    if data[: len(signature)] != signature:
        raise MalformedArtifact(f"no {signature.decode('ascii')} structure where one should be")


def require_version(found: int, known: tuple[int, ...], what: str) -> None:
    """Require a version that this package reads."""
    if found not in known:
        raise UnsupportedFormat(f"{what} version {found} is not one of {known}")


def little(data: bytes, position: int, length: int) -> int:
    r"""The unsigned little-endian integer of `length` bytes at `position`.

    >>> little(b"..\x01\x02", 2, 2)
    513
    """
    if position + length > len(data):
        raise MalformedArtifact("an HDF5 structure ends inside one of its numbers")
    return int.from_bytes(data[position : position + length], "little")


def take(data: bytes, position: int, length: int) -> bytes:
    """Exactly `length` bytes at `position`; slices alone would shorten silently."""
    if position + length > len(data):
        raise MalformedArtifact("an HDF5 structure ends inside one of its fields")
    return data[position : position + length]
