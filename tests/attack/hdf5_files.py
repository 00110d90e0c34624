"""Whole-model HDF5 files: odd attributes, bytes before the file, two files in one, damage.

CVE-2025-9905 (the config of an .h5 is judged like any other) and rule 8.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from attack import carriers
from attack.case import EITHER, Case
from attack.configs import dense, layer, sequential

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attack.stage import Stage

FAMILY = "hdf5"
GOOD = sequential(dense())
File = Any  # h5py.File, imported late
EVIL = sequential(layer("Lambda", "victim", function=["code", None, None], function_type="lambda"))


def attribute(value: Callable[[File], object]) -> Callable[[Stage], Path]:
    """A `model_config` that is not plain text."""

    def build(stage: Stage) -> Path:
        import h5py

        path = carriers.write_h5(stage.root / "model.h5", GOOD)
        with h5py.File(path, "r+") as file:
            del file.attrs["model_config"]
            file.attrs["model_config"] = value(file)
        return path

    return build


def long_attribute(stage: Stage) -> Path:
    """A lambda behind a megabyte of padding: dense attribute storage is read, too."""
    import h5py

    path = stage.root / "model.h5"
    with h5py.File(path, "w", libver="latest") as file:
        config = {**EVIL, "padding": "x" * (1 << 20)}
        file.attrs["model_config"] = carriers.dumps(config).decode()
        file.attrs["keras_version"] = "2.4.0"
    return path


def training(stage: Stage) -> Path:
    """The lambda is in the training config of an innocent model."""
    import h5py

    path = carriers.write_h5(stage.root / "model.h5", GOOD)
    code = {"class_name": "__lambda__", "config": {"value": [stage.lambda_code(), None, None]}}
    with h5py.File(path, "r+") as file:
        config = {
            "loss": code,
            "metrics": None,
            "optimizer_config": {"class_name": "SGD", "config": {}},
        }
        file.attrs["training_config"] = carriers.dumps(config)
    return path


def user_block(content: bytes) -> Callable[[Stage], Path]:
    """Bytes before the superblock: HDF5 allows them, so another reader may see another file."""

    def build(stage: Stage) -> Path:
        import h5py

        path = stage.root / "model.h5"
        with h5py.File(path, "w", userblock_size=512) as file:
            file.attrs["model_config"] = carriers.dumps(GOOD)
            file.attrs["keras_version"] = "2.4.0"
        raw = bytearray(path.read_bytes())
        raw[: len(content)] = content
        path.write_bytes(raw)
        return path

    return build


def polyglot(stage: Stage) -> Path:
    """HDF5 from the front, zip from the back: two readers, two models."""
    first = carriers.write_h5(stage.root / "a.h5", GOOD)
    second = carriers.write_keras(stage.root / "b.keras", EVIL)
    path = stage.root / "model.keras"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    return path


def damaged(change: Callable[[bytearray], bytes | bytearray]) -> Callable[[Stage], Path]:
    """A whole-model file, damaged."""

    def build(stage: Stage) -> Path:
        path = carriers.write_h5(stage.root / "model.h5", GOOD)
        path.write_bytes(change(bytearray(path.read_bytes())))
        return path

    return build


def _patch(at: int, data: bytes) -> Callable[[bytearray], bytearray]:
    def change(raw: bytearray) -> bytearray:
        raw[at : at + len(data)] = data
        return raw

    return change


# Offsets in a version 0 superblock (HDF5 File Format Specification, II.A).
DAMAGE: dict[str, Callable[[bytearray], bytes | bytearray]] = {
    "truncated-half": lambda raw: raw[: len(raw) // 2],
    "truncated-head": lambda raw: raw[:40],
    "signature-only": lambda raw: raw[:8],
    "zeros": lambda raw: raw[:8] + bytes(len(raw) - 8),
    "ones": lambda raw: raw[:8] + b"\xff" * (len(raw) - 8),
    "version-99": _patch(8, b"\x63"),
    "offset-size": _patch(13, b"\x07"),
    "root-outside": _patch(64, struct.pack("<Q", 1 << 60)),
    "root-is-superblock": _patch(64, struct.pack("<Q", 0)),
    "base-address": _patch(24, struct.pack("<Q", 1 << 40)),
}


def _whole(name: str, advisory: str, build: Callable[[Stage], Path]) -> Case:
    return Case(f"{advisory}/{name}.h5", advisory, FAMILY, build, EITHER)


CASES: list[Case] = [
    _whole("config-reference", "rule-8", attribute(lambda file: file["model_weights"].ref)),
    _whole("config-number", "rule-8", attribute(lambda _file: 42)),
    _whole("config-array", "rule-8", attribute(lambda _file: [1.0, 2.0])),
    _whole("config-list", "rule-8", attribute(lambda _file: ["{", "}"])),
    _whole("config-long", "CVE-2025-9905", long_attribute),
    _whole("training-config", "CVE-2025-9905", training),
    _whole("user-block", "rule-8", user_block(b"MZ" + b"x" * 100)),
    _whole("user-block-zip", "rule-8", user_block(b"PK\x03\x04" + b"x" * 100)),
    _whole("user-block-json", "rule-8", user_block(b'{"class_name": "Sequential", "config": []}')),
    Case("rule-7/polyglot.keras", "rule-7", FAMILY, polyglot, EITHER),
    *(_whole(f"damaged-{name}", "rule-8", damaged(change)) for name, change in DAMAGE.items()),
]
