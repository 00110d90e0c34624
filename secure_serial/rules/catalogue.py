"""What each code of a finding means: data, read from one file when somebody asks.

A clean scan finds nothing, so it never reads the file. A code that the file does not know
has an entry all the same: a missing text must not hide a finding.
"""

from __future__ import annotations

import os
from functools import cache
from typing import NamedTuple, cast

_DATA = os.path.join(os.path.dirname(__file__), "rules.json")  # noqa: PTH118, PTH120


class RuleText(NamedTuple):
    """What there is to say about one code."""

    code: str
    slug: str
    title: str
    severity: str  # "error" | "warning" | "note"
    what: str
    why: str
    fix: str
    cwe: tuple[str, ...] = ()
    cve: tuple[str, ...] = ()
    outcome: str = ""  # "denied" where an error of this code speaks of intent, not of damage


@cache
def rules() -> dict[str, RuleText]:
    """Every code, in order.

    >>> rules()["SS303"].slug
    'code-in-file'
    """
    import json

    with open(_DATA, "rb") as file:  # noqa: PTH123  (pathlib takes longer to import than this)
        data = cast("dict[str, dict[str, object]]", json.load(file)["rules"])
    return {code: _entry(code, raw) for code, raw in data.items()}


def lookup(code: str) -> RuleText:
    """The text of a code; a bare one where there is none.

    >>> lookup("no code").slug
    'unlisted'
    """
    found = rules().get(code)
    return found if found is not None else RuleText(code, "unlisted", "", "error", "", "", "")


def find(word: str) -> RuleText | None:
    """The rule that a person means by a code or a slug, in any case.

    >>> find("ss311") is find("wrong-kind")
    True
    """
    table = rules()
    found = table.get(word.upper())
    if found is not None:
        return found
    return next((rule for rule in table.values() if rule.slug == word.lower()), None)


def nearest(word: str) -> tuple[str, ...]:
    """Codes and slugs that look like a word which is none."""
    import difflib

    known = {name.lower(): name for rule in rules().values() for name in (rule.code, rule.slug)}
    return tuple(known[name] for name in difflib.get_close_matches(word.lower(), known))


def _entry(code: str, raw: dict[str, object]) -> RuleText:
    texts = cast("dict[str, str]", raw)
    lists = cast("dict[str, list[str]]", raw)
    return RuleText(
        code=code,
        slug=texts["slug"],
        title=texts["title"],
        severity=texts["severity"],
        what=texts["what"],
        why=texts["why"],
        fix=texts["fix"],
        cwe=tuple(lists.get("cwe", ())),
        cve=tuple(lists.get("cve", ())),
        outcome=texts.get("outcome", ""),
    )
