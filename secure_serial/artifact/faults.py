"""The kinds of fault a file can have: one stable code each, and what to do about it.

Readers raise an error with a code and the place inside what they read; `located` adds the
file and the member on the way out, and the help that belongs to the code.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from secure_serial.errors import (
    ArtifactError,
    LimitExceeded,
    MalformedArtifact,
    UnsafeArtifact,
    UnsupportedFormat,
    Where,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fault(StrEnum):
    """Codes of the errors that reading a file ends in. Never renumbered."""

    UNREADABLE = "SS105"
    NOT_A_FILE = "SS106"
    REMOTE = "SS107"
    EMPTY = "SS108"
    POLYGLOT = "SS109"

    JSON_SYNTAX = "SS110"
    ENCODING = "SS111"
    DUPLICATE_KEY = "SS112"
    LONE_SURROGATE = "SS113"
    TOO_DEEP = "SS114"
    TOO_MANY_NODES = "SS115"
    LONG_STRING = "SS116"
    LONG_NUMERAL = "SS117"
    LARGE_CONFIG = "SS118"
    NOT_PLAIN = "SS119"

    ZIP_STRUCTURE = "SS120"
    ZIP_EXTRA_DATA = "SS121"
    ZIP_DISAGREES = "SS122"
    MEMBER_NAME = "SS123"
    DUPLICATE_MEMBER = "SS124"
    LINK = "SS125"
    ENCRYPTED = "SS126"
    ZIP_VARIANT = "SS127"
    UNKNOWN_MEMBER = "SS128"
    BOMB = "SS129"
    CHECKSUM = "SS130"
    TWO_WEIGHTS = "SS131"
    NPY_HEADER = "SS132"
    PICKLED_ARRAY = "SS133"
    METADATA = "SS134"
    ASSET_CONTENT = "SS135"
    CHANGED = "SS136"

    YAML_SYNTAX = "SS140"
    YAML_TAG = "SS141"
    YAML_ALIAS = "SS142"
    YAML_DOCUMENTS = "SS143"

    NOT_A_CONFIG = "SS150"
    OTHER_FORMAT = "SS151"
    TFJS_PATH = "SS152"


_RESAVE = "Save the model again with Keras, and compare the file with its source."
_NOT_KERAS = "Keras never writes this: treat the file as hostile, or save the model again."
_LIMIT = "If the file is known to be good, raise this limit in the policy."

#: What a person can do about each fault. Codes of `errors.py` stand for those without one.
HELP = {
    Fault.UNREADABLE: "Check the path and the permissions.",
    Fault.NOT_A_FILE: "Give a regular file, or a directory that a model was saved to.",
    Fault.REMOTE: "Download the file first, and give its local path.",
    Fault.EMPTY: "The download or the save was cut short: get the file again.",
    Fault.POLYGLOT: "Different programs would read this file differently: do not use it.",
    Fault.JSON_SYNTAX: _RESAVE,
    Fault.ENCODING: "A config is UTF-8 without a byte order mark: convert it.",
    Fault.DUPLICATE_KEY: _NOT_KERAS,
    Fault.LONE_SURROGATE: _NOT_KERAS,
    Fault.TOO_DEEP: _LIMIT,
    Fault.TOO_MANY_NODES: _LIMIT,
    Fault.LONG_STRING: _LIMIT,
    Fault.LONG_NUMERAL: _LIMIT,
    Fault.LARGE_CONFIG: _LIMIT,
    Fault.NOT_PLAIN: "Pass what `json.loads` could give: dict, list, str, numbers, bool, None.",
    Fault.ZIP_STRUCTURE: "The file is cut short or was changed: get it again.",
    Fault.ZIP_EXTRA_DATA: _NOT_KERAS,
    Fault.ZIP_DISAGREES: _NOT_KERAS,
    Fault.MEMBER_NAME: _NOT_KERAS,
    Fault.DUPLICATE_MEMBER: _NOT_KERAS,
    Fault.LINK: _NOT_KERAS,
    Fault.ENCRYPTED: _NOT_KERAS,
    Fault.ZIP_VARIANT: "Pack the archive again with members stored or deflated.",
    Fault.UNKNOWN_MEMBER: "Remove what Keras did not write, or save the model again.",
    Fault.BOMB: "If the file is known to be good, store its members uncompressed as Keras does.",
    Fault.CHECKSUM: "The file was damaged or changed: get it again.",
    Fault.TWO_WEIGHTS: "Keep one of the two: readers disagree on which counts.",
    Fault.NPY_HEADER: _RESAVE,
    Fault.PICKLED_ARRAY: "Save the weights as `model.weights.h5`.",
    Fault.METADATA: _RESAVE,
    Fault.ASSET_CONTENT: "Assets are data (a vocabulary): take this one out of the model.",
    Fault.CHANGED: "Nobody may write into a file that is being loaded: copy it, and load the copy.",
    Fault.YAML_SYNTAX: "Convert the config to JSON: Keras dropped YAML in 2.6.",
    Fault.YAML_TAG: "Such tags build Python objects (CVE-2021-37678): do not use the file.",
    Fault.YAML_ALIAS: "Write the value out where it is used.",
    Fault.YAML_DOCUMENTS: "Keep one document in the file.",
    Fault.NOT_A_CONFIG: "Give a Keras model config, a .keras or .h5 file, or a tfjs model.json.",
    Fault.OTHER_FORMAT: "Give a Keras model config, a .keras or .h5 file, or a tfjs model.json.",
    Fault.TFJS_PATH: _NOT_KERAS,
}

# By plain text, because errors carry their code as such.
_HELP_BY_CODE: dict[str, str] = {
    MalformedArtifact.code: _RESAVE,
    UnsupportedFormat.code: "Save the model again with Keras: `model.save('model.keras')`.",
    UnsafeArtifact.code: _NOT_KERAS,
    LimitExceeded.code: _LIMIT,
    **{str(fault): text for fault, text in HELP.items()},
}


@contextmanager
def located(file: str = "", member: str = "", pointer: str = "") -> Iterator[None]:
    """Complete every error that leaves the block: its place, and help for its code.

    What an inner block knew stays; a read that the system refuses becomes our error, too.
    """
    try:
        yield
    except ArtifactError as error:
        known = error.where
        error.where = Where(known.file or file, known.member or member, known.pointer or pointer)
        error.help = error.help or _HELP_BY_CODE.get(error.code, "")
        raise
    except OSError as error:
        fault = Fault.UNREADABLE
        raise MalformedArtifact(
            f"cannot be read: {error.strerror or error}",
            code=fault,
            where=Where(file, member, pointer),
            help=HELP[fault],
        ) from error
