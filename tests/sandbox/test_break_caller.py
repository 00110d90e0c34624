"""Technique: write into what the caller holds, through results that share its memory.

Operators may write into the result of another operator, which has no name. So that none of the
caller's arrays is taken for one, each way to hand an array on without a copy stands beside one.
"""

import random
import warnings

import numpy as np
import pytest

from .making import made

#: Each may be the argument itself, or a view of it.
SAME = (
    "x", "x[:]", "x[...]", "x.T", "x.reshape(4)", "x.ravel()", "x.squeeze()", "np.asarray(x)",
    "np.ravel(x)", "np.real(x)", "np.transpose(x)", "np.broadcast_to(x, (4,))", "K.identity(x)",
    "tf.stop_gradient(x)", "tf.convert_to_tensor(x)", "(x if True else 0)", "(x or 0 if 0 else x)",
    "(y := x)", "[x][0]", "(lambda z: z)(x)", "max([x], key=len)", "{1: x}[1]", "+x",
)  # fmt: skip


@pytest.mark.parametrize("same", SAME)
@pytest.mark.parametrize("then", ["{} + 1", "1 + {}", "{} * 2 - 1", "2 * {} / 3 + {}", "-({}) + 1"])
def test_no_expression_writes_into_an_argument(same, then):
    given = np.arange(1, 5, dtype="f4")
    made(f"lambda x: {then.format(same, same)}")(given)
    assert given.tolist() == [1, 2, 3, 4]


def test_lists_and_dicts_of_the_caller_stay_as_they_are():
    given, named = [1], {"a": [1]}
    made("lambda x, y: [x.append(2), y['a'].append(2)]")(given, named)
    assert (given, named) == ([1], {"a": [1]})


def test_a_default_that_a_call_changes_is_new_for_the_next():
    function = made("lambda l=[]: [l.append(1), len(l)][1]")
    assert [function(), function()] == [1, 1]


@pytest.mark.parametrize(
    "expression",
    ["np.random.normal(size=(3,))", "np.random.uniform(size=(3,))", "np.log(x - 9)", "x / 0"],
)
def test_the_state_of_the_process_stays(expression):
    def state():
        numbers = np.random.get_state()[1].tolist()  # noqa: NPY002 - the one that must not change
        return random.getstate(), numbers, np.geterr(), list(warnings.filters)

    before = state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made(f"lambda x: {expression}")(np.ones(3, "f4"))
    assert state() == before
