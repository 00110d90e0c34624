"""`secure-serial lambda show` and `convert`: the functions in a file, read and never run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Generic, NamedTuple, TypeVar

from secure_serial.cli.exits import Exit, first
from secure_serial.cli.scan_command import tell_fault
from secure_serial.cli.trouble import UsageError, tell
from secure_serial.errors import ArtifactError, LimitExceeded, SandboxError, SecureSerialError
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from secure_serial.artifact import Opened
    from secure_serial.artifact.document import Document, Json
    from secure_serial.cli.console import Console
    from secure_serial.lambdas.bounds import Account
    from secure_serial.lambdas.understood import Understood
    from secure_serial.policy.engine import Decision
    from secure_serial.report.style import Style

_Result = TypeVar("_Result")
_DISAGREE, _TOO_MANY = "SS306", "SS333"
#: How the formats that are rewritten are usually called, by the name of the format.
_SUFFIXES = {"keras": (".keras",), "h5": (".h5", ".hdf5"), "json": (".json",)}


#: Of one function that stands in many.
_PLACES = 4


class Shown(NamedTuple):
    """One function of a file, or why it cannot be shown."""

    member: str
    pointer: str
    understood: Understood | None = None
    #: Why it is not understood, or why the sandbox does not take it.
    error: SecureSerialError | None = None
    #: What a policy says to it, where one was asked.
    decision: Decision | None = None

    @property
    def exit(self) -> Exit:
        """What the command ends with for it."""
        if self.error is None:
            denied = self.decision is not None and not self.decision.allowed
            return Exit.FINDINGS if denied else Exit.CLEAN
        refused = self.understood is not None or self.error.code == _DISAGREE
        return Exit.FINDINGS if refused else Exit.UNREADABLE


def run_show(args: argparse.Namespace, console: Console) -> Exit:
    """Show each function of a file, or the one at a pointer, as source."""
    from secure_serial.artifact import open_artifact

    try:
        if args.policy is None:
            with open_artifact(args.file) as opened:
                every = shown(opened.document)
        else:
            every = _judged(args.file, args.policy)
    except ArtifactError as error:
        return tell_fault(error, args.file, args.format, "lambda show", console)
    if args.pointer is not None:
        every = [each for each in every if each.pointer == args.pointer.rpartition("#")[2]]
    code = first(each.exit for each in every) if every else Exit.NOTHING
    if args.format == "json":
        from secure_serial.cli.version import version
        from secure_serial.report import json_text

        head = json_text.head("lambda show", version(), code)
        functions = [_object(each) for each in every]
        console.result(json_text.dump({**head, "file": args.file, "lambdas": functions}))
        return code
    if not every:
        where = "" if args.pointer is None else f" at {printable(args.pointer)}"
        console.tell(f"{printable(args.file)} holds no function's code{where}")
    else:
        console.result("\n\n".join("\n".join(_lines(*each)) for each in _together(every, console)))
    return code


def _together(every: list[Shown], console: Console) -> list[tuple[list[Shown], Style]]:
    """The functions that would be shown alike: a model of many blocks has one in each."""
    alike: dict[tuple[object, ...], list[Shown]] = {}
    for each in every:
        known, error = each.understood, each.error
        said = each.decision and (each.decision.effect, each.decision.reason)
        key = (
            known and (known.source, known.versions, known.origin),
            error and error.message,
            said,
        )
        alike.setdefault(key, []).append(each)
    style = console.style()
    return [(several, style) for several in alike.values()]


def shown(document: Document) -> list[Shown]:
    """The functions of a document, in their order, with the sandbox's word on each."""
    from secure_serial.lambdas.found import find
    from secure_serial.plan.path import pointer

    once = _Once(_read)
    return [
        Shown(part.member, pointer(each.path), *once(each.value))
        for part in document.parts
        for each in find(part.root)
    ]


