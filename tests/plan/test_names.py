"""Which symbol a node's names mean, and when they disagree."""

from __future__ import annotations

import pytest
from plan.plans import BLOCK, LAYER, SWISH, caller_class, caller_function

from secure_serial.data import catalogue
from secure_serial.plan.fields import ACCEPTS, Field, Kind
from secure_serial.plan.names import (
    MISSING,
    Names,
    accepted,
    caller_symbol,
    resolve_class,
    resolve_function,
    resolve_identifier,
)
from secure_serial.plan.request import Origin


def class_of(module, class_name, registered=MISSING, *callers, field=Field.LAYER):
    known = {caller.name: caller for caller in callers}
    return resolve_class(Names(module, class_name, registered), field, catalogue(), known)


def function_of(module, name, registered="function", *callers, field=Field.ACTIVATION):
    known = {caller.name: caller for caller in callers}
    names = Names(module, "function", registered, name)
    return resolve_function(names, field, catalogue(), known)


def identified(text, field, *callers):
    return resolve_identifier(text, field, catalogue(), {c.name: c for c in callers})


@pytest.mark.parametrize(
    "module",
    ["keras.layers", "keras.src.layers.core.dense", "tf_keras.layers", "tensorflow.keras.layers",
     "keras.api.layers", "keras._tf_keras.keras.layers", "tensorflow.python.keras.layers.core",
     "keras.api._v2.keras.layers", "tf.keras.layers"],
)  # fmt: skip
@pytest.mark.parametrize("registered", [MISSING, None, "", "Dense"])
def test_every_spelling_of_a_module_of_keras_means_the_one_symbol(module, registered):
    found = class_of(module, "Dense", registered)
    assert (found.symbol, found.origin, found.code) == ("keras.layers.Dense", Origin.KERAS, "")


@pytest.mark.parametrize("registered", ["acme>Block", "Lambda", "keras.layers.Dense", "function"])
def test_a_module_of_keras_with_a_foreign_registered_name_disagrees(registered):
    found = class_of("keras.layers", "Dense", registered, BLOCK)
    assert (found.symbol, found.code) == ("keras.layers.Dense", "SS312")


def test_the_registered_name_may_be_the_canonical_name_of_an_alias():
    assert not class_of("keras.metrics", "MSE", "MeanSquaredError", field=Field.METRIC).code


def test_a_programs_class_does_not_stand_in_for_keras_own():
    own = caller_class("Dense", module="acme")
    found = class_of("keras.layers", "Dense", None, own)
    assert found.origin is Origin.KERAS
    assert "does not stand in" in found.note


@pytest.mark.parametrize(
    ("module", "class_name"),
    [("keras.layers", "dense"), ("keras.layers", "DENSE"), ("keras.layers", "Dense."),
     ("keras.layers.", "Dense"), ("keras..layers", "Dense"), ("keras", "layers.Dense"),
     ("keras.layers", "D\u0435nse"), ("k\u0435ras.layers", "Dense"), ("keras.layers", "\uff24ense"),
     ("keras.layers", " Dense"), ("Keras.layers", "Dense"), ("kerasx.layers", "Dense"),
     ("keras.optimizers", "Dense"), ("keras.layers", "core"), ("keras.layers", "__class__"),
     ("keras.evil", "CuDNNLSTM"), ("keras.", "CuDNNLSTM"), ("keras.models", "CuDNNLSTM"),
     ("keras.layers", "Dense'"), ("", "Dense"), (None, "Dense")],
)  # fmt: skip
def test_what_is_almost_a_name_of_keras_is_unknown_and_spells_no_symbol(module, class_name):
    found = class_of(module, class_name, None)
    assert found.origin is Origin.UNKNOWN
    assert found.symbol not in catalogue()


@pytest.mark.parametrize("module", ["keras.layers", "keras", "tf_keras.layers", "tf_keras"])
def test_a_class_of_an_earlier_keras_is_known_where_that_one_had_it(module):
    found = class_of(module, "TensorFlowOpLayer")
    assert (found.symbol, found.origin) == ("keras.legacy.layers.TensorFlowOpLayer", Origin.LEGACY)


def test_a_private_path_of_an_earlier_keras_is_known():
    assert class_of("keras.layers.core", "MaxoutDense").origin is Origin.LEGACY


