"""The catalogue: what is known of Keras's own names, as data. A pure look-up, no I/O.

Nothing here knows how to import anything. A name that the catalogue does not hold exactly
(after bringing an alias to its canonical form) is unknown, however much it looks like one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from secure_serial.plan.fields import ACCEPTS, Field, Kind
from secure_serial.plan.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from secure_serial.artifact.document import Json


class FieldSpec(NamedTuple):
    """What may stand in an argument; `nest` where lists and dicts of it may."""

    field: Field
    nest: bool = False
    also: frozenset[str] = frozenset()  # single symbols that may stand there besides


class Entry(NamedTuple):
    """One symbol of the catalogue, brought to its canonical name."""

    symbol: str
    kind: Kind
    is_class: bool
    legacy: bool
    at: str
    fields: Mapping[str, FieldSpec]
    defaults: Mapping[str, str]
    enums: Mapping[str, frozenset[str]]
    effects: tuple[str, ...]
    owner: Owner | None = None
    foreign: bool = False  # of a package other than Keras, and known by its own catalogue alone


def field_spec(word: str) -> FieldSpec:
    """The meaning of a catalogue word.

    >>> field_spec("layer*")
    FieldSpec(field=<Field.LAYER: 'layer'>, nest=True, also=frozenset())
    """
    return FieldSpec(Field(word.rstrip("*")), word.endswith("*"))


#: What may stand in an argument of a class of which nobody knows more than its name.
ANYTHING = FieldSpec(Field.OBJECT, nest=True)
#: Kinds that do not tell where a symbol of another package may stand.
_UNTOLD = frozenset({Kind.CLASS, Kind.FUNCTION})
#: The kinds that a bare name may be of in a field, the field's own first: a metric that is
#: called like a loss is a metric where metrics stand.
_KINDS_BY_FIELD: dict[Field, list[Kind]] = {
    field: [kind for kind in Kind if kind in kinds and kind.value == field.value]
    + [kind for kind in Kind if kind in kinds and kind.value != field.value]
    for field, kinds in ACCEPTS.items()
}
#: Which identifier table a field's strings are looked up in (Keras's `X.get("name")`).
IDENTIFIER_FIELDS: dict[Field, tuple[str, ...]] = {
    Field.ACTIVATION: ("activation",),
    Field.INITIALIZER: ("initializer",),
    Field.REGULARIZER: ("regularizer",),
    Field.CONSTRAINT: ("constraint",),
    Field.LOSS: ("loss",),
    Field.METRIC: ("metric", "loss"),
    Field.OPTIMIZER: ("optimizer",),
    Field.DTYPE_POLICY: ("dtype_policy",),
    Field.QUANTIZATION: ("quantization",),
    Field.FUNCTION: ("activation", "loss", "metric"),
}
#: Where the function that a `"module": "builtins"` node names may stand, by field.
_ANY_FUNCTION = ("activations", "losses", "metrics", "regularizers", "constraints", "initializers")
_FUNCTION_MODULES: dict[Field, tuple[str, ...]] = {
    Field.ACTIVATION: ("activations",),
    Field.LOSS: ("losses",),
    Field.METRIC: ("metrics", "losses"),
    Field.INITIALIZER: ("initializers",),
    Field.REGULARIZER: ("regularizers",),
    Field.CONSTRAINT: ("constraints",),
    Field.FUNCTION: ("activations", "losses", "metrics"),
    Field.OBJECT: _ANY_FUNCTION,
    Field.ROOT: _ANY_FUNCTION,
}


class Catalogue:
    """Keras's symbols by canonical name, alias, legacy path, bare name and identifier."""

    def __init__(self, current: Mapping[str, Json], legacy: Mapping[str, Json]) -> None:
        """From the two parsed data files, `keras-<version>.json` and `legacy.json`."""
        self.version = str(current["version"])
        self.owner = Owner("keras", self.version)
        self._raw = cast("dict[str, dict[str, Json]]", current["symbols"])
        self._identifiers = cast("dict[str, dict[str, str]]", current["identifiers"])
        self._legacy_kinds = cast("dict[str, dict[str, dict[str, Json]]]", legacy["kinds"])
        self._legacy_identifiers = cast("dict[str, dict[str, str]]", legacy["identifiers"])
        self._paths = cast("dict[str, str]", legacy["paths"])
        self._prefixes = sorted(
            cast("dict[str, str]", legacy["prefixes"]).items(), key=lambda p: -len(p[0])
        )
        self._starts = tuple(prefix for prefix, _ in self._prefixes)
        self._legacy_fields = _specs(cast("dict[str, str]", legacy.get("fields", {})))
        self._config_fields = {
            "compile_config": _specs(cast("dict[str, str]", current["compile"])),
            "build_config": _specs(cast("dict[str, str]", current["build"])),
        }
        implied = cast("dict[str, list[str]]", current.get("implied", {}))
        self._implied = {symbol: tuple(names) for symbol, names in implied.items()}
        self._entries: dict[str, Entry] = {}
        self._aliases: dict[str, str] = {}
        self._bare: dict[Kind, dict[str, str]] = {}
        self._foreign: dict[str, Entry] = {}
        self._foreign_aliases: dict[str, str] = {}
        for symbol, raw in self._raw.items():
            for alias in cast("list[str]", raw.get("aliases", ())):
                self._aliases[alias] = symbol
        self._legacy_symbols = {
            cast("str", raw["canonical"]): (kind, name)
            for kind, table in self._legacy_kinds.items()
            for name, raw in table.items()
            if raw["canonical"] not in self._raw
        }

        for table, names in self._legacy_identifiers.items():
            for symbol in names.values():
                if symbol not in self._raw:
                    self._legacy_symbols.setdefault(symbol, (table, ""))

    def __contains__(self, symbol: str) -> bool:
        """Whether a canonical name is known, of today's Keras or an earlier one."""
        return symbol in self._raw or symbol in self._legacy_symbols

    def symbols(self) -> Iterable[str]:
        """Every canonical name of today's Keras."""
        return self._raw.keys()

    def is_keras_module(self, module: str) -> bool:
        """Whether a dotted module belongs to Keras, by one of its spellings."""
        path = self._normalise(module)
        return path == "keras" or path.startswith("keras.")

    def canonical(self, path: str) -> str | None:
        """The canonical name behind a dotted path, exact; None where there is none."""
        path = self._normalise(path)
        # Old paths first: Keras 3 keeps names such as keras.optimizers.legacy.Adam as stubs.
        return self._paths.get(path) or self._aliases.get(path) or self._exact(path)

    def _exact(self, path: str) -> str | None:
        return path if path in self._raw else None

    def entry(self, symbol: str) -> Entry:
        """What is known of a canonical name. Raises KeyError for any other."""
        entry = self._entries.get(symbol)
        if entry is None:
            entry = self._entries[symbol] = self._make_entry(symbol)
        return entry

    def arguments(self, symbol: str) -> frozenset[str]:
        """The arguments of a class of today's Keras; none for any other."""
        raw = self._raw.get(symbol, {})
        return frozenset(cast("dict[str, str]", raw.get("fields", {})))

    def is_identifier(self, text: str, field: Field) -> bool:
        """Whether today's Keras knows a string identifier in this field, by this very text."""
        tables = IDENTIFIER_FIELDS.get(field, ())
        return any(text in self._identifiers.get(table, {}) for table in tables)

    def by_bare_name(self, name: str, field: Field) -> str | None:
        """The class that a config without a module means by `name`, in this field."""
        for kind in _KINDS_BY_FIELD.get(field, ()):
            found = self._bare_names(kind).get(name)
            if found is None:
                raw = self._legacy_kinds.get(kind, {}).get(name)
                found = None if raw is None else cast("str", raw["canonical"])
            if found is not None:
                return found
        return None

    def by_identifier(self, text: str, field: Field) -> str | None:
        """The symbol that a string identifier means in this field (`"relu"`, `"adam"`)."""
        return self._in_tables(text, IDENTIFIER_FIELDS.get(field, ()))

    def function(self, name: str, field: Field) -> str | None:
        """The built-in function that a `"module": "builtins"` node means.

        Keras searches its modules of built-ins for the name; here the field says which.
        """
        if not name.isidentifier():
            return None
        for module in _FUNCTION_MODULES.get(field, ()):
            symbol = self.canonical(f"keras.{module}.{name}")
            if symbol in self._raw and self._raw[symbol].get("type") == "function":
                return symbol
        return None

    def config_fields(self, key: str) -> Mapping[str, FieldSpec] | None:
        """What may stand in a node's `compile_config` and `build_config`; None for other keys."""
        return self._config_fields.get(key)

    def implied(self, symbol: str) -> tuple[str, ...]:
        """What a class resolves by name while it is built, beside its arguments' defaults.

        `"*"` gives what any model may; the lists are measured on each Keras version.
        """
        return self._implied.get(symbol, ())

    def spec(self, entry: Entry, argument: str) -> FieldSpec:
        """What may stand in an argument of a class; `Field.UNKNOWN` if nobody knows."""
        known = entry.fields.get(argument)
        if known is None:
            if entry.foreign:
                return ANYTHING
            known = self._legacy_fields.get(argument)
        return known if known is not None else FieldSpec(Field.UNKNOWN)

    def with_extra(self, *trees: Json) -> Catalogue:
        """The same catalogue, and what those of other packages say of their own classes.

        What is known of Keras stays as it is. The new symbols are known to `foreign` alone:
        no name is resolved to them, so nothing can be built that could not be without them.

        Args:
            trees: Parsed files, as `secure-serial policy catalogue PACKAGE` writes them.

        Raises:
            InvalidPolicy: with all that is wrong with them.

        """
        from copy import copy

        from secure_serial.plan import foreign  # only authors of policies come here

        other = copy(self)
        other.__dict__ |= {
            "_foreign": foreign.merged(trees, self, self._foreign),
            "_foreign_aliases": self._foreign_aliases | foreign.aliases(trees),
        }
        return other

    def foreign(self, symbol: str) -> Entry | None:
        """What a package's own catalogue says of a symbol, as the planner writes it.

        The entry tells where the symbol may stand and what may stand in its arguments; it
        never says that it may be built. None where the catalogue does not know what it is.
        """
        entry = self._foreign.get(symbol)
        return None if entry is None or entry.kind in _UNTOLD else entry

    def foreign_symbols(self) -> Iterable[str]:
        """Every symbol of the packages whose catalogues were added."""
        return self._foreign.keys()

    def foreign_alias(self, path: str) -> str | None:
        """The symbol behind another dotted path of it, for a message; no rule matches a path."""
        return self._foreign_aliases.get(path)

    def _in_tables(self, text: str, tables: tuple[str, ...]) -> str | None:
        for source in (self._identifiers, self._legacy_identifiers):
            for table in tables:
                found = source.get(table, {}).get(text)
                if found is not None:
                    return found
        return None

    def _normalise(self, path: str) -> str:
        if not path.startswith(self._starts):  # the usual case, asked in one call
            return path
        for prefix, replacement in self._prefixes:
            if path == prefix or path.startswith(prefix + "."):
                return replacement + path[len(prefix) :]
        return path

    def _bare_names(self, kind: Kind) -> dict[str, str]:
        table = self._bare.get(kind)
        if table is None:
            table = {}
            classes = [
                (symbol, str(raw.get("at", symbol)))  # an older Keras has not got every class
                for symbol, raw in self._raw.items()
                if raw["kind"] == kind and raw.get("type") == "class"
            ]
            for symbol, _ in classes:
                table.setdefault(symbol.rpartition(".")[2], symbol)
            for symbol, at in classes:  # Keras 2's format has the name of the class itself
                table.setdefault(at.rpartition(".")[2].rpartition(":")[2], symbol)
            self._bare[kind] = table
        return table

    def _make_entry(self, symbol: str) -> Entry:
        raw = self._raw.get(symbol)
        legacy = raw is None
        if raw is None:
            kind_name, name = self._legacy_symbols[symbol]
            kind = Kind(kind_name)
            raw = self._legacy_kinds.get(kind_name, {}).get(name, _FUNCTION)
        else:
            kind = Kind(cast("str", raw["kind"]))
        fields = _specs(cast("dict[str, str]", raw.get("fields", {})))
        for extra in self._legacy_kinds.get(kind, {}).values():
            if extra["canonical"] == symbol and "fields" in extra:
                fields = {**_specs(cast("dict[str, str]", extra["fields"])), **fields}
        for name, symbols in cast("dict[str, list[str]]", raw.get("accepts", {})).items():
            fields[name] = fields[name]._replace(also=frozenset(symbols))
        enums = cast("dict[str, list[str]]", raw.get("enums", {}))
        return Entry(
            symbol=symbol,
            kind=kind,
            is_class=raw.get("type", "class") == "class",
            legacy=legacy,
            at=cast("str", raw.get("at", "")),
            fields=fields,
            defaults=cast("dict[str, str]", raw.get("defaults", {})),
            enums={name: frozenset(values) for name, values in enums.items()},
            effects=tuple(cast("list[str]", raw.get("effects", ()))),
            owner=None if legacy else self.owner,
        )


#: An earlier Keras's function that only its identifier is known of.
_FUNCTION: dict[str, Json] = {"type": "function"}


def _specs(words: Mapping[str, str]) -> dict[str, FieldSpec]:
    return {name: field_spec(word) for name, word in words.items()}
