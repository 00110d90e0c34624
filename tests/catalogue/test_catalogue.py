"""The two catalogue files by themselves: known words, sound references, readable form."""

import json
from pathlib import Path

import pytest

from secure_serial.plan.fields import ACCEPTS, OBJECT_FIELDS, Field, Kind

CATALOGUES = Path(__file__).resolve().parents[2] / "policies" / "catalogue"
TEXTS = {name: (CATALOGUES / name).read_text() for name in ("keras-3.15.json", "legacy.json")}
CURRENT, LEGACY = (json.loads(text) for text in TEXTS.values())
SYMBOLS = CURRENT["symbols"]
OLD = {
    (kind, name): entry for kind, table in LEGACY["kinds"].items() for name, entry in table.items()
}
EFFECTS = {
    "deserializes-code",
    "executes",
    "fetches",
    "process-state",
    "reads-files",
    "writes-files",
}


def words():
    yield from CURRENT["compile"].values()
    yield from CURRENT["build"].values()
    yield from LEGACY["fields"].values()
    yield from LEGACY["training"].values()
    for entry in [*SYMBOLS.values(), *OLD.values()]:
        for section in ("fields", "or", "build"):
            yield from entry.get(section, {}).values()


def test_every_word_is_in_the_vocabulary():
    unknown = {word for word in words() if word.removesuffix("*") not in list(Field)}
    assert unknown == set()
    assert "unknown" not in set(words())


def test_every_kind_is_in_the_vocabulary():
    assert {entry["kind"] for entry in SYMBOLS.values()} <= set(Kind)
    assert set(LEGACY["kinds"]) <= set(Kind)


def test_every_effect_is_one_that_the_documentation_names():
    told = [entry.get("effects", []) for entry in [*SYMBOLS.values(), *OLD.values()]]
    assert {effect for effects in told for effect in effects} == EFFECTS


def test_identifiers_lead_to_symbols_that_may_stand_where_the_identifier_may():
    for word, table in CURRENT["identifiers"].items():
        for identifier, name in table.items():
            assert SYMBOLS[name]["kind"] in ACCEPTS[Field(word)], (word, identifier)


def test_an_alias_leads_to_one_symbol_only():
    owners = {}
    for name, entry in SYMBOLS.items():
        for path in [name, *entry["aliases"]]:
            owners.setdefault(path, set()).add(name)
    assert {path: names for path, names in owners.items() if len(names) > 1} == {}


def test_defaults_stand_for_arguments_and_lead_to_symbols():
    for name, entry in SYMBOLS.items():
        for argument, default in entry.get("defaults", {}).items():
            field = Field(entry["fields"][argument].removesuffix("*"))
            assert SYMBOLS[default]["kind"] in ACCEPTS[field], (name, argument)


def test_exceptions_of_an_entry_are_about_its_arguments():
    for name, entry in [*SYMBOLS.items(), *OLD.items()]:
        for section in ("or", "enums", "accepts"):
            fields = entry.get("fields", {}) | SYMBOLS.get(entry.get("canonical"), {}).get(
                "fields", {}
            )
            assert set(entry.get(section, {})) <= set(fields), name


def test_only_modelling_classes_have_fields():
    for name, entry in SYMBOLS.items():
        modelling = entry["type"] == "class" and entry["kind"] != "class"
        assert ("fields" in entry) == modelling, name


@pytest.mark.parametrize(
    ("symbol", "argument", "word"),
    [
        ("keras.layers.TFSMLayer", "filepath", "asset"),
        ("keras.layers.TorchModuleWrapper", "module", "blob"),
        ("keras.layers.FlaxLayer", "module", "blob"),
        ("keras.layers.StringLookup", "vocabulary", "words"),
        ("keras.layers.IntegerLookup", "vocabulary", "words"),
        ("keras.layers.TextVectorization", "vocabulary", "words"),
        ("keras.layers.TextVectorization", "standardize", "function"),
        ("keras.layers.Lambda", "function", "function"),
        ("keras.layers.Lambda", "mask", "function"),
        ("keras.layers.StringLookup", "idf_weights", "array"),
        ("keras.layers.Dense", "units", "size"),
        ("keras.layers.RNN", "cell", "layer"),
        ("keras.layers.StackedRNNCells", "cells", "layer*"),
        ("keras.src.models.functional.Functional", "layers", "graph_node*"),
        ("keras.Sequential", "layers", "layer*"),
        ("keras.optimizers.Adam", "learning_rate", "schedule"),
    ],
)
def test_arguments_that_attacks_used_have_the_word_that_stops_them(symbol, argument, word):
    assert SYMBOLS[symbol]["fields"][argument] == word


@pytest.mark.parametrize(
    ("symbol", "effect"),
    [
        ("keras.utils.get_file", "fetches"),
        ("keras.config.enable_unsafe_deserialization", "process-state"),
        ("keras.saving.load_model", "deserializes-code"),
        ("keras.layers.Lambda", "deserializes-code"),
        ("keras.layers.TorchModuleWrapper", "deserializes-code"),
        ("keras.layers.TFSMLayer", "reads-files"),
        ("keras.datasets.mnist.load_data", "fetches"),
        ("keras.applications.vgg16.VGG16", "fetches"),
        ("keras.utils.clear_session", "process-state"),
        ("keras.utils.plot_model", "writes-files"),
        ("keras.callbacks.ModelCheckpoint", "writes-files"),
        ("keras.callbacks.RemoteMonitor", "fetches"),
        ("keras.layers.deserialize", "deserializes-code"),
        ("keras.distribution.set_distribution", "process-state"),
        ("keras.ops.map", "executes"),
    ],
)
def test_symbols_that_attacks_used_say_what_they_cause(symbol, effect):
    assert effect in SYMBOLS[symbol]["effects"]


