"""Every row of the data files: its operation is there, its parameters bind, and it gives the same."""

import inspect
import math

import numpy as np
import pytest
from sandbox.facades.cases import CASES

from secure_serial.errors import SandboxError
from secure_serial.sandbox.facades import Facade, facade, kinds, module, root, rows
from secure_serial.sandbox.facades.canonical import MISSING, row
from secure_serial.sandbox.facades.canonical import rows as operations
from secure_serial.sandbox.facades.offered import Offered, Operation
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.values import Function

ENTRIES = [(one, name) for one, members in rows.facades().items() for name in members]
FUNCTIONS = [(one, name) for one, name in ENTRIES if isinstance(rows.facades()[one][name], str)]
#: NumPy's own gives other containers, or whatever was in memory.
OTHER_IN_NUMPY = {"split", "array_split", "hsplit", "vsplit", "empty_like"}


def spec_of(one, name):
    return rows.parse(rows.facades()[one][name])


def flat(value):
    if isinstance(value, (list, tuple)):
        return [leaf for each in value for leaf in flat(each)]
    return [value]


def same(one, other):
    one, other = flat(one), flat(other)
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        if isinstance(mine, str):
            assert mine == theirs
        else:
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def case_for(spec):
    """A case of the operation that the member's fixed values allow, by the member's own names."""
    for case in CASES[spec.op]:
        given = dict(zip((p.name for p in row(spec.op).parameters), case, strict=False))
        named = {taken.goes_to: taken for taken in spec.takes if taken.goes_to is not None}
        if any(name in spec.fixed for name in given):
            given = {n: v for n, v in given.items() if n not in spec.fixed}
        needed = {n for n, taken in named.items() if taken.default is MISSING}
        required = {p.name for p in row(spec.op).parameters if p.default is MISSING}
        if given.keys() <= named.keys() and (needed & required) <= given.keys():
            return given, named
    return None, None


def direct(op, given, spec, *, narrow):
    values = []
    for parameter in row(op).parameters:
        value = {**{t.goes_to: t.default for t in spec.takes if t.default is not MISSING},
                 **spec.fixed, **given}.get(parameter.name, parameter.default)  # fmt: skip
        stands = parameter.name not in given or value is None
        values.append(value if stands else kinds.check(parameter.kind, narrow=narrow)(value))
    return Operation(row(op))("direct", values, narrow=narrow)


def test_every_entry_can_be_had():
    for one, name in ENTRIES:
        made = facade.facade(one).member(name)
        allowed = (Facade, float, bool, str, type(None))
        assert isinstance(made, allowed) or callable(made), (one, name)
    assert len(ENTRIES) > 1400


def test_every_operation_is_offered_by_some_name():
    offered = {spec_of(*entry).op for entry in FUNCTIONS}
    # And those that stand for them where the array is of whole numbers.
    assert offered | {row(name).whole for name in offered} - {""} == set(operations())


def test_every_parameter_goes_to_one_of_the_operation():
    for entry in FUNCTIONS:
        spec = spec_of(*entry)
        names = {p.name for p in row(spec.op).parameters}
        goes = [taken.goes_to for taken in spec.takes if taken.goes_to is not None]
        assert set(goes) | set(spec.fixed) <= names, entry
        assert len(goes) == len(set(goes)), entry
        spelled = [name for taken in spec.takes for name in taken.names]
        assert len(spelled) == len(set(spelled)), entry
        given = set(goes) | set(spec.fixed)
        assert {p.name for p in row(spec.op).parameters if p.default is MISSING} <= given, entry


