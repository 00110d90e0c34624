"""One small instance of every modelling class of Keras: to measure, and to prove round trips.

`instances()` yields the canonical name of a class and a function that makes an instance. A
class that can be made without arguments needs no row here; one that cannot be made (see
`NOT_MADE`, with the reason) is skipped. The generator fails on a class that is neither.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Arguments = dict[str, object]

_PLANE: Arguments = {"height": 4, "width": 4}
_CONV: Arguments = {"filters": 2, "kernel_size": 3}
_STFT: Arguments = {"sequence_length": 8, "sequence_stride": 4, "fft_length": 8}
_BASE_LR: Arguments = {"initial_learning_rate": 0.1}
_GPTQ: Arguments = {"dataset": None, "tokenizer": None}

#: Arguments that are plain values, by canonical name.
ARGUMENTS: dict[str, Arguments] = {
    "keras.Optimizer": {"learning_rate": 0.1},
    "keras._legacy.layers.AlphaDropout": {"rate": 0.5},
    "keras._legacy.layers.RandomHeight": {"factor": 0.1},
    "keras._legacy.layers.RandomWidth": {"factor": 0.1},
    "keras.dtype_policies.AWQDTypePolicy": {"mode": "awq/4/-1", "source_name": "float32"},
    "keras.dtype_policies.GPTQDTypePolicy": {"mode": "gptq/4/-1", "source_name": "float32"},
    "keras.dtype_policies.Int4DTypePolicy": {"mode": "int4/128", "source_name": "float32"},
    "keras.dtype_policies.QuantizedDTypePolicy": {"mode": "int8", "source_name": "float32"},
    "keras.dtype_policies.QuantizedFloat8DTypePolicy": {
        "mode": "float8",
        "source_name": "float32",
    },
    "keras.layers.Activation": {"activation": "relu"},
    **{
        f"keras.layers.Adaptive{kind}Pooling{rank}D": {"output_size": 2}
        for kind in ("Average", "Max")
        for rank in (1, 2, 3)
    },
    "keras.layers.AlphaDropout": {"rate": 0.5},
    **{f"keras.layers.AveragePooling{rank}D": {"pool_size": 2} for rank in (1, 2, 3)},
    "keras.layers.CategoryEncoding": {"num_tokens": 4},
    "keras.layers.CenterCrop": _PLANE,
    **{f"keras.layers.Conv{rank}D": _CONV for rank in (1, 2, 3)},
    **{f"keras.layers.Conv{rank}DTranspose": _CONV for rank in (1, 2, 3)},
    **{f"keras.layers.ConvLSTM{rank}D": _CONV for rank in (1, 2, 3)},
    "keras.layers.Dense": {"units": 2},
    **{f"keras.layers.DepthwiseConv{rank}D": {"kernel_size": 3} for rank in (1, 2)},
    "keras.layers.Discretization": {"bin_boundaries": [0.0, 1.0]},
    "keras.layers.Dot": {"axes": 1},
    "keras.layers.Dropout": {"rate": 0.5},
    "keras.layers.EinsumDense": {"equation": "ab,bc->ac", "output_shape": 2},
    "keras.layers.Embedding": {"input_dim": 4, "output_dim": 2},
    "keras.layers.GRU": {"units": 2},
    "keras.layers.GRUCell": {"units": 2},
    "keras.layers.GaussianDropout": {"rate": 0.5},
    "keras.layers.GaussianNoise": {"stddev": 0.5},
    "keras.layers.GroupQueryAttention": {
        "head_dim": 2,
        "num_query_heads": 2,
        "num_key_value_heads": 2,
    },
    "keras.layers.InputLayer": {"shape": (4,)},
    "keras.layers.LSTM": {"units": 2},
    "keras.layers.LSTMCell": {"units": 2},
    "keras.layers.MaxNumBoundingBoxes": {"max_number": 4},
    "keras.layers.MultiHeadAttention": {"num_heads": 2, "key_dim": 2},
    "keras.layers.Permute": {"dims": (2, 1)},
    "keras.layers.RandomBrightness": {"factor": 0.1},
    "keras.layers.RandomColorDegeneration": {"factor": 0.1},
    "keras.layers.RandomContrast": {"factor": 0.1},
    "keras.layers.RandomCrop": _PLANE,
    "keras.layers.RandomHue": {"factor": 0.1},
    "keras.layers.RandomPosterization": {"factor": 4},
    "keras.layers.RandomRotation": {"factor": 0.1},
    "keras.layers.RandomSaturation": {"factor": 0.1},
    "keras.layers.RandomSharpness": {"factor": 0.1},
    "keras.layers.RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "keras.layers.RandomZoom": {"height_factor": 0.1},
    "keras.layers.RepeatVector": {"n": 2},
    "keras.layers.Rescaling": {"scale": 0.5},
    "keras.layers.Reshape": {"target_shape": (2, 2)},
    "keras.layers.Resizing": _PLANE,
    "keras.layers.ReversibleEmbedding": {"input_dim": 4, "output_dim": 2},
    **{f"keras.layers.SeparableConv{rank}D": _CONV for rank in (1, 2)},
    "keras.layers.SimpleRNN": {"units": 2},
    "keras.layers.SimpleRNNCell": {"units": 2},
    **{f"keras.layers.SpatialDropout{rank}D": {"rate": 0.5} for rank in (1, 2, 3)},
    "keras.metrics.BinaryIoU": {"target_class_ids": [0, 1]},
    "keras.metrics.IoU": {"num_classes": 2, "target_class_ids": [0]},
    "keras.metrics.MeanIoU": {"num_classes": 2},
    "keras.metrics.OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
    "keras.metrics.OneHotMeanIoU": {"num_classes": 2},
    "keras.metrics.PrecisionAtRecall": {"recall": 0.5},
    "keras.metrics.RecallAtPrecision": {"precision": 0.5},
    "keras.metrics.SensitivityAtSpecificity": {"specificity": 0.5},
    "keras.metrics.SpecificityAtSensitivity": {"sensitivity": 0.5},
    "keras.optimizers.schedules.CosineDecay": {**_BASE_LR, "decay_steps": 10},
    "keras.optimizers.schedules.CosineDecayRestarts": {**_BASE_LR, "first_decay_steps": 10},
    "keras.optimizers.schedules.ExponentialDecay": {
        **_BASE_LR,
        "decay_steps": 10,
        "decay_rate": 0.9,
    },
    "keras.optimizers.schedules.InverseTimeDecay": {
        **_BASE_LR,
        "decay_steps": 10,
        "decay_rate": 0.9,
    },
    "keras.optimizers.schedules.PiecewiseConstantDecay": {
        "boundaries": [10],
        "values": [0.1, 0.01],
    },
    "keras.optimizers.schedules.PolynomialDecay": {**_BASE_LR, "decay_steps": 10},
    "keras.quantizers.AWQConfig": _GPTQ,
    "keras.quantizers.GPTQConfig": _GPTQ,
    "keras.src.applications.convnext.LayerScale": {"init_values": 0.1, "projection_dim": 2},
    "keras.src.applications.convnext.StochasticDepth": {"drop_path_rate": 0.1},
    "keras.src.applications.inception_resnet_v2.CustomScaleLayer": {"scale": 0.5},
    "keras.src.layers.preprocessing.feature_space.Cross": {
        "feature_names": ("a", "b"),
        "crossing_dim": 4,
    },
    "keras.src.layers.preprocessing.feature_space.TFDConcat": {"axis": -1},
    "keras.src.layers.rnn.conv_lstm.ConvLSTMCell": {"rank": 1, **_CONV},
    "keras.src.ops.core.Cast": {"dtype": "float32"},
    "keras.src.ops.core.SaturateCast": {"dtype": "float32"},
    "keras.src.ops.core.Scatter": {"shape": (2,)},
    "keras.src.ops.core.Slice": {"shape": (2,)},
    "keras.src.ops.image.ExtractPatches": {"size": 2},
    "keras.src.ops.image.MapCoordinates": {"order": 1},
    "keras.src.ops.image.Resize": {"size": (2, 2)},
    "keras.src.ops.image.ScaleAndTranslate": {"spatial_dims": (0, 1), "method": "linear"},
    "keras.src.ops.math.ExtractSequences": {"sequence_length": 8, "sequence_stride": 4},
    "keras.src.ops.math.ISTFT": _STFT,
    "keras.src.ops.math.InTopK": {"k": 1},
    "keras.src.ops.math.STFT": _STFT,
    "keras.src.ops.math.TopK": {"k": 1},
    "keras.src.ops.nn.AdaptiveAveragePool": {"output_size": 2},
    "keras.src.ops.nn.AdaptiveMaxPool": {"output_size": 2},
    "keras.src.ops.nn.AveragePool": {"pool_size": 2},
    "keras.src.ops.nn.BatchNorm": {"axis": -1},
    "keras.src.ops.nn.DepthToSpace": {"block_size": 2},
    "keras.src.ops.nn.Fold": {"output_size": (4, 4), "kernel_size": 2},
    "keras.src.ops.nn.MaxPool": {"pool_size": 2},
    "keras.src.ops.nn.Moments": {"axes": (0,)},
    "keras.src.ops.nn.MultiHot": {"num_classes": 2},
    "keras.src.ops.nn.OneHot": {"num_classes": 2},
    "keras.src.ops.nn.PSNR": {"max_val": 1.0},
    "keras.src.ops.nn.SpaceToDepth": {"block_size": 2},
    "keras.src.ops.nn.Threshold": {"threshold": 0.0, "default_value": 0.0},
    "keras.src.ops.nn.Unfold": {"kernel_size": 2},
    "keras.src.ops.numpy.Argpartition": {"kth": 1},
    **{
        f"keras.src.ops.numpy.{name}": {"indices_or_sections": 2}
        for name in ("ArraySplit", "Dsplit", "Hsplit", "Split", "Vsplit")
    },
    "keras.src.ops.numpy.BroadcastTo": {"shape": (2,)},
    "keras.src.ops.numpy.Clip": {"x_min": 0.0, "x_max": 1.0},
    "keras.src.ops.numpy.Einsum": {"subscripts": "ab,bc->ac"},
    "keras.src.ops.numpy.ExpandDims": {"axis": 0},
    "keras.src.ops.numpy.Full": {"shape": (2,)},
    "keras.src.ops.numpy.Moveaxis": {"source": 0, "destination": 1},
    "keras.src.ops.numpy.Pad": {"pad_width": 1},
    "keras.src.ops.numpy.Repeat": {"repeats": 2},
    "keras.src.ops.numpy.Reshape": {"newshape": (2, 2)},
    "keras.src.ops.numpy.Roll": {"shift": 1},
    "keras.src.ops.numpy.Swapaxes": {"axis1": 0, "axis2": 1},
    "keras.src.ops.numpy.Tile": {"repeats": 2},
    "keras.src.ops.numpy.UnravelIndex": {"shape": (2, 2)},
}

#: What older versions ask for besides.
OLDER: dict[str, Arguments] = {
    "keras.quantizers.AbsMaxQuantizer": {"axis": 0},
    "keras.src.ops.core.ConvertToTensor": {"dtype": "float32", "sparse": False},
    "keras.src.ops.image.CropImages": {
        f"{word}_cropping": 0 for word in ("top", "left", "bottom", "right")
    }
    | {"target_height": 1, "target_width": 1},
    "keras.src.ops.image.ExtractPatches3D": {"size": 2},
    "keras.src.ops.nn.BatchNorm": {"epsilon": 0.1},
    "keras.src.ops.nn.ConvTranspose": {"strides": 1},
    "keras.src.ops.nn.RMSNorm": {"scale": 1.0},
    "keras.src.ops.nn.Threshold": {"threshold_value": 0.0, "value": 0.0},
    "keras.src.ops.numpy.Kaiser": {"beta": 1.0},
}

#: The versions in which a class cannot be made, or told its config, for a fault of its own.
FAULTY = {
    "keras.src.layers.preprocessing.image_preprocessing.random_shear.RandomShear": ("3.6.",),
    "keras.src.ops.numpy.UnravelIndex": ("3.8.", "3.10."),
}

#: Classes that are not made, with the reason.
NOT_MADE: dict[str, str] = {
    "keras.Quantizer": "abstract",
    "keras.Regularizer": "abstract",
    "keras._legacy.layers.ThresholdedReLU": "needs TensorFlow, which the catalogue does without",
    "keras._legacy.preprocessing.sequence.TimeseriesGenerator": "its get_config fails in 3.15",
    "keras.layers.FlaxLayer": "needs Flax",
    "keras.layers.HashedCrossing": "needs TensorFlow",
    "keras.layers.Hashing": "needs TensorFlow",
    "keras.layers.IntegerLookup": "needs TensorFlow",
    "keras.layers.JaxLayer": "holds a Python function of the caller's",
    "keras.layers.StringLookup": "needs TensorFlow",
    "keras.layers.TFSMLayer": "needs a SavedModel on disk",
    "keras.layers.TextVectorization": "needs TensorFlow",
    "keras.layers.TorchModuleWrapper": "needs PyTorch, and holds a pickle",
    "keras.optimizers.schedules.LearningRateSchedule": "abstract",
    "keras.src.ops.core.ForiLoop": "holds a Python function of the caller's",
    "keras.src.ops.core.VectorizedMap": "holds a Python function of the caller's",
    "keras.src.ops.core.WhileLoop": "holds a Python function of the caller's",
    "keras.utils.FeatureSpace": "needs TensorFlow",
}


def _functional(keras: Any) -> Any:
    inputs = keras.Input((2,))
    return keras.Model(inputs, keras.layers.Dense(2)(inputs))


def _feature(keras: Any) -> Any:
    from keras.src.layers.preprocessing.feature_space import Feature

    return Feature("float32", keras.layers.Rescaling(0.5), "float")


def _loss_wrapper(keras: Any) -> Any:
    from keras.src.losses.losses import LossFunctionWrapper

    return LossFunctionWrapper(keras.losses.mean_squared_error)


def _optimizer_map(keras: Any) -> Any:
    from keras.optimizers import OptimizerMap

    return OptimizerMap(keras.optimizers.Adam(), {"kernel": keras.optimizers.SGD()})


#: Classes that hold other objects.
MAKERS: dict[str, Callable[[Any], Any]] = {
    "keras.distillation.Distiller": lambda k: k.distillation.Distiller(
        _functional(k), _functional(k), k.distillation.LogitsDistillation()
    ),
    "keras.dtype_policies.DTypePolicyMap": lambda k: k.dtype_policies.DTypePolicyMap(
        k.DTypePolicy("float32"), {"dense": k.DTypePolicy("bfloat16")}
    ),
    "keras.layers.Bidirectional": lambda k: k.layers.Bidirectional(k.layers.LSTM(2)),
    "keras.layers.Lambda": lambda k: k.layers.Lambda(k.activations.relu, output_shape=(2,)),
    "keras.layers.Pipeline": lambda k: k.layers.Pipeline([k.layers.Rescaling(0.5)]),
    "keras.layers.RNN": lambda k: k.layers.RNN(k.layers.LSTMCell(2)),
    "keras.layers.SpectralNormalization": lambda k: k.layers.SpectralNormalization(
        k.layers.Dense(2)
    ),
    "keras.layers.StackedRNNCells": lambda k: k.layers.StackedRNNCells([k.layers.LSTMCell(2)]),
    "keras.layers.TimeDistributed": lambda k: k.layers.TimeDistributed(k.layers.Dense(2)),
    "keras.layers.Wrapper": lambda k: k.layers.Wrapper(k.layers.Dense(2)),
    "keras.metrics.MeanMetricWrapper": lambda k: k.metrics.MeanMetricWrapper(
        k.metrics.mean_squared_error
    ),
    "keras.optimizers.LossScaleOptimizer": lambda k: k.optimizers.LossScaleOptimizer(
        k.optimizers.Adam()
    ),
    "keras.optimizers.MultiOptimizer": lambda k: k.optimizers.MultiOptimizer(_optimizer_map(k)),
    "keras.optimizers.OptimizerMap": _optimizer_map,
    "keras.src.layers.preprocessing.feature_space.Feature": _feature,
    "keras.src.losses.losses.LossFunctionWrapper": _loss_wrapper,
    "keras.src.models.functional.Functional": _functional,
    "keras.Model": _functional,
    "keras.Sequential": lambda k: k.Sequential([k.Input((2,)), k.layers.Dense(2)]),
}


def maker(name: str, cls: type) -> Callable[[], Any] | None:
    """How to make an instance of `cls`, or None where there is a reason not to."""
    import keras

    if name in NOT_MADE or keras.__version__.startswith(FAULTY.get(name, ())):
        return None
    if name in MAKERS:
        return lambda: MAKERS[name](keras)
    # Not the class's own signature: that of an operation is its __new__'s, which takes anything.
    taken = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    gathers = any(each.kind is each.VAR_KEYWORD for each in taken.values())
    given = {**ARGUMENTS.get(name, {}), **OLDER.get(name, {})}
    arguments = {key: value for key, value in given.items() if gathers or key in taken}
    return lambda: cls(**arguments)


def instances() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every modelling class that can be made here: its canonical name, and how to make one.

    >>> next(name for name, make in instances() if name == "keras.layers.Dense")
    'keras.layers.Dense'
    """
    from tools.catalogue import symbols

    for symbol in symbols.collect():
        if symbol.is_class and symbol.kind != "class":
            make = maker(symbol.name, symbol.object)
            if make is not None:
                yield symbol.name, make
