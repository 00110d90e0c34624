"""A snapshot of a value that the caller passed: plain, bounded and never changed again.

What is judged must be what is built, so the value is copied once. Subclasses of plain
types (OrderedDict, np.float64, IntEnum) become the plain types, as JSON would make them;
a tuple stays a tuple, and an integer key an integer, because Keras keeps both. Live objects,
bytes and sets are refused with an error that is a TypeError, too, as Keras raises one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from secure_serial.artifact.document import Document, Format, Part, Role
from secure_serial.artifact.faults import Fault, located
from secure_serial.artifact.json_text import escape_pointer, is_encodable
from secure_serial.errors import LimitExceeded, MalformedArtifact, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.artifact.document import Json
    from secure_serial.limits import Limits

# log2(10), rounded up: an integer of n digits has n times this many bits, and one.
_BITS_PER_DIGIT = 3.33
# Asked first, because the abstract Mapping is slow to ask, and so asked last.
_SCALARS = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = (dict, list, tuple, Mapping)


class NotPlainValue(MalformedArtifact, TypeError):
    """A passed value holds something that no JSON text could: Keras's TypeError there."""

    code = Fault.NOT_PLAIN


def read_value(value: object, limits: Limits, *, name: str = "") -> Document:
    """The document of a value that was passed instead of a file.

    >>> from secure_serial.limits import Limits
    >>> read_value({"shape": (1, 2)}, Limits()).parts[0].root
    {'shape': (1, 2)}
    """
    with located(name):
        root = snapshot(value, limits)
    return document_of(root, name=name)


def document_of(root: Json, *, name: str = "") -> Document:
    """The document of a copy that was made already."""
    return Document(
        name=name,
        format=Format.DICT,
        judged_sha256=hashlib.sha256(_canonical(root)).hexdigest(),
        parts=(Part(Role.MODEL, "", root),),
    )


def snapshot(value: object, limits: Limits) -> Json:
    """A deep copy of a plain value; iterative, and a cycle is an error."""
    return _Snapshot(limits).take(value)


class _Frame:
    """One container being copied: its items still to come, and its copy so far."""

    __slots__ = ("copied", "items", "key", "original")

    def __init__(self, original: object) -> None:
        self.original = original
        self.copied: dict[str | int, Json] | list[Json] = {}
        self.items: Iterator[tuple[object, object]]
        self.key: str | int = 0
        kind = type(original)
        plain = kind is dict or kind is list or kind is tuple
        if isinstance(original, dict if plain else Mapping):
            self.items = iter(original.items())
        elif isinstance(original, (list, tuple)):
            self.copied = []
            self.items = iter(enumerate(original))

    def put(self, item: Json) -> None:
        if isinstance(self.copied, dict):
            self.copied[self.key] = item
        else:
            self.copied.append(item)

    def result(self) -> Json:
        return tuple(self.copied) if isinstance(self.original, tuple) else self.copied


class _Snapshot:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.nodes = 0
        self.text_bytes = 0
        self.frames: list[_Frame] = []
        self.open_ids: set[int] = set()
        # Configs repeat few keys many times: each is checked once.
        self.known_keys: set[str] = set()

    def take(self, value: object) -> Json:
        if not self._is_container(value):
            return self._scalar(value)
        self._enter(value)
        while True:
            frame = self.frames[-1]
            for key, item in frame.items:
                frame.key = self._key(key)
                if self._is_container(item):
                    self._enter(item)
                    break
                frame.put(self._scalar(item))
            else:
                self.frames.pop()
                self.open_ids.discard(id(frame.original))
                if not self.frames:
                    return frame.result()
                self.frames[-1].put(frame.result())

    @staticmethod
    def _is_container(value: object) -> bool:
        return type(value) not in _SCALARS and isinstance(value, _CONTAINERS)

    def _enter(self, value: object) -> None:
        self._count()
        if id(value) in self.open_ids:
            raise NotPlainValue("Could not parse config: a value holds itself", where=self._where())
        if len(self.frames) >= self.limits.depth:
            raise LimitExceeded(
                f"nested more than {self.limits.depth} deep, the limit",
                code=Fault.TOO_DEEP,
                where=self._where(),
            )
        self.open_ids.add(id(value))
        self.frames.append(_Frame(value))

    def _count(self) -> None:
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise LimitExceeded(
                f"more than {self.limits.nodes} values, the limit", code=Fault.TOO_MANY_NODES
            )

    def _key(self, key: object) -> str | int:
        if type(key) is str and key in self.known_keys:
            return key
        if isinstance(key, str):
            text = self._text(key)
            self.known_keys.add(text)
            return text
        if isinstance(key, int) and not isinstance(key, bool):
            return self._integer(key)
        raise NotPlainValue(
            f"Could not parse config: a key is a {type(key).__name__}, not a string",
            where=self._where(),
        )

    def _scalar(self, value: object) -> Json:
        self._count()
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            return self._integer(value)
        if isinstance(value, float):
            return float.__float__(value)
        raise NotPlainValue(
            f"Could not parse config: a {type(value).__name__} is no JSON value",
            where=self._where(),
        )

    def _text(self, value: str) -> str:
        # str's own method: a subclass (np.str_, StrEnum) may say something else in its own.
        text = str.__str__(value)
        self.text_bytes += len(text)
        if len(text) > self.limits.string_bytes:
            raise LimitExceeded(
                f"a string has {len(text)} characters; the limit is {self.limits.string_bytes}",
                code=Fault.LONG_STRING,
                where=self._where(),
            )
        if self.text_bytes > self.limits.config_bytes:
            raise LimitExceeded(
                f"the strings have more than {self.limits.config_bytes} characters, the limit",
                code=Fault.LARGE_CONFIG,
            )
        if not is_encodable(text):
            raise MalformedArtifact(
                "a string holds half of a surrogate pair",
                code=Fault.LONE_SURROGATE,
                where=self._where(),
            )
        return text

    def _integer(self, value: int) -> int:
        if int.bit_length(value) > self.limits.number_chars * _BITS_PER_DIGIT + 1:
            raise LimitExceeded(
                f"an integer has more than {self.limits.number_chars} digits, the limit",
                code=Fault.LONG_NUMERAL,
                where=self._where(),
            )
        return int.__int__(value)

    def _where(self) -> Where:
        if not self.frames:
            return Where()
        tokens = (escape_pointer(str(frame.key)) for frame in self.frames)
        return Where(pointer="/" + "/".join(tokens))


def _canonical(root: Json) -> bytes:
    """One text a value, whatever the order of its keys; depth is bounded already."""
    try:
        return json.dumps(root, sort_keys=True, separators=(",", ":")).encode()
    except TypeError:
        # Keys of two types have no order; among plain values repr is one text a value, too.
        return repr(root).encode()
