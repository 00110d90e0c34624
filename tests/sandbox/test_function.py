"""Calls from outside: arguments, results, budgets, errors; one call does not see another."""

import collections
import contextlib
import copy
import inspect
import threading
import typing

import numpy as np
import pytest

from secure_serial.errors import SandboxError
from secure_serial.lambdas.understood import from_own
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.meter import Meter, current
from secure_serial.sandbox.restrict import restrict

from .making import made


def code_of(function, *args, **kwargs):
    with pytest.raises(SandboxError) as caught:
        function(*args, **kwargs)
    return caught.value.code


class Pretender(str):
    """A subclass is not what it is a subclass of."""

    __slots__ = ()


class Pair(typing.NamedTuple):
    one: int
    two: int


class Iterable:
    def __iter__(self):
        return iter([1])


@pytest.mark.parametrize("value", [
    object(), Pretender("a"), Iterable(), print, type, np, np.array, {object(): 1}, {(1,): 2},
    [object()], (print,), {"a": print}, np.array([object()]), np.array(["a"]), np.datetime64("2020"),
    np.zeros(2, dtype=[("a", "f4")]), b"a", {1}, iter([]), range(3), lambda: 1,
])  # fmt: skip
def test_arguments_that_are_no_values_are_refused(value):
    assert code_of(made("lambda x: 1"), value) == "SS504"
    assert code_of(made("lambda x: 1"), x=value) == "SS504"


@pytest.mark.parametrize("value", [
    None, True, 1, 1.5, 1j, "a", ..., [1, (2, {"a": None})], slice(1, 2), np.float32(1), np.arange(3),
    np.arange(3, dtype="float16"), np.zeros(2, bool),
])  # fmt: skip
def test_values_pass_through(value):
    assert (
        np.array_equal(made("lambda x: x")(value), value)
        if isinstance(value, np.ndarray)
        else made("lambda x: x")(value) == value
    )


def test_containers_are_copied_as_pythons_own():
    assert type(made("lambda x: x")(Pair(1, 2))) is tuple
    assert type(made("lambda x: x")(collections.OrderedDict(a=1))) is dict
    given = [1]
    function = made("lambda x: x + [2]")
    assert function(given) == [1, 2]
    assert given == [1]


@pytest.mark.parametrize(("value", "bounds"), [
    ("a" * 200, {"characters": 100}), (1 << 200, {"integer_bits": 100}),
    ([0] * 200, {"items": 100}), ({str(n): n for n in range(1_001)}, {}),
])  # fmt: skip
def test_arguments_are_bounded(value, bounds):
    assert code_of(made("lambda x: 1", **bounds), value) == "SS502"


def test_deep_arguments_are_refused():
    value = []
    for _ in range(60):
        value = [value]
    assert code_of(made("lambda x: 1"), value) == "SS504"


def test_keywords_defaults_and_closure(directly):
    function = made("lambda x, y=2, *, k=(3, [4]): (x, y, k)")
    assert function(1) == (1, 2, (3, [4]))
    assert function(x=1, y=3, k=4) == (1, 3, 4)
    assert str(inspect.signature(function)) == "(x, y=2, *, k=(3, [4]))"
    assert inspect.getfullargspec(function).args == ["x", "y"]
    assert directly("lambda x: x + a + b[0]", closure={"a": 1, "b": [2]})(3) == 6
    assert directly("lambda x: max + x", closure={"max": 1})(3) == 4


def test_what_a_call_changes_is_gone_in_the_next(directly):
    text = (
        "def f(x, a):\n    a.append(x)\n    b.extend(a)\n    c['d'].append(1)\n    return a, b, c"
    )
    function = directly(text, defaults=([],), closure={"b": [], "c": {"d": []}})
    for _ in range(3):
        assert function(1) == ([1], [1], {"d": [1]})


@pytest.mark.parametrize("value", [print, object(), {1}, b"a", Pretender("a"), np.zeros(1)])
def test_stored_values_that_are_not_plain_are_refused(directly, value):
    for places in ({"defaults": (value,)}, {"closure": {"y": value}}, {"defaults": ([value],)}):
        with pytest.raises(SandboxError) as caught:
            directly("lambda x: x", **places)()
        assert caught.value.code == "SS504"


def test_deep_stored_values_are_refused(directly):
    value = []
    for _ in range(60):
        value = [value]
    with pytest.raises(SandboxError):
        directly("lambda x: x", defaults=(value,))()


def test_inner_function_has_a_budget_of_its_own():
    inner = made("lambda n: lambda x: [x for i in range(n)]", steps=200)(90)
    for _ in range(3):
        assert inner(1) == [1] * 90
    assert code_of(made("lambda n: lambda x: [x for i in range(n)]", steps=200)(200), 1) == "SS502"
    assert code_of(made("lambda: [lambda: 1]")) == "SS504"


def test_restricted_function_as_an_argument_shares_the_account():
    inner = made("lambda x: sum(range(x))", steps=1_000)
    outer = made("lambda f, n: [f(n), f(n)]", steps=1_000)
    assert outer(inner, 100) == [4950, 4950]
    assert code_of(outer, inner, 400) == "SS502"
    assert inner(400) == 79_800
    # What a nested call gives is still inside.
    assert outer(made("lambda x: 1"), 1) == [1, 1]
    assert made("lambda f: f(1)(2)")(made("lambda x: lambda y: x + y")) == 3


def test_errors_of_the_function_are_causes():
    with pytest.raises(SandboxError) as caught:
        made("lambda x: [1][x]")(5)
    assert isinstance(caught.value.__cause__, IndexError)
    assert "IndexError: list index out of range" in caught.value.message
    with pytest.raises(SandboxError) as caught:
        made("lambda x: {}[x]")("\x1b" * 9_000)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 2_000


