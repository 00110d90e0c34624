"""Which policy holds, and whose it must be."""

from __future__ import annotations

import os
from datetime import date

import pytest
from policy.rules import allow

from secure_serial import load_model, scan
from secure_serial.errors import InvalidPolicy, UntrustedPolicy
from secure_serial.policy import source
from secure_serial.policy.source import load_policy, parse_policy

TODAY = date(2026, 6, 1)
posix = pytest.mark.skipif(os.name != "posix", reason="asks for owners and modes of files")


@pytest.fixture
def system(tmp_path, monkeypatch):
    path = tmp_path / "system.toml"
    monkeypatch.setattr(source, "SYSTEM_FILE", path)
    return path


def write(path, text="", mode=0o644, name="p"):
    path.write_text(f'schema = 1\nname = "{name}"\n{text}', encoding="utf-8")
    path.chmod(mode)
    return path


def test_the_system_wide_file_holds_for_whoever_chooses_none(system):
    assert load_policy().name == "keras-core"
    write(system, name="ours")
    assert load_policy().name == "ours"
    assert load_policy([None, "strict"]).name == "ours"
    assert load_policy("strict").name == "strict"


def test_it_holds_for_scans_and_loads(system, tmp_path):
    write(system, name="ours")
    config = tmp_path / "config.json"
    config.write_text('{"class_name": "Dense", "config": {"units": 3}}', encoding="utf-8")
    report = scan(config)
    assert report.policy.name == "ours"
    assert [finding.code for finding in report.findings] == ["SS301"]
    with pytest.raises(ValueError, match="denied by the policy ours"):
        load_model(config)


@posix
@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_system_wide_file_that_others_may_write_is_refused(system, mode):
    write(system, mode=mode)
    with pytest.raises(InvalidPolicy, match="writable by nobody else"):
        load_policy()


@posix
def test_a_system_wide_file_of_another_user_is_refused(system, monkeypatch):
    write(system)
    monkeypatch.setattr(os, "geteuid", lambda: system.stat().st_uid + 1)
    monkeypatch.setattr(source, "ROOT", -1)
    with pytest.raises(InvalidPolicy, match="must be the administrator's"):
        load_policy()


def test_a_system_wide_file_that_cannot_be_read_is_no_reason_to_do_without(system):
    system.mkdir()
    with pytest.raises(InvalidPolicy):
        load_policy()


def test_a_broken_system_wide_file_is_no_reason_to_do_without(system):
    system.write_text("schema = ", encoding="utf-8")
    with pytest.raises(InvalidPolicy, match="not valid TOML"):
        load_policy()


def test_no_policy_is_taken_from_where_a_model_may_lie(system, tmp_path, monkeypatch):
    for name in (
        "policy.toml",
        "secure-serial.toml",
        ".secure-serial.toml",
        "pyproject.toml",
        "keras-core",
    ):
        write(tmp_path / name, name="planted")
    monkeypatch.chdir(tmp_path)
    for variable in (
        "SECURE_SERIAL_POLICY",
        "SECURE_SERIAL_CONFIG",
        "XDG_CONFIG_HOME",
        "PROGRAMDATA",
    ):
        monkeypatch.setenv(variable, str(tmp_path))
    config = tmp_path / "config.json"
    config.write_text('{"class_name": "Dense", "config": {"units": 3}}', encoding="utf-8")
    assert scan(config).policy.name == "keras-core"


# Signed files.


@pytest.fixture
def keys():
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    from secure_serial.policy.signing.keys import SigningKey

    return [
        SigningKey(ed25519.Ed25519PrivateKey.from_private_bytes(bytes([n] * 32))) for n in (1, 2)
    ]


def bundle(path, key, version=1, rules="", name="ours"):
    from secure_serial.policy.signing import sign_policy

    text = f'schema = 1\nname = "{name}"\nversion = {version}\n{rules}'
    path.write_bytes(sign_policy(text, path.name, {"keras-core": "schema = 1"}.__getitem__, key))
    return path


def trusting(key):
    return f'[trust]\nkeys = ["{key.public}"]'


def test_a_bundle_is_read_where_its_key_is_trusted(tmp_path, keys):
    path = bundle(tmp_path / "p.dsse.json", keys[0], rules=allow("acme.Block"))
    top = parse_policy(f"schema = 1\n{trusting(keys[0])}")
    stack = load_policy([top, path], today=TODAY, memory=tmp_path / "memory.json")
    assert [rule.id for rule in stack.layers[1].rules] == ["a"]
    assert (
        load_policy(path, trust=top.trust, today=TODAY, memory=tmp_path / "memory.json").name
        == "ours"
    )


def test_a_bundle_that_nobody_says_to_trust_is_refused(tmp_path, keys):
    with pytest.raises(UntrustedPolicy, match="no key is trusted"):
        load_policy(bundle(tmp_path / "p.dsse.json", keys[0]))


def test_a_stranger_cannot_sign_again(tmp_path, keys):
    path = bundle(tmp_path / "p.dsse.json", keys[1])
    with pytest.raises(UntrustedPolicy):
        load_policy(
            [parse_policy(f"schema = 1\n{trusting(keys[0])}"), path], memory=tmp_path / "m.json"
        )


def test_where_a_signature_is_demanded_a_plain_file_is_refused(tmp_path, keys, system):
    """OPA GHSA-g2pf-6v5v-qcc8: what was stripped of its signature must not pass for unsigned."""
    plain = write(tmp_path / "p.toml")
    demanding = parse_policy(f"schema = 1\n{trusting(keys[0])}")
    with pytest.raises(UntrustedPolicy):
        load_policy([demanding, plain], memory=tmp_path / "m.json")
    write(system, trusting(keys[0]))
    with pytest.raises(UntrustedPolicy):
        load_policy(plain, memory=tmp_path / "m.json")
    assert load_policy("strict").name == "strict"  # comes with the package


def test_a_demand_holds_for_every_layer_below(tmp_path, keys):
    layers = [
        parse_policy(f"schema = 1\n{trusting(keys[0])}"),
        "strict",
        write(tmp_path / "p.toml"),
    ]
    with pytest.raises(UntrustedPolicy):
        load_policy(layers, memory=tmp_path / "m.json")


def test_an_older_bundle_is_refused_once_a_newer_was_seen(tmp_path, keys):
    """TUF, rollback: the signature of an old version stays good for ever."""
    trust = parse_policy(f"schema = 1\n{trusting(keys[0])}").trust
    options = {"trust": trust, "today": TODAY, "memory": tmp_path / "memory.json"}
    old = bundle(tmp_path / "old.dsse.json", keys[0], version=1)
    assert load_policy(old, **options).version == 1
    assert (
        load_policy(bundle(tmp_path / "new.dsse.json", keys[0], version=2), **options).version == 2
    )
    with pytest.raises(UntrustedPolicy):
        load_policy(old, **options)


def test_what_a_bundle_extends_is_what_was_signed(tmp_path, keys):
    path = bundle(tmp_path / "p.dsse.json", keys[0], rules='extends = ["keras-core"]')
    trust = parse_policy(f"schema = 1\n{trusting(keys[0])}").trust
    policy = load_policy(path, trust=trust, today=TODAY, memory=tmp_path / "memory.json")
    assert policy.rules == ()  # of the empty keras-core that the signer had


@posix
def test_what_was_seen_is_remembered_whatever_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert source._home() != tmp_path
