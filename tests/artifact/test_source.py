"""A stretch of a file that is read as a file of its own."""

from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_serial.artifact.document import Stretch
from secure_serial.artifact.faults import Fault
from secure_serial.artifact.source import Window
from secure_serial.errors import MalformedArtifact

INSIDE = bytes(range(1, 41))
BEFORE, BEHIND = b"before", b"behind"
CRC = zlib.crc32(INSIDE)


def window(crc=CRC):
    file = io.BytesIO(BEFORE + INSIDE + BEHIND)
    return file, Window(file, Stretch(len(BEFORE), len(INSIDE), crc))


places = st.integers(-60, 60)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("seek"), st.integers(0, 60), st.just(0)),
        st.tuples(st.just("seek"), places, st.sampled_from([1, 2])),
        st.tuples(st.just("read"), st.integers(-1, 60)),
        st.tuples(st.just("tell")),
    ),
    max_size=12,
)


@given(steps)
def test_it_reads_as_a_file_of_these_bytes_alone(taken):
    alone, (file, seen) = io.BytesIO(INSIDE), window()
    for name, *given_ in taken:
        file.seek(3)  # whoever reads the whole file meanwhile moves nothing here
        assert getattr(seen, name)(*given_) == getattr(alone, name)(*given_)


def test_it_fills_no_more_of_a_buffer_than_it_has():
    _, seen = window()
    buffer = bytearray(b"." * 50)
    seen.seek(30)
    assert seen.readinto(buffer) == 10
    assert buffer == INSIDE[30:] + b"." * 40


def test_closing_it_leaves_the_file_open():
    file, seen = window()
    seen.close()
    assert not file.closed


def test_bytes_that_a_checksum_was_not_taken_of_are_refused():
    window()[1].check()
    with pytest.raises(MalformedArtifact) as caught:
        window(crc=1)[1].check()
    assert caught.value.code == Fault.CHECKSUM
