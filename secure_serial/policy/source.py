"""From what a caller gives for `policy=` to the policy that holds. The only file that reads any.

Which one holds: what the caller gives; else the file of the whole system; else `keras-core`.
None is ever looked for beside a model, in the working directory or in an environment variable.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from secure_serial.data import policy_names, policy_text
from secure_serial.errors import InvalidPolicy, UntrustedPolicy, Where
from secure_serial.policy.model import ABOVE, Mode, Policy
from secure_serial.policy.reader import MAX_BYTES, parse

if TYPE_CHECKING:
    from secure_serial.policy.signing.trust import Trust

    One: TypeAlias = "Policy | str | os.PathLike[str]"
    Given: TypeAlias = "One | Sequence[One] | None"

#: What holds where nobody chose: ordinary models, and the program's own classes.
DEFAULT = "keras-core"
#: Where an administrator puts what holds for every program on a machine that chooses none.
SYSTEM_FILES = {
    "win32": r"C:\ProgramData\secure-serial\policy.toml",
    "darwin": "/Library/Application Support/secure-serial/policy.toml",
}
#: The user who administers a system of the POSIX kind.
ROOT = 0
SYSTEM_FILE = Path(SYSTEM_FILES.get(sys.platform, "/etc/secure-serial/policy.toml"))


def load_policy(
    given: Given = None,
    *,
    trust: Trust | None = None,
    today: dt.date | None = None,
    memory: str | os.PathLike[str] | None = None,
    default: str = DEFAULT,
) -> Policy:
    """The policy that is meant.

    Args:
        given: A `Policy`; the name of a shipped one; the path of a TOML file or of a signed
            bundle (a file cannot stand in for a shipped name: write `./keras-core` if it is
            so called); a list of these for a stack of layers, the first on top; or None for
            the system-wide file and, where there is none, `keras-core`.
        trust: Who must have signed the files. By default what the `[trust]` table of the
            layer above demands and, of the first, that of the system-wide file; where none
            demands anything, a file of TOML will do.
        today: The day to judge expiry by; the clock's (UTC) by default.
        default: The shipped policy that None means where there is no system-wide file.
        memory: The file that remembers the versions of bundles, so that none goes back; by
            default one in the user's home.

    Raises:
        InvalidPolicy: it cannot be read or used; lists all that is wrong with it.
        UntrustedPolicy: it is not signed as is demanded, or it is older than what was seen.

    >>> load_policy("strict").caller_objects
    <CallerObjects.LISTED: 'listed'>
    >>> [layer.name for layer in load_policy(["keras-core", "strict"]).layers]
    ['keras-core', 'strict']

    """
    today = today or dt.datetime.now(dt.UTC).date()
    if isinstance(given, Policy):  # passed for each of many loads
        check(given, today)
        return given
    several = [given] if isinstance(given, str) or not isinstance(given, Sequence) else given
    # Of policies that were read before, no file has a say any more.
    read = all(isinstance(each, Policy) for each in several)
    system = None if read else _system_wide()
    reading = _Reading(
        trust or (system.trust if system is not None else None), today, memory, default
    )
    layers = [reading.one(each, system) for each in several]
    if not layers:
        raise InvalidPolicy("no policy is given: an empty list")
    policy = layers[0].over(*layers[1:])
    check(policy, today)
    return policy


def parse_policy(text: str, source: str = "<text>") -> Policy:
    r"""The policy that a TOML text means.

    Raises:
        InvalidPolicy: with all problems at once.

    >>> parse_policy('schema = 1\nextends = "keras-core"').name
    '<text>'

    """
    return parse(text, source, policy_text)


class _Reading:
    """The files of a stack being read, from the top: each may demand that the next is signed."""

    def __init__(
        self,
        trust: Trust | None,
        today: dt.date,
        memory: str | os.PathLike[str] | None,
        default: str,
    ) -> None:
        self._default = default
        self._trust = trust
        self._today = today
        self._memory = memory

    def one(self, given: One | None, system: Policy | None) -> Policy:
        """One layer. What it demands holds for those after it."""
        if isinstance(given, Policy):
            policy = given
        elif given is None:
            policy = system or _shipped(self._default)
        elif isinstance(given, str) and given in policy_names():
            policy = _shipped(given)
        else:
            policy = self._file(Path(given), str(given))
        self._trust = policy.trust or self._trust
        return policy

    def _file(self, path: Path, source: str) -> Policy:
        text = _read(path, source)
        signed = text.lstrip().startswith("{")  # as no TOML does
        if self._trust is None and not signed:
            return parse(text, source, policy_text)
        if self._trust is None:
            raise UntrustedPolicy(
                "it is signed, and no key is trusted", where=Where(source),
                help="name the keys: in a [trust] table of the layer above, or by trust=",
            )  # fmt: skip
        from secure_serial.policy.signing import verify_and_remember

        memory = self._memory or memory_file()
        data = text.encode() if signed else None
        bundle = verify_and_remember(data, self._trust, self._today, memory, source)
        return parse(bundle.text, source, bundle.shipped)


def memory_file() -> Path:
    """Where the versions of signed policies are remembered that this user has loaded."""
    return _home() / ".local" / "state" / "secure_serial" / "policies.json"


def _home() -> Path:
    """The user's home by the system's records: an environment variable must not forget versions."""
    if sys.platform == "win32":
        return Path.home()
    import pwd

    return Path(pwd.getpwuid(os.getuid()).pw_dir)


@functools.cache  # they are part of the package, and do not change while it runs
def _shipped(name: str) -> Policy:
    return parse(policy_text(name), name, policy_text)


def _system_wide() -> Policy | None:
    """The system's own policy; None where there is none. One that anybody may write is refused."""
    source = str(SYSTEM_FILE)
    try:
        status = SYSTEM_FILE.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(source, error) from None
    if not only_ours(status, or_of=ROOT):
        raise InvalidPolicy(
            "the system-wide policy must be the administrator's, writable by nobody else",
            where=Where(source),
        )
    return parse(_read(SYSTEM_FILE, source), source, policy_text)


