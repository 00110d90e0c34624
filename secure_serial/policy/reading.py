"""TOML values of a given type; anything else is a problem with its place, and the default.

Nothing is coerced and nothing is ignored: an unknown key is a problem, for it may be the
one that was meant to deny. Places are paths of keys; lines are looked up for a message only.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import StrEnum

    from secure_serial.artifact.document import Json

    Word = TypeVar("Word", bound=StrEnum)

Path: TypeAlias = "tuple[str | int, ...]"
#: Whole numbers of TOML 1.0 have 64 bits; Python's may have more digits than it ever prints.
_WHOLE = range(-(2**63), 2**63)
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


#: Of one table; who has misspelled more keys is not helped by a guess at each.
_GUESSES = 5
_KEY_CHARS = 80


class Problem(NamedTuple):
    """What is wrong with a policy, and where."""

    path: Path
    text: str
    slug: str = "invalid-value"  # what kind of mistake it is, in a word that stays


class Table:
    """One table being read: what is wrong with it goes to a list that all tables share."""

    def __init__(self, data: Mapping[str, Json], path: Path, problems: list[Problem]) -> None:
        self.data = data
        self.path = path
        self._problems = problems

    def problem(self, text: str, *key: str | int, slug: str = "invalid-value") -> None:
        """Note that something is wrong here."""
        self._problems.append(Problem((*self.path, *key), text, slug))

    def wrong_type(self, text: str, key: str) -> None:
        """Note that a value is of another type than its key takes."""
        self.problem(text, key, slug="wrong-type")

    def known(self, names: Iterable[str]) -> None:
        """Every other key than these is a problem."""
        known = set(names)
        unknown = self.data.keys() - known
        for key in unknown:
            guess = _guess(key, known) if len(unknown) <= _GUESSES else ""
            text = f"unknown key{guess} (known: {', '.join(sorted(known))})"
            self.problem(text, key, slug="unknown-key")

    def text(self, key: str, default: str = "", *, required: str = "") -> str:
        """A text; `required` says why it may not be absent or empty."""
        value = self.data.get(key, default)
        if not isinstance(value, str):
            self.wrong_type("must be text", key)
            return default
        if required and not value.strip():
            self.problem(required, key, slug="missing-key")
        return value

    def texts(self, key: str, *, or_one: bool = False) -> tuple[str, ...]:
        """A list of texts; with `or_one` a single one will do."""
        value = self.data.get(key, ())
        if or_one and isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        if value != ():
            instead = f": write [{json.dumps(value)}]" if isinstance(value, str) else ""
            self.wrong_type(f"must be a list of texts{instead:.100}", key)
        return ()

    def words(self, key: str, words: type[Word]) -> frozenset[Word]:
        """A set of an enumeration's words."""
        given = self.texts(key) if key in self.data else ()
        if not given:
            return frozenset()
        known = {word.value: word for word in words}
        for number, word in enumerate(given):
            if word not in known:
                self.problem(f"unknown {word!r} (known: {', '.join(known)})", key, number)
        return frozenset(known[word] for word in given if word in known)

    def choice(self, key: str, choices: type[Word], default: Word) -> Word:
        """One of an enumeration's words."""
        value = self.data.get(key, default)
        known = {word.value: word for word in choices}
        shown = f"must be one of {', '.join(map(repr, known))}"
        if not isinstance(value, str):
            self.wrong_type(shown, key)
            return default
        if value not in known:
            self.problem(shown, key)
        return known.get(value, default)

    def no_empty_lists(self, *but: str) -> None:
        """A list of nothing is a problem: as a condition it would hold for nothing or for all."""
        if [] not in self.data.values():
            return
        for key, value in self.data.items():
            if value == [] and key not in but:
                self.problem("an empty list is no condition; leave it out", key)

    def flag(self, key: str) -> bool:
        """True or false; false where absent."""
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            self.wrong_type("must be true or false", key)
        return value is True

    def whole(self, key: str, default: int, *, least: int) -> int:
        """A whole number."""
        value = self.data.get(key, default)
        if type(value) is int and value >= least and value in _WHOLE:
            return value
        self.wrong_type(f"must be a whole number from {least}, of 64 bits", key)
        return default

    def number(self, key: str) -> float | None:
        """A number; None where absent."""
        value = self.data.get(key)
        if value is None:
            return None
        if type(value) is int and value in _WHOLE:
            return value
        if isinstance(value, float) and not math.isnan(value):
            return value
        self.wrong_type("must be a number, of 64 bits if it is whole", key)
        return None

    def date(self, key: str) -> dt.date | None:
        """A day, written without quotes; None where absent."""
        value = self.data.get(key)
        if value is None or type(value) is dt.date:
            return value
        self.wrong_type("must be a date such as 2027-01-31, without quotes", key)
        return None

    def digests(self, key: str) -> frozenset[str]:
        """SHA-256 digests in small hexadecimal, with or without `sha256:` before them."""
        if key not in self.data:  # as in most rules
            return frozenset()
        found = set()
        for number, text in enumerate(self.texts(key)):
            match = _SHA256.fullmatch(text)
            if match is None:
                self.problem(f"{text!r:.80} is no SHA-256 in 64 hexadecimal digits", key, number)
            else:
                found.add(match[1])
        return frozenset(found)

    def table(self, key: str) -> Table | None:
        """A table; None where absent."""
        value = self.data.get(key)
        if isinstance(value, dict):
            return Table(value, (*self.path, key), self._problems)
        if value is not None:
            self.wrong_type("must be a table", key)
        return None

    def tables(self, key: str) -> list[Table]:
        """An array of tables."""
        value = self.data.get(key, ())
        if value == ():
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong_type(f"must be tables, [[{key}]]", key)
            return []
        each = enumerate(cast("list[dict[str, Json]]", value))
        return [Table(item, (*self.path, key, n), self._problems) for n, item in each]


def _guess(key: str, known: Iterable[str]) -> str:
    """The key that was meant, if one is much alike."""
    import difflib

    near = difflib.get_close_matches(key[:_KEY_CHARS], sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
