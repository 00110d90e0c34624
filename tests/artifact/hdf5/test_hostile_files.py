"""Everything that an HDF5 file may not do here, built with h5py or by changing its bytes."""

import io
import struct
from contextlib import contextmanager

import pytest

from secure_serial.artifact.hdf5 import read_hdf5
from secure_serial.artifact.hdf5.checksum import lookup3
from secure_serial.artifact.source import ByteSource
from secure_serial.errors import (
    LimitExceeded,
    MalformedArtifact,
    UnsafeArtifact,
    UnsupportedFormat,
)
from secure_serial.limits import GIB, KIB, MIB, Limits

h5py = pytest.importorskip("h5py")
np = pytest.importorskip("numpy")

UNDEFINED = b"\xff" * 8


@contextmanager
def written(**options):
    """An open file, and where its bytes are once it is closed."""
    stored = io.BytesIO()
    with h5py.File(stored, "w", **options) as file:
        yield file, stored


def built(build, **options):
    with written(**options) as (file, stored):
        build(file)
    return stored.getvalue()


def read(data, **limits):
    return read_hdf5(ByteSource(io.BytesIO(data)), Limits(**limits))


def replaced(data, old, new):
    assert data.count(old) == 1
    return data.replace(old, new)


def number(value):
    return struct.pack("<Q", value)


def one_dataset(file):
    file["x"] = np.arange(12, dtype="f4").reshape(3, 4)


# --- links (CVE-2026-12570, keras 8a37f9dadd and after) ---


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize(
    ("link", "kind", "target"),
    [
        ("SoftLink", "a soft", "/etc/target"),
        ("ExternalLink", "an external", "other.h5"),
    ],
)
@pytest.mark.parametrize("many", [False, True])
def test_links_that_are_not_hard_are_named_with_their_target(libver, link, kind, target, many):
    def build(file):
        for index in range(30 if many else 1):
            file[f"layers/d{index}"] = np.ones(2)
        arguments = (target,) if link == "SoftLink" else (target, "/x")
        file["layers/leak"] = getattr(h5py, link)(*arguments)

    with pytest.raises(UnsafeArtifact, match=f"'leak' is {kind} link.*{target}") as caught:
        read(built(build, libver=libver))
    assert caught.value.where.pointer == "/layers"


def test_user_defined_links_are_refused():
    data = built(lambda file: file.__setitem__("leak", h5py.SoftLink("/target")), libver="latest")
    at = data.index(b"leak") - 4  # version, flags, type, length of the name, name
    assert data[at : at + 4] == b"\x01\x08\x01\x04"
    with pytest.raises(UnsafeArtifact, match=r"'leak' is a user-defined \(99\) link"):
        read(with_checksum(data, at + 2, b"\x63", b"OHDR"))


def with_checksum(data, position, patch, signature):
    """Change bytes of a checksummed header that begins with `signature`, and sign it again."""
    start = data.rindex(signature, 0, position)
    sized = {0: 1, 1: 2, 2: 4, 3: 8}[data[start + 5] & 3]
    head = 6 + (16 if data[start + 5] & 0x20 else 0) + (4 if data[start + 5] & 0x10 else 0)
    size = int.from_bytes(data[start + head : start + head + sized], "little")
    end = start + head + sized + size
    body = bytearray(data[start:end])
    body[position - start : position - start + len(patch)] = patch
    return data[:start] + bytes(body) + struct.pack("<I", lookup3(bytes(body))) + data[end + 4 :]


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_a_hard_link_to_an_ancestor_is_a_cycle(libver):
    def build(file):
        file.create_group("a/b")
        file["a/b/up"] = file["a"]

    with pytest.raises(UnsafeArtifact, match="another name") as caught:
        read(built(build, libver=libver))
    assert caught.value.where.pointer == "/a/b/up"


def test_a_dataset_with_two_names_is_refused():
    def build(file):
        one_dataset(file)
        file["y"] = file["x"]

    with pytest.raises(UnsafeArtifact, match="another name"):
        read(built(build))


