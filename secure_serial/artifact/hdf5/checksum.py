"""The checksum of HDF5's metadata: Bob Jenkins's lookup3 (`hashlittle`, initial value 0).

Written from the public-domain description at https://burtleburtle.net/bob/c/lookup3.c, which
the HDF5 format specification names. It guards against accidents, not against people.
"""

from __future__ import annotations

import struct

_MASK = 0xFFFF_FFFF
_SEED = 0xDEAD_BEEF
_BLOCK = 12  # the hash takes three 32-bit words at a time


def lookup3(data: bytes) -> int:
    """The 32-bit lookup3 hash of `data`.

    >>> hex(lookup3(b"")), hex(lookup3(b"Four score and seven years ago"))
    ('0xdeadbeef', '0x17770551')
    """
    a = b = c = (_SEED + len(data)) & _MASK
    if not data:
        return c
    # The last block is hashed differently, and is full when the length allows it.
    blocks = (len(data) - 1) // _BLOCK
    words = iter(struct.unpack_from(f"<{3 * blocks}I", data))
    for x, y, z in zip(words, words, words, strict=True):
        a, b, c = _mix((a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK)
    x, y, z = struct.unpack("<3I", data[blocks * _BLOCK :].ljust(_BLOCK, b"\0"))
    return _final((a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK)


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a = ((a - c) ^ (c << 4 | c >> 28)) & _MASK
    c = (c + b) & _MASK
    b = ((b - a) ^ (a << 6 | a >> 26)) & _MASK
    a = (a + c) & _MASK
    c = ((c - b) ^ (b << 8 | b >> 24)) & _MASK
    b = (b + a) & _MASK
    a = ((a - c) ^ (c << 16 | c >> 16)) & _MASK
    c = (c + b) & _MASK
    b = ((b - a) ^ (a << 19 | a >> 13)) & _MASK
    a = (a + c) & _MASK
    c = ((c - b) ^ (b << 4 | b >> 28)) & _MASK
    b = (b + a) & _MASK
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    c = ((c ^ b) - (b << 14 | b >> 18)) & _MASK
    a = ((a ^ c) - (c << 11 | c >> 21)) & _MASK
    b = ((b ^ a) - (a << 25 | a >> 7)) & _MASK
    c = ((c ^ b) - (b << 16 | b >> 16)) & _MASK
    a = ((a ^ c) - (c << 4 | c >> 28)) & _MASK
    b = ((b ^ a) - (a << 14 | a >> 18)) & _MASK
    return ((c ^ b) - (b << 24 | b >> 8)) & _MASK
