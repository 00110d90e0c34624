"""`secure-serial policy init`, `fmt` and `schema`: what helps to write a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.cli.day import today
from secure_serial.cli.exits import Exit, first
from secure_serial.cli.files import create, replace, write_json
from secure_serial.cli.trouble import UsageError, tell
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    import argparse

    from secure_serial.authoring.policy_file import PolicyFile
    from secure_serial.cli.console import Console

_EXTRA = (
    "tomlkit is not installed; install it (pip install tomlkit), or secure-serial with its "
    "extra `fmt`"
)


def run_init(args: argparse.Namespace, console: Console) -> Exit:
    """Print a first policy, or write it to a new file."""
    from secure_serial.authoring.template import NAME, template

    try:
        text = template(today(), NAME if args.name is None else args.name)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if args.out is None:
        console.result(text.rstrip("\n"))
        return Exit.CLEAN
    create(args.out, text.encode())
    shown = printable(args.out)
    console.result(shown)
    console.tell(f"Next: read it, and run `secure-serial policy test {shown}`.")
    return Exit.CLEAN


def run_fmt(args: argparse.Namespace, console: Console) -> Exit:
    """Format policies; stdout gets the names of those that were not (or are not) formatted."""
    from secure_serial.authoring import policy_file
    from secure_serial.errors import InvalidPolicy

    changed, codes = 0, [Exit.CLEAN]
    for name in args.files:
        try:
            differs = _format(policy_file.read(name), write=not args.check)
        except InvalidPolicy as error:  # of the others, each is still formatted
            codes.append(tell(error, console))
            continue
        changed += differs
        if differs:
            console.result(printable(name))
    done = "not formatted" if args.check else "formatted"
    fine = len(args.files) - changed - len(codes) + 1
    console.tell(f"{changed} {done}, {fine} {'formatted' if args.check else 'unchanged'}")
    return first([*codes, *([Exit.FINDINGS] if args.check and changed else [])])


def run_schema(args: argparse.Namespace, console: Console) -> Exit:
    """Print the JSON Schema of policies, or write it to a file."""
    from secure_serial.authoring.schema import schema_text

    if args.out is None:
        console.result(schema_text().rstrip("\n"))
    else:
        write_json(args.out, schema_text())
    return Exit.CLEAN


def _format(file: PolicyFile, *, write: bool) -> bool:
    """Whether a file was not formatted; it is then, if it is to be written."""
    try:
        from secure_serial.authoring.fmt import formatted

        text = formatted(file.text, file.source)
    except ImportError:
        raise UsageError(_EXTRA) from None
    if text == file.text:
        return False
    if write:
        if file.folder is None:
            raise UsageError(f"{file.source} is a shipped policy; give the path of a file")
        replace(file.source, text.encode())
    return True
