"""Random damage: whatever happens to a file's bytes, only our errors come out, and soon."""

import io
import random
from collections import Counter

import pytest

from secure_serial.artifact.hdf5 import read_hdf5
from secure_serial.artifact.hdf5.fractal import FractalHeap
from secure_serial.artifact.hdf5.reader import READS_PER_BYTE, SLACK_BYTES, Reader
from secure_serial.artifact.source import ByteSource
from secure_serial.errors import ArtifactError
from secure_serial.limits import Limits

h5py = pytest.importorskip("h5py")
np = pytest.importorskip("numpy")

MUTANTS = 1500
WINDOWS = 8  # a read that is not repeated may fetch a window, larger than what is charged
INTERESTING = (0, 1, 2, 3, 4, 8, 16, 0x40, 0x7F, 0x80, 0xFE, 0xFF)


class CountingSource(ByteSource):
    """Counts the bytes that were read, which bounds the time without a clock."""

    __slots__ = ("count",)

    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.count = 0

    def read_at(self, offset, length):
        self.count += length
        return super().read_at(offset, length)


def seed_file(**options):
    stored = io.BytesIO()
    with h5py.File(stored, "w", **options) as file:
        for index in range(12):
            group = file.create_group(f"layers/dense_{index}")
            group["kernel"] = np.ones((3, 4), "f4")
            group.attrs["name"] = f"dense_{index}"
        file.create_dataset("z", data=np.arange(64.0), chunks=(8,), compression="gzip")
        file.create_dataset("b", data=np.zeros(4, "?"))
        file.create_dataset("c", data=np.zeros(4, "c8"))
        for index in range(12):
            file.attrs[f"a{index}"] = np.arange(index)
        file.attrs["model_config"] = '{"class_name": "Sequential"}'
        file.attrs["weights"] = ["a", "bc"]
    return stored.getvalue()


def mutate(data, chance):
    """A few changes: bits, telling bytes and numbers, moved bytes, cuts and insertions."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        size = len(changed)
        # Most of a file is empty room: a change there shows nothing.
        at = next((p for p in (chance.randrange(size) for _ in range(30)) if changed[p]), 0)
        choice = chance.randrange(6)
        if choice == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif choice == 1:
            changed[at] = chance.choice(INTERESTING)
        elif choice == 2:
            value = chance.choice((0, size, size - 1, 96, 2**32 - 1, 2**63, 2**64 - 1))
            changed[at // 8 * 8 : at // 8 * 8 + 8] = value.to_bytes(8, "little")
        elif choice == 3:
            other = chance.randrange(size) // 8 * 8
            changed[at // 8 * 8 : at // 8 * 8 + 8] = other.to_bytes(8, "little")
        elif choice == 4:
            other, width = chance.randrange(size), chance.choice((1, 2, 4, 8, 32))
            changed[at : at + width] = changed[other : other + width]
        else:
            changed[at : at + chance.choice((0, 1, 8))] = chance.randbytes(chance.choice((0, 8)))
    if chance.random() < 0.05:
        del changed[chance.randrange(len(changed)) :]
    return bytes(changed)


@pytest.mark.parametrize(
    "options",
    [{}, {"libver": "latest"}, {"track_order": True}, {"libver": "latest", "track_order": True}],
    ids=["old", "new", "old-ordered", "new-ordered"],
)
@pytest.mark.parametrize("checked", [True, False], ids=["checksums", "no-checksums"])
def test_mutants_end_in_our_errors_with_bounded_reading(monkeypatch, options, checked):
    if not checked:  # an attacker signs what he changed; so pretend that he did
        monkeypatch.setattr(Reader, "verify", lambda self, data: None)
        monkeypatch.setattr(FractalHeap, "_check_direct", lambda self, data: None)
    data = seed_file(**options)
    chance = random.Random(20260131)
    outcomes = Counter()
    for _ in range(MUTANTS):
        source = CountingSource(mutate(data, chance))
        try:
            read_hdf5(source, Limits())
        except ArtifactError as error:
            outcomes[type(error).__name__] += 1
        else:
            outcomes["accepted"] += 1
        assert source.count <= WINDOWS * (READS_PER_BYTE * source.size + SLACK_BYTES)
    # All kinds of outcome must be met, or the mutants are too tame or too wild to test much.
    assert len(outcomes) >= 3, outcomes
    assert outcomes["accepted"] < MUTANTS / 2


def test_every_truncation_is_refused():
    data = seed_file()
    for size in range(0, len(data), 7):
        with pytest.raises(ArtifactError):
            read_hdf5(ByteSource(io.BytesIO(data[:size])), Limits())
