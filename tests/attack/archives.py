"""Zip archives that escape, lie about themselves, explode, or can be read in two ways.

Rule 7, and what the archive of a `.keras` file can carry of CVE-2024-55459,
CVE-2025-12060, CVE-2025-12638, CVE-2026-11816, CVE-2026-12482 and CVE-2026-12479.
"""

from __future__ import annotations

import io
import stat
import zipfile
from typing import TYPE_CHECKING

from attack import carriers, rawzip
from attack.case import EITHER, Case
from attack.classes import pickled
from attack.configs import dense, layer, sequential
from attack.functions import tar_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attack.stage import Stage

FAMILY = "archives"
GOOD = sequential(dense())
EVIL = sequential(layer("Lambda", "victim", function=["code", None, None], function_type="lambda"))

#: Names that no member may have, and the advisory that taught it.
MEMBERS: dict[str, tuple[str, str]] = {
    "parent": ("../fired.txt", "CVE-2026-11816"),
    "deep-parent": ("assets/../../fired.txt", "CVE-2026-12479"),
    "link-like": ("assets/link/../fired.txt", "CVE-2026-12482"),
    "absolute": ("/tmp/fired.txt", "CVE-2026-11816"),
    "backslash": ("..\\fired.txt", "CVE-2026-11816"),
    "inner-backslash": ("assets\\fired.txt", "rule-7"),
    "drive": ("C:\\fired.txt", "rule-7"),
    "drive-slash": ("C:/fired.txt", "rule-7"),
    "dot": ("./config.json", "rule-7"),
    "double-slash": ("assets//fired.txt", "rule-7"),
    "control": ("assets/\x1b[2Jfired.txt", "rule-7"),
    "newline": ("assets/a\nb.txt", "rule-7"),
    "case-twin": ("Config.json", "rule-7"),
    "stray": ("evil.py", "rule-7"),
    "stray-pickle": ("data.pkl", "rule-7"),
    "stray-library": ("lib.so", "rule-7"),
    "stray-metadata": ("config.json.bak", "rule-7"),
    "empty-name": ("", "rule-7"),
    "nested-archive": ("assets/inner.zip", "CVE-2021-35958"),
}


def extra_member(name: str) -> Callable[[Stage], Path]:
    """A good archive, and one member more."""

    def build(stage: Stage) -> Path:
        entries = [rawzip.Entry(*item) for item in carriers.keras_members(GOOD).items()]
        data = carriers.empty_weights() if name.endswith(".zip") else b"fired"
        if name.endswith(".zip"):
            data = rawzip.pack([rawzip.Entry("../fired", b"fired")])
        return rawzip.write(stage.root / "model.keras", [*entries, rawzip.Entry(name, data)])

    return build


def tar_member(kind: str) -> Callable[[Stage], Path]:
    """A tar among the assets: no archives inside archives."""

    def build(stage: Stage) -> Path:
        tar_with(stage, kind)
        members = carriers.keras_members(GOOD)
        members["assets/layers/data.tar"] = (stage.root / "bait" / "evil.tar").read_bytes()
        return carriers.write_zip(stage.root / "model.keras", members)

    return build


def entries_with(
    change: Callable[[list[rawzip.Entry]], list[rawzip.Entry]], **options: object
) -> Callable[[Stage], Path]:
    """A good archive, changed."""

    def build(stage: Stage) -> Path:
        entries = [rawzip.Entry(*item) for item in carriers.keras_members(GOOD).items()]
        return rawzip.write(stage.root / "model.keras", change(entries), **options)

    return build


def _config(entries: list[rawzip.Entry]) -> rawzip.Entry:
    return next(entry for entry in entries if entry.name == "config.json")


def _set(**values: object) -> Callable[[list[rawzip.Entry]], list[rawzip.Entry]]:
    """Sets fields of the entry of config.json."""

    def change(entries: list[rawzip.Entry]) -> list[rawzip.Entry]:
        for key, value in values.items():
            setattr(_config(entries), key, value)
        return entries

    return change


def _unix(mode: int) -> int:
    return mode << 16


EVIL_CONFIG = carriers.dumps(EVIL)

