"""Files that h5py and Keras wrote: the walker must see exactly what h5py sees."""

import io
from itertools import product
from pathlib import Path

import pytest

from secure_serial.artifact.hdf5 import ROOT_ATTRIBUTES, is_hdf5, read_hdf5
from secure_serial.artifact.source import ByteSource
from secure_serial.errors import UnsafeArtifact, UnsupportedFormat
from secure_serial.limits import MIB, Limits

h5py = pytest.importorskip("h5py")
np = pytest.importorskip("numpy")

CORPUS = Path(__file__).resolve().parents[3] / ".." / "shared" / "corpus" / "real" / "files"
REAL = sorted(CORPUS.glob("*.h5"))


class CountingSource(ByteSource):
    """A source that knows how much was read through it."""

    __slots__ = ("count",)

    def __init__(self, file):
        super().__init__(file)
        self.count = 0

    def read_at(self, offset, length):
        self.count += length
        return super().read_at(offset, length)


def walk(path, **options):
    with Path(path).open("rb") as file:
        found = read_hdf5(ByteSource(file), Limits(), **options)
    arrays = {array.path: (array.shape, array.itemsize) for array in found.datasets}
    return found.attributes, arrays, set(found.groups)


def as_h5py_sees(path):
    """The same three things, by way of the C library."""
    arrays, groups = {}, set()

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            arrays[name] = (item.shape, item.dtype.itemsize)
        else:
            groups.add(name)

    with h5py.File(path, "r") as file:
        file.visititems(visit)
        values = {name: file.attrs[name] for name in ROOT_ATTRIBUTES if name in file.attrs}
    texts = {
        name: value.encode() if isinstance(value, str) else bytes(value)
        for name, value in values.items()
    }
    return texts, arrays, groups


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_legacy_file_reads_as_h5py_reads_it(path):
    assert walk(path) == as_h5py_sees(path)


def fill(file, layers):
    for index in range(layers):
        group = file.create_group(f"layers/dense_{index}/vars")
        group.attrs["name"] = f"dense_{index}"
        group["0"] = np.ones((4, 5), "f4")
        group["1"] = np.float32(index)
    file["empty"] = np.arange(0)
    file.attrs["model_config"] = '{"name": "é"}'
    file.attrs["keras_version"] = np.bytes_(b"2.1.3")


@pytest.mark.parametrize(
    ("libver", "ordered", "layers"),
    list(
        product(
            ["earliest", ("v108", "latest"), ("v110", "latest"), "latest"],
            [False, True],
            [1, 9, 300],
        )
    ),
)
def test_groups_of_every_format_version_and_size(tmp_path, libver, ordered, layers):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=libver, track_order=ordered) as file:
        fill(file, layers)
    assert walk(path) == as_h5py_sees(path)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("strategy", ["page", "fsm", "none", "aggregate"])
def test_file_space_strategies_do_not_matter(tmp_path, libver, strategy):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=libver, fs_strategy=strategy) as file:
        fill(file, 3)
    assert walk(path) == as_h5py_sees(path)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_deleted_links_and_attributes_are_gone(tmp_path, libver):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=libver) as file:
        for index in range(200):
            file[f"d{index}"] = np.arange(index)
            file.attrs[f"a{index}"] = index
        for index in range(0, 200, 3):
            del file[f"d{index}"]
            del file.attrs[f"a{index}"]
        file.attrs["backend"] = "jax"
    assert walk(path) == as_h5py_sees(path)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("ordered", [False, True])
def test_text_attributes_of_every_size(tmp_path, libver, ordered):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=libver, track_order=ordered) as file:
        for index in range(60):
            file.attrs[f"a{index}"] = [f"text {index}", "", "more"]
        file.attrs["model_config"] = "é" * 300_000
        file.attrs["training_config"] = np.bytes_(b"x" * 6_000)
        file.attrs["backend"] = ""
        file.attrs["keras_version"] = b"3.15.1"
    assert walk(path) == as_h5py_sees(path)