@pytest.mark.parametrize(
    ("name", "field", "symbol"),
    [("Dense", Field.LAYER, "keras.layers.Dense"),
     ("Hinge", Field.LOSS, "keras.losses.Hinge"),
     ("Hinge", Field.METRIC, "keras.metrics.Hinge"),
     ("Zeros", Field.INITIALIZER, "keras.initializers.Zeros"),
     ("Highway", Field.LAYER, "keras.legacy.layers.Highway"),
     ("Sequential", Field.ROOT, "keras.Sequential"),
     ("Adam", Field.OPTIMIZER, "keras.optimizers.Adam")],
)  # fmt: skip
def test_a_name_without_a_module_means_the_class_that_fits_the_field(name, field, symbol):
    assert class_of(MISSING, name, field=field).symbol == symbol


def test_a_name_without_a_module_that_fits_nothing_in_the_field_is_unknown():
    assert class_of(MISSING, "Adam", field=Field.LAYER).origin is Origin.UNKNOWN
    assert class_of(MISSING, "Dense", field=Field.LABEL).origin is Origin.UNKNOWN


@pytest.mark.parametrize("registered", ["acme>Dense", "Lambda"])
def test_a_name_without_a_module_and_with_another_registered_name_is_no_class_of_keras(registered):
    assert class_of(MISSING, "Dense", registered).origin is Origin.UNKNOWN


@pytest.mark.parametrize("class_name", ["Block", "acme>Block"])
@pytest.mark.parametrize("module", [MISSING, None, "acme.blocks", "__main__"])
def test_a_registered_class_is_found_by_its_registered_name(module, class_name):
    found = class_of(module, class_name, "acme>Block", BLOCK)
    assert (found.symbol, found.caller, found.code, found.note) == ("acme>Block", BLOCK, "", "")


def test_a_class_registered_by_another_name_than_its_own_may_be_written_by_either():
    own = caller_class("acme>Other")._replace(qualname="Block")
    for class_name in ("Block", "Other", "acme>Other"):
        assert not class_of(None, class_name, "acme>Other", own).code
    assert class_of(None, "Third", "acme>Other", own).code == "SS312"


def test_a_registered_name_never_selects_another_class_than_class_name_says():
    found = class_of(None, "Block", "acme>Layer", BLOCK, LAYER)
    assert (found.caller, found.code) == (LAYER, "SS312")
    assert "Block" in found.problem


@pytest.mark.parametrize("module", ["os", "subprocess", "builtins", "os.path"])
def test_nothing_registered_lives_in_the_standard_library(module):
    assert class_of(module, "Block", "acme>Block", BLOCK).code == "SS312"
    assert class_of(module, "system", "acme>Block").code == "SS312"


def test_a_class_of_the_standard_library_that_the_program_passed_agrees_with_its_module():
    own = caller_class("Fraction", module="fractions")
    assert not class_of("fractions", "Fraction", None, own).code
    assert not class_of("fractions", "Fraction", MISSING, own).code


def test_a_class_that_has_moved_is_found_with_a_note():
    found = class_of("acme.old", "Block", "acme>Block", BLOCK)
    assert found.caller is BLOCK
    assert "acme.old" in found.note
    assert not found.code


def test_a_null_registered_name_means_not_registered_and_an_absent_one_the_classs_name():
    own = caller_class("Block")
    assert class_of("acme.blocks", "Block", MISSING, own).caller is own
    assert class_of("acme.blocks", "Block", None, own).origin is Origin.UNKNOWN


def test_a_programs_class_of_a_package_named_like_keras_is_the_programs():
    own = caller_class("acme>Block", module="keras.acme")
    assert class_of("keras.acme", "Block", "acme>Block", own).caller is own


@pytest.mark.parametrize(
    "bad", [7, None, ["Dense"], {"a": 1}, True, "", "x" * 513, "De\u200bnse", "a\nb"]
)
def test_a_class_name_that_is_no_name_is_an_objection(bad):
    assert class_of("keras.layers", bad).code == "SS310"


@pytest.mark.parametrize("bad", [7, ["keras"], {"a": 1}, True, "x" * 513, "keras.layers\n", "a\0"])
def test_a_module_or_registered_name_that_is_no_name_is_an_objection(bad):
    assert class_of(bad, "Dense").code == "SS310"
    assert class_of("keras.layers", "Dense", bad).code == "SS310"


@pytest.mark.parametrize(
    ("module", "class_name", "registered", "shown"),
    [("acme", "Block", MISSING, "acme.Block"), (MISSING, "Block", MISSING, "Block"),
     ("acme", "Block", "other>Block", "other>Block"), ("acme", "Block", "keras.layers.Dense", "acme.Block"),
     ("acme", "a>Block", MISSING, "a>Block"),
     ("acme", "a.Block", MISSING, "acme.'a.Block'"), ("acme", 7, MISSING, "acme.'7'")],
)  # fmt: skip
def test_an_unknown_name_is_shown_as_it_was_written(module, class_name, registered, shown):
    found = class_of(module, class_name, registered)
    assert found.symbol == shown
    assert found.code == ("" if isinstance(class_name, str) else "SS310")


