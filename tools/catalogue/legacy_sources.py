"""Reads what old Keras releases defined, out of their sdists and wheels.

The sources are parsed (`ast`), never imported and never run: an archive is only read.
"""

from __future__ import annotations

import ast
import re
import tarfile
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Folders and files that define nothing a model config names.
_SKIPPED = re.compile(
    r"(^|/)(api|applications|backend|benchmarks|callbacks|callbacks_v1|datasets|distribute|docs|"
    r"dtensor|estimator|examples|export|integration_test|legacy_cells|legacy_rnn|"
    r"legacy_tf_layers|protobuf|saving|"
    r"testing_infra|testing_utils|tests?|type|utils|wrappers|keras_parameterized|combinations|"
    r"keras_tensor|[a-z0-9_]*_test|[a-z0-9_]*_test_[a-z0-9_]*)(/|\.py$)"
)
_NOT_WRAPPERS = re.compile(r"layers/(rnn/)?[a-z_0-9]*wrappers\.py$")

#: Names of base classes, and the kind that what descends from them has.
_ROOTS = {
    "Container": "model",
    "Constraint": "constraint",
    "Graph": "model",
    "Functional": "model",
    "Initializer": "initializer",
    "Layer": "layer",
    "LearningRateSchedule": "schedule",
    "Loss": "loss",
    "Metric": "metric",
    "Model": "model",
    "Network": "model",
    "Optimizer": "optimizer",
    "OptimizerV2": "optimizer",
    "Policy": "dtype_policy",
    "Regularizer": "regularizer",
    "Sequential": "model",
    "TimeseriesGenerator": "preprocessor",
    "Tokenizer": "preprocessor",
}
#: Modules whose top-level functions are string identifiers, and of which kind.
_FUNCTIONS = {
    "activations": "activation",
    "constraints": "constraint",
    "initializations": "initializer",
    "initializers": "initializer",
    "losses": "loss",
    "metrics": "metric",
    "objectives": "loss",
    "regularizers": "regularizer",
}


@dataclass
class OldClass:
    """A class as one module of one release defined it."""

    name: str
    path: str
    bases: list[str]
    arguments: set[str] = field(default_factory=set)
    open_ended: bool = True  # takes **kwargs, or inherits its constructor
    exports: list[str] = field(default_factory=list)


@dataclass
class Release:
    """What one archive defined."""

    classes: dict[str, list[OldClass]] = field(default_factory=lambda: defaultdict(list))
    functions: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: (kind of the module's functions, or "", and the second name) to the first names
    aliases: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def kind(self, cls: OldClass, seen: frozenset[str] = frozenset()) -> str | None:
        """The kind of a class, by its bases' names."""
        if cls.name in _ROOTS:
            return _ROOTS[cls.name]
        for base in cls.bases:
            if base in _ROOTS:
                return _ROOTS[base]
            for candidate in self.classes.get(base, []) if base not in seen else []:
                found = self.kind(candidate, seen | {cls.name, base})
                if found is not None:
                    return found
        return None

    def arguments(self, cls: OldClass, seen: frozenset[str] = frozenset()) -> set[str]:
        """Every argument of a class, its bases' included while they are reached.

        Not those of Layer and Model: legacy.toml lists what any layer may have.
        """
        found = set(cls.arguments)
        for base in cls.bases if cls.open_ended else []:
            if base not in seen and _ROOTS.get(base) not in {"layer", "model"}:
                for candidate in self.classes.get(base, []):
                    found |= self.arguments(candidate, seen | {cls.name})
        return found


def read(archive: Path) -> Release:
    """Parse one sdist or wheel."""
    release = Release()
    for path, source in _members(archive):
        module = _module(path)
        if module is None:
            continue
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue  # Python 2 only: the first releases have a few such scripts
        for node in tree.body:
            _top_level(node, module, release)
    return release


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as bundle:
            for name in sorted(bundle.namelist()):
                if name.endswith(".py"):
                    yield name, bundle.read(name)
        return
    with tarfile.open(archive) as bundle:
        for member in bundle.getmembers():
            data = bundle.extractfile(member) if member.name.endswith(".py") else None
            if data is not None:
                yield member.name.partition("/")[2], data.read()


def _module(path: str) -> str | None:
    """The dotted name of a module worth reading, with `keras` for tf_keras."""
    parts = PurePosixPath(path).with_suffix("").parts
    if parts[0] not in {"keras", "tf_keras", "keras_preprocessing"}:
        return None
    if _SKIPPED.search(path) and not _NOT_WRAPPERS.search(path):
        return None
    head = "keras" if parts[0] == "tf_keras" else parts[0]
    return ".".join([head, *parts[1:]]).removesuffix(".__init__")


def _top_level(node: ast.stmt, module: str, release: Release) -> None:
    if isinstance(node, ast.If):  # `if K.backend() == ...:` and the like
        for inner in [*node.body, *node.orelse]:
            _top_level(inner, module, release)
    elif isinstance(node, ast.ClassDef):
        release.classes[node.name].append(_class(node, module))
    elif isinstance(node, ast.FunctionDef):
        for kind in _function_kind(module):
            release.functions[kind].add(node.name)
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
        for target in node.targets:
            if isinstance(target, ast.Name):
                kind = next(_function_kind(module), "")
                release.aliases[kind, target.id].add(node.value.id)


def _function_kind(module: str) -> Iterator[str]:
    parts = module.split(".")
    for part in parts[1:]:
        if part in _FUNCTIONS:
            yield _FUNCTIONS[part]
            return


def _class(node: ast.ClassDef, module: str) -> OldClass:
    cls = OldClass(node.name, f"{module}.{node.name}", [_last_name(base) for base in node.bases])
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and _last_name(decorator.func) == "keras_export":
            cls.exports = [text for text in _strings(decorator) if text.startswith("keras.")]
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            _constructor(method, cls)
        elif isinstance(method, ast.FunctionDef) and method.name == "get_config":
            cls.arguments |= set(_config_keys(method))
    return cls


def _constructor(method: ast.FunctionDef, cls: OldClass) -> None:
    spec = method.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    cls.arguments |= {argument.arg for argument in named[1:]}
    cls.open_ended = spec.kwarg is not None
    for node in ast.walk(method):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            keyworded = isinstance(owner, ast.Name) and owner.id == "kwargs"
            if keyworded and node.func.attr in {"pop", "get"} and node.args:
                cls.arguments |= set(_strings(node.args[0]))
        elif isinstance(node, ast.Assign) and "allowed_kwargs" in map(_last_name, node.targets):
            cls.arguments |= set(_strings(node.value))


def _config_keys(method: ast.FunctionDef) -> Iterator[str]:
    """Keys of dicts in the body of get_config itself, not of dicts inside those."""
    for node in ast.walk(method):
        if isinstance(node, ast.Dict):
            for key in node.keys:
                yield from _strings(key) if isinstance(key, ast.Constant) else ()
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            yield from _strings(node.slice)
        elif isinstance(node, ast.Call) and _last_name(node.func) == "dict":
            yield from (word.arg for word in node.keywords if word.arg)


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _strings(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value
