"""What a program that is run under a seal was told: written once, obeyed by each of its Pythons.

The folder is named by the digest of what it holds, so that equal runs share one and none is
ever changed: a process that outlives the run can still start others that are sealed.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.construct import guard
from secure_serial.data import policy_names
from secure_serial.errors import InvalidPolicy, Where
from secure_serial.policy.source import load_policy, only_ours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secure_serial.policy.model import Policy

_HOOK, _TOLD = "sitecustomize.py", "seal.json"
#: Digits of a folder's name: 128 bits tell all runs apart.
_DIGITS = 32
#: A list of paths is far shorter.
_MOST_BYTES = 1 << 20
_sealed: list[bool] = []  # of the process, as the seal is


def prepare(folder: Path, policies: Sequence[str] | None, policy: Policy, audit: str) -> Path:
    """Write what a program's Pythons are to obey, and say where.

    Args:
        folder: Where such folders stand; made if it is not there.
        policies: What the policy was read from: names of shipped ones, or paths; None for
            what holds where nobody chooses.
        policy: What was read. Each process reads it again, and it must be the same.
        audit: The path of the log.

    Returns:
        The folder to put first on PYTHONPATH.

    Raises:
        InvalidPolicy: the folder cannot be written, or somebody else could change it.

    """
    given = None if policies is None else [_absolute(each) for each in policies]
    told = {
        "schema": 1, "policies": given, "sha256": policy.sha256,
        "audit": str(Path(audit).absolute()),
    }  # fmt: skip
    files = {
        _HOOK: Path(__file__).with_name(_HOOK).read_bytes(),
        _TOLD: json.dumps(told, sort_keys=True).encode(),
    }
    digest = hashlib.sha256(b"\0".join(files.values())).hexdigest()
    place = folder / digest[:_DIGITS]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not place.exists():
            _write(place, files)
        for name, data in files.items():
            if (place / name).read_bytes() != data:
                raise InvalidPolicy("it was changed; remove it", where=Where(str(place)))
    except OSError as error:
        raise InvalidPolicy(
            f"what the program is to obey cannot be written: {error.strerror or error}",
            where=Where(str(place)),
        ) from None
    _check_owner(place)
    return place


def _absolute(policy: str) -> str:
    return policy if policy in policy_names() else str(Path(policy).absolute())


def _write(place: Path, files: dict[str, bytes]) -> None:
    """All of it or nothing: another run may be writing the same."""
    made = Path(tempfile.mkdtemp(dir=place.parent))
    try:
        for name, data in files.items():
            (made / name).write_bytes(data)
        made.rename(place)
    except OSError:
        for name in files:
            (made / name).unlink(missing_ok=True)
        made.rmdir()
        if not place.exists():
            raise


def _check_owner(place: Path) -> None:
    for each in (place, *place.iterdir()):
        if not only_ours(each.stat()):
            raise InvalidPolicy("somebody else may write it", where=Where(str(each)))


def obey(folder: str, *, keras: bool) -> None:
    """Seal this process as its folder says; and close Keras's doors, where it is there.

    Args:
        folder: Where the hook stands that calls this.
        keras: Whether Keras has been imported just now.

    Raises:
        InvalidPolicy: it cannot be read, or the policy is another one than at the start.
        ConstructionError: this Keras is not one whose doors are known.

    """
    if not _sealed:
        policy, audit = _read(Path(folder) / _TOLD)
        guard.seal_ahead(policy, audit)
        _sealed.append(True)
    if keras:
        from secure_serial.construct.keras import doors

        doors.install()


def _read(path: Path) -> tuple[Policy, str]:
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(_MOST_BYTES))
        policies, digest, audit = told["policies"], told["sha256"], told["audit"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InvalidPolicy(
            f"what to obey cannot be read: {type(error).__name__}", where=Where(str(path))
        ) from None
    policy = load_policy(policies)
    if policy.sha256 != digest:
        raise InvalidPolicy(
            "the policy was changed since the run began", where=Where(policy.source)
        )
    return policy, str(audit)
