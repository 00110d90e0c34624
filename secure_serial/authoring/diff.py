"""What a new policy allows or denies that an old one does not, over all names that are known.

Two answers. Witnesses, requests at the edges of what either policy says, show what changes.
A proof, rule by rule, says whether anything at all may become allowed: what it cannot show
counts as widening, so that a check in CI may rest on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from secure_serial.authoring.comparing.settings import Setting, changed_settings
from secure_serial.authoring.comparing.widening import Doubt, doubts
from secure_serial.authoring.comparing.witnesses import Witness, groups, lambdas
from secure_serial.errors import ArtifactError
from secure_serial.policy.engine import Engine
from secure_serial.policy.model import Effect

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from datetime import date

    from secure_serial.plan.catalogue import Catalogue
    from secure_serial.policy.engine import Decision
    from secure_serial.policy.model import Policy
    from secure_serial.scanner.judge import Judge


class Change(NamedTuple):
    """One name that is judged otherwise, and the plainest request that shows it."""

    witness: Witness
    before: Decision
    after: Decision

    @property
    def symbol(self) -> str:
        """What the request is about."""
        return self.after.request.symbol


class ModelChange(NamedTuple):
    """A model that is judged otherwise, or in which something is."""

    name: str
    before: str  # "allowed", "denied", or why it could not be judged
    after: str
    allowed: tuple[Decision, ...] = ()  # what in it becomes allowed
    denied: tuple[Decision, ...] = ()

    @property
    def lets_in(self) -> bool:
        """Whether it, or something in it, becomes allowed."""
        return bool(self.allowed) or (self.after == "allowed" != self.before)


class Difference(NamedTuple):
    """All that is known of two policies side by side."""

    old: Policy
    new: Policy
    changes: tuple[Change, ...]
    settings: tuple[Setting, ...]
    doubts: tuple[Doubt, ...]
    models: tuple[ModelChange, ...] = ()
    judged: int = 0  # models

    @property
    def allowed(self) -> list[Change]:
        """What becomes allowed."""
        return [change for change in self.changes if change.after.allowed]

    @property
    def denied(self) -> list[Change]:
        """What becomes denied."""
        return [change for change in self.changes if not change.after.allowed]

    @property
    def widens(self) -> bool:
        """Whether anything becomes allowed, or may, as far as can be shown."""
        return bool(
            self.allowed
            or self.doubts
            or any(setting.lets_in for setting in self.settings)
            or any(model.lets_in for model in self.models)
        )


def compare(
    old: Policy,
    new: Policy,
    *,
    catalogue: Catalogue,
    today: date | None,
    models: Iterable[str | os.PathLike[str]] = (),
) -> Difference:
    """What changes if `new` takes the place of `old`.

    Args:
        old: What holds now.
        new: What is to hold.
        catalogue: The names to try, beside those in the policies.
        today: The day to judge on; what changes on days before it does not count.
        models: Files and folders to judge by both.

    >>> from secure_serial.data import catalogue
    >>> from secure_serial.policy.source import load_policy
    >>> core, strict = load_policy("keras-core"), load_policy("strict")
    >>> compare(core, strict, catalogue=catalogue(), today=None).widens
    False
    >>> compare(strict, core, catalogue=catalogue(), today=None).widens
    True

    """
    changes = _changes(old, new, catalogue, today)
    judged = list(_on_models(old, new, models))
    return Difference(
        old,
        new,
        tuple(changes),
        tuple(changed_settings(old, new, today)),
        tuple(doubts(old, new, today)),
        tuple(model for model in judged if _differs(model)),
        len(judged),
    )


def _changes(
    old: Policy, new: Policy, catalogue: Catalogue, today: date | None
) -> Iterator[Change]:
    """The plainest witness of each change: of one name, by the same rules."""
    before, after = Engine(old, today), Engine(new, today)

    def change(witness: Witness) -> Change | None:
        had = before.decide(witness.request, witness.context)
        has = after.decide(witness.request, witness.context)
        return None if had.allowed is has.allowed else Change(witness, had, has)

    for group in groups(old, new, catalogue):
        telling: dict[tuple[object, ...], tuple[int, tuple[Any, ...]]] = {}
        for chosen in group.choices():
            found = change(group.witness(0, chosen))
            if found is not None:
                key = (found.after.effect, found.before.rules, found.after.rules)
                plain = len(found.witness.told), chosen
                telling[key] = min(telling.get(key, plain), plain, key=lambda each: each[0])
        for number in range(group.size):
            for _, chosen in telling.values():
                found = change(group.witness(number, chosen))
                if found is not None:
                    yield found
    for witness in lambdas(old, new):
        found = change(witness)
        if found is not None:
            yield found


def _on_models(
    old: Policy, new: Policy, paths: Iterable[str | os.PathLike[str]]
) -> Iterator[ModelChange]:
    paths = list(paths)
    if not paths:
        return
    from secure_serial.scanner.collect import Take, collect
    from secure_serial.scanner.judge import Judge

    before, after = Judge(old), Judge(new)
    for candidate in collect(paths):
        if candidate.take is Take.JUDGE:
            yield _on_model(before, after, candidate.path, candidate.name)
        elif candidate.take is Take.FAIL:
            yield ModelChange(candidate.name, candidate.reason, candidate.reason)


def _on_model(before: Judge, after: Judge, path: str, name: str) -> ModelChange:
    """One model by both. Its limits may let one policy read what the other refuses."""
    had, said_before = _judged(before, path, name)
    has, said_after = _judged(after, path, name)
    allowed: list[Decision] = []
    denied: list[Decision] = []
    for place, decision in has.items():
        earlier = had.get(place)
        if earlier is not None and earlier.effect is not decision.effect:
            (allowed if decision.effect is Effect.ALLOW else denied).append(decision)
    return ModelChange(name, said_before, said_after, tuple(allowed), tuple(denied))


def _judged(judge: Judge, path: str, name: str) -> tuple[dict[tuple[str, str, str], Decision], str]:
    try:
        verdict = judge.verdict(path, name)
    except ArtifactError as error:
        return {}, error.message
    places = {
        (each.request.member, each.request.pointer, each.request.symbol): each
        for each in verdict.decisions
    }
    return places, "allowed" if verdict.allowed else "denied"


def _differs(model: ModelChange) -> bool:
    return bool(model.allowed or model.denied or model.before != model.after)
