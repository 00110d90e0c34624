"""The parts below the facades: methods and attributes of arrays, kinds of values, edges of rules."""

import itertools

import numpy as np
import pytest

from secure_serial.errors import SandboxError
from secure_serial.sandbox.facades import arrays, kinds, module, ops, root, unused
from secure_serial.sandbox.facades.canonical import MISSING, Row, row
from secure_serial.sandbox.facades.charges.paddings import widths
from secure_serial.sandbox.facades.dtypes import dtype
from secure_serial.sandbox.facades.extents import Extents, extents, whole
from secure_serial.sandbox.facades.numbers import Number
from secure_serial.sandbox.facades.offered import Operation, _found, offered
from secure_serial.sandbox.facades.rows import parse
from secure_serial.sandbox.values import Builtin, Function

X = np.arange(24, dtype="float32").reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("sum", (1,)), ("mean", ()), ("max", (0,)), ("reshape", (4, 6)), ("reshape", ((4, 6),)),
        ("transpose", (2, 0, 1)), ("transpose", ()), ("flatten", ()), ("astype", ("int32",)),
        ("clip", (1, 5)), ("repeat", (2, 0)), ("swapaxes", (0, 1)), ("argmax", (1,)),
        ("cumsum", (1,)), ("copy", ()), ("take", ([0, 1],)), ("tolist", ()), ("squeeze", ()),
    ],
)  # fmt: skip
def test_methods_do_what_numpys_do(account, name, args):
    np.testing.assert_array_equal(arrays.method(X, name)(*args), getattr(X, name)(*args))
    assert arrays.has_method(name)


def test_attributes_are_plain(account):
    assert arrays.attribute(X, "shape") == (2, 3, 4)
    assert arrays.attribute(X, "ndim") == 3
    assert arrays.attribute(X, "size") == 24
    assert arrays.attribute(X, "dtype") == "float32"
    assert arrays.attribute(X, "T").shape == (4, 3, 2)
    np.testing.assert_array_equal(arrays.attribute(X, "real"), X)
    assert arrays.attribute((2, 3), "ndims") == 2
    assert arrays.attribute(3, "value") == 3
    assert arrays.attribute(None, "value") is None
    assert arrays.method((None, 3), "as_list")() == [None, 3]
    assert arrays.method(X, "get_shape")() == (2, 3, 4)
    assert arrays.method(np.float32(2), "item")() == 2.0
    assert arrays.has_attribute("shape")
    assert not arrays.has_attribute("base")
    for value, name in [(X, "base"), ("text", "shape"), ((1,), "shape"), (X, "ctypes")]:
        with pytest.raises(SandboxError):
            arrays.attribute(value, name)
    for value, name in [(X, "tofile"), ("text", "upper"), (X, "view")]:
        with pytest.raises(SandboxError):
            arrays.method(value, name)
    with pytest.raises(SandboxError):
        arrays.method(X, "item")()


