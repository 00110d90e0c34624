"""The catalogue of a team's package: made from its classes, and what a planner may learn from it."""

from __future__ import annotations

import argparse
import importlib
import json
import sys

import pytest

from secure_serial.authoring import packages
from secure_serial.authoring.catalogue.reading import catalogue_with, read
from secure_serial.cli import policy_vet
from secure_serial.cli.console import Console
from secure_serial.cli.exits import Exit
from secure_serial.cli.trouble import UsageError
from secure_serial.construct import owners
from secure_serial.construct.sources import UnknownSourceError, digest_of, unit_of
from secure_serial.data import catalogue
from secure_serial.errors import InvalidPolicy
from secure_serial.plan.catalogue import ANYTHING, FieldSpec
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.owner import Owner
from secure_serial.registry import get_custom_objects

FILES = {
    "__init__.py": "print('imported')\nfrom sscat.layers import Attention, Plain\n",
    "layers.py": """
import keras
from keras import initializers
from keras.saving import register_keras_serializable

@register_keras_serializable("sscat")
class Attention(keras.layers.MultiHeadAttention):
    def __init__(self, num_heads, key_dim, window, gate="zeros", units=3, path=None, **kwargs):
        super().__init__(num_heads=num_heads, key_dim=key_dim, **kwargs)
        self.gate = initializers.get(gate)

    def get_config(self):
        return {**super().get_config(), "window": 1, "only_in_config": 2}

class Plain(keras.layers.Layer):
    def __init__(self, inner, cells, rate: float = 0.1, kernel_size: int = 3, size="big", name=None):
        super().__init__(name=name)

    @classmethod
    def from_config(cls, config):
        config["inner"] = keras.layers.deserialize(config["inner"])
        config["cells"] = [keras.layers.deserialize(cell) for cell in config.pop("cells")]
        return cls(**config)

class Deep(Plain):
    pass

class Vocabulary(keras.layers.TextVectorization):
    def __init__(self, standardize=None, **kwargs):
        super().__init__(**kwargs)

class Words(keras.layers.TextVectorization):
    pass

class Reads(keras.layers.TFSMLayer):
    pass

class Net(keras.Model):
    def __init__(self, layers=3, **kwargs):
        super().__init__(**kwargs)

@register_keras_serializable("sscat")
class Config:
    def __init__(self, a): ...
    def get_config(self): return {}

@register_keras_serializable("sscat")
def my_loss(y_true, y_pred, weight=1): return 0

@register_keras_serializable("sscat")
def squash(x): return x

@register_keras_serializable("keras")
class Impostor(keras.layers.Layer): ...

def local():
    @register_keras_serializable("sscat", "Local")
    class Inner(keras.layers.Layer): ...
local()

keras.saving.get_custom_objects()["short"] = Plain
class Watcher(keras.callbacks.Callback): ...
class NotKeras: ...
instance = keras.layers.Dense(1)
""",
    "program.py": "raise SystemExit(3)\n",
    "needs_more.py": "import no_such_module_at_all\n",
    "broken.py": "def (\n",
    "__main__.py": "raise KeyboardInterrupt\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with one installed package of a team's."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sscat").mkdir()
    for name, text in FILES.items():
        (folder / "sscat" / name).write_text(text)
    info = folder / "sscat_nn-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sscat-nn\nVersion: 1.5\n")
    (info / "RECORD").write_text("".join(f"sscat/{name},sha256=x,1\n" for name in FILES))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    owners.forget()
    before = dict(get_custom_objects())
    yield folder
    sys.path.remove(str(folder))
    owners.forget()
    for name in [n for n in sys.modules if n.partition(".")[0] == "sscat"]:
        del sys.modules[name]
    get_custom_objects().clear()
    get_custom_objects().update(before)


def run(**options):
    return policy_vet.run_catalogue(argparse.Namespace(**{"out": None, **options}), Console())


@pytest.fixture(scope="module")
def written(site, tmp_path_factory):
    """The file that the command writes."""
    pytest.importorskip("keras")
    out = tmp_path_factory.mktemp("out") / "sscat.json"
    assert run(package="sscat-nn", out=str(out)) is Exit.CLEAN
    return out


