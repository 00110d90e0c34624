"""What `policy check` says of classes that are not Keras's: their arguments and their names."""

from __future__ import annotations

import json
from datetime import date

import pytest
from authoring.tables import allow, deny

from secure_serial.authoring.check import check

TODAY = date(2026, 11, 22)
TREE = {
    "schema": 1,
    "distribution": "acme",
    "version": "1.2",
    "symbols": {
        "acme>Block": {
            "kind": "layer",
            "bases": ["keras.Layer"],
            "parameters": ["name", "units"],
            "fields": {"name": "label"},
            "aliases": ["acme.layers.Block"],
        },
        "acme>Untold": {"kind": "layer", "fields": {"units": "size"}},
    },
}
UNIT, UNITS = "arguments.unit = { max = 4 }", "arguments.units = { max = 4 }"


@pytest.fixture
def said(tmp_path):
    """What is found in a policy, as (slug, message)."""

    def run(text, **options):
        path = tmp_path / "p.toml"
        path.write_text("schema = 1\n" + text, encoding="utf-8")
        found = check([str(path)], TODAY, **options).findings
        return [(f.slug, f.message) for f in found]

    return run


@pytest.fixture
def model(tmp_path):
    """A config that builds one `acme>Block`."""
    node = {"module": "acme", "class_name": "Block", "registered_name": "acme>Block"}
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**node, "config": {"units": 9}}), encoding="utf-8")
    return str(path)


def test_a_bound_under_a_name_that_the_class_does_not_take_is_an_error(said):
    text = "a: nothing that it names takes 'unit'; did you mean units?"
    found = said(allow("acme>Block", more=UNIT), catalogues=[TREE])
    assert found == [("unknown-argument", text)]
    assert said(allow("acme>Block", more=UNITS), catalogues=[TREE]) == []


def test_a_bound_that_nothing_confirms_is_told_and_a_deny_is_safe_without(said):
    text = "a: nothing says that what it names takes 'unit'"
    for names in (["acme>Block"], ["other.layers.Block"], ["acme>*"]):
        assert said(allow(*names, more=UNIT)) == [("unverified-argument", text)]
        assert said(deny(*names, more=UNIT)) == []
    # A catalogue that does not list the arguments tells of those alone that it has.
    found = said(allow("acme>Untold", more=UNIT), catalogues=[TREE])
    assert found == [("unverified-argument", text)]
    assert said(allow("acme>Untold", more=UNITS), catalogues=[TREE]) == []
    assert said(allow("acme>Block", more="arguments.unit = { path = true }")) == []


def test_models_show_whether_an_argument_is_given(said, model):
    text = "a: no model gives 'unit' to what it names"
    found = said(allow("acme>Block", more=UNIT), models=[model])
    assert ("argument-not-given", text) in found
    assert "unverified-argument" not in [slug for slug, _ in found]
    found = said(allow("acme>Block", more=UNITS), models=[model])
    assert [slug for slug, _ in found] == ["unused-rule"]  # 9 is more than 4
    # A class that the catalogue has take it, and that no model gives it, is told of, too.
    found = said(allow("acme>Block", more='arguments.name = { type = "string" }'), models=[model],
                 catalogues=[TREE])  # fmt: skip
    assert ("argument-not-given", "a: no model gives 'name' to what it names") in found


def test_a_rule_on_what_no_model_holds_is_told_as_without_models(said, model):
    found = said(allow("acme>Other", more=UNIT), models=[model])
    assert [slug for slug, _ in found] == ["unused-rule", "unverified-argument"]


def test_a_registered_class_named_by_its_path_is_told(said):
    other = "is another name of acme>Block, and no rule matches by it"
    for path in ("acme.layers.Block", "acme.layers.*"):
        found = said(allow(path), catalogues=[TREE])
        assert found == [("not-canonical", f"{path!r} {other}")]
        assert said(allow(path)) == []
    # The package's modules need not be called as its classes are registered.
    tree = {**TREE, "symbols": {"other>B": {"kind": "layer", "aliases": ["acme_nn.B"]}}}
    (found,) = said(allow("acme_nn.B"), catalogues=[tree])
    assert found[0] == "not-canonical"
    assert said(allow("acme_nn.C"), catalogues=[tree]) == []
