"""HDF5 files that reach out, or that declare more than they hold.

CVE-2026-1669 (external storage), CVE-2026-12480 (virtual datasets), CVE-2026-9335 (soft
and external links), CVE-2026-0897 and CVE-2026-12570 (shape bombs), and rule 8. Each is
tried as the weights of a `.keras`, as a whole-model `.h5` and as a `.weights.h5`.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from attack import carriers
from attack.case import EITHER, Case
from attack.classes import pickled
from attack.configs import dense, sequential

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attack.stage import Stage

FAMILY = "hdf5"
GOOD = sequential(dense())
File = Any  # h5py.File, imported late


def bait_file(stage: Stage) -> Path:
    """Another HDF5 file, that nothing may open."""
    import h5py

    path = stage.root / "bait" / "other.h5"
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        file["vars/0"] = [[1.0, 2.0]] * 4
        file["model_weights/dense/kernel"] = [[1.0, 2.0]] * 4
    stage.watch(path)
    return path


def external(stage: Stage, group: File) -> None:
    """CVE-2026-1669: the bytes of a dataset are those of another file."""
    group.create_dataset("0", (8,), "u1", external=[(str(stage.bait()), 0, 8)])


def external_relative(stage: Stage, group: File) -> None:
    """The same, by a relative name."""
    stage.bait()
    group.create_dataset("0", (8,), "u1", external=[("bait/bait.txt", 0, 8)])


def external_many(stage: Stage, group: File) -> None:
    """The same in pieces, of which the first is harmless."""
    pieces = [("/dev/null", 0, 4), (str(stage.bait()), 0, 4)]
    group.create_dataset("0", (8,), "u1", external=pieces)


def external_unlimited(stage: Stage, group: File) -> None:
    """External storage of a device that never ends."""
    group.create_dataset("0", (1 << 30,), "u1", external=[("/dev/zero", 0, 1 << 30)])


def virtual(stage: Stage, group: File) -> None:
    """CVE-2026-12480: a virtual dataset, mapped on another file."""
    import h5py

    layout = h5py.VirtualLayout(shape=(4, 2), dtype="f8")
    layout[:] = h5py.VirtualSource(str(bait_file(stage)), "vars/0", shape=(4, 2))
    group.create_virtual_dataset("0", layout)


def virtual_self(stage: Stage, group: File) -> None:
    """A virtual dataset, mapped on the file itself."""
    import h5py

    group["real"] = [[1.0, 2.0]] * 4
    layout = h5py.VirtualLayout(shape=(4, 2), dtype="f8")
    layout[:] = h5py.VirtualSource(".", f"{group.name}/real", shape=(4, 2))
    group.create_virtual_dataset("0", layout)


def virtual_empty(stage: Stage, group: File) -> None:
    """A virtual dataset that maps nothing."""
    import h5py

    group.create_virtual_dataset("0", h5py.VirtualLayout(shape=(4, 2), dtype="f8"))


def virtual_pattern(stage: Stage, group: File) -> None:
    """A virtual dataset over a pattern of file names."""
    import h5py

    space = h5py.h5s.create_simple((4,), (h5py.h5s.UNLIMITED,))
    source = h5py.h5s.create_simple((1,))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.VIRTUAL)
    space.select_hyperslab((0,), (h5py.h5s.UNLIMITED,), (1,), (1,))
    name = str(bait_file(stage)).replace("other", "%b").encode()
    plist.set_virtual(space, name, b"/vars/0", source)
    h5py.h5d.create(group.id, b"0", h5py.h5t.NATIVE_FLOAT, space, plist)


def soft_link(stage: Stage, group: File) -> None:
    """CVE-2026-9335: a link by name."""
    import h5py

    group["real"] = [1.0]
    group["0"] = h5py.SoftLink(f"{group.name}/real")


def soft_dangling(stage: Stage, group: File) -> None:
    """A link to nothing."""
    import h5py

    group["0"] = h5py.SoftLink("/nowhere")


def soft_cycle(stage: Stage, group: File) -> None:
    """Links that lead to each other."""
    import h5py

    group["a"] = h5py.SoftLink(f"{group.name}/b")
    group["b"] = h5py.SoftLink(f"{group.name}/a")


def external_link(stage: Stage, group: File) -> None:
    """CVE-2026-9335: a link into another file."""
    import h5py

    group["0"] = h5py.ExternalLink(str(bait_file(stage)), "/vars/0")


def external_group(stage: Stage, group: File) -> None:
    """The same, for a whole group in the middle of the path."""
    import h5py

    group["vars"] = h5py.ExternalLink(str(bait_file(stage)), "/vars")


def user_link(stage: Stage, group: File) -> None:
    """An external link deep in a group that no layer has."""
    import h5py

    group["a/b/c/d"] = h5py.ExternalLink(str(bait_file(stage)), "/")


def hard_cycle(stage: Stage, group: File) -> None:
    """A group that holds itself, by a hard link: a walk without end."""
    group["loop"] = group


def hard_root(stage: Stage, group: File) -> None:
    """A group that holds the root."""
    group["root"] = group.file["/"]


def bomb_chunked(stage: Stage, group: File) -> None:
    """CVE-2026-0897: a huge shape, of which nothing is stored."""
    group.create_dataset("0", (1 << 40,), "f4", chunks=(1024,))


def bomb_contiguous(stage: Stage, group: File) -> None:
    """The same, contiguous, never allocated."""
    group.create_dataset("0", (1 << 20, 1 << 20), "f4")


def bomb_fill(stage: Stage, group: File) -> None:
    """The same with a fill value: reading it makes it."""
    group.create_dataset("0", (1 << 38,), "f8", chunks=(1 << 16,), fillvalue=1.0)


def bomb_overflow(stage: Stage, group: File) -> None:
    """Extents whose product overflows 64 bits to something small."""
    group.create_dataset("0", (1 << 32, 1 << 32), "u1", chunks=(16, 16))


def bomb_sum(stage: Stage, group: File) -> None:
    """CVE-2026-12570: none is too large alone; the sum is."""
    for index in range(300):
        group.create_dataset(f"{index}", (1 << 27,), "f4", chunks=(1 << 16,))


def bomb_deflate(stage: Stage, group: File) -> None:
    """Zeros, deflated a thousandfold, that unpack to far more than is stored."""
    import numpy as np

    zeros = np.zeros(1 << 27, "u1")
    group.create_dataset("0", data=zeros, chunks=(1 << 24,), compression="gzip", compression_opts=1)


def bomb_string(stage: Stage, group: File) -> None:
    """One item that is four thousand million bytes wide."""
    import h5py

    kind = h5py.h5t.C_S1.copy()
    kind.set_size(0xFFFFFFF0)
    space = h5py.h5s.create_simple((1 << 10,))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1,))
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_INCR)
    plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    try:
        h5py.h5d.create(group.id, b"0", kind, space, plist)
    except (ValueError, RuntimeError):  # this HDF5 refuses such chunks: do without
        group.create_dataset("0", (1 << 40,), "S1000", chunks=(4,))


def many_objects(stage: Stage, group: File) -> None:
    """A tree deeper than the interpreter's stack."""
    for _ in range(3_000):
        group = group.create_group("g")


