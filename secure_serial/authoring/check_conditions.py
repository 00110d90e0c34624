"""Conditions of a rule that no request can satisfy, or that are on nothing."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from secure_serial.plan.fields import ACCEPTS, Field
from secure_serial.policy.constraints import holds
from secure_serial.policy.model import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from secure_serial.authoring.checked import Checked, OwnRule
    from secure_serial.authoring.finding import Finding
    from secure_serial.authoring.known import Known
    from secure_serial.plan.catalogue import Entry, FieldSpec
    from secure_serial.policy.model import Constraint
    from secure_serial.policy.reading import Path

#: JSON types that a bound, a length and a nested object are something for.
_BOUNDED = frozenset({"integer", "number", "array"})
_LONG = frozenset({"string", "array", "object"})
_NESTING = frozenset({"string", "array", "object"})
#: Fields whose values are no numbers, and fields that no object stands in.
_NO_NUMBERS = frozenset({Field.FLAG, Field.LABEL, Field.PATTERN, Field.TEXT})
_NO_OBJECTS = _NO_NUMBERS | {Field.NUMBER, Field.SIZE, Field.SHAPE, Field.WORDS, Field.ARRAY}
_FEW = 3


def check_conditions(checked: Checked, known: Known) -> Iterator[Finding]:
    """What is wrong with the conditions of a file's own rules."""
    for own in checked.rules:
        rule, path = own
        if rule.allocation is not None:
            yield from _bounds(checked, rule.allocation, (*path, "allocation"))
        for constraint in rule.arguments:
            here = (*path, "arguments", constraint.argument)
            yield from _bounds(checked, constraint, here)
            wrong = _impossible(constraint)
            if wrong:
                yield checked.say(here, "contradiction", f"{constraint.argument}: {wrong}")
        meant = known.all_meant((*rule.symbols, *rule.registered))
        entries = [known.entry(symbol) for symbol in meant or ()]
        if meant and None not in entries:
            found = [entry for entry in entries if entry is not None]
            misplaced = list(_kinds(checked, own, found))
            yield from misplaced
            yield from _owner(checked, own, found)
            if not misplaced:
                yield from _arguments(checked, own, found, known)


def _bounds(checked: Checked, constraint: Constraint, path: Path) -> Iterator[Finding]:
    low, high = constraint.minimum, constraint.maximum
    if low is not None and high is not None and low > high:
        text = f"{constraint.argument}: min {low:,} is more than max {high:,}"
        yield checked.say((*path, "min"), "contradiction", text)


def _impossible(c: Constraint) -> str:
    """Why no value can satisfy a constraint on an argument that is given; empty where one can."""
    bounded = c.minimum is not None or c.maximum is not None
    if c.types:
        said = " or ".join(sorted(c.types))
        if bounded and not c.types & _BOUNDED:
            return f"a bound on what must be {said}"
        if c.max_length is not None and not c.types & _LONG:
            return f"a length of what must be {said}"
        if c.symbols and not c.types & _NESTING:
            return f"an object in what must be {said}"
    if c.one_of is not None and not any(_satisfies(value, c) for value in c.one_of):
        return "none of one_of satisfies the other conditions"
    return ""


def _satisfies(value: object, c: Constraint) -> bool:
    try:
        return holds(c._replace(argument="value", symbols=()), {"value": value})
    except TypeError:
        return False


def _kinds(checked: Checked, own: OwnRule, entries: list[Entry]) -> Iterator[Finding]:
    rule, path = own
    kinds = {entry.kind for entry in entries}
    if rule.kinds and not rule.kinds & kinds:
        text = f"{rule.id}: what it names is of the kind {_list(kinds)}, not {_list(rule.kinds)}"
        yield checked.say((*path, "kinds"), "contradiction", text)
        return
    kinds = kinds & rule.kinds or kinds
    if rule.fields and all(field in ACCEPTS for field in rule.fields):
        takes = {kind for field in rule.fields for kind in ACCEPTS[field]}
        if not takes & kinds:
            text = f"{rule.id}: what it names ({_list(kinds)}) cannot stand in {_list(rule.fields)}"
            yield checked.say((*path, "fields"), "contradiction", text)


def _owner(checked: Checked, own: OwnRule, entries: list[Entry]) -> Iterator[Finding]:
    rule, path = own
    owners = {entry.owner for entry in entries if entry.owner is not None}
    if rule.owner is None or not owners:
        return
    same = [owner for owner in owners if owner.distribution == rule.owner.distribution]
    if not same:
        names = _list({owner.distribution for owner in owners})
        text = f"{rule.id}: what it names comes from {names}, not {rule.owner.distribution}"
        yield checked.say((*path, "from"), "contradiction", text)
    elif not any(rule.owner.versions.contains(o.version, prereleases=True) for o in same):
        versions = _list({owner.version for owner in same})
        text = f"{rule.id}: the version that the catalogue knows, {versions}, is not in `from`"
        yield checked.say((*path, "from"), "other-version", text)


def _arguments(
    checked: Checked, own: OwnRule, entries: list[Entry], known: Known
) -> Iterator[Finding]:
    """Conditions on arguments that what is named does not take, or not as such."""
    rule, path = own
    # Nothing is known of the arguments of classes that stand in no config, and functions have
    # none: these count where they are named, and not where a wildcard happens to mean them.
    classes = [
        e
        for e in entries
        if (known.arguments(e) or (not e.is_class and e.symbol in rule.symbols))
        and (not rule.kinds or e.kind in rule.kinds)
    ]
    untold = [e for e in entries if e.is_class and not known.arguments(e)]
    if not classes or any(e.symbol in rule.symbols for e in untold):
        return
    for constraint in rule.arguments:
        name = constraint.argument.partition(".")[0]
        here = (*path, "arguments", constraint.argument)
        without = [entry.symbol for entry in classes if known.takes(entry, name) is False]
        if len(without) == len(classes):
            near = _guess(name, classes, known)
            text = f"{rule.id}: nothing that it names takes {name!r:.80}{near}"
            yield checked.say(here, "unknown-argument", text)
            continue
        if without and rule.effect is Effect.DENY:
            shown = ", ".join(without[:_FEW]) + (" and others" if len(without) > _FEW else "")
            text = f"{rule.id}: what takes no {name!r:.80} is denied whatever it is given: {shown}"
            yield checked.say(here, "argument-not-taken", text)
        taking = [entry for entry in classes if entry.symbol not in without]
        wrong = _misused(constraint, [known.catalogue.spec(entry, name) for entry in taking])
        if wrong:
            yield checked.say(here, "contradiction", f"{constraint.argument}: {wrong}")


def _guess(name: str, classes: list[Entry], known: Known) -> str:
    arguments = sorted({argument for entry in classes for argument in known.arguments(entry)})
    near = difflib.get_close_matches(name, arguments, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _misused(constraint: Constraint, specs: list[FieldSpec]) -> str:
    """A condition that the values of an argument can never satisfy."""
    fields = {spec.field for spec in specs}
    if "." in constraint.argument or any(spec.also for spec in specs):
        return ""
    shown = _list(fields)
    if constraint.symbols and fields <= _NO_OBJECTS:
        return f"an object in an argument that holds {shown}"
    bounded = constraint.minimum is not None or constraint.maximum is not None
    if bounded and fields <= _NO_NUMBERS:
        return f"a bound on an argument that holds {shown}"
    return ""


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
