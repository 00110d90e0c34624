"""`secure-serial policy catalogue` and `policy vet`: what a policy should know of own code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.cli.day import today
from secure_serial.cli.exits import Exit
from secure_serial.cli.trouble import UsageError
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    import argparse

    from secure_serial.authoring.vet import Vetted
    from secure_serial.cli.console import Console
    from secure_serial.construct.sources import Unit
    from secure_serial.policy.model import Rule

_EXTRA = (
    "bandit is not installed; install it (pip install bandit), or secure-serial with its extra "
    "`vet`"
)
#: How many are named in a line, and how many get a line each.
_FEW, _MANY = 3, 20


def run_catalogue(args: argparse.Namespace, console: Console) -> Exit:
    """Write the catalogue of an installed package. Its modules are imported."""
    import os

    from secure_serial.cli.backend import choose
    from secure_serial.data import catalogue

    choose(os.environ)
    from secure_serial.authoring.catalogue import lines, package
    from secure_serial.construct.sources import UnknownSourceError

    try:
        found = package.catalogue_of(args.package, catalogue())
    except UnknownSourceError as error:
        raise UsageError(str(error)) from None
    _write(lines.text(found), args.out, console)
    _tell_left_out("cannot be imported", _table(found, "failed"), console)
    _tell_left_out("cannot be listed", _table(found, "left_out"), console)
    count = len(_table(found, "symbols"))
    console.tell(f"{count} symbols of {printable(args.package)}")
    return Exit.CLEAN if count else Exit.NOTHING


def run_vet(args: argparse.Namespace, console: Console) -> Exit:
    """Look own code over and print the evidence for it. Nothing is imported."""
    from secure_serial.authoring.vet import fitting, vet
    from secure_serial.construct.sources import UnknownSourceError

    try:
        units, given, by_name = _units(args, console)
        day = today()
        results = [vet(unit, day) for unit in units]
    except UnknownSourceError as error:
        raise UsageError(str(error)) from None
    except ImportError:
        raise UsageError(_EXTRA) from None
    for unit, rules in fitting(
        by_name, [found for found in results if found.unit in given]
    ).items():
        units[unit] += rules
    code = _exit_code(results)
    if args.format == "json":
        vetted = [_object(found, units[found.unit]) for found in results]
        console.report("policy vet", code, {"vetted": vetted})
        return code
    for found in results:
        _tell(found, console)
        console.result(_block(found, units[found.unit]))
    return code


def _units(
    args: argparse.Namespace, console: Console
) -> tuple[dict[Unit, list[Rule]], set[Unit], list[Rule]]:
    """The packages to look over, and the rules of `--policy` that let in classes of theirs.

    Besides those packages that were given by name, and the rules that do not say of themselves
    which package they are on.
    """
    from secure_serial.authoring import packages, vet

    found: dict[Unit, list[Rule]] = {}
    lost: list[Rule] = []
    if args.policy:
        from secure_serial.policy.source import load_policy

        found, lost = vet.rules_by_unit(load_policy(args.policy))
    given = {unit for name in args.modules for unit in packages.find(name).units}
    for unit in sorted(given):
        found.setdefault(unit, [])
    for rule in () if given else lost:
        console.warn(
            f"rule {printable(rule.id)} ({printable(rule.place)}): no module is found by its "
            "names; give the module's name"
        )
    if not found:
        raise UsageError("there is nothing to look over: give the name of a module")
    return found, given, lost


def _exit_code(results: list[Vetted]) -> Exit:
    from secure_serial.cli.exits import first

    grave = any(found.counts["high"] or found.counts["medium"] for found in results)
    unread = any(found.evidence is None for found in results)
    return first([Exit.FINDINGS] * grave + [Exit.UNREADABLE] * unread)


def _tell(found: Vetted, console: Console) -> None:
    for issue in found.issues:
        console.warn(
            f"{printable(issue.path)}:{issue.line}: {issue.severity} {issue.test} "
            f"{printable(issue.text)}"
        )
    for path, reason in found.unread:
        console.warn(f"{printable(path)}: not looked over: {printable(reason)}")


def _block(found: Vetted, rules: list[Rule]) -> str:
    """What is pasted into a policy, below comments on what it speaks of."""
    from secure_serial.authoring import evidence
    from secure_serial.authoring.vet import names_of

    name = printable(names_of([found.unit])[0])
    counts = ", ".join(f"{count} {severity}" for severity, count in found.counts.items())
    files = "1 file" if found.files == 1 else f"{found.files} files"
    head = f"# {name}: {files}; bandit found {counts}"
    lines = [head, *(_standing(rule, found) for rule in rules)]
    if found.evidence is None:
        few = ", ".join(printable(path) for path, _ in found.unread[:_FEW])
        return "\n".join([*lines, f"# no evidence: not looked over: {few}"])
    return "\n".join([*lines, evidence.toml(found.evidence)])


def _standing(rule: Rule, found: Vetted) -> str:
    from secure_serial.authoring.evidence import standing

    source = found.evidence.source_sha256 if found.evidence is not None else ""
    worth = standing(rule.evidence, source)
    return f"# for the rule {printable(rule.id)} ({printable(rule.place)}), evidence {worth} there"


def _object(found: Vetted, rules: list[Rule]) -> dict[str, object]:
    from secure_serial.authoring.evidence import standing
    from secure_serial.authoring.vet import names_of

    evidence = found.evidence
    source = evidence.source_sha256 if evidence is not None else ""
    return {
        "package": names_of([found.unit])[0],
        "files": found.files,
        "findings": found.counts,
        "issues": [issue._asdict() for issue in found.issues],
        "unread": [{"path": path, "reason": reason} for path, reason in found.unread],
        "rules": [
            {"id": r.id, "place": r.place, "evidence": standing(r.evidence, source)} for r in rules
        ],
        "evidence": None
        if evidence is None
        else {**evidence._asdict(), "date": evidence.date.isoformat()},
    }


def _tell_left_out(why: str, names: dict[str, object], console: Console) -> None:
    for name in list(names)[:_MANY]:
        console.warn(f"{why}: {printable(name)} ({printable(str(names[name]))})")
    if len(names) > _MANY:
        console.warn(f"{why}: {len(names) - _MANY} more; the catalogue lists them")


def _write(text: str, out: str | None, console: Console) -> None:
    if not out:
        console.result(text.rstrip("\n"))
        return
    from secure_serial.cli.files import write_json

    write_json(out, text)


def _table(found: dict[str, object], key: str) -> dict[str, object]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}