def reference(stage: Stage, group: File) -> None:
    """Object references in a dataset."""
    import h5py

    group.create_dataset("0", data=[group.ref], dtype=h5py.ref_dtype)


def region(stage: Stage, group: File) -> None:
    """Region references in a dataset."""
    import h5py

    real = group.create_dataset("real", data=[1.0, 2.0])
    group.create_dataset("0", data=[real.regionref[0:1]], dtype=h5py.regionref_dtype)


def compound(stage: Stage, group: File) -> None:
    """A dataset of records."""
    import numpy as np

    group["0"] = np.zeros(2, [("a", "f4"), ("b", "i4")])


def opaque(stage: Stage, group: File) -> None:
    """A dataset of opaque bytes: a pickle."""
    import numpy as np

    group["0"] = np.void(pickled(stage))


def ragged(stage: Stage, group: File) -> None:
    """A dataset of numbers of variable length."""
    import h5py

    group.create_dataset("0", (2,), h5py.vlen_dtype("i4"))


def named_type(stage: Stage, group: File) -> None:
    """A committed type among the weights."""
    import numpy as np

    group["0"] = np.dtype("f4")


def unknown_filter(stage: Stage, group: File) -> None:
    """A filter that only a plug-in, a shared library found at run time, could undo."""
    import h5py

    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((4,))
    plist.set_filter(305, h5py.h5z.FLAG_OPTIONAL, (1,))
    h5py.h5d.create(group.id, b"0", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((8,)), plist)


