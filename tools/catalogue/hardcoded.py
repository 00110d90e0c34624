"""What Keras's own source names or constructs while a model is built, whatever a config says.

Read from the source of the installed Keras, class by class: strings that stand where one of
its `get` functions will look them up (`initializer="zeros"`), and calls of modelling classes
(`EinsumDense(...)` in an attention layer). It is what may be *reached*, not what a run met,
so the lists hold for models that nobody has tried.

    python -m tools.catalogue.hardcoded

prints what is constructed, as JSON. What is named goes into the catalogue, as `implied`.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.catalogue import identifiers, symbols

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    Table = dict[str, set[str]]

#: Not part of loading: whole models, data, tests and what other backends have.
_SKIPPED = ("applications", "backend", "datasets", "testing", "legacy.preprocessing", "wrappers")
#: Words of arguments and variables that a `get` function gets, by the last part of their names.
_WORDS = frozenset({"activation", "constraint", "initializer", "loss", "optimizer", "regularizer"})
#: Where a string may stand for many classes: it counts for all.
_OF_ALL = "initializer"
_MODULES = {
    "activations": "activation", "constraints": "constraint", "initializers": "initializer",
    "losses": "loss", "metrics": "metric", "optimizers": "optimizer", "regularizers": "regularizer",
}  # fmt: skip
ANY = "*"


class _Unit(NamedTuple):
    """A class or function at the top of a module."""

    owner: Any
    node: ast.ClassDef | ast.FunctionDef
    module: ModuleType


def implied() -> dict[str, list[str]]:
    """Names that are looked up by classes: by any (`*`), or by one."""
    found: Table = defaultdict(set)
    for unit in _units():
        for word, text in _strings(unit.node):
            symbol = identifiers.tables().get(word, {}).get(text)
            if symbol is not None:
                for owner in _owners(unit) if word != _OF_ALL else [ANY]:
                    found[owner].add(symbol)
    return _sorted(found)


def constructs() -> dict[str, list[str]]:
    """Classes that are constructed by calls in the source: by any model (`*`), or by one class."""
    direct, calls = _calls()
    found: Table = defaultdict(set)
    for owner in direct.keys() | calls.keys():
        made = _reached(owner, direct, calls)
        if inspect.isclass(owner):
            for name in _names_below(owner):
                found[name] |= made
        elif _of_loading(owner):
            found[ANY] |= made
    return _sorted(found)


def _sorted(found: Table) -> dict[str, list[str]]:
    rest = {key: sorted(names - found[ANY] - {key}) for key, names in found.items() if key != ANY}
    return {ANY: sorted(found[ANY])} | {key: rest[key] for key in sorted(rest) if rest[key]}


@cache
def _named() -> dict[type, str]:
    return {each.object: each.name for each in symbols.collect() if each.is_class}


@cache
def _units() -> tuple[_Unit, ...]:
    _named()  # which imports everything
    found = []
    for name, module in sorted(sys.modules.items()):
        inner = name.removeprefix("keras.src.")
        if inner == name or inner.startswith(_SKIPPED) or inner.endswith("_test"):
            continue
        try:
            tree = ast.parse(inspect.getsource(module))
        except (OSError, TypeError):  # an empty __init__, or no module at all
            continue
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                owner = inspect.unwrap(vars(module).get(node.name, int))
                if getattr(owner, "__module__", "") == name:
                    found.append(_Unit(owner, node, module))
    return tuple(found)


def _owners(unit: _Unit) -> list[str]:
    return (_names_below(unit.owner) if inspect.isclass(unit.owner) else []) or [ANY]


def _names_below(cls: type) -> list[str]:
    """The symbols that a class and its subclasses are; all, for what every model is made of."""
    from keras import Layer, Operation
    from keras.src.trainers.trainer import Trainer

    if cls in (Layer, Operation, Trainer) or cls.__module__.startswith("keras.src.trainers"):
        return [ANY]
    return [name for each, name in _named().items() if issubclass(each, cls)]


def _of_loading(function: Any) -> bool:
    return str(function.__module__).startswith(("keras.src.saving", "keras.src.legacy.saving"))


def _strings(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Each string that stands where a name is looked up, with the word of the table."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            yield from _strings_of_call(each)
        elif isinstance(each, ast.Assign):
            for target in each.targets:
                name = getattr(target, "id", None) or getattr(target, "attr", "")
                yield from _string(name, each.value)
        elif isinstance(each, ast.FunctionDef) and each.name != "__init__":
            taken = each.args.posonlyargs + each.args.args
            given = each.args.defaults
            pairs = [*zip(taken[len(taken) - len(given) :], given, strict=True)]
            for argument, value in [
                *pairs,
                *zip(each.args.kwonlyargs, each.args.kw_defaults, strict=True),
            ]:
                yield from _string(argument.arg, value)


def _strings_of_call(call: ast.Call) -> Iterator[tuple[str, str]]:
    for keyword in call.keywords:
        yield from _string(keyword.arg or "", keyword.value)
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=module), attr="get"),
            args=[ast.Constant(value=str(text)), *_],
        ) if module in _MODULES:
            yield _MODULES[module], text


def _string(name: str, value: ast.AST | None) -> Iterator[tuple[str, str]]:
    word = name.rpartition("_")[2]
    if word in _WORDS and isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield word, value.value


def _calls() -> tuple[dict[Any, set[str]], dict[Any, set[Any]]]:
    """What each class and function constructs, and which functions of Keras it calls."""
    direct: dict[Any, set[str]] = defaultdict(set)
    calls: dict[Any, set[Any]] = defaultdict(set)
    known = {unit.owner for unit in _units()}
    for unit in _units():
        local = _local_imports(unit)
        for each in ast.walk(unit.node):
            target = _value(each.func, unit, local) if isinstance(each, ast.Call) else None
            if target is None:
                continue
            target = inspect.unwrap(target) if callable(target) else target
            if inspect.isclass(target) and _is_modelling(target):
                direct[unit.owner].add(_name(target))
            elif inspect.isfunction(target) and target in known:
                calls[unit.owner].add(target)
    return direct, calls


def _reached(owner: Any, direct: dict[Any, set[str]], calls: dict[Any, set[Any]]) -> set[str]:
    """What is constructed by a class or function, or by the functions that it calls."""
    found: set[str] = set()
    seen: set[Any] = set()
    todo = [owner]
    while todo:
        each = todo.pop()
        if each not in seen:
            seen.add(each)
            found |= direct.get(each, set())
            todo += calls.get(each, ())
    return found


def _local_imports(unit: _Unit) -> dict[str, Any]:
    found = {}
    for each in ast.walk(unit.node):
        if isinstance(each, ast.ImportFrom) and each.module and each.module.startswith("keras"):
            module = sys.modules.get(each.module)  # all are loaded but other backends'
            for alias in each.names:
                found[alias.asname or alias.name] = getattr(module, alias.name, None)
    return found


def _value(node: ast.expr, unit: _Unit, local: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return local.get(node.id, vars(unit.module).get(node.id))
    if isinstance(node, ast.Attribute):
        inside = _value(node.value, unit, local)
        return vars(inside).get(node.attr) if inspect.ismodule(inside) else None
    return None


def _is_modelling(cls: type) -> bool:
    from keras.src.saving.keras_saveable import KerasSaveable

    return cls in _named() or issubclass(cls, KerasSaveable)


def _name(cls: type) -> str:
    return _named().get(cls) or f"{cls.__module__}.{cls.__qualname__}"


if __name__ == "__main__":
    print(json.dumps(constructs()))
