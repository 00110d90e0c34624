"""The estimate of memory: never too little for what matters, and never a crash."""

from __future__ import annotations

import pytest
from plan.plans import layer, plan

from secure_serial.data import catalogue
from secure_serial.plan.allocation import estimate, extent, width_after

BIG = 10**399


def entry(name):
    return catalogue().entry(f"keras.layers.{name}")


@pytest.mark.parametrize(
    ("value", "product"),
    [(3, 3), ([3, 4], 12), ([[2], (3, [4])], 24), ("same", 1), (None, 1), ([], 1), (-5, 1), (0, 1), (True, 1),
     ([None, 3], 3), (1, 1)],
)  # fmt: skip
def test_a_size_is_the_product_of_its_positive_numbers(value, product):
    assert extent(value) == product


def test_the_product_of_hostile_sizes_stays_small_enough_to_be_computed():
    assert extent([1 << 40] * 100_000) < 1 << 110


@pytest.mark.parametrize(
    ("name", "config", "build", "before", "size"),
    [("Dense", {"units": 10}, None, 7, 280), ("Dense", {"units": 10}, {"input_shape": [None, 3]}, 7, 120),
     ("Dense", {"units": 10}, {"input_shape": []}, 7, 280), ("Dense", {"units": 10}, {"input_shape": "x"}, 7, 280),
     ("Dense", {"units": 10}, {"input_shape": [None]}, 7, 280), ("Dense", {"units": 10}, [], 7, 280),
     ("Dense", {"units": 10}, {"input_shape": [None, -3]}, 7, 40), ("Dense", {}, None, 7, 0),
     ("Embedding", {"input_dim": 100, "output_dim": 8}, None, 7, 3200),
     ("LSTM", {"units": 3}, None, 5, 3 * 8 * 16), ("RepeatVector", {"n": 9}, None, 5, 36),
     ("Flatten", {}, None, 5, 0)],
)  # fmt: skip
def test_a_layer_takes_what_its_sizes_say(name, config, build, before, size):
    assert estimate(entry(name), config, build, before) == size


def test_keras_0s_dense_says_init_for_its_kernel():
    spec = entry("RepeatVector")
    assert estimate(spec, {"n": 2, "init": "uniform"}, None, 5) == 40


@pytest.mark.parametrize(
    ("name", "config", "width"),
    [("Dense", {"units": 10}, 10), ("Conv2D", {"filters": 6}, 6), ("Embedding", {"output_dim": 8}, 8),
     ("Dense", {"units": 0}, 1), ("Dense", {"units": "x"}, 5), ("Flatten", {"units": 9}, 5),
     ("InputLayer", {"batch_shape": [None, 4]}, 4), ("InputLayer", {"batch_input_shape": [None, 4]}, 4),
     ("InputLayer", {"batch_shape": [None, None]}, 5), ("InputLayer", {"batch_shape": "x"}, 5),
     ("InputLayer", {"batch_shape": []}, 5), ("InputLayer", {"batch_shape": [-2]}, 1), ("Flatten", {}, 5)],
)  # fmt: skip
def test_a_layer_hands_its_width_to_the_next(name, config, width):
    assert width_after(entry(name), config, 5) == width


def test_sizes_of_hundreds_of_digits_are_refused_and_not_computed_with():
    many = dict.fromkeys(("units", "input_dim", "batch_size", "input_length"), BIG)
    found = plan([layer("LSTM", **many), layer("LSTM", **many)])
    assert found.allocation < 1 << 200
    assert {o.code for o in found.requests[0].objections} == {"SS323"}
    assert [o.code for o in found.objections] == ["SS330"]
