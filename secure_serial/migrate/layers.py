"""Layers: names and arguments by the tables, and what needs more than a table.

Only layers of Keras's own are touched. A layer of the program's, or one that nobody knows,
comes out as it went in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.migrate import weights
from secure_serial.migrate.arguments import apply_rows, check_complete
from secure_serial.migrate.context import node_of, quoted
from secure_serial.migrate.objects import migrate_fields
from secure_serial.migrate.operations import OLD_OPERATIONS
from secure_serial.plan.fields import Field, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.artifact.document import Json
    from secure_serial.migrate.context import Context
    from secure_serial.plan.path import Path

    Special = Callable[[dict[str, Any], Path, Context], dict[str, Any]]

#: Keys by which earlier Keras told the first layer of a Sequential what comes in.
INPUT_KEYS = ("batch_input_shape", "input_shape", "input_dim", "input_dtype", "batch_size")
_MERGES = {
    "sum": "keras.layers.Add",
    "mul": "keras.layers.Multiply",
    "ave": "keras.layers.Average",
    "max": "keras.layers.Maximum",
    "concat": "keras.layers.Concatenate",
    "dot": "keras.layers.Dot",
}
_MERGE = "keras.legacy.layers.Merge"
_HOLDERS = ("layers", "layer", "backward_layer", "cell", "cells")
_RECURRENT = frozenset(
    f"keras.layers.{name}" for name in ("LSTM", "GRU", "LSTMCell", "GRUCell", "ConvLSTM1D",
                                        "ConvLSTM2D", "ConvLSTM3D")
)  # fmt: skip


def symbol_of(node: dict[str, Any], context: Context) -> str | None:
    """Keras's own class that a layer's node names, where it is in an old notation."""
    if not context.is_old(node):
        return None
    found = context.resolve(node, Field.GRAPH_NODE)
    if not context.is_known(found) or found.entry is None:
        return None
    name = found.symbol.rpartition(".")[2]
    today = f"keras.layers.{name}"  # where Keras keeps an old class beside it
    return today if today in context.catalogue else found.symbol


def migrate_layer(node: dict[str, Any], path: Path, context: Context) -> dict[str, Any]:
    """A layer or a model, without its place in a graph."""
    if not context.is_old(node):
        return _descend(node, path, context)
    symbol = symbol_of(node, context)
    if symbol is None:
        return node
    if context.catalogue.entry(symbol).kind is Kind.MODEL:
        from secure_serial.migrate.models import migrate_model  # models hold layers

        return migrate_model(node, path, context)
    path = (path, "config")
    inner = node.get("config")
    config = dict(context.a_dict({} if inner is None else inner, path, "a layer's config"))
    old = symbol
    if symbol == _MERGE:
        symbol, config = _merge(config, path, context)
    _possible(symbol, path, context)
    symbol, config = apply_rows(symbol, config, path, context)
    _possible(symbol, path, context)
    for name in INPUT_KEYS:
        if not (symbol == "keras.layers.Embedding" and name == "input_dim"):
            if symbol == "keras.layers.InputLayer":
                break
            config.pop(name, None)
    config.pop("input_length", None)
    for special in _SPECIAL.get(symbol, ()):
        config = special(config, path, context)
    check_complete(symbol, config, path, context)
    weights.note(old, config, context)
    config = _inner_layers(symbol, config, path, context)
    return node_of(symbol, migrate_fields(symbol, config, path, context))


def _descend(node: dict[str, Any], path: Path, context: Context) -> dict[str, Any]:
    """A node of today, in which old ones may stand as layers."""
    config = node.get("config")
    if not isinstance(config, dict):
        return node
    new = dict(config)
    for name in _HOLDERS:
        held, here = config.get(name), ((path, "config"), name)
        context.deeper(path)
        if isinstance(held, dict):
            new[name] = _in_place(held, here, context)
        elif isinstance(held, list):
            new[name] = [_in_place(each, (here, n), context) for n, each in enumerate(held)]
        context.level -= 1
    return {**node, "config": new}


def _in_place(node: Json, path: Path, context: Context) -> Json:
    """A layer with its place in a graph, which Keras reads in the old notation, too."""
    if not isinstance(node, dict) or "class_name" not in node:
        return node
    if symbol_of(node, context) in OLD_OPERATIONS:
        return node  # no such thing was ever written; the policy and Keras will say
    place = {key: node[key] for key in ("name", "inbound_nodes") if key in node}
    rest = {key: item for key, item in node.items() if key not in place}
    return {**migrate_layer(rest, path, context), **place}


def _possible(symbol: str, path: Path, context: Context) -> None:
    rows = context.tables.rows_of(symbol, "layer")
    if not context.catalogue.entry(symbol).legacy or any(row.becomes for row in rows):
        return
    why = context.tables.impossible.get(symbol, "Keras 3 has nothing that does the same")
    context.refuse(path, f"{symbol}: {why}")


def _inner_layers(
    symbol: str, config: dict[str, Any], path: Path, context: Context
) -> dict[str, Any]:
    """The layers within a wrapper, and the cells of an RNN."""
    entry = context.catalogue.entry(symbol)
    new = dict(config)
    for name, value in config.items():
        if context.catalogue.spec(entry, name).field is not Field.LAYER or value is None:
            continue
        context.deeper(path)
        if isinstance(value, dict):
            new[name] = migrate_layer(value, (path, name), context)
        elif isinstance(value, list | tuple):
            new[name] = [
                migrate_layer(v, ((path, name), n), context) if isinstance(v, dict) else v
                for n, v in enumerate(value)
            ]
        context.level -= 1
    return new


# What tables cannot say.


def _merge(config: dict[str, Any], path: Path, context: Context) -> tuple[str, dict[str, Any]]:
    """Keras 1's Merge, in a graph: the layer of Keras 2 that its mode names.

    Left out are the arguments that other modes read.
    """
    mode = config.get("mode")
    if config.get("mode_type", "raw") != "raw" or not isinstance(mode, str) or mode not in _MERGES:
        context.refuse((path, "mode"), f"Merge with the mode {quoted(mode)}")
    for name in ("output_mask", "arguments", "layers"):
        if config.get(name):
            context.refuse((path, name), f"Merge with {name}")
    kept = ("name", "trainable", "dtype")
    new: dict[str, Any] = {name: config[name] for name in kept if name in config}
    if mode == "concat":
        new["axis"] = config.get("concat_axis", -1)
    if mode == "dot":
        new["axes"] = config.get("dot_axes", -1)
        new["normalize"] = False
    return _MERGES[mode], new


def _single_axis(config: dict[str, Any], path: Path, context: Context) -> dict[str, Any]:
    """TensorFlow wrote BatchNormalization's axis as a list of one."""
    axis = config.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        return {**config, "axis": axis[0]}
    if isinstance(axis, list) or "axis" not in config:
        text = f"BatchNormalization over {'several axes' if axis else 'an axis that is not told'}"
        context.refuse((path, "axis"), text)
    return config