@pytest.fixture(scope="module")
def tree(written):
    return json.loads(written.read_text())


@pytest.fixture(scope="module")
def symbols(tree):
    return tree["symbols"]


# What is written down.


def test_it_says_whose_it_is_and_of_which_source(tree, site):
    assert (tree["schema"], tree["distribution"], tree["version"]) == (1, "sscat-nn", "1.5")
    assert tree["keras"].startswith("3.")
    assert tree["source_sha256"] == {"sscat": digest_of(unit_of("sscat"))}


def test_every_class_and_registered_thing_is_there_by_the_planners_name(symbols):
    assert set(symbols) == {
        "sscat>Attention", "sscat>Config", "sscat>Local", "sscat>my_loss", "sscat>squash",
        "sscat.layers.Deep", "sscat.layers.Net", "sscat.layers.Plain", "sscat.layers.Reads",
        "sscat.layers.Vocabulary", "sscat.layers.Words",
    }  # fmt: skip
    assert list(symbols) == sorted(symbols)


def test_kinds_are_those_of_keras(symbols):
    kinds = {name.rpartition(">")[2].rpartition(".")[2]: e["kind"] for name, e in symbols.items()}
    assert kinds == {
        "Attention": "layer", "Config": "class", "Local": "layer", "my_loss": "loss",
        "squash": "function", "Deep": "layer", "Net": "model", "Plain": "layer", "Reads": "layer",
        "Vocabulary": "layer", "Words": "layer",
    }  # fmt: skip


def test_names_and_places_are_told(symbols):
    entry = symbols["sscat>Attention"]
    assert entry["at"] == "sscat.layers:Attention"
    assert entry["aliases"] == ["sscat.Attention", "sscat.layers.Attention"]
    assert entry["registered"] == "sscat>Attention"
    assert entry["bases"][0] == "keras.layers.MultiHeadAttention"
    assert symbols["sscat.layers.Plain"]["aliases"] == ["sscat.Plain"]
    assert symbols["sscat.layers.Plain"]["registered"] == "short"
    assert "registered" not in symbols["sscat.layers.Net"]
    assert symbols["sscat>Local"]["aliases"] == []


def test_the_digest_is_of_the_file_that_the_class_stands_in(symbols, site):
    from hashlib import sha256

    entry = symbols["sscat>squash"]
    assert entry["file"] == "sscat/layers.py"
    assert entry["sha256"] == sha256((site / "sscat" / "layers.py").read_bytes()).hexdigest()


def test_parameters_are_those_of_the_constructor_and_of_get_config(symbols):
    wanted = {"num_heads", "window", "gate", "units", "path", "dropout", "only_in_config", "name"}
    assert wanted <= set(symbols["sscat>Attention"]["parameters"])
    assert {"inner", "cells", "rate", "name"} <= set(symbols["sscat.layers.Deep"]["parameters"])


@pytest.mark.parametrize(
    ("symbol", "argument", "word"),
    [
        ("sscat>Attention", "num_heads", "size"),  # handed to the base under its name
        ("sscat>Attention", "bias_initializer", "initializer"),  # by **kwargs
        ("sscat>Attention", "gate", "initializer"),  # looked up
        ("sscat>Attention", "units", "size"),  # the name and the default say so
        ("sscat>Attention", "window", None),
        ("sscat>Attention", "path", None),
        ("sscat>Attention", "only_in_config", None),
        ("sscat.layers.Plain", "inner", "layer"),  # from_config looks it up
        ("sscat.layers.Deep", "inner", "layer"),
        ("sscat.layers.Plain", "cells", None),
        ("sscat.layers.Plain", "kernel_size", "size"),  # the name and the annotation say so
        ("sscat.layers.Plain", "size", None),  # its default is no number
        ("sscat.layers.Plain", "rate", None),
        ("sscat.layers.Plain", "name", "label"),
        ("sscat.layers.Plain", "input_shape", None),  # it takes no **kwargs
        ("sscat.layers.Net", "layers", None),  # its own, whatever a model's is
        ("sscat.layers.Net", "input_layers", "graph_ref"),
        ("sscat.layers.Words", "standardize", "function"),
        ("sscat.layers.Vocabulary", "standardize", None),
    ],
)
def test_a_field_is_told_by_what_the_class_does_with_the_argument(symbols, symbol, argument, word):
    assert symbols[symbol]["fields"].get(argument) == word


