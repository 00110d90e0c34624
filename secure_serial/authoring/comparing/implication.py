"""Whether one rule surely means no more than another, whatever the request. Pure.

Two questions, since an error counts differently: an allow rule that fails allows nothing, and
a deny rule that fails denies. Both are answered with why not, or with nothing where it holds.
What cannot be shown is answered as if it were not so.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from secure_serial.authoring.comparing.regions import covered, regions_named
from secure_serial.policy.constraints import holds
from secure_serial.policy.model import Constraint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.specifiers import Specifier, SpecifierSet

    from secure_serial.artifact.document import Json
    from secure_serial.policy.model import Owned, Rule


def allows_no_more(new: Rule, old: Rule) -> str:
    """Why a request may fit the new allow rule and not the old one; empty where none can.

    Names, kinds and fields are left to the caller: both rules speak of the request by these.
    """
    if new.lambdas != old.lambdas and not (new.lambdas and new.lambdas <= old.lambdas):
        return "the lambdas that it takes are others"
    if old.formats and not (new.formats and new.formats <= old.formats):
        return f"the old one is for the formats {_list(old.formats)} alone"
    if old.sha256 and not (new.sha256 and new.sha256 <= old.sha256):
        return "the old one is for certain artefacts alone, by their digests"
    if old.owner and not _owned(new.owner, old.owner):
        return f"the old one is for {old.owner.distribution}{old.owner.versions} alone"
    if old.allocation and not (new.allocation and _bounds(new.allocation, old.allocation)):
        return f"the old one bounds the allocation to {_shown(old.allocation)}"
    for constraint in old.arguments:
        if not any(_stricter(mine, constraint) for mine in new.arguments) and not _idle(constraint):
            return f"the old one demands of {constraint.argument!r:.80}: {_shown(constraint)}"
    paths = {c.argument for c in old.arguments if c.path}
    for constraint in new.arguments:
        if constraint.path and constraint.argument not in paths:
            return f"the old one permits no path in {constraint.argument!r:.80}"
    return ""


def denies_no_less(old: Rule, new: Rule) -> str:
    """Why the old deny rule may deny what the new one does not; empty where it cannot.

    A rule denies unless one of its conditions is false: what fails is as good as true. So for
    each condition of the new rule one of the old must be there that is false wherever it is.
    """
    for kind, condition in conditions(new):
        if not any(_denies_with(mine, (kind, condition)) for mine in conditions(old)):
            return f"the new one has a condition that the old one had not: {_told(condition)}"
    return ""


def conditions(rule: Rule) -> list[tuple[str, object]]:
    """The conditions of a rule beside its names, kind and field."""
    found: list[tuple[str, object]] = [
        ("formats", rule.formats), ("sha256", rule.sha256), ("owner", rule.owner),
        ("lambdas", rule.lambdas), *(("argument", each) for each in rule.arguments),
        ("allocation", rule.allocation),
    ]  # fmt: skip
    return [(kind, condition) for kind, condition in found if condition]


# Allow rules: every condition holds, and none fails.


def _stricter(new: Constraint, old: Constraint) -> bool:
    """Whether an argument that satisfies the new conditions satisfies the old ones."""
    if new.argument != old.argument:
        return False
    if _values_satisfy(new, old):
        return _nested(new, old)
    return (
        _types(new, old)
        and _one_of(new, old)
        and _length(new, old)
        and _bounds(new, old)
        and _nested(new, old)
    )


def _idle(constraint: Constraint) -> bool:
    """Whether a constraint demands nothing."""
    return (
        "." not in constraint.argument  # what is missing inside an object does not satisfy
        and not constraint.types
        and constraint.one_of is None
        and constraint.max_length is None
        and constraint.minimum is None
        and constraint.maximum is None
        and not constraint.symbols
    )


def _values_satisfy(new: Constraint, old: Constraint) -> bool:
    """Whether each of the few values that the new conditions leave satisfies the old ones."""
    if new.one_of is None:
        return False
    plain = old._replace(argument="value", symbols=())
    return all(_satisfies(t, plain) for v in new.one_of if _is_any(v) for t in _twins(v))


def _is_any(value: Json) -> bool:
    """Whether any value equals this one: none is NaN."""
    return not isinstance(value, float) or value == value  # noqa: PLR0124


def _twins(value: Json) -> Iterator[Json]:
    """A value and, of 1, also 1.0, which equals it and is no integer by its type."""
    yield value
    if isinstance(value, int) and not isinstance(value, bool):
        with suppress(OverflowError):  # no float equals it
            yield float(value)


def _satisfies(value: Json, constraint: Constraint) -> bool:
    try:
        return holds(constraint, {"value": value})
    except TypeError:
        return False


def _types(new: Constraint, old: Constraint) -> bool:
    wanted = old.types | ({"integer"} if "number" in old.types else set())
    return not old.types or (bool(new.types) and new.types <= wanted)


def _one_of(new: Constraint, old: Constraint) -> bool:
    if old.one_of is None:
        return True
    wanted = Constraint("value", one_of=old.one_of)
    return new.one_of is not None and all(
        _satisfies(value, wanted) for value in new.one_of if _is_any(value)
    )


def _length(new: Constraint, old: Constraint) -> bool:
    if old.max_length is None:
        return True
    return new.max_length is not None and new.max_length <= old.max_length


def _bounds(new: Constraint, old: Constraint) -> bool:
    """Whether the new bounds lie within the old: then neither takes what is no number."""
    least = old.minimum is None or (new.minimum is not None and new.minimum >= old.minimum)
    return least and (
        old.maximum is None or (new.maximum is not None and new.maximum <= old.maximum)
    )


def _nested(new: Constraint, old: Constraint) -> bool:
    if not old.symbols:
        return True
    outers = regions_named(old.symbols)
    return bool(new.symbols) and all(covered(r, outers) for r in regions_named(new.symbols))


def _owned(new: Owned | None, old: Owned) -> bool:
    return (
        new is not None
        and new.distribution == old.distribution
        and versions_within(new.versions, old.versions)
    )


def versions_within(new: SpecifierSet, old: SpecifierSet) -> bool:
    """Whether every version that fits the new demand surely fits the old one.

    >>> from packaging.specifiers import SpecifierSet
    >>> versions_within(SpecifierSet(">=3.11,<4"), SpecifierSet(">=3.10"))
    True
    >>> versions_within(SpecifierSet(">=3.9"), SpecifierSet(">=3.10"))
    False
    """
    return all(any(_version_within(mine, one) for mine in new) for one in old)


def _version_within(new: Specifier, old: Specifier) -> bool:
    from packaging.version import InvalidVersion, Version

    if new == old:
        return True
    try:
        mine, other = Version(new.version), Version(old.version)
    except InvalidVersion:  # `==3.*`, or text after `===`
        return False
    operator = new.operator
    if operator == "==":
        return old.operator in (">=", "<=", "<") and old.contains(mine, prereleases=True)
    if old.operator == ">=":
        return operator in (">=", ">", "~=") and mine >= other
    # `<3` leaves 3.0rc1 out, and `<3.0rc2` does not.
    return old.operator == "<" == operator and mine <= other and not mine.is_prerelease


# Deny rules: what fails denies, so each condition is true or fails.


def _denies_with(old: tuple[str, object], new: tuple[str, object]) -> bool:
    """Whether the new condition is true, or fails, wherever the old one is true or fails."""
    (kind, mine), (other_kind, other) = old, new
    if kind != other_kind:
        return False
    if isinstance(mine, frozenset) and isinstance(other, frozenset):
        return mine <= other
    if kind == "owner":
        return _owned(mine, other)  # type: ignore[arg-type]
    if kind == "allocation":
        return _bounds(mine, other)  # type: ignore[arg-type]
    return _denies_argument(mine, other)  # type: ignore[arg-type]


def _denies_argument(old: Constraint, new: Constraint) -> bool:
    """The same of an argument, whose demands are looked at in an order: what fails hides others."""
    if old.argument != new.argument or not (_types(old, new) and _one_of(old, new)):
        return False
    if not (_length(old, new) and _bounds(old, new) and _nested(old, new)):
        return False
    if _bounded(new) and old.max_length is not None and new.max_length is None:
        return False  # the old one may fail on the length, and never look at the number
    may_fail = old.max_length is not None or _bounded(old)
    return not new.symbols or not may_fail or _alike(old, new)


def _bounded(constraint: Constraint) -> bool:
    return constraint.minimum is not None or constraint.maximum is not None


def _alike(old: Constraint, new: Constraint) -> bool:
    """Whether two constraints fail together before they look at what is nested."""
    mine = (old.max_length, old.minimum, old.maximum)
    return mine == (new.max_length, new.minimum, new.maximum)


# Words.


def _shown(constraint: Constraint) -> str:
    said = {
        "type": " or ".join(sorted(constraint.types)),
        "one of": ", ".join(json.dumps(value, default=str) for value in constraint.one_of or ()),
        "max length": constraint.max_length,
        "min": constraint.minimum,
        "max": constraint.maximum,
        "symbol": " or ".join(constraint.symbols),
    }
    parts = [f"{key} {value}" for key, value in said.items() if value not in (None, "")]
    return ", ".join(parts)[:200] or "that it is there"


def _told(condition: object) -> str:
    if isinstance(condition, frozenset):
        return _list(condition)[:200]
    argument = getattr(condition, "argument", None)
    if argument is not None:
        return f"{argument!r:.80}: {_shown(condition)}"  # type: ignore[arg-type]
    return f"{condition.distribution}{condition.versions}"  # type: ignore[attr-defined]


def _list(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))
