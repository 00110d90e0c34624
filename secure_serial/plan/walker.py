"""Document -> Plan: every request that a config would make, with the field it stands in.

The walk is iterative and visits each value once, in document order. It knows from the
catalogue what each argument of each class may hold; where a node stands decides what it
may be. It asks nobody, imports nothing and builds nothing: the same document, catalogue
and names of the caller's objects give the same plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.document import Role
from secure_serial.plan import allocation, encodings
from secure_serial.plan.catalogue import Catalogue, Entry, FieldSpec
from secure_serial.plan.fields import ACCEPTS, OBJECT_FIELDS, Field, Kind
from secure_serial.plan.names import (
    MISSING,
    Names,
    Resolution,
    accepted,
    resolve_class,
    resolve_function,
    resolve_identifier,
)
from secure_serial.plan.path import Path, pointer
from secure_serial.plan.request import Action, Objection, Origin, Plan, Request
from secure_serial.plan.values import is_path_component, judge_plain, looks_encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from secure_serial.artifact.document import Document, Json, Part
    from secure_serial.limits import Limits
    from secure_serial.plan.request import CallerObject

_ROOT = FieldSpec(Field.ROOT)
_VALUE = FieldSpec(Field.VALUE, nest=True)
_OBJECT = FieldSpec(Field.OBJECT, nest=True)
_IGNORED = FieldSpec(Field.TEXT, nest=True)
_NODES = FieldSpec(Field.GRAPH_NODE, nest=True)
_LAYERS = FieldSpec(Field.LAYER, nest=True)
_CALL = FieldSpec(Field.GRAPH_CALL, nest=True)
_OPTIMIZER = FieldSpec(Field.OPTIMIZER)
_LABEL = FieldSpec(Field.LABEL)

#: Keys of a node that Keras reads besides `config`, and what stands there.
_NODE_KEYS = frozenset(
    {"module", "class_name", "config", "registered_name", "build_config", "compile_config",
     "shared_object_id", "name", "inbound_nodes", "keras_version", "backend"}
)  # fmt: skip
#: The wrappers that whole-model files put round the model's own config.
_WRAPPERS = ("modelTopology", "model_config")
#: Fields whose dicts and lists hold more of the same even where the catalogue has no `*`.
_NESTING = frozenset(
    {Field.VALUE, Field.OBJECT, Field.ROOT, Field.GRAPH_CALL, Field.GRAPH_REF, Field.ARRAY,
     Field.SHAPE, Field.SIZE, Field.NUMBER, Field.FLAG, Field.LABEL, Field.TEXT, Field.WORDS,
     Field.ASSET, Field.BLOB, Field.UNKNOWN}
)  # fmt: skip
#: One request is refused for one reason; a million of them would only cost memory.
_ENOUGH_OBJECTIONS = 20
_LAYER_KINDS = frozenset({Kind.LAYER, Kind.MODEL, Kind.OPERATION})


class _Visit(NamedTuple):
    value: Json
    path: Path
    spec: FieldSpec
    depth: int
    argument: str = ""  # the argument of the enclosing class, for policies to name
    owner: int = -1  # the request whose argument this is, by its place in the list


def make_plan(
    document: Document,
    *,
    catalogue: Catalogue,
    callers: Mapping[str, CallerObject],
    limits: Limits,
    root: Field = Field.ROOT,
) -> Plan:
    """Every request that building this document would make.

    Args:
        document: What a reader yielded.
        catalogue: What is known of Keras.
        callers: The names of the objects that the program registered or passed.
        limits: Bounds on sizes; reaching one is an objection, not an error.
        root: The field that the document as a whole stands in.

    """
    requests: list[Request] = []
    objections: list[Objection] = []
    layers = total = 0
    for part in document.parts:
        walk = _Walk(part, catalogue, callers, limits)
        walk.run(root)
        requests += walk.requests
        objections += walk.objections
        layers += walk.layers
        total += walk.allocation
    if layers > limits.layers:
        text = f"{layers} layers and operations, more than the {limits.layers} allowed"
        objections.append(Objection("SS331", text, ""))
    if total > limits.allocation_bytes:
        text = f"building it takes some {total:,} bytes, more than {limits.allocation_bytes:,}"
        objections.append(Objection("SS330", text, ""))
    return Plan(document, tuple(requests), tuple(objections), layers, total)


class _Walk:
    """One part's walk. State is what was found so far and what is still to visit."""

    def __init__(
        self,
        part: Part,
        catalogue: Catalogue,
        callers: Mapping[str, CallerObject],
        limits: Limits,
    ) -> None:
        self.part = part
        self.catalogue = catalogue
        self.callers = callers
        self.limits = limits
        self.requests: list[Request] = []
        self.objections: list[Objection] = []
        self.layers = 0
        self.allocation = 0
        self._stack: list[_Visit] = []
        self._keras0 = False
        self._width = 1
        self._seen: dict[tuple[object, ...], Resolution] = {}
        self._own: list[Objection] = []  # of the node whose arguments are being judged
        self._notes: list[str] = []

    def run(self, root: Field) -> None:
        value = self.part.root
        path: Path = None
        self._keras0 = _is_keras0(value)
        if self.part.role is Role.TRAINING:
            self._training(value, path)
        else:
            self._root(value, path, root)
        while self._stack:
            self._visit(self._stack.pop())

    # Where a document starts.

    def _root(self, value: Json, path: Path, root: Field) -> None:
        while isinstance(value, dict) and "class_name" not in value:
            wrapper = next((key for key in _WRAPPERS if isinstance(value.get(key), dict)), None)
            if wrapper is None:
                break
            if isinstance(value.get("training_config"), dict):
                self._training(value["training_config"], (path, "training_config"))
            value, path = value[wrapper], (path, wrapper)
        if isinstance(value, list) and root is Field.ROOT and _is_layer_list(value):
            self._push([_Visit(value, path, _LAYERS, 0)])
        else:
            self._push([_Visit(value, path, FieldSpec(root), 0)])

    def _training(self, value: Json, path: Path) -> None:
        if not isinstance(value, dict):
            self.objections.append(Objection("SS310", "a training_config that is no object", ""))
            return
        specs = self.catalogue.compile_fields
        visits = []
        for key, item in value.items():
            spec = _OPTIMIZER if key == "optimizer_config" else specs.get(key, _VALUE)
            visits.append(_Visit(item, (path, key), spec, 1, str(key)))
        self._push(visits)

    # One value.

    def _push(self, visits: list[_Visit]) -> None:
        visits.reverse()
        self._stack += visits

    def _visit(self, visit: _Visit) -> None:
        value = visit.value
        if isinstance(value, dict):
            if "class_name" in value or (self._keras0 and _is_keras0_node(value, visit.spec)):
                self._node(value, visit)
            else:
                self._nest(value.items(), visit)
        elif isinstance(value, list | tuple):
            if visit.spec.field is Field.FUNCTION and _is_function_dump(value):
                self._lambda(visit, "a marshalled function")
            else:
                self._nest(enumerate(value), visit)
        elif isinstance(value, str) and visit.spec.field in OBJECT_FIELDS:
            self._identifier(value, visit)
        else:
            self._plain(value, visit)

    def _nest(self, items: Iterable[tuple[str | int, Json]], visit: _Visit) -> None:
        spec = visit.spec
        if isinstance(visit.value, dict) and not self._dict_may_stand(visit):
            return
        visits = []
        for key, item in items:
            if isinstance(key, str) and not _is_plain_key(key):
                self._refuse(visit, "SS321", "opaque bytes as a key")
            path: Path = (visit.path, key)
            visits.append(visit._replace(value=item, path=path, spec=spec))
        self._push(visits)

    def _dict_may_stand(self, visit: _Visit) -> bool:
        spec = visit.spec
        value = visit.value
        if isinstance(value, dict) and _marks_code(value):
            self._lambda(visit, "code that the file itself carries")
            return False
        if spec.nest or spec.field in _NESTING or not value:
            return True
        self._refuse(visit, "SS310", f"a dict that names no class in a field that holds {spec.field}")
        return True

    def _plain(self, value: Json, visit: _Visit) -> None:
        if value is None or value is True or value is False:
            return
        problem = judge_plain(value, visit.spec.field, self.limits)
        if problem is not None:
            self._refuse(visit, *problem)

    def _identifier(self, text: str, visit: _Visit) -> None:
        """A string where an object stands: Keras looks it up, now or later."""
        field = visit.spec.field
        key = (text, field)
        resolution = self._seen.get(key)
        if resolution is None:
            found = resolve_identifier(text, field, self.catalogue, self.callers)
            resolution = found if found is not None else Resolution("", Origin.ENCODING)
            self._seen[key] = resolution
        if resolution.origin is Origin.ENCODING:
            self._plain(text, visit)
        elif resolution.origin is Origin.UNKNOWN:
            self._unknown_identifier(text, resolution, visit)
        else:
            entry = resolution.entry
            action = Action.CONSTRUCT if entry is not None and entry.is_class else Action.REFER
            self._request(visit, action, resolution, repr(text), self._misplaced(resolution, visit))

    def _unknown_identifier(self, text: str, resolution: Resolution, visit: _Visit) -> None:
        field = visit.spec.field
        if field is Field.FUNCTION and looks_encoded(text):
            self._lambda(visit, "a marshalled function")
            return
        problem = judge_plain(text, Field.LABEL, self.limits)
        here = pointer(visit.path)
        objections = () if problem is None else (Objection(*problem, here, visit.argument),)
        self._request(visit, Action.REFER, resolution, repr(text[:200]), objections)

    # One node: a dict that names something.

    def _node(self, value: dict[str, Json], visit: _Visit) -> None:
        class_name = value.get("class_name", MISSING)
        if class_name in encodings.PLACES:
            self._encoding(str(class_name), value, visit)
        elif class_name in encodings.CONTAINERS:
            items = value.get("items")
            self._push([visit._replace(value=items, path=(visit.path, "items"))])
        elif class_name == encodings.LAMBDA:
            self._lambda(visit, "a __lambda__")
        elif class_name == encodings.TYPE_SPEC:
            symbol = f"{value.get('module')}.{value.get('spec_name')}"[:200]
            self._request(visit, Action.CONSTRUCT, Resolution(symbol, Origin.UNKNOWN), symbol)
        elif class_name == "function":
            self._function(value, visit)
        else:
            self._class(value, visit)

    def _encoding(self, class_name: str, value: dict[str, Json], visit: _Visit) -> None:
        judged = encodings.judge(class_name, value.get("config"), visit.spec.field, self.limits)
        here = pointer(visit.path)
        objections = tuple(Objection(*p, here, visit.argument) for p in judged.problems)
        self.allocation += judged.allocation
        resolution = Resolution(class_name, Origin.ENCODING)
        self._request(visit, Action.DECODE, resolution, class_name, objections)

    def _lambda(self, visit: _Visit, what: str) -> None:
        objection = Objection("SS303", what, pointer(visit.path))
        resolution = Resolution("__lambda__", Origin.UNKNOWN)
        self._request(visit, Action.LAMBDA, resolution, what, (objection,))

    def _function(self, value: dict[str, Json], visit: _Visit) -> None:
        names = _names(value, function=value.get("config", MISSING))
        resolution = resolve_function(names, visit.spec.field, self.catalogue, self.callers)
        objections = list(self._problem(resolution, visit))
        if not objections:
            objections += self._misplaced(resolution, visit)
            if resolution.entry is not None and resolution.entry.is_class:
                text = f"{resolution.symbol} is a class where a function is named"
                objections.append(Objection("SS311", text, pointer(visit.path)))
        self._own = objections
        self._extras(value, visit)
        written = f"function {names.function!r:.120} of module {names.module!r:.120}"
        self._request(visit, Action.REFER, resolution, written, tuple(objections))

    def _class(self, value: dict[str, Json], visit: _Visit) -> None:
        names = Names(MISSING, value.get("name"), MISSING) if self._keras0 else _names(value)
        resolution = self._resolve(names, visit)
        objections = list(self._problem(resolution, visit))
        objections += self._misplaced(resolution, visit)
        self._own, self._notes = objections, [resolution.note] if resolution.note else []
        config = value if self._keras0 else value.get("config")
        entry = self._entry(resolution)
        visits = self._config(config, entry, resolution, visit)
        visits += self._extras(value, visit)
        size = self._measure(entry, config, value)
        self._instance_name(value, config, entry, visit)
        self._request(
            visit,
            Action.CONSTRUCT,
            resolution,
            _written(names),
            tuple(self._own),
            arguments=config if isinstance(config, dict) else None,
            size=size,
        )
        self._push(visits)

    def _resolve(self, names: Names, visit: _Visit) -> Resolution:
        try:
            key = (names, visit.spec.field)
            found = self._seen.get(key)
        except TypeError:  # a list or dict where a name should stand
            return resolve_class(names, visit.spec.field, self.catalogue, self.callers)
        if found is None:
            found = resolve_class(names, visit.spec.field, self.catalogue, self.callers)
            self._seen[key] = found
        return found

    def _entry(self, resolution: Resolution) -> Entry | None:
        """What is known of the arguments: a caller's class is known by its nearest Keras base."""
        if resolution.caller is not None and resolution.caller.bases:
            return self.catalogue.entry(resolution.caller.bases[0])
        return resolution.entry

    def _config(
        self, config: Json, entry: Entry | None, resolution: Resolution, visit: _Visit
    ) -> list[_Visit]:
        path: Path = visit.path if self._keras0 else (visit.path, "config")
        if isinstance(config, list) and entry is not None and entry.kind is Kind.MODEL:
            self._unique_names(config, path)
            return [_Visit(config, path, _LAYERS, visit.depth + 1, "", len(self.requests))]
        if not isinstance(config, dict):
            if config is not None:
                self._own.append(Objection("SS310", "a config that is no object", pointer(path)))
            return []
        if _marks_code(config):
            self._lambda_argument(path)
        visits = []
        for key, item in config.items():
            if self._keras0 and key == "name":
                continue
            spec = self._argument_spec(entry, resolution, key)
            step: Path = (path, key)
            if entry is not None and isinstance(item, str) and item in entry.enums.get(key, ()):
                continue
            if spec.field is Field.UNKNOWN:
                spec = self._unknown_argument(key, item, resolution, step)
            elif spec.field in (Field.GRAPH_NODE, Field.LAYER) and isinstance(item, list):
                self._unique_names(item, step)
            if item is None or item is True or item is False:
                continue
            visits.append(_Visit(item, step, spec, visit.depth + 1, str(key), len(self.requests)))
        return self._inline(visits)

    def _argument_spec(self, entry: Entry | None, resolution: Resolution, key: str) -> FieldSpec:
        if entry is None:
            return _OBJECT
        spec = self.catalogue.spec(entry, key)
        if spec.field is Field.UNKNOWN and resolution.caller is not None:
            return _OBJECT
        return spec

    def _unknown_argument(
        self, key: str, item: Json, resolution: Resolution, path: Path
    ) -> FieldSpec:
        """An argument that the catalogue has not: scalars pass with a note, the rest does not."""
        if isinstance(item, dict) and item:
            text = f"{resolution.symbol} has no argument {key!r:.80} that could hold an object"
            self._own.append(Objection("SS313", text, pointer(path), str(key)))
        else:
            self._notes.append(f"argument {key!r:.80} is not in the catalogue")
        return FieldSpec(Field.UNKNOWN, nest=True)

    def _inline(self, visits: list[_Visit]) -> list[_Visit]:
        """Judge the scalars at once, as objections to this very node; keep the rest to visit."""
        later = []
        for visit in visits:
            value = visit.value
            if isinstance(value, dict | list | tuple) or visit.spec.field in OBJECT_FIELDS:
                later.append(visit)
                continue
            problem = judge_plain(value, visit.spec.field, self.limits)
            if problem is not None:
                objection = Objection(*problem, pointer(visit.path), visit.argument)
                self._own.append(objection)
        return later

    def _extras(self, value: dict[str, Json], visit: _Visit) -> list[_Visit]:
        """What stands in a node beside its names and its config."""
        if self._keras0:
            return []
        visits = []
        depth, owner = visit.depth + 1, len(self.requests)
        for key, item in value.items():
            step: Path = (visit.path, key)
            if key == "build_config" and isinstance(item, dict):
                specs = self.catalogue.build_fields
            elif key == "compile_config" and isinstance(item, dict):
                specs = self.catalogue.compile_fields
            elif key == "inbound_nodes":
                visits.append(_Visit(item, step, _CALL, depth, key, owner))
                continue
            elif key not in _NODE_KEYS or isinstance(item, dict | list | tuple):
                if key not in ("config", "class_name"):
                    visits.append(_Visit(item, step, _IGNORED, depth, str(key), owner))
                continue
            else:
                continue
            visits += [
                _Visit(inner, (step, name), specs.get(name, _VALUE), depth, str(name), owner)
                for name, inner in item.items()
            ]
        return visits

    def _measure(self, entry: Entry | None, config: Json, value: dict[str, Json]) -> int:
        if entry is None or entry.kind not in _LAYER_KINDS:
            return 0
        self.layers += 1
        if not isinstance(config, dict):
            return 0
        size = allocation.estimate(entry, config, value.get("build_config"), self._width)
        self._width = allocation.width_after(entry, config, self._width)
        self.allocation += size
        return size

    # Names of instances.

    def _instance_name(
        self, value: dict[str, Json], config: Json, entry: Entry | None, visit: _Visit
    ) -> None:
        if entry is not None and entry.kind not in _LAYER_KINDS:
            return
        for name in _instance_names(value, config, keras0=self._keras0):
            if not isinstance(name, str) or not is_path_component(name):
                text = f"{name!r:.80} cannot be a layer's name"
                self._own.append(Objection("SS325", text, pointer(visit.path)))

    def _unique_names(self, nodes: Json, path: Path) -> None:
        """Layers of one container are told apart by name, in the graph and in the weights."""
        if self._keras0 or not isinstance(nodes, list | tuple):
            return  # Keras 0 numbered its layers and named none
        seen = set()
        for node in nodes:
            config = node.get("config") if isinstance(node, dict) else None
            name = config.get("name") if isinstance(config, dict) else None
            if isinstance(node, dict):
                name = node.get("name", name)
            if not isinstance(name, str):
                continue
            if name in seen:
                text = f"two layers named {name!r:.80}"
                self._own.append(Objection("SS326", text, pointer(path)))
            seen.add(name)

    # Writing down.

    def _lambda_argument(self, path: Path) -> None:
        self._own.append(Objection("SS303", "code that the file itself carries", pointer(path)))

    def _refuse(self, visit: _Visit, code: str, detail: str) -> None:
        """An objection to an argument, found after its node was written down."""
        objection = Objection(code, detail, pointer(visit.path), visit.argument)
        if visit.owner < 0:
            self.objections.append(objection)
            return
        request = self.requests[visit.owner]
        if len(request.objections) < _ENOUGH_OBJECTIONS:
            changed = request._replace(objections=(*request.objections, objection))
            self.requests[visit.owner] = changed

    def _problem(self, resolution: Resolution, visit: _Visit) -> Iterable[Objection]:
        if resolution.code:
            yield Objection(resolution.code, resolution.problem, pointer(visit.path))

    def _misplaced(self, resolution: Resolution, visit: _Visit) -> tuple[Objection, ...]:
        field = visit.spec.field
        kinds = ACCEPTS.get(field)
        here = pointer(visit.path)
        if kinds is None:
            text = f"{resolution.symbol} in a field that holds {field}, where no object may stand"
            return (Objection("SS313", text, here, visit.argument),)
        if accepted(resolution, kinds):
            return ()
        kind = resolution.entry.kind if resolution.entry is not None else "another kind"
        text = f"{resolution.symbol} ({kind}) may not stand where {field} is expected"
        return (Objection("SS311", text, here),)

    def _request(
        self,
        visit: _Visit,
        action: Action,
        resolution: Resolution,
        written: str,
        objections: tuple[Objection, ...] = (),
        arguments: Mapping[str, Json] | None = None,
        size: int = 0,
    ) -> None:
        entry = resolution.entry
        name = arguments.get("name") if arguments is not None else None
        self.requests.append(
            Request(
                self.part.member,
                pointer(visit.path),
                visit.spec.field,
                action,
                resolution.symbol,
                entry.kind if entry is not None else None,
                resolution.origin,
                written,
                name if isinstance(name, str) else "",
                entry.effects if entry is not None else (),
                objections,
                tuple(self._notes) if action is Action.CONSTRUCT else (),
                arguments,
                size,
                visit.depth,
            )
        )
        self._notes = []


