"""Models: Sequential in the four notations it has had, and graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.migrate import weights
from secure_serial.migrate.context import node_of, quoted
from secure_serial.migrate.graph import migrate_graph
from secure_serial.migrate.layers import layer_name, migrate_layer, symbol_of
from secure_serial.plan.encodings import DTYPES
from secure_serial.plan.fields import Kind

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.migrate.context import Context
    from secure_serial.plan.path import Path

_SEQUENTIAL = "keras.Sequential"
_FUNCTIONAL = "keras.src.models.functional.Functional"
_INPUT = "keras.layers.InputLayer"
_EMBEDDING = "keras.layers.Embedding"
#: Layers whose input_dim was the last of three axes, input_length the second.
_SEQUENCES = frozenset(
    f"keras.layers.{name}" for name in ("LSTM", "GRU", "SimpleRNN", "Conv1D", "Bidirectional")
) | {"keras.legacy.layers.TimeDistributedDense"}
_MOST_LEVELS = 40
#: What Keras calls the first Sequential of a program; Keras 0 and 1 did not write names.
_UNNAMED = "sequential"


def migrate_root(root: Json, context: Context) -> Json:
    """A whole document: a model, or any object that is serialized alone."""
    if isinstance(root, list):  # a Sequential of early Keras is the list of its layers
        return _sequential(_SEQUENTIAL, {"layers": root}, None, None, context)
    node = context.a_dict(root, None, "the config")
    if context.keras0:
        if node.get("name") != "Sequential":
            context.refuse(None, "the containers of Keras 0 called Graph")
        layers = context.a_list(node.get("layers"), None, "layers")
        return _sequential(_SEQUENTIAL, {"layers": layers}, None, None, context)
    return migrate_layer(node, None, context)


def migrate_model(node: dict[str, Any], path: Path, context: Context) -> dict[str, Any]:
    """A model of Keras's own, at the top or within another."""
    weights.note_model(context)
    symbol = symbol_of(node, context)
    inner, below = node.get("config"), (path, "config")
    if symbol == _SEQUENTIAL:
        name = layer_name(node) or node.get("name")
        return _sequential(symbol, inner, name, below, context)
    why = context.tables.impossible.get(str(symbol))
    if why is not None or context.catalogue.entry(str(symbol)).legacy:
        context.refuse(path, f"{symbol}: {why or 'Keras 3 has nothing that does the same'}")
    config = context.a_dict(inner, below, "a model's config")
    if "layers" not in config:
        context.refuse(below, "a model that does not tell its layers")
    return node_of(_FUNCTIONAL, migrate_graph(config, below, context))


def _sequential(
    symbol: str, inner: Json, name: Json, path: Path, context: Context
) -> dict[str, Any]:
    config = {"layers": inner} if isinstance(inner, list) else inner
    config = context.a_dict(config, path, "a Sequential's config")
    at: Path = path if inner is not config else (path, "layers")
    layers = []
    for number, each in enumerate(context.a_list(config.get("layers"), at, "layers")):
        layer = context.a_dict(each, (at, number), "a layer")
        layer = _spelled(layer) if context.keras0 else layer
        if not isinstance(layer.get("class_name"), str):
            context.refuse((at, number), "a layer that names no class")
        layers.append(layer)
    if layers and symbol_of(layers[0], context) == "keras.legacy.layers.Merge":
        context.refuse((at, 0), "a Sequential that begins with a Merge of models")
    new: dict[str, Any] = {"name": name if isinstance(name, str) else _UNNAMED}
    first = _input(layers, at, context)
    made = [] if first is None else [first]
    for number, layer in enumerate(layers):
        context.deeper((at, number))
        made.append(migrate_layer(layer, (at, number), context))
        weights.take(layer_name(layer), context)
        context.level -= 1
    new["layers"] = made
    shape = config.get("build_input_shape")
    if shape is not None and first is None:
        new["build_input_shape"] = shape
    if isinstance(config.get("trainable"), bool):
        new["trainable"] = config["trainable"]
    return node_of(symbol, new)


def _spelled(layer: dict[str, Any]) -> dict[str, Any]:
    """A layer of Keras 0, whose `name` is its class, with its arguments in a config."""
    if "class_name" in layer:
        return layer
    config = {key: item for key, item in layer.items() if key != "name"}
    return {"class_name": layer.get("name"), "config": config}


# What goes into a Sequential: earlier Keras told its first layer.


def _input(layers: list[dict[str, Any]], path: Path, context: Context) -> dict[str, Any] | None:
    if not layers or symbol_of(layers[0], context) == _INPUT or not context.is_old(layers[0]):
        return None
    found = _first_shape(layers[0], context, 0)
    if found is None:
        return None
    shape, dtype = found
    if not all(n is None or type(n) is int for n in shape):
        context.refuse(path, f"an input of the shape {quoted(shape)}")
    name = layer_name(layers[0])
    config: dict[str, Any] = {"batch_shape": shape, "dtype": dtype}
    used = {layer_name(layer) for layer in layers}
    if name is not None and f"{name}_input" not in used:
        config["name"] = f"{name}_input"
    return node_of(_INPUT, config)


def _first_shape(
    layer: dict[str, Any], context: Context, level: int
) -> tuple[list[Json], str] | None:
    """The shape and the type of what goes into a layer, where its config tells."""
    config = layer.get("config")
    symbol = symbol_of(layer, context)
    entry = context.catalogue.entry(symbol) if symbol is not None else None
    if entry is not None and entry.kind is Kind.MODEL:
        return _of_model(config, context, level)
    if not isinstance(config, dict):
        return None
    dtype = _type(config, symbol)
    whole, rest = config.get("batch_input_shape"), config.get("input_shape")
    if isinstance(whole, list):
        return whole, dtype
    if isinstance(rest, list):
        return [config.get("batch_size"), *rest], dtype
    wide, length = config.get("input_dim"), config.get("input_length")
    if symbol == _EMBEDDING:
        return ([None, length], dtype) if "input_length" in config and context.keras0 else None
    if type(wide) is int:
        return ([None, length, wide] if symbol in _SEQUENCES else [None, wide]), dtype
    inner = config.get("layer")
    if symbol == "keras.layers.Bidirectional" and isinstance(inner, dict) and level < _MOST_LEVELS:
        return _first_shape(inner, context, level + 1)
    return None


def _of_model(config: Json, context: Context, level: int) -> tuple[list[Json], str] | None:
    layers = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(layers, list) or not layers or level > _MOST_LEVELS:
        return None
    if isinstance(config, dict) and "input_layers" in config:
        ends = config["input_layers"]
        while isinstance(ends, list) and len(ends) == 1:
            ends = ends[0]
        name = ends[0] if isinstance(ends, list) and ends else None
        layers = [each for each in layers if isinstance(each, dict) and each.get("name") == name]
    first = layers[0] if layers else None
    if not isinstance(first, dict):
        return None
    inner = first.get("config")
    if symbol_of(first, context) == _INPUT and isinstance(inner, dict):
        shape = inner.get("batch_input_shape", inner.get("batch_shape"))
        return (shape, _type(inner, _INPUT)) if isinstance(shape, list) else None
    return _first_shape(first, context, level + 1)


def _type(config: dict[str, Any], symbol: str | None) -> str:
    """The type of the input. An Embedding's own is that of its weights, and any will do."""
    given = config.get("input_dtype")
    if given is None and symbol != _EMBEDDING:
        given = config.get("dtype")
    return given if isinstance(given, str) and given in DTYPES else "float32"