def _told_format(config: dict[str, Any], path: Path, context: Context) -> dict[str, Any]:
    """Keras 0 and 1 could leave the order of dimensions to a setting of the machine."""
    given = config.get("data_format")
    if given == "default":
        context.refuse((path, "data_format"), "an order of dimensions that the file does not tell")
    if given is None and context.keras0:
        # Keras 0 before 0.3 knew Theano's order alone, and wrote none.
        return {**config, "data_format": "channels_first"}
    return config


def _forget_bias(config: dict[str, Any], path: Path, context: Context) -> dict[str, Any]:
    """Keras 1 named the initializer of the forget gate's bias; Keras 2 asks whether it is one."""
    if "forget_bias_init" not in config:
        return config
    new = dict(config)
    given = new.pop("forget_bias_init")
    if given not in ("one", "ones", "zero", "zeros"):
        context.refuse((path, "forget_bias_init"), f"a forget bias of {quoted(given)}")
    return {**new, "unit_forget_bias": given in ("one", "ones")}


def _told_activations(config: dict[str, Any], path: Path, context: Context) -> dict[str, Any]:
    """The default of the gates' activation is another one in each Keras, so it must be told."""
    if "recurrent_activation" not in config:
        context.refuse(path, "a recurrent layer that does not tell its recurrent_activation")
    return config


def _both_ways(config: dict[str, Any], path: Path, context: Context) -> dict[str, Any]:
    """Keras 2 turned the second layer round; Keras 3 has it go backwards in any case."""
    del path, context
    inner = config.get("layer")
    if config.get("backward_layer") is not None or not isinstance(inner, dict):
        return config
    arguments = inner.get("config")
    if not isinstance(arguments, dict) or not arguments.get("go_backwards"):
        return config
    turned = {**arguments, "go_backwards": False, "name": f"backward_{arguments.get('name')}"}
    return {**config, "backward_layer": {**inner, "config": turned}}


_SPATIAL = [
    f"keras.layers.{name}"
    for name in ("Conv2D", "Conv3D", "MaxPooling2D", "MaxPooling3D", "AveragePooling2D",
                 "AveragePooling3D", "UpSampling2D", "UpSampling3D", "ZeroPadding2D",
                 "ZeroPadding3D", "Cropping2D", "Cropping3D", "GlobalMaxPooling2D",
                 "GlobalAveragePooling2D", "SeparableConv2D", "Conv2DTranspose",
                 "SpatialDropout2D", "SpatialDropout3D", "ConvLSTM2D")
]  # fmt: skip
_SPECIAL: dict[str, list[Special]] = {symbol: [_told_format] for symbol in _SPATIAL}
for _symbol in _RECURRENT:
    _SPECIAL.setdefault(_symbol, []).append(_told_activations)
_SPECIAL["keras.layers.LSTM"].append(_forget_bias)
_SPECIAL["keras.layers.ConvLSTM2D"].append(_forget_bias)
_SPECIAL["keras.layers.BatchNormalization"] = [_single_axis]
_SPECIAL["keras.layers.Bidirectional"] = [_both_ways]


def layer_name(node: Json) -> str | None:
    """The name of a layer, where it has one."""
    config = node.get("config") if isinstance(node, dict) else None
    name = config.get("name") if isinstance(config, dict) else None
    return name if isinstance(name, str) else None
