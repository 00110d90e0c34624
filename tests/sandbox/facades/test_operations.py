"""Each operation: its row fits Keras, NumPy's and Keras's ways agree, and the size is enough."""

import inspect
import os

import numpy as np
import pytest
from sandbox.facades.cases import CASES

from secure_serial.sandbox.facades import ops
from secure_serial.sandbox.facades.canonical import MISSING, rows
from secure_serial.sandbox.facades.kinds import check
from secure_serial.sandbox.facades.offered import Operation

EVERY = [(name, index) for name in CASES for index in range(len(CASES[name]))]
#: JAX compiles each anew, a tenth of a second: with it, the further cases of these alone.
FURTHER = {
    "average_pool", "batch_dot", "bounded_relu", "categorical_crossentropy", "choose", "gather",
    "argsort_by", "conv_of", "depthwise_conv_of", "max_pool", "one_hot_of", "running_sum", "std_of", "pad", "repeat", "resize", "resize_by", "resize_old", "split_by",
}  # fmt: skip
ALL = os.environ.get("KERAS_BACKEND", "jax") != "jax"
COMPARED = [each for each in EVERY if ALL or not each[1] or each[0] in FURTHER]
#: Keras's parameters are others here; `construct.keras.ops` turns them.
ADAPTED = {"einsum", "meshgrid", "linspace", "logspace", "map", "shape", "top_k"}
#: Which of several right answers: the signs of vectors, what an index of equals is.
LOOSE = {"qr", "eigh"}
#: Keras computes with other defaults, or in whole numbers where NumPy does not.
OTHER_TYPES = {"nonzero", "where", "argsort", "ndim", "size", "shape", "dtype", "rank"}


@pytest.fixture(scope="module")
def provider():
    pytest.importorskip("keras")
    from secure_serial.construct.keras.ops import KerasOps

    return KerasOps()


def checked(name, arguments):
    """The arguments as a facade hands them on."""
    values = []
    for index, parameter in enumerate(rows()[name].parameters):
        given = arguments[index] if index < len(arguments) else parameter.default
        assert given is not MISSING, name
        optional = index >= len(arguments) or given is None
        values.append(given if optional else check(parameter.kind, narrow=True)(given))
    return values


def leaves(value):
    if isinstance(value, (list, tuple)):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]


def test_every_operation_has_a_case():
    assert set(CASES) == set(rows())


def test_rows_have_the_parameters_of_keras(provider):
    """So that what is bound by position means the same in Keras."""
    keras = pytest.importorskip("keras")
    compared = 0
    for name, row in rows().items():
        function = getattr(keras.ops, name, None)
        if function is None or name in ADAPTED:
            continue
        theirs = list(inspect.signature(function).parameters)
        ours = [parameter.name for parameter in row.parameters]
        assert theirs[: len(ours)] == ours, name
        compared += 1
    assert compared > 200


@pytest.mark.parametrize(("name", "index"), EVERY)
def test_numpy_gives_no_more_than_the_rule_says(account, name, index):
    values = checked(name, CASES[name][index])
    if ops.NUMPY.find(name) is None:
        return
    before = account.elements
    account_bytes = account.array_bytes
    made = Operation(rows()[name])("test", values, narrow=True)
    arrays = [leaf for leaf in leaves(made) if isinstance(leaf, np.ndarray)]
    shared = [leaf for leaf in arrays if any(leaf is value for value in values)]
    made_here = sum(leaf.size for leaf in arrays) - sum(leaf.size for leaf in shared)
    assert account.elements - before >= made_here
    assert account.array_bytes - account_bytes >= made_here


@pytest.mark.keras
@pytest.mark.parametrize(("name", "index"), COMPARED)
def test_numpy_and_keras_agree(account, provider, name, index):
    import keras

    values = checked(name, CASES[name][index])
    function = provider.find(name)
    if ops.NUMPY.find(name) is None:
        assert function is not None
        return
    mine = leaves(Operation(rows()[name])("test", list(values), narrow=True))
    tensors = [_tensor(keras, value) for value in values]
    token = ops.active.set(provider)
    try:
        theirs = leaves(Operation(rows()[name])("test", tensors, narrow=True))
    finally:
        ops.active.reset(token)
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        _same(name, one, other)


def _tensor(keras, value):
    if isinstance(value, np.ndarray):
        return keras.ops.convert_to_tensor(value)
    return [_tensor(keras, each) for each in value] if isinstance(value, list) else value


def _same(name, one, other):
    if isinstance(one, (str, int, type(None))):
        assert one == other
        return
    got = np.asarray(other)
    assert np.shape(one) == got.shape, name
    if name not in OTHER_TYPES:
        assert np.asarray(one).dtype == got.dtype, name
    if name in LOOSE:
        one, got = np.abs(one), np.abs(got)
    np.testing.assert_allclose(one, got, rtol=2e-4, atol=2e-5)
