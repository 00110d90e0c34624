"""The members of a zip archive, read so strictly that every reader must see the same ones.

Each byte of the archive belongs to exactly one thing: the members tile it from the first
byte to the central directory, and the end record ends it. So nothing stands before, between
or after, nothing overlaps, and no comment hides anything. The local header of each member
says what the central directory says. Only stored and deflated members, unencrypted, without
links and devices.

Own code over the raw records (APPNOTE.TXT 6.3.10) because `zipfile` searches for the end
record, trusts the central directory and tolerates all of the above.
"""

from __future__ import annotations

from dataclasses import dataclass
from stat import S_IFDIR, S_IFMT, S_IFREG
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.faults import Fault
from secure_serial.artifact.member_names import MAX_NAME_BYTES
from secure_serial.errors import LimitExceeded, MalformedArtifact, UnsafeArtifact, UnsupportedFormat

if TYPE_CHECKING:
    from secure_serial.artifact.source import ByteSource
    from secure_serial.limits import Limits

STORED = 0
DEFLATED = 8

END_MAGIC = b"PK\x05\x06"
_END = Struct("<4s4H2LH")  # section 4.3.16
_END64 = Struct("<4sQ2H2L4Q")  # section 4.3.14
_LOCATOR64 = Struct("<4sLQL")  # section 4.3.15
_CENTRAL = Struct("<4s2B5H3L5H2L")  # section 4.3.12
_LOCAL = Struct("<4s5H3L2H")  # section 4.3.7
_DESCRIPTOR = Struct("<4s3L")  # section 4.3.9
_DESCRIPTOR64 = Struct("<4sL2Q")
_EXTRA = Struct("<2H")

_MAX16 = 0xFFFF
_MAX32 = 0xFFFFFFFF
# Deflate and zip64 need 4.5; more means other methods or encryption.
_MAX_VERSION = 45

_ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # section 4.4.4: traditional, strong, masked headers
_DESCRIPTOR_FLAG = 0x0008
_UTF8 = 0x0800
_KNOWN_FLAGS = 0x0006 | _DESCRIPTOR_FLAG | _UTF8  # 0x0006: how hard deflate tried

_ZIP64 = 0x0001
# Times and owners, as Info-ZIP, Windows and macOS write them: no meaning for the content.
_IGNORED_EXTRAS = frozenset({0x5455, 0x7875, 0x5855, 0x000A})
_MAX_EXTRA_BYTES = 256

# MS-DOS attributes: read-only, hidden, system, directory, archive, "normal" (0x80). Left out:
# volume label, device, reparse point.
_DOS_ATTRIBUTES = 0x01 | 0x02 | 0x04 | 0x10 | 0x20 | 0x80
_DOS_DIRECTORY = 0x10


@dataclass(frozen=True, slots=True)
class Member:
    """One member; `start` is where its bytes begin, in the archive."""

    name: str
    method: int
    size: int
    stored: int
    crc: int
    start: int

    @property
    def is_dir(self) -> bool:
        """Whether it is an entry for a folder."""
        return self.name.endswith("/")


class _Directory(NamedTuple):
    entries: int
    size: int
    offset: int


