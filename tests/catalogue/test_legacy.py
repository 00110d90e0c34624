"""The legacy catalogue against real configs of Keras 0.x to 2.x, and against itself."""

import json
from functools import cache
from pathlib import Path

import pytest

from secure_serial.plan.fields import ACCEPTS, Field, Kind

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / ".." / "shared" / "corpus" / "real"
CATALOGUES = ROOT / "policies" / "catalogue"


def load(name):
    return json.loads((CATALOGUES / name).read_text(encoding="utf-8"))


CURRENT = load("keras-3.15.json")
LEGACY = load("legacy.json")
SYMBOLS = CURRENT["symbols"]


@cache
def names_now():
    """(kind, last part of a name or alias) of each class of Keras 3."""
    return {
        (entry["kind"], path.rpartition(".")[2]): name
        for name, entry in SYMBOLS.items()
        if entry["type"] == "class"
        for path in [name, *entry["aliases"]]
    }


def entry_of(kinds, name):
    """The fields of the first kind that has a class of that name, or None."""
    for kind in kinds:
        old = LEGACY["kinds"].get(kind, {}).get(name)
        canonical = old["canonical"] if old else names_now().get((kind, name))
        if canonical is not None:
            fields = dict(SYMBOLS.get(canonical, {}).get("fields", {}))
            if kind in {"layer", "model"}:
                fields = {**LEGACY["fields"], **fields}
            return {**fields, **(old or {}).get("fields", {})}
    return None


class Walk:
    """Reads a legacy config as a planner would, noting what the catalogue does not know."""

    def __init__(self, custom):
        self.custom = custom
        self.unknown = set()
        self.classes = 0

    def value(self, value, word):
        nested = word.endswith("*")
        field = Field(word.rstrip("*"))
        if field not in ACCEPTS:
            return
        if isinstance(value, list) and (nested or field is Field.GRAPH_NODE):
            for item in value:
                self.value(item, word)
        elif isinstance(value, dict):
            self.mapping(value, field, nested)
        elif isinstance(value, str) and value and field is not Field.FUNCTION:
            self.identifier(value, field)

    def mapping(self, value, field, nested):
        kinds = [kind.value for kind in Kind if kind in ACCEPTS[field]]
        if "class_name" in value:
            self.instance(value["class_name"], value.get("config", {}), kinds)
        elif isinstance(value.get("name"), str) and entry_of(kinds, value["name"]) is not None:
            self.instance(value["name"], value, kinds)  # Keras 0.x, and 1.x below layers
        elif nested:
            for item in value.values():
                self.value(item, field.value + "*")
        else:
            self.unknown.add(f"{field}: {sorted(value)}")

    def identifier(self, text, field):
        table = LEGACY["identifiers"].get(field.value, {})
        if text not in table and text not in CURRENT["identifiers"].get(field.value, {}):
            self.unknown.add(f"{field} {text!r}")

    def instance(self, name, config, kinds):
        if name in self.custom:
            return
        fields = entry_of(kinds, name)
        if fields is None:
            self.unknown.add(f"class {kinds} {name}")
            return
        self.classes += 1
        if isinstance(config, list):  # a Sequential of Keras 1
            self.value(config, "layer*")
            return
        for key, value in config.items():
            if key not in fields:
                self.unknown.add(f"argument {name}.{key}")
            else:
                self.value(value, fields[key])


def rows():
    index = CORPUS / "index.json"
    return json.loads(index.read_text(encoding="utf-8"))["rows"] if index.exists() else []


def unwrapped(tree):
    """The model config inside what tfjs wraps round it."""
    tree = tree.get("modelTopology", tree)
    return tree.get("model_config", tree)


#: What an author of the corpus defined and its index does not list.
CUSTOM = {"loss 'weighted_binary_crossentropy'"}


@pytest.mark.skipif(not rows(), reason="no corpus of real configs beside the repository")
def test_every_class_argument_and_identifier_of_real_configs_is_known():
    unknown, classes = {}, 0
    for row in rows():
        text = (CORPUS / row["config"]).read_text(encoding="utf-8")
        tree = json.loads(text)
        tree = json.loads(tree) if isinstance(tree, str) else tree
        walk = Walk(set(row["custom_classes"]))
        walk.mapping(unwrapped(tree), Field.ROOT, nested=False)
        classes += walk.classes
        for what in walk.unknown:
            unknown.setdefault(what, row["config"])
    unknown = {what: where for what, where in unknown.items() if what not in CUSTOM}
    assert unknown == {}
    assert classes > 5000
