"""The comparison itself: it must tell apart what `==` does not."""

import math

import pytest
from serialize.exact import difference


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ((1, 2), [1, 2]),
        (1, True),
        (1, 1.0),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1: 0}, {True: 0}),
        ([[1]], [[1, 2]]),
        ({"a": [(0,)]}, {"a": [[0]]}),
        (0.0, -0.0),
    ],
)
def test_values_that_differ_in_type_or_order_are_told_apart(ours, theirs):
    assert difference(ours, theirs)


def test_equal_values_have_no_difference_nan_included():
    assert difference({"a": [math.nan, (1, None)]}, {"a": [math.nan, (1, None)]}) is None