def _names(value: dict[str, Json], function: Json = MISSING) -> Names:
    return Names(
        value.get("module", MISSING),
        value.get("class_name", MISSING),
        value.get("registered_name", MISSING),
        function,
    )


def _written(names: Names) -> str:
    parts = [f"{names.module}." if isinstance(names.module, str) else "", f"{names.class_name}"]
    if isinstance(names.registered_name, str):
        parts.append(f" registered as {names.registered_name!r}")
    return "".join(parts)[:400]


def _instance_names(value: dict[str, Json], config: Json, *, keras0: bool) -> list[Json]:
    found = [] if keras0 else [value.get("name")]
    if isinstance(config, dict):
        found.append(config.get("custom_name") if keras0 else config.get("name"))
    return [name for name in found if name is not None]


def _is_keras0(value: Json) -> bool:
    """Keras 0.x: an object is a dict whose `name` is its class, its arguments beside it."""
    return (
        isinstance(value, dict)
        and "class_name" not in value
        and value.get("name") in ("Sequential", "Graph")
        and ("layers" in value or "nodes" in value)
    )


def _is_keras0_node(value: dict[str, Json], spec: FieldSpec) -> bool:
    return spec.field in OBJECT_FIELDS and isinstance(value.get("name"), str)


def _is_layer_list(value: list[Json]) -> bool:
    return bool(value) and all(isinstance(item, dict) and "class_name" in item for item in value)


def _is_function_dump(value: list[Json] | tuple[Json, ...]) -> bool:
    """Keras's `func_dump`: [code, defaults, closure]."""
    return len(value) == 3 and isinstance(value[0], str)  # noqa: PLR2004


def _marks_code(value: Mapping[str, Json]) -> bool:
    """Keras 2's way to say that an argument beside it holds bytecode."""
    return any(
        item == "lambda" and isinstance(key, str) and key.endswith("_type")
        for key, item in value.items()
    )


def _is_plain_key(key: str) -> bool:
    return not looks_encoded(key)