@pytest.mark.parametrize(
    ("kind", "value", "made"),
    [
        ("tensor", 2, 2), ("tensor", True, True), ("tensor", 1j, 1j), ("int", True, 1),
        ("int", np.int64(3), 3), ("int", np.asarray(3), 3), ("number", 3, 3),
        ("number", np.float32(2), 2), ("flag", 1, True), ("flag", np.True_, True),
        ("axis", np.asarray([0, 1]), (0, 1)), ("sizes", range(2), (0, 1)), ("pair", 1, 1),
        ("pairs", np.asarray([[0, 1]]), ((0, 1),)), ("axes", 2, 2), ("axes", ([0], 1), ((0,), 1)),
        ("shape", 4, (4,)), ("new_shape", (None, 2), (None, 2)), ("order", "euclidean", None),
        ("order", 2, 2), ("dtype", "double", "float64"), ("equation", "i j->i", "ij->i"),
        ("int?", None, None), ("[a|b]", "A", "a"),
    ],
)  # fmt: skip
def test_kinds_let_through_what_they_name(account, kind, value, made):
    assert kinds.check(kind)(value) == made


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("tensor", "text"), ("tensor", object()), ("tensor", 2**70), ("tensor", b"bytes"),
        ("tensor", np.asarray(["a"])), ("tensor", np.asarray([None])), ("tensor", [[1], [2, 3]]),
        ("tensor", np.asarray(0, "M8[s]")), ("tensor", {1}), ("tensors", X[0, 0, 0]),
        ("int", 1.0), ("int", "1"), ("int", np.float32(1)), ("int", X), ("number", "1"),
        ("number", X), ("size", -1), ("radius", 65), ("degree", 17), ("flag", 2), ("flag", "a"),
        ("axis", "a"), ("axis", np.asarray([0.5])), ("sections", 0), ("shape", (-2,)),
        ("shape", (1,) * 33), ("pair", (1, 2, 3)), ("axes", (1, 2, 3)), ("axes", -1),
        ("dtype", "O"), ("dtype", 3), ("dtype", np.dtype("O")), ("order", "text"),
        ("equation", 3), ("equation", "i" * 201), ("equation", "i%j"), ("function", len),
        ("function", lambda: 0), ("branch", "text"), ("[a|b]", "c"),
        ("[a|b]", None),
    ],
)  # fmt: skip
def test_kinds_refuse_all_else(account, kind, value):
    with pytest.raises(SandboxError) as caught:
        kinds.check(kind)(value)
    assert caught.value.code == "SS504"


def test_nesting_ends(account):
    value = 1.0
    for _ in range(kinds.RANK + 1):
        value = [value]
    with pytest.raises(SandboxError, match="nested"):
        kinds.tensor(value)


def test_wide_numbers_in_sequences_stay_wide(account):
    narrow = kinds.check("tensor", narrow=True)
    assert narrow([1.0, 2.0]).dtype == np.float32
    assert narrow([1, 2]).dtype == np.int32
    assert narrow([np.float64(1), 2.0]).dtype == np.float64
    assert narrow([[np.float64(1)], [2.0]]).dtype == np.float64


def test_functions_are_those_of_restricted_code(account):
    function = Function(lambda v: v)
    assert kinds.check("function")(function) is function
    builtin = Builtin(float, (float,), "float32")
    assert dtype(builtin) == "float32"
    assert kinds.check("branch")(root("tf").member("abs")) is root("tf").member("abs")


def test_branches_are_called_only_where_they_count(account):
    cond = root("tf").member("cond")
    ones, never = Function(lambda: np.ones(2, "float32")), Function(lambda: 1 / 0)
    assert cond(True, ones, never).tolist() == [1.0, 1.0]
    assert cond(np.False_, never, ones).tolist() == [1.0, 1.0]


def test_failures_are_ours(account):
    with pytest.raises(SandboxError) as caught:
        root("np").member("concatenate")([X, X[0]])
    assert caught.value.code == "SS501"
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(SandboxError, match="without its"):
        root("np").member("clip")()
    with pytest.raises(SandboxError, match="at most"):
        root("K").member("square")(X, X)
    with pytest.raises(SandboxError, match="no parameter"):
        root("K").member("square")(X, out=X)
    with pytest.raises(SandboxError, match="backend has none"):
        _found(None, "ops.conv")


def test_forms_of_calls_are_bound_each_for_itself(account):
    """What one call was, is no matter of the next."""
    function = offered("K.test", parse("clip(x x_min:min|a_min=null x_max:max|a_max=null -name)"))
    for _ in range(2):
        np.testing.assert_array_equal(function(X, 3, 5), X.clip(3, 5))
        np.testing.assert_array_equal(function(X, max=5, min=3), X.clip(3, 5))
        np.testing.assert_array_equal(function(a_max=5, x=X, name="a"), X.clip(None, 5))
        for args, named, words in (
            ((X, 1, 2), {"min": 1}, "two values for 'min'"), ((X,), {"k": 1}, "no parameter 'k'"),
            ((X,), {"min": 1, "a_min": 2}, "two values for 'a_min'"), ((), {"min": 1}, "its x"),
            ((X, 1, 2, "a", 3), {}, "at most 4 values, not 5"), (("a",), {}, "K.test: a value"),
        ):  # fmt: skip
            with pytest.raises(SandboxError, match=words):
                function(*args, **named)