def _judged(file: str, policy: list[str]) -> list[Shown]:
    """The functions of a file, with a policy's word on each that a load would come to."""
    from secure_serial.plan.request import Action
    from secure_serial.scanner.scan import verdict_on

    verdict = verdict_on(file, policy=policy)
    decisions = {
        (each.request.member, each.request.pointer): each
        for each in verdict.decisions
        if each.request.action is Action.LAMBDA
    }
    return [
        each._replace(decision=decisions.get((each.member, each.pointer)))
        for each in shown(verdict.plan.document)
    ]


def _read(value: Json, account: Account) -> tuple[Understood | None, SecureSerialError | None]:
    from secure_serial.lambdas.found import understood
    from secure_serial.sandbox.restrict import restrict

    known = None
    try:
        known = understood(value, account)
        restrict(known)
    except (ArtifactError, SandboxError) as error:
        return known, error
    return known, None


class _Once(Generic[_Result]):
    """Does something to each different function, and to no more than a document may hold."""

    def __init__(self, work: Callable[[Json, Account], _Result]) -> None:
        from secure_serial.lambdas.bounds import Account

        self._work = work
        self._account = Account()
        self._done: dict[str, _Result] = {}

    def __call__(self, value: Json) -> _Result:
        from secure_serial.limits import Limits

        key = json.dumps(value)
        if key not in self._done:
            if len(self._done) >= Limits().functions:
                raise LimitExceeded(
                    f"more than {Limits().functions} different functions", code=_TOO_MANY
                )
            self._done[key] = self._work(value, self._account)
        return self._done[key]


def _lines(several: list[Shown], style: Style) -> list[str]:
    """One function for a person, and its places. All is the file's, so it is made printable."""
    places = [printable(f"{each.member}#{each.pointer}", 1000) for each in several]
    lines = [style.paint(place, "bold") for place in places[:_PLACES]]
    if len(places) > _PLACES:
        lines.append(f"and in {len(places) - _PLACES} other places")
    each = several[0]
    known = each.understood
    if known is not None:
        lines += [f"  {printable(line, 2000)}" for line in known.source.split("\n")]
        lines += [f"  {name:8} {printable(value, 2000)}" for name, value in _facts(known)]
    if each.error is not None:
        word = "refused" if each.exit is Exit.FINDINGS else "unknown"
        text = printable(f"{each.error.code} {each.error.message}", 2000)
        lines.append(f"  {style.paint(f'{word:8}', 'red')} {text}")
        if each.error.help:
            lines.append(f"           {printable(each.error.help, 2000)}")
    else:
        lines.append(f"  {'sandbox':8} runs it")
    if each.decision is not None:
        lines.append(f"  {'policy':8} {printable(_word(each.decision), 2000)}")
    return lines


def _word(decision: Decision) -> str:
    """What a policy says to a function, in a line."""
    if decision.allowed:
        return f"allows it ({', '.join(decision.rules)})"
    return f"denies it: {decision.reason} ({', '.join(decision.rules) or decision.code})"


def _facts(known: Understood) -> list[tuple[str, str]]:
    from secure_serial.lambdas.uses import uses

    pythons = " or ".join(known.versions)
    if known.origin == "both":
        pythons += ", and source that agrees"
    return [
        ("saved by", f"Python {pythons}" if pythons else "any Python: source alone"),
        ("uses", ", ".join(uses(known)) or "nothing but its arguments"),
        ("digest", known.digest),
    ]


def _object(each: Shown) -> dict[str, object]:
    """One function for a program. Values of its defaults and closure are as Python writes them."""
    from secure_serial.lambdas.uses import uses

    made: dict[str, object] = {"member": each.member, "pointer": each.pointer}
    known = each.understood
    if known is not None:
        made |= {
            "origin": known.origin,
            "python": list(known.versions),
            "source": known.source,
            "uses": uses(known),
            "defaults": [ascii(value) for value in known.defaults],
            "kwdefaults": {name: ascii(value) for name, value in known.kwdefaults.items()},
            "closure": {name: ascii(value) for name, value in known.closure.items()},
            "digest": known.digest,
            "sandbox": each.error is None,
        }
    if each.error is not None:
        made["error"] = {"code": each.error.code, "message": each.error.message}
    if each.decision is not None:
        decision = each.decision
        made["policy"] = {
            "effect": decision.effect.value,
            "rules": list(decision.rules),
            "code": decision.code,
            "reason": decision.reason,
        }
    return made


