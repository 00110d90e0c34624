"""The graph of a Functional model: calls of layers, from lists of references to arguments.

Keras 1 and 2 write a call as a list of `[layer, call, tensor, keyword arguments]`; today's
form has the arguments themselves, with the tensors among them. The number of a call is that of
the layer's calls in this graph. For a model within the model earlier Keras counted its own
making as the first (`kept_nodes = 1` in get_network_config of keras/engine/network.py), which
Keras 3 does for what goes out of a Functional model, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from secure_serial.migrate import weights
from secure_serial.migrate.context import quoted
from secure_serial.migrate.layers import migrate_layer, symbol_of
from secure_serial.migrate.operations import OLD_OPERATIONS, migrate_operation
from secure_serial.plan.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.artifact.document import Json
    from secure_serial.migrate.context import Context
    from secure_serial.plan.path import Path

#: TensorFlow's way to write a call whose first argument is no tensor.
CONSTANT = "_CONSTANT_VALUE"
_REF = 3  # layer, call, tensor
_STATEFUL = frozenset(
    f"keras.layers.{name}" for name in ("LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D",
                                        "ConvLSTM2D", "ConvLSTM3D", "Bidirectional")
)  # fmt: skip


class Call(NamedTuple):
    """One call of a layer, in today's form."""

    args: list[Any]
    kwargs: dict[str, Any]


class _Layer(NamedTuple):
    node: dict[str, Any]
    path: Path
    symbol: str | None
    is_model: bool
    calls: list[Any]


def migrate_graph(config: dict[str, Any], path: Path, context: Context) -> dict[str, Any]:
    """The config of a Functional model."""
    graph = _Graph(config, path, context)
    layers = [graph.layer(name) for name in graph.layers]
    kept = ("name", "trainable")
    new: dict[str, Any] = {key: config[key] for key in kept if key in config}
    new["layers"] = layers
    kinds = {node["name"]: node.get("class_name") for node in layers}
    for key in ("input_layers", "output_layers"):
        new[key] = graph.ends(config.get(key), kinds, (path, key))
    return new


