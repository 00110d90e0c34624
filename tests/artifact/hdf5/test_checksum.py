"""lookup3 by the vectors that its author published."""

import pytest

from secure_serial.artifact.hdf5.checksum import lookup3


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 0xDEADBEEF), (b"Four score and seven years ago", 0x17770551)],
)
def test_published_vectors(data, expected):
    assert lookup3(data) == expected


def test_every_length_hashes_differently_from_its_zero_padded_twin():
    data = bytes(range(1, 40))
    hashes = {lookup3(data[:size]) for size in range(40)}
    padded = {lookup3(data[:size] + b"\0") for size in range(40)}
    assert len(hashes) == 40
    assert not hashes & padded
