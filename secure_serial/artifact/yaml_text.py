"""YAML configs (Keras 0.x to 2.5), as the subset that Keras wrote and no more.

The values are those PyYAML's SafeLoader gives, but dates stay text. The one tag beyond the
core schema is `!!python/tuple`, which Keras's own `to_yaml` wrote; every other tag is
refused by name (CVE-2021-37678: such a tag builds any Python object). Anchors, aliases and
merge keys are refused (Keras's files have none, and they make a small text expand without
bound), and so are several documents and a key that stands twice in one mapping.

Only PyYAML's pure-Python parser is used: hostile bytes reach no C code.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from secure_serial.artifact.faults import Fault
from secure_serial.artifact.json_text import decode_text, escape_pointer, is_encodable
from secure_serial.errors import (
    ArtifactError,
    LimitExceeded,
    MalformedArtifact,
    UnsafeArtifact,
    UnsupportedFormat,
    Where,
)
from secure_serial.limits import KIB

if TYPE_CHECKING:
    import yaml

    from secure_serial.artifact.document import Json
    from secure_serial.limits import Limits

# Real files have some 30 KB, InceptionResNetV2 would have 400. The parser reads 200 KB of such
# text a second, but of hostile text (nothing but commas in brackets) as little as 50.
MAX_YAML_BYTES = 512 * KIB

_CORE = "tag:yaml.org,2002:"
_TUPLE = _CORE + "python/tuple"
_MAP_TAGS = frozenset({None, "!", _CORE + "map"})
_SEQUENCE_TAGS = frozenset({None, "!", _CORE + "seq", _TUPLE})
_SCALAR_TAGS = frozenset(_CORE + name for name in ("null", "bool", "int", "float", "str"))
# Plain scalars that PyYAML gives these meanings; here they are text, or refused (merge).
_UNRESOLVED = frozenset(_CORE + name for name in ("timestamp", "merge", "value"))
# What PyYAML raises on hostile text besides its own errors: chr() and int() of an escape or a
# numeral that the grammar lets through, and a plain KeyError for `!!bool maybe`.
_PARSER_ERRORS = (ValueError, LookupError, OverflowError, TypeError, AttributeError)


def parse_yaml(data: bytes, limits: Limits) -> Json:
    r"""The value of a YAML text.

    >>> from secure_serial.limits import Limits
    >>> parse_yaml(b"units: 3\nshape: !!python/tuple [1, null]", Limits())
    {'units': 3, 'shape': (1, None)}

    Raises:
        UnsafeArtifact: a tag that builds something else than plain values.
        UnsupportedFormat: an alias, an anchor, a merge key or a second document.
        MalformedArtifact: not YAML, or ambiguous.
        LimitExceeded: larger or deeper than the limits allow.

    """
    import yaml  # slow to import, and YAML is rare

    if len(data) > MAX_YAML_BYTES:
        raise LimitExceeded(
            f"the YAML text has {len(data)} bytes; the limit is {MAX_YAML_BYTES}",
            code=Fault.LARGE_CONFIG,
        )
    text = decode_text(data, limits)
    try:
        return _Builder(text, limits).build()
    except ArtifactError:
        raise
    except RecursionError as error:
        raise LimitExceeded("too deep for the stack that is left", code=Fault.TOO_DEEP) from error
    except yaml.YAMLError as error:
        raise MalformedArtifact(
            f"not valid YAML: {_summary(error)}", code=Fault.YAML_SYNTAX
        ) from error
    except _PARSER_ERRORS as error:
        raise MalformedArtifact(
            f"not valid YAML: {type(error).__name__}", code=Fault.YAML_SYNTAX
        ) from error


def _summary(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
    mark = getattr(error, "problem_mark", None)
    return f"{problem} at line {mark.line + 1}" if mark is not None else str(problem)


@lru_cache(maxsize=1)
def _loader_class() -> type[yaml.SafeLoader]:
    """SafeLoader without what it resolves implicitly beyond the core schema."""
    import yaml  # slow to import, and YAML is rare

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {  # noqa: RUF012  (PyYAML's own protocol)
            first: [(tag, regexp) for tag, regexp in resolvers if tag not in _UNRESOLVED]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return Loader


class _Frame:
    """One open collection; `key` is what the next value of a mapping belongs to."""

    __slots__ = ("is_tuple", "key", "pointer", "value")

    def __init__(self, value: dict[str | int, Json] | list[Json], pointer: str) -> None:
        self.value = value
        self.pointer = pointer
        self.is_tuple = False
        self.key: str | int | None = None


class _Builder:
    """Events of one document to a value, with a stack of its own."""

    def __init__(self, text: str, limits: Limits) -> None:
        import yaml  # slow to import, and YAML is rare

        self.yaml = yaml
        self.loader = _loader_class()(text)
        self.limits = limits
        self.frames: list[_Frame] = []
        self.nodes = 0
        self.documents = 0
        self.root: Json = None

    def build(self) -> Json:
        while self.loader.check_event():
            self._event(self.loader.get_event())  # type: ignore[no-untyped-call]
        return self.root

    def _event(self, event: yaml.Event) -> None:
        yaml = self.yaml
        if isinstance(event, yaml.NodeEvent):
            self._node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            frame = self.frames.pop()
            value = tuple(frame.value) if frame.is_tuple else frame.value
            self._put(value, event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise UnsupportedFormat("a second document in one file", code=Fault.YAML_DOCUMENTS)

    def _node(self, event: yaml.NodeEvent) -> None:
        yaml = self.yaml
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise LimitExceeded(
                f"more than {self.limits.nodes} values, the limit", code=Fault.TOO_MANY_NODES
            )
        if event.anchor is not None:
            kind = "alias" if isinstance(event, yaml.AliasEvent) else "anchor"
            raise UnsupportedFormat(
                f"an {kind} ({event.anchor}) at line {_line(event)}",
                code=Fault.YAML_ALIAS,
                where=self._where(),
            )
        if isinstance(event, yaml.ScalarEvent):
            self._put(self._scalar(event), event)
            return
        is_map = isinstance(event, yaml.MappingStartEvent)
        tag = getattr(event, "tag", None)
        if tag not in (_MAP_TAGS if is_map else _SEQUENCE_TAGS):
            self._refuse_tag(tag, event)
        if len(self.frames) >= self.limits.depth:
            raise LimitExceeded(
                f"nested more than {self.limits.depth} deep, the limit", code=Fault.TOO_DEEP
            )
        if self.frames and isinstance(self.frames[-1].value, dict) and self.frames[-1].key is None:
            raise MalformedArtifact(
                f"a key that is a collection at line {_line(event)}",
                code=Fault.YAML_SYNTAX,
                where=self._where(),
            )
        frame = _Frame({} if is_map else [], self._where().pointer)
        frame.is_tuple = tag == _TUPLE
        self.frames.append(frame)

    def _put(self, value: Json, event: yaml.Event) -> None:
        if not self.frames:
            self.root = value
            return
        frame = self.frames[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is None:
            frame.key = self._key(frame.value, value, event)
        else:
            frame.value[frame.key] = value
            frame.key = None

    def _key(self, mapping: dict[str | int, Json], key: Json, event: yaml.Event) -> str | int:
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise MalformedArtifact(
                f"a key that is no string at line {_line(event)}",
                code=Fault.YAML_SYNTAX,
                where=self._where(),
            )
        if key in mapping:
            raise MalformedArtifact(
                f"the key {key!r:.80} stands twice in one mapping, the second time "
                f"at line {_line(event)}",
                code=Fault.DUPLICATE_KEY,
                where=self._where(),
            )
        if key == "<<":
            raise UnsupportedFormat(
                f"a merge key at line {_line(event)}", code=Fault.YAML_ALIAS, where=self._where()
            )
        return key

    def _scalar(self, event: yaml.ScalarEvent) -> Json:
        text = event.value
        if len(text) > self.limits.string_bytes:
            raise LimitExceeded(
                f"a string has {len(text)} characters; the limit is {self.limits.string_bytes}",
                code=Fault.LONG_STRING,
                where=self._where(),
            )
        if not is_encodable(text):
            raise MalformedArtifact(
                "a string holds half of a surrogate pair",
                code=Fault.LONE_SURROGATE,
                where=self._where(),
            )
        scalar = self.yaml.ScalarNode
        tag = event.tag
        if tag is None or tag == "!":
            tag = self.loader.resolve(scalar, text, event.implicit)  # type: ignore[no-untyped-call]
        if tag not in _SCALAR_TAGS:
            self._refuse_tag(tag, event)
        if tag in {_CORE + "int", _CORE + "float"} and len(text) > self.limits.number_chars:
            raise LimitExceeded(
                f"a numeral has more than {self.limits.number_chars} characters, the limit",
                code=Fault.LONG_NUMERAL,
                where=self._where(),
            )
        value: Json = self.loader.construct_object(scalar(tag, text))
        return value

    def _refuse_tag(self, tag: str | None, event: yaml.Event) -> None:
        name = str(tag).replace(_CORE, "!!")
        raise UnsafeArtifact(
            f"the tag {name:.120} at line {_line(event)}",
            code=Fault.YAML_TAG,
            where=self._where(),
        )

    def _where(self) -> Where:
        if not self.frames:
            return Where()
        frame = self.frames[-1]
        token = frame.key if isinstance(frame.value, dict) else len(frame.value)
        if token is None:
            return Where(pointer=frame.pointer)
        return Where(pointer=f"{frame.pointer}/{escape_pointer(str(token))}")


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark is not None else 0