def test_a_fixed_text_beyond_64_kib_is_read_from_the_heap_of_huge_objects(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["model_config"] = np.bytes_(b"y" * 200_000)
        file.attrs["backend"] = np.bytes_(b"z" * 4_000)
    assert walk(path)[0] == {"model_config": b"y" * 200_000, "backend": b"z" * 4_000}


@pytest.mark.parametrize(
    ("padding", "stored", "text"),
    [
        ("STR_NULLTERM", b"ab\0\0\0", b"ab"),
        ("STR_NULLPAD", b"ab\0\0\0", b"ab"),
        ("STR_SPACEPAD", b"ab   ", b"ab"),
    ],
)
def test_padding_of_fixed_text_is_stripped_as_h5py_strips_it(tmp_path, padding, stored, text):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(5)
        kind.set_strpad(getattr(h5py.h5t, padding))
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        attribute = h5py.h5a.create(file.id, b"backend", kind, space)
        attribute.write(np.array(stored, "S5"), mtype=kind)
    assert walk(path)[0] == {"backend": text} == as_h5py_sees(path)[0]


def test_only_the_attributes_asked_for_are_returned(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.attrs["backend"] = "jax"
        file.attrs["model_config"] = np.arange(3)  # no text, but nobody asks for it
        file.attrs["note"] = "n"
    assert walk(path, attributes=frozenset({"note", "absent"}))[0] == {"note": b"n"}
    with pytest.raises(UnsupportedFormat, match="model_config"):
        walk(path)


PIPELINES = [
    {"compression": compression, "shuffle": shuffle, "fletcher32": checksum}
    for compression, shuffle, checksum in product(
        [None, "gzip", "lzf"], [False, True], [False, True]
    )
]


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("pipeline", PIPELINES, ids=str)
@pytest.mark.parametrize("most", [None, (None, None)])
@pytest.mark.parametrize("chunks", [(7, 9), (100, 50)])
def test_chunked_and_filtered_datasets(tmp_path, libver, pipeline, most, chunks):
    path = tmp_path / "x.h5"
    data = np.random.default_rng(0).random((100, 50))
    with h5py.File(path, "w", libver=libver) as file:
        file.create_dataset("x", data=data, chunks=chunks, maxshape=most, **pipeline)
    assert walk(path) == as_h5py_sees(path)


def test_chunks_of_an_early_allocated_dataset_are_one_run(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="latest") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((7,))
        plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        space = h5py.h5s.create_simple((100,))
        h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F32LE, space, plan)
    assert walk(path) == as_h5py_sees(path)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_every_type_that_weights_have(tmp_path, libver):
    small = pytest.importorskip("ml_dtypes")
    path = tmp_path / "x.h5"
    names = ["i1", "u1", "i2", "u4", "i8", ">i4", ">f8", "f2", "f4", "f8", "?", "c8", "c16", "S7"]
    with h5py.File(path, "w", libver=libver) as file:
        for index, name in enumerate(names):
            file[f"t{index}"] = np.zeros((5, 2), name)
        file["bfloat16"] = np.zeros(3, small.bfloat16)
        file["float8"] = np.zeros(3, small.float8_e4m3fn)
        file["scalar"] = np.float32(1)
        file.attrs["nothing"] = h5py.Empty("f4")
        file.attrs["flag"] = True
        file.attrs["complex"] = np.complex64(1)
        file.attrs["names"] = ["a", "b", ""]
    assert walk(path) == as_h5py_sees(path)


def test_a_compact_dataset_lives_in_its_header(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((4,))
        h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F32LE, space, plan)
    assert walk(path)[1] == {"x": ((4,), 4)}


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_weights_are_not_read(tmp_path, libver):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=libver) as file:
        for index in range(16):
            file[f"layers/dense_{index}/kernel"] = np.ones((1024, 1024), "f4")
    with path.open("rb") as file:
        source = CountingSource(file)
        found = read_hdf5(source, Limits())
    assert source.size > 64 * MIB
    assert len(found.datasets) == 16
    assert 0 < source.count < source.size // 300


def test_a_window_of_a_larger_file_is_read_as_a_file(tmp_path):
    """A `.keras` archive stores the weights file as it is, somewhere in the middle."""
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        fill(file, 3)
    data = stored.getvalue()
    outer = io.BytesIO(b"before" + data + b"behind")
    found = read_hdf5(ByteSource(outer, start=6, size=len(data)), Limits())
    assert found == read_hdf5(ByteSource(io.BytesIO(data)), Limits())
    assert len(found.datasets) == 7


def test_told_by_content_and_a_user_block_is_refused(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", userblock_size=1024) as file:
        file["x"] = np.ones(3)
    with path.open("rb") as file:
        assert is_hdf5(ByteSource(file))
        with pytest.raises(UnsafeArtifact, match="user block"):
            read_hdf5(ByteSource(file), Limits())
    other = ByteSource(io.BytesIO(b'{"class_name": "Sequential"}' * 100))
    assert not is_hdf5(other)
    with pytest.raises(UnsupportedFormat, match="not an HDF5 file"):
        read_hdf5(other, Limits())
