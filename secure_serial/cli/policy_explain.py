"""`secure-serial policy diff`, `suggest` and `explain`: what policies say, and what they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.cli.day import today
from secure_serial.cli.exits import Exit
from secure_serial.cli.files import create
from secure_serial.cli.trouble import UsageError
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    import argparse

    from secure_serial.cli.console import Console
    from secure_serial.policy.model import Policy


def run_diff(args: argparse.Namespace, console: Console) -> Exit:
    """Compare two policies; with `--no-widening`, refuse one that may let in more."""
    from secure_serial.authoring import diff_text
    from secure_serial.authoring.catalogue.reading import catalogue_with
    from secure_serial.authoring.diff import compare
    from secure_serial.cli.policy_check import must_exist

    must_exist(args.models or ())
    found = compare(
        _policy(args.old, console),
        _policy(args.new, console),
        catalogue=catalogue_with(args.catalogue or ()),
        today=today(),
        models=args.models or (),
    )
    code = Exit.FINDINGS if args.no_widening and found.widens else Exit.CLEAN
    if args.format == "json":
        console.report("policy diff", code, diff_text.as_object(found))
    elif console.quiet:
        console.result(diff_text.closing(found, console.style()))
    else:
        console.result(diff_text.render(found, console.style(), verbose=console.verbose))
    return code


def run_suggest(args: argparse.Namespace, console: Console) -> Exit:
    """Write the smallest policy that allows what models ask for, or a log saw asked for."""
    from secure_serial.authoring.seen import in_files, in_log
    from secure_serial.authoring.suggest import suggest
    from secure_serial.cli.exits import first

    base = _shipped(args.base)
    if args.from_audit is not None and args.files:
        raise UsageError("give files or --from-audit, not both")
    if args.from_audit is not None:
        seen = in_log(args.from_audit, base, today())
    elif args.files:
        seen = in_files(args.files, base, today(), console.progress)
    else:
        raise UsageError("give files, or a log by --from-audit")
    found = suggest(seen, include_risky=args.include_risky)
    if args.out is None:
        console.result(found.text.rstrip("\n"))
    else:
        create(args.out, found.text.encode())
    entries, refused = len(found.entries), len(found.refused)
    console.tell(f"{entries} let in, {refused} left out, of {seen.files} files")
    codes = [Exit.FINDINGS] * (not found.allows_all) + [Exit.UNREADABLE] * bool(seen.unread)
    return first(codes) if seen.files or codes else Exit.NOTHING


def run_explain(args: argparse.Namespace, console: Console) -> Exit:
    """Say why each thing in a model is allowed or denied, and by which line."""
    from secure_serial.authoring import explain_text
    from secure_serial.authoring.explain import explain
    from secure_serial.authoring.places import NoSuchPlaceError
    from secure_serial.cli.scan_command import tell_fault
    from secure_serial.errors import ArtifactError
    from secure_serial.scanner.scan import verdict_on

    try:
        verdict = verdict_on(args.file, policy=args.policy)
    except ArtifactError as error:
        return tell_fault(error, args.file, args.format, "policy explain", console)
    try:
        found = explain(verdict, args.pointer)
    except NoSuchPlaceError as error:
        raise UsageError(str(error)) from None
    denied = any(not each.decision.allowed for each in found.explained)
    if args.pointer is None:
        denied = not verdict.allowed
    code = Exit.FINDINGS if denied else Exit.CLEAN
    if args.format == "json":
        console.report("policy explain", code, explain_text.as_object(found))
    else:
        console.result(explain_text.render(found, console.style(), verbose=console.verbose))
    return code


def _shipped(name: str) -> Policy:
    """A policy that another one can extend."""
    from secure_serial.data import policy_names, policy_text
    from secure_serial.policy.source import parse_policy

    if name not in policy_names():
        known = ", ".join(policy_names())
        raise UsageError(
            f"only a shipped policy can be extended, and {name!r:.80} is none ({known})"
        )
    return parse_policy(policy_text(name), name)


def _policy(given: str, console: Console) -> Policy:
    """A policy to look at, not to judge by: one that is unsigned, or has ended, will do."""
    from secure_serial.authoring.policy_file import is_bundle, text_of
    from secure_serial.data import policy_names, policy_text
    from secure_serial.policy.reader import parse
    from secure_serial.policy.signing import read_unverified

    if given in policy_names():
        return _shipped(given)
    text = text_of(given)
    if not is_bundle(text):
        return parse(text, given, policy_text)
    console.tell(f"{printable(given)}: compared by what it says; its signatures are not checked")
    bundle = read_unverified(text.encode())
    return parse(bundle.text, given, bundle.shipped)