def test_forms_of_calls_are_not_remembered_without_end(account):
    names = [f"n{place}" for place in range(9)]
    function = offered("K.test", parse(f"abs(x {' '.join(f'-{name}' for name in names)})"))
    for some in itertools.islice(itertools.permutations(names, 4), 300):
        assert (function(X, **dict.fromkeys(some)) == X).all()
    assert len(function._bound) < 100


def test_texts_of_values_tell_no_address(account):
    for value in (root("tf"), root("tf").member("abs"), root("math").member("sqrt"),
                  root("K").member("epsilon"), arrays.method(X, "sum"), MISSING):  # fmt: skip
        assert "0x" not in repr(value)


def test_widths_of_padding():
    assert widths(2, 2) == ((2, 2), (2, 2))
    assert widths((2,), 1) == ((2, 2),)
    assert widths((1, 2), 2) == ((1, 2), (1, 2))
    for pads, rank in [(((1, 2), (3, 4)), 3), (((1, 2, 3),), 1), (((-1, 0),), 1)]:
        with pytest.raises(SandboxError):
            widths(pads, rank)


def test_work_of_products_is_counted(account):
    tensor = np.zeros((2, 5, 6, 3), "float32")
    kernel = np.zeros((2, 2, 3, 4), "float32")
    with pytest.raises(SandboxError, match="does not fit"):
        Operation(row("conv"))("test", [tensor, kernel[0], 1, "same", None, 1], narrow=True)
    before = account.steps
    Operation(row("conv"))("test", [tensor, kernel, 1, "same", None, 1], narrow=True)
    assert account.steps > before
    assert account.elements >= 2 * 5 * 6 * 4


def test_names_and_modules():
    assert root("K").has("mean")
    assert "mean" in root("K").names()
    assert module("tensorflow.keras.backend") is root("K")
    assert isinstance(row("mean"), Row)
    with pytest.raises(KeyError):
        Number("math.nothing", "__import__")


def test_native_provider_knows_its_own():
    assert ops.NUMPY.is_array(X)
    assert not ops.NUMPY.is_array([1])
    assert ops.NUMPY.shape(X) == (2, 3, 4)
    assert ops.NUMPY.dtype(X) == "float32"
    assert ops.NUMPY.known(X) is X
    assert not ops.NUMPY.is_dimension(3)
    assert ops.NUMPY.find("nothing") is None


def test_images_may_have_their_channels_first(account):
    image = np.random.RandomState(1).standard_normal((2, 4, 6, 4)).astype("float32")
    first = np.moveaxis(image, -1, 1)
    for name in ("space_to_depth", "depth_to_space"):
        member = root("ops").member(name)
        wanted = member(image, 2)
        np.testing.assert_allclose(np.moveaxis(member(first, 2, "channels_first"), 1, -1), wanted)
    gray = root("ops").member("image").member("rgb_to_grayscale")
    np.testing.assert_allclose(
        np.moveaxis(gray(first[:, :3], data_format="channels_first"), 1, -1),
        gray(image[..., :3]), rtol=1e-5, atol=1e-6,
    )  # fmt: skip
    pool = root("ops").member("max_pool")
    np.testing.assert_allclose(
        np.moveaxis(pool(first, 2, data_format="channels_first"), 1, -1), pool(image, 2)
    )
    bias = np.arange(4, dtype="float32")
    added = root("K").member("bias_add")(first, bias, "channels_first")
    np.testing.assert_allclose(np.moveaxis(added, 1, -1), image + bias)
    for source, args in [("space_to_depth", (5,)), ("depth_to_space", (0,)), ("max_pool", (9,))]:
        with pytest.raises(SandboxError):
            root("ops").member(source)(image, *args)
    resize = root("tf").member("image").member("resize_bilinear")
    assert resize(image, (3, 3), half_pixel_centers=True).shape == (2, 3, 3, 4)
    with pytest.raises(SandboxError):
        resize(image, (3, 3), align_corners=True, half_pixel_centers=True)
    with pytest.raises(SandboxError):
        root("ops").member("image").member("resize")(image, (3, 3), antialias=True)


