"""The policies that `policy check` looks at: what each says itself, and the layers above it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.authoring.finding import at
from secure_serial.authoring.policy_file import own
from secure_serial.policy.model import Rule, Waiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.authoring.finding import Finding
    from secure_serial.authoring.policy_file import Own, PolicyFile
    from secure_serial.policy.model import Policy
    from secure_serial.policy.reading import Path, Problem


class OwnRule(NamedTuple):
    """A rule, and where it stands in its file."""

    rule: Rule
    path: Path


class OwnWaiver(NamedTuple):
    """A waiver, and where it stands in its file."""

    waiver: Waiver
    path: Path


class Name(NamedTuple):
    """A pattern, and where it stands in its file."""

    pattern: str
    path: Path
    use: str  # "allow", "deny", "waiver", "delegate" or, for a nested object, "argument"
    reason: str = ""  # that its rule or waiver gives


class Checked:
    """One policy that is checked.

    Args:
        file: Its text.
        policy: What it says, as far as it can be read.
        problems: What the reader says is wrong; tables that have some are left out.
        above: The layers above it, the topmost first.

    """

    def __init__(
        self,
        file: PolicyFile,
        policy: Policy,
        problems: list[Problem],
        above: tuple[Checked, ...] = (),
    ) -> None:
        self.file = file
        self.policy = policy
        self.above = above
        broken = {problem.path[:2] for problem in problems}
        self._own = [each for each in own(policy, file) if each.path not in broken]

    @cached_property
    def rules(self) -> list[OwnRule]:
        """The file's own rules."""
        return [OwnRule(o.what, o.path) for o in self._own if isinstance(o.what, Rule)]

    @cached_property
    def waivers(self) -> list[OwnWaiver]:
        """The file's own waivers."""
        return [OwnWaiver(o.what, o.path) for o in self._own if isinstance(o.what, Waiver)]

    @property
    def stack(self) -> tuple[Checked, ...]:
        """The layers from the top down to this one."""
        return (*self.above, self)

    def names(self) -> Iterator[Name]:
        """Every pattern that the file holds itself."""
        for each in self._own:
            yield from _names(each)
        for number, pattern in enumerate(self.policy.delegate):
            yield Name(pattern, ("delegate", number), "delegate")

    def say(self, path: Path, slug: str, message: str) -> Finding:
        """A finding on what stands at a path of the file."""
        return at(self.file, path, slug, message)


def names_of(one: Rule | Waiver, path: Path) -> Iterator[Name]:
    """The patterns by which a rule or a waiver names what it means."""
    use = one.effect.value if isinstance(one, Rule) else "waiver"
    for key, patterns in (("symbols", one.symbols), ("registered", one.registered)):
        for number, pattern in enumerate(patterns):
            yield Name(pattern, (*path, key, number), use, one.reason)


def _names(each: Own) -> Iterator[Name]:
    yield from names_of(each.what, each.path)
    if isinstance(each.what, Rule):
        for constraint in each.what.arguments:
            for pattern in constraint.symbols:
                path = (*each.path, "arguments", constraint.argument, "symbol")
                yield Name(pattern, path, "argument")
