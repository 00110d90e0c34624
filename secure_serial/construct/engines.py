"""The engines of the policies in use: a program has few policies, and loads much."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from secure_serial.construct.standing import Standing
from secure_serial.policy.engine import Engine

if TYPE_CHECKING:
    from datetime import date

    from secure_serial.plan.catalogue import Catalogue
    from secure_serial.policy.model import Policy

_K = TypeVar("_K")
_V = TypeVar("_V")
#: Policies that are at hand at once. More of them are made afresh, which takes 0.2 ms each.
_MOST = 8
#: By the identity of the policy, which is immutable, and the day.
_engines: dict[tuple[int, date | None], Engine] = {}
#: By the identity of an engine, and of a catalogue.
_standings: dict[tuple[int, int], Standing] = {}


def engine_of(policy: Policy, today: date | None) -> Engine:
    """The engine of a policy on a day, made once.

    It remembers what it decided of symbols, bounded, and nothing of a document.
    """
    key = (id(policy), today)  # an engine holds its policy, so that the id stays that one's
    return _engines.get(key) or _kept(_engines, key, Engine(policy, today))


def standing_of(engine: Engine, catalogue: Catalogue) -> Standing | None:
    """What a policy says of the program's own classes by their names alone, remembered.

    None where it is asked for the first time: many a policy is read for one load alone, and to
    learn takes longer than to judge.
    """
    key = (id(engine), id(catalogue))  # it holds both
    known = _standings.get(key)
    if known is None:
        _kept(_standings, key, Standing(engine, catalogue))
    return known


def _kept(memo: dict[_K, _V], key: _K, value: _V) -> _V:
    """A value that is at hand from now on."""
    if len(memo) >= _MOST:
        memo.clear()
    memo[key] = value
    return value
