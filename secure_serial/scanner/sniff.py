"""What the first bytes of a file say it may be. Used in walks only: a named file is read.

A walk must not miss a model whatever its name is, and must not call every text file of a
folder broken. So the first bytes choose the candidates, and `may_be_keras` settles which
of those that cannot be read were no models to begin with.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from secure_serial.artifact.magic import HDF5_MAGIC, ZIP_MAGICS

#: HDF5's signature stands at 0 or, behind a user block, at 512 and its doublings
#: (HDF5 file format specification 3.0, section II.A). Those beyond 8 KiB are not looked for.
_HDF5_OFFSETS = (0, 512, 1024, 2048, 4096, 8192)
HEAD = _HDF5_OFFSETS[-1] + len(HDF5_MAGIC)
#: A text in UTF-16 or UTF-32 has a zero byte beside each ASCII letter.
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
#: A config is an object, a list of objects, or an object's text in a string (to_json twice).
_JSON = re.compile(
    rb"""\s*+(?: \{\s*+(?:["}]|\Z)
            | \[\s*+(?:[\{\]]|\Z)
            | "(?>(?:\s|\\[nrt])*)(?:\{|\\u007[bB]) )""",
    re.VERBOSE,
)
_YAML_NAMES = (".yaml", ".yml")
_YAML = re.compile(rb"^(?:---\s+)?\{?(?:class_name|keras_version|backend|config):", re.MULTILINE)
_JSON_NAMES = (".json",)

#: A config has one of these words: `class_name`, or `layers` and `nodes` in Keras 0. A
#: backslash may begin an escape that spells one.
_TEXT_WORDS = (b"class_name", b"layers", b"nodes", b"\\u", b"\\x", b"\\U")
#: An archive of Keras has this member, and names in a zip directory are never compressed.
_ZIP_WORDS = (b"config.json",)
_OVERLAP = 32
_PIECE = 1 << 20


def kind_of(head: bytes, name: str) -> str:
    """The kind that a file may be: zip, hdf5, json or yaml; empty for none of them.

    The name is asked only about YAML and JSON, which have no signature.

    >>> kind_of(b'{"class_name": "Dense"}', "weights.bin"), kind_of(b"# Notes", "notes.md")
    ('json', '')
    """
    if head.startswith(ZIP_MAGICS):
        return "zip"
    if any(head.startswith(HDF5_MAGIC, offset) for offset in _HDF5_OFFSETS):
        return "hdf5"
    text = _plain(head)
    lower = name.lower()
    if _JSON.match(text) is not None or lower.endswith(_JSON_NAMES):
        return "json"
    if lower.endswith(_YAML_NAMES) or _YAML.search(text) is not None:
        return "yaml"
    return ""


def may_be_keras(file: BinaryIO, kind: str) -> bool:
    """Whether a file that could not be read has what every Keras file of its kind has.

    HDF5 can hide any text in a compressed heap, so there the answer is always yes.
    """
    if kind not in ("zip", "json", "yaml"):
        return True
    words = _ZIP_WORDS if kind == "zip" else _TEXT_WORDS
    tail = b""
    while piece := file.read(_PIECE):
        # UTF-16 and UTF-32 put zero bytes between the letters.
        window = tail + piece.replace(b"\0", b"")
        if any(word in window for word in words):
            return True
        tail = window[-_OVERLAP:]
    return False


def _plain(head: bytes) -> bytes:
    for mark in _BOMS:
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"")
