"""TensorFlow's functions in a graph (`x * 2` in the code of a model) as Keras's operations.

Only functions in the tables, and only with the arguments that a row speaks of: a function
that is not there, or an argument that would change the result, is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.migrate.context import node_of, quoted

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.migrate.context import Context
    from secure_serial.migrate.graph import Call
    from secure_serial.migrate.tables import Operation
    from secure_serial.plan.path import Path

_NODE = "keras.legacy.layers.TensorFlowOpLayer"
_FUNCTION = "keras.legacy.layers.TFOpLambda"
_SLICE = "keras.legacy.layers.SlicingOpLambda"
OLD_OPERATIONS = frozenset({_NODE, _FUNCTION, _SLICE})
_GETITEM = "__operators__.getitem"
#: Attributes of a node that name types, which its tensors have anyhow.
_TYPES = frozenset({"T", "Tidx", "Tperm", "Tshape", "Tdim", "Tmultiples", "Tpaddings"})
_KEEP = "keep_dims"


def migrate_operation(
    name: str,
    symbol: str | None,
    node: dict[str, Any],
    calls: list[Any],
    path: Path,
    context: Context,
) -> tuple[dict[str, Any], list[Any]]:
    """The operation that a layer of TensorFlow's functions is, and the calls of it."""
    config = context.a_dict(node.get("config"), path, "a layer's config")
    made: list[tuple[str, dict[str, Json], list[Any]]] = []
    for number, call in enumerate(calls):
        here: Path = ((path, "inbound_nodes"), number)
        if isinstance(call, dict):
            context.refuse(here, "a function of TensorFlow in a graph of Keras 3")
        if symbol == _NODE:
            made.append(_node(config, call, here, context))
        elif symbol == _FUNCTION:
            made.append(_function(config, call, here, context))
        else:
            made.append(_slice(config, call, here, context))
    if not made or any(each[:2] != made[0][:2] for each in made):
        context.refuse(path, f"the function {quoted(name)} called in several ways")
    settings = {**made[0][1], "name": name}
    if made[0][0].rpartition(".")[2] == "GetItem":
        del settings["name"]
    new = node_of(made[0][0], settings)
    from secure_serial.migrate.graph import Call  # which imports this module

    return new, [Call(args, {}) for _, _, args in made]


def _function(
    config: dict[str, Any], call: Call, path: Path, context: Context
) -> tuple[str, dict[str, Json], list[Any]]:
    function = config.get("function")
    operation = context.tables.functions.get(function) if isinstance(function, str) else None
    if operation is None:
        context.refuse(path, f"the function {quoted(function)} of TensorFlow")
    given = {**call.kwargs, **dict(zip(operation.tensors, call.args, strict=False))}
    return _made(operation, str(function), given, path, context)


def _node(
    config: dict[str, Any], call: Call, path: Path, context: Context
) -> tuple[str, dict[str, Json], list[Any]]:
    """A node of TensorFlow's own graph; constants fill the places that no tensor does."""
    definition = context.a_dict(config.get("node_def"), path, "a node_def")
    constants = config.get("constants") or {}
    constants = context.a_dict(constants, path, "the constants of a node")
    name = definition.get("op")
    operation = context.tables.nodes.get(name) if isinstance(name, str) else None
    if operation is None:
        context.refuse(path, f"the operation {quoted(name)} of TensorFlow")
    tensors = call.args[0] if isinstance(call.args[0], list) else call.args
    inputs = context.a_list(definition.get("input", []), path, "the inputs of a node")
    places = [str(n) for n in range(len(inputs)) if str(n) not in constants]
    if len(places) != len(tensors) or call.kwargs:
        context.refuse(path, f"the operation {quoted(name)} with other inputs than it has")
    given = {**{str(k): v for k, v in constants.items()}, **dict(zip(places, tensors, strict=True))}
    attributes = context.a_dict(definition.get("attr", {}), path, "the attributes of a node")
    for key, value in attributes.items():
        if key == _KEEP and isinstance(value, dict) and value.get("b") in (True, False):
            given[_KEEP] = value["b"]
        elif key not in _TYPES and not key.startswith("_"):
            context.refuse(path, f"the operation {quoted(name)} with the attribute {quoted(key)}")
    return _made(operation, str(name), given, path, context)


def _made(
    operation: Operation, name: str, given: dict[str, Any], path: Path, context: Context
) -> tuple[str, dict[str, Json], list[Any]]:
    settings: dict[str, Json] = dict(operation.fixed)
    args = []
    for tensor in operation.tensors:
        if tensor not in given:
            context.refuse(path, f"{quoted(name)} without its argument {quoted(tensor)}")
        args.append(given.pop(tensor))
    for key, value in given.items():
        if key in operation.settings:
            if _holds_object(value):
                context.refuse(path, f"{quoted(name)} with a tensor as its {quoted(key)}")
            settings[operation.settings[key]] = value
        elif value is not None and key != "name" and (key not in operation.ignored or value):
            context.refuse(path, f"{quoted(name)} with {quoted(key)}: {quoted(value)}")
    return operation.symbol, settings, args


def _slice(
    config: dict[str, Any], call: Call, path: Path, context: Context
) -> tuple[str, dict[str, Json], list[Any]]:
    """`x[…]`, as `SlicingOpLambda` writes it: a dict for each slice."""
    spec = call.kwargs.get("slice_spec")
    if config.get("function") != _GETITEM or set(call.kwargs) != {"slice_spec"}:
        context.refuse(path, f"the function {quoted(config.get('function'))} of TensorFlow")
    parts = spec if isinstance(spec, list) else [spec]
    key = [_part(part, path, context) for part in parts]
    return "keras.src.ops.numpy.GetItem", {}, [*call.args, key]


def _part(part: Any, path: Path, context: Context) -> Json:
    if type(part) is int:
        return part
    if isinstance(part, dict) and part.keys() == {"start", "stop", "step"}:
        if all(item is None or type(item) is int for item in part.values()):
            return {"class_name": "__slice__", "config": dict(part)}
    elif isinstance(part, dict) and part.get("class_name") == "__ellipsis__":
        return {"class_name": "__ellipsis__", "config": {}}
    return context.refuse(path, f"a slice by {quoted(part)}")


def _holds_object(value: Json) -> bool:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            return True
        if isinstance(item, list | tuple):
            stack += item
    return False
