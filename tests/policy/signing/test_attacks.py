"""Attacks on signed policies, by real keys: each is refused, and says why.

The names follow the advisory on Open Policy Agent (verification hung on a key id being set,
so that a stripped bundle passed) and the attacks in The Update Framework's specification.
"""

from __future__ import annotations

import base64
import json
from datetime import date

import pytest
from policy.signing.parts import KIND, TODAY, policy, real_key, shipped

from secure_serial.errors import InvalidPolicy, UntrustedPolicy
from secure_serial.policy.signing import (
    Seen,
    Trust,
    add_signature,
    dsse,
    read_unverified,
    sign_policy,
    verify_and_remember,
    verify_bundle,
)
from secure_serial.policy.signing import bundle as bundles

pytest.importorskip("cryptography")

OURS, SECOND, STRANGER = map(real_key, (1, 2, 3))
TRUST = Trust((OURS.public,))
BOTH = Trust((OURS.public, SECOND.public), threshold=2)


def sign(key=OURS, **fields):
    return sign_policy(policy(**fields), "acme.toml", shipped, key)


def verify(data, trust=TRUST, today=TODAY, seen=()):
    return verify_bundle(data, trust, today, seen, "acme.bundle")


def refusal(data, trust=TRUST, today=TODAY, seen=()):
    with pytest.raises(UntrustedPolicy) as caught:
        verify(data, trust, today, seen)
    assert caught.value.code == "SS202"
    assert caught.value.where.file == "acme.bundle"
    return caught.value.message


def changed(data, **fields):
    """The envelope with other fields, as an attacker would write it."""
    return json.dumps({**json.loads(data), **fields}).encode()


def signatures(data):
    return json.loads(data)["signatures"]


def seen(bundle, key=OURS):
    return Seen(bundle.name, key.public, bundle.version, bundle.sha256)


def test_the_untouched_bundle_is_believed():
    bundle = verify(sign())
    assert bundle.text == policy()
    assert bundle.signed_by == (OURS.public,)


# Stripped: GHSA-g2pf-6v5v-qcc8.


def test_ghsa_g2pf_6v5v_qcc8_no_bundle_at_all():
    assert refusal(None) == "not signed, and a signature is demanded"


def test_ghsa_g2pf_6v5v_qcc8_the_plain_policy_in_the_place_of_the_bundle():
    assert refusal(policy().encode()).startswith("not a signed bundle")


def test_ghsa_g2pf_6v5v_qcc8_the_bare_payload_in_the_place_of_the_envelope():
    payload = base64.b64decode(json.loads(sign())["payload"])
    assert refusal(payload).startswith("not a signed bundle")


def test_ghsa_g2pf_6v5v_qcc8_an_empty_list_of_signatures():
    data = changed(sign(), signatures=[])
    assert refusal(data) == "it carries no signature, and one is demanded"


def test_ghsa_g2pf_6v5v_qcc8_no_list_of_signatures():
    tree = json.loads(sign())
    del tree["signatures"]
    assert "lacks signatures" in refusal(json.dumps(tree).encode())


@pytest.mark.parametrize("sig", ["", "AA==", base64.b64encode(bytes(64)).decode()])
def test_ghsa_g2pf_6v5v_qcc8_a_signature_without_content(sig):
    data = changed(sign(), signatures=[{"sig": sig}])
    assert refusal(data).startswith("signed by 0 of the keys")


@pytest.mark.parametrize("keyid", [None, "", "ours", OURS.public, STRANGER.public])
def test_ghsa_g2pf_6v5v_qcc8_the_key_id_decides_nothing(keyid):
    more = {} if keyid is None else {"keyid": keyid}
    ours = [{**signatures(sign())[0], **more}]
    assert verify(changed(sign(), signatures=ours)).signed_by == (OURS.public,)
    theirs = [{**signatures(sign(STRANGER))[0], **more}]
    assert refusal(changed(sign(), signatures=theirs)).startswith("signed by 0 of the keys")
    nobodys = [{"sig": "", **more}]
    assert refusal(changed(sign(), signatures=nobodys)).startswith("signed by 0 of the keys")


# Signed by another.


def test_re_signed_by_a_stranger():
    assert refusal(sign(STRANGER)).startswith("signed by 0 of the keys")
    added = add_signature(sign(STRANGER, version=9), real_key(4))
    assert refusal(added).startswith("signed by 0 of the keys")