@pytest.mark.parametrize(
    ("raised", "code"), [(MemoryError, "SS502"), (RecursionError, "SS502"), (KeyError, "SS501")]
)
def test_errors_of_the_interpreter_are_ours(raised, code, monkeypatch):
    function = made("lambda x: x")

    def fail(value, depth=0):
        raise raised

    monkeypatch.setattr("secure_serial.sandbox.function.admitted", fail)
    assert code_of(function, 1) == code


def test_a_call_for_an_end_is_not_swallowed(monkeypatch):
    function = made("lambda x: x")

    def fail(value, depth=0):
        raise KeyboardInterrupt

    monkeypatch.setattr("secure_serial.sandbox.function.admitted", fail)
    with pytest.raises(KeyboardInterrupt):
        function(1)
    monkeypatch.undo()
    assert function(1) == 1


def test_nothing_of_a_call_is_left_behind():
    for text in ("lambda x: x", "lambda x: 1 / 0", "lambda x: [0] * 10 ** 9"):
        with contextlib.suppress(SandboxError):
            made(text)(1)
        with pytest.raises(SandboxError):
            current()


def test_calls_end_where_the_stack_ends():
    def deep(left):
        return deep(left - 1) if left else made("lambda x: (lambda y: y)(x)")(1)

    with pytest.raises((RecursionError, SandboxError)):
        deep(5_000)


def test_budget_is_that_of_one_call_in_each_thread():
    function = made("lambda x: sum(range(x))", steps=5_000)
    found, errors = [], []

    def run():
        try:
            found.extend(function(500) for _ in range(20))
        except SandboxError as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    assert found == [124_750] * 160


def test_function_tells_what_it_is():
    function = made("lambda x: x / 2")
    assert function.source == "lambda x: x / 2"
    assert function.digest == function.understood.digest
    assert function.__name__ == "<lambda>"
    assert "restricted function" in repr(function)
    assert copy.deepcopy(function) is function
    assert build(restrict(function.understood), function.ops)(4) == 2


def test_def_keeps_its_name(directly):
    assert directly("def crop(x):\n    return x").__name__ == "crop"


def test_account_counts_what_was_used():
    account = Meter(Allowance(steps=10, elements=10, array_bytes=40, depth=1))
    account.step(4)
    account.array(2)
    account.like(3, 12)
    assert (account.steps, account.elements, account.array_bytes) == (5, 5, 20)
    for call in (
        lambda: account.like(1, 30),
        lambda: account.like(9, 1),
        lambda: account.array(1, 90),
    ):
        with pytest.raises(SandboxError, match="arrays"):
            call()
    account.enter()
    with pytest.raises(SandboxError, match="inside each other"):
        account.enter()
    account.leave()
    with pytest.raises(SandboxError, match="steps"):
        account.step(6)


def test_fast_way_counts_too():
    x = np.zeros(1_000, "float32")
    assert code_of(made("lambda x: [x + 1 for i in range(9)]", array_bytes=16_000), x) == "SS502"
    assert code_of(made("lambda x: [x + 1 for i in range(9)]", elements=5_000), x) == "SS502"
    assert code_of(made("lambda x: [x + 1 for i in range(9)]", steps=13), x) == "SS502"


# What outlives a call.


@pytest.mark.parametrize(
    ("text", "closure"),
    [
        ("lambda: (lambda l: (lambda y: [l.append(y), len(l)][1]))([])", {}),
        ("lambda: (lambda d: (lambda y: d))({})", {}),
        ("lambda: (lambda t: (lambda y: t))((1, [2]))", {}),
        ("lambda: (lambda l: (lambda: (lambda y: l)))([])", {}),
        ("lambda: (lambda f: (lambda y: f(y)))((lambda l: (lambda y: l))([]))", {}),
        ("lambda: (lambda y: k)", {"k": [1]}),
        ("lambda: (lambda g: (lambda y: g))(y for y in [1])", {}),
        ("def f():\n    l = []\n    return lambda y: l", {}),
    ],
)
def test_a_function_that_keeps_what_can_be_changed_is_not_given_back(text, closure):
    form = {"schema": 1, "source": text, "closure": closure}
    function = build(restrict(from_own(form)), NUMPY)
    with pytest.raises(SandboxError, match="keeps what can be changed"):
        function()


def test_a_function_of_values_that_stay_is_given_back():
    for text in ("lambda k=2: (lambda y: y * k)", "lambda k=(1, 2): (lambda y: k[y])",
                 "lambda: (lambda f: (lambda y: f(y) + 1))(lambda y: y)"):  # fmt: skip
        given = made(text)()
        assert given(1) == given(1) == 2


@pytest.mark.parametrize("way", ["lambda f, x: f(x)", "lambda f, x: [f(x), f(x)][1]"])
def test_a_function_that_another_is_given_keeps_its_own_bounds(way):
    tight = made("lambda x: [y for y in range(50)]", steps=160)
    loose = made(way)
    assert len(tight(1)) == 50
    assert len(loose(tight, 1)) == 50
    tighter = made("lambda x: [y for y in range(50)]", steps=40)
    with pytest.raises(SandboxError, match="40 steps"):
        loose(tighter, 1)


def test_what_another_function_uses_is_taken_from_both_accounts():
    inner = made("lambda: [y for y in range(50)]", steps=90)
    outer = made("lambda f: [f() for _ in range(9)]", steps=300)
    with pytest.raises(SandboxError, match="steps"):
        outer(inner)