# --- storage (CVE-2026-1669) ---


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_external_storage_is_refused(libver):
    def build(file):
        file.create_dataset("x", (4,), "u1", external=[("/etc/passwd", 0, 4)])

    with pytest.raises(UnsafeArtifact, match="external storage") as caught:
        read(built(build, libver=libver))
    assert caught.value.where.pointer == "/x"


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_virtual_datasets_are_refused(libver):
    def build(file):
        layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
        layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4,))
        file.create_virtual_dataset("x", layout)

    with pytest.raises(UnsafeArtifact, match="virtual dataset"):
        read(built(build, libver=libver))


# --- types ---


FORBIDDEN = {
    "object reference": h5py.ref_dtype,
    "region reference": h5py.regionref_dtype,
    "opaque": np.dtype("V5"),
    "tagged opaque": h5py.opaque_dtype("M8[s]"),
    "compound": np.dtype([("a", "i4"), ("b", "f4")]),
    "compound of three": np.dtype([("r", "f4"), ("i", "f4"), ("j", "f4")]),
    "integer complex": np.dtype([("r", "i4"), ("i", "i4")]),
    "mixed complex": np.dtype([("r", "f4"), ("i", ">f4")]),
    "reference complex": np.dtype([("r", h5py.ref_dtype), ("i", h5py.ref_dtype)]),
    "sequence": h5py.vlen_dtype("i4"),
    "enumeration": h5py.enum_dtype({"A": 0, "B": 1}),
    "renamed bool": h5py.enum_dtype({"FALSE": 1, "TRUE": 0}, "i1"),
    "array": np.dtype(("i4", (2,))),
}


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("attribute", [False, True])
@pytest.mark.parametrize("name", FORBIDDEN)
def test_types_that_are_neither_numbers_nor_text_are_refused(libver, name, attribute):
    def build(file):
        kind = h5py.h5t.py_create(FORBIDDEN[name], logical=True)
        space = h5py.h5s.create_simple((3,))
        create = h5py.h5a.create if attribute else h5py.h5d.create
        create(file.id, b"x", kind, space)

    with pytest.raises(UnsafeArtifact, match="HDF5"):
        read(built(build, libver=libver))


def test_a_tag_that_makes_h5py_build_python_objects_is_refused():
    """h5py hands the text behind "NUMPY:" to numpy.dtype; "O" is a pointer."""

    def build(file):
        kind = h5py.h5t.create(h5py.h5t.OPAQUE, 2)
        kind.set_tag(b"NUMPY:O")
        h5py.h5d.create(file.id, b"x", kind, h5py.h5s.create_simple((4,)))

    with pytest.raises(UnsafeArtifact, match="opaque"):
        read(built(build))


def test_types_that_are_rare_are_unsupported():
    for build, what in [
        (lambda file: file.__setitem__("t", np.dtype("f4")), "committed datatype"),
        (lambda file: file.create_dataset("x", data=["text"]), "variable-length text"),
        (lambda file: file.__setitem__("x", np.zeros(2, "g")), "half, single and double"),
        (lambda file: file.create_dataset("x", data=h5py.Empty("f4")), "null dataspace"),
    ]:
        with pytest.raises(UnsupportedFormat, match=what):
            read(built(build))


def test_a_dataset_of_a_committed_type_is_unsupported():
    def build(file):
        file["a"] = np.dtype("f4")
        file.create_dataset("x", data=np.ones(3, "f4"), dtype=file["a"])

    with pytest.raises(UnsupportedFormat, match=r"committed datatype|shared"):
        read(built(build))


@pytest.mark.parametrize("name", ["scaleoffset", "szip"])
def test_filters_that_are_not_known_are_refused(name):
    if name == "szip" and not h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
        pytest.skip("no szip in this build")

    def build(file):
        options = {"scaleoffset": 4} if name == "scaleoffset" else {"compression": "szip"}
        file.create_dataset("x", data=np.ones((8, 8), "i4"), chunks=(8, 8), **options)

    with pytest.raises(UnsupportedFormat, match="HDF5 filter"):
        read(built(build))


