"""TOML text -> Policy, or one `InvalidPolicy` that lists everything wrong with it.

Nothing is coerced and nothing is ignored: an unknown key is a problem, for it may be the
one that was meant to deny. A policy with any problem is no policy.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
import tomllib
from typing import TYPE_CHECKING, cast

from secure_serial.errors import InvalidPolicy, Where
from secure_serial.limits import Limits
from secure_serial.plan.fields import Field, Kind
from secure_serial.policy.constraints import TYPES
from secure_serial.policy.model import (
    AuditDemand,
    CallerObjects,
    Constraint,
    Effect,
    Policy,
    Rule,
)
from secure_serial.policy.patterns import problem_with

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum

    from secure_serial.artifact.document import Json

SCHEMA = 1
#: A policy of 2,000 rules is some 300 KB; far beyond it is a mistake or an attack.
MAX_BYTES = 8 * 1024 * 1024
_TOP = {"schema", "name", "version", "description", "extends", "caller_objects", "audit",
        "lambda", "limits", "allow", "deny"}  # fmt: skip
_RULE = {"id", "symbols", "registered", "kinds", "fields", "arguments", "reason"}
_CONSTRAINT = {"type", "min", "max", "max_length", "one_of", "path"}
_HEADER = re.compile(r"^\s*\[\[\s*(allow|deny)\s*\]\]", re.MULTILINE)


def parse(text: str, source: str, shipped: Callable[[str], str]) -> Policy:
    """The policy that a TOML text means, with what it extends.

    Args:
        text: The policy.
        source: Where it stands, for messages.
        shipped: The text of a shipped policy by name; only these can be extended.

    Raises:
        InvalidPolicy: with all problems at once.

    """
    return _parse(text, source, shipped, frozenset())


def _parse(text: str, source: str, shipped: Callable[[str], str], above: frozenset[str]) -> Policy:
    where = Where(source)
    if len(text) > MAX_BYTES:
        raise InvalidPolicy(f"more than {MAX_BYTES} characters", where=where)
    try:
        text.encode()  # half of a surrogate pair is no text, and has no digest
        data: dict[str, Json] = tomllib.loads(text)
    # ValueError: bad syntax, a lone surrogate, an integer of more digits than Python reads.
    except (ValueError, RecursionError) as error:
        raise InvalidPolicy(f"not valid TOML: {error}", where=where) from None
    reading = _Reading(source, text)
    policy = reading.policy(data)
    bases = []
    for name in policy.extends:
        if name in above:
            reading.problems.append(f"extends: {name!r} extends itself")
            continue
        try:
            bases.append(_parse(shipped(name), name, shipped, above | {name}))
        except KeyError as error:
            reading.problems.append(f"extends: {error.args[0]}")
    reading.unique_ids([*policy.rules, *(rule for base in bases for rule in base.rules)])
    if reading.problems:
        raise InvalidPolicy("the policy cannot be used", problems=reading.problems, where=where)
    return _extended(policy, bases, data)


def _extended(policy: Policy, bases: list[Policy], data: Mapping[str, Json]) -> Policy:
    """The policy with its bases' rules, and their settings where it says nothing itself."""
    for base in bases:
        policy = dataclasses.replace(policy, rules=(*policy.rules, *base.rules))
    if not bases:
        return policy
    first = bases[0]
    if "caller_objects" not in data:
        policy = dataclasses.replace(policy, caller_objects=first.caller_objects)
    if "audit" not in data:
        policy = dataclasses.replace(policy, audit=first.audit)
    own = cast("dict[str, int]", data.get("limits", {}))
    limits = dataclasses.replace(first.limits, **own)
    digest = hashlib.sha256()
    for each in (policy, *bases):
        digest.update(each.sha256.encode())
    return dataclasses.replace(policy, limits=limits, sha256=digest.hexdigest())


