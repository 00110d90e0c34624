"""Which rules of a policy decide nothing, where all the models that it is for are at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.authoring.finding import Finding
from secure_serial.errors import ArtifactError
from secure_serial.scanner.collect import Take, collect
from secure_serial.scanner.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from secure_serial.authoring.checked import Checked


def check_models(stack: Sequence[Checked], models: Sequence[str]) -> Iterator[Finding]:
    """The own rules and waivers that decide nothing on any of these models.

    Args:
        stack: Policies that can be used, the first on top.
        models: Files, and folders to search.

    """
    top, *below = (checked.policy for checked in stack)
    judge = Judge(top.over(*below))
    decided: set[str] = set()
    for candidate in collect(models):
        if candidate.take is Take.JUDGE:
            try:
                verdict = judge.verdict(candidate.path, candidate.name)
            except ArtifactError as error:
                if candidate.explicit:
                    yield Finding("unread-model", str(error).partition("\n")[0], candidate.name)
                continue
            decided.update(rule for decision in verdict.decisions for rule in decision.rules)
        elif candidate.take is Take.FAIL:
            yield Finding("unread-model", candidate.reason, candidate.name)
    for checked in stack:
        named = [(rule.id, path) for rule, path in checked.rules]
        named += [(waiver.id, path) for waiver, path in checked.waivers]
        for name, path in named:
            if name not in decided:
                text = f"{name}: decides nothing in any of the models"
                yield checked.say(path, "unused-rule", text)
