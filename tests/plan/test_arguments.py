"""Arguments that the catalogue knows, and those that it does not."""

from __future__ import annotations

import pytest
from plan.plans import at, codes, layer, node, only


def noted(**config):
    return only(layer("Dense", units=1, **config)).notes


@pytest.mark.parametrize("value", [3, 2.5, "text", [1, 2], ["a"], []])
def test_an_unknown_scalar_or_list_passes_with_a_note(value):
    assert noted(mystery=value) == ("argument 'mystery' is not in the catalogue",)
    assert not codes(layer("Dense", units=1, mystery=value))


@pytest.mark.parametrize("value", [None, True, False])
def test_what_says_nothing_needs_no_note(value):
    assert noted(mystery=value) == ()


@pytest.mark.parametrize(
    ("value", "code"),
    [("dir/file", "SS320"), ("vocab.txt", "SS320"), ("/etc/passwd", "SS320"), ("a1" * 40, "SS321"),
     ({"a": 1}, "SS313"), ({}, "SS313"), (1 << 30, "SS323"), (float("nan"), "SS324"), (["../x"], "SS320"),
     ([["a1" * 40]], "SS321")],
)  # fmt: skip
def test_an_unknown_argument_holds_no_path_no_code_and_no_object(value, code):
    assert code in codes(layer("Dense", units=1, mystery=value))


@pytest.mark.parametrize(
    "value", [node("os", "system"), [node("keras.layers", "Dense")], {"a": node("os", "x")}]
)
def test_an_object_in_an_unknown_argument_is_refused_and_seen(value):
    assert "SS313" in codes(layer("Dense", units=1, mystery=value))


def test_an_argument_with_a_list_of_words_takes_one_of_them_unlooked_at():
    assert not codes(layer("UpSampling2D", interpolation="bilinear", size=2))
    assert not codes(
        layer("Conv2D", filters=1, kernel_size=[3, 3], padding="same", data_format=None)
    )


def test_a_vocabulary_is_a_list_of_any_words_and_never_one_text():
    assert not codes(layer("StringLookup", vocabulary=["/usr", "http://x", "a1" * 40]))
    assert codes(layer("StringLookup", vocabulary="/usr/share/dict/words")) == ["SS320"]
    assert codes(layer("StringLookup", vocabulary="words")) == ["SS320"]
    assert codes(
        layer("StringLookup", vocabulary={"class_name": "__bytes__", "config": {"value": "x"}})
    )


def test_what_keras_wrote_for_every_layer_is_known_to_every_layer():
    assert not noted(batch_input_shape=[None, 3], trainable=True)


def test_an_objection_names_the_argument_that_a_policy_may_permit():
    (objection,) = only(layer("TFSMLayer", filepath="/models/x")).objections
    assert (objection.code, objection.argument, objection.pointer) == (
        "SS320",
        "filepath",
        "/config/filepath",
    )


def test_a_name_that_the_catalogue_does_not_call_a_label_is_an_ordinary_argument():
    assert at(node("keras", "DTypePolicy", {"name": "mixed_float16"}), "").objections == ()


def test_the_key_of_an_argument_may_be_a_number():
    assert not codes(node("keras.layers", "Dense", {"units": 1, 3: 4}))


def test_a_config_may_be_null():
    assert not codes({**node("keras.layers", "Flatten"), "config": None})


def test_a_word_of_the_arguments_own_list_is_taken_before_it_is_looked_up():
    lookup = layer("TextVectorization", split="whitespace", standardize="lower")
    assert only(lookup).objections == ()
    assert (
        at(layer("TextVectorization", split="relu"), "/config/split").symbol
        == "keras.activations.relu"
    )


def test_what_an_argument_takes_beside_its_field_is_that_symbol_of_keras_alone():
    seed = node("keras.random", "SeedGenerator", {"seed": 1})
    initializer = node("keras.initializers", "HeNormal", {"seed": seed})
    assert not codes(initializer)
    other = node("keras.initializers", "HeNormal", {"seed": node("keras.initializers", "Zeros")})
    assert codes(other) == ["SS313"]
