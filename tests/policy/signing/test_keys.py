"""Key files, and what is said where `cryptography` is not installed."""

from __future__ import annotations

import os
import stat
import sys

import pytest
from policy.signing.parts import TODAY, policy, shipped, trusting

from secure_serial.errors import InvalidPolicy, UntrustedPolicy
from secure_serial.policy.signing import sign_policy, verify_bundle
from secure_serial.policy.signing.keys import generate, load, require, verify


@pytest.fixture
def crypto():
    return pytest.importorskip("cryptography")


def test_a_new_key_signs_what_its_public_part_verifies(crypto, tmp_path):
    public = generate(tmp_path / "k")
    key = load(tmp_path / "k")
    assert key.public == public
    signature = key.sign(b"message")
    assert verify(public, signature, b"message")
    assert not verify(public, signature, b"massage")
    assert not verify(public, signature[:-1], b"message")
    assert not verify(public, b"", b"message")
    assert not verify(generate(tmp_path / "other"), signature, b"message")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_private_key_is_its_owners_alone(crypto, tmp_path):
    before = os.umask(0)
    try:
        generate(tmp_path / "k")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(crypto, tmp_path):
    generate(tmp_path / "k")
    before = (tmp_path / "k").read_bytes()
    with pytest.raises(UntrustedPolicy, match="never overwritten"):
        generate(tmp_path / "k")
    assert (tmp_path / "k").read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_no_link_is_followed(crypto, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UntrustedPolicy):
        generate(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def other_keys():
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    secret = s.BestAvailableEncryption(b"secret")
    for key, encryption in (
        (ec.generate_private_key(ec.SECP256R1()), s.NoEncryption()),
        (ed25519.Ed25519PrivateKey.generate(), secret),
    ):
        yield key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, encryption)
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    yield public.public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    yield b""
    yield b"\xff" * 100
    yield b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"


def test_what_is_no_ed25519_key_is_refused(crypto, tmp_path):
    for text in other_keys():
        (tmp_path / "k").write_bytes(text)
        with pytest.raises(UntrustedPolicy, match="not an Ed25519 key") as caught:
            load(tmp_path / "k")
        assert caught.value.where.file == str(tmp_path / "k")


def test_a_key_that_cannot_be_read_is_refused(crypto, tmp_path):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(UntrustedPolicy, match="cannot be read"):
            load(path)
    with pytest.raises(UntrustedPolicy, match="cannot be written"):
        generate(tmp_path / "no" / "k")


def test_what_is_no_public_key_is_refused(crypto):
    for key in ("", "ed25519:AAAA", "ed25519:" + "A" * 43 + "="):  # the last are zeros
        with pytest.raises(InvalidPolicy):
            verify(key, bytes(64), b"")


def test_without_cryptography_nothing_is_believed_and_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    for name in [name for name in sys.modules if name.startswith("cryptography.")]:
        monkeypatch.setitem(sys.modules, name, None)
    key = "ed25519:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
    for call in (
        require,
        lambda: generate(tmp_path / "k"),
        lambda: load(tmp_path / "k"),
        lambda: verify(key, bytes(64), b""),
        lambda: verify_bundle(b"{}", trusting(key), TODAY, ()),
    ):
        with pytest.raises(UntrustedPolicy, match=r"pip install cryptography\)"):
            call()
    assert not (tmp_path / "k").exists()


def test_a_system_without_ed25519_is_told_as_such(crypto, monkeypatch):
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ed25519

    class Barred:
        @staticmethod
        def from_public_bytes(_):
            raise UnsupportedAlgorithm("not on this system")

    monkeypatch.setattr(ed25519, "Ed25519PublicKey", Barred)
    with pytest.raises(UntrustedPolicy, match="has no Ed25519"):
        require()


def test_a_bad_policy_is_not_signed(crypto, tmp_path):
    generate(tmp_path / "k")
    with pytest.raises(InvalidPolicy):
        sign_policy(policy(version=0), "p", shipped, load(tmp_path / "k"))
