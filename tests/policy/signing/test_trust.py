"""A `[trust]` table is a demand: all problems of the table at once, and every demand is met."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from policy.signing.parts import TODAY, A, B, C, policy, shipped, signed, toy_verify, trusting

from secure_serial.errors import InvalidPolicy, UntrustedPolicy
from secure_serial.policy.signing import bundle as bundles
from secure_serial.policy.signing import trust as module
from secure_serial.policy.signing.trust import (
    MAX_KEYS,
    Seen,
    Trust,
    decide,
    key_bytes,
    parse_trust,
    trust_problems,
)

P = 2**255 - 19


def believe(data, trust, today=TODAY, seen=()):
    return decide(data, trust, toy_verify, today, seen)


def refusal(*args, **more):
    with pytest.raises(UntrustedPolicy) as caught:
        believe(*args, **more)
    return caught.value.message


def written(number):
    return "ed25519:" + base64.b64encode(number.to_bytes(32, "little")).decode()


# The table.


def test_a_table_is_read_as_it_is_written():
    table = {"keys": [A, B], "threshold": 2, "minimum_version": 7, "policies": ["acme"]}
    assert parse_trust(table) == Trust((A, B), 2, 7, ("acme",))
    assert parse_trust({"keys": [A]}) == Trust((A,), 1, 0, ())


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ({}, ["keys: must name one"]),
        ({"keys": []}, ["keys: must name one"]),
        ([], [": must be a table"]),
        (None, [": must be a table"]),
        ({"keys": A}, ["keys: must be a list"]),
        ({"keys": [7]}, ["keys: must be a list"]),
        ({"keys": [A, A]}, ["keys: one key stands there twice"]),
        ({"keys": [A], "threshold": 2}, ["threshold: more than there are keys"]),
        ({"keys": [A], "threshold": 0}, ["threshold: must be a whole"]),
        ({"keys": [A], "threshold": True}, ["threshold: must be a whole"]),
        ({"keys": [A], "minimum_version": -1}, ["minimum_version: must be"]),
        ({"keys": [A], "minimum_version": "7"}, ["minimum_version: must be"]),
        ({"keys": [A], "minimum_version": 2**63}, ["minimum_version: must be"]),
        ({"keys": [A], "minimum_version": 10**5000}, ["minimum_version: must be"]),
        ({"keys": [A], "threshold": 10**5000}, ["threshold: must be"]),
        ({"keys": [A], "policies": "acme"}, ["policies: must be"]),
        ({"keys": [A], "policies": [""]}, ["policies: must be"]),
        ({"keys": [A], "policies": [1]}, ["policies: must be"]),
        ({"keys": [A], "key": 1, "sign": 0}, [": unknown key 'key'", ": unknown key 'sign'"]),
        (
            {"keys": ["x", A], "threshold": -1, "minimum_version": 1.5, "policies": 1, "x": 1},
            [": unknown key", "keys: 'x' is not", "threshold", "minimum_version", "policies"],
        ),
    ],
)
def test_all_problems_of_a_table_are_listed(table, wrong):
    found = trust_problems(table)
    assert len(found) == len(wrong)
    for problem, start in zip(found, wrong, strict=True):
        assert problem.startswith(f"trust{'' if start.startswith(':') else '.'}{start}")
    with pytest.raises(InvalidPolicy) as caught:
        parse_trust(table, "p.toml")
    assert list(caught.value.problems) == found
    assert caught.value.where.file == "p.toml"


def test_too_many_keys_are_refused():
    keys = [written(n + 1000) for n in range(MAX_KEYS + 1)]
    assert trust_problems({"keys": keys[:-1]}) == []
    assert trust_problems({"keys": keys}) == [f"trust.keys: more than {MAX_KEYS}"]


@pytest.mark.parametrize(
    "arguments", [{"keys": ()}, {"keys": (A,), "threshold": 0}, {"keys": (A, A)}, {"keys": ("x",)}]
)
def test_no_demand_can_be_made_that_demands_nothing(arguments):
    with pytest.raises(InvalidPolicy):
        Trust(**arguments)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ed25519:",
        A.removeprefix("ed25519:"),
        A.upper(),
        "rsa:" + A.partition(":")[2],
        A + "\n",
        A.rstrip("="),
        "ed25519:" + base64.b64encode(b"x" * 31).decode(),
        "ed25519:" + base64.b64encode(b"x" * 33).decode(),
        # One key has one text, so URL-safe base64 is not for keys.
        "ed25519:" + base64.urlsafe_b64encode(b"\xff\xfe" * 16).decode(),
    ],
)
def test_a_key_has_one_form(key):
    assert "in base64" in trust_problems({"keys": [key]})[0]
    with pytest.raises(InvalidPolicy):
        key_bytes(key)


def test_key_bytes():
    assert key_bytes(A) == b"a" * 32


# Points of small order: for such a key anybody can sign.


def inverse(n):
    return pow(n, P - 2, P)


D = -121665 * inverse(121666) % P


def add(one, other):
    (x1, y1), (x2, y2) = one, other
    t = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * inverse(1 + t) % P,
        (y1 * y2 + x1 * x2) * inverse(1 - t) % P,
    )


def point(y):
    """A point of the curve with this y, or None."""
    square = (y * y - 1) * inverse(D * y * y + 1) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return None if (x * x - square) % P else (x, y)


def small(y):
    found = point(y)
    for _ in range(3):
        found = add(found, found)
    return found == (0, 1)


def test_the_weak_points_are_all_of_small_order_and_there_are_no_more():
    assert all(small(y) for y in module._WEAK)
    assert len({y % P for y in module._WEAK}) == 5
    # The group has 8 points of small order: x is 0 for two of them, and the sign of x doubles
    # the three other y.
    assert sum(1 if point(y)[0] == 0 else 2 for y in module._WEAK) == 8
    assert not small(4 * inverse(5) % P)  # the base point


@pytest.mark.parametrize("sign", [0, 2**255])
@pytest.mark.parametrize("y", [*sorted(module._WEAK), P, P + 1, 2**255 - 1])
def test_a_key_that_anybody_can_sign_for_is_refused(y, sign):
    assert "anybody can sign" in trust_problems({"keys": [written(y + sign)]})[0]


# The decision.


def test_a_bundle_that_meets_every_demand_is_believed():
    trust = trusting(A, B, threshold=2, minimum_version=7, policies=("acme",))
    bundle = believe(signed(B, A), trust)
    assert bundle.text == policy()
    assert bundle.signed_by == (A, B)


def test_unknown_keys_are_ignored():
    assert believe(signed(C, A), trusting(A)).signed_by == (A,)


def test_the_last_day_is_in_and_a_time_of_that_day_too():
    data = signed(A, text=policy(expires=TODAY.isoformat()))
    assert believe(data, trusting(A))
    assert believe(data, trusting(A), today=dt.datetime(2026, 11, 22, 23, 59))  # noqa: DTZ001
    assert refusal(data, trusting(A), today=dt.date(2026, 11, 23)) == (
        "the policy expired on 2026-11-22"
    )


def test_what_never_expires_is_believed_for_ever():
    assert believe(signed(A, text=policy(expires="")), trusting(A), today=dt.date.max)


def test_what_was_seen_is_held_against_the_same_policy_and_the_trusted_keys_alone():
    data = signed(A, version=7)
    digest = believe(data, trusting(A)).sha256
    assert believe(data, trusting(A), seen=[Seen("acme", A, 7, digest), Seen("acme", A, 6, "x")])
    assert believe(data, trusting(A), seen=[Seen("other", A, 9, "x"), Seen("acme", C, 9, "x")])
    # Another trusted key's memory counts, whoever signed today.
    assert "older than 9" in refusal(data, trusting(A, B), seen=[Seen("acme", B, 9, "x")])


def test_what_trusted_people_sign_can_still_be_no_bundle():
    payload = bundles.dump(bundles.collect(policy(), "p", shipped)) + b" "
    with pytest.raises(InvalidPolicy):
        believe(signed(A, payload=payload), trusting(A))