class _Reading:
    """One text being read: collects problems instead of stopping at the first."""

    def __init__(self, source: str, text: str) -> None:
        self.source = source
        self.text = text
        self.problems: list[str] = []
        self._lines: dict[str, list[int]] = {"allow": [], "deny": []}
        for found in _HEADER.finditer(text):
            self._lines[found[1]].append(text.count("\n", 0, found.end()) + 1)

    def policy(self, data: dict[str, Json]) -> Policy:
        self._known(data, _TOP, "")
        if type(data.get("schema")) is not int or data["schema"] != SCHEMA:
            self.problems.append(f"schema: must be {SCHEMA}, the version that this release reads")
        name = self._text(data, "name", self.source)
        version = data.get("version", 1)
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            self.problems.append("version: must be a whole number from 1")
            version = 1
        self._text(data, "description", "")
        self._choice(data, "lambda", ("deny",), "deny")
        rules = [
            rule for effect in Effect for rule in self._rules(data.get(effect.value, []), effect)
        ]
        return Policy(
            name=name,
            source=self.source,
            sha256=hashlib.sha256(self.text.encode()).hexdigest(),
            version=version,
            rules=tuple(rules),
            limits=self._limits(data.get("limits", {})),
            caller_objects=CallerObjects(
                self._choice(data, "caller_objects", tuple(CallerObjects), CallerObjects.LISTED)
            ),
            audit=AuditDemand(
                self._choice(data, "audit", tuple(AuditDemand), AuditDemand.OPTIONAL)
            ),
            extends=self._extends(data),
        )

    def unique_ids(self, rules: list[Rule]) -> None:
        seen: dict[str, Rule] = {}
        for rule in rules:
            other = seen.setdefault(rule.id, rule)
            if other is not rule:
                self.problems.append(f"{rule.place}: id {rule.id!r} is also at {other.place}")

    def _extends(self, data: Mapping[str, Json]) -> tuple[str, ...]:
        value = data.get("extends", [])
        return self._texts({"extends": [value] if isinstance(value, str) else value}, "extends", "")

    def _rules(self, tables: Json, effect: Effect) -> list[Rule]:
        if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
            self.problems.append(f"{effect}: must be tables, [[{effect}]]")
            return []
        lines = self._lines[effect]
        numbered = enumerate(cast("list[dict[str, Json]]", tables))
        return [
            self._rule(table, effect, lines[index] if index < len(lines) else 0)
            for index, table in numbered
        ]

    def _rule(self, table: dict[str, Json], effect: Effect, line: int) -> Rule:
        at = f"{self.source}:{line}: "
        self._known(table, _RULE, at)
        symbols = self._texts(table, "symbols", at)
        registered = self._texts(table, "registered", at)
        for patterns, named in ((symbols, False), (registered, True)):
            for pattern in patterns:
                problem = problem_with(pattern, registered=named)
                if problem:
                    self.problems.append(f"{at}the pattern {pattern!r} {problem}")
        kinds = self._words(table, "kinds", Kind, at)
        fields = self._words(table, "fields", Field, at)
        arguments = self._constraints(table.get("arguments", {}), at)
        if effect is Effect.ALLOW and not (symbols or registered):
            self.problems.append(f"{at}an allow rule must name symbols or registered names")
        if not (symbols or registered or kinds or fields):
            self.problems.append(f"{at}a rule without any condition would match everything")
        rule_id = self._text(table, "id", "", at)
        if not rule_id:
            self.problems.append(f"{at}id: every rule needs one, so that decisions can name it")
        return Rule(
            id=rule_id,
            effect=effect,
            source=self.source,
            line=line,
            symbols=symbols,
            registered=registered,
            kinds=frozenset(map(Kind, kinds)),
            fields=frozenset(map(Field, fields)),
            arguments=arguments,
            reason=self._text(table, "reason", "", at),
        )

    def _constraints(self, tables: Json, at: str) -> tuple[Constraint, ...]:
        if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
            self.problems.append(f"{at}arguments: must be tables, arguments.<name> = {{…}}")
            return ()
        return tuple(self._constraint(name, table, at) for name, table in tables.items())

    def _constraint(self, name: str, table: dict[str, Json], at: str) -> Constraint:
        at = f"{at}arguments.{name}: "
        self._known(table, _CONSTRAINT, at)
        kinds = table.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        types = self._texts({"type": kinds}, "type", at)
        self.problems += [f"{at}type: unknown {word!r}" for word in types if word not in TYPES]
        one_of = table.get("one_of")
        if one_of is not None and not isinstance(one_of, list):
            self.problems.append(f"{at}one_of: must be a list")
            one_of = None
        path = table.get("path", False)
        if not isinstance(path, bool):
            self.problems.append(f"{at}path: must be true or false")
        length = table.get("max_length")
        if length is not None and (type(length) is not int or length < 0):
            self.problems.append(f"{at}max_length: must be a whole number from 0")
            length = None
        if not all(name.split(".")):
            self.problems.append(f"{at}must be the name of an argument")
        return Constraint(
            argument=name,
            types=frozenset(types),
            minimum=self._number(table, "min", at),
            maximum=self._number(table, "max", at),
            max_length=length,
            one_of=None if one_of is None else tuple(one_of),
            path=path is True,
        )

    def _limits(self, table: Json) -> Limits:
        if not isinstance(table, dict):
            self.problems.append("limits: must be a table")
            return Limits()
        names = {field.name for field in dataclasses.fields(Limits)}
        self._known(table, names, "limits: ")
        good: dict[str, int] = {}
        for name, value in table.items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                self.problems.append(f"limits: {name} must be a whole number from 1")
            elif name in names:
                good[name] = value
        return Limits(**good)

    # Values of a given type; anything else is a problem and the default.

    def _known(self, table: Mapping[str, Json], names: set[str], at: str) -> None:
        for key in table:
            if key not in names:
                self.problems.append(f"{at}unknown key {key!r} (known: {', '.join(sorted(names))})")

    def _text(self, table: Mapping[str, Json], key: str, default: str, at: str = "") -> str:
        value = table.get(key, default)
        if isinstance(value, str):
            return value
        self.problems.append(f"{at}{key}: must be text")
        return default

    def _texts(self, table: Mapping[str, Json], key: str, at: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.problems.append(f"{at}{key}: must be a list of texts")
        return ()

    def _words(
        self, table: Mapping[str, Json], key: str, words: type[StrEnum], at: str
    ) -> tuple[str, ...]:
        known = set(words)
        given = self._texts(table, key, at)
        self.problems += [f"{at}{key}: unknown {word!r}" for word in given if word not in known]
        return tuple(word for word in given if word in known)

    def _choice(
        self, table: Mapping[str, Json], key: str, choices: tuple[str, ...], default: str
    ) -> str:
        value = self._text(table, key, default)
        if value in choices:
            return value
        self.problems.append(f"{key}: must be one of {', '.join(map(repr, map(str, choices)))}")
        return default

    def _number(self, table: Mapping[str, Json], key: str, at: str) -> float | None:
        value = table.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            self.problems.append(f"{at}{key}: must be a number")
            return None
        return value
