"""What reading a file yields: inert JSON values and where they stood. Nothing else.

A `Document` is all that the later stages see of a file. It holds no handle, no class and
no code; objects are built from this very tree, never from the bytes again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

# What strict parsing can yield: None, bool, int, float, str, list, dict[str, Json].
# Spelled with `object` because recursive aliases buy nothing but casts at every step.
Json: TypeAlias = object
#: What of it holds other values. Written out at each place, they would be put together each time.
LISTS = (list, tuple)
NESTS = (dict, *LISTS)


class Format(StrEnum):
    """How the config was stored; told by content, never by the file's name."""

    KERAS = "keras"  # zip archive of Keras 3
    KERAS_DIR = "keras-dir"  # the same, as a directory
    HDF5 = "h5"  # legacy whole-model HDF5
    WEIGHTS = "weights"  # HDF5 that holds weights only
    JSON = "json"  # config text
    TFJS = "tfjs"  # TensorFlow.js layers model.json
    YAML = "yaml"
    DICT = "dict"  # a value that the caller passed


class Role(StrEnum):
    """What a part of a document is for, which decides how the planner reads it."""

    MODEL = "model"  # a model, a layer or any other serialized object
    TRAINING = "training"  # the legacy training_config of an .h5 file


@dataclass(frozen=True, slots=True)
class Part:
    """One config of a document. `root` is never changed after reading."""

    role: Role
    member: str  # "config.json", "@model_config" (an HDF5 attribute), "" for a bare file
    root: Json
    text: bytes = field(default=b"", repr=False)  # for line and column, computed when asked


@dataclass(frozen=True, slots=True)
class StoredArray:
    """The metadata of one stored weight; its bytes are never read."""

    path: str
    shape: tuple[int, ...]
    itemsize: int


class Stretch(NamedTuple):
    """A part of a file that holds a member of an archive as it is, neither packed nor split."""

    start: int
    size: int
    crc: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file, read strictly and bounded.

    `judged_sha256` is the digest of exactly the bytes that decisions rest on: the whole of
    a config file; for an archive or HDF5 file the configs and the listing, since weights
    are checked by their metadata and never read whole.
    """

    name: str
    format: Format
    judged_sha256: str
    parts: tuple[Part, ...]
    size: int = 0
    keras_version: str | None = None
    weights: tuple[StoredArray, ...] = ()
    assets: tuple[str, ...] = ()
    # Where an archive holds its weights, if they can be read there as they are.
    stored: Stretch | None = None
    # Of a migrated document: the kinds of the layers that earlier Keras may have stored in
    # another layout, by the layer's name (migrate/weights.py).
    layouts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