# Functions.


@pytest.mark.parametrize(
    ("module", "name", "field", "symbol"),
    [("builtins", "relu", Field.ACTIVATION, "keras.activations.relu"),
     ("keras.activations", "relu", Field.ACTIVATION, "keras.activations.relu"),
     ("keras.src.activations.activations", "relu", Field.ACTIVATION, "keras.activations.relu"),
     ("builtins", "mean_squared_error", Field.LOSS, "keras.metrics.mean_squared_error")],
)  # fmt: skip
def test_a_function_of_keras_is_found_by_its_module_or_by_its_field(module, name, field, symbol):
    found = function_of(module, name, field=field)
    assert (found.symbol, found.origin, found.code) == (symbol, Origin.KERAS, "")


@pytest.mark.parametrize("registered", [MISSING, None, "", "relu", "function"])
@pytest.mark.parametrize("module", ["builtins", "keras.activations"])
def test_a_function_of_keras_agrees_with_what_keras_writes(module, registered):
    assert not function_of(module, "relu", registered).code


@pytest.mark.parametrize("registered", ["system", "acme>swish", 7, ["relu"]])
@pytest.mark.parametrize("module", ["builtins", "keras.activations"])
def test_a_function_of_keras_disagrees_with_another_registered_name(module, registered):
    assert function_of(module, "relu", registered).code in {"SS310", "SS312"}


@pytest.mark.parametrize(
    ("module", "name"),
    [("builtins", "eval"), ("builtins", "Dense"), ("builtins", "activations.relu"),
     ("builtins", "r\u0435lu"), ("keras.utils", "evil"), ("os", "relu"),
     ("keras", "activations.relu"), ("builtins", "mean_squared_error"), ("keras.layers", "relu")],
)  # fmt: skip
def test_no_other_function_is_found(module, name):
    found = function_of(module, name)
    assert found.origin is Origin.UNKNOWN
    assert found.symbol not in catalogue()


@pytest.mark.parametrize("name", ["get", "serialize", "deserialize"])
def test_what_else_stands_beside_the_activations_is_no_activation(name):
    assert not accepted(function_of("builtins", name), ACCEPTS[Field.ACTIVATION])


@pytest.mark.parametrize(
    "bad", [MISSING, None, 7, ["relu"], {"class_name": "function"}, "", "a\nb"]
)
def test_a_function_without_a_name_is_an_objection(bad):
    assert function_of("builtins", bad).code == "SS310"


@pytest.mark.parametrize("registered", [MISSING, None, "", "function", "swish", "acme>swish"])
@pytest.mark.parametrize("module", ["builtins", None, "acme.functions", "__main__"])
def test_a_registered_function_is_found_by_its_key(module, registered):
    found = function_of(module, "acme>swish", registered, SWISH)
    assert (found.symbol, found.caller, found.code) == ("acme>swish", SWISH, "")


def test_a_registered_function_does_not_pass_for_another_or_for_the_standard_librarys():
    assert function_of("builtins", "acme>swish", "acme>other", SWISH).code == "SS312"
    assert function_of("os", "acme>swish", "function", SWISH).code == "SS312"
    assert "acme.moved" in function_of("acme.moved", "acme>swish", "function", SWISH).note


@pytest.mark.parametrize("name", ["acme>gate", "gate"])
@pytest.mark.parametrize("registered", ["acme>gate", "gate", "own_name", "function"])
def test_a_function_registered_by_another_name_may_be_written_by_either(name, registered):
    own = caller_function("acme>gate")._replace(qualname="own_name")
    assert function_of("builtins", name, registered, own).code == ""
    assert function_of("builtins", name, "third", own).code == "SS312"


def test_a_bare_function_name_is_the_registered_one_that_ends_so():
    assert function_of("builtins", "swish_", "function", caller_function("acme>swish_")).caller
    assert (
        function_of("builtins", "wish_", "function", caller_function("acme>swish_")).caller is None
    )


def test_a_bare_function_name_that_may_mean_two_is_an_objection():
    two = caller_function("acme>gate"), caller_function("other>gate")
    found = function_of("builtins", "gate", "function", *two)
    assert (found.code, found.origin) == ("SS315", Origin.UNKNOWN)
    assert "acme>gate, other>gate" in found.problem


def test_a_bare_name_of_keras_is_not_taken_by_a_registered_function_that_ends_so():
    found = function_of("builtins", "relu", "function", caller_function("acme>relu"))
    assert found.origin is Origin.KERAS


