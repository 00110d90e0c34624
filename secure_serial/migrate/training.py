"""What a model was compiled with, as `.h5` files hold it: optimizer, losses and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.migrate.context import node_of, plain
from secure_serial.migrate.objects import migrate_instance, migrate_object
from secure_serial.plan.fields import Field

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.migrate.context import Context
    from secure_serial.plan.path import Path

_FIELDS = {
    "loss": Field.LOSS,
    "metrics": Field.METRIC,
    "weighted_metrics": Field.METRIC,
}
_DECAY = "keras.optimizers.schedules.InverseTimeDecay"


def migrate_training(root: Json, context: Context) -> Json:
    """A training_config."""
    config = context.a_dict(plain(root), None, "a training_config")
    new = dict(config)
    optimizer = config.get("optimizer_config")
    if isinstance(optimizer, dict):
        new["optimizer_config"] = _optimizer(optimizer, (None, "optimizer_config"), context)
    for key, field in _FIELDS.items():
        if key in config:
            new[key] = migrate_object(config[key], field, (None, key), context)
    new.setdefault("loss_weights", None)  # Keras 3 asks for it
    return new


def _optimizer(node: dict[str, Any], path: Path, context: Context) -> Json:
    if not context.is_old(node):
        return node
    found = context.resolve(node, Field.OPTIMIZER)
    if not context.is_known(found) or found.symbol not in context.catalogue:
        return node
    config = dict(context.a_dict(node.get("config") or {}, path, "an optimizer's config"))
    decay = config.get("decay")
    rate = config.pop("lr", config.get("learning_rate"))
    if isinstance(decay, int | float) and decay > 0 and "schedule_decay" not in config:
        # Keras 2: lr / (1 + decay * iterations), which is this schedule at a step of one.
        del config["decay"]
        schedule = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay}
        rate = node_of(_DECAY, schedule)
    if rate is not None:
        config["learning_rate"] = rate
    return migrate_instance(found.symbol, config, (path, "config"), context)
