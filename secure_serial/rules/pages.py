"""The catalogue of findings for people: one rule as text, and all of them as a document."""

from __future__ import annotations

from secure_serial.rules.catalogue import RuleText, rules

#: The first digit of a code says which stage found it.
STAGES = {
    "0": "The package",
    "1": "The file",
    "2": "The policy",
    "3": "What the config asks for",
    "4": "The audit log",
    "5": "The sandbox",
    "6": "Construction",
}

_INTRODUCTION = """\
# Findings

Every finding and every error has a code that never changes its meaning. The first digit
tells the stage. `secure-serial rule CODE` prints one entry, offline.

This page is made from `secure_serial/rules/rules.json` by `secure_serial.rules.pages.document`;
a test holds them together.
"""


def page(rule: RuleText) -> str:
    """One rule as plain text.

    >>> from secure_serial.rules.catalogue import lookup
    >>> page(lookup("SS108")).splitlines()[0]
    'SS108 empty (warning): The file is empty'
    """
    lines = [
        f"{rule.code} {rule.slug} ({rule.severity}): {rule.title}",
        "",
        f"What: {rule.what}",
        f"Why:  {rule.why}",
        f"Do:   {rule.fix}",
    ]
    if rule.cwe or rule.cve:
        lines.append(f"See:  {', '.join((*rule.cve, *rule.cwe))}")
    return "\n".join(lines)


def document() -> str:
    """All rules as Markdown: the text of docs/rules.md."""
    parts = [_INTRODUCTION]
    stage = ""
    for rule in rules().values():
        if rule.code[2] != stage:
            stage = rule.code[2]
            parts.append(f"## {STAGES[stage]}\n")
        parts.append(_section(rule))
    return "\n".join(parts)


def _section(rule: RuleText) -> str:
    lines = [
        f"### {rule.code} {rule.slug}",
        "",
        f"**{rule.title}** ({rule.severity})",
        "",
        rule.what,
        "",
        rule.why,
        "",
        f"*What to do:* {rule.fix}",
        "",
    ]
    if rule.cwe or rule.cve:
        lines += [f"*See:* {', '.join((*rule.cve, *rule.cwe))}", ""]
    return "\n".join(lines)
