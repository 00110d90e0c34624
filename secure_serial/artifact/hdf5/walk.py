"""The walk: from the root group through hard links to every object, each once.

It promises a flat, inert list of what the file holds, or one of this package's errors. It
keeps a list of what is still to do instead of calling itself, so that depth costs no stack.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.hdf5.attributes import attribute_text, read_attributes
from secure_serial.artifact.hdf5.datasets import DATASET_KINDS, Datasets
from secure_serial.artifact.hdf5.groups import GROUP_KINDS, read_links
from secure_serial.artifact.hdf5.headers import Messages, MessageType, claim_object, read_header
from secure_serial.artifact.hdf5.heap import GlobalHeap
from secure_serial.artifact.hdf5.names import safe_name
from secure_serial.artifact.hdf5.reader import Reader
from secure_serial.artifact.hdf5.superblock import Root, read_superblock, signature_offset
from secure_serial.errors import (
    ArtifactError,
    LimitExceeded,
    MalformedArtifact,
    UnsupportedFormat,
    Where,
)

if TYPE_CHECKING:
    from secure_serial.artifact.document import StoredArray
    from secure_serial.artifact.hdf5.messages import Link
    from secure_serial.artifact.source import ByteSource
    from secure_serial.limits import Limits

#: The root attributes that a legacy whole-model file keeps its configs in.
ROOT_ATTRIBUTES = frozenset({"model_config", "training_config", "keras_version", "backend"})


@dataclass(frozen=True, slots=True)
class Hdf5File:
    """What an HDF5 file holds: text that was asked for, and metadata; no weights.

    Paths have no leading slash and are sorted; the root group is not among `groups`.
    """

    attributes: dict[str, bytes]
    datasets: tuple[StoredArray, ...]
    groups: tuple[str, ...]


class _Task(NamedTuple):
    path: str  # "" for the root
    depth: int
    address: int
    table: tuple[int, int] | None


def is_hdf5(source: ByteSource) -> bool:
    """Whether the HDF5 library would take this for its own: told by content, not by name.

    >>> import io
    >>> from secure_serial.artifact.source import ByteSource
    >>> is_hdf5(ByteSource(io.BytesIO(b"PK")))
    False
    """
    return signature_offset(source) is not None


def read_hdf5(
    source: ByteSource, limits: Limits, *, attributes: frozenset[str] = ROOT_ATTRIBUTES
) -> Hdf5File:
    """Walk the metadata of an HDF5 file; its weights are not read.

    Args:
        source: The bytes of the file.
        limits: Bounds on what it may declare.
        attributes: Names of root attributes whose text is wanted.

    Raises:
        MalformedArtifact: truncated, corrupt or ambiguous.
        UnsupportedFormat: a feature of HDF5 that this package does not read.
        UnsafeArtifact: a link, storage or type that no model file may use.
        LimitExceeded: it holds or declares more than `limits` allows.

    """
    try:
        return _Walk(Reader(source, limits)).run(source, attributes)
    except (struct.error, IndexError):
        # Fields are unpacked without asking first whether the structure is long enough.
        raise MalformedArtifact("an HDF5 structure ends inside one of its fields") from None


class _Walk:
    """The state of one walk."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._texts = GlobalHeap(reader)
        self._datasets = Datasets(reader)
        self._arrays: list[StoredArray] = []
        self._groups: list[str] = []
        self._attributes: dict[str, bytes] = {}

    def run(self, source: ByteSource, wanted: frozenset[str]) -> Hdf5File:
        root: Root = read_superblock(self._reader, source)
        tasks = [_Task("", 0, root.address, root.table)]
        while tasks:
            task = tasks.pop()
            try:
                # in the order of the file, which keeps reads close together
                tasks.extend(reversed(self._visit(task, wanted)))
            except ArtifactError as error:
                if not error.where.member:
                    error.where = Where(pointer=_pointer(task.path))
                raise
            except (struct.error, IndexError):
                raise MalformedArtifact(
                    "an HDF5 structure ends inside one of its fields",
                    where=Where(pointer=_pointer(task.path)),
                ) from None
        self._datasets.finish()
        return Hdf5File(
            attributes=self._attributes,
            datasets=tuple(sorted(self._arrays, key=lambda array: array.path)),
            groups=tuple(sorted(self._groups)),
        )

    def _visit(self, task: _Task, wanted: frozenset[str]) -> list[_Task]:
        """Check one object; return what it links to."""
        reader = self._reader
        claim_object(reader, task.address)
        reader.count_objects()
        messages = read_header(reader, task.address)
        found = read_attributes(reader, self._texts, messages)
        if not GROUP_KINDS.isdisjoint(messages):
            if not DATASET_KINDS.isdisjoint(messages):
                raise MalformedArtifact("an object that is both a group and a dataset")
            if task.path:
                self._groups.append(task.path)
            else:
                for name in sorted(wanted & found.keys()):
                    self._attributes[name] = attribute_text(reader, self._texts, found[name])
            return self._children(task, read_links(reader, messages, task.table))
        self._visit_dataset(task, messages)
        return []

    def _visit_dataset(self, task: _Task, messages: Messages) -> None:
        kinds = messages.keys() & DATASET_KINDS
        if not kinds:
            raise UnsupportedFormat("an object that is neither a group nor a dataset")
        if not task.path or task.table is not None:  # the library caches groups' tables alone
            raise MalformedArtifact("a dataset stands where a group should")
        if kinds == {MessageType.DATATYPE}:
            raise UnsupportedFormat("a committed datatype: Keras names no types")
        self._arrays.append(self._datasets.add(task.path, messages))

    def _children(self, task: _Task, links: list[Link]) -> list[_Task]:
        reader = self._reader
        depth = task.depth + 1
        if links and depth > reader.limits.depth:
            raise LimitExceeded(f"groups nest deeper than {reader.limits.depth}")
        tasks: list[_Task] = []
        names: set[str] = set()
        for link in links:
            name = safe_name(link.name)
            if name in names:
                raise MalformedArtifact(f"the name {name!r} is there twice")
            names.add(name)
            path = f"{task.path}/{name}" if task.path else name
            reader.charge(len(path))  # a deep tree of long names must not fill the memory
            tasks.append(_Task(path, depth, link.address, link.table))
        return tasks


def _pointer(path: str) -> str:
    """An object's path in the file, where an error says its place."""
    return f"/{path}"
