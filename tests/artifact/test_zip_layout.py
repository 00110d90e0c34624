"""The strict zip reader: what zipfile writes is read, every lie about it is not."""

import io
import stat
import struct
import sys
import zipfile
import zlib

import pytest
from attack.rawzip import Entry, pack, unicode_path

from secure_serial.artifact.source import ByteSource
from secure_serial.artifact.zip_layout import ends_as_zip, read_members
from secure_serial.artifact.zip_read import ZipReader
from secure_serial.errors import ArtifactError, LimitExceeded, MalformedArtifact
from secure_serial.limits import Limits

LIMITS = Limits()
BODY = b"content of the member" * 5


def members(data, limits=LIMITS):
    return read_members(ByteSource(io.BytesIO(data)), limits)


class Unseekable(io.RawIOBase):
    """A stream that zipfile cannot go back in, so that it writes data descriptors."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += data
        return len(data)


def written(method=zipfile.ZIP_STORED, *, stream=False, zip64=False):
    target = Unseekable() if stream else io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name in ("config.json", "assets/ä.txt"):
            with archive.open(name, "w", force_zip64=zip64) as file:
                file.write(BODY)
    return bytes(target.data) if stream else target.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("zip64", [False, True])
def test_every_way_that_zipfile_writes_is_read_as_zipfile_reads_it(method, stream, zip64):
    data = written(method, stream=stream, zip64=zip64)
    reader = ZipReader(io.BytesIO(data), LIMITS)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        told = [(i.filename, i.file_size, i.compress_size, i.CRC) for i in archive.infolist()]
    assert [(m.name, m.size, m.stored, m.crc) for m in reader.members] == told
    assert reader.read("config.json", 1000) == BODY


def said_twice(data, told):
    """As Python before 3.11.4 writes it: the zip64 field of a local header beside true sizes."""
    at = data.index(struct.pack("<2H", 1, 16)) + 4
    head = data.index(b"\xff" * 8)
    sizes = struct.unpack_from("<2Q", data, at)
    data = data[:head] + struct.pack("<2L", *sizes) + data[head + 8 :]
    return data[:at] + struct.pack("<2Q", *(size + told for size in sizes)) + data[at + 16 :]


@pytest.mark.skipif(sys.version_info < (3, 11, 4), reason="this zipfile writes it so itself")
@pytest.mark.parametrize("stream", [False, True])
def test_sizes_told_twice_are_read_if_they_are_the_same(stream):
    data = written(stream=stream, zip64=True)
    assert members(said_twice(data, 0)) == members(data)
    with pytest.raises(MalformedArtifact, match="zip64 field"):
        members(said_twice(data, 1))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("zip64", [False, True])
def test_an_archive_cut_anywhere_is_refused(stream, zip64):
    data = written(stream=stream, zip64=zip64)
    for length in range(len(data)):
        with pytest.raises(ArtifactError):
            members(data[:length])


@pytest.mark.parametrize("stream", [False, True])
def test_a_byte_added_anywhere_is_refused(stream):
    data = written(stream=stream)
    for at in range(len(data) + 1):
        with pytest.raises(ArtifactError):
            ZipReader(io.BytesIO(data[:at] + b"\0" + data[at:]), LIMITS).read("config.json", 1000)


def test_a_changed_byte_is_refused_or_changes_nothing_that_is_read():
    data = written(zipfile.ZIP_DEFLATED, stream=True)
    good = ZipReader(io.BytesIO(data), LIMITS)
    listing = [(m.name, m.size) for m in good.members]
    for at in range(len(data)):
        for bit in (0x01, 0x80):
            changed = bytearray(data)
            changed[at] ^= bit
            try:
                reader = ZipReader(io.BytesIO(bytes(changed)), LIMITS)
                assert [(m.name, m.size) for m in reader.members] == listing
                assert reader.read("config.json", 1000) == BODY
            except ArtifactError:
                continue


def lie(**fields):
    return pack([Entry("config.json", BODY), Entry(**{"name": "assets/a", "data": BODY, **fields})])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (pack([Entry("a", BODY)], prefix=b"#!/bin/sh\n"), "SS121"),
        (pack([Entry("a", BODY)], prefix=b"#!/bin/sh\n", shift=False), "SS121"),
        (pack([Entry("a", BODY)], suffix=b"more"), "SS121"),
        (pack([Entry("a", BODY)], comment=b"a comment"), "SS121"),
        (pack([Entry("a", BODY), Entry("b", BODY)], gap=b"hidden"), "SS121"),
        (pack([Entry("a", BODY)], count=0), "SS120"),
        (pack([Entry("a", BODY)], count=2), "SS120"),
        (pack([Entry("a", BODY)], directory_offset=3), "SS121"),
        (pack([Entry("a", BODY)], directory_size=3), "SS121"),
        (lie(local_name="assets/b"), "SS122"),
        (lie(local_crc=1), "SS122"),
        (lie(local_size=1), "SS122"),
        (lie(local_compressed=1), "SS122"),
        (lie(size=1, local_size=1), "SS122"),
        (lie(local_method=8), "SS122"),
        (lie(offset=0, local_name="config.json", name="config.json"), "SS124"),
        (lie(flags=0x0001), "SS126"),
        (lie(flags=0x0040), "SS126"),
        (lie(flags=0x2000), "SS126"),
        (lie(flags=0x0020), "SS127"),
        (lie(method=12), "SS127"),
        (lie(method=93), "SS127"),
        (lie(disk=1), "SS127"),
        (lie(attributes=(stat.S_IFLNK | 0o777) << 16), "SS125"),
        (lie(attributes=stat.S_IFCHR << 16), "SS125"),
        (lie(attributes=stat.S_IFIFO << 16), "SS125"),
        (lie(attributes=stat.S_IFDIR << 16), "SS125"),
        (lie(attributes=0x0400), "SS125"),
        (lie(attributes=0x0010), "SS125"),
        (lie(name="assets/"), "SS125"),
        (lie(extra=unicode_path("assets/a", "../b")), "SS127"),
        (lie(extra=struct.pack("<HH", 1, 0) * 2), "SS120"),
        (lie(extra=b"\x01\x00\x09\x00"), "SS120"),
        (lie(extra=struct.pack("<HHQ", 1, 8, 5)), "SS120"),
        (lie(name="assets/\xe4"), "SS123"),
        (b"PK\x05\x06" + bytes(17), "SS120"),
    ],
)
def test_every_lie_has_its_code(data, code):
    with pytest.raises(ArtifactError) as caught:
        members(data)
    assert caught.value.code == code


def test_a_wrong_checksum_is_found_when_the_member_is_read():
    data = pack([Entry("a", BODY, crc=5, local_crc=5)])
    reader = ZipReader(io.BytesIO(data), LIMITS)
    with pytest.raises(MalformedArtifact) as caught:
        reader.read("a", 1000)
    assert caught.value.code == "SS130"


def deflated(body):
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(body) + stream.flush()


@pytest.mark.parametrize(
    "data",
    [
        b"not deflate",
        deflated(BODY)[:-1],
        deflated(BODY) + b"x",
        deflated(BODY + b"x"),
        deflated(BODY[:-1]),
        deflated(b"\0" * 100_000_000),
    ],
)
def test_a_deflated_member_that_is_not_what_it_says(data):
    size = len(BODY)
    raw = pack([Entry("a", data, method=8, size=size, local_size=size, crc=zlib.crc32(BODY),
                      local_crc=zlib.crc32(BODY))])  # fmt: skip
    with pytest.raises(MalformedArtifact) as caught:
        ZipReader(io.BytesIO(raw), LIMITS).read("a", 1000)
    assert caught.value.code == "SS130"


@pytest.mark.parametrize(
    "limits",
    [
        Limits(archive_members=1),
        Limits(member_bytes=len(BODY) - 1),
        Limits(archive_bytes=2 * len(BODY) - 1),
        Limits(ratio_floor_bytes=10, compression_ratio=1),
    ],
)
def test_each_limit_holds(limits):
    body = b"\0" * len(BODY)
    data = written_deflated(body)
    assert len(members(data)) == 2
    with pytest.raises(LimitExceeded) as caught:
        members(data, limits)
    assert caught.value.code == "SS129"


def written_deflated(body):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", body)
        archive.writestr("b", body)
    return target.getvalue()


def test_a_bomb_is_refused_before_it_is_expanded():
    data = written_deflated(b"\0" * (Limits().ratio_floor_bytes + 1))
    with pytest.raises(LimitExceeded, match="expands"):
        members(data)


def test_more_members_than_a_plain_end_record_can_count():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for index in range(70_000):
            archive.writestr(str(index), b"")
    data = target.getvalue()
    assert b"PK\x06\x06" in data
    assert len(members(data, Limits(archive_members=70_000))) == 70_000
    with pytest.raises(LimitExceeded):
        members(data)
    at = data.rindex(b"PK\x06\x06")
    for offset in (4, 16, 24, 40, 48, 56 + 4, 56 + 8, 76 + 8, 76 + 12):
        changed = bytearray(data)
        changed[at + offset] ^= 1
        with pytest.raises(ArtifactError):
            members(bytes(changed), Limits(archive_members=70_001))


def test_a_member_beyond_four_gigabytes_is_read_in_place(tmp_path):
    size = 5 << 30
    path = tmp_path / "large.zip"
    with path.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
        with archive.open("weights", "w", force_zip64=True) as member:
            member.write(b"head")
        archive.writestr("config.json", "{}")
    _stretch(path, size)
    with path.open("rb") as file:
        reader = ZipReader(file, Limits())
        assert [member.size for member in reader.members] == [size, 2]
        assert reader.head(reader.members[0], 4) == b"head"
        assert reader.read("config.json", 10) == b"{}"
    with zipfile.ZipFile(path) as archive:
        assert [info.file_size for info in archive.infolist()] == [size, 2]


def _stretch(path, size):
    """Give the first member `size` bytes, as zipfile would have written it: a sparse file."""
    with zipfile.ZipFile(path) as archive:
        first, second = archive.infolist()
        archive.fp.seek(second.header_offset)
        rest = archive.fp.read(archive.start_dir - second.header_offset)
        head_size = second.header_offset - first.file_size
    grown = size - first.file_size
    with path.open("r+b") as file:
        first.file_size = first.compress_size = size
        file.write(first.FileHeader(zip64=True))
        assert file.tell() == head_size
        file.seek(second.header_offset + grown)
        file.write(rest)
        start = file.tell()
        second.header_offset += grown
        archive = zipfile.ZipFile(io.BytesIO(), "w")
        archive.fp, archive.start_dir, archive.filelist = file, start, [first, second]
        archive._didModify = True
        archive._write_end_record()
        archive.fp = None


def test_the_end_of_an_archive_is_recognised_behind_anything():
    data = written()
    assert ends_as_zip(ByteSource(io.BytesIO(b"other" + data)))
    assert ends_as_zip(ByteSource(io.BytesIO(data + b"trailing")))
    assert not ends_as_zip(ByteSource(io.BytesIO(b"x" * 100 + b"PK\x05\x06" + b"x" * 50)))
    assert not ends_as_zip(ByteSource(io.BytesIO(b"")))
