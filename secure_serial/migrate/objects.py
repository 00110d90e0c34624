"""Objects in arguments: initializers, regularizers, constraints, activations, dtypes.

A name of an earlier Keras becomes today's; what no table knows stays as it is, for the
policy to judge. What only training sees (the distribution of fresh weights, the factor of a
penalty) is what today's Keras makes of the same name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.migrate.arguments import apply_rows, check_complete
from secure_serial.migrate.context import node_of, quoted
from secure_serial.plan.fields import OBJECT_FIELDS, Field, Kind
from secure_serial.plan.names import resolve_identifier

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.migrate.context import Context
    from secure_serial.plan.path import Path

#: Keras 1 and 2 have max(0, min(1, x/5 + 1/2)) (keras/backend/tensorflow_backend.py of 2.2.4:
#: `x = 0.2 * x + 0.5`, clipped); Keras 3 has relu6(x + 3)/6 by the same name. These two layers
#: compute the old one.
_HARD_SIGMOID = "hard_sigmoid"
_SLOPE, _OFFSET, _TOP = 0.2, 0.5, 1.0
#: Defaults of functions that are classes with other defaults now (keras/regularizers.py, 2.15).
_FACTORS: dict[str, dict[str, Json]] = {
    "l1_l2": {"l1": 0.01, "l2": 0.01},
    "activity_l1l2": {"l1": 0.01, "l2": 0.01},
    "activity_l1": {"l1": 0.01},
    "activity_l2": {"l2": 0.01},
}
#: Classes of Keras 0 and 1 that did nothing, and bases that do nothing: as good as none.
_NOTHING = frozenset({"keras.Regularizer", "keras.constraints.Constraint"})
#: Their own rules: layers nest, and the others are no arguments.
_ELSEWHERE = frozenset({Field.LAYER, Field.GRAPH_NODE, Field.OBJECT, Field.ROOT, Field.FUNCTION})
#: How names of activations of Keras 0 are called today, where the catalogue has no other.
_ACTIVATIONS = {"time_distributed_softmax": "softmax"}


def migrate_object(value: Json, field: Field, path: Path, context: Context) -> Json:
    """An object in a field of its kind: a name, a node, or nothing."""
    if value is None or field not in OBJECT_FIELDS or field in _ELSEWHERE:
        return value
    if isinstance(value, list | tuple):
        return [migrate_object(v, field, (path, n), context) for n, v in enumerate(value)]
    if isinstance(value, str):
        return _identifier(value, field, context) if context.legacy else value
    if not isinstance(value, dict):
        return value
    if field is Field.DTYPE_POLICY:
        return _dtype(value, path, context)
    if "class_name" in value or isinstance(value.get("name"), str):
        return _node(value, field, path, context)
    return {k: migrate_object(v, field, (path, k), context) for k, v in value.items()}


def _identifier(text: str, field: Field, context: Context) -> Json:
    found = resolve_identifier(text, field, context.catalogue, context.callers)
    if found is None or not context.is_known(found):
        return text
    if field is Field.ACTIVATION and text == _HARD_SIGMOID:
        return hard_sigmoid()
    text = _ACTIVATIONS.get(text, text) if field is Field.ACTIVATION else text
    if context.catalogue.is_identifier(text, field) and text not in _FACTORS:
        return text
    if found.symbol in _NOTHING:
        return None
    if found.symbol not in context.catalogue or found.entry is None or found.entry.legacy:
        return text
    if not found.entry.is_class:
        return found.symbol.rpartition(".")[2]
    return node_of(found.symbol, dict(_FACTORS.get(text, {})))


def hard_sigmoid() -> dict[str, Any]:
    """The activation that Keras 1 and 2 called hard_sigmoid, in layers of today."""
    return node_of(
        "keras.layers.Pipeline",
        {
            "layers": [
                node_of("keras.layers.Rescaling", {"scale": _SLOPE, "offset": _OFFSET}),
                node_of("keras.layers.ReLU", {"max_value": _TOP}),
            ]
        },
    )


#: Layers that compute something else while they are trained.
_TRAINED = frozenset(
    {"Dropout", "BatchNormalization", "AlphaDropout", "GaussianDropout", "GaussianNoise",
     "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"}
)  # fmt: skip


def refuse_unsettled(root: Json, context: Context) -> None:
    """Refuse the old hard_sigmoid beside layers that training changes.

    A Pipeline takes itself to be in training where nobody says (`training=True` in its call),
    and Keras then tells the layers that follow in the same call: `model(x)` would drop out.
    """
    sensitive = turned = False
    stack = [root] if context.legacy else []
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            name = item.get("class_name")
            turned = turned or name == "Pipeline"
            sensitive = sensitive or (isinstance(name, str) and name in _TRAINED)
            sensitive = sensitive or bool(item.get("dropout") or item.get("recurrent_dropout"))
            stack += item.values()
        elif isinstance(item, list | tuple):
            stack += item
    if sensitive and turned:
        context.refuse(None, "the old hard_sigmoid beside layers that behave otherwise in training")


def _node(value: dict[str, Any], field: Field, path: Path, context: Context) -> Json:
    if not context.is_old(value):
        return value
    if value.get("class_name") == "function":
        if value.get("config") == _HARD_SIGMOID and field is Field.ACTIVATION:
            return hard_sigmoid()
        return value
    found = context.resolve(value, field)
    if not context.is_known(found) or found.entry is None:
        return value
    if found.entry.kind is Kind.LAYER:
        from secure_serial.migrate.layers import migrate_layer  # which migrates arguments

        return migrate_layer(value, path, context)
    if found.symbol in _NOTHING:
        return None
    inner = value.get("config") if "class_name" in value else value
    config = dict(context.a_dict({} if inner is None else inner, path, "the config"))
    if inner is value:
        del config["name"]
    return migrate_instance(found.symbol, config, (path, "config"), context)


def migrate_instance(symbol: str, config: dict[str, Any], path: Path, context: Context) -> Json:
    """A node of a class that is no layer, from its arguments."""
    _refuse_legacy(symbol, path, context)
    symbol, config = apply_rows(symbol, config, path, context)
    check_complete(symbol, config, path, context)
    return node_of(symbol, migrate_fields(symbol, config, path, context))


def migrate_fields(
    symbol: str, config: dict[str, Any], path: Path, context: Context
) -> dict[str, Any]:
    """The arguments of a class with the objects in them migrated, but for layers."""
    entry = context.catalogue.entry(symbol)
    return {
        name: migrate_object(
            value, context.catalogue.spec(entry, name).field, (path, name), context
        )
        for name, value in config.items()
    }


def _refuse_legacy(symbol: str, path: Path, context: Context) -> None:
    if symbol not in context.catalogue or not context.catalogue.entry(symbol).legacy:
        return
    why = context.tables.impossible.get(symbol, "Keras 3 has nothing that does the same")
    context.refuse(path, f"{symbol}: {why}")


def _dtype(value: dict[str, Any], path: Path, context: Context) -> Json:
    """Keras 2's policies: `{"class_name": "Policy", "config": {"name": "mixed_float16"}}`."""
    if not context.is_old(value) or value.get("class_name") not in ("Policy", "PolicyV1"):
        return value
    config = context.a_dict(value.get("config"), path, "the config of a dtype policy")
    name = config.get("name")
    more = [key for key in config if key != "name" and config[key] is not None]
    if not isinstance(name, str) or more:
        context.refuse(path, f"a dtype policy with {quoted(more[0] if more else name)}")
    return None if name in ("infer", "_infer") else node_of("keras.DTypePolicy", {"name": name})
