"""What the models that a policy is for show of it: rules that decide nothing in any."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.authoring.finding import Finding
from secure_serial.errors import ArtifactError
from secure_serial.plan.request import Origin
from secure_serial.scanner.collect import Take, collect
from secure_serial.scanner.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from secure_serial.authoring.checked import Checked


class Met(NamedTuple):
    """What was met in some models."""

    decided: set[str]  # ids of the rules and waivers that decided something
    given: dict[str, set[str]]  # the arguments of each symbol that is not Keras's
    unread: list[Finding]


def meet(stack: Sequence[Checked], models: Sequence[str]) -> Met:
    """Judge models.

    Args:
        stack: Policies that can be used, the first on top.
        models: Files, and folders to search.

    """
    top, *below = (checked.policy for checked in stack)
    judge = Judge(top.over(*below))
    met = Met(set(), {}, [])
    for candidate in collect(models):
        if candidate.take is Take.JUDGE:
            try:
                verdict = judge.verdict(candidate.path, candidate.name)
            except ArtifactError as error:
                if candidate.explicit:
                    why = str(error).partition("\n")[0]
                    met.unread.append(Finding("unread-model", why, candidate.name))
                continue
            for decision in verdict.decisions:
                met.decided.update(decision.rules)
                request = decision.request
                if request.origin not in (Origin.KERAS, Origin.LEGACY):
                    met.given.setdefault(request.symbol, set()).update(request.arguments or ())
        elif candidate.take is Take.FAIL:
            met.unread.append(Finding("unread-model", candidate.reason, candidate.name))
    return met


def check_models(stack: Sequence[Checked], met: Met) -> Iterator[Finding]:
    """The own rules and waivers that decided nothing, and the models that cannot be read."""
    yield from met.unread
    for checked in stack:
        named = [(rule.id, path) for rule, path in checked.rules]
        named += [(waiver.id, path) for waiver, path in checked.waivers]
        for name, path in named:
            if name not in met.decided:
                text = f"{name}: decides nothing in any of the models"
                yield checked.say(path, "unused-rule", text)
