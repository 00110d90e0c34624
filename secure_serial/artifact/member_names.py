"""Which names a member of a model may have; judged by the text alone, on every system alike.

A name that any system could take for a path out of the model's folder is refused: absolute,
with a drive, a backslash, a `.` or `..` or empty component, a control character.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from secure_serial.artifact.faults import Fault
from secure_serial.errors import UnsafeArtifact, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Iterable

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS_H5 = "model.weights.h5"
WEIGHTS_NPZ = "model.weights.npz"
ASSETS = "assets/"
#: What Keras's saving_lib writes besides `assets/`.
KNOWN = frozenset({CONFIG, METADATA, WEIGHTS_H5, WEIGHTS_NPZ})

# Paths are 4096 bytes at most on Linux, 260 characters by default on Windows; Keras's own
# asset names are some 100 (the layers' names, joined).
MAX_NAME_BYTES = 1024

# C0 and C1 controls, DEL, and what reorders text on a screen (CVE-2021-42574).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DRIVE = re.compile(r"[A-Za-z]:")
# Windows opens a device for these, in any folder and with any extension.
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(?:\.|$)", re.IGNORECASE
)


def check_path(name: str) -> None:
    """Refuse a name that could lead out of its folder; `name` is relative, with `/`.

    >>> check_path("assets/layer/vocabulary.txt")

    Raises:
        UnsafeArtifact: it could.

    """
    reason = _fault_of(name.removesuffix("/"))
    if reason:
        raise UnsafeArtifact(f"the name {name!r:.120} {reason}", code=Fault.MEMBER_NAME)


def check_members(names: Iterable[str]) -> None:
    """Refuse names that lead out, stand twice, or that the format does not know."""
    seen: dict[str, str] = {}
    for name in names:
        check_path(name)
        folded = _folded(name)
        if folded in seen:
            raise UnsafeArtifact(
                f"the member {name!r:.120} stands twice (as {seen[folded]!r:.120})",
                code=Fault.DUPLICATE_MEMBER,
            )
        seen[folded] = name
        if name not in KNOWN and not name.startswith(ASSETS):
            raise UnsafeArtifact(
                f"a member that no Keras model has: {name!r:.120}", code=Fault.UNKNOWN_MEMBER
            )


def is_asset(name: str) -> bool:
    """Whether the member is a file among the assets."""
    return name.startswith(ASSETS) and not name.endswith("/")


def check_weights(names: Iterable[str]) -> None:
    """Refuse a model with two files of weights: Keras would take the first kind."""
    if {WEIGHTS_H5, WEIGHTS_NPZ} <= set(names):
        raise UnsupportedFormat(f"both {WEIGHTS_H5} and {WEIGHTS_NPZ}", code=Fault.TWO_WEIGHTS)


def _folded(name: str) -> str:
    """Equal for names that some file system takes for the same file."""
    folded = name.rstrip("/")
    if not folded.isascii():
        from unicodedata import normalize  # names are ASCII, as a rule

        folded = normalize("NFC", normalize("NFKC", folded).casefold())
    return folded.casefold()


def _fault_of(name: str) -> str:
    if not name:
        return "is empty"
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        return f"has more than {MAX_NAME_BYTES} bytes"
    if _CONTROL.search(name) or any("\ud800" <= character <= "\udfff" for character in name):
        return "holds a control character"
    if "\\" in name:
        return "holds a backslash"
    if name.startswith("/") or _DRIVE.match(name):
        return "is absolute"
    parts = name.split("/")
    if not all(parts):
        return "has an empty component"
    if any(part in {".", ".."} for part in parts):
        return "has a component . or .."
    if any(part.endswith((".", " ")) or ":" in part or _DEVICE.match(part) for part in parts):
        return "means another file on Windows"
    return ""
