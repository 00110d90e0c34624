"""The arguments of a class node: what each may hold, and what is wrong at first sight. Pure.

Scalars are judged here and now; what may hold an object is handed back, to be visited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.document import LISTS, NESTS
from secure_serial.plan.catalogue import Catalogue, Entry, FieldSpec
from secure_serial.plan.collector import Visit
from secure_serial.plan.fields import OBJECT_FIELDS, Field, Kind
from secure_serial.plan.forms import NODE_KEYS, marks_code
from secure_serial.plan.path import Path, pointer
from secure_serial.plan.request import Objection
from secure_serial.plan.values import is_harmless, is_path_component, judge_plain, judge_text

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.limits import Limits
    from secure_serial.plan.names import Resolution

VALUE = FieldSpec(Field.VALUE, nest=True)
LAYERS = FieldSpec(Field.LAYER, nest=True)
_OBJECT = FieldSpec(Field.OBJECT, nest=True)
_UNKNOWN = FieldSpec(Field.UNKNOWN, nest=True)
_IGNORED = FieldSpec(Field.TEXT, nest=True)
_LABELS = FieldSpec(Field.LABEL, nest=True)
_CALL = FieldSpec(Field.GRAPH_CALL, nest=True)
_CONTAINERS = frozenset({Field.GRAPH_NODE, Field.LAYER})
#: A newer Keras adds a few arguments to a class; a file with thousands says nothing more.
_ENOUGH_NOTES = 10
#: Keys of a node that are read elsewhere, and those that hold nothing but names.
_READ = frozenset({"config", "class_name"})
NAMES_AND_CONFIG = frozenset({"module", "class_name", "registered_name", "config"})
_NAMING = NODE_KEYS - {"inbound_nodes"}
#: What is said of every form of bytecode.
CODE = "code that stands in the file: arbitrary code execution"
#: What carries an instance's name; Keras 0 has another word for it.
NAME_KEYS = frozenset({"name", "custom_name"})


class Arguments(NamedTuple):
    """What a node's arguments come to."""

    visits: list[Visit]
    objections: list[Objection]
    notes: list[str]


