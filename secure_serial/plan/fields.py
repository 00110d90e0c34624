"""What may stand in a field: the vocabulary that the catalogue and the planner share.

A catalogue entry gives each constructor argument of a class one of these words, with `*`
behind it where the argument is a nest (list, tuple or dict) of such things: `"layer*"`.
"""

from __future__ import annotations

from enum import StrEnum


class Field(StrEnum):
    """The kind of field that a value stands in. Default for an unknown one: `UNKNOWN`."""

    # Fields that hold an object: a dict that names it, or a string identifier.
    LAYER = "layer"  # a layer or a whole model
    INITIALIZER = "initializer"
    REGULARIZER = "regularizer"
    CONSTRAINT = "constraint"
    ACTIVATION = "activation"
    LOSS = "loss"
    METRIC = "metric"
    OPTIMIZER = "optimizer"
    SCHEDULE = "schedule"  # a learning-rate schedule, or a plain number
    DTYPE_POLICY = "dtype_policy"
    QUANTIZATION = "quantization"
    FUNCTION = "function"  # a function from a short reviewed list (Lambda.function, wrappers)
    OBJECT = "object"  # any serializable object (FeatureSpace's features, wrappers of unknown)

    # The graph of a Functional model.
    GRAPH_NODE = "graph_node"  # an entry of Functional.layers: a layer or an operation
    GRAPH_CALL = "graph_call"  # inbound_nodes: the arguments a node is called with
    GRAPH_REF = "graph_ref"  # input_layers, output_layers: [name, node, tensor]

    # Plain values: no object may stand here.
    FLAG = "flag"  # true or false
    NUMBER = "number"  # no allocation depends on it
    SIZE = "size"  # an integer, or a few, that memory is allocated by
    SHAPE = "shape"  # a shape: integers and nulls, perhaps nested
    LABEL = "label"  # a name or an enum: short text, no path, no URL
    PATTERN = "pattern"  # a regular expression that Keras matches against names
    TEXT = "text"  # free text that is data, never opened (a word, a tokenizer's index)
    WORDS = "words"  # a vocabulary: a list of words; a string there is a path, so refused
    ARRAY = "array"  # numbers, nested
    VALUE = "value"  # any plain JSON: numbers, short text, nests of them
    ASSET = "asset"  # names a file: refused
    BLOB = "blob"  # opaque bytes that something later decodes: refused

    ROOT = "root"  # where a document starts: anything the policy allows
    UNKNOWN = "unknown"  # the catalogue does not know this argument


#: Fields that a serialized object may stand in.
OBJECT_FIELDS = frozenset(
    {
        Field.LAYER,
        Field.INITIALIZER,
        Field.REGULARIZER,
        Field.CONSTRAINT,
        Field.ACTIVATION,
        Field.LOSS,
        Field.METRIC,
        Field.OPTIMIZER,
        Field.SCHEDULE,
        Field.DTYPE_POLICY,
        Field.QUANTIZATION,
        Field.FUNCTION,
        Field.OBJECT,
        Field.GRAPH_NODE,
        Field.ROOT,
    }
)


class Kind(StrEnum):
    """What a symbol of the catalogue is."""

    LAYER = "layer"
    MODEL = "model"
    OPERATION = "operation"
    INITIALIZER = "initializer"
    REGULARIZER = "regularizer"
    CONSTRAINT = "constraint"
    ACTIVATION = "activation"  # a function
    LOSS = "loss"  # class or function
    METRIC = "metric"  # class or function
    OPTIMIZER = "optimizer"
    SCHEDULE = "schedule"
    DTYPE_POLICY = "dtype_policy"
    QUANTIZER = "quantizer"  # quantizers and quantization configs
    PREPROCESSOR = "preprocessor"  # FeatureSpace's parts, Keras 2's Tokenizer
    SEED = "seed"  # the state of a random layer
    FUNCTION = "function"  # any other public function
    CLASS = "class"  # any other public class


#: Which kinds may stand in which field. A kind that is not listed is refused there.
ACCEPTS: dict[Field, frozenset[Kind]] = {
    Field.LAYER: frozenset({Kind.LAYER, Kind.MODEL}),
    Field.GRAPH_NODE: frozenset({Kind.LAYER, Kind.MODEL, Kind.OPERATION}),
    Field.INITIALIZER: frozenset({Kind.INITIALIZER}),
    Field.REGULARIZER: frozenset({Kind.REGULARIZER}),
    Field.CONSTRAINT: frozenset({Kind.CONSTRAINT}),
    # Keras allows a layer (LeakyReLU, PReLU) where an activation stands.
    Field.ACTIVATION: frozenset({Kind.ACTIVATION, Kind.LAYER}),
    Field.LOSS: frozenset({Kind.LOSS}),
    # A loss is a metric, too: compile(metrics=["mse"]).
    Field.METRIC: frozenset({Kind.METRIC, Kind.LOSS}),
    Field.OPTIMIZER: frozenset({Kind.OPTIMIZER}),
    Field.SCHEDULE: frozenset({Kind.SCHEDULE}),
    Field.DTYPE_POLICY: frozenset({Kind.DTYPE_POLICY}),
    Field.QUANTIZATION: frozenset({Kind.QUANTIZER}),
    Field.FUNCTION: frozenset({Kind.ACTIVATION, Kind.LOSS, Kind.METRIC, Kind.OPERATION}),
    Field.OBJECT: frozenset(Kind) - {Kind.FUNCTION, Kind.CLASS},
    Field.ROOT: frozenset(Kind) - {Kind.FUNCTION, Kind.CLASS},
}
