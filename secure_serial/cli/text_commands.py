"""`secure-serial rule`, `rules` and `policy list|show`: what is shipped, to read offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.cli.exits import Exit
from secure_serial.cli.trouble import UsageError

if TYPE_CHECKING:
    import argparse

    from secure_serial.cli.console import Console
    from secure_serial.rules.catalogue import RuleText


def run_rule(args: argparse.Namespace, console: Console) -> Exit:
    """Explain one code."""
    from secure_serial.rules.catalogue import find, nearest

    rule = find(args.code)
    if rule is None:
        near = nearest(args.code)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `rules` lists them"
        raise UsageError(f"no rule is called {args.code!r:.80}{hint}")
    if args.format == "json":
        console.report("rule", Exit.CLEAN, {"rule": _object(rule)})
    else:
        from secure_serial.rules.pages import page

        console.result(page(rule))
    return Exit.CLEAN


def run_rules(args: argparse.Namespace, console: Console) -> Exit:
    """List all codes."""
    from secure_serial.rules.catalogue import rules

    if args.format == "json":
        console.report("rules", Exit.CLEAN, {"rules": [_object(rule) for rule in rules().values()]})
        return Exit.CLEAN
    for rule in rules().values():
        console.result(f"{rule.code}  {rule.severity:7}  {rule.slug:18}  {rule.title}")
    return Exit.CLEAN


def run_list(args: argparse.Namespace, console: Console) -> Exit:
    """List the shipped policies."""
    del args
    import tomllib

    from secure_serial.data import policy_names, policy_text

    for name in policy_names():
        about = str(tomllib.loads(policy_text(name)).get("description", ""))
        console.result(f"{name}  {about}".rstrip())
    return Exit.CLEAN


def run_show(args: argparse.Namespace, console: Console) -> Exit:
    """Print a shipped policy."""
    from secure_serial.data import policy_text

    try:
        console.result(policy_text(args.name).rstrip("\n"))
    except KeyError as error:
        raise UsageError(str(error.args[0])) from None
    return Exit.CLEAN


def _object(rule: RuleText) -> dict[str, object]:
    return {
        "code": rule.code,
        "slug": rule.slug,
        "title": rule.title,
        "severity": rule.severity,
        "what": rule.what,
        "why": rule.why,
        "fix": rule.fix,
        "cwe": list(rule.cwe),
        "cve": list(rule.cve),
    }
