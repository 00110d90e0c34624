"""From the names that a node carries to one symbol, or to why there is none. Pure.

A node may carry `module`, `class_name` and `registered_name`; a string in an object field
is a name, too. The rules (docs/semantics.md gives each with its reason):

- a module of Keras means Keras's own symbol, exactly, whatever the program registered;
- otherwise the program's registered or passed objects are asked, under `registered_name`,
  else `class_name`;
- a name without a module (legacy configs) then means the class of that name which fits
  the field;
- the three names must agree: a registered name never selects something else than what
  the other two say.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from secure_serial.plan.encodings import DTYPES
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.request import CallerObject, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.plan.catalogue import Catalogue, Entry

MISSING: Final = object()
#: Longer than any dotted path or registered name in a real file; keeps messages readable.
NAME_CHARS = 512
_FUNCTION_CLASS = "function"
_NO_FUNCTION = "Expected 'config' to be a non-null str, the name of a function"
_FOREIGN = "registered_name {0!r} is not {1}'s: the node resolved to a Keras built-in"


class Names(NamedTuple):
    """The names a node carries, as written. `MISSING` marks an absent key."""

    module: Json
    class_name: Json
    registered_name: Json
    function: Json = MISSING  # the node's config, where class_name is "function"


class Resolution(NamedTuple):
    """What the names mean: at most one symbol, and what is wrong with them."""

    symbol: str
    origin: Origin
    entry: Entry | None = None
    caller: CallerObject | None = None
    code: str = ""
    problem: str = ""
    note: str = ""
    digest: str = ""  # of a function whose code stands in the file


def resolve_class(
    names: Names, field: Field, catalogue: Catalogue, callers: Mapping[str, CallerObject]
) -> Resolution:
    """The class that a node names."""
    # What the answer hangs on of all that the program registered: these two, and no more.
    found = _asked(names, callers)
    shadows = isinstance(names.class_name, str) and names.class_name in callers
    asked = (names, field, catalogue, found, shadows)
    return (_remembered if are_usual(names) else _resolved)(*asked)


def _resolved(
    names: Names,
    field: Field,
    catalogue: Catalogue,
    found: CallerObject | None,
    shadows: bool,  # noqa: FBT001 - a part of what is remembered
) -> Resolution:
    """The class that a node names, where `found` is the program's object that it asks for.

    `shadows` tells whether the program has an object that is called like the class.
    """
    bad = _malformed(names)
    if bad:
        return Resolution(_written(names), Origin.UNKNOWN, code="SS310", problem=bad)
    module, class_name = names.module, str(names.class_name)
    if isinstance(module, str) and catalogue.is_keras_module(module):
        known = _keras_class(names, module, class_name, field, catalogue)
        if known is not None and shadows and not known.code:
            note = f"the program's own {class_name!r} does not stand in for Keras's {known.symbol}"
            return known._replace(note=note)
        if known is not None:
            return known
        # A caller's class that lives in a package of Keras's name (keras_hub's do not).
        written = Resolution(_written(names), Origin.UNKNOWN)
        return written if found is None else _caller_class(names, class_name, found)
    if found is not None:
        return _caller_class(names, class_name, found)
    if module is MISSING and names.registered_name in (MISSING, None, class_name):
        symbol = catalogue.by_bare_name(class_name, field)
        if symbol is not None:
            return _known(symbol, catalogue)
    text = _written(names)
    unknown = Resolution(text, Origin.UNKNOWN, catalogue.foreign(text))
    if ">" in unknown.symbol and _is_stdlib(module):
        return _disagree(unknown, f"nothing of the module {module!r} is registered by a program")
    return unknown


#: Models repeat their classes, and programs their models. More than any of them has; of names
#: that are not usual, which may be long, none is kept.
_remembered = lru_cache(maxsize=2048)(_resolved)


def are_usual(names: Names) -> bool:
    """Whether names may be remembered by: short texts, for 1 and True would be the same there."""
    for name in names:
        if name is MISSING or name is None:
            continue
        if type(name) is not str or len(name) > NAME_CHARS:
            return False
    return True


def resolve_function(
    names: Names, field: Field, catalogue: Catalogue, callers: Mapping[str, CallerObject]
) -> Resolution:
    """The function that a `class_name: "function"` node names."""
    name = names.function
    bad = _malformed(names) or ("" if _is_name(name) else _NO_FUNCTION)
    if bad or not isinstance(name, str):
        return Resolution(_written(names), Origin.UNKNOWN, code="SS310", problem=bad)
    module = names.module
    if isinstance(module, str) and catalogue.is_keras_module(module):
        symbol = catalogue.canonical(f"{module}.{name}") if name.isidentifier() else None
        if symbol is not None:
            return _function_names_agree(_known(symbol, catalogue), names, name)
        return Resolution(f"{module}.{_quoted(name)}", Origin.UNKNOWN)
    found = callers.get(name)
    if found is None and module == "builtins":
        symbol = catalogue.function(name, field)
        if symbol is not None:
            return _function_names_agree(_known(symbol, catalogue), names, name)
        # Keras up to 3.6 wrote a registered function's bare name only.
        keys = [key for key in callers if ">" not in name and key.endswith(f">{name}")]
        matches = [callers[key] for key in keys]
        if len(matches) > 1:
            several = ", ".join(sorted(keys))
            return Resolution(
                name, Origin.UNKNOWN, code="SS315", problem=f"{name!r} may mean any of {several}"
            )
        found = matches[0] if matches else None
    if found is not None:
        return _caller_function(found, names, name)
    shown = name if ">" in name else _quoted(name)
    if ">" not in name and module not in (None, MISSING, "builtins"):
        shown = f"{module}.{shown}"
    return Resolution(shown, Origin.UNKNOWN)


def resolve_identifier(
    text: str, field: Field, catalogue: Catalogue, callers: Mapping[str, CallerObject]
) -> Resolution | None:
    """What a string in an object field names; None where it can only be plain text."""
    found = callers.get(text)
    if found is not None:
        return Resolution(caller_symbol(found), Origin.CALLER, caller=found)
    symbol = catalogue.by_identifier(text, field)
    if symbol is None and field is Field.DTYPE_POLICY and text in DTYPES:
        symbol = "keras.DTypePolicy"  # Keras makes a policy of any numeric type's name
    if symbol is not None:
        return _known(symbol, catalogue)
    if field in (Field.ROOT, Field.OBJECT):
        return None
    shown = text if ">" in text and _is_name(text) else _quoted(text)
    return Resolution(shown, Origin.UNKNOWN)


def _keras_class(
    names: Names, module: str, class_name: str, field: Field, catalogue: Catalogue
) -> Resolution | None:
    """Keras's class of this path, by today's names or an earlier Keras's."""
    plain = class_name.isascii() and class_name.isidentifier()
    symbol = catalogue.canonical(f"{module}.{class_name}") if plain else None
    if symbol is None and plain:
        symbol = _legacy_member(module, class_name, field, catalogue)
    if symbol is None:
        return None
    known = _known(symbol, catalogue)
    registered = names.registered_name
    tail = symbol.rpartition(".")[2]
    if registered not in (MISSING, None, "", class_name, tail):
        return _disagree(known, _FOREIGN.format(registered, symbol))
    return known


