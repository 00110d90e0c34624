"""Which field each argument of a package's class takes, where that can be told.

It is told by what a class does with an argument, never guessed from its name alone: it hands
it to a base of Keras's under the same name, or looks it up with one of Keras's `get`
functions. Of the rest nothing is said; the planner then treats it as a stranger's.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from typing import TYPE_CHECKING, Any

from secure_serial.authoring.catalogue.classes import (
    config_keys,
    constructors,
    parameters,
    signature,
    source_of,
)
from secure_serial.plan.fields import Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from secure_serial.plan.catalogue import Catalogue, FieldSpec

_INT = (int, "int")


@cache
def getters() -> dict[str, Any]:
    """The modules of Keras whose `get` and `deserialize` tell the field, by its word."""
    from keras.src import (
        activations,
        constraints,
        dtype_policies,
        initializers,
        losses,
        metrics,
        optimizers,
        quantizers,
        regularizers,
    )

    return {
        "activation": activations,
        "constraint": constraints,
        "dtype_policy": dtype_policies,
        "initializer": initializers,
        "loss": losses,
        "metric": metrics,
        "optimizer": optimizers,
        "quantization": quantizers,
        "regularizer": regularizers,
    }


def fields(cls: type, bases: Iterable[str], catalogue: Catalogue) -> dict[str, str]:
    """The word of each argument of which it can be told, by argument.

    Args:
        cls: The class.
        bases: The symbols of its bases that are Keras's, the nearest first.
        catalogue: What is known of these.

    """
    inherited: dict[str, str] = {}
    for base in reversed(list(bases)):
        inherited |= {name: word_of(spec) for name, spec in catalogue.entry(base).fields.items()}
    own = [base for base in constructors(cls) if not _is_keras(base)]
    explicit = {parameter.name: parameter for base in own for parameter in signature(base)}
    found = dict(_looked_up(cls))
    for name in arguments(cls, inherited):
        if name in found:
            continue
        if name in inherited and (name not in explicit or name in _handed_on(own)):
            found[name] = inherited[name]
        elif name in explicit and _is_size(name, explicit[name], catalogue):
            found[name] = Field.SIZE.value
    return dict(sorted(found.items()))


def arguments(cls: type, inherited: Iterable[str] = ()) -> list[str]:
    """Every argument that a config of the class may hold, as far as its source shows.

    Args:
        cls: The class.
        inherited: The arguments of its bases that are Keras's: the class takes them where
            its constructor hands on what it does not know.

    """
    reached = list(constructors(cls))
    names = set(parameters(cls)) | config_keys(cls)
    if reached and _is_keras(reached[-1]):
        names |= set(inherited)
    return sorted(names)


def word_of(spec: FieldSpec) -> str:
    """The catalogue's word for what may stand in an argument.

    >>> from secure_serial.plan.catalogue import field_spec
    >>> word_of(field_spec("layer*"))
    'layer*'
    """
    return spec.field.value + "*" * spec.nest


def _is_keras(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "keras" or cls is object


def _looked_up(cls: type) -> Iterator[tuple[str, str]]:
    """Arguments that a constructor or `from_config` gives to one of Keras's `get` functions."""
    words = _words()
    for base in reversed(cls.__mro__):
        if _is_keras(base):
            continue
        for method in ("__init__", "from_config"):
            function = vars(base).get(method)
            tree = source_of(function)
            inner = getattr(function, "__func__", function)
            names = getattr(inner, "__globals__", {})
            for call in _calls(tree):
                word = words.get(_identity(_named(call.func, names)))
                argument = _argument(call.args[0]) if word and call.args else ""
                if word and argument:
                    yield argument, word


def _calls(tree: ast.AST | None) -> list[ast.Call]:
    return [] if tree is None else [n for n in ast.walk(tree) if isinstance(n, ast.Call)]


def _words() -> dict[int, str]:
    """Words by the identity of the function that an argument is given to."""
    import keras

    found = {
        _identity(function): word
        for word, module in getters().items()
        for function in (module.get, module.deserialize)
    }
    found[_identity(keras.layers.deserialize)] = Field.LAYER.value
    found[_identity(keras.optimizers.schedules.deserialize)] = Field.SCHEDULE.value
    return found


def _identity(function: object) -> int:
    """Of the function itself: after a gated load in this process, a gate stands before some."""
    return id(inspect.unwrap(function)) if callable(function) else 0


def _named(node: ast.expr, names: Mapping[str, object]) -> object:
    """What a dotted name in the source stands for, in its module."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_named(node.value, names), node.attr, None)
    return None


def _argument(node: ast.expr) -> str:
    """The argument that `x`, `config["x"]` or `config.pop("x")` is; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    key: ast.expr | None = None
    if isinstance(node, ast.Subscript):
        key = node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        key = node.args[0] if node.func.attr in ("pop", "get") else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""


def _handed_on(own: Iterable[type]) -> set[str]:
    """Arguments that a constructor hands to its base's under the same name."""
    found = set()
    for cls in own:
        for call in _calls(source_of(vars(cls).get("__init__"))):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
                found |= {
                    word.arg
                    for word in call.keywords
                    if word.arg and isinstance(word.value, ast.Name) and word.value.id == word.arg
                }
    return found


@cache
def _sizes(catalogue: Catalogue) -> frozenset[str]:
    """The names that mean a size in every class of Keras that has them."""
    words: dict[str, set[Field]] = {}
    for symbol in catalogue.symbols():
        for name, spec in catalogue.entry(symbol).fields.items():
            words.setdefault(name, set()).add(spec.field)
    return frozenset(name for name, found in words.items() if found == {Field.SIZE})


def _is_size(name: str, parameter: inspect.Parameter, catalogue: Catalogue) -> bool:
    """Whether the name says so, and the annotation or the default agrees."""
    whole = type(parameter.default) is int or parameter.annotation in _INT
    return whole and name in _sizes(catalogue)
