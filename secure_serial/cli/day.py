"""The day that commands judge by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


def today() -> date:
    """The day in UTC, so that a policy or a waiver ends everywhere at once."""
    from datetime import UTC, datetime  # late: `scan` needs none

    return datetime.now(UTC).date()
