"""Document -> Plan: every request that a config would make, with the field it stands in.

The walk is iterative and visits each value once, in document order. It knows from the
catalogue what each argument of each class may hold; where a node stands decides what it
may be. It asks nobody, imports nothing and builds nothing: the same document, catalogue
and names of the caller's objects give the same plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.artifact.content import wrapper_of
from secure_serial.artifact.document import LISTS, NESTS, Role
from secure_serial.plan import allocation, encodings, forms
from secure_serial.plan.arguments import VALUE, Reader
from secure_serial.plan.catalogue import Catalogue, FieldSpec
from secure_serial.plan.collector import Collector, Visit
from secure_serial.plan.fields import OBJECT_FIELDS, Field, Kind
from secure_serial.plan.functions import PLACES, FunctionReader, Functions, as_node, may_be_function
from secure_serial.plan.names import (
    MISSING,
    Names,
    Resolution,
    resolve_class,
    resolve_function,
    resolve_identifier,
    spelled,
)
from secure_serial.plan.places import misplaced, wrong_with
from secure_serial.plan.request import Action, Objection, Origin, Plan
from secure_serial.plan.totals import exceeded
from secure_serial.plan.values import (
    BLOB_CHARS,
    is_harmless,
    is_path_component,
    judge_plain,
    looks_encoded,
    may_take_for_ever,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from secure_serial.artifact.document import Document, Json, Part
    from secure_serial.limits import Limits
    from secure_serial.plan.path import Path
    from secure_serial.plan.request import CallerObject

_OPTIMIZER = FieldSpec(Field.OPTIMIZER)
_TEXTS = FieldSpec(Field.TEXT, nest=True)
#: Fields that take a dict or a list whether or not the catalogue says `*`.
_NESTING = frozenset(Field) - (OBJECT_FIELDS - {Field.OBJECT, Field.ROOT})
#: DTypePolicyMap and OptimizerMap match their keys against the paths of layers and variables.
_KEYED_BY_PATTERN = frozenset({Field.DTYPE_POLICY, Field.OPTIMIZER})
#: Calls multiply at each level; beyond any limit their exact number tells nothing.
_UNCOUNTABLE = 1 << 40
_LAYER_KINDS = frozenset({Kind.LAYER, Kind.MODEL, Kind.OPERATION})


def make_plan(
    document: Document,
    *,
    catalogue: Catalogue,
    callers: Mapping[str, CallerObject],
    limits: Limits,
    root: Field = Field.ROOT,
    safe_mode: bool = False,
    reader: FunctionReader | None = None,
) -> Plan:
    """Every request that building this document would make.

    Args:
        document: What a reader yielded.
        catalogue: What is known of Keras.
        callers: The names of the objects that the program registered or passed.
        limits: Bounds on sizes; reaching one is an objection, not an error.
        root: The field that the document as a whole stands in.
        safe_mode: Whether functions whose code stands in the document are refused unread;
            else the policy decides on them.
        reader: Reads them, if several documents share what that may take.

    """
    functions = Functions(reader or FunctionReader(limits), safe_mode=safe_mode)
    walks = [_Walk(part, catalogue, callers, limits, root, functions) for part in document.parts]
    requests = [request for walk in walks for request in walk.found.requests]
    objections = [objection for walk in walks for objection in walk.found.objections]
    layers = sum(walk.layers for walk in walks)
    total = sum(walk.allocation for walk in walks)
    objections += exceeded(layers, len(requests), total, limits)
    return Plan(document, tuple(requests), tuple(objections), layers, total, functions.found)


class _Walk:
    """The walk over one part. Its state is what is still to visit, and what was found."""

    def __init__(
        self,
        part: Part,
        catalogue: Catalogue,
        callers: Mapping[str, CallerObject],
        limits: Limits,
        root: Field,
        functions: Functions,
    ) -> None:
        self._functions = functions
        self.found = Collector(part.member, catalogue.owner)
        self.layers = 0
        self.allocation = 0
        self._catalogue = catalogue
        self._callers = callers
        self._limits = limits
        self._keras0 = forms.is_keras0(part.root)
        self._reader = Reader(catalogue, limits)
        self._width = 1  # of the layer before, for the estimate
        self._identifiers: dict[tuple[str, Field], Resolution | None] = {}
        self._stack: list[Visit] = []
        if part.role is Role.TRAINING:
            self._training(part.root, None)
        else:
            self._root(part.root, root)
        # Past a limit the document is refused, and what else it holds need not be known.
        while self._stack and self.layers <= limits.layers and self._within(limits.requests):
            self._visit(self._stack.pop())

    def _within(self, requests: int) -> bool:
        return len(self.found.requests) <= requests

    # Where a document starts.

    def _root(self, value: Json, root: Field) -> None:
        path: Path = None
        while isinstance(value, dict) and (wrapper := wrapper_of(value)) is not None:
            if "training_config" in value:
                self._training(value["training_config"], (path, "training_config"))
            # What stands beside the model is metadata; an object in it is refused.
            read = {wrapper, "training_config"}
            self._push(self._ignored(value, Visit(value, path, VALUE, 0), read))
            value, path = value[wrapper], (path, wrapper)
        self._push([Visit(value, path, FieldSpec(root), 0)])

    def _training(self, value: Json, path: Path) -> None:
        """What a model was compiled with, as Keras 2 stores it beside the model."""
        if not isinstance(value, dict) or "class_name" in value:
            if value is not None:
                visit = Visit(value, path, VALUE, 0)
                self.found.refuse(visit, "SS310", "a training_config that is no plain object")
            return
        specs = self._catalogue.config_fields("compile_config") or {}
        visits = []
        for key, item in value.items():
            spec = _OPTIMIZER if key == "optimizer_config" else specs.get(key, VALUE)
            visits.append(Visit(item, (path, key), spec, 1, str(key)))
        self._push(visits)

    # One value.

    def _push(self, visits: list[Visit]) -> None:
        visits.reverse()
        self._stack += visits

    def _visit(self, visit: Visit) -> None:
        value = visit.value
        if isinstance(value, dict):
            if "class_name" in value:
                self._node(value, visit)
            elif forms.is_inline_node(value, visit.spec, keras0=self._keras0):
                self._class(value, visit)
            elif self._may_nest(value, visit):
                self._nest(value.items(), visit)
        elif isinstance(value, LISTS):
            if visit.spec.field is Field.FUNCTION and may_be_function(value):
                self._functions.ask(self.found, visit, "a marshalled function")
            else:
                self._list(value, visit)
        elif isinstance(value, str) and visit.spec.field in OBJECT_FIELDS:
            self._identifier(value, visit)
        else:
            self._plain(value, visit)

    def _nest(self, items: Iterable[tuple[str | int, Json]], visit: Visit) -> None:
        _, path, spec, depth, argument, owner, times = visit
        names_things = spec.field in OBJECT_FIELDS
        visits = []
        for key, item in items:
            if isinstance(key, str):
                self._key(key, visit)
            if item is None or item is True or item is False:
                continue
            if isinstance(item, NESTS) or (names_things and isinstance(item, str)):
                if not is_harmless(item, spec.field, self._limits):
                    visits.append(Visit(item, (path, key), spec, depth, argument, owner, times))
                continue
            problem = judge_plain(item, spec.field, self._limits)
            if problem is not None:
                inner = Visit(item, (path, key), spec, depth, argument, owner, times)
                self.found.refuse(inner, *problem)
        self._push(visits)

    def _key(self, key: str, visit: Visit) -> None:
        """A key of a dict of plain values, or of objects: there Keras takes it for a pattern."""
        if not _is_short(key) and looks_encoded(key):
            self.found.refuse(visit, "SS321", "opaque bytes as a key")
        elif visit.spec.field in _KEYED_BY_PATTERN and may_take_for_ever(key):
            self.found.refuse(visit, "SS327", "a pattern that may take for ever to match")

    def _list(self, value: list[Json] | tuple[Json, ...], visit: Visit) -> None:
        size = allocation.too_large(value, visit.spec.field, self._limits)
        if size:
            self.found.refuse(visit, "SS323", f"a size of {size:,} elements")
        if visit.spec.field is Field.WORDS:  # the words themselves may look like anything
            visit = visit._replace(spec=_TEXTS)
        self._nest(enumerate(value), visit)

    def _may_nest(self, value: dict[str, Json], visit: Visit) -> bool:
        """Whether to look into a dict that names no class."""
        if forms.marks_code(value):
            self._functions.ask(self.found, visit, "bytecode")
            return False
        field = visit.spec.field
        if field in PLACES and as_node(value) is not value:
            self._functions.ask(self.found, visit, "a marshalled function")
            return False
        if value and not visit.spec.nest and field not in _NESTING:
            text = f"a dict that names no class in a field that holds {field}"
            self.found.refuse(visit, "SS310", text)
        return True

    def _plain(self, value: Json, visit: Visit) -> None:
        if value is None or value is True or value is False:
            return
        problem = judge_plain(value, visit.spec.field, self._limits)
        if problem is not None:
            self.found.refuse(visit, *problem)

    def _identifier(self, text: str, visit: Visit) -> None:
        """A string where an object stands: Keras looks it up, now or later."""
        key = (text, visit.spec.field)
        if key not in self._identifiers:
            self._identifiers[key] = resolve_identifier(*key, self._catalogue, self._callers)
        resolution = self._identifiers[key]
        if resolution is None:
            self._plain(text, visit)
            return
        entry = resolution.entry
        objections: list[Objection] = []
        if resolution.origin is Origin.UNKNOWN:
            if visit.spec.field is Field.FUNCTION and looks_encoded(text):
                self._functions.ask(self.found, visit, "a marshalled function")
                return
            problem = judge_plain(text, Field.LABEL, self._limits)
            objections = [visit.objection(*problem)] if problem is not None else []
        else:
            objections += misplaced(resolution, visit)
        action = Action.CONSTRUCT if entry is not None and entry.is_class else Action.REFER
        self.found.request(visit, action, resolution, repr(text[:200]), objections=objections)

    # One node: a dict that names something.

    def _node(self, value: dict[str, Json], visit: Visit) -> None:
        class_name = value.get("class_name", MISSING)
        if not isinstance(class_name, str):
            self._class(value, visit)
        elif class_name in encodings.PLACES:
            self._encoding(class_name, value, visit)
        elif class_name in encodings.CONTAINERS:
            items = visit._replace(value=value.get("items"), path=(visit.path, "items"))
            self._push([items, *self._ignored(value, visit, {"class_name", "items"})])
        elif class_name == encodings.LAMBDA:
            self._functions.ask(self.found, visit, "a __lambda__")
        elif class_name == encodings.TYPE_SPEC:
            self._type_spec(value, visit)
        elif class_name == "function":
            self._function(value, visit)
        else:
            self._class(value, visit)

    def _encoding(self, class_name: str, value: dict[str, Json], visit: Visit) -> None:
        judged = encodings.judge(class_name, value.get("config"), visit.spec.field, self._limits)
        self.allocation += judged.allocation
        resolution = Resolution(class_name, Origin.ENCODING)
        objections = [visit.objection(*problem) for problem in judged.problems]
        owner = len(self.found.requests)
        self.found.request(visit, Action.DECODE, resolution, class_name, objections=objections)
        config = value.get("config")
        beside = visit._replace(owner=owner)
        visits = self._ignored(value, beside, {"class_name", "config"})
        if isinstance(config, dict):
            inner = beside._replace(path=(visit.path, "config"), depth=visit.depth + 1)
            if class_name == "__slice__":  # its bounds may be tensors of the graph
                call = FieldSpec(Field.GRAPH_CALL, nest=True)
                self._nest(config.items(), inner._replace(spec=call))
            else:
                visits += self._ignored(config, inner, {"value"})
        self._push(visits)

    def _type_spec(self, value: dict[str, Json], visit: Visit) -> None:
        symbol = f"{spelled(value.get('module'))}.{spelled(value.get('spec_name'))}"[:200]
        beside = visit._replace(owner=len(self.found.requests))
        unknown = Resolution(repr(symbol), Origin.UNKNOWN)
        objections = []
        if not isinstance(value.get("config"), LISTS):
            text = "Expected 'config' to be a list or a tuple for a __typespec__"
            objections.append(visit.objection("SS310", text))
        self.found.request(visit, Action.CONSTRUCT, unknown, symbol, objections=objections)
        self._push(self._ignored(value, beside, {"class_name"}))

    def _ignored(self, value: dict[str, Json], visit: Visit, read: set[str]) -> list[Visit]:
        """What stands in a dict and nobody reads: an object in it is refused all the same."""
        return [
            visit._replace(value=item, path=(visit.path, key), spec=_TEXTS, argument=str(key))
            for key, item in value.items()
            if key not in read
            and isinstance(item, NESTS)
            and not is_harmless(item, Field.TEXT, self._limits)
        ]

    def _function(self, value: dict[str, Json], visit: Visit) -> None:
        names = forms.names_of(value, function=value.get("config", MISSING))
        resolution = resolve_function(names, visit.spec.field, self._catalogue, self._callers)
        objections = wrong_with(resolution, visit)
        if resolution.entry is not None and resolution.entry.is_class:
            text = f"{resolution.symbol} is a class where a function is named"
            objections.append(visit.objection("SS311", text))
        owner = len(self.found.requests)
        text = f"function {spelled(names.function)} of module {spelled(names.module)}"[:400]
        self.found.request(visit, Action.REFER, resolution, text, objections=objections)
        self._push(self._reader.beside(value, visit, owner))

    def _class(self, value: dict[str, Json], visit: Visit) -> None:
        inline = "class_name" not in value
        names = Names(MISSING, value["name"], MISSING) if inline else forms.names_of(value)
        resolution = resolve_class(names, visit.spec.field, self._catalogue, self._callers)
        config = value if inline else value.get("config")
        if not inline and self._reader.finds_nothing(value, resolution, self._callers):
            self._bare(names, config, resolution, visit)
            return
        owner = len(self.found.requests)
        # A layer that is called twice is two nodes of the graph, each of which takes work, and
        # so is every layer of a model that is called twice.
        calls = value.get("inbound_nodes")
        called = max(1, len(calls)) if isinstance(calls, list) else 1
        if called > 1:
            visit = visit._replace(times=min(visit.times * called, _UNCOUNTABLE))
        arguments = self._reader.config(config, resolution, visit, owner)
        objections = wrong_with(resolution, visit) + arguments.objections
        for call in calls if isinstance(calls, list) else ():
            # Keras 3 writes a call as a dict; the lists of earlier Keras name layers alone.
            if isinstance(call, dict) and not forms.takes_tensor(call):
                text = "a call in the graph that no tensor of the graph goes into"
                objections.append(visit.objection("SS310", text))
        if not inline and value.get("name") is not None:
            name = value["name"]
            if not isinstance(name, str) or not is_path_component(name):
                text = f"{name!r:.80} cannot be the name of anything"
                objections.append(visit.objection("SS325", text))
        self.found.request(
            visit,
            Action.CONSTRUCT,
            resolution,
            forms.written(names),
            objections=objections,
            notes=[resolution.note] * bool(resolution.note) + arguments.notes,
            arguments=config if isinstance(config, dict) else None,
            allocation=self._measure(resolution, config, value, visit.times),
        )
        own = resolution.caller is not None
        self._push(arguments.visits + self._reader.beside(value, visit, owner, own=own))

    def _bare(self, names: Names, config: Json, resolution: Resolution, visit: Visit) -> None:
        """What `_class` comes to if nothing comes of what stands beside the names."""
        self.found.request(
            visit, Action.CONSTRUCT, resolution, forms.written(names),
            objections=wrong_with(resolution, visit),
            notes=[resolution.note] * bool(resolution.note),
            arguments=config if isinstance(config, dict) else None,
        )  # fmt: skip

    def _measure(
        self, resolution: Resolution, config: Json, value: dict[str, Json], times: int
    ) -> int:
        entry = self._reader.known(resolution)
        if entry is None or entry.kind not in _LAYER_KINDS:
            return 0
        self.layers += times
        if not isinstance(config, dict):
            return 0
        size = allocation.estimate(entry, config, value.get("build_config"), self._width)
        self._width = allocation.width_after(entry, config, self._width)
        self.allocation += size
        return size


def _is_short(key: str) -> bool:
    """Whether a key is too short, and too plain, to hide anything."""
    return len(key) < BLOB_CHARS and key.isprintable()