#: Archives that lie, each as a change of a good one (and options of the writer).
LIES: dict[str, tuple[Callable[[list[rawzip.Entry]], list[rawzip.Entry]], dict[str, object]]] = {
    "duplicate-config": (lambda es: [*es, rawzip.Entry("config.json", EVIL_CONFIG)], {}),
    "duplicate-first": (lambda es: [rawzip.Entry("config.json", EVIL_CONFIG), *es], {}),
    "duplicate-weights": (lambda es: [*es, rawzip.Entry("model.weights.h5", b"x")], {}),
    "duplicate-hidden": (_set(local_name="metadata.json"), {}),
    "local-other-name": (_set(local_name="other.json"), {}),
    "local-other-size": (_set(local_size=3), {}),
    "local-other-method": (_set(local_method=8), {}),
    "local-other-crc": (_set(local_crc=1), {}),
    "wrong-crc": (_set(crc=1, local_crc=1), {}),
    "size-too-large": (_set(size=1 << 31, local_size=1 << 31), {}),
    "size-too-small": (_set(size=2, local_size=2), {}),
    "compressed-too-large": (_set(compressed=1 << 31, local_compressed=1 << 31), {}),
    "offset-outside": (_set(offset=1 << 31), {}),
    "offset-negative": (_set(offset=0xFFFFFFFF), {}),
    "offset-of-other": (_set(offset=0), {}),
    "encrypted": (_set(flags=1), {}),
    "strong-encryption": (_set(flags=0x41), {}),
    "masked-header": (_set(flags=0x2000), {}),
    "patched-data": (_set(flags=0x20), {}),
    "method-lzma": (_set(method=14, local_method=14), {}),
    "method-bzip2": (_set(method=12, local_method=12), {}),
    "method-zstd": (_set(method=93, local_method=93), {}),
    "method-unknown": (_set(method=77, local_method=77), {}),
    "symbolic-link": (_set(attributes=_unix(stat.S_IFLNK | 0o777), create_system=3), {}),
    "fifo": (_set(attributes=_unix(stat.S_IFIFO | 0o666), create_system=3), {}),
    "device-node": (_set(attributes=_unix(stat.S_IFBLK | 0o666), create_system=3), {}),
    "socket": (_set(attributes=_unix(stat.S_IFSOCK | 0o666), create_system=3), {}),
    "directory": (_set(attributes=_unix(stat.S_IFDIR | 0o755) | 0x10, create_system=3), {}),
    "second-disk": (_set(disk=1), {}),
    "unicode-path": (_set(extra=rawzip.unicode_path("config.json", "evil.json")), {}),
    "zip64-lie": (_set(extra=rawzip.zip64(1 << 60)), {}),
    "extra-overrun": (_set(extra=b"\x01\x00\xff\xff"), {}),
    "no-config": (lambda es: [e for e in es if e.name != "config.json"], {}),
    "two-weights": (lambda es: [*es, rawzip.Entry("model.weights.npz", b"PK\x05\x06" + b"\0" * 18)], {}),
    "prefix-data": (lambda es: es, {"prefix": b"#!/bin/sh\nexit\n"}),
    "prefix-elf": (lambda es: es, {"prefix": b"\x7fELF" + b"\0" * 60}),
    "prefix-unshifted": (lambda es: es, {"prefix": b"x" * 64, "shift": False}),
    "trailing-data": (lambda es: es, {"suffix": b"trailing"}),
    "trailing-zip": (lambda es: es, {"suffix": rawzip.pack([rawzip.Entry("config.json", EVIL_CONFIG)])}),
    "comment": (lambda es: es, {"comment": b"PK\x05\x06" + b"\0" * 40}),
    "gap": (lambda es: es, {"gap": b"hidden between the members"}),
    "count-too-small": (lambda es: es, {"count": 2}),
    "count-too-large": (lambda es: es, {"count": 9}),
    "directory-size-lie": (lambda es: es, {"directory_size": 1 << 30}),
    "directory-offset-lie": (lambda es: es, {"directory_offset": 7}),
    "many-members": (lambda es: [*es, *(rawzip.Entry(f"assets/{n}", b"") for n in range(20_000))], {}),
}  # fmt: skip


def bomb(member: str, size: int) -> Callable[[Stage], Path]:
    """A member that is almost all zeros, deflated a thousandfold."""

    def build(stage: Stage) -> Path:
        members = carriers.keras_members(GOOD)
        data = members.get(member, b"")
        members[member] = data + (b" " if member.endswith("json") else b"\0") * size
        return carriers.write_zip(stage.root / "model.keras", members, zipfile.ZIP_DEFLATED)

    return build


def overlapping(stage: Stage) -> Path:
    """Many members that share one body: a bomb without any nesting."""
    members = carriers.keras_members(GOOD)
    entries = [rawzip.Entry(*item) for item in members.items()]
    entries += [rawzip.Entry(f"assets/{n}", b"", offset=0) for n in range(50)]
    return rawzip.write(stage.root / "model.keras", entries)