def test_what_models_are_made_of_causes_nothing_but_for_five_layers():
    told = {
        name
        for name, entry in SYMBOLS.items()
        if entry["type"] == "class" and entry["kind"] not in {"class", "operation"}
        if entry.get("effects")
    }
    assert {name.rpartition(".")[2] for name in told} == {
        "FlaxLayer",
        "JaxLayer",
        "Lambda",
        "TFSMLayer",
        "TorchModuleWrapper",
    }


def test_a_legacy_class_is_one_of_keras_3_of_the_same_kind_or_says_that_it_is_legacy():
    for (kind, name), entry in OLD.items():
        canonical = entry["canonical"]
        legacy = canonical.startswith("keras.legacy.")
        assert legacy or SYMBOLS[canonical]["kind"] == kind, name


def test_legacy_identifiers_and_paths_lead_to_known_names():
    known = {entry["canonical"] for entry in OLD.values()} | set(SYMBOLS)
    assert set(LEGACY["paths"].values()) <= known
    for word, table in LEGACY["identifiers"].items():
        assert Field(word) in OBJECT_FIELDS
        for identifier, name in table.items():
            assert name in known or name.startswith("keras.legacy."), identifier


def test_legacy_identifiers_of_known_symbols_may_stand_where_the_identifier_may():
    for word, table in LEGACY["identifiers"].items():
        for identifier, name in table.items():
            if name in SYMBOLS:
                assert SYMBOLS[name]["kind"] in ACCEPTS[Field(word)], (word, identifier)


@pytest.mark.parametrize(
    ("kind", "name", "canonical"),
    [
        ("layer", "Convolution2D", "keras.layers.Conv2D"),
        ("layer", "AtrousConvolution2D", "keras.layers.Conv2D"),
        ("layer", "Deconvolution2D", "keras.layers.Conv2DTranspose"),
        ("layer", "AlphaDropout", "keras.layers.AlphaDropout"),
        ("layer", "Merge", "keras.legacy.layers.Merge"),
        ("layer", "MaxoutDense", "keras.legacy.layers.MaxoutDense"),
        ("layer", "CuDNNLSTM", "keras.legacy.layers.CuDNNLSTM"),
        ("layer", "TensorFlowOpLayer", "keras.legacy.layers.TensorFlowOpLayer"),
        ("layer", "ThresholdedReLU", "keras._legacy.layers.ThresholdedReLU"),
        ("model", "Graph", "keras.legacy.models.Graph"),
        ("model", "Functional", "keras.src.models.functional.Functional"),
        ("regularizer", "WeightRegularizer", "keras.regularizers.L1L2"),
        ("metric", "MeanAbsoluteError", "keras.metrics.MeanAbsoluteError"),
        ("loss", "MeanAbsoluteError", "keras.losses.MeanAbsoluteError"),
        ("dtype_policy", "Policy", "keras.DTypePolicy"),
        ("preprocessor", "Tokenizer", "keras._legacy.preprocessing.text.Tokenizer"),
    ],
)
def test_old_names_lead_to_what_they_mean_today(kind, name, canonical):
    assert OLD[kind, name]["canonical"] == canonical


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("keras.layers.core.Dense", "keras.layers.Dense"),
        ("keras.layers.core.dense.Dense", "keras.layers.Dense"),
        ("keras.src.engine.functional.Functional", "keras.src.models.functional.Functional"),
        ("keras.src.engine.sequential.Sequential", "keras.Sequential"),
        ("keras.engine.training.Model", "keras.Model"),
        ("keras.optimizers.legacy.Adam", "keras.optimizers.Adam"),
    ],
)
def test_old_paths_lead_to_what_they_mean_today(path, canonical):
    assert LEGACY["paths"][path] == canonical


def test_every_prefix_leads_to_keras_and_none_begins_a_name_of_keras_3():
    assert set(LEGACY["prefixes"].values()) == {"keras"}
    for prefix in LEGACY["prefixes"]:
        under = {name for name in SYMBOLS if name.startswith(prefix + ".")}
        assert under == set(), prefix


def test_layers_that_run_what_their_config_names_say_so():
    for name in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "ClassMethod"):
        assert OLD["layer", name]["effects"] == ["executes"]
    for name in ("LambdaMerge", "MaskedLambda"):
        assert OLD["layer", name]["effects"] == ["deserializes-code"]


@pytest.mark.parametrize("name", list(TEXTS))
def test_a_file_has_one_line_per_symbol_sorted_and_is_small(name):
    text = TEXTS[name]
    assert text.isascii()
    assert len(text) < 700_000
    tables = [SYMBOLS] if name.startswith("keras") else list(LEGACY["kinds"].values())
    lines = set(text.splitlines())
    for table in tables:
        assert list(table) == sorted(table)
        for key, entry in table.items():
            line = json.dumps(key) + ":" + json.dumps(entry, separators=(",", ":"))
            assert line in lines or line + "," in lines