def _legacy_member(module: str, name: str, field: Field, catalogue: Catalogue) -> str | None:
    """A class that earlier Keras exported from this module, and today's does not."""
    symbol = catalogue.by_bare_name(name, field)
    if symbol is None:
        return None
    entry = catalogue.entry(symbol)
    package = module.partition(".")[0]
    return symbol if entry.legacy and module in (package, f"{package}.{entry.kind}s") else None


def _asked(names: Names, callers: Mapping[str, CallerObject]) -> CallerObject | None:
    """The program's object that a node asks for, if there is one."""
    registered = names.registered_name
    # As in Keras: an absent key means the class's name, and null means "not registered".
    key = names.class_name if registered is MISSING else registered
    return callers.get(key) if isinstance(key, str) else None


def _caller_class(names: Names, class_name: str, found: CallerObject) -> Resolution:
    resolution = Resolution(caller_symbol(found), Origin.CALLER, caller=found)
    tail = found.name.rpartition(">")[2]
    if class_name not in (found.qualname, tail, found.name):
        return _disagree(
            resolution,
            f"class_name {class_name!r} is not the class {found.qualname!r} "
            f"that is registered as {found.name!r}",
        )
    return _module_agrees(resolution, found, names.module)


def _caller_function(found: CallerObject, names: Names, name: str) -> Resolution:
    resolution = Resolution(caller_symbol(found), Origin.CALLER, caller=found)
    tail = found.name.rpartition(">")[2]
    known = (MISSING, None, "", _FUNCTION_CLASS, name, found.name, found.qualname, tail)
    if names.registered_name not in known:
        return _disagree(
            resolution,
            f"registered_name {names.registered_name!r} is not the function {found.name!r}",
        )
    if names.module == "builtins":  # where Keras says that any function lives
        return resolution
    return _module_agrees(resolution, found, names.module)


