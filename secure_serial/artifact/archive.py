"""Keras 3's `.keras` archive: its config is read, its weights are known by their metadata.

Only the members that Keras's saving_lib writes may stand in it: what nobody reads today is
what the next reader trips over. Assets are judged by name and size.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, BinaryIO

from secure_serial.artifact import member_names as names
from secure_serial.artifact.content import check_object, parse_metadata
from secure_serial.artifact.document import Document, Format, Part, Role, StoredArray
from secure_serial.artifact.faults import Fault, located
from secure_serial.artifact.json_text import parse_json
from secure_serial.artifact.magic import HEAD_BYTES, is_active, looks_like
from secure_serial.artifact.source import ByteSource
from secure_serial.artifact.zip_read import ZipReader
from secure_serial.errors import UnsafeArtifact, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_serial.limits import Limits

# Keras writes two short texts. More would be a place to hide something in.
MAX_METADATA_BYTES = 64 * 1024

#: The config, the metadata and the weights.
_OWN_MEMBERS = 3

# Zip archives of other makers, by a member that they always have.
_OTHERS = {
    "data.pkl": "a PyTorch file (a pickle)",
    "[Content_Types].xml": "an Office document",
    "META-INF/MANIFEST.MF": "a Java archive",
    "saved_model.pb": "a TensorFlow SavedModel, packed",
    "_CHECKPOINT_METADATA": "an Orbax checkpoint, packed",
}


def read_archive(file: BinaryIO, size: int, name: str, limits: Limits) -> Document:
    """The document of a `.keras` file.

    Raises:
        UnsupportedFormat: a zip archive of something else.
        ArtifactError: whatever is wrong with it.

    """
    archive = ZipReader(file, limits, size=size)
    listing = [member.name for member in archive.members]
    if names.CONFIG not in archive:
        raise UnsupportedFormat(
            f"a zip archive without {names.CONFIG}: {_other(listing)}", code=Fault.OTHER_FORMAT
        )
    names.check_members(listing)
    names.check_weights(listing)
    version, metadata = None, b""
    if names.METADATA in archive:
        with located(member=names.METADATA):
            metadata = archive.read(names.METADATA, MAX_METADATA_BYTES)
            version = parse_metadata(metadata, limits)
    with located(member=names.CONFIG):
        text = archive.read(names.CONFIG, limits.config_bytes)
        root = check_object(parse_json(text, limits))
    weights = _read_weights(archive, limits)
    assets = [member for member in archive.members if names.is_asset(member.name)]
    for member in assets:
        with located(member=member.name):
            check_asset(archive.head(member, HEAD_BYTES))
    entries = [[member.name, member.size, member.crc] for member in archive.members]
    return Document(
        name=name,
        format=Format.KERAS,
        judged_sha256=digest(entries, (text, metadata), weights),
        parts=(Part(Role.MODEL, names.CONFIG, root, text),),
        size=size,
        keras_version=version,
        weights=weights,
        assets=tuple(member.name for member in assets),
        # Of more members than its own three, Keras thinks that there are assets.
        stored=archive.stretch(names.WEIGHTS_H5) if len(listing) <= _OWN_MEMBERS else None,
    )


def _read_weights(archive: ZipReader, limits: Limits) -> tuple[StoredArray, ...]:
    for member in (names.WEIGHTS_H5, names.WEIGHTS_NPZ):
        if member in archive:
            with located(member=member), archive.open(member) as (file, start, size):
                return weights_in(member, file, start, size, limits)
    return ()


def weights_in(
    member: str, file: BinaryIO, start: int, size: int, limits: Limits
) -> tuple[StoredArray, ...]:
    """The arrays of a file of weights, by its name: HDF5 or npz."""
    if member == names.WEIGHTS_NPZ:
        from secure_serial.artifact.npz import read_npz  # rare

        return read_npz(file, start, size, limits)
    from secure_serial.artifact.hdf5 import read_hdf5  # not every file has any

    return read_hdf5(ByteSource(file, start=start, size=size), limits).datasets


def check_asset(head: bytes) -> None:
    """Refuse an asset that, by its first bytes, something could unpack or run.

    Raises:
        UnsafeArtifact: an archive (CVE-2025-12060: unpacking it writes anywhere), a program.

    """
    if is_active(head):
        what = looks_like(head) or "a zip archive"
        raise UnsafeArtifact(f"an asset that looks like {what}", code=Fault.ASSET_CONTENT)


def digest(
    entries: Iterable[object], texts: Iterable[bytes], weights: Iterable[StoredArray]
) -> str:
    """One sha256 over a listing, the texts that were read, and the metadata of the weights."""
    judged = {
        "entries": list(entries),
        "texts": [hashlib.sha256(text).hexdigest() for text in texts],
        "weights": [[array.path, array.shape, array.itemsize] for array in weights],
    }
    canonical = json.dumps(judged, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _other(listing: list[str]) -> str:
    for name in listing:
        if name in _OTHERS or name.rpartition("/")[2] in _OTHERS:
            return f"looks like {_OTHERS.get(name) or _OTHERS[name.rpartition('/')[2]]}"
    if listing and all(name.endswith(".npy") for name in listing):
        return "looks like NumPy arrays (.npz)"
    return "no Keras model"