class _Entry(NamedTuple):
    """A record of the central directory, as far as anything depends on it."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    stored: int
    size: int
    offset: int


def read_members(source: ByteSource, limits: Limits) -> tuple[Member, ...]:
    """Every member, in the order of the central directory.

    Raises:
        MalformedArtifact: not a whole and consistent zip archive.
        UnsafeArtifact: encrypted, a link or device, or more than one way to read it.
        UnsupportedFormat: a variant that Keras never writes.
        LimitExceeded: too many or too large members.

    """
    directory = _read_end(source)
    if directory.entries > limits.archive_members:
        raise LimitExceeded(
            f"{directory.entries} members; the limit is {limits.archive_members}", code=Fault.BOMB
        )
    entries = _read_central(source, directory)
    tiles = [(entry.offset, *_read_local(source, entry)) for entry in entries]
    _check_tiling([(start, end) for start, end, _ in tiles], directory)
    members = tuple(member for _, _, member in tiles)
    _check_sizes(members, source.size, limits)
    return members


def ends_as_zip(source: ByteSource) -> bool:
    """Whether a lenient reader could take the bytes for a zip archive, by their end."""
    size = min(source.size, _END.size + _MAX16)
    base = source.size - size
    tail = source.read_at(base, size)
    at = tail.rfind(END_MAGIC)
    while at >= 0:
        if at + _END.size <= len(tail):
            _, _, _, _, count, length, _, _ = _END.unpack_from(tail, at)
            start = base + at - length
            # Weights may hold the magic number by chance; they do not hold a directory, too.
            if not count or (start >= 0 and source.read_at(start, 4) == b"PK\x01\x02"[:length]):
                return True
        at = tail.rfind(END_MAGIC, 0, at)
    return False


def _read_end(source: ByteSource) -> _Directory:
    at = source.size - _END.size
    if at < 0 or source.read_at(at, 4) != END_MAGIC:
        if ends_as_zip(source):
            raise UnsafeArtifact(
                "bytes or a comment after the archive's end record", code=Fault.ZIP_EXTRA_DATA
            )
        raise MalformedArtifact("the archive has no end record", code=Fault.ZIP_STRUCTURE)
    _, disk, first_disk, here, count, size, offset, comment = _END.unpack(
        source.read_at(at, _END.size)
    )
    if comment:
        raise MalformedArtifact("the end record is cut short", code=Fault.ZIP_STRUCTURE)
    if disk not in {0, _MAX16} or first_disk not in {0, _MAX16}:
        raise UnsupportedFormat("an archive of several volumes", code=Fault.ZIP_VARIANT)
    directory = _Directory(count, size, offset)
    stated = _read_end64(source, at - _LOCATOR64.size)
    if stated is not None:
        directory, at = stated
        for wide, narrow, limit in (
            (directory.entries, count, _MAX16),
            (directory.entries, here, _MAX16),
            (directory.size, size, _MAX32),
            (directory.offset, offset, _MAX32),
        ):
            if narrow not in {limit, wide}:
                _disagree("the two end records disagree")
    elif here != count:
        raise UnsupportedFormat("an archive of several volumes", code=Fault.ZIP_VARIANT)
    if directory.offset + directory.size != at:
        raise UnsafeArtifact(
            "bytes that belong to no member, before the members or the end record",
            code=Fault.ZIP_EXTRA_DATA,
        )
    return directory


def _read_end64(source: ByteSource, at: int) -> tuple[_Directory, int] | None:
    """The zip64 end record and where it starts, if its locator stands at `at`."""
    if at < 0:
        return None
    magic, disk, start, disks = _LOCATOR64.unpack(source.read_at(at, _LOCATOR64.size))
    if magic != b"PK\x06\x07":
        return None
    if start != at - _END64.size:
        raise UnsafeArtifact("the zip64 end record stands apart", code=Fault.ZIP_EXTRA_DATA)
    (magic, length, _, _, this, first, here, count, size, offset) = _END64.unpack(
        source.read_at(start, _END64.size)
    )
    if magic != b"PK\x06\x06" or length != _END64.size - 12:
        raise MalformedArtifact("no zip64 end record where it should be", code=Fault.ZIP_STRUCTURE)
    if disk or this or first or disks != 1 or here != count:
        raise UnsupportedFormat("an archive of several volumes", code=Fault.ZIP_VARIANT)
    return _Directory(count, size, offset), start


def _read_central(source: ByteSource, directory: _Directory) -> list[_Entry]:
    if directory.size > directory.entries * (_CENTRAL.size + MAX_NAME_BYTES + _MAX_EXTRA_BYTES):
        raise MalformedArtifact(
            "the central directory is larger than its entries can be", code=Fault.ZIP_STRUCTURE
        )
    data = source.read_at(directory.offset, directory.size)
    entries = []
    at = 0
    for _ in range(directory.entries):
        entry, at = _central_entry(data, at)
        entries.append(entry)
    if at != len(data):
        raise UnsafeArtifact("bytes after the last entry", code=Fault.ZIP_EXTRA_DATA)
    return entries


def _central_entry(data: bytes, at: int) -> tuple[_Entry, int]:
    if at + _CENTRAL.size > len(data) or data[at : at + 4] != b"PK\x01\x02":
        raise MalformedArtifact("the central directory is broken", code=Fault.ZIP_STRUCTURE)
    (_, _, _, version, flags, method, _, _, crc, stored, size, name_length, extra_length,
     comment_length, disk, _, attributes, offset) = _CENTRAL.unpack_from(data, at)  # fmt: skip
    at += _CENTRAL.size
    end = at + name_length + extra_length
    if end > len(data):
        raise MalformedArtifact("the central directory is cut short", code=Fault.ZIP_STRUCTURE)
    raw_name = data[at : at + name_length]
    _check_kind(raw_name, version, flags, method, attributes)
    if comment_length:
        raise UnsafeArtifact("a comment on a member", code=Fault.ZIP_EXTRA_DATA)
    if disk not in {0, _MAX16}:
        raise UnsupportedFormat("an archive of several volumes", code=Fault.ZIP_VARIANT)
    wide = _zip64_field(data[at + name_length : end])
    size, stored, offset = _widen(wide, (size, stored, offset))
    return _Entry(raw_name, flags, method, crc, stored, size, offset), end


def _check_kind(raw_name: bytes, version: int, flags: int, method: int, attributes: int) -> None:
    if flags & _ENCRYPTED:
        raise UnsafeArtifact(f"an encrypted member: {raw_name!r:.120}", code=Fault.ENCRYPTED)
    if flags & ~_KNOWN_FLAGS or version > _MAX_VERSION or method not in {STORED, DEFLATED}:
        raise UnsupportedFormat(
            f"a member with method {method}, flags {flags:#06x}, version {version}",
            code=Fault.ZIP_VARIANT,
        )
    kind = S_IFMT(attributes >> 16)
    is_dir = raw_name.endswith(b"/")
    if kind not in ({0, S_IFDIR} if is_dir else {0, S_IFREG}):
        raise UnsafeArtifact(
            f"a link, a device or a mislabelled folder: {raw_name!r:.120}", code=Fault.LINK
        )
    dos = attributes & _MAX16
    if dos & ~_DOS_ATTRIBUTES or (dos & _DOS_DIRECTORY and not is_dir):
        raise UnsafeArtifact(f"a member with odd attributes: {raw_name!r:.120}", code=Fault.LINK)


def _zip64_field(extra: bytes) -> bytes | None:
    """The zip64 extra field, if there is one; other fields must be known to be harmless."""
    if len(extra) > _MAX_EXTRA_BYTES:
        raise UnsupportedFormat("a very long extra field", code=Fault.ZIP_VARIANT)
    seen: dict[int, bytes] = {}
    at = 0
    while at < len(extra):
        if at + _EXTRA.size > len(extra):
            raise MalformedArtifact("a broken extra field", code=Fault.ZIP_STRUCTURE)
        kind, length = _EXTRA.unpack_from(extra, at)
        at += _EXTRA.size + length
        if at > len(extra) or kind in seen:
            raise MalformedArtifact("a broken extra field", code=Fault.ZIP_STRUCTURE)
        if kind != _ZIP64 and kind not in _IGNORED_EXTRAS:
            raise UnsupportedFormat(f"an extra field of kind {kind:#06x}", code=Fault.ZIP_VARIANT)
        seen[kind] = extra[at - length : at]
    return seen.get(_ZIP64)


def _widen(wide: bytes | None, narrow: tuple[int, ...]) -> tuple[int, ...]:
    """Each 32-bit value, or the 64-bit one that stands for it in the zip64 field, in order."""
    if wide is None:
        return narrow
    full = []
    at = 0
    for value in narrow:
        if value == _MAX32:
            full.append(int.from_bytes(wide[at : at + 8], "little"))
            at += 8
        else:
            full.append(value)
    if at != len(wide) and wide != b"".join(value.to_bytes(8, "little") for value in narrow):
        # Python before 3.11.4 says both sizes there again (python/cpython#103861).
        raise MalformedArtifact("a zip64 field of the wrong length", code=Fault.ZIP_STRUCTURE)
    return tuple(full)


def _read_local(source: ByteSource, entry: _Entry) -> tuple[int, Member]:
    """Where the member ends, and the member, if its own header agrees with the directory."""
    (magic, version, flags, method, _, _, crc, stored, size, name_length, extra_length) = (
        _LOCAL.unpack(source.read_at(entry.offset, _LOCAL.size))
    )
    if magic != b"PK\x03\x04":
        raise MalformedArtifact("no member where the directory says", code=Fault.ZIP_STRUCTURE)
    at = entry.offset + _LOCAL.size
    if source.read_at(at, name_length) != entry.raw_name:
        _disagree(f"the local header of {entry.raw_name!r:.120} has another name")
    wide = _zip64_field(source.read_at(at + name_length, extra_length))
    size, stored = _widen(wide, (size, stored))
    local, central = (crc, stored, size), (entry.crc, entry.stored, entry.size)
    start = at + name_length + extra_length
    end = start + entry.stored
    if flags & _DESCRIPTOR_FLAG:
        # The header was written before the data: what it left open is zero there.
        agree = all(value in {0, known} for value, known in zip(local, central, strict=True))
        end = _check_descriptor(source, entry, end, wide=wide is not None)
    else:
        agree = local == central
    if not agree or flags != entry.flags or method != entry.method or version > _MAX_VERSION:
        _disagree(f"the local header of {entry.raw_name!r:.120} says otherwise")
    if method == STORED and entry.stored != entry.size:
        _disagree(f"{entry.raw_name!r:.120} is stored, yet has two sizes")
    name = _decode_name(entry)
    if name.endswith("/") and entry.size:
        raise UnsafeArtifact(f"a folder that has content: {name!r:.120}", code=Fault.LINK)
    return end, Member(name, method, entry.size, entry.stored, entry.crc, start)


def _decode_name(entry: _Entry) -> str:
    # Without the flag, non-ASCII names mean what the reader's code page makes of them.
    encoding = "utf-8" if entry.flags & _UTF8 else "ascii"
    try:
        return entry.raw_name.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnsafeArtifact(
            f"a name that is not {encoding}: {entry.raw_name!r:.120}", code=Fault.MEMBER_NAME
        ) from error


def _check_descriptor(source: ByteSource, entry: _Entry, at: int, *, wide: bool) -> int:
    """Where the record ends that follows the data of a member written to a stream."""
    record = _DESCRIPTOR64 if wide else _DESCRIPTOR
    expected = (b"PK\x07\x08", entry.crc, entry.stored, entry.size)
    if record.unpack(source.read_at(at, record.size)) != expected:
        _disagree(f"the data descriptor of {entry.raw_name!r:.120} says otherwise")
    return at + record.size


def _check_tiling(tiles: list[tuple[int, int]], directory: _Directory) -> None:
    expected = 0
    for start, end in sorted(tiles):
        if start < expected:
            raise UnsafeArtifact("two members overlap", code=Fault.DUPLICATE_MEMBER)
        if start > expected:
            raise UnsafeArtifact("bytes before or between members", code=Fault.ZIP_EXTRA_DATA)
        expected = end
    if expected != directory.offset:
        raise UnsafeArtifact("bytes after the last member", code=Fault.ZIP_EXTRA_DATA)


def _check_sizes(members: tuple[Member, ...], archive_size: int, limits: Limits) -> None:
    total = sum(member.size for member in members)
    if total > limits.archive_bytes:
        raise LimitExceeded(
            f"{total} bytes in all; the limit is {limits.archive_bytes}", code=Fault.BOMB
        )
    for member in members:
        if member.size > limits.member_bytes:
            raise LimitExceeded(
                f"{member.name!r:.120} has {member.size} bytes; the limit is {limits.member_bytes}",
                code=Fault.BOMB,
            )
        _check_ratio(member.name, member.size, member.stored, limits)
    _check_ratio("the archive", total, archive_size, limits)


def _check_ratio(what: str, size: int, stored: int, limits: Limits) -> None:
    if size > limits.ratio_floor_bytes and size > stored * limits.compression_ratio:
        raise LimitExceeded(
            f"{what!r:.120} expands {stored} bytes to {size}; the limit is "
            f"{limits.compression_ratio} times",
            code=Fault.BOMB,
        )


def _disagree(message: str) -> None:
    raise UnsafeArtifact(message, code=Fault.ZIP_DISAGREES)
