"""No parameter of Keras that takes a path, a function, code or a size is left without a bound.

The parameters are those of the whole catalogue and, where Keras is installed, of the signatures
and the documentation of its own classes and functions; which of them are dangerous is told by
patterns, and what a person found harmless stands with the reason in dangerous_parameters.toml.
"""

import base64
import inspect
import json
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from plan.plans import plan

from secure_serial.plan.arguments import NAME_KEYS
from secure_serial.plan.fields import Field
from secure_serial.policy.engine import Engine
from secure_serial.policy.source import load_policy

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CATALOGUES = ROOT / "policies" / "catalogue"
CURRENT, LEGACY = (
    json.loads((CATALOGUES / name).read_text()) for name in ("keras-3.15.json", "legacy.json")
)
REVIEWED = tomllib.loads((HERE / "dangerous_parameters.toml").read_text(encoding="utf-8"))
FAMILIES = REVIEWED["family"]
CORE = load_policy("keras-core")
ALLOWED = {symbol for rule in CORE.rules for symbol in rule.symbols}
BASE64 = base64.b64encode(bytes(range(90))).decode()


class Class(NamedTuple):
    """A class of the catalogue that keras-core names, as a config would name it."""

    symbol: str
    kind: str
    module: str | None
    name: str
    fields: dict[str, str]


def classes():
    for symbol, entry in CURRENT["symbols"].items():
        if "fields" in entry:
            module, _, name = symbol.rpartition(".")
            yield Class(symbol, entry["kind"], module, name, entry["fields"])
    for kind, table in LEGACY["kinds"].items():
        for name, entry in table.items():
            yield Class(entry["canonical"], kind, None, name, entry.get("fields", {}))
    # What any layer of earlier Keras may have, once.
    yield Class("keras.layers.Dense", "layer", None, "Dense", LEGACY["fields"])


CLASSES = [each for each in classes() if each.symbol in ALLOWED]
ARGUMENTS = [(each, name, word) for each in CLASSES for name, word in each.fields.items()]


def verdict(engine, cls, argument=None, value=None):
    """The verdict of keras-core on a class with one argument, where such a class may stand."""
    config = {} if argument is None else {argument: value}
    node = {"class_name": cls.name, "config": config}
    if cls.module is not None:
        node["module"] = cls.module
    field = {"model": Field.LAYER}.get(cls.kind, cls.kind)
    return engine.judge(plan(node, field=field if field in list(Field) else Field.ROOT))


@pytest.fixture(scope="module")
def engine():
    return Engine(CORE)


def passing(engine, values, arguments=ARGUMENTS):
    """The arguments in which one of these values is let in."""
    return {
        (cls.symbol, name)
        for cls, name, _ in arguments
        if any(verdict(engine, cls, name, value).allowed for value in values)
    }


TEXTS = {(symbol, name) for symbol, names in REVIEWED["text"].items() for name in names}
WORDS = {(symbol, name) for symbol, names in REVIEWED["words"].items() for name in names}
PATHS = [
    "/etc/passwd",
    "../up",
    "file:///etc/passwd",
    "C:\\boot.ini",
    "hf://a/b",
    "\\\\host\\share",
]
CODE = {"class_name": "__lambda__", "config": {"value": [BASE64, None, None]}}


# What is refused in every argument of every class.


def test_a_class_without_arguments_is_let_in(engine):
    """Else what follows would say nothing."""
    assert [cls for cls in CLASSES if not verdict(engine, cls).allowed] == []


def test_a_path_or_url_is_refused_in_every_argument_but_reviewed_text(engine):
    assert passing(engine, PATHS) == TEXTS


def test_a_path_in_a_list_or_dict_is_refused_too(engine):
    assert passing(engine, [["a", PATHS[0]]]) == TEXTS | WORDS
    assert passing(engine, [{"a": PATHS[0]}]) == TEXTS


