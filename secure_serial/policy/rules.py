"""The tables of a policy that decide: `[[allow]]`, `[[deny]]` and `[[waiver]]`. Pure."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from secure_serial.artifact.document import Format
from secure_serial.plan.fields import Field, Kind
from secure_serial.policy.constraints import TYPES
from secure_serial.policy.model import WAIVABLE, Constraint, Effect, Evidence, Owned, Rule, Waiver
from secure_serial.policy.patterns import problem_with

if TYPE_CHECKING:
    from secure_serial.policy.reading import Table

_RULE = frozenset({
    "id", "symbols", "registered", "kinds", "fields", "arguments", "allocation", "from", "sha256",
    "formats", "lambdas", "evidence", "reason",
})  # fmt: skip
#: Of these a rule has one at least, or it would match everything.
_SELECTS = frozenset({"symbols", "registered", "kinds", "fields", "lambdas", "sha256"})
_CONSTRAINT = frozenset(
    {"type", "min", "max", "max_length", "one_of", "path", "symbol"}
)  # fmt: skip
_WAIVER = frozenset(
    {"id", "who", "reason", "expires", "symbols", "registered", "sha256", "codes"}
)  # fmt: skip
_NAMELESS = "every rule needs one, so that decisions can name it"


def read_rule(table: Table, effect: Effect, source: str, line: int) -> Rule:
    """The rule that a table means; what is wrong with it is noted."""
    data = table.data
    table.known(_RULE)
    table.no_empty_lists()
    symbols, registered = patterns(table, "symbols"), patterns(table, "registered")
    rule = Rule(
        id=table.text("id", required=_NAMELESS),
        effect=effect,
        source=source,
        line=line,
        symbols=symbols,
        registered=registered,
        kinds=table.words("kinds", Kind),
        fields=table.words("fields", Field),
        arguments=_arguments(table) if "arguments" in data else (),
        allocation=_allocation(table) if "allocation" in data else None,
        owner=_owner(table) if "from" in data else None,
        sha256=table.digests("sha256"),
        formats=table.words("formats", Format),
        lambdas=table.digests("lambdas"),
        evidence=_evidence(table) if "evidence" in data else None,
        reason=table.text("reason"),
    )
    # What is there and cannot be read is a problem already, and not one of what is missing.
    if effect is Effect.ALLOW and not data.keys() & {"symbols", "registered", "lambdas"}:
        table.problem("an allow rule must name symbols, registered names or lambdas")
    if effect is Effect.DENY and rule.lambdas:
        table.problem("only an allow rule takes them; the rest is denied anyway", "lambdas")
    if not data.keys() & _SELECTS:
        table.problem("a rule without any condition would match everything")
    return rule


def read_waiver(table: Table, source: str, line: int) -> Waiver:
    """The waiver that a table means; what is wrong with it is noted."""
    table.known(_WAIVER)
    table.no_empty_lists()
    expires = table.date("expires")
    if expires is None and "expires" not in table.data:
        table.problem("a waiver must end on a day", "expires")
    codes = table.texts("codes") or ("SS301",)
    for number, code in enumerate(codes):
        if code not in WAIVABLE:
            text = f"{code!r:.40} cannot be waived (can be: {', '.join(WAIVABLE)})"
            table.problem(text, "codes", number)
    waiver = Waiver(
        id=table.text("id", required=_NAMELESS),
        source=source,
        line=line,
        who=table.text("who", required="somebody must answer for it"),
        reason=table.text("reason", required="must say why"),
        expires=expires or date.min,
        symbols=patterns(table, "symbols"),
        registered=patterns(table, "registered"),
        sha256=table.digests("sha256"),
        codes=frozenset(codes),
    )
    if not (waiver.symbols or waiver.registered or waiver.sha256):
        table.problem("a waiver must name symbols, registered names or an artefact by sha256")
    return waiver


def patterns(table: Table, key: str) -> tuple[str, ...]:
    """Patterns for dotted symbols or, under the key `registered`, for registered names."""
    if key not in table.data:
        return ()
    found = table.texts(key)
    for number, pattern in enumerate(found):
        problem = problem_with(pattern, registered=key == "registered")
        if problem:
            table.problem(f"the pattern {pattern!r} {problem}{_instead(pattern, key)}", key, number)
    return found


def _instead(pattern: str, key: str) -> str:
    """What to write in the place of a registered name that is none."""
    if key != "registered":
        return ""
    package, arrow, _ = pattern.partition(">")
    if not arrow:
        return "; a dotted name goes into symbols" if "." in pattern else ""
    return f"; write {package}>*, or each name" if "*" in pattern and package != "*" else ""


def _arguments(table: Table) -> tuple[Constraint, ...]:
    arguments = table.data["arguments"]
    if not isinstance(arguments, dict) or not all(isinstance(v, dict) for v in arguments.values()):
        table.problem("must be tables, arguments.<name> = {…}", "arguments")
        return ()
    inner = table.table("arguments")
    if inner is None:
        raise AssertionError("it was seen to be a table")
    return tuple([constraint(inner, name) for name in arguments])


def constraint(outer: Table, name: str) -> Constraint:
    """The conditions on one argument."""
    table = outer.table(name)
    if table is None:
        raise AssertionError("it was seen to be a table")
    table.known(_CONSTRAINT)
    table.no_empty_lists("one_of")
    types = table.texts("type", or_one=True)
    for word in types:
        if word not in TYPES:
            table.problem(f"unknown {word!r} (known: {', '.join(TYPES)})", "type")
    one_of = table.data.get("one_of")
    if one_of is not None and not (isinstance(one_of, list) and _comparable(one_of)):
        table.problem("must be a list of values that JSON has", "one_of")
        one_of = None
    if not all(name.split(".")):
        table.problem("must be the name of an argument")
    length = table.whole("max_length", 0, least=0) if "max_length" in table.data else None
    symbols = table.texts("symbol", or_one=True)
    for pattern in symbols:
        problem = problem_with(pattern, registered=">" in pattern)
        if problem:
            table.problem(f"the pattern {pattern!r} {problem}", "symbol")
    return Constraint(
        argument=name,
        types=frozenset(types),
        minimum=table.number("min"),
        maximum=table.number("max"),
        max_length=length,
        one_of=None if one_of is None else tuple(one_of),
        path=table.flag("path"),
        symbols=symbols,
    )


def _comparable(value: object) -> bool:
    """Whether some argument can equal it: none is a date, and NaN equals nothing."""
    if isinstance(value, list | dict):
        return all(map(_comparable, value if isinstance(value, list) else value.values()))
    return isinstance(value, str | int | float) and value == value  # noqa: PLR0124


def _allocation(table: Table) -> Constraint | None:
    bounds = table.table("allocation")
    if bounds is None:
        return None
    bounds.known(("min", "max"))
    if not bounds.data:
        bounds.problem("must have a min or a max, in bytes")
    return Constraint("allocation", minimum=bounds.number("min"), maximum=bounds.number("max"))


def _owner(table: Table) -> Owned | None:
    """The distribution in `from`, a requirement of PEP 508 without extras, marks or URL."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    text = table.text("from")
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        wanted = None
    if wanted is None or wanted.extras or wanted.marker or wanted.url:
        table.problem("must be a distribution with versions, such as keras>=3.10,<4", "from")
        return None
    return Owned(canonicalize_name(wanted.name), wanted.specifier)


def _evidence(table: Table) -> Evidence | None:
    evidence = table.table("evidence")
    if evidence is None:
        return None
    evidence.known(("tool", "source_sha256", "findings", "date"))
    day = evidence.date("date")
    if "date" not in evidence.data:
        evidence.problem("must say on which day it was looked at", "date")
    digest = evidence.text("source_sha256", required="must be the digest of the source")
    if digest and not (len(digest) == 64 and set(digest) <= set("0123456789abcdef")):  # noqa: PLR2004
        evidence.problem("must be 64 hexadecimal digits", "source_sha256")
    return Evidence(
        tool=evidence.text("tool", required="must say what looked at it, with its version"),
        source_sha256=digest,
        findings=evidence.whole("findings", 0, least=0),
        date=day or date.min,
    )