def _module_agrees(resolution: Resolution, found: CallerObject, module: Json) -> Resolution:
    if not isinstance(module, str) or module in (found.module, "__main__"):
        return resolution
    if _is_stdlib(module):
        text = f"module {module!r} is not where the registered {found.qualname!r} lives"
        return _disagree(resolution, text)
    return resolution._replace(note=f"written as {module}, registered from {found.module}")


def _is_stdlib(module: Json) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in sys.stdlib_module_names


def _disagree(resolution: Resolution, problem: str) -> Resolution:
    return resolution._replace(code="SS312", problem=problem)


def _function_names_agree(resolution: Resolution, names: Names, name: str) -> Resolution:
    registered = names.registered_name
    if registered in (MISSING, None, "", name, _FUNCTION_CLASS):
        return resolution
    return _disagree(resolution, _FOREIGN.format(registered, resolution.symbol))


def _known(symbol: str, catalogue: Catalogue) -> Resolution:
    entry = catalogue.entry(symbol)
    return Resolution(symbol, Origin.LEGACY if entry.legacy else Origin.KERAS, entry=entry)


def caller_symbol(found: CallerObject) -> str:
    """How a policy names an object of the program's own.

    `package>name` where it was registered so, else its dotted path.
    """
    return found.name if ">" in found.name else f"{found.module}.{found.qualname}"


def _malformed(names: Names) -> str:
    if not _is_name(names.class_name):
        return "class_name is not a name"
    for key, value in (("module", names.module), ("registered_name", names.registered_name)):
        if value is not MISSING and value is not None and not _is_name(value, empty=True):
            return f"{key} is not a name"
    return ""


def _is_name(value: Json, *, empty: bool = False) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= NAME_CHARS
        and (empty or bool(value))
        and value.isprintable()
    )


def _written(names: Names) -> str:
    """A symbol to show for names that lead nowhere: the registered name, else the path."""
    registered, module = names.registered_name, names.module
    if isinstance(registered, str) and ">" in registered:
        return registered[:NAME_CHARS]
    text = spelled(names.class_name)
    if ">" not in text:
        text = _quoted(text)
        if isinstance(module, str) and module:
            text = f"{module}.{text}"
    return text[:NAME_CHARS]


def spelled(value: Json) -> str:
    """A name as it is written; of what is none, only what it is, for it may be huge."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return repr(value)
    return "nothing" if value in (None, MISSING) else type(value).__name__


def _quoted(text: str) -> str:
    """A bare name as it is; anything else in quotes, so that no policy's pattern means it."""
    return text if text.isascii() and text.isidentifier() else repr(text[:NAME_CHARS])


def accepted(resolution: Resolution, kinds: frozenset[Kind]) -> bool:
    """Whether what the names mean may stand in a field that takes `kinds`."""
    if resolution.entry is not None:
        return resolution.entry.kind in kinds
    if resolution.caller is not None:
        # A caller's class of no known base may be anything but a node of a graph.
        return not resolution.caller.kinds or bool(resolution.caller.kinds & kinds)
    return True  # unknown: denied by default, and saying "wrong kind" would be a guess
