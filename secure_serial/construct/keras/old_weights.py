"""Stored weights of Keras 1 and 2 in the layout that today's layers have, or a refusal.

The formulas are those by which Keras 2 took weights of Keras 1, of Theano and of CuDNN
(`preprocess_weights_for_loading` in keras/engine/saving.py of 2.3, and
keras/src/saving/legacy/hdf5_format.py of 2.15, which the tests compare with). Keras 3 has none
of them: it would load such weights in the wrong order wherever the shapes happen to fit.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from secure_serial.errors import Where
from secure_serial.migrate import CannotMigrate
from secure_serial.migrate.weights import (
    BIDIRECTIONAL,
    CHANNELS_FIRST,
    MODEL,
    TIME_DISTRIBUTED,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from secure_serial.artifact.document import Document

    Arrays = list[Any]

#: What is stored apart for each gate, in the order of Keras 1: input, cell, forget, output,
#: each a kernel, a recurrent kernel and a bias; and update, reset, candidate.
_LSTM_GATES, _GRU_GATES = (0, 6, 3, 9), (0, 3, 6)
_PARTS = 3
_CUDNN_GATES = {"CuDNNLSTM": 4, "CuDNNGRU": 3}
#: Theano's convolution turns its kernel round, which the others' does not.
_TURNED = frozenset({"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D"})
#: Kinds that Keras 2 had no rule for.
_NO_RULE = frozenset({"SeparableConv1D", "SeparableConv2D", "DepthwiseConv2D"})


@contextmanager
def in_todays_layout(file: Any, document: Document) -> Iterator[Any]:
    """The open HDF5 file, or one in memory with the weights rearranged.

    Raises:
        CannotMigrate: the weights of a layer are in a layout that nobody knows how to change.

    """
    stored = file.get("model_weights")
    if not document.layouts or stored is None:
        yield file
        return
    import h5py

    first = _text(stored.attrs.get("keras_version"), "1").split(".")[0] == "1"
    theano = _text(stored.attrs.get("backend"), "tensorflow") == "theano"
    needed = {
        name: kinds for name, kinds in document.layouts.items() if _needs(kinds, first, theano)
    }
    if not needed:
        yield file
        return
    with h5py.File(io.BytesIO(), "w") as copy:
        for key, value in file.attrs.items():
            copy.attrs[key] = value
        _copy_weights(stored, copy.create_group("model_weights"), needed, first, theano, document)
        yield copy


def _text(value: Any, otherwise: str) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) else otherwise


def _needs(kinds: Sequence[str], first: bool, theano: bool) -> bool:
    """Whether weights of these kinds may be stored otherwise by such a Keras."""
    names = {kind.removesuffix(CHANNELS_FIRST) for kind in kinds}
    names -= {MODEL, BIDIRECTIONAL, TIME_DISTRIBUTED}
    return bool(names) and (first or theano or bool(names & _CUDNN_GATES.keys()))


def _copy_weights(
    source: Any,
    target: Any,
    needed: dict[str, tuple[str, ...]],
    first: bool,
    theano: bool,
    document: Document,
) -> None:
    from keras.src.legacy.saving import legacy_h5_format as h5

    for key, value in source.attrs.items():
        target.attrs[key] = value
    for name in h5.load_attributes_from_hdf5_group(source, "layer_names"):
        group = target.create_group(name)
        arrays = h5.load_subset_weights_from_hdf5_group(source[name])
        if name in needed:
            try:
                arrays = rearranged(needed[name], arrays, first=first, theano=theano)
            except CannotMigrate as error:
                where = Where(document.name, pointer=f"/model_weights/{name}")
                raise CannotMigrate(error.message, where=where) from None
        names = [f"weight_{number}" for number in range(len(arrays))]
        h5.save_attributes_to_hdf5_group(group, "weight_names", [n.encode() for n in names])
        for stored, array in zip(names, arrays, strict=True):
            group[stored] = array


def rearranged(kinds: Sequence[str], arrays: Arrays, *, first: bool, theano: bool) -> Arrays:
    """The weights of one layer, as today's layer has them.

    Args:
        kinds: The layer's kind, and of a wrapper the kind of its layer.
        arrays: As they are stored.
        first: Whether Keras 1 stored them.
        theano: Whether Theano computed with them.

    Raises:
        CannotMigrate: they cannot be rearranged.

    """
    kind, inner = kinds[0], kinds[1:]
    if kind == MODEL:
        _refuse(f"weights of {', '.join(inner)} in a model within the model")
    if kind == TIME_DISTRIBUTED and inner:
        return rearranged(inner, arrays, first=first, theano=theano)
    if kind == BIDIRECTIONAL and inner:
        half = len(arrays) // 2
        parts = (arrays[:half], arrays[half:])
        return [a for p in parts for a in rearranged(inner, p, first=first, theano=theano)]
    if not inner or kind not in (TIME_DISTRIBUTED, BIDIRECTIONAL):
        try:
            return _layer(kind, list(arrays), first, theano)
        except (IndexError, ValueError) as error:
            _refuse(f"weights of a {kind} that have not its shapes ({error})")
    return arrays


def _layer(kind: str, arrays: Arrays, first: bool, theano: bool) -> Arrays:
    channels_first = kind.endswith(CHANNELS_FIRST)
    kind = kind.removesuffix(CHANNELS_FIRST)
    if kind in _NO_RULE and (theano or (first and channels_first)):
        _refuse(f"weights of a {kind}, stored by Keras 1 or Theano")
    if kind in _CUDNN_GATES:
        return _of_cudnn(kind, arrays)
    if first:
        arrays = _of_keras1(kind, arrays, channels_first)
    if theano and kind in _TURNED:
        kernels = 2 if kind == "ConvLSTM2D" else 1
        arrays = [_turned(a) if n < kernels else a for n, a in enumerate(arrays)]
    return arrays


def _of_keras1(kind: str, arrays: Arrays, channels_first: bool) -> Arrays:
    if kind in ("LSTM", "ConvLSTM2D") and len(arrays) == _PARTS * len(_LSTM_GATES):
        arrays = _joined(arrays, _LSTM_GATES)
        if kind == "ConvLSTM2D" and channels_first:
            arrays = [a.transpose(2, 3, 1, 0) for a in arrays[:2]] + arrays[2:]
    elif kind == "GRU" and len(arrays) == _PARTS * len(_GRU_GATES):
        arrays = _joined(arrays, _GRU_GATES)
    elif kind == "Conv1D":
        arrays[0] = _of_conv1d(arrays)
    elif kind == "Conv2DTranspose":
        _refuse("weights of a Deconvolution2D of Keras 1")
    elif kind == "Conv2D" and channels_first:
        arrays[0] = arrays[0].transpose(2, 3, 1, 0)
    elif kind == "Conv3D" and channels_first:
        arrays[0] = arrays[0].transpose(2, 3, 4, 1, 0)
    return arrays


def _joined(arrays: Arrays, gates: Sequence[int]) -> Arrays:
    """One kernel, one recurrent kernel and one bias, of as many as there are gates."""
    import numpy as np

    return [np.concatenate([arrays[g + n] for g in gates], axis=-1) for n in range(_PARTS)]


def _of_conv1d(arrays: Arrays) -> Any:
    """Keras 1 computed in one dimension with kernels of two, the other of one element."""
    kernel = arrays[0]
    if kernel.ndim != 4 or (kernel.shape[1] == 1) == (kernel.shape[3] == 1):  # noqa: PLR2004
        _refuse("weights of a Convolution1D whose axes cannot be told apart")
    if kernel.shape[3] == 1:  # Theano's order of the axes
        kernel = kernel.transpose(2, 3, 1, 0)
    return kernel[:, 0, :, :]


def _turned(kernel: Any) -> Any:
    import numpy as np

    return np.flip(kernel, axis=tuple(range(kernel.ndim - 2)))


def _of_cudnn(kind: str, arrays: Arrays) -> Arrays:
    """Kernels are stored transposed, gate by gate; each gate has a bias for either kernel."""
    kernel, recurrent, bias = arrays
    gates = _CUDNN_GATES[kind]
    if bias.shape != (2 * gates * recurrent.shape[0],):
        _refuse(f"weights of a {kind} that have not its shapes")
    kernels = [
        _by_gate(kernel, gates, lambda k: k.T.reshape(k.shape, order="F")),
        _by_gate(recurrent, gates, lambda k: k.T),
    ]
    both = bias.reshape(2, -1)
    return [*kernels, both.sum(axis=0) if kind == "CuDNNLSTM" else both]


def _by_gate(kernel: Any, gates: int, change: Callable[[Any], Any]) -> Any:
    import numpy as np

    return np.hstack([change(part) for part in np.hsplit(kernel, gates)])


def _refuse(text: str) -> NoReturn:
    raise CannotMigrate(f"cannot be migrated: {text}")