def test_growing_chunk_indexes_are_refused_by_name():
    def build(file):
        file.create_dataset("x", data=np.ones(9), chunks=(3,), maxshape=(None,))

    with pytest.raises(UnsupportedFormat, match="extensible array"):
        read(built(build, libver="latest"))


# --- bombs (CVE-2026-0897, CVE-2026-12480, CVE-2026-9335) ---


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="contiguous"),
        pytest.param({"chunks": (1024, 1024)}, id="chunked"),
        pytest.param({"chunks": (1024, 1024), "compression": "gzip"}, id="filtered"),
        pytest.param({"chunks": (1, 1), "fillvalue": 7}, id="fill value"),
    ],
)
def test_an_unallocated_dataset_is_a_bomb_from_the_floor_on(libver, options):
    def build(file):
        file.create_dataset("x", (2048, 2048), "f4", **options)

    data = built(build, libver=libver)
    assert read(data).datasets[0].shape == (2048, 2048)  # 16 MiB, the floor
    with pytest.raises(LimitExceeded, match="bomb"):
        read(data, ratio_floor_bytes=16 * MIB - 1)


def test_the_floor_is_one_for_the_whole_file():
    def build(file):
        for index in range(5):
            file.create_dataset(f"x{index}", (1024, 1024), "f4")

    with pytest.raises(LimitExceeded, match="bomb"):
        read(built(build))


def test_a_huge_declared_shape_is_refused():
    data = built(lambda file: file.create_dataset("x", (1 << 20, 1 << 20), "f4"))
    with pytest.raises(LimitExceeded, match="hdf5_bytes"):
        read(data)


def test_a_stored_shape_that_was_changed_does_not_fit_its_bytes():
    data = built(one_dataset)
    bomb = replaced(data, number(3) + number(4) + number(3) + number(4), 4 * number(1 << 14))
    with pytest.raises(MalformedArtifact, match="declares 1073741824 bytes and stores 48"):
        read(bomb)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_compression_beyond_the_ratio_is_a_bomb(libver):
    def build(file):
        file.create_dataset("x", data=np.zeros((1024, 1024)), chunks=(512, 1024), compression=9)

    data = built(build, libver=libver)
    assert len(data) < 32 * KIB
    assert read(data).datasets[0].shape == (1024, 1024)
    assert read(data, ratio_floor_bytes=0, compression_ratio=1100)
    with pytest.raises(LimitExceeded, match="bomb"):
        read(data, ratio_floor_bytes=6 * MIB)


def test_one_chunk_larger_than_its_dataset_counts_whole():
    def build(file):
        file.create_dataset("x", (1,), "f4", maxshape=(1 << 26,), chunks=(1 << 26,))

    with pytest.raises(LimitExceeded, match="268435456 bytes"):
        read(built(build))


def test_datasets_that_share_bytes_are_refused():
    def build(file):
        file["x"] = np.arange(100.0)
        file["y"] = np.arange(100.0)

    data = built(build)
    with h5py.File(io.BytesIO(data)) as file:
        first, second = (number(file[name].id.get_offset()) for name in "xy")
    with pytest.raises(UnsafeArtifact, match="overlap"):
        read(replaced(data, second + number(800), first + number(800)))


def test_chunks_that_share_bytes_are_refused():
    def build(file):
        file.create_dataset("x", data=np.arange(64.0), chunks=(32,))

    data = built(build)
    with h5py.File(io.BytesIO(data)) as file:
        first, second = (file["x"].id.get_chunk_info(i).byte_offset for i in range(2))
    with pytest.raises(UnsafeArtifact, match="overlap"):
        read(replaced(data, number(second), number(first)))