def run_convert(args: argparse.Namespace, console: Console) -> Exit:
    """Write a copy of a file that holds our own form of each function."""
    from secure_serial.artifact import open_artifact

    try:
        with open_artifact(args.file, hold=True) as opened:
            _check_name(opened.document, args.out)
            roots, count, failed = _converted(opened.document, drop=args.drop_bytecode)
            if failed:
                for several in _together(failed, console):
                    console.result("\n".join(_lines(*several)))
                console.tell("nothing was written")
                return first(each.exit for each in failed)
            if not count:
                console.tell(f"{printable(args.file)} holds no function's code; nothing written")
                return Exit.NOTHING
            _create(args.out, opened, roots)
    except ArtifactError as error:
        return tell_fault(error, args.file, "text", "lambda convert", console)
    except SecureSerialError as error:
        return tell(error, console)
    console.tell(f"written: {printable(args.out)} ({count} functions)")
    return Exit.CLEAN


def _converted(document: Document, *, drop: bool) -> tuple[dict[str, Json], int, list[Shown]]:
    """The tree of each part with our own form in it, how many there are, and what failed."""
    from secure_serial.lambdas.found import find, in_own_form, put
    from secure_serial.plan.path import pointer

    roots: dict[str, Json] = {}
    count, failed = 0, []

    def made(value: Json, account: Account) -> tuple[Json, ArtifactError | None]:
        try:
            return in_own_form(value, account, drop_bytecode=drop), None
        except ArtifactError as error:
            return None, error

    once = _Once(made)
    for part in document.parts:
        root = json.loads(json.dumps(part.root))  # what was judged stays as it is
        for each in find(root):
            count += 1
            new, error = once(each.value)
            if error is None:
                root = put(root, each, new)
            else:
                failed.append(Shown(part.member, pointer(each.path), error=error))
        roots[part.member] = root
    return roots, count, failed


def _check_name(document: Document, out: str) -> None:
    """The copy is of the same format, and its name must not say another one."""
    suffixes = _SUFFIXES.get(document.format)
    if suffixes is None:
        raise UsageError(f"a file of the format {document.format} is not rewritten")
    ending = Path(out).suffix.lower()
    if ending not in suffixes and any(ending in each for each in _SUFFIXES.values()):
        raise UsageError(f"the copy is of the same format ({suffixes[0]}), not {ending}")


def _create(out: str, opened: Opened, roots: dict[str, Json]) -> None:
    from secure_serial.cli.files import create

    def write(file: BinaryIO) -> None:
        _write(file, opened, {name: json.dumps(root) for name, root in roots.items()})
        opened.check()

    create(out, write)


def _write(out: BinaryIO, opened: Opened, texts: dict[str, str]) -> None:
    form = opened.document.format
    if form == "keras" and opened.file is not None:
        from secure_serial.artifact.zip_read import ZipReader
        from secure_serial.artifact.zip_write import copy_with
        from secure_serial.limits import Limits

        archive = ZipReader(opened.file, Limits(), size=opened.size)
        [(name, text)] = texts.items()
        copy_with(archive, name, text.encode(), out)
    elif form == "h5" and opened.file is not None:
        from secure_serial.construct.keras.h5_config import copy_with_configs

        names = {member.removeprefix("@"): text for member, text in texts.items()}
        copy_with_configs(opened.file, names, out)
    else:
        [text] = texts.values()
        out.write(f"{text}\n".encode())
