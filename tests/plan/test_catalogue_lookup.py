"""The catalogue as the planner asks it, on the shipped data and on data of a test's own."""

from __future__ import annotations

import pytest

from secure_serial.data import catalogue
from secure_serial.plan.catalogue import Catalogue, FieldSpec, field_spec
from secure_serial.plan.fields import Field, Kind


def small():
    current = {
        "version": "3.0",
        "compile": {"loss": "loss*"},
        "build": {},
        "identifiers": {"activation": {"relu": "keras.activations.relu"}, "loss": {}},
        "symbols": {
            "keras.layers.Dense": {
                "kind": "layer", "at": "m:Dense", "aliases": ["keras.src.Dense"], "fields": {"units": "size"},
                "enums": {"mode": ["a"]}, "defaults": {"k": "keras.initializers.Zeros"}, "effects": ["x"],
            },
            "keras.activations.relu": {"kind": "activation", "at": "m:relu", "type": "function"},
        },
    }  # fmt: skip
    legacy = {
        "kinds": {
            "layer": {
                "Old": {"canonical": "keras.legacy.layers.Old", "fields": {"n": "size"}},
                "Dense": {"canonical": "keras.layers.Dense", "fields": {"output_dim": "size"}},
            }
        },
        "identifiers": {"metric": {"fmeasure": "keras.legacy.metrics.fmeasure"}},
        "paths": {"keras.layers.old.Old": "keras.legacy.layers.Old"},
        "prefixes": {"tf_keras": "keras", "tf_keras.api": "keras"},
    }
    return Catalogue(current, legacy)


def test_an_entry_holds_what_the_data_say_and_what_earlier_keras_added():
    entry = small().entry("keras.layers.Dense")
    assert entry.fields == {"units": FieldSpec(Field.SIZE), "output_dim": FieldSpec(Field.SIZE)}
    assert (entry.kind, entry.is_class, entry.legacy, entry.at) == (
        Kind.LAYER,
        True,
        False,
        "m:Dense",
    )
    assert (entry.enums, entry.effects) == ({"mode": frozenset("a")}, ("x",))
    assert entry.defaults == {"k": "keras.initializers.Zeros"}


def test_what_only_an_identifier_of_earlier_keras_names_is_a_function():
    entry = small().entry("keras.legacy.metrics.fmeasure")
    assert (entry.legacy, entry.is_class, entry.kind) == (True, False, Kind.METRIC)


def test_the_legacy_data_may_lack_what_every_layer_had():
    spec = small().spec(small().entry("keras.legacy.layers.Old"), "weights")
    assert spec == FieldSpec(Field.UNKNOWN)


@pytest.mark.parametrize(
    ("path", "symbol"),
    [("keras.layers.Dense", "keras.layers.Dense"), ("keras.src.Dense", "keras.layers.Dense"),
     ("tf_keras.layers.Dense", "keras.layers.Dense"), ("tf_keras.api.layers.Dense", "keras.layers.Dense"),
     ("keras.layers.old.Old", "keras.legacy.layers.Old"), ("tf_keras.layers.old.Old", "keras.legacy.layers.Old"),
     ("keras.layers.dense", None), ("keras.layers.Dense.x", None), ("tf_kerasx.layers.Dense", None), ("", None)],
)  # fmt: skip
def test_a_path_is_a_symbol_exactly_or_not_at_all(path, symbol):
    assert small().canonical(path) == symbol


@pytest.mark.parametrize(
    ("module", "is_one"),
    [
        ("keras", True),
        ("keras.x", True),
        ("tf_keras", True),
        ("kerasx", False),
        ("", False),
        ("xkeras", False),
    ],
)
def test_a_module_is_of_keras_by_whole_segments(module, is_one):
    assert small().is_keras_module(module) is is_one


def test_what_is_not_held_is_not_known():
    assert "keras.layers.Dense" in small()
    assert "keras.legacy.layers.Old" in small()
    assert "Dense" not in small()
    with pytest.raises(KeyError):
        small().entry("keras.layers.Nothing")


@pytest.mark.parametrize(
    ("name", "field", "symbol"),
    [("Dense", Field.LAYER, "keras.layers.Dense"), ("Old", Field.ROOT, "keras.legacy.layers.Old"),
     ("Old", Field.LOSS, None), ("relu", Field.ACTIVATION, None), ("Dense", Field.SIZE, None)],
)  # fmt: skip
def test_a_bare_name_is_a_class_that_fits(name, field, symbol):
    assert small().by_bare_name(name, field) == symbol


def test_an_identifier_is_looked_up_in_its_own_tables():
    assert small().by_identifier("relu", Field.ACTIVATION) == "keras.activations.relu"
    assert small().by_identifier("relu", Field.LOSS) is None
    assert small().by_identifier("fmeasure", Field.METRIC) == "keras.legacy.metrics.fmeasure"
    assert small().by_identifier("relu", Field.SIZE) is None


@pytest.mark.parametrize(
    ("name", "found"), [("relu", True), ("a.relu", False), ("Dense", False), ("elu", False)]
)
def test_a_function_is_found_by_its_name_in_the_fields_module(name, found):
    assert (small().function(name, Field.ACTIVATION) is not None) is found
    assert small().function(name, Field.LAYER) is None


def test_settings_that_the_data_lack_are_empty():
    assert small().implied("*") == ()
    assert small().config_fields("compile_config") == {"loss": FieldSpec(Field.LOSS, nest=True)}
    assert small().config_fields("other") is None
    assert list(small().symbols()) == ["keras.layers.Dense", "keras.activations.relu"]
    assert small().version == "3.0"


@pytest.mark.parametrize(
    ("word", "spec"),
    [("layer", FieldSpec(Field.LAYER)), ("layer*", FieldSpec(Field.LAYER, nest=True))],
)
def test_a_word_is_a_field_with_or_without_nests(word, spec):
    assert field_spec(word) == spec


def test_an_unknown_word_is_an_error_in_the_data():
    with pytest.raises(ValueError, match="nonsense"):
        field_spec("nonsense")


def test_every_name_in_the_shipped_data_leads_to_something_known():
    known = catalogue()
    targets = {*known._aliases.values(), *known._paths.values()}
    for tables in (known._identifiers, known._legacy_identifiers):
        targets.update(symbol for table in tables.values() for symbol in table.values())
    for table in known._legacy_kinds.values():
        targets.update(raw["canonical"] for raw in table.values())
    assert [symbol for symbol in targets if symbol not in known] == []


@pytest.mark.parametrize("symbol", sorted(catalogue().symbols()))
def test_every_shipped_entry_can_be_read(symbol):
    assert catalogue().entry(symbol).symbol == symbol
