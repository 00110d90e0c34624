"""`policy init`: a first policy, with an example of all that a policy can say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

#: The name in the starter, and the days: what ends soon, and what ends in a year.
NAME = "our-models"
_SOON, _LATER = "2001-01-01", "2002-02-02"
_DAYS_SOON, _DAYS_LATER = 60, 365


def template(today: date, name: str = NAME) -> str:
    """The starter policy.

    Args:
        today: The day from which its examples count.
        name: How the policy is called.

    Raises:
        ValueError: a name that cannot stand in a policy.

    >>> from datetime import date
    >>> 'name = "acme"' in template(date(2026, 11, 22), "acme")
    True

    """
    if not name.strip() or not name.isprintable():
        raise ValueError("a name of a policy is printable text")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    text = Path(__file__).with_name("starter.toml").read_text(encoding="utf-8")
    for word, days in ((_SOON, _DAYS_SOON), (_LATER, _DAYS_LATER)):
        text = text.replace(word, (today + timedelta(days)).isoformat())
    return text.replace(f'name = "{NAME}"', f'name = "{quoted}"', 1)
