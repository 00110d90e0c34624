"""A model that was saved to a folder: the same members as in an archive, the same rules.

Links are refused, not followed. The config and the weights are read from handles that were
checked to be the files of the listing; that of the weights stays open for the load.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

from secure_serial.artifact import member_names as names
from secure_serial.artifact.archive import MAX_METADATA_BYTES, check_asset, digest, weights_in
from secure_serial.artifact.content import check_object, parse_metadata
from secure_serial.artifact.document import Document, Format, Part, Role, StoredArray
from secure_serial.artifact.faults import Fault, located
from secure_serial.artifact.files import open_regular
from secure_serial.artifact.held import Held
from secure_serial.artifact.json_text import parse_json
from secure_serial.artifact.magic import HEAD_BYTES
from secure_serial.errors import LimitExceeded, UnsafeArtifact, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.limits import Limits

# Folders that other formats are saved to, by a file that they always have.
_OTHERS = {
    "saved_model.pb": "a TensorFlow SavedModel",
    "_CHECKPOINT_METADATA": "an Orbax checkpoint",
    "keras_metadata.pb": "a TensorFlow SavedModel",
}


def read_directory(
    path: str, name: str, limits: Limits, stack: ExitStack, *, hold: bool = False
) -> tuple[Document, BinaryIO | None, Held | None]:
    """The document of a folder, and its weights, which `stack` closes; held, if they are to be.

    Raises:
        UnsupportedFormat: a folder of something else.
        ArtifactError: whatever is wrong with it.

    """
    with located(name):
        with os.scandir(path) as entries:
            top = {entry.name for entry in entries}
        if names.CONFIG not in top:
            what = next((text for file, text in _OTHERS.items() if file in top), "no Keras model")
            raise UnsupportedFormat(
                f"a folder without {names.CONFIG}: {what}", code=Fault.OTHER_FORMAT
            )
        files = dict(_list(path, limits))
        listing = [member for member in files if not member.endswith("/")]
        names.check_members(files)
        names.check_weights(listing)
        version, metadata = None, b""
        if names.METADATA in files:
            with located(member=names.METADATA):
                metadata = _read(path, names.METADATA, files, MAX_METADATA_BYTES)
                version = parse_metadata(metadata, limits)
        with located(member=names.CONFIG):
            text = _read(path, names.CONFIG, files, limits.config_bytes)
            root = check_object(parse_json(text, limits))
        assets = tuple(sorted(filter(names.is_asset, listing)))
        for member in assets:
            with located(member=member):
                check_asset(_head(path, member, files))
        handle, weights, held = _open_weights(path, files, limits, stack, hold=hold)
    document = Document(
        name=name,
        format=Format.KERAS_DIR,
        judged_sha256=digest(
            sorted([member, info.st_size] for member, info in files.items()),
            (text, metadata),
            weights,
        ),
        parts=(Part(Role.MODEL, names.CONFIG, root, text),),
        size=sum(files[member].st_size for member in listing),
        keras_version=version,
        weights=weights,
        assets=assets,
    )
    return document, handle, held


def _list(path: str, limits: Limits) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below `path` with its metadata; folders end with a slash and have no size."""
    count = total = 0
    pending = [""]
    while pending:
        prefix = pending.pop()
        with os.scandir(os.path.join(path, prefix)) as entries:  # noqa: PTH118  (plain text)
            for entry in entries:
                member = prefix + entry.name
                info = entry.stat(follow_symlinks=False)
                count += 1
                total += info.st_size
                _check_bounds(count, total, info, limits)
                if stat.S_ISDIR(info.st_mode):
                    # Checked before it is entered: only assets/ may have folders.
                    names.check_members([f"{member}/"])
                    pending.append(f"{member}/")
                elif stat.S_ISREG(info.st_mode):
                    yield member, info
                else:
                    raise UnsafeArtifact(f"a link or a device: {member!r:.120}", code=Fault.LINK)


def _check_bounds(count: int, total: int, info: os.stat_result, limits: Limits) -> None:
    if count > limits.archive_members:
        raise LimitExceeded(f"more than {limits.archive_members} files, the limit", code=Fault.BOMB)
    if info.st_size > limits.member_bytes or total > limits.archive_bytes:
        raise LimitExceeded(f"{max(info.st_size, total)} bytes of files", code=Fault.BOMB)


def _read(path: str, member: str, files: dict[str, os.stat_result], limit: int) -> bytes:
    with ExitStack() as stack:
        file = _open(path, member, files, stack)
        data = file.read(limit + 1)
    if len(data) > limit:
        raise LimitExceeded(f"more than {limit} bytes, the limit", code=Fault.LARGE_CONFIG)
    return data


def _head(path: str, member: str, files: dict[str, os.stat_result]) -> bytes:
    with ExitStack() as stack:
        return _open(path, member, files, stack).read(HEAD_BYTES)


def _open(path: str, member: str, files: dict[str, os.stat_result], stack: ExitStack) -> BinaryIO:
    file, info = open_regular(os.path.join(path, member), follow=False)  # noqa: PTH118
    stack.enter_context(file)
    listed = files[member]
    if listed.st_ino and (info.st_ino, info.st_dev) != (listed.st_ino, listed.st_dev):
        raise UnsafeArtifact("the file was exchanged while it was read", code=Fault.LINK)
    return file


def _open_weights(
    path: str, files: dict[str, os.stat_result], limits: Limits, stack: ExitStack, *, hold: bool
) -> tuple[BinaryIO | None, tuple[StoredArray, ...], Held | None]:
    for member in (names.WEIGHTS_H5, names.WEIGHTS_NPZ):
        if member in files:
            with located(member=member):
                file = _open(path, member, files, stack)
                size = os.fstat(file.fileno()).st_size
                held = Held(file, size, member) if hold else None
                if held is not None:
                    file, size = held.file, held.size
                return file, weights_in(member, file, 0, size, limits), held
    return None, (), None
