"""A copy of an archive is what our own strict reader takes, and differs in one member alone."""

import io
import zipfile

import pytest

from secure_serial.artifact.source import ByteSource
from secure_serial.artifact.zip_layout import Member, read_members
from secure_serial.artifact.zip_read import ZipReader
from secure_serial.artifact.zip_write import copy_with
from secure_serial.limits import GIB, MIB, Limits


def archive(*members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in members:
            made.writestr(name, content)
    return file


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_one_member_is_new_and_the_others_are_as_they_were(method):
    members = [("metadata.json", "{}"), ("config.json", "old"), ("weights.h5", bytes(range(256)) * 99),
               ("assets/", ""), ("assets/é.txt", "words")]  # fmt: skip
    file, out = archive(*members, method=method), io.BytesIO()
    copy_with(ZipReader(file, Limits()), "config.json", b"a longer text", out)
    with zipfile.ZipFile(out) as made, zipfile.ZipFile(file) as old:
        assert made.testzip() is None
        assert made.namelist() == old.namelist()
        for name in old.namelist():
            expected = b"a longer text" if name == "config.json" else old.read(name)
            assert made.read(name) == expected
            assert made.getinfo(name).is_dir() == old.getinfo(name).is_dir()
            if name != "config.json":
                assert made.getinfo(name).compress_size == old.getinfo(name).compress_size
    again = ZipReader(out, Limits())
    assert again.read("config.json", 100) == b"a longer text"


def test_the_same_archive_gives_the_same_copy():
    file = archive(("config.json", "old"), ("a", "b"))
    copies = [io.BytesIO(), io.BytesIO()]
    for out in copies:
        copy_with(ZipReader(file, Limits()), "config.json", b"new", out)
    assert copies[0].getvalue() == copies[1].getvalue()


class Sparse(io.RawIOBase):
    """A file that keeps small pieces and takes large ones for zeros."""

    def __init__(self):
        self.pieces, self.size = [], 0

    def write(self, data):
        if len(data) < MIB:
            self.pieces.append((self.size, bytes(data)))
        self.size += len(data)
        return len(data)

    def seek(self, at, whence=0):
        self.at = at if whence == 0 else self.size + at
        return self.at

    def read(self, count=-1):
        found = bytearray(min(count, self.size - self.at))
        for start, data in self.pieces:
            for place in range(max(start, self.at), min(start + len(data), self.at + len(found))):
                found[place - self.at] = data[place - start]
        self.at += len(found)
        return bytes(found)


class Large:
    """Stands for the reader of an archive of large members, all zeros."""

    def __init__(self, *members):
        self.members = members

    def raw(self, member):
        zeros = bytes(MIB)
        return (zeros for _ in range(member.stored // MIB))


def test_what_takes_more_than_32_bits_is_written_wide():
    members = [
        Member("config.json", 0, 3, 3, 0, 0),
        Member("large", 0, 5 * GIB, 5 * GIB, 1, 0),
        Member("behind", 0, MIB, MIB, 2, 0),
    ]
    out = Sparse()
    copy_with(Large(*members), "config.json", b"new", out)
    again = read_members(ByteSource(out, size=out.size), Limits(compression_ratio=1 << 40))
    assert [(each.name, each.size, each.crc) for each in again[1:]] == [
        ("large", 5 * GIB, 1), ("behind", MIB, 2)
    ]  # fmt: skip
    assert again[2].start > 5 * GIB


def test_more_members_than_16_bits_count_are_written_wide():
    members = [Member(f"m{number}", 0, 0, 0, 0, 0) for number in range(70_000)]
    out = io.BytesIO()
    copy_with(Large(*members), "config.json", b"", out)
    again = read_members(ByteSource(out), Limits(archive_members=100_000))
    assert len(again) == 70_000
