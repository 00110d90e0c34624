"""A policy as its author sees it: a text with places, in a folder or shipped."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.data import policy_names, policy_text
from secure_serial.errors import InvalidPolicy, Where
from secure_serial.policy.model import Effect
from secure_serial.policy.positions import Position, positions
from secure_serial.policy.reader import MAX_BYTES, toml

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from secure_serial.artifact.document import Json
    from secure_serial.policy.model import Policy, Rule, Waiver
    from secure_serial.policy.positions import Positions
    from secure_serial.policy.reading import Path as Keys


class PolicyFile:
    """The text of one policy.

    Args:
        source: How messages name it.
        text: What stands in it.
        folder: Where it stands; None where it is shipped, or no file at all.

    """

    def __init__(self, source: str, text: str, folder: Path | None = None) -> None:
        self.source = source
        self.text = text
        self.folder = folder

    @cached_property
    def data(self) -> dict[str, Json]:
        """What the text holds. Raises InvalidPolicy where it is not TOML."""
        return toml(self.text, self.source)

    @cached_property
    def places(self) -> Positions:
        """Where each part of the text stands."""
        return positions(self.text)

    def place(self, path: Keys) -> Position:
        """Where something stands or, where nothing does, what it would stand in."""
        return self.places.nearest(path)

    def tables(self, key: str) -> list[dict[str, Json]]:
        """An array of tables, as far as it is one."""
        value = self.data.get(key)
        given = value if isinstance(value, list) else []
        return [item if isinstance(item, dict) else {} for item in given]


class Own(NamedTuple):
    """A rule or waiver that stands in a file itself: where, and the table that says it."""

    what: Rule | Waiver
    path: Keys
    table: dict[str, Json]


def own(policy: Policy, file: PolicyFile) -> list[Own]:
    """The rules and waivers of a policy that its file holds itself, not those it extends."""
    mine = [rule for rule in policy.rules if rule.source == file.source]
    kinds: list[tuple[str, Sequence[Rule | Waiver]]] = [
        (effect.value, [rule for rule in mine if rule.effect is effect]) for effect in Effect
    ]
    return [
        Own(one, (key, number), table)
        for key, ones in (*kinds, ("waiver", policy.waivers))
        for number, (one, table) in enumerate(zip(ones, file.tables(key), strict=False))
    ]


def read(given: str | os.PathLike[str]) -> PolicyFile:
    """The policy that a shipped name or a path means.

    Raises:
        InvalidPolicy: there is none, or it cannot be read.

    >>> read("strict").data["extends"]
    ['keras-core']

    """
    if isinstance(given, str) and given in policy_names():
        return PolicyFile(given, policy_text(given))
    source, text = str(given), text_of(given)
    if is_bundle(text):
        raise InvalidPolicy("a signed bundle: give the file that was signed", where=Where(source))
    return PolicyFile(source, text, Path(given).parent)


def is_bundle(text: str) -> bool:
    """Whether a text is a signed bundle: it begins as no TOML does.

    >>> is_bundle('{"payload": ""}'), is_bundle("schema = 1")
    (True, False)
    """
    return text.lstrip().startswith("{")


def text_of(given: str | os.PathLike[str]) -> str:
    """The text of a policy's file, or of a bundle's.

    Raises:
        InvalidPolicy: it cannot be read.

    """
    try:
        with Path(given).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")  # noqa: TRY301
        return raw.decode("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidPolicy(f"cannot be read: {reason}", where=Where(str(given))) from None
