"""Whatever is done to an envelope ends in one of two errors, and never in a belief."""

from __future__ import annotations

import base64
import json

from hypothesis import example, given, settings
from hypothesis import strategies as st
from policy.signing.parts import (
    KIND,
    TODAY,
    A,
    B,
    C,
    policy,
    shipped,
    signed,
    toy_sign,
    toy_verify,
    trusting,
)

from secure_serial.errors import InvalidPolicy, UntrustedPolicy
from secure_serial.policy.signing import bundle as bundles
from secure_serial.policy.signing import dsse
from secure_serial.policy.signing.trust import Seen, decide, trust_problems

TEXT = policy(more='extends = ["base", "other"]\n')
ENVELOPE = signed(A, text=TEXT)
PAYLOAD = bundles.dump(bundles.collect(TEXT, "p", shipped))
TRUST = trusting(A, B)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["payload", "payloadType", "signatures", "sig", "keyid", "schema", "name",
                 "version", "expires", "files", "sha256", "text", "x"]
            ), inner, max_size=6,
        )
    ),
    max_leaves=12,
)  # fmt: skip
#: Where in a file, and what is done there.
edits = st.tuples(
    st.sampled_from(["flip", "drop", "insert", "repeat", "cut"]),
    st.integers(0, 2**20),
    st.binary(min_size=1, max_size=4),
)


def edited(data, kind, place, more):
    place %= len(data)
    if kind == "flip":
        return data[:place] + bytes([data[place] ^ (more[0] or 1)]) + data[place + 1 :]
    if kind == "drop":
        return data[:place] + data[place + len(more) :]
    if kind == "insert":
        return data[:place] + more + data[place:]
    if kind == "repeat":
        return data[:place] + data[place // 2 :]
    return data[:place]


def outcome(data, verify=toy_verify, trust=TRUST, seen=()):
    """The bundle that is believed, or None where it is refused as it must be."""
    try:
        return decide(data, trust, verify, TODAY, seen)
    except (InvalidPolicy, UntrustedPolicy):
        return None


def yes(*_):
    """A check that lets all pass, so that what lies behind it is reached."""
    return True


def test_every_bit_of_an_envelope_counts():
    assert outcome(ENVELOPE).text == TEXT
    for place in range(len(ENVELOPE)):
        for bit in range(8):
            flipped = edited(ENVELOPE, "flip", place, bytes([1 << bit]))
            assert outcome(flipped) is None, (place, bit)


def test_every_bit_of_a_payload_counts_even_if_it_is_signed_so():
    """Nothing in a bundle is free: a flip is refused, or it is another policy's text."""
    plain = bundles.dump(bundles.collect(policy(), "p", shipped))
    for place in range(len(plain)):
        for bit in range(8):
            data = signed(A, payload=edited(plain, "flip", place, bytes([1 << bit])))
            assert outcome(data) is None, (place, bit)


@given(st.binary(max_size=300))
@example(b"\x00")
def test_any_bytes_are_refused(data):
    assert outcome(data) is None
    assert outcome(data, yes) is None


@settings(max_examples=300)
@given(st.lists(edits, min_size=1, max_size=3))
def test_an_edited_envelope_is_refused_or_says_the_same(steps):
    data = ENVELOPE
    for step in steps:
        data = edited(data, *step) or b"x"
    for verify in (toy_verify, yes):
        believed = outcome(data, verify)
        # Edits may undo each other, or change spaces alone.
        assert believed is None or verify is yes or believed.text == TEXT


@settings(max_examples=300)
@given(st.lists(edits, min_size=1, max_size=3))
def test_an_edited_payload_is_refused_even_if_it_is_signed_so(steps):
    payload = PAYLOAD
    for step in steps:
        payload = edited(payload, *step) or b"x"
    believed = outcome(signed(A, payload=payload))
    assert (believed is not None) == (payload == PAYLOAD)


@settings(max_examples=300)
@given(json_values)
def test_any_json_is_refused(value):
    data = json.dumps(value).encode()
    assert outcome(data) is None
    assert outcome(data, yes) is None
    assert outcome(signed(A, payload=data)) is None


@settings(max_examples=300)
@given(st.sampled_from(["payload", "payloadType", "signatures"]), json_values)
def test_any_value_in_a_field_is_refused_or_changes_nothing(field, value):
    tree = {**json.loads(ENVELOPE), field: value}
    assert outcome(json.dumps(tree).encode()) is None


@settings(max_examples=300)
@given(st.sampled_from(["schema", "name", "version", "expires", "files"]), json_values)
def test_any_value_in_a_signed_field_is_refused_or_changes_nothing(field, value):
    tree = {**json.loads(PAYLOAD), field: value}
    payload = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    data = payload.encode("utf-8", "surrogatepass")
    assert (outcome(signed(A, payload=data)) is not None) == (data == PAYLOAD)


@given(st.lists(st.sampled_from([A, B, C]), max_size=6), st.integers(1, 2), st.randoms())
def test_distinct_trusted_keys_are_what_counts(keys, threshold, random):
    """Order, repetition and strangers change nothing."""
    data = signed(*keys)
    believed = outcome(data, trust=trusting(A, B, threshold=threshold))
    assert (believed is not None) == (len({A, B} & set(keys)) >= threshold)
    shuffled = [*keys, *random.sample(keys, len(keys))]
    again = outcome(signed(*shuffled), trust=trusting(A, B, threshold=threshold))
    assert again == believed


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(1, 5)), max_size=4),
)
def test_no_version_below_one_that_a_trusted_key_signed(version, past):
    seen = [
        Seen("acme", key, old, bundles.collect(policy(version=old), "p", shipped).sha256)
        for key, old in past
    ]
    believed = outcome(signed(A, version=version), seen=seen)
    highest = max((old for key, old in past if key in TRUST.keys), default=0)
    assert (believed is not None) == (version >= highest)


@given(st.text(max_size=20), st.binary(max_size=50), st.lists(st.binary(max_size=70), max_size=16))
def test_an_envelope_survives_writing_and_reading(kind, payload, signatures):
    envelope = dsse.Envelope(kind, payload, tuple(signatures))
    assert dsse.parse(dsse.dump(envelope)) == envelope


@given(st.text(max_size=8), st.binary(max_size=20), st.text(max_size=8), st.binary(max_size=20))
@example("", b"0 ", " 0", b"")
def test_no_two_payloads_are_signed_as_the_same_bytes(kind, payload, other_kind, other):
    same = (kind, payload) == (other_kind, other)
    assert (dsse.pae(kind, payload) == dsse.pae(other_kind, other)) == same


@settings(max_examples=300)
@given(
    json_values
    | st.fixed_dictionaries({}, optional={
        "keys": json_values | st.lists(st.sampled_from([A, B, "x"]), max_size=3),
        "threshold": json_values, "minimum_version": json_values, "policies": json_values,
    })
)  # fmt: skip
def test_a_table_has_problems_or_demands_a_signature(table):
    problems = trust_problems(table)
    assert problems == [] or all(problem.startswith("trust") for problem in problems)
    if not problems:
        assert table["keys"]


def test_the_toy_scheme_is_not_what_makes_these_hold():
    assert base64.b64decode(json.loads(ENVELOPE)["signatures"][0]["sig"]) == toy_sign(
        A, dsse.pae(KIND, PAYLOAD)
    )
    assert not toy_verify(B, toy_sign(A, b""), b"")