def test_stored_bytes_outside_the_file_are_refused():
    data = built(one_dataset)
    with h5py.File(io.BytesIO(data)) as file:
        offset = number(file["x"].id.get_offset())
    with pytest.raises(MalformedArtifact, match="beyond the file's end"):
        read(replaced(data, offset + number(48), number(len(data) - 47) + number(48)))


def test_an_attribute_that_declares_more_than_its_message_holds_is_refused():
    data = built(lambda file: file.attrs.__setitem__("a", np.arange(7)))
    with pytest.raises(MalformedArtifact, match="declares"):
        read(replaced(data, number(7) + number(7), number(1 << 60) + number(1 << 60)))


def test_text_references_must_be_as_long_as_their_objects():
    """The C library copies by one length into room made by the other."""
    data = built(lambda file: file.attrs.__setitem__("model_config", "x" * 1000))
    at = data.index(struct.pack("<I", 1000), data.index(b"model_config"))
    with pytest.raises(MalformedArtifact, match="has 1000"):
        read(data[:at] + struct.pack("<I", 8) + data[at + 4 :])


@pytest.mark.parametrize("size", [0, 8, 16])
def test_the_free_space_of_a_global_heap_must_fill_it(size):
    """h5py 3.16 with HDF5 2.0.0 never returns from reading an attribute of such a file."""
    data = bytearray(built(lambda file: file.attrs.__setitem__("model_config", "x" * 1000)))
    free = data.index(b"GCOL") + 16 + 16 + 1000
    assert data[free : free + 2] == b"\0\0"
    assert struct.unpack_from("<Q", data, free + 8)[0] == 4096 - 16 - 16 - 1000
    data[free + 8 : free + 16] = number(size)
    with pytest.raises(MalformedArtifact, match="free space"):
        read(bytes(data))


# --- limits ---


def test_objects_are_counted_with_their_attributes():
    def build(file):
        for index in range(6):
            file.create_dataset(f"g{index}/x", data=np.ones(2)).attrs["a"] = 1

    data = built(build)
    assert len(read(data, hdf5_objects=19).datasets) == 6
    with pytest.raises(LimitExceeded, match="18 groups"):
        read(data, hdf5_objects=18)


def test_groups_nest_as_deep_as_the_limit():
    data = built(lambda file: file.create_group("/".join(["g"] * 40)))
    assert len(read(data, depth=40).groups) == 40
    with pytest.raises(LimitExceeded, match="deeper"):
        read(data, depth=39)


def test_deep_nesting_costs_no_stack():
    data = built(lambda file: file.create_group("/".join(["g"] * 1500)))
    assert len(read(data, depth=10_000).groups) == 1500


@pytest.mark.parametrize("fixed", [False, True])
def test_config_text_is_bounded(fixed):
    text = "x" * 5000
    data = built(
        lambda file: file.attrs.__setitem__("model_config", np.bytes_(text) if fixed else text)
    )
    assert read(data, config_bytes=5000).attributes
    with pytest.raises(LimitExceeded, match="config_bytes"):
        read(data, config_bytes=4999)


def test_the_sum_of_all_datasets_is_bounded():
    def build(file):
        file["x"] = np.ones(1000, "f4")
        file["y"] = np.ones(1000, "f4")

    data = built(build)
    assert read(data, hdf5_bytes=8000)
    with pytest.raises(LimitExceeded, match="hdf5_bytes"):
        read(data, hdf5_bytes=7999)


def test_structures_that_overlap_do_not_multiply_the_work():
    """A thousand groups with one heap of names: read once, refused the second time."""

    def build(file):
        for index in range(1000):
            file.create_group(f"g{index:04}")

    data = bytearray(built(build))
    at = [i for i in range(0, len(data), 8) if data[i : i + 4] == b"HEAP"]
    assert len(at) == 1001
    for place in at[1:]:
        data[place + 8 : place + 32] = number(len(data)) + number(1) + number(0)
    with pytest.raises(LimitExceeded, match="overlap"):
        read(bytes(data))


# --- names ---


