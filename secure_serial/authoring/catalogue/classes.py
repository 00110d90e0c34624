"""What a class takes, as its source and signatures show it. None of its code is run."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
#: A part of Keras's classes that differs from backend to backend.
_BACKEND = "keras.src.backend."


def locate(place: str) -> object:
    """The object at "module:qualified name", or None.

    >>> locate("json:dumps").__name__
    'dumps'
    """
    module_name, _, path = place.partition(":")
    try:
        thing: object = importlib.import_module(module_name)
    except ImportError:
        return None
    for attribute in path.split("."):
        thing = getattr(thing, attribute, None)
    return thing


def constructors(cls: type) -> Iterator[type]:
    """The class and those of its bases whose constructors its arguments reach, by `**kwargs`."""
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base.__module__.startswith(_BACKEND):
            continue
        yield base
        if not any(p.kind is p.VAR_KEYWORD for p in signature(base)):
            return


def signature(cls: type) -> list[inspect.Parameter]:
    """The parameters of a class's own constructor, without `self`; none where nobody knows."""
    try:
        return list(inspect.signature(vars(cls)["__init__"]).parameters.values())[1:]
    except (TypeError, ValueError, KeyError):  # one that is written in C
        return []


def parameters(cls: type) -> dict[str, inspect.Parameter]:
    """The arguments of the constructor, over the bases while it has `**kwargs`.

    >>> class Base:
    ...     def __init__(self, name=None): ...
    >>> class Part(Base):
    ...     def __init__(self, size, **kwargs): ...
    >>> list(parameters(Part))
    ['size', 'name']
    """
    found: dict[str, inspect.Parameter] = {}
    for base in constructors(cls):
        for parameter in signature(base):
            if parameter.kind not in _VARIADIC:
                found.setdefault(parameter.name, parameter)
    return found


def config_keys(cls: type) -> set[str]:
    """The literal keys that the source of `get_config` writes, over the bases.

    For classes of which no instance can be asked.
    """
    keys: set[str] = set()
    for base in cls.__mro__:
        tree = source_of(vars(base).get("get_config"))
        if tree is None:
            continue
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        if "_auto_config" in names:
            continue  # Operation's: writes the constructor's arguments
        keys |= set(_literal_keys(tree))
        if "super" not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
            break
    return keys


def source_of(function: object) -> ast.AST | None:
    """The parsed source of a function or method; None where there is none."""
    function = getattr(function, "__func__", function)
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))  # type: ignore[arg-type]
    except (OSError, TypeError, ValueError, SyntaxError, RecursionError):
        return None


def _literal_keys(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        candidates: list[ast.expr | None] = []
        if isinstance(node, ast.Dict):
            candidates = list(node.keys)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            candidates = [node.slice]
        for key in candidates:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value