def test_opaque_bytes_are_refused_in_every_argument_but_reviewed_text(engine):
    # An instance's name may be any text that is no path: it is a key, and nothing decodes it.
    arguments = [(cls, name, word) for cls, name, word in ARGUMENTS if name not in NAME_KEYS]
    assert passing(engine, [BASE64, BASE64.encode().hex()], arguments) == TEXTS
    assert passing(engine, [[BASE64]], arguments) == TEXTS | WORDS


def test_code_is_refused_in_every_argument(engine):
    assert passing(engine, [CODE, [CODE], {"a": CODE}]) == set()


def test_a_function_that_a_module_and_a_name_give_is_refused_in_every_argument(engine):
    given = {"class_name": "function", "module": "os", "config": "system", "registered_name": None}
    assert passing(engine, [given, [given]]) == set()


def test_a_class_that_keras_core_does_not_name_is_refused_in_every_argument(engine):
    layer = {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "m"}}
    assert passing(engine, [layer, [layer]]) == set()


def test_an_argument_that_the_catalogue_has_not_takes_none_of_these(engine):
    unknown = [(cls, "an_argument_of_tomorrow", "") for cls in CLASSES]
    for value in [*PATHS, "words.txt", "a/b", BASE64, CODE, 2**60]:
        assert passing(engine, [value, [value]], unknown) == set(), value


def test_the_name_of_a_file_is_refused_where_a_file_would_be_opened(engine):
    files = [a for a in ARGUMENTS if a[2] in ("asset", "words")]
    assert {(cls.symbol, name) for cls, name, _ in files} == WORDS
    assert passing(engine, ["words.txt"], files) == set()


def test_a_huge_size_is_refused_in_every_argument_that_memory_depends_on(engine):
    sizes = [a for a in ARGUMENTS if a[2].rstrip("*") in ("size", "shape")]
    assert len(sizes) > 300
    assert passing(engine, [2**31, [2**31], [[1, 2**31]]], sizes) == set()
    assert passing(engine, ["2147483648"], [a for a in sizes if a[2] == "size"]) == set()


# Numbers that are not sizes: each was looked at.


def numbers():
    return {(name, cls.name) for cls, name, word in ARGUMENTS if word.rstrip("*") == "number"}


def bounded():
    return {(name, cls) for name, names in REVIEWED["bounded"].items() for cls in names}


def test_every_plain_number_was_looked_at_once():
    listed = [name for names in REVIEWED["numbers"].values() for name in names]
    assert sorted(listed) == sorted(set(listed))
    unbounded = {name for name, _ in numbers() - bounded()}
    assert unbounded - set(REVIEWED["bounded"]) == set(listed)
    assert set(listed) & set(REVIEWED["bounded"]) == set()


def test_a_number_that_says_how_often_is_bounded(engine):
    found = {(name, cls.name): cls for cls, name, _ in ARGUMENTS if (name, cls.name) in bounded()}
    assert set(found) == bounded()
    for (name, _), cls in found.items():
        assert verdict(engine, cls, name, 2).allowed, (cls.symbol, name)
        assert not verdict(engine, cls, name, 1_000_000).allowed, (cls.symbol, name)


def test_a_number_in_place_of_a_list_cannot_come_as_an_array(engine):
    """ArraySplit counts up to whatever can be taken for an integer."""
    (split,) = [cls for cls in CLASSES if cls.name == "ArraySplit"]
    array = {"class_name": "__numpy__", "config": {"value": 10**8, "dtype": "int64"}}
    assert not verdict(engine, split, "indices_or_sections", array).allowed


# The names of parameters.


