"""The table `[sandbox]` of a policy: how functions run whose code stands in the file. Pure."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from secure_serial.policy.model import Evaluation, Sandbox
from secure_serial.sandbox.allowance import Allowance, Wall

if TYPE_CHECKING:
    from secure_serial.policy.reading import Table

_BOUNDS = {each.name: each.default for each in fields(Allowance)}
KEYS = frozenset({"evaluation", "demand", *_BOUNDS})
#: The longest that one call may be given: a day is no call.
MOST_SECONDS = 3600.0


def read_sandbox(table: Table | None, base: Sandbox) -> Sandbox:
    """What the table says over a base; what is wrong with it is noted."""
    if table is None:
        return base
    table.known(KEYS)
    table.no_empty_lists("demand")
    own: dict[str, int | float] = {}
    for name, usual in _BOUNDS.items():
        if name in table.data:
            own[name] = _seconds(table, name) if isinstance(usual, float) else _count(table, name)
    return Sandbox(
        table.choice("evaluation", Evaluation, base.evaluation),
        table.words("demand", Wall) if "demand" in table.data else base.demand,
        replace(base.allowance, **own),  # type: ignore[arg-type]  # each by the type of its default
    )


def _count(table: Table, name: str) -> int:
    return table.whole(name, 1, least=1)


def _seconds(table: Table, name: str) -> float:
    value = table.number(name)
    if value is not None and 0 < value <= MOST_SECONDS:
        return float(value)
    if value is not None:
        table.problem(f"must be seconds, more than none and at most {MOST_SECONDS:.0f}", name)
    return 1.0
