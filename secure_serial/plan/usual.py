"""A value of the usual kind, copied and judged in one pass.

Most of what programs have deserialized are objects of their own classes, whose configs hold
numbers and short texts. Of such a value the long way (a snapshot, a plan, a decision on each
request) can come to one thing only: each class is allowed or not, by its names. Here that is
seen in passing. Whatever is not of this kind for certain is left to the long way, and so are
all errors and refusals: nothing here says no. `tests/construct/test_usual.py` holds the one
to the other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from secure_serial.plan.arguments import NAMES_AND_CONFIG, says_nothing
from secure_serial.plan.names import MISSING, NAME_CHARS
from secure_serial.plan.values import BLOB_CHARS

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from secure_serial.artifact.document import Json
    from secure_serial.limits import Limits

_T = TypeVar("_T")
#: What a node says of its class: `module`, `class_name`, `registered_name`.
Said: TypeAlias = "tuple[Any, Any, Any]"

_TEXT = frozenset({str})
#: Of these nothing is asked but what they are.
_PLAIN = frozenset({float, bool, type(None)})
#: Whole numbers between the negative of this and it have few digits.
_LARGE = 1 << 53
_DIGITS = 16
_KEY_CHARS = sum(map(len, NAMES_AND_CONFIG))


class Usual(NamedTuple, Generic[_T]):
    """A value that may be built as it is."""

    root: Json  # the copy that was judged
    # For each node that stands in no other's config, in document order: what its names mean,
    # and a copy of its config that may be taken apart.
    outer: list[tuple[_T, dict[str, Json]]]
    given: list[Json]  # every container in these copies
    nodes: list[Json]  # those of them that are nodes
    means: list[_T]  # what the names of all nodes mean


class _UnusualError(Exception):
    """A value is of another kind, or may be."""


def read_usual(
    value: object, find: Callable[[Said], _T | None], names: Container[str], limits: Limits
) -> Usual[_T] | None:
    """A value as it may be built; None where it must be judged at length.

    Args:
        value: What was passed to be deserialized.
        find: Tells what the names of a node mean, where that hangs on nothing else, and a
            policy allows it wherever it stands; else it gives None.
        names: The names of the program's own objects.
        limits: Bounds on sizes.

    """
    if limits.string_bytes < NAME_CHARS or limits.number_chars < _DIGITS:
        return None  # each text and number would have to be measured
    reading = _Reading(find, names, limits.nodes)
    found = reading.found
    try:
        root = reading.outer(value, limits.depth)
    except (_UnusualError, RecursionError):  # the long way takes less of the stack
        return None
    if reading.chars > limits.config_bytes or len(found.means) > limits.requests:
        return None
    return found._replace(root=root)


class _Reading(Generic[_T]):
    """One pass over a value. It makes two copies: one is kept, the other is given away.

    Each container is copied before it is looked at, so that whoever changes it meanwhile
    changes nothing here.
    """

    def __init__(
        self, find: Callable[[Said], _T | None], names: Container[str], values: int
    ) -> None:
        self._find = find
        self._names = names
        self._left = values
        self._keys: set[str] = set()  # that were looked at
        self.chars = _KEY_CHARS
        self.found: Usual[_T] = Usual(None, [], [], [], [])

    def outer(self, value: object, depth: int) -> Json:
        """A value that stands in no config: a node, or a list of such values."""
        kind = type(value)
        if kind is dict:
            node, given = self._node(self._copy(value, depth), depth)
            self.found.outer.append((self.found.means[-1], given))
            return node
        if value is None:
            return value
        if kind is not list and kind is not tuple:
            raise _UnusualError
        self._count(value, depth)
        items = value[:]  # type: ignore[index]
        copied = [self.outer(item, depth - 1) for item in items]
        return copied if kind is list else tuple(copied)

    def _count(self, container: Any, depth: int) -> None:
        self._left -= 1 + len(container)
        if not depth or self._left < 0:  # a value that holds itself comes here in the end
            raise _UnusualError

    def _copy(self, value: Any, depth: int) -> dict[str, Any]:
        self._count(value, depth)
        own: dict[str, Any] = value.copy()
        if not _TEXT.issuperset(map(type, own)):
            raise _UnusualError
        return own

    def _node(self, own: dict[str, Json], depth: int) -> tuple[dict[str, Json], dict[str, Json]]:
        if not own.keys() <= NAMES_AND_CONFIG:
            raise _UnusualError
        get = own.get
        said = (get("module", MISSING), get("class_name"), get("registered_name", MISSING))
        for name in said:
            if type(name) is str:
                self.chars += len(name)
            elif name is not None and name is not MISSING:
                raise _UnusualError
        means = self._find(said)
        config = get("config")
        if means is None or type(config) is not dict:
            raise _UnusualError
        own["config"], given = self._dict(self._copy(config, depth - 1), depth - 1)
        if "class_name" in given:
            raise _UnusualError
        self.found.means.append(means)
        return own, given

    def _dict(self, own: dict[str, Any], depth: int) -> tuple[dict[str, Json], dict[str, Json]]:
        nested = []
        for key, item in own.items():
            if key not in self._keys:
                self._key(key)
            kind = type(item)
            if kind is int:
                if not -_LARGE < item < _LARGE:
                    raise _UnusualError
            elif kind is str:
                self._text(item)
            elif kind not in _PLAIN:
                nested.append(key)
        copied = own.copy()
        for key in nested:
            own[key], copied[key] = self._inner(own[key], depth - 1)
        self.found.given.append(copied)
        return own, copied

    def _inner(self, value: Any, depth: int) -> tuple[Json, Json]:
        """A container in a config: the copy to keep, and the one to give away."""
        kind = type(value)
        if kind is dict:
            own = self._copy(value, depth)
            if "class_name" in own:
                node, config = self._node(own, depth)
                given: dict[str, Json] = {**node, "config": config}
                self.found.given.append(given)
                self.found.nodes.append(given)
                return node, given
            if "value" in own:  # it may be a function
                raise _UnusualError
            return self._dict(own, depth)
        if kind is not list and kind is not tuple:
            raise _UnusualError
        self._count(value, depth)
        kept = list(value)
        copied = kept.copy()
        if not _PLAIN.issuperset(map(type, kept)):
            self._items(kept, copied, depth)
        if kind is tuple:
            return tuple(kept), tuple(copied)
        self.found.given.append(copied)
        return kept, copied

    def _items(self, kept: list[Json], copied: list[Json], depth: int) -> None:
        for number, item in enumerate(kept):
            kind = type(item)
            if kind is int:
                if not -_LARGE < item < _LARGE:  # type: ignore[operator]
                    raise _UnusualError
            elif kind is str:
                self._text(item)  # type: ignore[arg-type]
            elif kind not in _PLAIN:
                kept[number], copied[number] = self._inner(item, depth - 1)

    def _key(self, key: str) -> None:
        if len(key) >= BLOB_CHARS or not _is_harmless(key):
            raise _UnusualError
        self._keys.add(key)
        self.chars += len(key)

    def _text(self, text: str) -> None:
        if len(text) >= BLOB_CHARS or text in self._names or not _is_harmless(text):
            raise _UnusualError
        self.chars += len(text)


@lru_cache(maxsize=4096)  # programs repeat their words
def _is_harmless(text: str) -> bool:
    """Whether a text, which is short, is plain wherever it stands in a config."""
    return text.isascii() and says_nothing(text)
