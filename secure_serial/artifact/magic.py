"""What a file is that this package does not read: said by its first bytes, for the message."""

from __future__ import annotations

import re

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")

# First bytes, and what they say. Several model formats have none; see `_PATTERNS`.
_PREFIXES = (
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"GGUF", "a GGUF model"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"%PDF", "a PDF document"),
    (b"version https://git-lfs", "a Git LFS pointer: the file itself was not downloaded"),
    (b"<!DOCTYPE", "a web page: the download went wrong"),
    (b"<html", "a web page: the download went wrong"),
    (b"#!", "a script"),
)

# How much of a file `looks_like` wants to see: tar's magic number stands at 257.
HEAD_BYTES = 512

_PATTERNS = (
    (re.compile(rb"\x80[\x02-\x05]"), "a pickle"),
    # Protocols 0 and 1: a GLOBAL opcode with its two lines, or MARK and what follows it.
    (re.compile(rb"\(?[a-z]?c[\w.]+\n[\w.]+\n"), "a pickle"),
    (re.compile(rb"[(\]}](?:lp|dp|q|p|[IKXUVS(])"), "a pickle"),
    (re.compile(rb".{4}TFL3", re.DOTALL), "a TensorFlow Lite model"),
    (re.compile(rb".{257}ustar", re.DOTALL), "a tar archive"),
    (re.compile(rb".{6}\x00\x00\{", re.DOTALL), "a safetensors file"),
    (re.compile(rb"\x08\x01\x12"), "a TensorFlow SavedModel (protobuf)"),
    (re.compile(rb"\x08[\x02-\x0f][\x12\x1a]"), "an ONNX model"),
    (re.compile(rb"\x0a[\x01-\x08\x0b-\x1f\x80-\xff]"), "a protobuf, perhaps a TensorFlow graph"),
)


_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f\x80-\xff]")
# What no asset may be, because something could unpack or run it.
_ACTIVE = frozenset({"a pickle", "a program"})


def is_active(head: bytes) -> bool:
    r"""Whether the first bytes are those of an archive, a pickle or a program.

    >>> is_active(b"PK\x03\x04"), is_active(b"the\nof\nand\n")
    (True, False)
    """
    # A vocabulary may start with any word: what is text cannot be one of these.
    if not _BINARY.search(head):
        return False
    what = looks_like(head)
    return head.startswith(ZIP_MAGICS) or what in _ACTIVE or what.endswith("archive")


def looks_like(head: bytes) -> str:
    r"""What the first bytes of a file say it is, in words; "" if they say nothing.

    >>> looks_like(b"\x80\x04\x95")
    'a pickle'
    """
    for prefix, what in _PREFIXES:
        if head.startswith(prefix):
            return what
    for pattern, what in _PATTERNS:
        if pattern.match(head):
            return what
    return ""