class _Graph:
    def __init__(self, config: dict[str, Any], path: Path, context: Context) -> None:
        self._context = context
        self.layers: dict[str, _Layer] = {}
        for number, each in enumerate(context.a_list(config.get("layers"), path, "layers")):
            here: Path = ((path, "layers"), number)
            node = context.a_dict(each, here, "a layer")
            name = node.get("name")
            if not isinstance(node.get("class_name"), str):
                context.refuse(here, "a layer that names no class")
            if not isinstance(name, str) or name in self.layers:
                context.refuse(here, f"a layer of a graph named {quoted(name)}")
            symbol = symbol_of(node, context)
            model = symbol is not None and context.catalogue.entry(symbol).kind is Kind.MODEL
            calls = context.a_list(node.get("inbound_nodes", []), here, "inbound_nodes")
            self.layers[name] = _Layer(node, here, symbol, model, calls)
        self._first = self._first_calls(config.get("output_layers"))

    def _first_calls(self, outputs: Json) -> dict[str, int]:
        """For each model in the graph, the number that its first call has."""
        models = [name for name, layer in self.layers.items() if layer.is_model]
        used: dict[str, set[int]] = {name: set() for name in models}
        if not used:
            return {}
        for value in (outputs, *(layer.calls for layer in self.layers.values())):
            for name, call in self._references(value):
                if name in used:
                    used[name].add(call)
        first = {}
        for name, calls in used.items():
            layer = self.layers[name]
            start = min(calls, default=0)
            if start not in (0, 1) or len(calls) > len(layer.calls):
                self._context.refuse(layer.path, f"calls of the model {quoted(name)} out of count")
            first[name] = start
        return first

    def _references(self, value: Json) -> Iterator[tuple[str, int]]:
        stack = [value]
        while stack:
            item = stack.pop()
            if self._is_reference(item):
                yield item[0], item[1]
                stack += item[_REF:]
            elif isinstance(item, dict):
                stack += item.values()
            elif isinstance(item, list | tuple):
                stack += item

    def _is_reference(self, value: Any) -> TypeGuard[list[Any]]:
        return (
            isinstance(value, list | tuple)
            and len(value) in (_REF, _REF + 1)
            and isinstance(value[0], str)
            and value[0] in self.layers
            and type(value[1]) is int
            and type(value[2]) is int
        )

    # One layer.

    def layer(self, name: str) -> dict[str, Any]:
        layer, context = self.layers[name], self._context
        node = {key: item for key, item in layer.node.items() if key != "inbound_nodes"}
        at = (layer.path, "inbound_nodes")
        calls = [self._call(call, layer, (at, n)) for n, call in enumerate(layer.calls)]
        if layer.symbol in OLD_OPERATIONS:
            new, calls = migrate_operation(name, layer.symbol, node, calls, layer.path, context)
        else:
            context.deeper(layer.path)
            new = migrate_layer(node, layer.path, context)
            weights.take(name, context)
            context.level -= 1
        written = [
            c if isinstance(c, dict) else {"args": c.args, "kwargs": c.kwargs} for c in calls
        ]
        return {**new, "name": name, "inbound_nodes": written}

    def _call(self, value: Json, layer: _Layer, path: Path) -> Any:
        if isinstance(value, dict) and value.keys() == {"args", "kwargs"}:
            return value  # today's form
        found: list[dict[str, Any]] = []
        structure = self._structure(value, found, path)
        if any(each != found[0] for each in found):
            self._context.refuse(path, "a call with several sets of keyword arguments")
        kwargs = {
            key: self._tensors(item, (path, key))
            for key, item in (found[0] if found else {}).items()
            if item is not None  # what was not given
        }
        if not isinstance(structure, list):
            return Call([structure], kwargs)
        if len(structure) == 1:
            return Call(structure, kwargs)
        if layer.symbol in _STATEFUL:  # Keras 2 passed the states behind the sequence
            if "initial_state" in kwargs:
                self._context.refuse(path, "initial states of a layer in two places")
            return Call(structure[:1], {**kwargs, "initial_state": structure[1:]})
        return Call([structure], kwargs)

    def _structure(self, value: Any, found: list[dict[str, Any]], path: Path) -> Any:
        if isinstance(value, list | tuple) and len(value) == _REF + 1 and value[0] == CONSTANT:
            found.append(self._context.a_dict(value[_REF], path, "keyword arguments"))
            return self._tensors(value[2], path)
        if self._is_reference(value):
            kwargs = value[_REF] if len(value) > _REF else None
            if kwargs is not None:
                found.append(self._context.a_dict(kwargs, path, "keyword arguments"))
            return self._tensor(value)
        if isinstance(value, list | tuple) and value and not isinstance(value[0], str):
            return [self._structure(item, found, (path, n)) for n, item in enumerate(value)]
        if isinstance(value, dict) and value:
            return {k: self._structure(item, found, (path, k)) for k, item in value.items()}
        return self._context.refuse(path, f"a call with {quoted(value)}")

    def _tensors(self, value: Any, path: Path) -> Any:
        """A keyword argument, with the tensors in it."""
        if self._is_reference(value) and len(value) == _REF:
            return self._tensor(value)
        if isinstance(value, list | tuple):
            return [self._tensors(item, path) for item in value]
        if isinstance(value, dict):
            return {key: self._tensors(item, path) for key, item in value.items()}
        return value

    def _tensor(self, value: Any) -> dict[str, Any]:
        name, call, tensor = value[:_REF]
        history = [name, call - self._first.get(name, 0), tensor]
        # Keras takes the tensor that the history names; shape and type here are never read.
        config = {"shape": [], "dtype": "float32", "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}

    # Where the graph begins and ends.

    def ends(self, value: Any, kinds: dict[str, Any], path: Path) -> Any:
        """References to the inputs or outputs; a list of one is what it lists, as in Keras 2."""
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        return self._end(value, kinds, path)

    def _end(self, value: Any, kinds: dict[str, Any], path: Path) -> Any:
        if self._is_reference(value):
            name, call, tensor = value[:_REF]
            first = self._first.get(name, 0)
            return [
                name,
                call - first + (name in self._first and kinds[name] == "Functional"),
                tensor,
            ]
        if isinstance(value, list | tuple) and value and not isinstance(value[0], str):
            return [self._end(item, kinds, (path, n)) for n, item in enumerate(value)]
        if isinstance(value, dict) and value:
            return {k: self._end(item, kinds, (path, k)) for k, item in value.items()}
        return self._context.refuse(path, f"{quoted(value)} where a tensor of the graph is named")