def test_what_a_base_may_cause_its_subclass_may(symbols):
    assert "reads-files" in symbols["sscat.layers.Reads"]["effects"]
    assert "effects" not in symbols["sscat>Attention"]


def test_what_cannot_be_imported_or_listed_is_told_and_the_rest_is_there(tree):
    assert set(tree["failed"]) == {"sscat.program", "sscat.needs_more", "sscat.broken"}
    assert tree["failed"]["sscat.program"] == "SystemExit: 3"
    assert "no_such_module_at_all" in tree["failed"]["sscat.needs_more"]
    assert set(tree["left_out"]) == {"keras>Impostor"}


def test_stdout_is_the_catalogue_alone(written, capsys):
    for name in [n for n in sys.modules if n.partition(".")[0] == "sscat"]:
        del sys.modules[name]
    assert run(package="sscat") is Exit.CLEAN
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads(written.read_text())
    assert "imported" in err
    assert "cannot be imported: sscat.program (SystemExit: 3)" in err


@pytest.mark.parametrize("name", ["keras", "json.decoder"])
def test_of_keras_and_of_the_library_there_is_none_to_make(name):
    pytest.importorskip("keras")
    with pytest.raises(InvalidPolicy):
        run(package=name)


@pytest.mark.parametrize("name", ["", "no-such-package", "../sscat", "\0", "a" * 5000])
def test_a_package_that_is_not_there_is_a_mistake_in_the_arguments(name):
    pytest.importorskip("keras")
    with pytest.raises(UsageError, match="can be found"):
        run(package=name)


def test_an_out_file_that_cannot_be_written_is_told(site, tmp_path):
    pytest.importorskip("keras")
    with pytest.raises(UsageError, match="cannot be written"):
        run(package="sscat", out=str(tmp_path / "no" / "folder"))


# What a name on the command line means.


def test_a_distribution_and_a_module_lead_to_the_same_package(site):
    by_module, by_name = packages.find("sscat.layers"), packages.find("SSCAT_nn")
    assert by_module.units == by_name.units == (unit_of("sscat"),)
    assert (by_module.distribution, by_module.version) == ("sscat-nn", "1.5")