@pytest.mark.parametrize(
    ("module", "name", "shown"),
    [("os", "system", "os.system"), ("builtins", "eval", "eval"), (None, "f", "f"),
     (MISSING, "f", "f"), ("os", "a>b", "a>b"), ("keras.utils", "evil", "keras.utils.evil"),
     ("keras", "utils.get_file", "keras.'utils.get_file'")],
)  # fmt: skip
def test_an_unknown_function_is_shown_as_it_was_written(module, name, shown):
    assert function_of(module, name).symbol == shown


# Identifiers.


@pytest.mark.parametrize(
    ("text", "field", "symbol"),
    [("relu", Field.ACTIVATION, "keras.activations.relu"),
     ("adam", Field.OPTIMIZER, "keras.optimizers.Adam"),
     ("mse", Field.LOSS, "keras.metrics.mean_squared_error"),
     ("float32", Field.DTYPE_POLICY, "keras.DTypePolicy"),
     ("int4", Field.DTYPE_POLICY, "keras.DTypePolicy"),
     ("zeros", Field.INITIALIZER, "keras.initializers.Zeros")],
)  # fmt: skip
def test_a_text_in_an_object_field_is_looked_up_in_the_fields_own_table(text, field, symbol):
    assert identified(text, field).symbol == symbol


@pytest.mark.parametrize("text", ["float33", "object", "O", "resource", "relu", "mixed"])
def test_a_text_that_is_no_type_makes_no_policy_of_types(text):
    assert identified(text, Field.DTYPE_POLICY).origin is Origin.UNKNOWN
    assert identified("int4", Field.ACTIVATION).origin is Origin.UNKNOWN


@pytest.mark.parametrize("bad", [7, ["keras"], "a\0", "x" * 513])
def test_a_functions_module_and_registered_name_are_names(bad):
    assert function_of(bad, "relu").code == "SS310"
    assert function_of("builtins", "relu", bad).code == "SS310"


@pytest.mark.parametrize("field", [Field.ROOT, Field.OBJECT])
def test_a_text_where_anything_may_stand_is_plain_text(field):
    assert identified("relu", field) is None
    assert identified("float32", field) is None


@pytest.mark.parametrize("field", [Field.ROOT, Field.OBJECT, Field.ACTIVATION])
def test_a_text_that_is_a_programs_name_is_the_programs_object(field):
    assert identified("acme>swish", field, SWISH).caller is SWISH


@pytest.mark.parametrize(
    ("text", "shown"),
    [("adam", "adam"), ("keras.layers.Dense", "'keras.layers.Dense'"), ("a>b", "a>b"),
     ("a>b\n", "'a>b\\n'"), ("object", "object")],
)  # fmt: skip
def test_a_text_that_nobody_knows_is_unknown_and_spells_no_symbol(text, shown):
    found = identified(text, Field.ACTIVATION)
    assert (found.symbol, found.origin) == (shown, Origin.UNKNOWN)


def test_a_long_text_makes_no_long_symbol():
    assert len(identified("a>" + "b" * 10_000, Field.ACTIVATION).symbol) < 600


# What a policy calls the program's objects, and where they may stand.


def test_a_programs_object_is_called_by_its_registered_name_else_by_its_path():
    assert caller_symbol(BLOCK) == "acme>Block"
    assert caller_symbol(caller_class("Block", module="acme.x")) == "acme.x.Block"


@pytest.mark.parametrize(
    ("caller", "field", "fits"),
    [(LAYER, Field.GRAPH_NODE, True), (LAYER, Field.OPTIMIZER, False), (BLOCK, Field.OPTIMIZER, True),
     (SWISH, Field.ACTIVATION, True), (SWISH, Field.LAYER, False), (SWISH, Field.GRAPH_NODE, False)],
)  # fmt: skip
def test_a_programs_object_may_stand_where_its_bases_may(caller, field, fits):
    found = identified(caller.name, field, caller)
    assert accepted(found, ACCEPTS[field]) is fits


def test_an_unknown_object_is_not_called_misplaced():
    assert accepted(class_of("acme", "Block"), frozenset())


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [((Kind.OPERATION, Kind.LAYER), Kind.LAYER), ((Kind.LAYER, Kind.MODEL), Kind.MODEL),
     ((Kind.LOSS,), Kind.LOSS), ((), None)],
)  # fmt: skip
def test_a_programs_class_has_the_narrowest_kind_of_its_bases(kinds, kind):
    assert caller_class("acme>Any", kinds=kinds).kind is kind
    assert SWISH.kind is None