TRICKS: dict[str, tuple[str, Callable[[Stage, File], None]]] = {
    "external": ("CVE-2026-1669", external),
    "external-relative": ("CVE-2026-1669", external_relative),
    "external-many": ("CVE-2026-1669", external_many),
    "external-device": ("CVE-2026-1669", external_unlimited),
    "virtual": ("CVE-2026-12480", virtual),
    "virtual-self": ("CVE-2026-12480", virtual_self),
    "virtual-empty": ("CVE-2026-12480", virtual_empty),
    "virtual-pattern": ("CVE-2026-12480", virtual_pattern),
    "soft-link": ("CVE-2026-9335", soft_link),
    "soft-dangling": ("CVE-2026-9335", soft_dangling),
    "soft-cycle": ("CVE-2026-9335", soft_cycle),
    "external-link": ("CVE-2026-9335", external_link),
    "external-group": ("CVE-2026-9335", external_group),
    "external-deep": ("CVE-2026-9335", user_link),
    "hard-cycle": ("rule-8", hard_cycle),
    "hard-root": ("rule-8", hard_root),
    "bomb-chunked": ("CVE-2026-0897", bomb_chunked),
    "bomb-contiguous": ("CVE-2026-0897", bomb_contiguous),
    "bomb-fill": ("CVE-2026-12570", bomb_fill),
    "bomb-overflow": ("CVE-2026-12570", bomb_overflow),
    "bomb-sum": ("CVE-2026-12570", bomb_sum),
    "bomb-deflate": ("CVE-2026-12570", bomb_deflate),
    "bomb-string": ("CVE-2026-0897", bomb_string),
    "deep-groups": ("rule-10", many_objects),
    "reference": ("rule-8", reference),
    "region-reference": ("rule-8", region),
    "compound": ("rule-8", compound),
    "opaque-pickle": ("rule-8", opaque),
    "ragged": ("rule-8", ragged),
    "named-type": ("rule-8", named_type),
    "unknown-filter": ("rule-8", unknown_filter),
}


def in_keras(trick: Callable[[Stage, File], None]) -> Callable[[Stage], Path]:
    """The trick in the weights of a `.keras` archive."""

    def build(stage: Stage) -> Path:
        import h5py

        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            trick(stage, file.create_group("layers/dense/vars"))
        return carriers.write_keras(stage.root / "model.keras", GOOD, buffer.getvalue())

    return build


def in_h5(trick: Callable[[Stage, File], None]) -> Callable[[Stage], Path]:
    """The trick in a whole-model `.h5`."""

    def build(stage: Stage) -> Path:
        import h5py

        path = carriers.write_h5(stage.root / "model.h5", GOOD)
        with h5py.File(path, "r+") as file:
            trick(stage, file.create_group("model_weights/dense/dense"))
        return path

    return build


def in_weights(trick: Callable[[Stage, File], None]) -> Callable[[Stage], Path]:
    """The trick in a file of weights alone."""

    def build(stage: Stage) -> Path:
        import h5py

        path = stage.root / "model.weights.h5"
        with h5py.File(path, "w") as file:
            trick(stage, file.create_group("layers/dense/vars"))
        return path

    return build


def _trio(name: str, advisory: str, trick: Callable[[Stage, File], None]) -> list[Case]:
    doors = {"keras": in_keras, "h5": in_h5, "weights.h5": in_weights}
    return [
        Case(f"{advisory}/{name}.{form}", advisory, FAMILY, door(trick), EITHER)
        for form, door in doors.items()
    ]


CASES: list[Case] = [
    case for name, (advisory, trick) in TRICKS.items() for case in _trio(name, advisory, trick)
]
