"""Datasets: what one declares, against what the file stores for it.

It promises that loading all datasets of an accepted file needs no more memory than `Limits`
says and than the stored bytes account for, and that no two datasets share bytes: neither shape
bombs nor overlapping storage (CVE-2026-0897, CVE-2026-12480, CVE-2026-9335).
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from secure_serial.artifact.document import StoredArray
from secure_serial.artifact.hdf5.chunks import chunk_bytes, chunk_extents
from secure_serial.artifact.hdf5.datatypes import Datatype, Kind, read_datatype
from secure_serial.artifact.hdf5.headers import Messages, MessageType
from secure_serial.artifact.hdf5.messages import (
    Layout,
    Storage,
    read_filters,
    read_layout,
    read_shape,
)
from secure_serial.artifact.hdf5.reader import UNDEFINED
from secure_serial.errors import (
    LimitExceeded,
    MalformedArtifact,
    UnsafeArtifact,
    UnsupportedFormat,
)

if TYPE_CHECKING:
    from secure_serial.artifact.hdf5.reader import Reader

DATASET_KINDS = frozenset(
    {
        MessageType.DATASPACE,
        MessageType.DATATYPE,
        MessageType.LAYOUT,
        MessageType.FILTERS,
        MessageType.EXTERNAL_FILES,
        MessageType.FILL,
        MessageType.OLD_FILL,
    }
)


class Datasets:
    """The datasets of one walk, with the sums that bound them together."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._declared = 0
        self._unbacked = 0
        self._extents: list[tuple[int, int, str]] = []

    def add(self, path: str, messages: Messages) -> StoredArray:
        """Check one dataset and describe it.

        Raises:
            UnsafeArtifact: external or virtual storage, or a type that is not a number.
            LimitExceeded: it declares more than it stores, or all of them too much.

        """
        if MessageType.EXTERNAL_FILES in messages:
            raise UnsafeArtifact(
                "a dataset with external storage: its data comes from other files",
                help="CVE-2026-1669: such a file fills weights with bytes of any local file.",
            )
        layout = read_layout(_only(messages, MessageType.LAYOUT))
        datatype = read_datatype(_only(messages, MessageType.DATATYPE))
        shape = read_shape(_only(messages, MessageType.DATASPACE))
        if shape is None:
            raise UnsupportedFormat("a dataset with a null dataspace holds no array")
        if datatype.kind is Kind.HEAP_TEXT:
            raise UnsupportedFormat("a dataset of variable-length text, which Keras does not write")
        self._bound(path, layout, datatype, shape, _filters(messages, layout))
        return StoredArray(path, shape, datatype.size)

    def finish(self) -> None:
        """Require that no two datasets share bytes of the file, once all are known."""
        end, owner = 0, ""
        for address, size, path in sorted(self._extents):
            if address < end:
                raise UnsafeArtifact(
                    f"the stored bytes of {path} and {owner} overlap: a small file that grows"
                )
            end, owner = address + size, path

    def _bound(
        self,
        path: str,
        layout: Layout,
        datatype: Datatype,
        shape: tuple[int, ...],
        filters: tuple[bool, bool],
    ) -> None:
        limits = self._reader.limits
        declared = prod(shape) * datatype.size
        self._declared += declared
        if self._declared > limits.hdf5_bytes:
            raise LimitExceeded(
                f"the datasets declare more than {limits.hdf5_bytes} bytes (hdf5_bytes); "
                f"shape {shape} is the last one seen"
            )
        filtered, compresses = filters
        if layout.storage is Storage.CHUNKED:
            stored, loaded = self._chunked(path, layout, datatype, shape, filtered=filtered)
            needed = max(declared, loaded)
        else:
            stored, needed = self._plain(path, layout, declared), declared
        allowed = stored * limits.compression_ratio if compresses else stored
        self._unbacked += max(0, needed - allowed)
        if self._unbacked > limits.ratio_floor_bytes:
            raise LimitExceeded(
                f"shape {shape} declares {needed} bytes and {stored} are stored: a bomb",
                help="If the file is honest, raise compression_ratio or ratio_floor_bytes.",
            )

    def _plain(self, path: str, layout: Layout, declared: int) -> int:
        """Stored bytes of a compact or contiguous dataset."""
        if layout.address == UNDEFINED:  # nothing was ever written
            return 0
        if layout.size != declared:
            raise MalformedArtifact(f"a dataset declares {declared} bytes and stores {layout.size}")
        if layout.storage is Storage.CONTIGUOUS:
            self._occupy(path, layout.address, layout.size)
        return layout.size

    def _chunked(
        self,
        path: str,
        layout: Layout,
        datatype: Datatype,
        shape: tuple[int, ...],
        *,
        filtered: bool,
    ) -> tuple[int, int]:
        """Stored bytes of a chunked dataset, and the bytes that its chunks are in memory."""
        if layout.element != datatype.size or len(layout.chunk) != len(shape):
            raise MalformedArtifact("the chunks of a dataset have another type or rank")
        extents = chunk_extents(self._reader, layout, shape, filtered=filtered)
        for address, size in extents:
            self._occupy(path, address, size)
        # A reader makes room for a whole chunk, however few of its elements are in the shape.
        count = max(len(extents), 1) if prod(shape) else 0
        return sum(size for _, size in extents), count * chunk_bytes(layout)

    def _occupy(self, path: str, address: int, size: int) -> None:
        if address + size > self._reader.size:
            raise MalformedArtifact(
                f"{size} stored bytes at offset {address} reach beyond the file's end"
            )
        if size:
            self._extents.append((address, size, path))


def _only(messages: Messages, kind: MessageType) -> bytes:
    """The body of the one message of this kind; of two, readers may take either."""
    bodies = messages.get(kind, [])
    if len(bodies) != 1:
        raise MalformedArtifact(f"a dataset with {len(bodies)} {kind.name} messages, not one")
    return bodies[0]


def _filters(messages: Messages, layout: Layout) -> tuple[bool, bool]:
    """Whether the dataset's chunks are filtered, and whether a filter compresses."""
    if MessageType.FILTERS not in messages:
        return False, False
    if layout.storage is not Storage.CHUNKED:
        raise MalformedArtifact("a filter pipeline on a dataset that is not chunked")
    return True, read_filters(_only(messages, MessageType.FILTERS))
