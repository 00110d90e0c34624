"""The envelope is read in one way only, and what is signed is bound to its type."""

from __future__ import annotations

import base64
import json

import pytest
from policy.signing.parts import A, B, C, toy_sign, toy_verify

from secure_serial.errors import UntrustedPolicy
from secure_serial.policy.signing import dsse
from secure_serial.policy.signing.dsse import Envelope, dump, pae, parse, signers

GOOD = {"payload": "aGk=", "payloadType": "t", "signatures": [{"sig": "AA=="}]}


def text(**changed):
    return json.dumps({**GOOD, **changed}).encode()


def refusal(data):
    with pytest.raises(UntrustedPolicy) as caught:
        parse(data)
    return caught.value.message


@pytest.mark.parametrize(
    ("kind", "payload", "encoded"),
    [
        # The example of the specification.
        (
            "http://example.com/HelloWorld",
            b"hello world",
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world",
        ),
        ("", b"", b"DSSEv1 0  0 "),
        ("a", b"", b"DSSEv1 1 a 0 "),
        # Lengths are of bytes, not of characters.
        ("ä", b"\xff", b"DSSEv1 2 \xc3\xa4 1 \xff"),
        ("t", b"x" * 100, b"DSSEv1 1 t 100 " + b"x" * 100),
    ],
)
def test_what_is_signed_is_as_the_specification_has_it(kind, payload, encoded):
    assert pae(kind, payload) == encoded


def test_bytes_cannot_move_between_type_and_payload():
    assert pae("ab", b"c") != pae("a", b"bc")
    assert pae("a", b" 1 b") != pae("a 4  1 b", b"")


def test_an_envelope_is_read_as_it_was_written():
    envelope = Envelope("t/ä", bytes(range(256)), (b"\xfb\xff", b"", b"x" * 64))
    assert parse(dump(envelope)) == envelope
    assert b"keyid" not in dump(envelope)


def test_either_alphabet_of_base64_is_read():
    payload = b"\xfb\xff\xfe"
    standard, url_safe = base64.b64encode(payload), base64.urlsafe_b64encode(payload)
    assert standard != url_safe
    for encoded in (standard.decode(), url_safe.decode()):
        assert parse(text(payload=encoded)).payload == payload


def test_spaces_and_the_order_of_fields_do_not_matter():
    turned = json.dumps(dict(reversed(GOOD.items())), indent=2).encode()
    assert parse(turned) == parse(text())


@pytest.mark.parametrize(
    "encoded",
    [
        "aGk",  # no padding
        "aGk==",
        "aGk=\n",
        " aGk=",
        "aGl=",  # bits beyond the last byte
        "-_+/",  # both alphabets
        "aGk=aGk=",
        "ähk=",
        "\0\0\0=",
        "=",
        7,
        None,
    ],
)
@pytest.mark.parametrize("field", ["payload", "sig"])
def test_base64_of_another_form_is_refused(field, encoded):
    changed = {"payload": encoded} if field == "payload" else {"signatures": [{"sig": encoded}]}
    assert f"{field} must be base64" in refusal(text(**changed))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not valid JSON"),
        (b"schema = 1\n", "not valid JSON"),
        (b"\xff\xfe", "byte order mark"),
        (b"\xff", "not UTF-8"),
        (b"[]", "must be an object"),
        (b"null", "must be an object"),
        (text(more=1), "unknown field 'more'"),
        (text(signatures=[{"sig": "AA==", "cert": ""}]), "unknown field 'cert'"),
        (text(signatures=[{"keyid": "a"}]), "a signature lacks sig"),
        (text(signatures=["AA=="]), "a signature must be an object"),
        (text(signatures=[{"sig": "AA==", "keyid": 1}]), "keyid must be text"),
        (text(signatures=[{"sig": "AA==", "keyid": None}]), "keyid must be text"),
        (text(signatures={"sig": "AA=="}), "signatures must be a list"),
        (text(signatures=None), "signatures must be a list"),
        (text(payloadType=1), "payloadType must be text"),
        (text(payloadType="\ud800"), "surrogate"),
        (b'{"payload":"","payloadType":"","signatures":[],"payload":""}', "stands twice"),
        (b'{"payload":"","payloadType":""}', "lacks signatures"),
        (b'{"signatures":[],"payloadType":""}', "lacks payload"),
        (b'{"signatures":[],"payload":""}', "lacks payloadType"),
        (text() + b"x", "not valid JSON"),
        (b"[" * 10_000, "more than"),
        (b"[" * 10 + b"]" * 10, "nested"),
        (b'{"a":' + b"[1," * 100, "more than"),
    ],
)
def test_what_is_no_envelope_is_refused_with_its_reason(data, reason):
    message = refusal(data)
    assert message.startswith("not a signed bundle: ")
    assert reason in message


def test_sizes_are_bounded():
    room = [{"sig": "AA==", "keyid": "k"}] * dsse.MAX_SIGNATURES
    assert len(parse(text(signatures=room)).signatures) == dsse.MAX_SIGNATURES
    assert "more than" in refusal(text(signatures=[*room, {"sig": "AA=="}]))
    assert f"more than {dsse.MAX_BYTES} bytes" in refusal(b" " * (dsse.MAX_BYTES + 1))


def test_the_payload_and_the_whole_are_bounded_each(monkeypatch):
    data = text()
    monkeypatch.setattr(dsse, "MAX_BYTES", len(data))
    monkeypatch.setattr(dsse, "MAX_PAYLOAD", 2)
    assert parse(data).payload == b"hi"
    monkeypatch.setattr(dsse, "MAX_PAYLOAD", 1)
    assert "more than 1 bytes" in refusal(data)
    monkeypatch.setattr(dsse, "MAX_BYTES", len(data) - 1)
    assert f"more than {len(data) - 1} bytes" in refusal(data)


def test_the_bounds_leave_room_for_each_other():
    assert dsse.MAX_BYTES > dsse.MAX_PAYLOAD * 4 // 3 + dsse.MAX_SIGNATURES * 200


def envelope(*signatures):
    return Envelope("t", b"payload", signatures)


def test_signers_are_the_keys_that_signed_these_very_bytes():
    message = pae("t", b"payload")
    found = signers(envelope(toy_sign(A, message), toy_sign(C, message)), [A, B], toy_verify)
    assert found == {A}
    other = Envelope("t", b"other", (toy_sign(A, message),))
    assert signers(other, [A], toy_verify) == frozenset()
    other = Envelope("u", b"payload", (toy_sign(A, message),))
    assert signers(other, [A], toy_verify) == frozenset()
    raw = Envelope("t", b"payload", (toy_sign(A, b"payload"),))
    assert signers(raw, [A], toy_verify) == frozenset()


def test_an_error_of_the_check_is_not_taken_for_a_signature():
    def broken(*_):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        signers(envelope(b"x"), [A], broken)
