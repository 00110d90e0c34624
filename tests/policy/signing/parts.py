"""Keys, policies and envelopes, as short as a test wants to write them.

The toy scheme signs with a digest over the key's own text: it shows what the decision makes
of signatures, and needs no package. Attacks are tried with real keys besides.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import date

import pytest

from secure_serial.policy.signing import bundle as bundles
from secure_serial.policy.signing import dsse
from secure_serial.policy.signing.trust import Trust

TODAY = date(2026, 11, 22)
KIND = bundles.PAYLOAD_TYPE
SHIPPED = {
    "base": 'schema = 1\nname = "base"\nextends = ["root"]\n',
    "root": 'schema = 1\nname = "root"\n',
    "other": 'schema = 1\nname = "other"\nextends = "root"\n',
}


def shipped(name):
    return SHIPPED[name]


def policy(name="acme", version=7, expires="2027-06-30", more=""):
    """The text of a policy."""
    date_line = f"expires = {expires}\n" if expires else ""
    return f'schema = 1\nname = "{name}"\nversion = {version}\n{date_line}{more}'


def toy_key(letter):
    """A public key of the toy scheme; each letter makes another."""
    return "ed25519:" + base64.b64encode(letter.encode() * 32).decode()


A, B, C = map(toy_key, "abc")


def toy_sign(key, message):
    return hashlib.sha512(key.encode() + message).digest()


def toy_verify(key, signature, message):
    return signature == toy_sign(key, message)


def signed(*keys, payload=None, kind=KIND, text=None, version=7):
    """An envelope of a policy, signed by these keys of the toy scheme."""
    if payload is None:
        payload = bundles.dump(bundles.collect(text or policy(version=version), "p.toml", shipped))
    message = dsse.pae(kind, payload)
    return dsse.dump(dsse.Envelope(kind, payload, tuple(toy_sign(key, message) for key in keys)))


def trusting(*keys, **more):
    return Trust(tuple(keys), **more)


def real_key(number):
    """A real private key, the same each time."""
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from secure_serial.policy.signing.keys import SigningKey

    return SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