def test_re_signed_after_a_change():
    more = '[[allow]]\nid = "x"\nsymbols = ["os.system"]\n'
    theirs = json.loads(sign(STRANGER, more=more))
    data = changed(sign(), payload=theirs["payload"])
    assert refusal(data).startswith("signed by 0 of the keys")
    both = changed(
        sign(), payload=theirs["payload"], signatures=signatures(sign()) + theirs["signatures"]
    )
    assert refusal(both).startswith("signed by 0 of the keys")


def test_a_stranger_may_sign_besides():
    added = add_signature(sign(), STRANGER)
    assert verify(added).signed_by == (OURS.public,)


# The threshold.


def test_one_signature_twice_is_one():
    data = changed(sign(), signatures=signatures(sign()) * 2)
    assert refusal(data, BOTH) == "signed by 1 of the keys that are trusted; 2 must sign"


def test_one_signature_under_two_key_ids_is_one():
    (one,) = signatures(sign())
    data = changed(sign(), signatures=[{**one, "keyid": "a"}, {**one, "keyid": SECOND.public}])
    assert refusal(data, BOTH).startswith("signed by 1 of the keys")


def test_one_signature_in_two_alphabets_is_one():
    (one,) = signatures(sign())
    other = one["sig"].replace("+", "-").replace("/", "_")
    data = changed(sign(), signatures=[one, {"sig": other}])
    assert refusal(data, BOTH).startswith("signed by 1 of the keys")


def test_one_key_cannot_make_two_signatures_that_count():
    """Ed25519 signatures can be made at random; s and s + order are the same to a careless check."""
    order = 2**252 + 27742317777372353535851937790883648493
    raw = base64.b64decode(signatures(sign())[0]["sig"])
    s = int.from_bytes(raw[32:], "little") + order
    other = base64.b64encode(raw[:32] + s.to_bytes(32, "little")).decode()
    data = changed(sign(), signatures=[*signatures(sign()), {"sig": other}])
    assert refusal(data, BOTH).startswith("signed by 1 of the keys")
    assert refusal(changed(sign(), signatures=[{"sig": other}])).startswith("signed by 0")


def test_a_stranger_does_not_fill_the_threshold():
    added = add_signature(sign(), STRANGER)
    assert refusal(added, BOTH).startswith("signed by 1 of the keys")


def test_two_keys_meet_the_threshold():
    added = add_signature(sign(), SECOND)
    assert read_unverified(added).text == policy()
    assert set(verify(added, BOTH).signed_by) == {OURS.public, SECOND.public}


def test_signatures_of_two_bundles_do_not_add_up():
    data = changed(sign(), signatures=signatures(sign()) + signatures(sign(SECOND, version=8)))
    assert refusal(data, BOTH).startswith("signed by 1 of the keys")


# The type of the payload.


def test_payload_type_confusion():
    """Signed by the right key, as something else; called a policy, or left what it is."""
    payload = base64.b64decode(json.loads(sign())["payload"])
    for kind in ("application/vnd.secure-serial.audit.v1+json", "", KIND.upper(), f"{KIND} "):
        signature = OURS.sign(dsse.pae(kind, payload))
        honest = dsse.dump(dsse.Envelope(kind, payload, (signature,)))
        assert refusal(honest).startswith("what is signed is no policy")
        renamed = dsse.dump(dsse.Envelope(KIND, payload, (signature,)))
        assert refusal(renamed).startswith("signed by 0 of the keys")


def test_a_signature_on_the_payload_alone_is_none():
    payload = base64.b64decode(json.loads(sign())["payload"])
    data = dsse.dump(dsse.Envelope(KIND, payload, (OURS.sign(payload),)))
    assert refusal(data).startswith("signed by 0 of the keys")


# The Update Framework's attacks.


def test_tuf_rollback_below_what_was_seen():
    newest = verify(sign(version=8))
    assert refusal(sign(version=7), seen=[seen(newest)]) == (
        "version 7 is older than 8, which was seen before"
    )
    assert verify(sign(version=8), seen=[seen(newest)]) == newest
    assert verify(sign(version=9), seen=[seen(newest)]).version == 9


def test_tuf_rollback_where_nothing_was_seen():
    trust = Trust((OURS.public,), minimum_version=8)
    assert refusal(sign(version=7), trust) == "version 7 is older than 8, the lowest allowed"
    assert verify(sign(version=8), trust)


def test_tuf_rollback_under_cover_of_a_new_key():
    """A key is added to the table; a bundle from before, signed by the old one, comes again."""
    newest = verify(sign(version=8))
    trust = Trust((OURS.public, SECOND.public))
    assert "older than 8" in refusal(sign(version=7), trust, seen=[seen(newest)])
    assert "older than 8" in refusal(sign(SECOND, version=7), trust, seen=[seen(newest)])


