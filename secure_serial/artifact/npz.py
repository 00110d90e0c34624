"""Weights in NumPy's .npz form: names, shapes and sizes from the headers, nothing more.

A .npz file is a zip archive of .npy arrays. The header of each is a Python literal that
NumPy evaluates; here it must have the one spelling that NumPy writes. An array of objects is
a pickle, which runs code when it is read: refused.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, BinaryIO

from secure_serial.artifact.document import StoredArray
from secure_serial.artifact.faults import Fault, located
from secure_serial.artifact.member_names import check_path
from secure_serial.artifact.zip_read import ZipReader
from secure_serial.errors import MalformedArtifact, UnsafeArtifact

if TYPE_CHECKING:
    from secure_serial.limits import Limits

_MAGIC = b"\x93NUMPY"
# Bytes of the header's length field, by major version (numpy.lib.format).
_LENGTH_BYTES = {1: 2, 2: 4, 3: 4}
# numpy.lib.format's own bound on the header of a file that it does not trust.
_MAX_HEADER = 10_000
_HEADER = re.compile(
    rb"\{'descr': '(?P<order>[<>|=]?)(?P<kind>[A-Za-z])(?P<size>[0-9]{0,9})', "
    rb"'fortran_order': (?:True|False), "
    rb"'shape': \((?P<shape>(?:[0-9]{1,19},(?: |(?=\))))*(?:[0-9]{1,19})?)\),? ?\} *\n"
)
_DTYPE_KINDS = b"biufcSUV"  # V: bfloat16 and the like, which NumPy has no name for


def read_npz(file: BinaryIO, start: int, size: int, limits: Limits) -> tuple[StoredArray, ...]:
    """The arrays of a .npz file that lies in `file`.

    Raises:
        UnsafeArtifact: an array of pickled objects, or an unsafe name.
        MalformedArtifact: a header that NumPy did not write, or whose size is not true.

    """
    archive = ZipReader(file, limits, start=start, size=size)
    arrays = []
    names: set[str] = set()
    for member in archive.members:
        with located(pointer=f"/{member.name}"):
            check_path(member.name)
            if member.name in names:
                raise UnsafeArtifact("an array stands twice", code=Fault.DUPLICATE_MEMBER)
            names.add(member.name)
            head = archive.head(member, min(member.size, _MAX_HEADER + 12))
            arrays.append(_read_header(member.name, head, member.size))
    return tuple(arrays)


def _read_header(name: str, head: bytes, size: int) -> StoredArray:
    version = head[6] if len(head) > len(_MAGIC) and head.startswith(_MAGIC) else 0
    width = _LENGTH_BYTES.get(version, 0)
    length = int.from_bytes(head[8 : 8 + width], "little")
    begin = 8 + width
    match = _HEADER.fullmatch(head[begin : begin + length])
    if not width or match is None or not name.endswith(".npy"):
        if width and re.search(rb"'[<>|=]?O[0-9]*'", head[begin : begin + length]):
            _refuse_pickle()
        raise MalformedArtifact("not an array that NumPy wrote", code=Fault.NPY_HEADER)
    kind = match["kind"]
    if kind == b"O":
        _refuse_pickle()
    itemsize = int(match["size"] or b"1") * (4 if kind == b"U" else 1)
    shape = tuple(int(extent) for extent in match["shape"].replace(b" ", b"").split(b",") if extent)
    if kind not in _DTYPE_KINDS or begin + length + math.prod(shape) * itemsize != size:
        raise MalformedArtifact(
            "an array whose header does not fit its size", code=Fault.NPY_HEADER
        )
    return StoredArray(name.removesuffix(".npy"), shape, itemsize)


def _refuse_pickle() -> None:
    raise UnsafeArtifact(
        "an array of pickled objects, which runs code when it is read", code=Fault.PICKLED_ARRAY
    )
