"""Which layers' stored weights earlier Keras laid out otherwise: told by layer, for the loader.

`construct/keras/old_weights.py` rearranges them, or refuses. What is told here is the kind of
each layer of the model, by name, and of what stands within it: a wrapper's layer, a model's
layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from secure_serial.migrate.context import Context

CHANNELS_FIRST: Final = ":channels_first"
#: Kinds that hold other layers: a model among the layers, and the two wrappers.
MODEL: Final = "model"
BIDIRECTIONAL: Final = "Bidirectional"
TIME_DISTRIBUTED: Final = "TimeDistributed"
_KINDS = frozenset(
    {"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D", "LSTM", "GRU",
     "SeparableConv1D", "SeparableConv2D", "DepthwiseConv2D", "CuDNNLSTM", "CuDNNGRU",
     BIDIRECTIONAL, TIME_DISTRIBUTED}
)  # fmt: skip


def note(symbol: str, config: dict[str, Any], context: Context) -> None:
    """Remember the kind of a layer whose weights may be laid out otherwise.

    Args:
        symbol: The class that the file names.
        config: Its arguments, in today's words.
        context: The migration.

    """
    kind = symbol.rpartition(".")[2]
    if kind in _KINDS:
        order = CHANNELS_FIRST if config.get("data_format") == "channels_first" else ""
        context.kinds.append(f"{kind}{order}")


def note_model(context: Context) -> None:
    """Remember a model within the model."""
    if context.level > 1:
        context.kinds.append(MODEL)


def take(name: object, context: Context) -> None:
    """What was noted belongs to the layer of this name, if it is one of the whole model's."""
    if context.level == 1:
        if context.kinds and isinstance(name, str):
            context.layouts[name] = tuple(context.kinds)
        context.kinds.clear()
