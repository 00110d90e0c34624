"""Weights alone, where a policy is in force: judged before Keras reads them, watched meanwhile.

Keras's functions take a path and open the files themselves, so their bytes cannot be held as
those of a model are. What the system says of each file before it is judged and after it is
loaded tells whether it is the same.
"""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from secure_serial.artifact import read_artifact
from secure_serial.artifact.faults import Fault, located
from secure_serial.artifact.files import local_path, open_regular
from secure_serial.artifact.json_text import parse_json
from secure_serial.construct.denial import tripped_by
from secure_serial.construct.tripwire import Wire
from secure_serial.errors import UnsafeArtifact, UnsupportedFormat, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from secure_serial.construct.guard import Guard
    from secure_serial.errors import LoadDenied
    from secure_serial.limits import Limits


@contextmanager
def watched(filepath: Any, guard: Guard) -> Iterator[None]:
    """A block in which Keras reads weights by their path; the tripwire knows their files.

    Raises:
        ArtifactError: a file cannot be read, misuses its format, or changed meanwhile.
        LoadDenied: the tripwire was touched; recorded.

    """
    if not isinstance(filepath, str | os.PathLike):
        raise UnsupportedFormat("weights can be judged by the path of their file alone")
    limits, name = guard.policy.limits, str(filepath)
    with located(name):
        parts = list(_parts(Path(local_path(filepath)), limits))
        files = list(dict.fromkeys([*parts, Path(filepath)]))
        before = [_identity(file) for file in files]
        for file in parts:
            read_artifact(file, limits)
    with Wire(_report(name, guard), [os.path.abspath(file) for file in files]):  # noqa: PTH100
        yield
    with located(name):
        if before != [_identity(file) for file in files]:
            raise UnsafeArtifact(
                "the file changed while weights were read from it; discard the model",
                code=Fault.CHANGED,
            )


def _report(name: str, guard: Guard) -> Callable[[str, str, str], LoadDenied]:
    """Records what the tripwire refused, and gives the error."""
    load = uuid.uuid4().hex

    def report(event: str, detail: str, caller: str) -> LoadDenied:
        error = tripped_by(name, event, detail, caller)
        error.records = (guard.trip(load, event, detail, caller),)
        return error

    return report


def _parts(path: Path, limits: Limits) -> Iterator[Path]:
    """A file of weights or, behind an index of shards, the files beside it that it names."""
    if not path.name.endswith("weights.json"):
        yield path
        return
    with open_regular(str(path))[0] as file:
        index = parse_json(file.read(limits.config_bytes + 1), limits)
    named = index.get("weight_map") if isinstance(index, dict) else None
    # Keras opens the first shard, whether the index names it or not.
    shards = {f"{path.stem.replace('.weights', '')}_00000.weights.h5"}
    for each in named.values() if isinstance(named, dict) else ():
        shards.update(map(str, each if isinstance(each, list) else [each]))
    for name in sorted(shards):
        if name != PurePath(name).name or name in ("", ".", ".."):
            raise UnsafeArtifact(
                f"a shard that is not beside it: {name!r:.200}",
                where=Where(pointer="/weight_map"),
            )
        yield path.with_name(name)


def _identity(path: Path) -> tuple[int, ...]:
    with located(str(path)):
        status = path.stat()
    # The time of the last change to the inode: unlike that of the contents, nobody can set it.
    times = status.st_mtime_ns, status.st_ctime_ns
    return status.st_dev, status.st_ino, status.st_size, *times
