"""`secure-serial policy diff`, `suggest` and `explain`: what policies say, and what they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.cli.exits import Exit

if TYPE_CHECKING:
    import argparse
    from datetime import date

    from secure_serial.cli.console import Console
    from secure_serial.policy.model import Policy


def run_diff(args: argparse.Namespace, console: Console) -> Exit:
    """Compare two policies; with `--no-widening`, refuse one that may let in more."""
    from secure_serial.authoring import diff_text
    from secure_serial.authoring.catalogue.reading import catalogue_with
    from secure_serial.authoring.diff import compare

    found = compare(
        _policy(args.old),
        _policy(args.new),
        catalogue=catalogue_with(args.catalogue or ()),
        today=_today(),
        models=args.models or (),
    )
    code = Exit.FINDINGS if args.no_widening and found.widens else Exit.CLEAN
    if args.format == "json":
        _dump("policy diff", diff_text.as_object(found), code, console)
    elif console.quiet:
        console.result(diff_text.closing(found, console.style()))
    else:
        console.result(diff_text.render(found, console.style(), verbose=console.verbose))
    return code


def _policy(given: str) -> Policy:
    """A policy to look at, not to judge by: one that is unsigned, or has ended, will do."""
    from secure_serial.authoring.policy_file import read
    from secure_serial.policy.source import parse_policy

    file = read(given)
    return parse_policy(file.text, file.source)


def _today() -> date:
    from datetime import UTC, datetime

    return datetime.now(UTC).date()


def _dump(command: str, data: dict[str, object], code: Exit, console: Console) -> None:
    from secure_serial.cli.version import version
    from secure_serial.report import json_text

    console.result(json_text.dump({**json_text.head(command, version(), code), **data}))
