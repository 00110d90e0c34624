"""What every migration works with: the tables, the place it stands at, and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from secure_serial.errors import ConstructionError, Where
from secure_serial.plan.encodings import CONTAINERS
from secure_serial.plan.forms import names_of
from secure_serial.plan.names import MISSING, Names, Resolution, resolve_class
from secure_serial.plan.path import pointer
from secure_serial.plan.request import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.migrate.tables import Tables
    from secure_serial.plan.catalogue import Catalogue
    from secure_serial.plan.fields import Field
    from secure_serial.plan.path import Path
    from secure_serial.plan.request import CallerObject

#: Models in models and wrappers in wrappers. Real ones nest four deep; a level takes some ten
#: frames of the interpreter's thousand.
_MOST_LEVELS = 40
#: Text of a file in a message.
_CHARS = 80


class CannotMigrate(ConstructionError):
    """There is no form of today that does exactly the same; which construct, says the message."""

    code = "SS602"


@dataclass(slots=True)
class Context:
    """One migration of one document."""

    catalogue: Catalogue
    tables: Tables
    callers: Mapping[str, CallerObject]
    name: str  # of the document
    legacy: bool  # the document is of a Keras before 3, whatever keys its nodes have
    keras0: bool = False
    member: str = ""
    #: Of each layer whose stored weights may be laid out otherwise: its kind, and the kinds of
    #: what stands within it (`weights`); `kinds` is what was noted of the layer in work.
    layouts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kinds: list[str] = field(default_factory=list)
    level: int = 0

    def refuse(self, path: Path, text: str) -> NoReturn:
        """Say that a construct has no exact form of today."""
        raise CannotMigrate(
            f"cannot be migrated: {text}", where=Where(self.name, self.member, pointer(path))
        )

    def deeper(self, path: Path) -> None:
        """One model or wrapper within another."""
        self.level += 1
        if self.level > _MOST_LEVELS:
            self.refuse(path, f"models and wrappers nested more than {_MOST_LEVELS} deep")

    def is_old(self, node: Mapping[str, Json]) -> bool:
        """Whether a node is in the notation of a Keras before 3."""
        return self.legacy or "module" not in node

    def resolve(self, node: Mapping[str, Json], field: Field) -> Resolution:
        """What the names of a node mean, as the planner has it."""
        names = names_of(node)
        if "class_name" not in node:
            names = Names(MISSING, node.get("name", MISSING), MISSING)
        return resolve_class(names, field, self.catalogue, self.callers)

    def is_known(self, resolution: Resolution) -> bool:
        """Whether it is Keras's own, of any time: others' objects are never touched."""
        return resolution.origin in (Origin.KERAS, Origin.LEGACY) and not resolution.code

    def a_dict(self, value: Json, path: Path, what: str) -> dict[str, Any]:
        """The value, which must be an object."""
        if not isinstance(value, dict):
            self.refuse(path, f"{what} is no object")
        return value

    def a_list(self, value: Json, path: Path, what: str) -> list[Any]:
        """The value, which must be a list."""
        if not isinstance(value, list | tuple):
            self.refuse(path, f"{what} is no list")
        return list(value)


def quoted(value: object) -> str:
    """A value of a file in a message: short, and on one line."""
    text = repr(value[: _CHARS + 1] if isinstance(value, str) else value) if _small(value) else ""
    text = text or f"a {type(value).__name__}"
    return text if len(text) <= _CHARS else f"{text[:_CHARS]}…"


def _small(value: object) -> bool:
    if isinstance(value, int):
        return value.bit_length() < 256  # noqa: PLR2004 - what a line has room for
    if isinstance(value, list | tuple):
        return len(value) < 10 and all(isinstance(v, int | float | None) for v in value)  # noqa: PLR2004
    return value is None or isinstance(value, str | float)


def node_of(symbol: str, config: Json) -> dict[str, Any]:
    """A node in today's notation.

    >>> node_of("keras.layers.Dense", {"units": 3})["module"]
    'keras.layers'
    """
    module, _, name = symbol.rpartition(".")
    # What Keras does not export it registers under its bare name, as Keras writes it itself.
    registered = name if module.startswith("keras.src.") else None
    return {
        "module": module, "class_name": name, "config": config, "registered_name": registered,
    }  # fmt: skip


def plain(value: Json) -> Json:
    """A copy in which Keras 2's `__tuple__` and `TensorShape` are the lists they stand for."""
    if isinstance(value, dict):
        name, items = value.get("class_name"), value.get("items")
        if isinstance(name, str) and name in CONTAINERS and isinstance(items, list):
            return [plain(item) for item in items]
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
