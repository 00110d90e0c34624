"""TOML text -> Policy, or one `InvalidPolicy` that lists everything wrong with it.

A policy with any problem is no policy: what was meant to deny might be what was misread.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, NamedTuple, cast

from secure_serial.errors import InvalidPolicy, Where
from secure_serial.limits import Limits
from secure_serial.policy.model import (
    ABOVE,
    AuditDemand,
    CallerObjects,
    Effect,
    Lambdas,
    Mode,
    Policy,
    Rule,
    Sandbox,
    WaiverTerms,
)
from secure_serial.policy.patterns import problem_with
from secure_serial.policy.positions import has_long_key, header_lines, positions
from secure_serial.policy.reading import Path, Problem, Table
from secure_serial.policy.rules import read_rule, read_waiver
from secure_serial.policy.sandboxing import read_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.policy.model import Waiver
    from secure_serial.policy.signing.trust import Trust

SCHEMA = 1
#: A policy of 2,000 rules is some 300 KB; far beyond it is a mistake or an attack.
MAX_BYTES = 8 * 1024 * 1024
#: The longest that a waiver may ever run: ten years is a policy, not a waiver.
MAX_WAIVER_DAYS = 3660
KEYS = frozenset({
    "schema", "name", "version", "description", "expires", "extends", "delegate",
    "caller_objects", "audit", "lambda", "sandbox", "mode", "report_until", "require_evidence",
    "limits", "waivers", "trust", "allow", "deny", "waiver", "test",
})  # fmt: skip
#: Settings whose word of denial a layer may put against what those above it let pass.
_WORDS = frozenset({"lambda", "caller_objects"})
#: How `tomllib` tells where it stopped, and what was meant as a date there.
_STOPPED = re.compile(r" \(at line (\d+), column \d+\)$")
_DATE = re.compile(r"=\s*\d{1,4}[-./]\d{1,2}[-./]\d{1,4}\b")
_LINE_CHARS = 200
_LIMITS = frozenset(each.name for each in dataclasses.fields(Limits))


def parse(text: str, source: str, shipped: Callable[[str], str]) -> Policy:
    """The policy that a TOML text means, with what it extends.

    Args:
        text: The policy.
        source: Where it stands, for messages.
        shipped: The text of a shipped policy by name; only these can be extended.

    Raises:
        InvalidPolicy: with all problems at once.

    """
    return _parse(text, source, shipped, frozenset(), {})


def toml(text: str, source: str) -> dict[str, Json]:
    """What a TOML text holds. Raises InvalidPolicy where it is none, or too long."""
    where = Where(source)
    if len(text) > MAX_BYTES:
        raise InvalidPolicy(f"more than {MAX_BYTES} characters", where=where)
    if has_long_key(text):  # tomllib takes the square of its length for it
        raise InvalidPolicy("a key of too many parts", where=where)
    try:
        text.encode()  # half of a surrogate pair is no text, and has no digest
        return tomllib.loads(text)
    # ValueError: bad syntax, a lone surrogate, an integer of more digits than Python reads.
    except (ValueError, RecursionError) as error:
        raise InvalidPolicy(f"not valid TOML: {_said(error, text)}", where=where) from None


def _said(error: Exception, text: str) -> str:
    """What the parser says, and how a date is written where it stopped at one."""
    if text.startswith("\ufeff"):
        return "it begins with a byte order mark; save it as UTF-8 without one"
    message = str(error)
    stopped = _STOPPED.search(message)
    line = text.split("\n")[int(stopped[1]) - 1] if stopped is not None else ""
    if stopped is None or not _DATE.search(line[:_LINE_CHARS]):
        return message
    return f"{message[: stopped.start()]}; a date is written 2027-01-31{stopped[0]}"


def _parse(
    text: str,
    source: str,
    shipped: Callable[[str], str],
    above: frozenset[str],
    read: dict[str, Policy],
) -> Policy:
    policy, problems = examine(text, source, shipped, above, read)
    if problems:
        raise InvalidPolicy(
            "the policy cannot be used",
            problems=[str(each) for each in located(problems, text, source)],
            where=Where(source),
        )
    return policy


def examine(
    text: str,
    source: str,
    shipped: Callable[[str], str],
    above: frozenset[str] = frozenset(),
    read: dict[str, Policy] | None = None,
) -> tuple[Policy, list[Problem]]:
    """A policy as far as its text can be read, and all that is wrong with it.

    For tools that report. With a problem, what comes back is no policy to judge by: what was
    meant to deny may be missing from it.

    Raises:
        InvalidPolicy: the text is not TOML, or a policy that it extends cannot be used.

    """
    data = toml(text, source)
    reading = _Reading(source, text, data)
    policy = reading.policy()
    bases: dict[str, Policy] = {}
    read = {} if read is None else read  # two may extend the same third, and so on
    for number, name in enumerate(policy.extends):
        if name in above:
            reading.problem(f"{name!r} extends itself", "extends", number)
            continue
        if name == ABOVE:
            continue
        try:
            if name not in read:
                read[name] = _parse(shipped(name), name, shipped, above | {name}, read)
            bases[name] = read[name]
        except KeyError as error:
            reading.problem(f"{error.args[0]}", "extends", number)
    rules = _once(policy.rules, bases.values())
    reading.unique_ids([*rules, *policy.waivers])
    if reading.problems:  # settings may be of any type
        return dataclasses.replace(policy, rules=rules), reading.problems
    return _extended(policy, list(bases.values()), rules, data), []


def _once(own: tuple[Rule, ...], bases: Iterable[Policy]) -> tuple[Rule, ...]:
    """The rules of a policy and of those it extends; what two of these share counts once."""
    rules = {(rule.source, rule.effect, rule.line): rule for base in bases for rule in base.rules}
    return (*own, *rules.values())


def _extended(
    policy: Policy, bases: list[Policy], rules: tuple[Rule, ...], data: Mapping[str, Json]
) -> Policy:
    """The policy with its bases' rules, and their settings where it says nothing itself."""
    if not bases:
        return policy
    first = bases[0]
    own = cast("dict[str, int]", data.get("limits", {}))
    digest = hashlib.sha256("".join(each.sha256 for each in (policy, *bases)).encode())
    return dataclasses.replace(
        policy,
        rules=rules,
        caller_objects=policy.caller_objects if "caller_objects" in data else first.caller_objects,
        audit=policy.audit if "audit" in data else first.audit,
        limits=dataclasses.replace(first.limits, **own),
        lambdas=policy.lambdas if "lambda" in data else first.lambdas,
        sandbox=_sandbox(data, first.sandbox),
        sha256=digest.hexdigest(),
    )