V = np.ones(3, "float32")


@pytest.mark.parametrize(
    ("one", "name", "args"),
    [
        ("K", "batch_dot", (X, X, (0, 1))), ("K", "batch_dot", (X, X, (1, 2))),
        ("K", "batch_dot", (V, V)), ("tf", "split", (X, (1, 1), 1)),
        ("tf", "slice", (X, (0, 0), (1, 1, 1))), ("tf", "slice", (X, (0, 0), (1, 1))),
        ("tf", "matmul", (V, V)), ("np", "tensordot", (X, X, ((1, 1), (1, 1)))),
        ("tf", "einsum", ("ij->i", X)), ("tf", "einsum", ("i.j->i", X)),
        ("K", "resize_images", (X, 0, 1, "channels_last")), ("np", "unstack", (V[0],)),
        ("K", "pool2d", (X[None], (0, 1))), ("K", "pool2d", (X[None], (1, 1, 1))),
        ("tf", "gather", (X, [0], None)), ("np", "concatenate", (V[0],)),
        ("math", "sqrt", (np.asarray([1.0]),)), ("math", "sqrt", (2**5000,)),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(account, one, name, args):
    owner = root(one)
    if name == "gather":
        with pytest.raises(SandboxError):
            owner.member(name)(*args, batch_dims=2)
        return
    with pytest.raises(SandboxError):
        owner.member(name)(*args)


def test_numbers_of_one_item_are_numbers(account):
    assert root("math").member("sqrt")(np.float32(4)) == 2.0
    assert root("math").member("sqrt")(np.asarray(4.0)) == 2.0
    assert root("np").member("matmul") is not None
    assert root("np").member("dot")(2.0, X).shape == X.shape
    made = root("np").member("concatenate")(np.ones((2, 3)))
    assert made.shape == (6,)
    padded = root("K").member("spatial_2d_padding")(np.ones((1, 2, 2, 3), "f"), 1)
    assert padded.shape == (1, 4, 4, 3)


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("back_prop", True, object()), ("name", "text", 5), ("batch_dims", 0, 1),
        ("batch_shape", None, [2]), ("axis", -1, 1), ("validate_indices", None, []),
    ],
)  # fmt: skip
def test_parameters_without_bearing_are_the_usual_ones(name, value, wrong):
    assert unused.check(name)(value) is None
    with pytest.raises(SandboxError):
        unused.check(name)(wrong)


def test_a_shape_is_numbers_to_compute_with():
    assert (extents((2, 3)) * 2).tolist() == [4, 6]
    assert extents((2, 2**31)).dtype == "int64"
    part = extents((None, 4, 3))
    assert type(part) is Extents
    assert len(part) == 3
    assert list(part) == [None, 4, 3]
    assert (part.part(slice(1, 3)) * 2).tolist() == [8, 6]
    assert "not known" in repr(part)
    assert whole(part) == [None, 4, 3]
    assert whole(np.int32(4)) == [4]
    with pytest.raises(SandboxError):
        whole(np.zeros((2, 2), "int32"))
    for operation in ("+", "*"):
        with pytest.raises(TypeError):
            eval(f"part {operation} part", {"part": part})


def test_none_may_stand_for_the_default(account):
    softmax = offered("tf.softmax", parse("softmax(x axis==-1)"))
    assert np.allclose(softmax(X, None), softmax(X, -1))
    assert np.allclose(softmax(X), softmax(X, -1))
