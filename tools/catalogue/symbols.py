"""Finds the symbols of the installed Keras: names, aliases, kinds, where they are implemented."""

from __future__ import annotations

import ast
import importlib
import inspect
import types
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from secure_serial.authoring.catalogue.classes import locate
from secure_serial.construct.sources import modules_of, unit_of
from tools.catalogue import overlay

_TWINS = ("keras._tf_keras.keras.", "keras.api._tf_keras.keras.", "keras.api.")
#: Never imported: the implementations of other backends, tests, and what needs other packages.
_SKIPPED = ("backend", "testing", "tree.torchtree_impl")
#: On PyTorch an optimizer's constructor makes an object of a subclass beside it, of the same
#: name and arguments, and that is the class that a file names.
_OF_TORCH = "keras.src.backend.torch.optimizers."


@dataclass(frozen=True)
class Symbol:
    """One public or serializable thing of Keras."""

    name: str  # canonical: Keras's first export name, or where it is implemented
    kind: str
    at: str  # "module:qualified name"
    aliases: tuple[str, ...]
    object: Any

    @property
    def is_class(self) -> bool:
        """Whether it is a class (else a function)."""
        return inspect.isclass(self.object)


def _import_everything() -> None:
    """Import every module of keras.src but `_SKIPPED`, so that subclasses can be listed.

    By file name: pkgutil.walk_packages would import backend packages, and importing
    keras.src.backend.numpy replaces the attribute of that name by another backend's.
    """
    unit = unit_of("keras")
    for name in modules_of(unit) if unit else ():
        inner = name.removeprefix("keras.src.")
        if inner != name and not inner.startswith(_SKIPPED) and not inner.endswith("_test"):
            importlib.import_module(name)


def _subclasses(base: Any) -> set[type]:
    found: set[type] = set()
    stack: list[Any] = [base]
    while stack:
        for cls in stack.pop().__subclasses__():
            if cls not in found:
                found.add(cls)
                stack.append(cls)
    return found


def _told() -> set[type]:
    """The classes whose kind a person has told: not all of them have a base that tells it."""
    paths = (name.rpartition(".") for name in overlay.effects()["kinds"])
    return {
        locate(f"{module}:{name}") for module, _, name in paths if module.startswith("keras.src")
    }


def _public_paths() -> dict[int, set[str]]:
    """Each public path of each object, by the object's identity, `keras._tf_keras` included."""
    import keras

    paths: dict[int, set[str]] = defaultdict(set)
    stack: list[tuple[str, types.ModuleType]] = [("keras", keras)]
    seen = set()
    while stack:
        path, module = stack.pop()
        if path in seen:
            continue
        seen.add(path)
        for name, value in vars(module).items():
            if name.startswith("__"):
                continue
            if isinstance(value, types.ModuleType):
                inside = value.__name__.startswith("keras")
                if inside and not value.__name__.startswith("keras.src"):
                    stack.append((f"{path}.{name}", value))
            elif callable(value):
                paths[id(value)].add(f"{path}.{name}")
    return paths


def _without_twins(paths: set[str]) -> set[str]:
    """Drop keras._tf_keras.keras.X where keras.X is there: the planner knows that prefix.

    And keras.api.X, where Keras up to 3.9 kept what keras.X is: no file names that.
    """
    return {
        path
        for path in paths
        if not any(
            path.startswith(prefix) and "keras." + path.removeprefix(prefix) in paths
            for prefix in _TWINS
        )
    }


def _of_torch(name: str) -> set[str]:
    """The class that PyTorch has for an optimizer."""
    path = _torch_optimizers().get(name)
    return set() if path is None else {path}


@cache
def _torch_optimizers() -> dict[str, str]:
    """By Keras's names: the classes of `class SGD(…, optimizers.SGD)`.

    Their source is read, and not imported: PyTorch need not be there.
    """
    unit = unit_of("keras")
    found = {}
    for module in modules_of(unit) if unit else ():
        if unit and module.startswith(_OF_TORCH):
            file = Path(unit.root, *module.split(".")).with_suffix(".py")
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and _bases_of(node) & {f"optimizers.{node.name}"}:
                    found[f"keras.optimizers.{node.name}"] = f"{module}.{node.name}"
    return found


