"""Names of groups, datasets and attributes: plain text that no path tool can misread.

It promises that an accepted name is one printable UTF-8 component and no relative step, so
that a path made of such names says what it means in a report, a terminal and a file system.
"""

from __future__ import annotations

from secure_serial.artifact.hdf5.messages import show
from secure_serial.errors import LimitExceeded, MalformedArtifact, UnsafeArtifact

# Names that Keras makes are under 200 characters; no file system takes more than 255.
_NAME_BYTES = 1024


def safe_name(raw: bytes, *, separators: bool = False) -> str:
    """`raw` as text. `separators` allows "/", which in an attribute's name has no meaning.

    >>> safe_name(b"dense/kernel:0", separators=True)
    'dense/kernel:0'

    Raises:
        UnsafeArtifact: empty, "." or "..", a separator, or a character that does not print.
        MalformedArtifact: not UTF-8.
        LimitExceeded: longer than any real name.

    """
    if len(raw) > _NAME_BYTES:
        raise LimitExceeded(f"the name {show(raw)}... has {len(raw)} bytes")
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedArtifact(f"the name {show(raw)} is not UTF-8") from None
    if name in ("", ".", "..") or not name.isprintable() or ("/" in name and not separators):
        raise UnsafeArtifact(f"the name {name!a} is not one plain component of a path")
    return name