def only_ours(status: os.stat_result, *, or_of: int | None = None) -> bool:
    """Whether a file is this user's (or that one's), and nobody else may write it.

    Elsewhere than on POSIX, whose owners and modes it looks at, every file passes.
    """
    if os.name != "posix":
        return True
    others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return not others and status.st_uid in (os.geteuid(), or_of)


def _read(path: Path, source: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:  # a part of a policy may lack what was meant to deny
            raise ValueError(f"more than {MAX_BYTES} bytes")  # noqa: TRY301
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise _unreadable(source, error) from None


def _unreadable(source: str, error: Exception) -> InvalidPolicy:
    reason = getattr(error, "strerror", None) or str(error)
    known = ", ".join(policy_names())
    return InvalidPolicy(
        f"cannot be read as a policy: {reason}",
        problems=[f"it is no shipped policy either (there are: {known})"],
        where=Where(source),
    )


def check(policy: Policy, today: dt.date) -> None:
    """What no layer shows by itself: its place in the stack, and the day.

    Raises:
        InvalidPolicy: it cannot be used so, or no longer.

    """
    problems = [
        f"{layer.source}: expires: the policy ended on {layer.expires}"
        for layer in policy.layers
        if layer.expires is not None and layer.expires < today
    ]
    problems += [
        f'{layer.source}: mode: only the first layer may say "report"'
        for layer in policy.below
        if layer.mode is Mode.REPORT
    ]
    if policy.inherits:
        problems.append(f"{policy.source}: extends: nothing is above the first layer for {ABOVE!r}")
    if problems:
        where = Where(policy.source)
        raise InvalidPolicy("the policy cannot be used", problems=problems, where=where)
