"""The strings that Keras's `X.get("...")` functions take, and what each stands for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from secure_serial.authoring.catalogue.words import getters

if TYPE_CHECKING:
    from types import ModuleType

#: Precisions that a quantized policy may start from ("int8_from_mixed_bfloat16").
_SOURCES = ("float32", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
#: Modes without parameters. Those with numbers in them ("gptq/4/128") form no finite list.
_MODES = ("int8", "int4", "float8")


#: What compile() takes beyond metrics.get, in any case: it chooses the binary, categorical or
#: sparse metric by the shapes. They map to one of the three, as all three are plain metrics.
_CHOSEN_AT_COMPILE = {
    "acc": "keras.metrics.CategoricalAccuracy",
    "accuracy": "keras.metrics.CategoricalAccuracy",
    "ce": "keras.metrics.CategoricalCrossentropy",
    "crossentropy": "keras.metrics.CategoricalCrossentropy",
}


def _name(thing: Any) -> str:
    """The canonical name, which for what is not exported is where it is implemented."""
    from keras.src.api_export import REGISTERED_OBJS_TO_NAMES

    return REGISTERED_OBJS_TO_NAMES.get(thing) or f"{thing.__module__}.{thing.__qualname__}"


@cache
def tables() -> dict[str, dict[str, str]]:
    """Each table: identifier to canonical name."""
    found = {}
    for word, module in getters().items():
        if word == "dtype_policy":
            found[word] = _policies()
            continue
        table = {key: _name(thing) for key, thing in module.ALL_OBJECTS_DICT.items()}
        if word == "optimizer":
            table |= _optimizer_spellings(module)
        if word == "metric":
            table = _chosen_at_compile() | table
        found[word] = table
    return found


def _optimizer_spellings(module: ModuleType) -> dict[str, str]:
    """Optimizers are looked up in lower case: "Adam" and "adam" both occur in files."""
    return {cls.__name__: _name(cls) for cls in module.ALL_OBJECTS_DICT.values()}


def _chosen_at_compile() -> dict[str, str]:
    return {
        spelling: name
        for word, name in _CHOSEN_AT_COMPILE.items()
        for spelling in (word, word.upper())
    }


def _policies() -> dict[str, str]:
    """Names of dtype policies. The class depends on the name, as dtype_policies.get has it."""
    from keras.src import dtype_policies
    from keras.src.backend.common import dtypes

    names = ["mixed_float16", "mixed_bfloat16", *sorted(dtypes.ALLOWED_DTYPES)]
    names += [key for key in dtypes.PYTHON_DTYPES_MAP if isinstance(key, str)]
    names += [f"{mode}_from_{source}" for mode in _MODES for source in _SOURCES]
    found = {}
    for name in names:
        try:
            policy = dtype_policies.get(name)
        except ValueError:
            continue  # no float: "float8_e4m3fn" and the like are no policies
        found[name] = _name(type(policy))
    return found