def _sandbox(data: Mapping[str, Json], first: Sandbox) -> Sandbox:
    """What a policy says of the sandbox itself, over what the first of its bases says."""
    table = data.get("sandbox")
    return read_sandbox(Table(table, (), []), first) if isinstance(table, dict) else first


class Located(NamedTuple):
    """A problem and its place; line and column are 0 where it has none."""

    source: str
    line: int
    column: int
    slug: str
    text: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}: {self.text}" if self.line else self.text


def located(problems: Iterable[Problem], text: str, source: str) -> list[Located]:
    """Problems with their lines and columns, in the order of the file."""
    places = positions(text)
    found = []
    for path, says, slug in problems:
        known = bool(path) and (path[0],) in places
        line, column = places.nearest(path) if known else (0, 0)
        found.append(Located(source, line, column, slug, _named(path) + says))
    return sorted(found, key=lambda each: (each.line, each.column))


def _named(path: Path) -> str:
    """The keys that lead to a place inside its table, to stand before what is said of it."""
    in_tables = len(path) > 1 and isinstance(path[1], int)
    keys = [key for key in path[2 * in_tables :] if isinstance(key, str)]
    return f"{'.'.join(keys)}: " if keys else ""


class _Reading:
    """One text being read: collects problems instead of stopping at the first."""

    def __init__(self, source: str, text: str, data: dict[str, Json]) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self._text = text
        self._lines = header_lines(text)
        self._top = Table(data, (), self.problems)

    def problem(self, text: str, *path: str | int, slug: str = "invalid-value") -> None:
        """Note that something is wrong."""
        self.problems.append(Problem(path, text, slug))

    def policy(self) -> Policy:
        """What the text says itself, without what it extends."""
        top, data = self._top, self._top.data
        top.known(KEYS)
        if type(data.get("schema")) is not int or data["schema"] != SCHEMA:
            top.problem(f"must be {SCHEMA}, the version that this release reads", "schema")
        top.text("description")
        top.tables("test")  # what they say is for `policy test`
        return Policy(
            name=top.text("name", self.source),
            source=self.source,
            sha256=hashlib.sha256(self._text.encode()).hexdigest(),
            version=top.whole("version", 1, least=1),
            rules=tuple(self._rules()),
            limits=self._limits(),
            caller_objects=top.choice("caller_objects", CallerObjects, CallerObjects.LISTED),
            audit=top.choice("audit", AuditDemand, AuditDemand.OPTIONAL),
            lambdas=top.choice("lambda", Lambdas, Lambdas.DENY),
            sandbox=read_sandbox(top.table("sandbox"), Sandbox()),
            said=_WORDS & top.data.keys(),
            extends=top.texts("extends", or_one=True),
            expires=top.date("expires"),
            mode=self._mode(),
            report_until=top.date("report_until"),
            delegate=self._delegate(),
            require_evidence=top.flag("require_evidence"),
            waivers=tuple(self._waivers()),
            waiver_terms=self._waiver_terms(),
            trust=self._trust(),
        )

    def unique_ids(self, named: Iterable[Rule | Waiver]) -> None:
        """An id that is used twice is a problem, since decisions name rules by it."""
        seen: dict[str, Rule | Waiver] = {}
        for each in named:
            other = seen.setdefault(each.id, each)
            if other is not each and each.id:
                own, known = (each, other) if each.source == self.source else (other, each)
                text = f"{each.id!r} is also at {known.place}"
                self.problem(text, *self._path_of(own), slug="duplicate-id")

    def _path_of(self, one: Rule | Waiver) -> Path:
        key = one.effect.value if isinstance(one, Rule) else "waiver"
        here = one.source == self.source
        lines = self._lines[key]
        return (key, lines.index(one.line), "id") if here and one.line in lines else ()

    def _rules(self) -> Iterable[Rule]:
        for effect in Effect:
            for table, line in self._with_lines(effect.value):
                yield read_rule(table, effect, self.source, line)

    def _waivers(self) -> Iterable[Waiver]:
        for table, line in self._with_lines("waiver"):
            yield read_waiver(table, self.source, line)

    def _with_lines(self, key: str) -> Iterable[tuple[Table, int]]:
        tables = self._top.tables(key)
        return zip(tables, self._lines[key], strict=True) if tables else ()

    def _mode(self) -> Mode:
        mode = self._top.choice("mode", Mode, Mode.ENFORCE)
        if mode is Mode.REPORT and "report_until" not in self._top.data:
            self.problem('"report" must end on a day: report_until = 2027-01-31', "mode")
        if mode is Mode.ENFORCE and "report_until" in self._top.data:
            self.problem('means nothing without mode = "report"', "report_until")
        return mode

    def _delegate(self) -> tuple[str, ...]:
        found = self._top.texts("delegate")
        for number, pattern in enumerate(found):
            wrong = problem_with(pattern, registered=">" in pattern)
            if wrong:
                self.problem(f"the pattern {pattern!r} {wrong}", "delegate", number)
        return found

    def _waiver_terms(self) -> WaiverTerms:
        table = self._top.table("waivers")
        if table is None:
            return WaiverTerms()
        table.known(("max_days", "below"))
        days = table.whole("max_days", WaiverTerms().max_days, least=0)
        if days > MAX_WAIVER_DAYS:
            table.problem(f"more than {MAX_WAIVER_DAYS} is no waiver", "max_days")
            days = MAX_WAIVER_DAYS
        return WaiverTerms(days, table.flag("below"))

    def _trust(self) -> Trust | None:
        if "trust" not in self._top.data:
            return None
        from secure_serial.policy.signing.trust import parse_trust, trust_problems

        table = self._top.data["trust"]
        problems = trust_problems(table)
        for text in problems:
            key, _, says = text.partition(": ")
            self.problem(says, *key.split("."))
        return None if problems else parse_trust(table, self.source)

    def _limits(self) -> Limits:
        table = self._top.table("limits")
        if table is None:
            return Limits()
        table.known(_LIMITS)
        own = {
            name: table.whole(name, getattr(Limits(), name), least=1)
            for name in table.data
            if name in _LIMITS
        }
        return Limits(**own)