def declared_bomb(stage: Stage) -> Path:
    """A member that declares a million million bytes."""
    entries = [rawzip.Entry(*item) for item in carriers.keras_members(GOOD).items()]
    for entry in entries:
        if entry.name == "model.weights.h5":
            entry.size = 0xFFFFFFFE
            entry.local_size = 0xFFFFFFFE
    return rawzip.write(stage.root / "model.keras", entries)


def npz(stage: Stage) -> Path:
    """57c94f305c: weights in npz, one of them a pickled object array."""
    array = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little")
    header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    array += header.ljust(117).encode() + b"\n" + pickled(stage)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("layers.npy", array)
    members = carriers.keras_members(GOOD)
    del members["model.weights.h5"]
    members["model.weights.npz"] = buffer.getvalue()
    return carriers.write_zip(stage.root / "model.keras", members)


def pickle_as(name: str, content: str) -> Callable[[Stage], Path]:
    """A pickle (or what torch wraps one in) under a model's name: content decides."""

    def build(stage: Stage) -> Path:
        path = stage.root / name
        if content == "torch":
            return carriers.write_zip(
                path, {"archive/data.pkl": pickled(stage), "archive/version": b"3"}
            )
        path.write_bytes(pickled(stage))
        return path

    return build


def directory(evil: str) -> Callable[[Stage], Path]:
    """The same as a folder: a link out of it, or a Lambda in it."""

    def build(stage: Stage) -> Path:
        folder = stage.root / "model.keras"
        folder.mkdir()
        for name, data in carriers.keras_members(EVIL if evil == "lambda" else GOOD).items():
            (folder / name).write_bytes(data)
        if evil in ("config.json", "model.weights.h5"):
            target = stage.bait(evil, (folder / evil).read_bytes())
            (folder / evil).unlink()
            (folder / evil).symlink_to(target)
        elif evil == "assets":
            stage.bait()
            (folder / "assets").symlink_to(stage.root / "bait")
        return folder

    return build


def swapped(name: str) -> Callable[[Stage], Path]:
    """CVE-2025-9905: a hostile file under the name of another format."""

    def build(stage: Stage) -> Path:
        made = carriers.write("h5" if name.endswith(".keras") else "keras", stage.root, EVIL)
        return made.rename(stage.root / name)

    return build


def _case(name: str, advisory: str, build: Callable[[Stage], Path], form: str = "keras") -> Case:
    return Case(f"{advisory}/{name}.{form}", advisory, FAMILY, build, EITHER)


CASES: list[Case] = [
    *(_case(f"member-{key}", row[1], extra_member(row[0])) for key, row in MEMBERS.items()),
    *(
        _case(f"asset-tar-{kind}", advisory, tar_member(kind))
        for kind, advisory in (
            ("parent", "CVE-2024-55459"),
            ("link", "CVE-2025-12060"),
            ("absolute", "CVE-2025-12638"),
            ("dotdot-link", "CVE-2026-12482"),
            ("hard-link", "rule-7"),
        )
    ),
    *(_case(key, "rule-7", entries_with(change, **options)) for key, (change, options) in LIES.items()),
    _case("bomb-config", "rule-7", bomb("config.json", 80 << 20)),
    _case("bomb-metadata", "rule-7", bomb("metadata.json", 32 << 20)),
    _case("bomb-weights", "rule-7", bomb("model.weights.h5", 32 << 20)),
    _case("bomb-asset", "rule-7", bomb("assets/a.txt", 32 << 20)),
    _case("overlapping", "rule-7", overlapping),
    _case("declared-bomb", "rule-7", declared_bomb),
    _case("npz-pickle", "commit-57c94f305c", npz),
    _case("pickle", "rule-4", pickle_as("model.keras", "plain")),
    _case("pickle", "rule-4", pickle_as("model.h5", "plain"), "h5"),
    _case("torch-zip", "rule-4", pickle_as("model.keras", "torch")),
    _case("hdf5-named-keras", "CVE-2025-9905", swapped("model.keras")),
    _case("zip-named-h5", "CVE-2025-9905", swapped("model.h5"), "h5"),
    _case("zip-named-json", "CVE-2025-9905", swapped("model.json"), "json"),
    _case("zip-named-nothing", "CVE-2025-9905", swapped("model.bin"), "bin"),
    *(
        _case(f"directory-{evil}", "rule-7", directory(evil), "dir")
        for evil in ("config.json", "model.weights.h5", "assets", "lambda")
    ),
]  # fmt: skip
