"""Keras's `module_objects`: a table of names that a caller of the seed's API may pass.

What a table has under a name is written out as the node that Keras would write for it,
so that it is planned and judged like any other; a class of the program's own in a table
counts as one that was passed in `custom_objects`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.plan.catalogue import Catalogue


def spell_out(
    config: Json, modules: Mapping[str, object], catalogue: Catalogue
) -> tuple[Json, dict[str, object]]:
    """A config whose root name a table explains, written out in full.

    Returns:
        The config to judge, and the program's own object behind its name, if it is one.

    """
    says_where = isinstance(config, dict) and config.get("module") is not None
    name = None if says_where else asked_name(config)
    if name is None or name not in modules:
        return config, {}
    found = modules[name]
    symbol = catalogue.canonical(dotted_path(found))
    if symbol is None:
        return _own(config, name), {name: found}
    module, _, public = symbol.rpartition(".")
    node = dict(config) if isinstance(config, dict) else {}
    if not isinstance(found, type):
        return {**node, "module": module, "class_name": "function", "config": public,
                "registered_name": None}, {}  # fmt: skip
    inner = node.get("config")
    return {**node, "module": module, "class_name": public, "config": inner,
            "registered_name": None}, {}  # fmt: skip


def dotted_path(found: object) -> str:
    """Where what a table holds says that it comes from, for the catalogue to name.

    >>> dotted_path(dict), dotted_path(7)
    ('builtins.dict', '.')
    """
    return f"{getattr(found, '__module__', '')}.{getattr(found, '__qualname__', '')}"


def _own(config: Json, name: str) -> Json:
    if isinstance(config, dict):
        return {"config": None, **config}
    return {"class_name": "function", "config": name, "module": None, "registered_name": None}


def asked_name(config: Json, *, function: str = "config") -> str | None:
    """The name that a config asks a table for; None where it asks for none.

    Args:
        config: A text, which is the name itself, or a node.
        function: The key under which a node of a function has the function's name.

    >>> asked_name("relu"), asked_name({"class_name": "Dense"})
    ('relu', 'Dense')
    >>> asked_name({"class_name": "function", "config": "relu"})
    'relu'

    """
    if isinstance(config, str):
        return config
    if not isinstance(config, dict):
        return None
    name = config.get("class_name")
    if name == "function":
        name = config.get(function)
    return name if isinstance(name, str) else None
