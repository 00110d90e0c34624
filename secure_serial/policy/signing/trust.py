"""Whether a bundle may be believed: a pure decision on bytes, keys, a date and what was seen.

A `[trust]` table is a demand. Where there is one, nothing is believed without it: a missing
signature, an empty list of them and a plain policy are refused like a wrong one. What an
envelope says of itself (key ids, how many signatures) decides nothing.

Refused besides (in the words of The Update Framework): an older version than one that was
believed (rollback), another text under the same version (equivocation), a policy past its
date (freeze), a policy of another name (mix and match).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from secure_serial.errors import InvalidPolicy, UntrustedPolicy, Where
from secure_serial.policy.reading import Problem, Table
from secure_serial.policy.signing import bundle as bundles
from secure_serial.policy.signing import dsse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from secure_serial.artifact.document import Json
    from secure_serial.policy.signing.bundle import Bundle

    #: Whether a key made a signature of a message.
    Verify = Callable[[str, bytes, bytes], bool]

PREFIX = "ed25519:"
KEY_BYTES = 32
#: Each is tried on each signature.
MAX_KEYS = 16
_FIELDS = {"keys", "threshold", "minimum_version", "policies"}
_P = 2**255 - 19
_EIGHTH = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
#: The points whose order is at most 8, by their y. Anybody can sign for such a key: zeros, the
#: likely placeholder, are one of them.
_WEAK = {0, 1, _P - 1, _EIGHTH, _P - _EIGHTH}


@dataclass(frozen=True, slots=True)
class Trust:
    """What is demanded of a policy: the `[trust]` table.

    Args:
        keys: Whose signatures count, as `ed25519:BASE64`.
        threshold: How many of the keys must have signed.
        minimum_version: Versions below it are refused, also where none was seen before.
        policies: The names that it may have; empty for any.

    Raises:
        InvalidPolicy: with all problems at once.

    >>> Trust(("ed25519:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",)).threshold
    1

    """

    keys: tuple[str, ...]
    threshold: int = 1
    minimum_version: int = 0
    policies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        table = {
            "keys": list(self.keys),
            "threshold": self.threshold,
            "minimum_version": self.minimum_version,
            "policies": list(self.policies),
        }
        problems = trust_problems(table)
        if problems:
            raise InvalidPolicy("the trust table cannot be used", problems=problems)


@dataclass(frozen=True, slots=True)
class Seen:
    """A bundle that was believed before: its version and digest, and a key that signed it."""

    name: str
    key: str
    version: int
    sha256: str


def parse_trust(table: Json, source: str = "") -> Trust:
    """What a `[trust]` table demands.

    Raises:
        InvalidPolicy: with all problems at once.

    """
    problems = trust_problems(table)
    if problems:
        where = Where(source)
        raise InvalidPolicy("the trust table cannot be used", problems=problems, where=where)
    fields = cast("dict[str, list[str]]", table)
    numbers = cast("dict[str, int]", table)
    return Trust(
        keys=tuple(fields["keys"]),
        threshold=numbers.get("threshold", 1),
        minimum_version=numbers.get("minimum_version", 0),
        policies=tuple(fields.get("policies", ())),
    )


def trust_problems(table: Json) -> list[str]:
    """All that is wrong with a `[trust]` table.

    >>> trust_problems({"keys": [], "threshold": 0})[1]
    'trust.threshold: must be a whole number from 1, of 64 bits'
    """
    if not isinstance(table, dict):
        return ["trust: must be a table"]
    known = ", ".join(sorted(_FIELDS))
    problems = [
        f"trust: unknown key {key!r:.80} (known: {known})" for key in table if key not in _FIELDS
    ]
    problems += _key_problems(table.get("keys", []))
    wrong: list[Problem] = []
    numbers = Table(table, ("trust",), wrong)
    threshold = numbers.whole("threshold", 1, least=1)
    if not problems and not wrong and threshold > len(table["keys"]):
        problems.append("trust.threshold: more than there are keys, so nothing could meet it")
    numbers.whole("minimum_version", 0, least=0)
    problems += [f"{'.'.join(map(str, each.path))}: {each.text}" for each in wrong]
    names = table.get("policies", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        problems.append("trust.policies: must be a list of names")
    return problems


def key_bytes(key: str) -> bytes:
    r"""The 32 bytes of a public key written as `ed25519:BASE64`.

    Raises:
        InvalidPolicy: it is not so written, or a key for which anybody can sign.

    >>> key_bytes("ed25519:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=")[:2]
    b'\x02\x02'

    """
    problem = _key_problem(key)
    if problem:
        raise InvalidPolicy(f"the key {key!r:.80} {problem}")
    return dsse.decode_base64(key.removeprefix(PREFIX)) or b""


def decide(
    data: bytes | None, trust: Trust, verify: Verify, today: date, seen: Iterable[Seen]
) -> Bundle:
    """The bundle, if it meets every demand; its `signed_by` says which keys signed.

    Args:
        data: The signed bundle; None where there is nothing signed at all.
        trust: What is demanded.
        verify: Whether a key made a signature of a message.
        today: The date against which `expires` is held; its last day is in.
        seen: All that was believed before, of whatever name and key.

    Raises:
        UntrustedPolicy: a demand is not met; the message says which.
        InvalidPolicy: those who are trusted signed what is no bundle.

    """
    if data is None:
        raise UntrustedPolicy("not signed, and a signature is demanded")
    envelope = dsse.parse(data)
    if not envelope.signatures:
        raise UntrustedPolicy("it carries no signature, and one is demanded")
    signers = dsse.signers(envelope, trust.keys, verify)
    if len(signers) < trust.threshold:
        raise UntrustedPolicy(
            f"signed by {len(signers)} of the keys that are trusted; {trust.threshold} must sign",
            help=_who_signed(signers, trust),
        )
    bundle = bundles.unpack(envelope)
    if trust.policies and bundle.name not in trust.policies:
        raise UntrustedPolicy(f"a policy of another name is signed: {bundle.name!r}")
    if bundle.version < trust.minimum_version:
        raise UntrustedPolicy(
            f"version {bundle.version} is older than {trust.minimum_version}, the lowest allowed"
        )
    _not_back(bundle, (old for old in seen if old.name == bundle.name and old.key in trust.keys))
    # ISO dates sort as they follow each other; the cut makes a day of a point in time.
    if bundle.expires is not None and today.isoformat()[:10] > bundle.expires:
        raise UntrustedPolicy(f"the policy expired on {bundle.expires}")
    return replace(bundle, signed_by=tuple(sorted(signers)))


def _not_back(bundle: Bundle, seen: Iterable[Seen]) -> None:
    digest = bundle.sha256
    for old in seen:
        if bundle.version < old.version:
            raise UntrustedPolicy(
                f"version {bundle.version} is older than {old.version}, which was seen before"
            )
        if bundle.version == old.version and digest != old.sha256:
            raise UntrustedPolicy(
                f"version {bundle.version} was seen before with another content: one of the two "
                "is not what it says",
                help="if the change is yours, raise `version` and sign again",
            )


def _who_signed(signers: Iterable[str], trust: Trust) -> str:
    """Whose signatures were found and are missing. A signature does not say whose it is.

    So one by another key and one of another text look the same; a key id could say which,
    and be false.
    """
    found = f"found: {', '.join(sorted(signers))}; " if signers else ""
    missing = ", ".join(key for key in trust.keys if key not in signers)
    return (
        f"{found}not found: {missing}. It was signed by another key (`policy keygen --show KEY` "
        "prints a key's public half), or was changed after it was signed"
    )


def _key_problems(keys: Json) -> list[str]:
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        return ["trust.keys: must be a list of texts"]
    problems = [f"trust.keys: {key!r:.80} {_key_problem(key)}" for key in keys if _key_problem(key)]
    if not keys:
        problems.append("trust.keys: must name one key at least")
    if len(keys) > MAX_KEYS:
        problems.append(f"trust.keys: more than {MAX_KEYS}")
    # The form is strict, so that one key has one text.
    if len(set(keys)) < len(keys):
        problems.append("trust.keys: one key stands there twice, and would count once")
    return problems


def _key_problem(key: str) -> str:
    encoded = key.removeprefix(PREFIX)
    raw = dsse.decode_base64(encoded)
    if not key.startswith(PREFIX) or raw is None or len(raw) != KEY_BYTES or set(encoded) & {*"-_"}:
        return f"is not {PREFIX} and {KEY_BYTES} bytes in base64"
    y = int.from_bytes(raw, "little") % 2**255  # without the sign of x
    if y in _WEAK or y >= _P:
        return "is a key for which anybody can sign"
    return ""