def test_a_distribution_called_like_its_module_is_all_its_packages(tmp_path, monkeypatch):
    for name in ("ssboth", "ssextra"):
        (tmp_path / f"{name}.py").write_text("")
    info = tmp_path / "ssboth-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ssboth\nVersion: 1\n")
    (info / "RECORD").write_text("ssboth.py,,\nssextra.py,,\nnot a module.py,,\n../../bin/x.py,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    owners.forget()
    assert {unit.top for unit in packages.find("ssboth").units} == {"ssboth.py", "ssextra.py"}
    assert {unit.top for unit in packages.find("ssextra").units} == {"ssextra.py"}


def test_a_package_of_two_distributions_is_refused(tmp_path, monkeypatch):
    (tmp_path / "sstwo.py").write_text("")
    for name in ("ssone", "ssother"):
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "RECORD").write_text("sstwo.py,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    owners.forget()
    with pytest.raises(UnknownSourceError, match="more than one"):
        packages.find("sstwo")


# What is known once it is read.


def own(**symbols):
    """A catalogue with these symbols, which need not be what the command would write."""
    return {
        "schema": 1,
        "distribution": "ours",
        "version": "2",
        "symbols": {name.replace("__", ".").replace("_GT_", ">"): e for name, e in symbols.items()},
    }


def test_what_was_written_is_read(written, symbols):
    known = catalogue_with([written])
    assert set(known.foreign_symbols()) == set(symbols)
    entry = known.foreign("sscat>Attention")
    assert (entry.kind, entry.is_class, entry.legacy) == (Kind.LAYER, True, False)
    assert entry.owner == Owner("sscat-nn", "1.5")
    assert known.spec(entry, "gate") == FieldSpec(Field.INITIALIZER)
    assert known.foreign_alias("sscat.Attention") == "sscat>Attention"
    assert known.foreign("sscat.layers.Words").enums["standardize"] >= {"lower"}


def test_the_shipped_catalogue_is_not_changed_by_it(written):
    before = catalogue()
    known = before.with_extra(read(written))
    assert catalogue() is before
    assert list(before.foreign_symbols()) == []
    assert before.foreign("sscat>Attention") is None
    assert known.symbols() == before.symbols()
    assert all(known.entry(s) is before.entry(s) for s in before.symbols())


def test_no_name_is_resolved_to_it(written, symbols):
    """So nothing that reads a config can come upon a place to import from."""
    known = catalogue_with([written])
    for symbol, entry in symbols.items():
        assert symbol not in known
        with pytest.raises(KeyError):
            known.entry(symbol)
        for path in [symbol, *entry["aliases"], entry["at"].replace(":", ".")]:
            assert known.canonical(path) is None
            for field in Field:
                name = path.rpartition(".")[2]
                assert known.by_bare_name(name, field) == catalogue().by_bare_name(name, field)
                assert known.by_identifier(path, field) is None
                assert known.function(name, field) is None
    assert not known.is_keras_module("sscat.layers")
    assert {known.foreign(s).at for s in symbols if known.foreign(s)} == {""}


def test_an_argument_of_which_nothing_is_told_may_hold_what_a_strangers_may(written):
    known = catalogue_with([written])
    entry = known.foreign("sscat>Attention")
    assert known.spec(entry, "window") == known.spec(entry, "nobody knows") == ANYTHING


def test_of_what_is_no_kind_of_keras_nothing_is_known_that_could_refuse_it(written):
    known = catalogue_with([written])
    assert {"sscat>Config", "sscat>squash"} <= set(known.foreign_symbols())
    assert known.foreign("sscat>Config") is None
    assert known.foreign("sscat>squash") is None
    assert known.foreign("sscat>my_loss").kind is Kind.LOSS


def test_a_package_without_a_distribution_has_no_owner():
    known = catalogue().with_extra({**own(ours__A={"kind": "layer"}), "distribution": ""})
    assert known.foreign("ours.A").owner is None


LAYER = {"kind": "layer"}


@pytest.mark.parametrize(
    "symbol",
    [
        "keras.layers.Dense", "keras.layers.Mine", "keras.mine", "tf_keras.layers.Mine", "tensorflow.keras.X",
        "tf.keras.layers.Dense", "tensorflow.Mine", "Keras.layers.Dense", "KERAS.Mine", "\uff4b\uff45\uff52\uff41\uff53>Mine",
        "keras>Dense", "keras.layers>Dense", " keras>Mine", "builtins.eval", "os.system", "subprocess>Popen",
    ],
)  # fmt: skip
def test_keras_and_the_library_are_not_spoken_of(symbol):
    with pytest.raises(InvalidPolicy) as caught:
        catalogue().with_extra({**own(), "symbols": {symbol: LAYER}})
    assert any("no name that a package" in problem for problem in caught.value.problems)


@pytest.mark.parametrize("alias", ["keras.layers.Dense", "tf.keras.X", "os.system"])
def test_no_other_path_of_a_class_is_kerass(alias):
    with pytest.raises(InvalidPolicy):
        catalogue().with_extra(own(ours__A={**LAYER, "aliases": [alias]}))


@pytest.mark.parametrize(
    "symbol", ["", "Bare", "a..b", "a.b c", "a.b\n", ">x", "x>", "é.B", "a.b(", "a." + "b" * 600]
)
def test_what_the_planner_never_writes_is_no_symbol(symbol):
    with pytest.raises(InvalidPolicy):
        catalogue().with_extra({**own(), "symbols": {symbol: LAYER}})


@pytest.mark.parametrize(
    "word",
    ["text", "value*", "label", "pattern", "words", "number", "root", "graph_node*", "unknown"],
)
def test_no_argument_takes_more_than_a_strangers(word):
    with pytest.raises(InvalidPolicy) as caught:
        catalogue().with_extra(own(ours__A={**LAYER, "fields": {"path": word}}))
    assert any("takes more" in problem for problem in caught.value.problems)


def test_unless_a_base_of_kerass_has_the_same_word_for_it():
    bases = ["keras.layers.Hashing", "keras.Layer"]
    entry = {**LAYER, "bases": bases, "fields": {"mask_value": "text", "name": "label"}}
    known = catalogue().with_extra(own(ours__A=entry))
    assert known.foreign("ours.A").fields["mask_value"] == FieldSpec(Field.TEXT)
    with pytest.raises(InvalidPolicy):
        catalogue().with_extra(own(ours__A={**entry, "fields": {"salt": "text"}}))


def test_what_stands_beside_an_argument_in_kerass_catalogue_holds_for_the_subclass():
    entry = {**LAYER, "bases": ["keras.initializers.GlorotUniform"], "fields": {"seed": "number"}}
    known = catalogue().with_extra(own(ours__A=entry))
    want = catalogue().entry("keras.initializers.GlorotUniform").fields["seed"]
    assert want.also
    assert known.foreign("ours.A").fields["seed"] == want


@pytest.mark.parametrize("key", ["enums", "accepts", "defaults", "or", "resolves", "at"])
def test_what_could_let_more_in_is_not_read(key):
    entry = {**LAYER, "fields": {"x": "initializer"}, key: {"x": ["keras.layers.Lambda"]}}
    known = catalogue().with_extra(own(ours__A=entry)).foreign("ours.A")
    assert (known.enums, known.defaults, known.at) == ({}, {}, "")
    assert known.fields == {"x": FieldSpec(Field.INITIALIZER)}


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "wizard"}, {"kind": None}, {"kind": ["layer"]}, {"aliases": "a.b"}, {"aliases": [1]},
        {"fields": []}, {"fields": {"x": "nonsense"}}, {"fields": {"x": 1}}, {"fields": {"x": None}},
        {"effects": ["magic"]}, {"effects": 3}, {"bases": ["keras.layers.NoSuch"]}, {"bases": {}},
        {"bases": ["ours.B"]},
    ],
)  # fmt: skip
def test_an_entry_that_is_none_is_one_error(change):
    with pytest.raises(InvalidPolicy) as caught:
        catalogue().with_extra(own(ours__A={**LAYER, **change}))
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    "tree",
    [None, [], 7, "x", {}, {"schema": 2}, {"schema": 1}, {**own(), "distribution": 3}, {**own(), "version": None},
     {**own(), "symbols": []}, own(ours__A=[]), own(ours__A=None)],
)  # fmt: skip
def test_a_tree_that_is_no_catalogue_is_one_error(tree):
    with pytest.raises(InvalidPolicy):
        catalogue().with_extra(tree)


