"""How stored weights of earlier Keras differ from today's: told by layer, applied by the loader.

Keras 1 stored the gates of recurrent layers apart, kernels in the order of Theano where it ran
on Theano's, and 1D kernels with one axis more; CuDNN's layers hold two biases and kernels in
blocks. `keras/engine/saving.py` of Keras 2.3 (`preprocess_weights_for_loading`) is the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from secure_serial.migrate.context import Context

CUDNN_LSTM = "cudnn-lstm"
CUDNN_GRU = "cudnn-gru"
_CUDNN = {
    "keras.legacy.layers.CuDNNLSTM": CUDNN_LSTM,
    "keras.legacy.layers.CuDNNGRU": CUDNN_GRU,
}


def note(old: str, new: str, config: dict[str, Any], context: Context) -> None:
    """Remember how the stored weights of a layer are laid out, if not as today's."""
    del new
    name = config.get("name")
    layout = _CUDNN.get(old)
    if layout is not None and isinstance(name, str):
        context.layouts[name] = layout