def test_tuf_equivocation_two_texts_of_one_version():
    one = verify(sign(more="# one\n"))
    message = refusal(sign(more="# other\n"), seen=[seen(one)])
    assert message.startswith("version 7 was seen before with another content")


def test_tuf_freeze():
    data = sign(expires="2026-11-22")
    assert verify(data, today=date(2026, 11, 22))
    assert refusal(data, today=date(2026, 11, 23)) == "the policy expired on 2026-11-22"


def test_tuf_freeze_a_later_date_cannot_be_written_beside_the_text():
    tree = json.loads(base64.b64decode(json.loads(sign(expires="2026-11-21"))["payload"]))
    tree["expires"] = "2099-01-01"
    payload = json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()
    data = changed(sign(expires="2026-11-21"), payload=base64.b64encode(payload).decode())
    assert refusal(data).startswith("signed by 0 of the keys")


def test_tuf_mix_and_match_the_texts_of_two_bundles():
    """The policy of one version over the extended texts of another, each signed on its own."""
    old, new = (
        json.loads(base64.b64decode(json.loads(data)["payload"]))
        for data in (
            sign(version=7, more='extends = ["root"]\n'),
            sign_policy(
                policy(version=8, more='extends = ["root"]\n'), "p", lambda _: "# new", OURS
            ),
        )
    )
    new["files"][1] = old["files"][1]
    payload = json.dumps(new, sort_keys=True, separators=(",", ":")).encode()
    bundles.parse(payload)  # consistent in itself: the signature alone tells
    for data in (sign(version=7), sign(version=8)):
        mixed = changed(data, payload=base64.b64encode(payload).decode())
        assert refusal(mixed).startswith("signed by 0 of the keys")


def test_tuf_mix_and_match_another_policy_of_the_same_signer():
    trust = Trust((OURS.public,), policies=("acme",))
    assert verify(sign(), trust)
    assert refusal(sign(name="acme-labs"), trust) == (
        "a policy of another name is signed: 'acme-labs'"
    )


def test_tuf_fast_forward_is_recovered_from_by_taking_the_key_away(tmp_path):
    """Whoever stole a key may sign the highest version there is; the other key goes on."""
    memory, highest = tmp_path / "seen.json", 2**53 - 1
    trust = Trust((OURS.public, SECOND.public))
    assert verify_and_remember(sign(SECOND, version=7), trust, TODAY, memory)
    assert verify_and_remember(sign(OURS, version=highest), trust, TODAY, memory)
    with pytest.raises(UntrustedPolicy, match="older than"):
        verify_and_remember(sign(SECOND, version=8), trust, TODAY, memory)
    after = Trust((SECOND.public,))
    assert verify_and_remember(sign(SECOND, version=8), after, TODAY, memory).version == 8
    with pytest.raises(UntrustedPolicy, match="older than 8"):
        verify_and_remember(sign(SECOND, version=7), after, TODAY, memory)


# Signing.


def test_a_signed_bundle_that_cannot_be_used_says_where():
    """Only by hand: `sign_policy` would not have made it."""
    payload = bundles.dump(
        bundles.Bundle(
            "acme",
            7,
            None,
            (
                bundles.BundledFile("acme", policy(expires="", more='extends = "base"\n')),
                bundles.BundledFile("base", "= 1"),
            ),
        )
    )
    data = dsse.dump(dsse.Envelope(KIND, payload, (OURS.sign(dsse.pae(KIND, payload)),)))
    with pytest.raises(InvalidPolicy, match="not valid TOML") as caught:
        verify(data)
    assert caught.value.where.file == "base"


def test_a_policy_is_signed_with_the_texts_that_it_extends():
    bundle = verify(sign(more='extends = "base"\n'))
    assert bundle.shipped("base") == shipped("base")
    assert bundle.shipped("root") == shipped("root")


def test_the_same_policy_signed_twice_is_the_same_file():
    assert sign() == sign()


def test_a_signature_is_added_once_and_only_to_a_policy(monkeypatch):
    with pytest.raises(UntrustedPolicy, match="signed it before"):
        add_signature(sign(), OURS)
    with pytest.raises(UntrustedPolicy, match="no policy"):
        add_signature(changed(sign(), payloadType="text/plain"), SECOND)
    full = changed(sign(), signatures=signatures(sign(STRANGER)) * dsse.MAX_SIGNATURES)
    with pytest.raises(UntrustedPolicy, match="more than 16"):
        add_signature(full, SECOND)