class Reader:
    """Reads the arguments of class nodes, with what the catalogue knows of the classes."""

    def __init__(self, catalogue: Catalogue, limits: Limits) -> None:
        self._catalogue = catalogue
        self._limits = limits

    def config(self, config: Json, resolution: Resolution, node: Visit, owner: int) -> Arguments:
        """The arguments of a node, in its `config` or beside its name, by the class it names."""
        entry = self.known(resolution)
        path: Path = node.path if config is node.value else (node.path, "config")
        found = Arguments([], [], [])
        if isinstance(config, dict):
            place = Visit(config, path, VALUE, node.depth + 1, "", owner, node.times)
            self._arguments(config, place, entry, resolution, found, inline=config is node.value)
        elif isinstance(config, list) and entry is not None and entry.kind is Kind.MODEL:
            found.objections.extend(self._same_names(config, path))
            found.visits.append(Visit(config, path, LAYERS, node.depth + 1, "", owner, node.times))
        elif config is not None:
            text = f"Expected 'config' to be a dict, got {type(config).__name__}"
            found.objections.append(Objection("SS310", text, pointer(path)))
        return found

    def finds_nothing(
        self, node: Mapping[str, Json], resolution: Resolution, callers: Container[str]
    ) -> bool:
        """Whether nothing would come of what stands in a node beside its names, or near it.

        So it is with most objects of a program's own classes: they hold plain values, with which
        nothing is wrong, and no name of anything. Of Keras's classes, and those that are made of
        them, the arguments are told apart, and none of this holds.
        """
        caller, config = resolution.caller, node.get("config")
        if caller is None or caller.bases or not node.keys() <= NAMES_AND_CONFIG:
            return False
        if type(config) is not dict or "class_name" in config:
            return False
        for item in config.values():
            if item is None or item is True or item is False:
                continue
            if type(item) is str:
                if item in callers or not says_nothing(item):
                    return False
            elif not is_harmless(item, Field.OBJECT, self._limits):
                return False
        return True

    def known(self, resolution: Resolution) -> Entry | None:
        """What is known of a class; of a caller's own, by its nearest base of Keras's."""
        if resolution.caller is not None and resolution.caller.bases:
            return self._catalogue.entry(resolution.caller.bases[0])
        return resolution.entry

    def beside(
        self, value: Mapping[str, Json], node: Visit, owner: int, *, own: bool = False
    ) -> list[Visit]:
        """What stands in a node beside its names and its config; `own` for the program's class."""
        if "class_name" not in value:
            return []  # what stands beside the name are its arguments
        visits: list[Visit] = []
        for key, item in value.items():
            specs = self._catalogue.config_fields(str(key))
            if key in _READ or (key in _NAMING and specs is None and not isinstance(item, NESTS)):
                continue
            path: Path = (node.path, key)
            # A class of the program's own may compile itself with what it likes.
            other = _OBJECT if own and key == "compile_config" else VALUE
            if specs is not None and isinstance(item, dict):
                visits += [
                    Visit(
                        inner,
                        (path, name),
                        specs.get(name, other),
                        node.depth + 1,
                        str(name),
                        owner,
                    )
                    for name, inner in item.items()
                    if not is_harmless(inner, specs.get(name, other).field, self._limits)
                ]
            elif specs is not None:  # a class gets it, whatever it is
                visits.append(Visit(item, path, VALUE, node.depth + 1, str(key), owner))
            elif key == "inbound_nodes":
                visits.append(Visit(item, path, _CALL, node.depth + 1, key, owner))
            else:
                # Nobody reads it; an object in it is refused all the same.
                visits.append(Visit(item, path, _IGNORED, node.depth + 1, str(key), owner))
        return visits

    def _arguments(
        self,
        config: Mapping[str, Json],
        place: Visit,
        entry: Entry | None,
        resolution: Resolution,
        found: Arguments,
        *,
        inline: bool,
    ) -> None:
        for key in marks_code(config):
            from secure_serial.lambdas.stored import is_code  # late: few files come here

            # What a field for functions holds is looked into; elsewhere nobody would.
            text = config.get(key)
            seen = self._spec(entry, resolution, key).field is Field.FUNCTION
            if not seen or (isinstance(text, str) and not is_code(text)):
                found.objections.append(place.objection("SS305", CODE))
        if not inline and "class_name" in config and "config" in config:
            # No class has these two arguments; whoever revives the whole would build it.
            found.objections.append(place.objection("SS310", "an object instead of arguments"))
        path, depth, owner, times = place.path, place.depth, place.owner, place.times
        for key, item in config.items():
            if item is None or item is True or item is False or (inline and key == "name"):
                continue
            spec = self._spec(entry, resolution, key)
            if inline and key == "loss":
                spec = _LABELS  # Keras 3 compiles nothing from a Keras 0 config
            if isinstance(item, str):
                if entry is not None and item in entry.enums.get(key, ()):
                    continue
            elif is_harmless(item, spec.field, self._limits):
                continue
            visit = Visit(item, (path, key), spec, depth, str(key), owner, times)
            self._argument(visit, resolution, found)

    def _argument(self, visit: Visit, resolution: Resolution, found: Arguments) -> None:
        item, field = visit.value, visit.spec.field
        if field is Field.UNKNOWN:
            visit = self._unknown(visit, resolution, found)
        elif field in _CONTAINERS:
            found.objections.extend(self._same_names(item, visit.path))
        if visit.argument in NAME_KEYS and field is Field.LABEL:
            self._name(visit, found)
        elif isinstance(item, NESTS) or field in OBJECT_FIELDS:
            found.visits.append(visit)
        else:
            problem = judge_plain(item, field, self._limits)
            if problem is not None:
                found.objections.append(visit.objection(*problem))

    def _spec(self, entry: Entry | None, resolution: Resolution, key: str) -> FieldSpec:
        if entry is None:
            return _OBJECT
        spec = self._catalogue.spec(entry, key)
        if spec.field is Field.UNKNOWN and resolution.caller is not None:
            return _OBJECT
        return spec

    def _unknown(self, visit: Visit, resolution: Resolution, found: Arguments) -> Visit:
        """An argument the catalogue has not: scalars pass with a note, the rest does not."""
        if isinstance(visit.value, dict):
            text = f"{resolution.symbol} has no argument {visit.argument!r:.80} for an object"
            found.objections.append(visit.objection("SS313", text))
        elif len(found.notes) < _ENOUGH_NOTES:
            found.notes.append(f"argument {visit.argument!r:.80} is not in the catalogue")
        return visit._replace(spec=_UNKNOWN) if isinstance(visit.value, dict | list) else visit

    def _name(self, visit: Visit, found: Arguments) -> None:
        """An instance's own name: it becomes a key in the weights and a part of paths."""
        if not isinstance(visit.value, str) or not is_path_component(visit.value):
            text = f"{visit.value!r:.80} cannot be the name of anything"
            found.objections.append(visit.objection("SS325", text))

    def _same_names(self, nodes: Json, path: Path) -> Iterator[Objection]:
        """Layers of one container are told apart by name, in the graph and in the weights."""
        if not isinstance(nodes, LISTS):
            return
        seen: set[str] = set()
        for node in nodes:
            name = _node_name(node)
            if name in seen:
                yield Objection("SS326", f"two layers named {name!r:.80}", pointer(path))
            elif name is not None:
                seen.add(name)


def says_nothing(text: str) -> bool:
    """Whether a text in the config of a program's own class is fine, unless it names an object.

    `lambda` is not: it marks what stands beside it as code.
    """
    return text != "lambda" and judge_text(text, Field.OBJECT) is None


def _node_name(node: Json) -> str | None:
    if not isinstance(node, dict) or "class_name" not in node:
        return None  # Keras 0 numbered its layers and named none
    config = node.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    name = node.get("name", name)
    return name if isinstance(name, str) else None
