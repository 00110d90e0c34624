"""What patterns share, and which holds which, compared with trying every short name."""

from __future__ import annotations

from itertools import product

import pytest

from secure_serial.authoring.comparing.regions import (
    EVERYTHING,
    Region,
    covers,
    holds,
    meet,
    regions,
)

DOTTED = [
    ".".join(parts)
    for length in (1, 2, 3)
    for parts in product(("a", "b", "*"), repeat=length)
    if parts[0] != "*"
]
OPEN = [f"{pattern}.**" for pattern in DOTTED if pattern.count(".") < 2]
REGISTERED = [
    f"{package}>{name}"
    for package, name in product(("a", "b", "a.b", "*"), ("a", "b", "*"))
    if package != "*" or name != "*"
]
SINGLE = [*map(Region, DOTTED + OPEN), *(Region(None, p) for p in REGISTERED), EVERYTHING]
MIXED = [m for one, other in product(SINGLE[::3], SINGLE[1::3]) if (m := meet(one, other))]
SYMBOLS = [
    *(".".join(parts) for length in (1, 2, 3, 4) for parts in product("abc", repeat=length)),
    *(f"{p}>{n}" for p, n in product(("a", "b", "c", "a.b", "a.c", "a.b.c"), ("a", "c", "a>b", "a.b"))),
]  # fmt: skip


def inside(region):
    return frozenset(symbol for symbol in SYMBOLS if holds(region, symbol))


@pytest.mark.parametrize("one", SINGLE + MIXED[::5])
def test_what_two_share_is_what_fits_both_and_what_holds_another_holds_its_names(one):
    mine = inside(one)
    for other in SINGLE:
        shared = meet(one, other)
        assert (inside(shared) if shared is not None else frozenset()) == mine & inside(other)
        if covers(one, other):
            assert inside(other) <= mine


@pytest.mark.parametrize(
    ("outer", "inner", "does"),
    [("a.**", "a.b", True), ("a.**", "a.*.c", True), ("a.**", "a.b.**", True), ("a.**", "a", False),
     ("a.*", "a.*", True), ("a.*", "a.**", False), ("a.*", "a.b.c", False), ("a.b", "a.*", False)],
)  # fmt: skip
def test_a_pattern_holds_a_narrower_one(outer, inner, does):
    assert covers(Region(outer), Region(inner)) is does


def test_a_rule_without_patterns_speaks_of_everything():
    assert regions((), ()) == (EVERYTHING,)
    assert covers(EVERYTHING, Region("a.**"))
    assert not covers(Region("a.**"), EVERYTHING)


def test_a_dotted_and_a_registered_pattern_may_share_names():
    shared = meet(Region("acme.**"), Region(None, "acme.vision>*"))
    assert shared is not None
    assert holds(shared, "acme.vision>Block")
    assert meet(Region("keras.**"), Region(None, "acme>*")) is None
