"""`keygen`, `sign` and `verify` as a person runs them: exit codes, and what each stream gets."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from policy.signing.parts import policy, real_key

from secure_serial.cli.main import main
from secure_serial.data import policy_text
from secure_serial.policy.signing import Trust, verify_bundle
from secure_serial.policy.source import load_policy

pytest.importorskip("cryptography")

OURS = real_key(1).public


def run(*argv):
    return main(["policy", *map(str, argv)])


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def key(here, capsys):
    """A key file `k`; its public key."""
    assert run("keygen", "--out", "k") == 0
    return capsys.readouterr().out.strip()


@pytest.fixture
def signed(here, key, capsys):
    """A signed policy that never expires, `acme.dsse.json`, beside its source `acme.toml`."""
    (here / "acme.toml").write_text(policy(expires="", more='extends = ["strict"]\n'))
    assert run("sign", "acme.toml", "--key", "k") == 0
    capsys.readouterr()
    return here / "acme.dsse.json"


def test_keygen_prints_the_public_key_and_nothing_of_the_private_one(here, capsys):
    assert run("keygen", "--out", "k") == 0
    streams = capsys.readouterr()
    assert re.fullmatch(r"ed25519:[A-Za-z0-9+/]{43}=\n", streams.out)
    secret = (here / "k").read_text().splitlines()[1]
    assert secret not in streams.out + streams.err
    assert run("keygen", "--out", "k") == 2
    assert "never overwritten" in capsys.readouterr().err


def test_from_a_key_to_a_verified_policy(here, key, capsys):
    (here / "acme.toml").write_text(policy(expires="", more='extends = ["strict"]\n'))
    assert run("sign", "acme.toml", "--key", "k") == 0
    streams = capsys.readouterr()
    assert streams.out == "acme.dsse.json\n"
    assert f"signed by {key}" in streams.err
    assert run("verify", "acme.dsse.json", "--key", key) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "acme, version 7"
    assert [line.split()[1] for line in lines if "holds" in line][:2] == ["acme", "strict"]
    assert lines[-1] == f"  signed by {key}"


def test_a_bundle_holds_the_shipped_texts_of_this_release(signed, key):
    bundle = verify_bundle(signed.read_bytes(), Trust((key,)), dt.date(2026, 11, 22), ())
    assert bundle.shipped("strict") == policy_text("strict")


def test_a_bundle_is_one_line_of_ascii(signed):
    data = signed.read_bytes()
    assert data.isascii()
    assert data.count(b"\n") == 1
    assert set(json.loads(data)) == {"payload", "payloadType", "signatures"}


def test_out_is_where_the_bundle_goes(here, key, signed, capsys):
    assert run("sign", "acme.toml", "--key", "k", "--out", "other") == 0
    assert capsys.readouterr().out == "other\n"
    assert (here / "other").read_bytes() == signed.read_bytes()


def test_the_date_is_shown(here, key, capsys):
    (here / "p.toml").write_text(policy(expires="9999-12-31"))
    assert run("sign", "p.toml", "--key", "k") == 0
    capsys.readouterr()
    assert run("verify", "p.dsse.json", "--key", key) == 0
    assert capsys.readouterr().out.startswith("acme, version 7, expires 9999-12-31\n")


def test_an_expired_policy_is_refused(here, key, capsys):
    (here / "p.toml").write_text(policy(expires="2020-01-01"))
    assert run("sign", "p.toml", "--key", "k") == 0
    assert run("verify", "p.dsse.json", "--key", key) == 1
    assert "expired on 2020-01-01" in capsys.readouterr().err


def test_a_second_signature_is_added_in_place(here, key, signed, capsys):
    assert run("keygen", "--out", "k2") == 0
    second = capsys.readouterr().out.strip()
    (here / "org.toml").write_text(f'[trust]\nkeys = ["{key}", "{second}"]\nthreshold = 2\n')
    assert run("verify", signed, "--trust", "org.toml") == 1
    assert run("sign", signed, "--key", "k2") == 0
    assert "acme, version 7" in capsys.readouterr().err  # what the second signer signs
    assert run("verify", signed, "--trust", "org.toml") == 0
    assert run("sign", signed, "--key", "k2") == 2
    assert "signed it before" in capsys.readouterr().err


def test_a_refusal_is_a_finding_and_leaves_stdout_empty(signed, key, capsys):
    for argv in (("--key", OURS), ("--key", key, "--at-least", "8")):
        assert run("verify", signed, *argv) == 1
        streams = capsys.readouterr()
        assert streams.out == ""
        assert "acme.dsse.json: " in streams.err
        assert "[SS202]" in streams.err
    assert run("verify", "acme.toml", "--key", key) == 1
    assert "not a signed bundle" in capsys.readouterr().err


def test_one_of_several_keys_is_enough(signed, key):
    assert run("verify", signed, "--key", OURS, "--key", key, "--at-least", "7") == 0


def test_the_floor_is_the_higher_one(here, signed, key):
    (here / "org.toml").write_text(f'[trust]\nkeys = ["{key}"]\nminimum_version = 8\n')
    assert run("verify", signed, "--trust", "org.toml") == 1
    assert run("verify", signed, "--trust", "org.toml", "--at-least", "2") == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("schema = 1\n", "has no [trust] table"),
        ("[trust]\nkeys = []\n", "must name one key"),
        ("[trust\n", "not valid TOML"),
    ],
)
def test_a_trust_file_that_demands_nothing_is_a_usage_error(here, signed, capsys, text, reason):
    (here / "org.toml").write_text(text)
    assert run("verify", signed, "--trust", "org.toml") == 2
    assert reason in capsys.readouterr().err


def test_what_cannot_be_used_is_a_usage_error(here, signed, key, capsys, monkeypatch):
    (here / "latin.toml").write_bytes(b"name = '\xe4'")
    (here / "plain.toml").write_text("schema = 1\n")
    for argv in (
        ("verify", "absent", "--key", key),
        ("verify", signed, "--key", "ed25519:nonsense"),
        ("verify", signed, "--trust", "absent"),
        ("verify", signed, "--trust", "latin.toml"),
        ("sign", "absent", "--key", "k"),
        ("sign", "a\0b", "--key", "k"),
        ("sign", "latin.toml", "--key", "k"),
        ("sign", "plain.toml", "--key", "k"),
        ("sign", "acme.toml", "--key", "absent"),
        ("sign", "acme.toml", "--key", "acme.toml"),
        ("sign", "acme.toml", "--key", "k", "--out", "no/such/folder"),
        ("sign", "acme.toml", "--key", "k", "--out", "."),
    ):
        assert run(*argv) == 2, argv
        streams = capsys.readouterr()
        assert streams.out == ""
        assert streams.err.startswith("secure-serial: ")
        assert "internal" not in streams.err
    monkeypatch.setattr("secure_serial.policy.signing.dsse.MAX_BYTES", 10)
    assert run("verify", signed, "--key", key) == 2
    assert "more than 10 bytes" in capsys.readouterr().err


@pytest.mark.parametrize(
    "more", ['alow = "x"\n', '[[allow]]\nid = "x"\n', 'extends = ["no-such"]\n', "lambda = 1\n"]
)
def test_a_policy_that_cannot_be_used_is_not_signed(here, key, capsys, more):
    (here / "p.toml").write_text(policy(more=more))
    assert run("sign", "p.toml", "--key", "k") == 2
    assert capsys.readouterr().out == ""
    assert not (here / "p.dsse.json").exists()


def test_nothing_but_a_bundle_is_overwritten(here, signed, capsys):
    (here / "empty").touch()
    assert run("sign", "acme.toml", "--key", "k", "--out", "empty") == 0
    (here / "acme.toml").write_text(policy(version=8, expires=""))
    assert run("sign", "acme.toml", "--key", "k") == 0
    assert capsys.readouterr().out == "empty\nacme.dsse.json\n"
    before = {name: (here / name).read_bytes() for name in ("acme.toml", "k")}
    for out in before:
        assert run("sign", "acme.toml", "--key", "k", "--out", out) == 2
        assert "not overwritten" in capsys.readouterr().err
    assert {name: (here / name).read_bytes() for name in before} == before


def test_a_name_in_a_bundle_cannot_steer_the_terminal(here, key, capsys):
    (here / "p.toml").write_text(policy(name="a\u202eb", expires=""), encoding="utf-8")
    assert run("sign", "p.toml", "--key", "k") == 2  # not printable
    (here / "p.toml").write_text(policy(name="a\u2800b", expires=""), encoding="utf-8")
    assert run("sign", "p.toml", "--key", "k") == 0
    assert run("verify", "p.dsse.json", "--key", key) == 0
    streams = capsys.readouterr()
    assert "\u2800" not in streams.out + streams.err


def test_the_demand_is_either_keys_or_a_file(capsys):
    assert run("verify", "b") == 2
    assert run("verify", "b", "--key", OURS, "--trust", "org.toml") == 2
    assert capsys.readouterr().out == ""


def test_the_public_key_of_a_private_one_is_printed_again(key, capsys):
    assert run("keygen", "--show", "k") == 0
    assert capsys.readouterr().out.strip() == key
    assert run("keygen", "--show", "absent") == 2
    assert run("keygen", "--show", "k", "--out", "k3") == 2
    assert run("keygen") == 2


def test_a_private_keys_file_is_no_public_key(signed, key, capsys):
    assert run("verify", signed, "--key", "k") == 2
    assert "takes the public key, ed25519:" in capsys.readouterr().err


def test_what_others_signed_is_not_overwritten(here, key, signed, capsys):
    run("keygen", "--out", "k2")
    second = capsys.readouterr().out.strip()
    assert run("sign", "acme.toml", "--key", "k2") == 0  # the same policy: both signatures stay
    for public in (key, second):
        assert run("verify", signed, "--key", public) == 0
    before = signed.read_bytes()
    assert run("sign", "acme.toml", "--key", "k") == 0
    assert signed.read_bytes() == before
    for text in (policy(expires="", more="# changed\n"), policy(version=6, expires=""),
                 policy(name="other", version=9, expires="")):  # fmt: skip
        (here / "acme.toml").write_text(text)
        capsys.readouterr()
        assert run("sign", "acme.toml", "--key", "k") == 2
        assert "acme.dsse.json: version 7 of 'acme' is there already" in capsys.readouterr().err
    assert signed.read_bytes() == before
    signed.write_text("{}")
    assert run("sign", "acme.toml", "--key", "k") == 2
    (here / "acme.toml").write_text(policy(version=8, expires=""))
    signed.write_bytes(before)
    assert run("sign", "acme.toml", "--key", "k") == 0
    assert run("verify", signed, "--key", second) == 1  # who signed the old one did not sign this


def test_a_signature_that_does_not_fit_tells_whose_is_missing(signed, key, capsys):
    assert run("verify", signed, "--key", OURS) == 1
    said = capsys.readouterr().err
    assert f"not found: {OURS}." in said
    assert "or was changed after it was signed" in said
    run("keygen", "--out", "k2")
    second = capsys.readouterr().out.strip()
    signed.with_name("org.toml").write_text(
        f'[trust]\nkeys = ["{key}", "{second}"]\nthreshold = 2\n'
    )
    assert run("verify", signed, "--trust", "org.toml") == 1
    assert f"found: {key}; not found: {second}." in capsys.readouterr().err


def test_verify_says_what_a_load_by_this_user_would_refuse(here, signed, key, capsys, monkeypatch):
    memory = here / "seen.json"
    monkeypatch.setattr("secure_serial.policy.source.memory_file", lambda: memory)
    assert run("verify", signed, "--key", key) == 0
    assert capsys.readouterr().err == ""
    assert not memory.exists()
    load_policy(signed, trust=Trust((key,)))
    (here / "acme.toml").write_text(policy(expires="", more="# another text\n"))
    signed.unlink()
    assert run("sign", "acme.toml", "--key", "k") == 0
    capsys.readouterr()
    assert run("verify", signed, "--key", key) == 0
    said = capsys.readouterr().err
    assert "a load by this user would refuse it: version 7 was seen before with another" in said
    memory.write_text("damaged")
    assert run("verify", signed, "--key", key) == 0
    assert "would refuse it: the memory of versions is damaged" in capsys.readouterr().err

    def homeless():
        raise KeyError("uid not found")

    monkeypatch.setattr("secure_serial.policy.source.memory_file", homeless)
    assert run("verify", signed, "--key", key) == 0
    assert capsys.readouterr().err == ""
