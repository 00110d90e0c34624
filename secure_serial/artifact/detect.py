"""Which format a file is in: told by its content alone, and refused if two answers fit.

The name of a file is what its sender chose. So a zip archive, an HDF5 file or a text is
recognised by its bytes, and a file that another reader could take for something else (a zip
archive behind other bytes, an HDF5 file behind a user block) is refused as such.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, BinaryIO

from secure_serial.artifact.archive import digest, read_archive
from secure_serial.artifact.content import (
    Content,
    check_object,
    check_version,
    config_format,
    find_config,
)
from secure_serial.artifact.document import Document, Format, Part, Role
from secure_serial.artifact.faults import Fault, located
from secure_serial.artifact.json_text import parse_json
from secure_serial.artifact.magic import HDF5_MAGIC, HEAD_BYTES, ZIP_MAGICS, looks_like
from secure_serial.artifact.source import ByteSource
from secure_serial.artifact.zip_layout import ends_as_zip
from secure_serial.errors import LimitExceeded, MalformedArtifact, UnsafeArtifact, UnsupportedFormat

if TYPE_CHECKING:
    from secure_serial.artifact.hdf5 import Hdf5File
    from secure_serial.limits import Limits

# HDF5 looks for its signature at 0, 512, 1024, 2048 and so on (format specification II.A).
_FIRST_USER_BLOCK = 512

_ATTRIBUTES = {"model_config": Role.MODEL, "training_config": Role.TRAINING}
_VERSION = "keras_version"

# Comments may stand first; what says something comes within this many bytes.
_YAML_HEAD = 1 << 16
_JSON_START = re.compile(rb"[ \t\r\n]*[{\[\"]")
# The first line of a YAML text that says something: a key, a tag, an anchor, a list's entry.
_YAML_START = re.compile(
    rb"(?>(?:[ \t]*+(?:#[^\n]*+)?\r?\n)*)"
    rb"(?:---|%YAML|%TAG|[!&]|-[ \t\n]|\?[ \t]|"
    rb"[\"']?[A-Za-z_][\w .-]{0,100}[\"']?[ \t]{0,9}:(?:\s|$))"
)


def read_document(file: BinaryIO, size: int, name: str, limits: Limits) -> Document:
    """The document in an open file of `size` bytes.

    Raises:
        ArtifactError: it is none, or a bad one.

    """
    with located(name):
        if size == 0:
            raise MalformedArtifact("the file is empty", code=Fault.EMPTY)
        source = ByteSource(file, size=size)
        head = source.read_at(0, min(size, HEAD_BYTES))
        if head.startswith(ZIP_MAGICS):
            return read_archive(file, size, name, limits)
        _refuse_polyglot(source, head)
        if head.startswith(HDF5_MAGIC):
            return _read_hdf5(source, name, limits)
        return _read_text(source, head, name, limits)


def _refuse_polyglot(source: ByteSource, head: bytes) -> None:
    if ends_as_zip(source):
        raise UnsafeArtifact(
            "a zip archive behind other bytes: readers disagree on what this is",
            code=Fault.POLYGLOT,
        )
    if head.startswith(HDF5_MAGIC):
        return
    at = _FIRST_USER_BLOCK
    while at + len(HDF5_MAGIC) <= source.size:
        if source.read_at(at, len(HDF5_MAGIC)) == HDF5_MAGIC:
            raise UnsafeArtifact(
                "an HDF5 file behind other bytes: readers disagree on what this is",
                code=Fault.POLYGLOT,
            )
        at *= 2


def _read_hdf5(source: ByteSource, name: str, limits: Limits) -> Document:
    from secure_serial.artifact.hdf5 import read_hdf5  # not every file is one

    stored = read_hdf5(source, limits, attributes=frozenset({*_ATTRIBUTES, _VERSION}))
    parts = tuple(
        _attribute_part(stored, attribute, role, limits)
        for attribute, role in _ATTRIBUTES.items()
        if attribute in stored.attributes
    )
    with located(member=f"@{_VERSION}"):
        raw = stored.attributes.get(_VERSION)
        version = None if raw is None else check_version(raw.decode("utf-8", "replace"))
    return Document(
        name=name,
        format=Format.HDF5 if "model_config" in stored.attributes else Format.WEIGHTS,
        judged_sha256=digest(
            sorted([key, len(value)] for key, value in stored.attributes.items()),
            [value for _, value in sorted(stored.attributes.items())],
            stored.datasets,
        ),
        parts=parts,
        size=source.size,
        keras_version=version,
        weights=tuple(stored.datasets),
    )


def _attribute_part(stored: Hdf5File, attribute: str, role: Role, limits: Limits) -> Part:
    text = stored.attributes[attribute]
    with located(member=f"@{attribute}"):
        root = parse_json(text, limits)
        if role is Role.MODEL:
            check_object(root)
    return Part(role, f"@{attribute}", root, text)


def _read_text(source: ByteSource, head: bytes, name: str, limits: Limits) -> Document:
    is_json = _JSON_START.match(head) is not None or not head.strip()
    what = "" if is_json else looks_like(head)
    if what:
        raise UnsupportedFormat(f"this looks like {what}", code=Fault.OTHER_FORMAT)
    if source.size > limits.config_bytes:
        raise LimitExceeded(
            f"{source.size} bytes of text; the limit is {limits.config_bytes}",
            code=Fault.LARGE_CONFIG,
        )
    text = source.read_at(0, source.size)
    if is_json or _JSON_START.match(text) or _is_other_encoding(text):
        return text_document(text, find_config(parse_json(text, limits), limits), name)
    if not _YAML_START.match(text[:_YAML_HEAD]):
        raise UnsupportedFormat(
            "neither a zip archive, HDF5, JSON nor YAML", code=Fault.OTHER_FORMAT
        )
    from secure_serial.artifact.yaml_text import parse_yaml  # rare

    content = find_config(parse_yaml(text, limits), limits)
    return text_document(text, content, name, Format.YAML)


def text_document(text: bytes, content: Content, name: str, form: Format | None = None) -> Document:
    """The document of a config text."""
    # Positions are looked up in `text`; a config from a string inside it has none.
    own_text = b"" if content.base is None else text
    return Document(
        name=name,
        format=form or config_format(content),
        judged_sha256=hashlib.sha256(text).hexdigest(),
        parts=(Part(Role.MODEL, "", content.whole, own_text),),
        size=len(text),
        keras_version=content.keras_version,
    )


def _is_other_encoding(text: bytes) -> bool:
    """Whether it starts with a byte order mark, or is JSON in UTF-16 or -32."""
    return text.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or bool(
        re.match(rb"\x00{0,3}[{\[\"]\x00", text)
    )
