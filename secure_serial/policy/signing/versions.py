"""The memory of what was believed: a file of the highest version by policy and key.

It is kept by each key that signed, not by a trust table: adding a key to the table forgets
nothing, and taking away a key that was stolen takes away what it made us remember (The
Update Framework calls that recovery from a fast-forward attack).

A file that cannot be understood is a refusal, never a fresh start: whoever could damage it
would reset the memory. One process at a time holds the lock, from reading to writing; the
new file replaces the old one whole, before a bundle is believed.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.artifact.json_text import parse_json
from secure_serial.errors import ArtifactError, UntrustedPolicy, Where
from secure_serial.limits import MIB, Limits
from secure_serial.policy.signing.lock import take
from secure_serial.policy.signing.trust import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from secure_serial.policy.signing.bundle import Bundle

SCHEMA = 1
#: Some three thousand records.
MAX_BYTES = MIB
_LIMITS = Limits(config_bytes=MAX_BYTES, depth=3)
_RECORD = {"name": str, "key": str, "version": int, "sha256": str}
#: Who holds the lock checks some signatures: ten seconds are long for that.
_TRIES = 200
_PAUSE = 0.05


class Memory:
    """What was seen, while the lock is held."""

    def __init__(self, seen: Iterable[Seen] = ()) -> None:
        self._by_key = {(old.name, old.key): old for old in seen}
        self.changed = False

    @property
    def seen(self) -> tuple[Seen, ...]:
        """All records, in a stable order."""
        return tuple(self._by_key[place] for place in sorted(self._by_key))

    def note(self, bundle: Bundle) -> None:
        """Remember a bundle for every key that signed it. A version never goes down."""
        digest = bundle.sha256
        for key in bundle.signed_by:
            old = self._by_key.get((bundle.name, key))
            if old is None or old.version < bundle.version:
                self._by_key[bundle.name, key] = Seen(bundle.name, key, bundle.version, digest)
                self.changed = True


@contextmanager
def remembering(path: str | os.PathLike[str]) -> Iterator[Memory]:
    """The memory in a file, for this process alone; what is noted is written at the end.

    Nothing is written if the block raises. The folder is made if it is not there.

    Raises:
        UntrustedPolicy: the file is damaged, or cannot be read, locked or written.

    """
    file = Path(path)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _trouble(file, error) from None
    try:
        _wait(lock, file)
        memory = Memory(_read(file))
        yield memory
        if memory.changed:
            _write(file, _encode(memory.seen))
    finally:
        os.close(lock)  # which gives the lock back


def recall(path: str | os.PathLike[str]) -> tuple[Seen, ...]:
    """What was seen, to be told to a person: no lock is held, and nothing is noted.

    Raises:
        UntrustedPolicy: the file is damaged, or cannot be read.

    """
    return tuple(_read(Path(path)))


def _wait(lock: int, file: Path) -> None:
    for _ in range(_TRIES):
        if take(lock):
            return
        time.sleep(_PAUSE)
    raise UntrustedPolicy(
        "another process holds the memory of versions", where=Where(str(file)), help="try again"
    )


def _read(file: Path) -> list[Seen]:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _trouble(file, error) from None
    try:
        return _records(data)
    except (ArtifactError, ValueError):
        raise UntrustedPolicy(
            "the memory of versions is damaged, so an older policy could not be told",
            where=Where(str(file)),
            help="restore the file; remove it only if you know that the policy is the newest",
        ) from None


def _records(data: bytes) -> list[Seen]:
    """The records of a file. Raises ValueError for anything that `_encode` does not make."""
    tree = parse_json(data, _LIMITS)
    records = tree.get("seen") if isinstance(tree, dict) else None
    if not isinstance(records, list):
        raise ValueError("no records")  # noqa: TRY004 - the file's fault, not the caller's
    for record in records:
        if not isinstance(record, dict) or {k: type(v) for k, v in record.items()} != _RECORD:
            raise ValueError("not a record")
    seen = [Seen(**record) for record in records]
    # One record for each key and name, in order: of two, the lower would not be noticed.
    if _encode(Memory(seen).seen) != data:
        raise ValueError("not as it was written")
    return seen


def _encode(seen: tuple[Seen, ...]) -> bytes:
    records = [
        {"name": old.name, "key": old.key, "version": old.version, "sha256": old.sha256}
        for old in seen
    ]
    return json.dumps({"schema": SCHEMA, "seen": records}, indent=1).encode() + b"\n"


def _write(file: Path, data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise UntrustedPolicy("the memory of versions is full", where=Where(str(file)))
    new = file.with_name(f"{file.name}.new")
    try:
        new.unlink(missing_ok=True)  # of a process that ended half-way; the lock is ours
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(new, flags, 0o600), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    except OSError as error:
        raise _trouble(file, error) from None


def _trouble(file: Path, error: OSError) -> UntrustedPolicy:
    return UntrustedPolicy(
        f"the memory of versions cannot be used: {error.strerror or error}",
        where=Where(str(file)),
        help="without it an older policy could not be told from the newest",
    )