def test_all_problems_are_told_at_once():
    with pytest.raises(InvalidPolicy) as caught:
        catalogue().with_extra(
            own(keras__A=LAYER, Bare=LAYER, ours__A={"kind": 1}), own(os__B=LAYER)
        )
    assert len(caught.value.problems) == 4


def test_one_symbol_stands_in_one_catalogue():
    with pytest.raises(InvalidPolicy):
        catalogue().with_extra(own(ours__A=LAYER), own(ours__A=LAYER))
    with pytest.raises(InvalidPolicy):
        catalogue().with_extra(own(ours__A=LAYER)).with_extra(own(ours__A=LAYER))
    both = catalogue().with_extra(own(ours__A=LAYER)).with_extra(own(ours__B=LAYER))
    assert set(both.foreign_symbols()) == {"ours.A", "ours.B"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"schema": 1, "schema": 1}', "\ufeff{}", '"\\ud800"', "[" * 5000, "9" * 9999],
)
def test_a_file_that_is_no_catalogue_is_one_error_and_named(tmp_path, text):
    file = tmp_path / "c.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidPolicy) as caught:
        catalogue_with([file])
    assert caught.value.where.file == str(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "none.json", tmp_path, "a\0b"):
        with pytest.raises(InvalidPolicy):
            catalogue_with([path])
