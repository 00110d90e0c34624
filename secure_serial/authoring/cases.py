"""The `[[test]]` tables of a policy: what each asks, read as strictly as the policy itself.

docs/policy-tools.md says what each key means. Nothing here judges.
"""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.document import Format
from secure_serial.errors import InvalidPolicy, Where
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.owner import Owner
from secure_serial.policy.model import Effect
from secure_serial.policy.patterns import problem_with
from secure_serial.policy.reader import located
from secure_serial.policy.reading import Problem, Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from secure_serial.artifact.document import Json
    from secure_serial.authoring.policy_file import PolicyFile

_KEYS = frozenset({
    "id", "file", "config", "symbol", "registered", "field", "kind", "arguments", "expect", "code",
    "rules", "today", "from", "source_sha256", "format", "sha256", "bytes",
})  # fmt: skip
#: What each way to say what is tested takes besides; a key that would be ignored is a problem.
_TAKES = {
    "file": frozenset[str](),
    "config": frozenset({"format", "sha256", "bytes", "field"}),
    "symbol": frozenset(
        {"registered", "field", "kind", "arguments", "from", "source_sha256", "format", "sha256"}
    ),
}
_ALWAYS = frozenset({"id", "expect", "code", "rules", "today"})
#: A config that is padded to more tells nothing that one of this size does not.
_MOST_BYTES = 1 << 28


class PolicyTest(NamedTuple):
    """One `[[test]]` table."""

    id: str
    source: str
    line: int
    expect: Effect
    code: str = ""
    rules: tuple[str, ...] = ()
    today: date | None = None
    file: str = ""
    config: Json = None  # a table, or a text that holds JSON
    symbols: tuple[str, ...] = ()
    registered: str = ""
    field: Field = Field.ROOT
    kind: Kind | None = None  # given: the program has registered the object, and says what it is
    arguments: Mapping[str, Json] | None = None
    owner: Owner | None = None
    source_sha256: str = ""
    format: Format | None = None
    sha256: str = ""
    bytes: int = 0

    @property
    def place(self) -> str:
        """Where to find it, `file:line`."""
        return f"{self.source}:{self.line}"


def read_tests(file: PolicyFile) -> list[PolicyTest]:
    r"""The tests of a policy.

    Raises:
        InvalidPolicy: a table cannot be understood; lists all that is wrong.

    >>> from secure_serial.authoring.policy_file import PolicyFile
    >>> text = '[[test]]\nid = "d"\nsymbol = "keras.layers.Dense"\nexpect = "allow"'
    >>> [test.symbols for test in read_tests(PolicyFile("acme.toml", text))]
    [('keras.layers.Dense',)]

    """
    tests, problems = examine_tests(file)
    if problems:
        raise InvalidPolicy(
            "its tests cannot be run",
            problems=[str(each) for each in located(problems, file.text, file.source)],
            where=Where(file.source),
        )
    return tests


def examine_tests(file: PolicyFile) -> tuple[list[PolicyTest], list[Problem]]:
    """The tests as far as they can be read, and all that is wrong with them."""
    problems: list[Problem] = []
    tables = Table(file.data, (), problems).tables("test")
    tests = [_read(table, file) for table in tables]
    seen: dict[str, PolicyTest] = {}
    for table, test in zip(tables, tests, strict=True):
        other = seen.setdefault(test.id, test)
        if other is not test and test.id:
            table.problem(f"{test.id!r} is also at {other.place}", "id", slug="duplicate-id")
    return tests, problems


def _read(table: Table, file: PolicyFile) -> PolicyTest:
    table.known(_KEYS)
    _check_subject(table)
    expect = table.choice("expect", Effect, Effect.DENY)
    if "expect" not in table.data:
        table.problem('must be "allow" or "deny"', "expect", slug="missing-key")
    arguments = table.table("arguments")
    return PolicyTest(
        id=table.text("id", required="every test needs one, so that reports can name it"),
        source=file.source,
        line=file.place(table.path).line,
        expect=expect,
        code=table.text("code"),
        rules=table.texts("rules"),
        today=table.date("today"),
        file=_file(table),
        config=_config(table),
        symbols=_symbols(table),
        registered=table.text("registered"),
        field=table.choice("field", Field, Field.ROOT),
        kind=table.choice("kind", Kind, Kind.LAYER) if "kind" in table.data else None,
        arguments=None if arguments is None else arguments.data,
        owner=_owner(table),
        source_sha256=_digest(table, "source_sha256"),
        format=table.choice("format", Format, Format.JSON) if "format" in table.data else None,
        sha256=_digest(table, "sha256"),
        bytes=_bytes(table),
    )


def _check_subject(table: Table) -> None:
    """That it says in one way what is tested, and nothing that this way does not take."""
    ways = [key for key in _TAKES if key in table.data]
    if not ways and "registered" in table.data:
        table.problem("a name package>name alone stands in symbol", "registered")
    elif len(ways) != 1:
        table.problem(f"must have one of {', '.join(_TAKES)}", slug="missing-key")
    else:
        known = _TAKES[ways[0]] | _ALWAYS | {ways[0]}
        for key in table.data.keys() & _KEYS - known:
            table.problem(f"means nothing beside {ways[0]}", key)


def _file(table: Table) -> str:
    path = table.text("file")
    parts = {*PurePosixPath(path).parts, *PureWindowsPath(path).parts}
    windows = PureWindowsPath(path)
    if path.startswith("/") or windows.drive or windows.root or ".." in parts or "\0" in path:
        table.problem("must be a path below the policy's own folder", "file")
        return ""
    return path


def _config(table: Table) -> Json:
    config = table.data.get("config")
    if config is not None and not isinstance(config, dict | str):
        table.wrong_type("must be a table, or a text that holds JSON", "config")
        return None
    return config


def _symbols(table: Table) -> tuple[str, ...]:
    found = table.texts("symbol", or_one=True)
    for number, symbol in enumerate(found):
        bad = problem_with(symbol, registered=">" in symbol)
        if "*" in symbol or bad:
            says = "must be one name, no pattern" if "*" in symbol else bad
            table.problem(f"{symbol!r:.80} {says}", "symbol", number)
    if table.data.get("symbol") == []:
        table.problem("names nothing", "symbol", slug="missing-key")
    registered = table.data.get("registered")
    if registered is not None and (len(found) != 1 or ">" in found[0]):
        table.problem("goes with one dotted symbol", "registered")
    elif isinstance(registered, str) and problem_with(registered, registered=True):
        table.problem("must be of the form package>name", "registered")
    return found


def _owner(table: Table) -> Owner | None:
    """The distribution in `from`, with the one version that is taken to be installed."""
    if "from" not in table.data:
        return None
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    text = table.text("from")
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        wanted = None
    exact = [] if wanted is None else list(wanted.specifier)
    if wanted is None or len(exact) != 1 or exact[0].operator != "==" or "*" in exact[0].version:
        table.problem("must be a distribution with one version, such as keras==3.9.0", "from")
        return None
    return Owner(canonicalize_name(wanted.name), exact[0].version)


def _digest(table: Table, key: str) -> str:
    if key not in table.data:
        return ""
    text = table.text(key)
    inner = Table({key: [text]}, table.path, [])
    found = inner.digests(key)
    if not found:
        table.problem("must be a SHA-256 in 64 hexadecimal digits", key)
    return next(iter(found), "")


def _bytes(table: Table) -> int:
    if "bytes" not in table.data:
        return 0
    size = table.whole("bytes", 0, least=1)
    if size > _MOST_BYTES:
        table.problem(f"more than {_MOST_BYTES:,}", "bytes")
        return 0
    return size