RANDOM_OR_MAPPED = {
    "random_normal", "random_uniform", "map", "dropout", "random_bernoulli", "truncated_normal",
    "fold_items", "scan_of",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("entry", FUNCTIONS, ids=".".join)
def test_member_gives_what_its_operation_gives(account, entry):
    spec = spec_of(*entry)
    if spec.op in RANDOM_OR_MAPPED or NUMPY.find(spec.op) is None:
        return
    given, named = case_for(spec)
    assert given is not None, "no case fits"
    member = facade.facade(entry[0]).member(entry[1])
    narrow = not entry[0].startswith("np")
    wanted = direct(spec.op, given, spec, narrow=narrow)
    rest = [name for name in given if named[name].rest]
    for alias in range(2):
        called = {named[n].names[-alias]: v for n, v in given.items() if not named[n].rest}
        before = [called.pop(t.names[-alias]) for t in spec.takes
                  if rest and not t.keyword and t.names[-alias] in called]  # fmt: skip
        after = [item for name in rest for item in given[name]]
        same(member(*before, *after, **called), wanted)
    if not rest:  # the same, by position as far as that goes
        order = [t for t in spec.takes if not t.keyword]
        values = []
        while order and order[0].goes_to in given:
            values.append(given.pop(order.pop(0).goes_to))
        same(member(*values, **{named[n].names[0]: v for n, v in given.items()}), wanted)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_numpy_members_do_what_numpy_does(account):
    """By NumPy's own names and order; and NumPy's parameters stand where NumPy has them."""
    compared = 0
    wrong = []
    for one, name in FUNCTIONS:
        owner = {"np": np, "np.linalg": np.linalg}.get(one)
        function = getattr(owner, name, None) if owner is not None else None
        spec = spec_of(one, name)
        given, _ = case_for(spec)
        if (
            function is None
            or given is None
            or name in OTHER_IN_NUMPY
            or spec.op == "random_normal"
        ):
            continue
        try:
            order = [p.name for p in inspect.signature(function).parameters.values()]
        except ValueError:
            order = None
        positional = [taken for taken in spec.takes if not taken.keyword and not taken.rest]
        if order and not isinstance(function, np.ufunc) and not any(t.rest for t in spec.takes):
            for place, taken in enumerate(positional):
                if order[place] not in taken.names and name != "arange":
                    wrong.append((name, order, taken.names))
        values = [given[t.goes_to] for t in positional if t.goes_to in given]
        if len(values) != len(given) or any(t.rest for t in spec.takes):
            continue
        theirs = function(*values)
        mine = facade.facade(one).member(name)(*values)
        same(mine, theirs)
        assert [np.asarray(v).dtype for v in flat(mine)] == [
            np.asarray(v).dtype for v in flat(theirs)
        ], name
        compared += 1
    assert wrong == []
    assert compared > 150


def test_names_of_keras_backend_stand_as_in_keras():
    backend = pytest.importorskip("keras.src.legacy.backend")
    compared = 0
    for name in (name for one, name in FUNCTIONS if one == "K"):
        function = getattr(backend, name, None)
        if function is None:
            continue
        theirs = list(inspect.signature(function).parameters)
        mine = [taken.names for taken in spec_of("K", name).takes if not taken.keyword]
        for place, names in enumerate(mine):
            assert place >= len(theirs) or theirs[place] in names, (name, theirs, names)
        compared += 1
    assert compared > 75


@pytest.mark.parametrize("one", ["ops", "ops.nn", "ops.linalg", "ops.image", "activations"])
def test_names_of_keras_stand_as_in_keras(one):
    keras = pytest.importorskip("keras")
    owner = keras
    for part in one.split("."):
        owner = getattr(owner, part)
    compared = 0
    for name in (name for each, name in FUNCTIONS if each == one):
        function = getattr(owner, name, None)
        if function is None or name in ("map", "shape"):
            continue
        theirs = list(inspect.signature(function).parameters)
        mine = [t.names for t in spec_of(one, name).takes if not t.keyword and not t.rest]
        for place, names in enumerate(mine):
            assert place < len(theirs), name
            assert theirs[place] in names, (name, theirs, names)
        compared += 1
    assert compared > 1


def test_math_gives_what_math_gives(account):
    samples = [(0.5,), (3,), (3, 2), ([3.0, 4.0],), ([1.0, 2.0], [3.0, 4.0]), (1.5,)]
    for name in rows.facades()["math"]:
        mine, theirs = facade.facade("math").member(name), getattr(math, name)
        if not callable(theirs):
            assert mine == theirs or name == "nan"
            continue
        compared = 0
        for sample in samples:
            try:
                wanted = theirs(*sample)
            except (TypeError, ValueError):
                continue
            assert mine(*sample) == wanted
            compared += 1
        assert compared, name


def test_settings_are_those_of_a_fresh_keras():
    backend = root("K")
    assert backend.member("epsilon")() == 1e-7
    assert backend.member("floatx")() == "float32"
    assert backend.member("image_data_format")() == "channels_last"
    assert backend.member("backend")() == "tensorflow"
    with pytest.raises(SandboxError):
        backend.member("epsilon")(1)


def test_roots_and_modules_are_facades():
    index = rows.index()
    assert {"K", "tf", "np", "keras", "ops", "math"} <= index["roots"].keys()
    for name in index["roots"]:
        assert isinstance(root(name), Facade)
    for name in index["modules"]:
        assert isinstance(module(name), Facade)
    assert root("os") is None
    assert module("os.path") is None


def test_missing_names_say_what_they_were():
    for place, said in rows.index()["missing"].items():
        one, _, name = place.rpartition(".")
        target = "np" if one == "*" else one
        assert name not in rows.facades()[target], place
        with pytest.raises(SandboxError) as caught:
            facade.facade(target).member(name)
        assert caught.value.code == "SS504"
        assert said in caught.value.message


def test_near_name_is_offered():
    with pytest.raises(SandboxError) as caught:
        root("tf").member("reduce_meen")
    assert "tf.reduce_mean" in caught.value.help


def test_map_calls_functions_of_restricted_code(account):
    double = Function(lambda v: v * 2)
    x = np.arange(6.0, dtype="float32").reshape(3, 2)
    for one, name in [("tf", "map_fn"), ("K", "map_fn"), ("ops", "map")]:
        np.testing.assert_array_equal(facade.facade(one).member(name)(double, x), x * 2)
    with pytest.raises(SandboxError):
        facade.facade("tf").member("map_fn")(lambda v: v, x)


def test_random_numbers_have_shape_type_and_seed(account):
    for one, name in [("K", "random_normal"), ("tf.random", "normal"), ("K", "random_uniform")]:
        member = facade.facade(one).member(name)
        made = member((3, 4), seed=5)
        assert made.shape == (3, 4)
        assert made.dtype == np.float32
        np.testing.assert_array_equal(made, member((3, 4), seed=5))


def test_types_convert_compare_and_name(account):
    kind = root("np").member("float16")
    assert kind(2.5).dtype == np.float16
    assert kind == "float16"
    assert kind != root("np").member("float32")
    assert root("np").member("zeros")((2,), dtype=kind).dtype == np.float16
    assert root("tf").member("float32") == "float32"


def test_a_value_cannot_be_given_twice(account):
    member = root("tf").member("reduce_sum")
    x = np.ones((2, 2), "float32")
    with pytest.raises(SandboxError, match="two values"):
        member(x, 1, axis=0)
    with pytest.raises(SandboxError, match="two values"):
        member(x, axis=1, reduction_indices=0)
    assert isinstance(member, Offered)