def wanting(family, parameters):
    """Names that a family's pattern finds, whose word does not hold such a thing back."""
    pattern, words = re.compile(FAMILIES[family]["name"]), FAMILIES[family]["words"]
    return {
        name for name, word in parameters if pattern.search(name) and word.rstrip("*") not in words
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_an_argument_with_a_telling_name_has_the_word_that_stops_it(family):
    found = wanting(family, [(name, word) for _, name, word in ARGUMENTS])
    assert found - set(REVIEWED["exception"][family]) == set()


def test_a_class_that_needs_such_a_thing_is_not_let_in():
    needs = {
        symbol
        for symbol, entry in CURRENT["symbols"].items()
        if {"asset", "blob"} & set(entry.get("fields", {}).values())
    }
    assert len(needs) > 5
    assert needs & ALLOWED == set()


def test_what_causes_anything_but_a_computation_is_not_let_in():
    entries = [
        *CURRENT["symbols"].items(),
        *((e["canonical"], e) for table in LEGACY["kinds"].values() for e in table.values()),
    ]
    caused = {symbol for symbol, entry in entries if entry.get("effects")}
    # The one for which keras-core lists the operations that compute on tensors.
    assert caused & ALLOWED == {"keras.legacy.layers.TensorFlowOpLayer"}


# The same of Keras itself: what its signatures and its documentation say.


@pytest.fixture(scope="module")
def objects():
    """What keras-core names, by canonical name."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    if keras.__version__ != CURRENT["version"]:
        pytest.skip("another Keras")
    sys.path.insert(0, str(ROOT))
    try:
        from tools.catalogue import symbols
    finally:
        sys.path.remove(str(ROOT))
    current = CURRENT["symbols"]
    return {s: symbols.locate(current[s]["at"]) for s in ALLOWED if s in current}


def parameters(thing):
    """The names in a signature; none where there is no signature."""
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return set()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {each.name for each in found if each.kind not in variable} - {"self", "cls"}


def all_parameters(objects):
    """(symbol, parameter, word) of constructors, functions, and calls in a graph."""
    for symbol, thing in objects.items():
        fields = CURRENT["symbols"][symbol].get("fields", {})
        names = parameters(thing.__init__ if inspect.isclass(thing) else thing)
        for name in names | set(fields):
            yield symbol, name, fields.get(name, "")
        if inspect.isclass(thing) and hasattr(thing, "call"):
            for name in parameters(thing.call):
                yield symbol, name, "graph_call"


def documented(thing):
    """What the docstrings of a class and its bases say of each parameter."""
    found = {}
    for each in reversed(thing.__mro__) if inspect.isclass(thing) else [thing]:
        text = inspect.cleandoc(each.__doc__ or "")
        section = re.search(r"^Arg(?:ument)?s:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        parts = re.split(
            r"^ {2,4}\**(\w+)(?: \([^)]*\))?:", section[1] if section else "", flags=re.MULTILINE
        )
        found |= dict(zip(parts[1::2], parts[2::2], strict=True))
    return found


#: Parameters of calls that the patterns find.
CALLED = {"initial_state": "tensors of the graph"}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_parameter_in_a_signature_of_keras_has_the_word_that_stops_it(family, objects):
    given = {(name, word) for _, name, word in all_parameters(objects)}
    found = wanting(family, given)
    assert found - set(REVIEWED["exception"][family]) - set(CALLED) == set()


def saying(family, objects):
    """Arguments that Keras documents to be such a thing, whose word does not hold it back."""
    says, words = re.compile(FAMILIES[family]["says"], re.IGNORECASE), FAMILIES[family]["words"]
    found = set()
    for symbol, thing in objects.items():
        fields = CURRENT["symbols"][symbol].get("fields", {})
        texts = documented(thing)
        found |= {
            name
            for name, word in fields.items()
            if says.search(texts.get(name, "")) and word.rstrip("*") not in words
        }
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_a_parameter_that_keras_documents_as_such_has_the_word_that_stops_it(family, objects):
    assert saying(family, objects) - set(REVIEWED["exception"][family]) == set()


def test_no_exception_is_left_over(objects):
    """What is excused must still be there, or somebody will think that it was looked at."""
    given = {(name, word) for _, name, word in ARGUMENTS}
    signed = {(name, word) for _, name, word in all_parameters(objects)}
    for family in FAMILIES:
        needed = wanting(family, given) | wanting(family, signed) | saying(family, objects)
        assert set(REVIEWED["exception"][family]) - needed == set(), family
    called = {name for family in FAMILIES for name in wanting(family, signed)}
    assert set(CALLED) - called == set()
