r"""Signed policies: one file that says which policy, which version, and who signed it.

>>> from datetime import date
>>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
>>> from secure_serial.policy.signing.keys import SigningKey
>>> key = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
>>> text = 'schema = 1\nname = "acme"\nversion = 7\nexpires = 2027-06-30\n'
>>> signed = sign_policy(text, "acme.toml", {}.__getitem__, key)
>>> bundle = verify_bundle(signed, Trust((key.public,)), date(2026, 11, 22), ())
>>> bundle.name, bundle.version, bundle.text == text
('acme', 7, True)

The parts: `dsse` (the envelope), `bundle` (what is signed), `trust` (the decision), all
three pure; `keys` (Ed25519) and `versions` (what was seen before).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from secure_serial.errors import PolicyError, UntrustedPolicy, Where
from secure_serial.policy.signing import bundle as bundles
from secure_serial.policy.signing import dsse
from secure_serial.policy.signing.bundle import Bundle
from secure_serial.policy.signing.trust import Seen, Trust, decide, parse_trust

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from datetime import date

    from secure_serial.policy.signing.keys import SigningKey

__all__ = [
    "Bundle",
    "Seen",
    "Trust",
    "add_signature",
    "merged",
    "parse_trust",
    "read_unverified",
    "sign_policy",
    "verify_and_remember",
    "verify_bundle",
]


def sign_policy(text: str, source: str, shipped: Callable[[str], str], key: SigningKey) -> bytes:
    """A signed bundle of a policy and of all shipped policies that it extends.

    Args:
        text: The policy; it must have a name and a version of its own.
        source: Where it stands, for messages.
        shipped: The text of a shipped policy by name.
        key: Who signs.

    Raises:
        InvalidPolicy: it cannot be bundled; lists all that is wrong with it.

    """
    payload = bundles.dump(bundles.collect(text, source, shipped))
    signature = key.sign(dsse.pae(bundles.PAYLOAD_TYPE, payload))
    return dsse.dump(dsse.Envelope(bundles.PAYLOAD_TYPE, payload, (signature,)))


def add_signature(data: bytes, key: SigningKey) -> bytes:
    """A bundle with one signature more.

    The signatures that it has are kept and not checked: they are the verifier's affair.

    Raises:
        UntrustedPolicy: it is no envelope of a policy, has no room, or the key has signed.
        InvalidPolicy: what it holds is no bundle.

    """
    read_unverified(data)
    envelope = dsse.parse(data)
    signature = key.sign(dsse.pae(envelope.payload_type, envelope.payload))
    if signature in envelope.signatures:  # Ed25519 makes the same one each time
        raise UntrustedPolicy("this key has signed it before")
    return _signed_besides(envelope, (signature,))


def merged(old: bytes, new: bytes) -> bytes:
    """What takes the place of a bundle, so that nothing is lost that somebody signed.

    Signatures on the same policy are put together; a higher version takes the place whole.

    Args:
        old: What is there.
        new: What was signed now.

    Raises:
        UntrustedPolicy: what is there is another policy, or not an older version of this one.
        InvalidPolicy: what is there is no bundle.

    """
    there, now = read_unverified(old), read_unverified(new)
    before, after = dsse.parse(old), dsse.parse(new)
    if before.payload == after.payload:
        more = tuple(each for each in after.signatures if each not in before.signatures)
        return _signed_besides(before, more)
    if there.name == now.name and there.version < now.version:
        return new
    raise UntrustedPolicy(
        f"version {there.version} of {there.name!r} is there already, and is not overwritten by "
        f"version {now.version} of {now.name!r}",
        help="raise `version` with every change, or give another --out",
    )


def _signed_besides(envelope: dsse.Envelope, more: tuple[bytes, ...]) -> bytes:
    signatures = (*envelope.signatures, *more)
    if len(signatures) > dsse.MAX_SIGNATURES:
        raise UntrustedPolicy(f"more than {dsse.MAX_SIGNATURES} signatures")
    return dsse.dump(replace(envelope, signatures=signatures))


def read_unverified(data: bytes) -> Bundle:
    """What a bundle says, whoever says it: to show it to a person, never to act on it.

    Raises:
        UntrustedPolicy: it is no envelope of a policy.
        InvalidPolicy: what it holds is no bundle.

    """
    return bundles.unpack(dsse.parse(data))


def verify_bundle(
    data: bytes | None, trust: Trust, today: date, seen: Iterable[Seen], source: str = ""
) -> Bundle:
    """The bundle, if it meets every demand.

    Args:
        data: The signed bundle; None where there is none.
        trust: What is demanded of it.
        today: Held against its date.
        seen: What was believed before. Where it can be kept, use `verify_and_remember`.
        source: Where the bundle stands, for messages.

    Raises:
        UntrustedPolicy: a demand is not met, or signatures cannot be checked here.
        InvalidPolicy: those who are trusted signed what is no bundle.

    """
    from secure_serial.policy.signing.keys import require, verify

    require()
    try:
        return decide(data, trust, verify, today, seen)
    except PolicyError as error:
        if not str(error.where):
            error.where = Where(source)
        raise


def verify_and_remember(
    data: bytes | None, trust: Trust, today: date, path: str | os.PathLike[str], source: str = ""
) -> Bundle:
    """As `verify_bundle`, with the memory of versions in a file that this keeps.

    Args:
        data: As for `verify_bundle`, and so are the others.
        trust: What is demanded of it.
        today: Held against its date.
        path: The file that remembers; made if it is not there.
        source: Where the bundle stands, for messages.

    Raises:
        UntrustedPolicy: as `verify_bundle`, or the memory is damaged or cannot be kept.
        InvalidPolicy: as `verify_bundle`.

    """
    from secure_serial.policy.signing.versions import remembering

    with remembering(path) as memory:
        bundle = verify_bundle(data, trust, today, memory.seen, source)
        memory.note(bundle)
    return bundle