def _bases_of(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base) for base in node.bases}


def _located(thing: Any, name: str) -> str:
    """Where `thing` is implemented, as "module:qualified name", checked by looking it up."""
    place = f"{thing.__module__}:{thing.__qualname__}"
    if locate(place) is thing:
        return place
    module, _, attribute = name.rpartition(".")
    public = f"{module.replace('keras._legacy', 'keras._tf_keras.keras')}:{attribute}"
    if locate(public) is thing:
        return public
    raise LookupError(f"{name}: nothing at {place} nor {public}")


def _bases() -> list[tuple[str, type]]:
    """Kinds by base class, the more special first."""
    import keras
    from keras.src.optimizers.schedules.learning_rate_schedule import LearningRateSchedule

    config = getattr(keras.quantizers, "QuantizationConfig", None)  # since 3.13
    return [
        ("model", keras.Model),
        ("layer", keras.Layer),
        ("operation", keras.Operation),
        ("initializer", keras.Initializer),
        ("regularizer", keras.Regularizer),
        ("constraint", keras.constraints.Constraint),
        ("loss", keras.Loss),
        ("metric", keras.Metric),
        ("optimizer", keras.Optimizer),
        ("schedule", LearningRateSchedule),
        ("dtype_policy", keras.DTypePolicy),
        ("quantizer", keras.Quantizer),
        *([("quantizer", config)] if config is not None else ()),
    ]


def _kind_of(name: str, thing: object, functions: dict[int, str]) -> str:
    told = overlay.effects()["kinds"].get(name)
    if told is not None:
        return str(told)
    if not inspect.isclass(thing):
        return functions.get(id(thing), "function")
    return next((kind for kind, base in _bases() if issubclass(thing, base)), "class")


def _functions_by_kind() -> dict[int, str]:
    """Kinds of functions: what the identifiers of activations, losses and metrics stand for.

    A function that is both a loss and a metric is a loss: a loss may stand for a metric.
    """
    from keras.src import activations, losses, metrics

    tables = [("metric", metrics), ("loss", losses), ("activation", activations)]
    kinds = {
        id(thing): kind
        for kind, module in tables
        for thing in module.ALL_OBJECTS_DICT.values()
        if not inspect.isclass(thing)
    }
    for name in overlay.effects()["metric_functions"]:
        kinds[id(locate("keras.metrics:" + name))] = "metric"
    return kinds


@cache
def collect() -> tuple[Symbol, ...]:
    """All symbols, sorted by canonical name."""
    from keras import Operation  # no KerasSaveable before 3.9
    from keras.src.api_export import REGISTERED_NAMES_TO_OBJS
    from keras.src.saving.keras_saveable import KerasSaveable

    _import_everything()
    named = dict(REGISTERED_NAMES_TO_OBJS)
    exported = {id(thing) for thing in named.values()}
    omitted = set(overlay.effects()["omitted"])
    for cls in _subclasses(KerasSaveable) | _subclasses(Operation) | _told():
        name = f"{cls.__module__}.{cls.__qualname__}"
        inside = name.startswith("keras.src.") and not name.startswith("keras.src.backend.")
        if inside and name not in omitted and id(cls) not in exported:
            named[name] = cls
    paths, functions = _public_paths(), _functions_by_kind()
    return tuple(
        _symbol(name, named[name], paths.get(id(named[name]), set()), functions)
        for name in sorted(named)
    )


def _symbol(name: str, thing: object, paths: set[str], functions: dict[int, str]) -> Symbol:
    at = _located(thing, name)
    aliases = (_without_twins(paths) | {at.replace(":", ".")} | _of_torch(name)) - {name}
    kind = _kind_of(name, thing, functions)
    return Symbol(name, kind, at, tuple(sorted(aliases)), thing)
