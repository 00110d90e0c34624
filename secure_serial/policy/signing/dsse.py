"""DSSE v1, the envelope in which signed bytes travel. Pure: bytes in, bytes out.

What is signed is `pae`: the type of the payload and the payload, each with its length. So a
signature on one kind of payload is none on another, and the bytes that were verified are
those that are read.

Two points are on purpose stricter than the specification: a field that is not known is
refused (there it is ignored), and base64 must be the one text that its bytes have. Key ids
are unauthenticated hints; reading drops them, so that no decision can hang on one.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from secure_serial.artifact.json_text import parse_json
from secure_serial.errors import ArtifactError, UntrustedPolicy
from secure_serial.limits import MIB, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from secure_serial.artifact.document import Json

#: A policy of 2,000 rules is some 300 KB. Base64 makes three bytes four.
MAX_PAYLOAD = 4 * MIB
MAX_BYTES = 6 * MIB
#: Each signature is tried with each trusted key, and each trial hashes the payload: with
#: sixteen of each, a stranger's largest envelope takes some seconds to be refused.
MAX_SIGNATURES = 16
_LIMITS = Limits(config_bytes=MAX_BYTES, depth=3, nodes=8 + 3 * MAX_SIGNATURES)
_FIELDS = {"payload", "payloadType", "signatures"}
_ALPHABETS = (b"+/", b"-_")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, what it claims to be, and signatures that nobody has checked yet."""

    payload_type: str
    payload: bytes
    signatures: tuple[bytes, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: the specification's pre-authentication encoding.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def dump(envelope: Envelope) -> bytes:
    r"""The envelope as JSON, without key ids.

    >>> dump(Envelope("t", b"hi", (b"\0",)))
    b'{"payload":"aGk=","payloadType":"t","signatures":[{"sig":"AA=="}]}\n'
    """
    data = {
        "payload": base64.b64encode(envelope.payload).decode(),
        "payloadType": envelope.payload_type,
        "signatures": [{"sig": base64.b64encode(sig).decode()} for sig in envelope.signatures],
    }
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"


def parse(data: bytes) -> Envelope:
    """The envelope that a JSON text is. Nothing is verified by that.

    Raises:
        UntrustedPolicy: it is no envelope, or an ambiguous one.

    >>> parse(b'{"payload":"aGk=","payloadType":"t","signatures":[]}').payload
    b'hi'

    """
    if len(data) > MAX_BYTES:
        raise _refused(f"more than {MAX_BYTES} bytes")
    try:
        tree = parse_json(data, _LIMITS)
    except ArtifactError as error:
        raise UntrustedPolicy(f"not a signed bundle: {error.message}") from None
    fields = _fields(tree, _FIELDS, _FIELDS, "the envelope")
    payload_type, signatures = fields["payloadType"], fields["signatures"]
    if not isinstance(payload_type, str):
        raise _refused("payloadType must be text")
    if not isinstance(signatures, list):
        raise _refused("signatures must be a list")
    if len(signatures) > MAX_SIGNATURES:
        raise _refused(f"more than {MAX_SIGNATURES} signatures")
    payload = _bytes(fields["payload"], "payload")
    if len(payload) > MAX_PAYLOAD:
        raise _refused(f"the payload has more than {MAX_PAYLOAD} bytes")
    return Envelope(payload_type, payload, tuple(map(_signature, signatures)))


def signers(
    envelope: Envelope, keys: Iterable[str], verify: Callable[[str, bytes, bytes], bool]
) -> frozenset[str]:
    """Those of the keys that signed: keys, not signatures, for one may sign twice.

    Args:
        envelope: What claims to be signed.
        keys: The keys to try, each on every signature.
        verify: Whether this key made this signature of this message.

    >>> envelope = Envelope("t", b"", (b"by a", b"by a", b"by x"))
    >>> signers(envelope, ["a", "b"], lambda key, signature, _: signature.endswith(key.encode()))
    frozenset({'a'})

    """
    message = pae(envelope.payload_type, envelope.payload)
    signatures = frozenset(envelope.signatures)
    return frozenset(
        key for key in keys if any(verify(key, signature, message) for signature in signatures)
    )


def decode_base64(text: str) -> bytes | None:
    r"""The bytes of a base64 text in either alphabet; None if it is not just what they make.

    >>> decode_base64("-_8="), decode_base64("+/8="), decode_base64("-/8="), decode_base64("+/9=")
    (b'\xfb\xff', b'\xfb\xff', None, None)
    """
    for alphabet in _ALPHABETS:
        try:
            data = base64.b64decode(text, alphabet, validate=True)
        except (binascii.Error, ValueError):
            continue
        # Encoding again finds what a decoder lets pass: mixed alphabets, stray bits at the end.
        if base64.b64encode(data, alphabet).decode() == text:
            return data
    return None


def _signature(entry: Json) -> bytes:
    fields = _fields(entry, {"sig", "keyid"}, {"sig"}, "a signature")
    if not isinstance(fields.get("keyid", ""), str):
        raise _refused("keyid must be text")
    return _bytes(fields["sig"], "sig")


def _fields(value: Json, known: set[str], needed: set[str], what: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise _refused(f"{what} must be an object")
    fields = cast("dict[str, Json]", value)
    for key in fields:
        if key not in known:
            raise _refused(f"{what} has the unknown field {key!r:.80}")
    for key in sorted(needed):
        if key not in fields:
            raise _refused(f"{what} lacks {key}")
    return fields


def _bytes(value: Json, what: str) -> bytes:
    data = decode_base64(value) if isinstance(value, str) else None
    if data is None:
        raise _refused(f"{what} must be base64 text")
    return data


def _refused(reason: str) -> UntrustedPolicy:
    return UntrustedPolicy(f"not a signed bundle: {reason}")
