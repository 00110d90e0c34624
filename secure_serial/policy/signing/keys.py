"""Ed25519 keys, by the package `cryptography` (extra `sign`), which is imported late.

A private key is a PEM file (PKCS #8, not encrypted) that its owner alone can read, and is
never overwritten. A public key is one text, `ed25519:BASE64`, to stand in a policy.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.errors import UntrustedPolicy, Where
from secure_serial.policy.signing.trust import KEY_BYTES, PREFIX, key_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ed25519

_MISSING = (
    "signatures need the package cryptography; install it (pip install cryptography), or "
    "secure-serial with its extra `sign`"
)
#: An Ed25519 key in PEM has some 120 bytes.
_MAX_BYTES = 16384


class SigningKey:
    """A private key. Its text never shows in a message.

    >>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    >>> SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32))).public
    'ed25519:O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik='
    """

    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PREFIX + base64.b64encode(key.public_key().public_bytes_raw()).decode()

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes."""
        return self._key.sign(message)


def require() -> None:
    """Raise UntrustedPolicy where signatures cannot be made or checked."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise UntrustedPolicy(_MISSING) from None
    try:
        Ed25519PublicKey.from_public_bytes(bytes(KEY_BYTES))
    except UnsupportedAlgorithm:  # some builds allow older algorithms only
        raise UntrustedPolicy("the cryptography of this system has no Ed25519") from None


def generate(path: str | os.PathLike[str]) -> str:
    """Make a key pair: the private key goes to a new file, the public one is returned.

    Raises:
        UntrustedPolicy: the file exists or cannot be written, or `cryptography` is missing.

    """
    require()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write_new(Path(path), text)
    return SigningKey(key).public


def load(path: str | os.PathLike[str]) -> SigningKey:
    """The private key in a file.

    Raises:
        UntrustedPolicy: it cannot be read, or is not an Ed25519 key in PEM without password.

    """
    require()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    where = Where(str(path))
    try:
        with Path(path).open("rb") as file:
            text = file.read(_MAX_BYTES)
        key = load_pem_private_key(text, None)
    except OSError as error:
        reason = error.strerror or error
        raise UntrustedPolicy(f"the key cannot be read: {reason}", where=where) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it has a password
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UntrustedPolicy("not an Ed25519 key in PEM without a password", where=where)
    return SigningKey(key)


def verify(key: str, signature: bytes, message: bytes) -> bool:
    """Whether a public key made a signature of a message.

    Raises:
        UntrustedPolicy: nobody can say, for `cryptography` is missing.
        InvalidPolicy: it is no key.

    """
    require()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key_bytes(key)).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _write_new(path: Path, text: bytes) -> None:
    try:
        # Exclusive, so that a key is never lost and no link is followed.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)  # a part of a key is none, and would stand in the way
            raise
    except OSError as error:
        raise UntrustedPolicy(
            f"the key cannot be written: {error.strerror or error}",
            where=Where(str(path)),
            help="a key is never overwritten; give a path where nothing is",
        ) from None