@pytest.mark.parametrize("name", ["..", ".", "a\nb", "a\x1bb", "a\x7fb", "a\u202eb", "a/b"])
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_names_that_are_no_plain_component_are_refused(name, libver):
    raw = name.encode()
    stand_in = b"q" * len(raw)
    data = built(lambda file: file.create_group(stand_in.decode()), libver=libver)
    if libver == "earliest":
        data = replaced(data, stand_in + b"\0", raw + b"\0")
    else:
        at = next(
            i for i in range(len(data)) if data[i : i + len(raw)] == stand_in and data[i - 2] == 0
        )
        data = with_checksum(data, at, raw, b"OHDR")
    with pytest.raises(UnsafeArtifact, match="plain component"):
        read(data)


def test_a_name_twice_is_refused():
    data = built(lambda file: [file.create_group(name) for name in ("aa", "bb")])
    with pytest.raises(MalformedArtifact, match="in its place, or twice"):
        read(replaced(data, b"bb\0", b"aa\0"))
    compact = built(
        lambda file: [file.create_group(name) for name in ("aa", "bb")], libver="latest"
    )
    with pytest.raises(MalformedArtifact, match="there twice"):
        read(with_checksum(compact, compact.index(b"bb"), b"aa", b"OHDR"))


def test_an_endless_name_is_refused():
    data = built(lambda file: file.create_group("n" * 2000))
    with pytest.raises(LimitExceeded, match="2000 bytes"):
        read(data)


# --- the file as a whole ---


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_the_file_ends_where_it_says(libver):
    data = built(one_dataset, libver=libver)
    for changed in (data[:-1], data + b"PK", data[: len(data) // 2], data[:60]):
        with pytest.raises(MalformedArtifact):
            read(changed)


def test_a_driver_block_names_other_files():
    data = bytearray(built(one_dataset))
    data[48:56] = number(96)
    with pytest.raises(UnsafeArtifact, match="several files"):
        read(bytes(data))


@pytest.mark.parametrize(
    ("position", "value", "error", "message"),
    [
        (8, 9, UnsupportedFormat, "superblock version 9"),
        (13, 4, UnsupportedFormat, "8-byte"),
        (14, 4, UnsupportedFormat, "8-byte"),
        (24, 8, UnsafeArtifact, "base address"),
        (32, 1, UnsupportedFormat, "free-space index"),
    ],
)
def test_superblock_fields(position, value, error, message):
    data = bytearray(built(one_dataset))
    data[position] = value
    with pytest.raises(error, match=message):
        read(bytes(data))


@pytest.mark.parametrize("signature", [b"OHDR", b"FRHP", b"BTHD", b"FHDB", b"BTLF", b"\x89HDF"])
def test_checksums_are_verified(signature):
    def build(file):
        for index in range(30):
            file[f"d{index}"] = np.ones(2)

    data = bytearray(built(build, libver="latest"))
    data[data.index(signature) + 11] ^= 0x40
    with pytest.raises(MalformedArtifact):
        read(bytes(data))


def test_an_open_file_is_refused():
    data = bytearray(built(one_dataset, libver="latest"))
    data[11] |= 1
    data[44:48] = struct.pack("<I", lookup3(bytes(data[:44])))
    with pytest.raises(MalformedArtifact, match="not closed"):
        read(bytes(data))


def test_a_second_symbol_table_in_the_parent_is_refused():
    """The superblock and symbol nodes hold copies of a group's table; readers may use either."""

    def build(file):
        file.create_group("a")["x"] = np.ones(2)

    data = built(build)
    table = data[80:96]  # the scratch of the superblock's root entry: tree and heap
    with pytest.raises(MalformedArtifact, match="another symbol table"):
        read(data[:80] + table[8:] + table[:8] + data[96:])


def test_a_large_honest_file_passes_where_a_bomb_of_its_size_does_not():
    data = built(lambda file: file.__setitem__("x", np.ones((1024, 4096), "f8")))
    assert read(data, ratio_floor_bytes=0).datasets[0].itemsize == 8
    assert len(data) < GIB
